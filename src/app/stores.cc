#include "app/stores.h"

namespace siegel::app {

std::unique_ptr<vault::RootStore> open_root_store(const Places& places, Random& random) {
  auto root = vault::open_file_root_store(places.root, random);
  if (places.root_mirrors.empty()) return root;
  std::vector<std::unique_ptr<vault::RootStore>> members;
  members.push_back(std::move(root));
  for (const auto& path : places.root_mirrors) members.push_back(vault::open_file_root_store(path, random));
  return vault::mirror(std::move(members));
}

ledger::Options ledger_options(const Places& places, const LedgerId& id, const std::string& origin) {
  ledger::Options options;
  options.origin = origin;
  options.id = id;
  options.lock_record_path = places.head.string();
  return options;
}

Result<std::unique_ptr<ledger::Ledger>> open_ledger(const Places& places, const ledger::Options& options,
                                                    ledger::Signer& signer, Clock& clock) {
  RocksOptions rocks;
  rocks.dir = places.ledger();
  rocks.families = ledger::Ledger::families();
  SIEGEL_TRY(store, open_rocksdb(rocks));
  return ledger::Ledger::open(std::move(store), options, signer, clock);
}

}  // namespace siegel::app
