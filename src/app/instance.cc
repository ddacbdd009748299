#include "app/instance.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "app/report.h"
#include "app/room.h"
#include "app/stores.h"
#include "codec/header_codec.h"
#include "projector/projector.h"
#include "store/memory_store.h"
#include "views/wait.h"

namespace siegel::app {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};
constexpr std::chrono::seconds kTellEvery{5};
constexpr std::uint64_t kWorthTelling = 1000;  // events that the read models are behind

Status start_ended() {
  return Error(Errc::unavailable, "start_ended", "The start was ended before the read models had caught up.");
}

// The executor, and what was given to it and is not done yet: work that may use every store.
class Errands final : public service::Executor {
 public:
  explicit Errands(service::Executor& executor) : executor_(executor) {}
  void post(std::function<void()> work) override {
    open_.with([](std::size_t& open) { ++open; });
    executor_.post([this, work = std::move(work)]() mutable {
      work();
      work = nullptr;  // with what it holds
      open_.with([&](std::size_t& open) {
        --open;
        open_.notify_all();
      });
    });
  }
  void wait_for_all() {
    open_.when([](const std::size_t& open) { return open == 0; }, [](const std::size_t&) {});
  }

 private:
  service::Executor& executor_;
  Guarded<std::size_t> open_{std::size_t{0}};
};

class OpenedInstance final : public Instance {
 public:
  explicit OpenedInstance(service::Executor& executor) : errands_(executor) {}
  ~OpenedInstance() override { close(); }

  Status open(const std::filesystem::path& data, const Config& config, Clock& clock, Random& random,
              ledger::Tail& watcher, const GroupHook& on_group, const StartWatch& watch) {
    SIEGEL_TRY(places, read_places(data));
    SIEGEL_CHECK(check_room_to_open(places));
    SIEGEL_CHECK(core_.open(data, config, clock, random));
    writable_ = core_.ledger->read_only().empty();
    if (watch.views_in_doubt && writable_ && views_are_damaged(core_.places)) return views_damaged_error();
    SIEGEL_CHECK(open_read_models());
    make_service(config, clock, random, watch);
    if (!writable_) return service_->start();
    core_.ledger->subscribe(watcher);
    core_.ledger->on_group = on_group;
    return start(watch);
  }

  std::shared_ptr<service::Service> service() override { return lent_; }
  bool opened_writable() const override { return writable_; }
  std::vector<ledger::Reason> read_only() override { return service_->read_only(); }
  ledger::Ledger& ledger() override { return *core_.ledger; }
  vault::Vault& vault() override { return *core_.vault; }
  views::Views& views() override { return *views_; }
  Status look_at_views() const override { return writable_ && views_store_ ? views_store_->look() : Status(Done{}); }
  std::string verifier_key() const override { return core_.signer->verifier_key(); }
  Status projector_status() const override { return projecting_ ? projector_->status() : Status(Done{}); }
  TimeMs newest() const override {
    const auto size = core_.ledger->size();
    const auto stored = size.get() == 0 ? Result<ledger::StoredEvent>(Error(Errc::not_found, "event_missing", "None."))
                                        : core_.ledger->read(Seq(size.get() - 1));
    const auto header = stored ? codec::decode_header(stored->header) : Result<Header>(Error(stored.error()));
    return header ? header->time : TimeMs(0);
  }

  std::uint64_t lock_record_behind() const override {
    if (!core_.ledger) return behind_at_end_;
    if (!writable_) return 0;
    const auto size = core_.ledger->size().get();
    return size - std::min(size, core_.ledger->counters().lock_record_size);
  }

  void close() override {
    close_stores();
    core_.lock.reset();
  }

  // After an open() that failed: if damaged read models are why, they go, and what comes next holds the lock on.
  Result<bool> give_up_views(const Error& why) {
    const bool were_open = views_store_ != nullptr;
    close_stores();
    if (!writable_ || why.category() != Errc::corrupt) return false;
    if (!why.is("views_damaged") && !(were_open && views_are_damaged(core_.places))) return false;
    SIEGEL_CHECK(app::give_up_views(core_.places));
    return true;
  }
  void take_lock_of(OpenedInstance& other) { core_.lock = std::move(other.core_.lock); }

 private:
  void close_stores() {
    if (service_) service_->stop();
    if (service_ && projector_ && projecting_) service_->end_job(JobFacts::Kind::projector, core_.ledger->size().get());
    if (core_.ledger) core_.ledger->close();  // drains: every tail has its groups
    if (core_.ledger) behind_at_end_ = lock_record_behind();
    if (projector_ && projecting_) projector_->stop();
    if (views_) views_->end_waiting();
    take_back();
    if (core_.vault) core_.vault->close();
    service_.reset();
    projector_.reset();
    views_.reset();
    views_store_.reset();
    core_.close_stores();
  }

  // Calls in flight hold the service, work of the executor need not; one may bring forth the other. Ledger and read
  // models refuse or answer whatever comes by now, so both come to an end. Who kept a weak pointer, as a live stream
  // does, gets nobody any more: what is lent has a count of its own.
  void take_back() {
    const std::weak_ptr<service::Service> lent = std::exchange(lent_, nullptr);
    for (;;) {
      const bool back = lent.expired();
      errands_.wait_for_all();
      if (back) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  Status open_read_models() {
    auto opened = open_generation();
    const bool useless = !opened && (opened.error().is("views_ahead") || opened.error().is("views_damaged"));
    if (!useless || writable_) return opened;
    // A ledger that lost its tail is behind its read models too, and it is the lock record that says what is wrong.
    // They are of no use until the tail is back: registries come from the ledger.
    views_ = std::make_unique<views::Views>(no_views_);
    return Done{};
  }

  Status open_generation() {
    SIEGEL_TRY(generation, views_generation(core_.places));
    SIEGEL_TRY(store, open_views(core_.places, generation));
    SIEGEL_CHECK(set_views_generation(core_.places, generation));
    views_store_ = std::move(store);
    views_ = std::make_unique<views::Views>(*views_store_);
    auto loaded = views_->load_position();
    if (!loaded && loaded.error().category() == Errc::corrupt) return views_damaged_error();
    SIEGEL_TRY(position, std::move(loaded));
    if (position > core_.ledger->size())
      return Error(Errc::corrupt, "views_ahead",
                   "The read models show more than the ledger holds: run `siegel rebuild`.")
          .with("views", position)
          .with("ledger", core_.ledger->size());
    views_->advance(position);
    return Done{};
  }

  void make_service(const Config& config, Clock& clock, Random& random, const StartWatch& watch) {
    service::Options options;
    options.origin = core_.signer->origin();
    options.id = core_.id;
    options.timezone = config.timezone;
    options.event_bytes_max = config.event_bytes_max;
    options.erase_window = std::chrono::milliseconds(config.erase_window_ms);
    options.idempotency_days = static_cast<unsigned>(config.idempotency_days);
    options.search_bytes_max = config.search_bytes_max;
    options.search_results_max = config.search_results_max;
    options.subjects_per_event_max = config.subjects_per_event_max;
    auto& imports = options.imports;
    imports.upload_bytes_max = config.upload_bytes_max;
    imports.preview_bytes_max = 2 * config.upload_bytes_max;
    imports.rows_max = config.rows_max;
    imports.columns_max = config.columns_max;
    imports.cell_bytes_max = config.cell_bytes_max;
    imports.unpacked_bytes_max = config.sheet_unpacked_bytes_max;
    imports.preview_time = std::chrono::minutes(config.preview_minutes);
    imports.previews_max = config.previews_max;
    imports.previews_per_token_max = (config.previews_max + 1) / 2;
    options.root_store_kind = core_.root->kind();
    options.verifier_key = core_.signer->verifier_key();
    options.views_status = [this, stop = watch.stop] { return stop && stop() ? start_ended() : projector_status(); };
    options.room_is_short = [room = std::make_shared<Room>(core_.places.data)] { return room->is_short(); };
    service_ = service::Service::make(*core_.ledger, *core_.vault, *views_, errands_, clock, random, options);
    lent_ = std::shared_ptr<service::Service>(service_.get(), [](service::Service*) {});
  }

  Status start(const StartWatch& watch) {
    projector_ = projector::Projector::make(*core_.ledger, *core_.vault, *views_, {.follower = &service_->follower()});
    core_.ledger->subscribe(*projector_);
    SIEGEL_CHECK(core_.ledger->start());
    SIEGEL_TRY(receipt, service_->begin_job(JobFacts::Kind::projector));
    SIEGEL_CHECK(projector_->start(std::move(receipt)));
    projecting_ = true;
    SIEGEL_CHECK(catch_up(watch));
    return service_->start();
  }

  Status catch_up(const StartWatch& watch) {
    const auto size = core_.ledger->size();
    auto tell_at = std::chrono::steady_clock::now();
    if (size.get() - views_->position().get() < kWorthTelling) tell_at += kTellEvery;
    for (;;) {
      if (watch.stop && watch.stop()) return start_ended();
      if (views_->position() >= size) return Done{};
      // Also what may pass, such as no room on the disk: nobody could tell that this start waits for it.
      SIEGEL_CHECK(projector_->status());
      if (watch.progress && std::chrono::steady_clock::now() >= tell_at) {
        watch.progress(views_->position().get(), size.get());
        tell_at = std::chrono::steady_clock::now() + kTellEvery;
      }
      (void)views::wait_until_shown(*views_, size, kLookEvery);
    }
  }

  Errands errands_;  // first, so that it goes last
  Core core_;
  std::unique_ptr<Store> views_store_;
  MemoryStore no_views_{views::families().size()};
  std::unique_ptr<views::Views> views_;
  std::unique_ptr<projector::Projector> projector_;
  std::unique_ptr<service::Service> service_;
  std::shared_ptr<service::Service> lent_;  // what others hold: does not own it, counts who has it
  bool projecting_ = false;
  bool writable_ = false;
  std::uint64_t behind_at_end_ = 0;
};

}  // namespace

Result<std::unique_ptr<Instance>> Instance::open(const std::filesystem::path& data, const Config& config,
                                                 service::Executor& executor, Clock& clock, Random& random,
                                                 ledger::Tail& watcher, const GroupHook& on_group,
                                                 const StartWatch& watch) {
  auto instance = std::make_unique<OpenedInstance>(executor);
  auto opened = instance->open(data, config, clock, random, watcher, on_group, watch);
  if (!opened && watch.views_given_up) {
    SIEGEL_TRY(given_up, instance->give_up_views(opened.error()));
    if (given_up) {
      watch.views_given_up();
      auto next = std::make_unique<OpenedInstance>(executor);
      next->take_lock_of(*instance);
      instance = std::move(next);
      opened = instance->open(data, config, clock, random, watcher, on_group, watch);
    }
  }
  if (!opened) return cause_of(opened.error());
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace siegel::app
