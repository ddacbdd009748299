// How the stores of a data directory are opened: one home for the server, init and the local commands.
#pragma once

#include <memory>

#include "app/places.h"
#include "base/clock.h"
#include "ledger/ledger.h"
#include "vault/root_store.h"

namespace siegel::app {

// The root store with its mirrors, as PLACES names them.
std::unique_ptr<vault::RootStore> open_root_store(const Places& places, Random& random);

ledger::Options ledger_options(const Places& places, const LedgerId& id, const std::string& origin);

// The ledger that is there; never makes one. Errors: those of open_rocksdb and Ledger::open.
Result<std::unique_ptr<ledger::Ledger>> open_ledger(const Places& places, const ledger::Options& options,
                                                    ledger::Signer& signer, Clock& clock);

}  // namespace siegel::app
