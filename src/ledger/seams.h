// Private to ledger and its tests: where a test may come between encode and commit (requirement D3).
#pragma once

#include <functional>
#include <memory>

#include "ledger/ledger.h"

namespace siegel::ledger {

struct Seams {
  // The two rows of the same events, as they will be written; called once for each pair.
  std::function<void(MutableBytes headers, MutableBytes payloads)> row_encoded;
};

// Ledger::open() with seams.
Result<std::unique_ptr<Ledger>> open_ledger(std::unique_ptr<Store> store, const Options& options, Signer& signer,
                                            Clock& clock, Seams seams);

}  // namespace siegel::ledger
