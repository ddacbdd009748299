#include "bench/stores.h"

#include <fstream>
#include <map>

namespace siegel::bench {
namespace {

Error unknown_layout() {
  return Error(Errc::corrupt, "format_unknown", "The data directory is not what `siegel init` of this version makes.");
}

// FORMAT and PLACES as init writes them.
Result<LedgerId> read_ledger_id(const std::filesystem::path& data) {
  std::ifstream file(data / "FORMAT");
  std::string kind, version, id;
  file >> kind >> version >> id;
  const auto bytes = from_hex(id);
  if (kind != "siegel-data" || version != "1" || !bytes || bytes->size() != 8) return unknown_layout();
  return LedgerId(to_array<8>(*bytes));
}

std::map<std::string, std::string> read_places(const std::filesystem::path& data) {
  std::ifstream file(data / "PLACES");
  std::map<std::string, std::string> out;
  for (std::string key, path; file >> key && std::getline(file >> std::ws, path);) out[key] = path;
  return out;
}

RocksOptions ledger_store(const std::filesystem::path& data) {
  RocksOptions rocks;
  rocks.dir = data / "ledger";
  rocks.families = ledger::Ledger::families();
  return rocks;
}

// As the server opens them.
Result<std::unique_ptr<Store>> open_views(const std::filesystem::path& dir) {
  RocksOptions rocks;
  rocks.dir = dir;
  rocks.families = views::families();
  rocks.create = RocksOptions::Create::if_missing;
  rocks.wal = RocksOptions::Wal::off;
  rocks.cache = make_block_cache(std::size_t{32} << 20);
  return open_rocksdb(rocks);
}

}  // namespace

Result<std::unique_ptr<Stores>> Stores::open(const std::filesystem::path& data, With with) {
  auto stores = std::make_unique<Stores>();
  SIEGEL_CHECK(stores->open_all(data, with));
  return stores;
}

Status Stores::open_all(const std::filesystem::path& data, With with) {
  SIEGEL_TRY(id, read_ledger_id(data));
  auto places = read_places(data);
  SIEGEL_TRY(lock, DirectoryLock::take(data / "LOCK"));
  lock_ = std::make_unique<DirectoryLock>(std::move(lock));
  SIEGEL_TRY(signer, ledger::FileSigner::load(files_, places["signer"]));
  signer_ = std::move(signer);
  ledger::Options options;
  options.origin = signer_->origin();
  options.id = id;
  options.lock_record_path = places["head"];
  SIEGEL_TRY(store, open_rocksdb(ledger_store(data)));
  SIEGEL_TRY(ledger, ledger::Ledger::open(std::move(store), options, *signer_, clock_));
  ledger_ = std::move(ledger);
  root_ = vault::open_file_root_store(places["root"], random_);
  vault::Options vault_options;
  vault_options.keys_dir = data / "keys";
  SIEGEL_TRY(vault,
             vault::Vault::open(vault_options, *root_, id, ledger_->keys_mark(), ledger_->epoch(), clock_, random_));
  vault_ = std::move(vault);
  if (with == With::ledger_and_vault) return ledger_->start();
  return start_projections(data / "views" / "1", id);
}

Status Stores::start_projections(const std::filesystem::path& dir, const LedgerId& id) {
  SIEGEL_TRY(store, open_views(dir));
  views_store_ = std::move(store);
  views_ = std::make_unique<views::Views>(*views_store_);
  SIEGEL_TRY(position, views_->load_position());
  views_->advance(position);
  projector_ = projector::Projector::make(*ledger_, *vault_, *views_, {});
  ledger_->subscribe(*projector_);
  SIEGEL_CHECK(ledger_->start());
  service::Options options;
  options.origin = signer_->origin();
  options.id = id;
  service_ = service::Service::make(*ledger_, *vault_, *views_, executor_, clock_, random_, options);
  SIEGEL_TRY(receipt, service_->begin_job(JobFacts::Kind::bench));
  return projector_->start(std::move(receipt));
}

void Stores::close() {
  if (service_) service_->stop();
  if (ledger_) ledger_->close();
  if (projector_) projector_->stop();
  if (vault_) vault_->close();
  service_.reset();
  projector_.reset();
  views_.reset();
  views_store_.reset();
  vault_.reset();
  root_.reset();
  ledger_.reset();
  lock_.reset();
}

Result<double> Stores::rebuild(const std::filesystem::path& dir) {
  SIEGEL_TRY(store, open_views(dir));
  views::Views fresh(*store);
  const auto projector = projector::Projector::make(*ledger_, *vault_, fresh, {});
  SIEGEL_TRY(receipt, service_->begin_job(JobFacts::Kind::rebuild));
  const auto begin = clock_.steady();
  SIEGEL_CHECK(projector->rebuild(receipt, nullptr));
  return std::chrono::duration<double>(clock_.steady() - begin).count();
}

Result<std::uint64_t> ledger_bytes(const std::filesystem::path& data) {
  SIEGEL_TRY(store, open_rocksdb(ledger_store(data)));
  SIEGEL_CHECK(store->flush());
  return store->stats().table_bytes;
}

}  // namespace siegel::bench
