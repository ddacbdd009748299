#include "bench/stores.h"

namespace siegel::bench {

constexpr const char* kRebuiltGeneration = "2";

Result<std::unique_ptr<Stores>> Stores::open(const std::filesystem::path& data, With with) {
  auto stores = std::make_unique<Stores>();
  SIEGEL_CHECK(stores->open_all(data, with));
  return stores;
}

Status Stores::open_all(const std::filesystem::path& data, With with) {
  SIEGEL_CHECK(core_.open(data, app::Config(), clock_, random_));
  return with == With::ledger_and_vault ? core_.ledger->start() : start_projections();
}

Status Stores::start_projections() {
  SIEGEL_TRY(store, app::open_views(core_.places, app::kFirstGeneration));
  views_store_ = std::move(store);
  views_ = std::make_unique<views::Views>(*views_store_);
  SIEGEL_TRY(position, views_->load_position());
  views_->advance(position);
  projector_ = projector::Projector::make(*core_.ledger, *core_.vault, *views_, {});
  core_.ledger->subscribe(*projector_);
  SIEGEL_CHECK(core_.ledger->start());
  service::Options options;
  options.origin = core_.signer->origin();
  options.id = core_.id;
  service_ = service::Service::make(*core_.ledger, *core_.vault, *views_, executor_, clock_, random_, options);
  SIEGEL_TRY(receipt, service_->begin_job(JobFacts::Kind::bench));
  return projector_->start(std::move(receipt));
}

void Stores::close() {
  if (service_) service_->stop();
  if (core_.ledger) core_.ledger->close();
  if (projector_) projector_->stop();
  service_.reset();
  projector_.reset();
  views_.reset();
  views_store_.reset();
  core_.close_stores();
  core_.lock.reset();
}

Result<double> Stores::rebuild() {
  SIEGEL_TRY(store, app::open_views(core_.places, kRebuiltGeneration));
  views::Views fresh(*store);
  const auto projector = projector::Projector::make(*core_.ledger, *core_.vault, fresh, {});
  SIEGEL_TRY(receipt, service_->begin_job(JobFacts::Kind::rebuild));
  const auto begin = clock_.steady();
  SIEGEL_CHECK(projector->rebuild(receipt, nullptr));
  return std::chrono::duration<double>(clock_.steady() - begin).count();
}

Result<std::uint64_t> ledger_bytes(const std::filesystem::path& data) {
  RocksOptions rocks;
  rocks.dir = data / "ledger";
  rocks.families = ledger::Ledger::families();
  SIEGEL_TRY(store, open_rocksdb(rocks));
  SIEGEL_CHECK(store->flush());
  return store->stats().table_bytes;
}

}  // namespace siegel::bench
