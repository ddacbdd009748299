#include "app/instance.h"

#include "app/stores.h"
#include "ledger/signer.h"
#include "projector/projector.h"
#include "store/file.h"
#include "vault/root_store.h"

namespace siegel::app {
namespace {

constexpr const char* kViewsGeneration = "1";

class Opened final : public Instance {
 public:
  ~Opened() override { close(); }

  Status open(const std::filesystem::path& data, const Config& config, service::Executor& executor, Clock& clock,
              Random& random, ledger::Tail& watcher, GroupHook on_group) {
    SIEGEL_TRY(places, read_places(data));
    SIEGEL_TRY(id, read_format(places));
    SIEGEL_TRY(lock, DirectoryLock::take(places.lock()));
    lock_ = std::make_unique<DirectoryLock>(std::move(lock));
    SIEGEL_CHECK(vault::check_root_place(places.root, places.data));
    SIEGEL_TRY(signer, ledger::FileSigner::load(files_, places.signer));
    signer_ = std::move(signer);
    auto ledger_settings = ledger_options(places, id, signer_->origin());
    ledger_settings.queue_commands_max = config.queue_commands_max;
    ledger_settings.group_wait_us_max = static_cast<std::uint32_t>(config.group_commit_us_max);
    SIEGEL_TRY(ledger, open_ledger(places, ledger_settings, *signer_, clock));
    ledger_ = std::move(ledger);
    root_ = open_root_store(places, random);
    vault::Options vault_options;
    vault_options.keys_dir = places.keys();
    vault_options.replicas = places.key_replicas;
    vault_options.key_cache_bytes_max = config.key_cache_bytes_max;
    vault_options.spare_leaves = config.spare_leaves;
    SIEGEL_TRY(vault,
               vault::Vault::open(vault_options, *root_, id, ledger_->keys_mark(), ledger_->epoch(), clock, random));
    vault_ = std::move(vault);
    SIEGEL_CHECK(open_views(places));
    if (!ledger_->read_only().empty()) return Done{};  // no look could be logged: nothing personal is served
    ledger_->subscribe(watcher);
    ledger_->on_group = std::move(on_group);
    return start(id, config, executor, clock, random);
  }

  std::shared_ptr<service::Service> service() override { return service_; }
  ledger::Ledger& ledger() override { return *ledger_; }
  vault::Vault& vault() override { return *vault_; }
  views::Views& views() override { return *views_; }
  std::string verifier_key() const override { return signer_->verifier_key(); }

  void close() override {
    if (service_) service_->stop();
    if (service_ && projector_ && projecting_) service_->end_job(JobFacts::Kind::projector, ledger_->size().get());
    if (ledger_) ledger_->close();  // drains: every tail has its groups
    if (projector_ && projecting_) projector_->stop();
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

 private:
  Status open_views(const Places& places) {
    RocksOptions rocks;
    rocks.dir = places.views() / kViewsGeneration;
    rocks.families = views::families();
    rocks.create = RocksOptions::Create::if_missing;
    rocks.wal = RocksOptions::Wal::off;
    rocks.cache = make_block_cache(std::size_t{32} << 20);
    SIEGEL_CHECK(files_.make_dir(places.views(), 0700));
    SIEGEL_TRY(store, open_rocksdb(rocks));
    SIEGEL_CHECK(files_.write_file_durably(places.views_name(), as_bytes(std::string(kViewsGeneration) + "\n"), 0600));
    views_store_ = std::move(store);
    views_ = std::make_unique<views::Views>(*views_store_);
    SIEGEL_TRY(position, views_->load_position());
    if (position > ledger_->size())
      return Error(Errc::corrupt, "views_ahead",
                   "The read models show more than the ledger holds: run `siegel rebuild`.")
          .with("views", position)
          .with("ledger", ledger_->size());
    views_->advance(position);
    return Done{};
  }

  Status start(const LedgerId& id, const Config& config, service::Executor& executor, Clock& clock, Random& random) {
    projector_ = projector::Projector::make(*ledger_, *vault_, *views_, {});
    ledger_->subscribe(*projector_);
    SIEGEL_CHECK(ledger_->start());
    service::Options options;
    options.origin = signer_->origin();
    options.id = id;
    options.timezone = config.timezone;
    options.event_bytes_max = config.event_bytes_max;
    options.erase_window = std::chrono::milliseconds(config.erase_window_ms);
    options.idempotency_days = static_cast<unsigned>(config.idempotency_days);
    options.root_store_kind = root_->kind();
    options.verifier_key = signer_->verifier_key();
    service_ = service::Service::make(*ledger_, *vault_, *views_, executor, clock, random, options);
    SIEGEL_TRY(receipt, service_->begin_job(JobFacts::Kind::projector));
    SIEGEL_CHECK(projector_->start(std::move(receipt)));
    projecting_ = true;
    return service_->start();
  }

  SystemFiles files_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<ledger::FileSigner> signer_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<vault::RootStore> root_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<Store> views_store_;
  std::unique_ptr<views::Views> views_;
  std::unique_ptr<projector::Projector> projector_;
  std::shared_ptr<service::Service> service_;
  bool projecting_ = false;
};

}  // namespace

Result<std::unique_ptr<Instance>> Instance::open(const std::filesystem::path& data, const Config& config,
                                                 service::Executor& executor, Clock& clock, Random& random,
                                                 ledger::Tail& watcher, GroupHook on_group) {
  auto instance = std::make_unique<Opened>();
  SIEGEL_CHECK(instance->open(data, config, executor, clock, random, watcher, std::move(on_group)));
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace siegel::app
