// How the stores of a data directory are opened: one home for the server, init and the local commands.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/places.h"
#include "base/clock.h"
#include "ledger/ledger.h"
#include "ledger/signer.h"
#include "store/file.h"
#include "vault/root_store.h"
#include "vault/vault.h"

namespace siegel::app {

// The root store with its mirrors, as PLACES names them.
std::unique_ptr<vault::RootStore> open_root_store(const Places& places, Random& random);

// Says on stderr what an operator has to look at, where it differs from what was told before. What is told now.
vault::Vault::Counters tell_keys(const vault::Vault::Counters& told, const vault::Vault& vault,
                                 const std::string& language);

// The same of erasures whose request the ledger lost (projector::keep_lost_fences), and of leaves given up with it.
void tell_lost(vault::Vault& vault, const std::string& language);
std::uint64_t keys_given_up(vault::Vault& vault);  // and not destroyed yet

// not_found "signer_missing"; those of FileSigner::load.
Result<std::unique_ptr<ledger::FileSigner>> load_signer(Files& files, const Places& places);

ledger::Options ledger_options(const Places& places, const LedgerId& id, const std::string& origin);

// Free room that opening a store takes, with those opened before it on the same disk: its log becomes a table before it
// goes, RocksDB reserves some, and some is kept free.
struct RoomToOpen {
  std::filesystem::path store;
  std::uint64_t bytes = 0;
};
std::vector<RoomToOpen> room_to_open(const Places& places);
// Asked before a server writes anything: a start that would end in the middle uses up nothing of the disk. `more`: what
// is written before. unavailable "disk_full" (context place, free_bytes, wanted_bytes).
Status check_room_to_open(const Places& places, std::uint64_t more = 0);

// The ledger that is there; never makes one. What a damaged log still holds is kept aside first (evidence.h). It is in
// doubt too if the keys store has seen a larger one. Errors: those of keep_evidence, Vault::ledger_size, open_rocksdb
// and Ledger::open.
Result<std::unique_ptr<ledger::Ledger>> open_ledger(const Places& places, const ledger::Options& options,
                                                    ledger::Signer& signer, Clock& clock);

// Keys and root of this ledger, with the checks of Vault::open. Not writable: it gives no slots and changes nothing.
Result<std::unique_ptr<vault::Vault>> open_vault(const Places& places, const Config& config, vault::RootStore& root,
                                                 const ledger::Ledger& ledger, const LedgerId& id, bool writable,
                                                 Clock& clock, Random& random);

// What one process holds for its life: the data directory, and what lies outside it. A copy of the directory names the
// same root store and lock record, and must not move them on while the original runs. What of these is not there or
// cannot be locked is left to whoever opens it.
struct Locks {
  DirectoryLock data;
  std::vector<DirectoryLock> outside;
};
Result<std::unique_ptr<Locks>> take_locks(const Places& places);  // unavailable "data_in_use" (context pid)

// Ledger and keys, which are the truth, opened with the checks of a start. Errors: those of Instance::open.
struct Core {
  Places places;
  LedgerId id;
  SystemFiles files;
  std::unique_ptr<Locks> lock;
  std::unique_ptr<ledger::FileSigner> signer;
  std::unique_ptr<ledger::Ledger> ledger;
  std::unique_ptr<vault::RootStore> root;
  std::unique_ptr<vault::Vault> vault;

  Status open(const std::filesystem::path& data, const Config& config, Clock& clock, Random& random);
  // In reverse; whoever uses a store must be gone. The lock stays, so that nobody comes between this and a new open().
  void close_stores();
};

// Read models stand in views/<generation>; the file VIEWS names the one that counts. Without that file it is the first.
// corrupt "views_damaged": run `siegel rebuild`.
Error views_damaged_error();
inline constexpr const char* kFirstGeneration = "1";
Result<std::string> views_generation(const Places& places);
Status set_views_generation(const Places& places, const std::string& generation);
// Behind all that are there, and behind the one that counts.
std::string new_views_generation(const Places& places);
// Made if it is missing: the read models come back from the ledger. corrupt "views_damaged": run `siegel rebuild`.
Result<std::unique_ptr<Store>> open_views(const Places& places, const std::string& generation);
// Reads all their files. False also where that cannot be done.
bool views_are_damaged(const Places& places);
// Lets a new one count, which is not there yet, and removes the one that did.
Status give_up_views(const Places& places);

}  // namespace siegel::app
