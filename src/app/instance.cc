#include "app/instance.h"

#include <thread>

#include "app/stores.h"
#include "codec/header_codec.h"
#include "projector/projector.h"
#include "store/memory_store.h"

namespace siegel::app {
namespace {

constexpr std::chrono::seconds kCallsEndWithin{2};

class OpenedInstance final : public Instance {
 public:
  ~OpenedInstance() override { close(); }

  Status open(const std::filesystem::path& data, const Config& config, service::Executor& executor, Clock& clock,
              Random& random, ledger::Tail& watcher, GroupHook on_group) {
    SIEGEL_CHECK(core_.open(data, config, clock, random));
    writable_ = core_.ledger->read_only().empty();
    SIEGEL_CHECK(open_read_models());
    make_service(config, executor, clock, random);
    if (!writable_) return service_->start();
    core_.ledger->subscribe(watcher);
    core_.ledger->on_group = std::move(on_group);
    return start();
  }

  std::shared_ptr<service::Service> service() override { return service_; }
  bool opened_writable() const override { return writable_; }
  ledger::Ledger& ledger() override { return *core_.ledger; }
  vault::Vault& vault() override { return *core_.vault; }
  views::Views& views() override { return *views_; }
  std::string verifier_key() const override { return core_.signer->verifier_key(); }

  TimeMs newest() const override {
    const auto size = core_.ledger->size();
    const auto stored = size.get() == 0 ? Result<ledger::StoredEvent>(Error(Errc::not_found, "event_missing", "None."))
                                        : core_.ledger->read(Seq(size.get() - 1));
    const auto header = stored ? codec::decode_header(stored->header) : Result<Header>(Error(stored.error()));
    return header ? header->time : TimeMs(0);
  }

  void close() override {
    if (service_) service_->stop();
    if (service_ && projector_ && projecting_) service_->end_job(JobFacts::Kind::projector, core_.ledger->size().get());
    if (core_.ledger) core_.ledger->close();  // drains: every tail has its groups
    if (projector_ && projecting_) projector_->stop();
    wait_for_calls();
    if (core_.vault) core_.vault->close();
    service_.reset();
    projector_.reset();
    views_.reset();
    views_store_.reset();
    core_.close_stores();
    core_.lock.reset();
  }

 private:
  // Calls in flight hold the service; the ledger has refused or answered them, so they end soon. A stream of events may
  // hold it for longer, asleep in the views, and goes with them.
  void wait_for_calls() {
    const auto end = std::chrono::steady_clock::now() + kCallsEndWithin;
    while (service_.use_count() > 1 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  Status open_read_models() {
    SIEGEL_TRY(generation, views_generation(core_.places));
    SIEGEL_TRY(store, open_views(core_.places, generation));
    SIEGEL_CHECK(set_views_generation(core_.places, generation));
    views_store_ = std::move(store);
    views_ = std::make_unique<views::Views>(*views_store_);
    SIEGEL_TRY(position, views_->load_position());
    // A ledger that lost its tail is behind its read models too, and it is the lock record that says what is wrong.
    // They are of no use until the tail is back: registries come from the ledger.
    if (position > core_.ledger->size() && !writable_) {
      views_ = std::make_unique<views::Views>(no_views_);
      return Done{};
    }
    if (position > core_.ledger->size())
      return Error(Errc::corrupt, "views_ahead",
                   "The read models show more than the ledger holds: run `siegel rebuild`.")
          .with("views", position)
          .with("ledger", core_.ledger->size());
    views_->advance(position);
    return Done{};
  }

  void make_service(const Config& config, service::Executor& executor, Clock& clock, Random& random) {
    service::Options options;
    options.origin = core_.signer->origin();
    options.id = core_.id;
    options.timezone = config.timezone;
    options.event_bytes_max = config.event_bytes_max;
    options.erase_window = std::chrono::milliseconds(config.erase_window_ms);
    options.idempotency_days = static_cast<unsigned>(config.idempotency_days);
    options.root_store_kind = core_.root->kind();
    options.verifier_key = core_.signer->verifier_key();
    service_ = service::Service::make(*core_.ledger, *core_.vault, *views_, executor, clock, random, options);
  }

  Status start() {
    projector_ = projector::Projector::make(*core_.ledger, *core_.vault, *views_, {});
    core_.ledger->subscribe(*projector_);
    SIEGEL_CHECK(core_.ledger->start());
    SIEGEL_TRY(receipt, service_->begin_job(JobFacts::Kind::projector));
    SIEGEL_CHECK(projector_->start(std::move(receipt)));
    projecting_ = true;
    return service_->start();
  }

  Core core_;
  std::unique_ptr<Store> views_store_;
  MemoryStore no_views_{views::families().size()};
  std::unique_ptr<views::Views> views_;
  std::unique_ptr<projector::Projector> projector_;
  std::shared_ptr<service::Service> service_;
  bool projecting_ = false;
  bool writable_ = false;
};

}  // namespace

Result<std::unique_ptr<Instance>> Instance::open(const std::filesystem::path& data, const Config& config,
                                                 service::Executor& executor, Clock& clock, Random& random,
                                                 ledger::Tail& watcher, GroupHook on_group) {
  auto instance = std::make_unique<OpenedInstance>();
  SIEGEL_CHECK(instance->open(data, config, executor, clock, random, watcher, std::move(on_group)));
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace siegel::app
