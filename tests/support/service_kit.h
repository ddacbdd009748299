// The whole service without doors: ledger, vault, read models and projector on disks in memory, tokens of each role and
// a few registries. Closed and opened again it is a restart.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/workers.h"
#include "base/guarded.h"
#include "crypto/random.h"
#include "projector/projector.h"
#include "service/service.h"
#include "support/held_store.h"
#include "support/ledger_world.h"
#include "vault/vault.h"
#include "views/views.h"

namespace siegel::test {

// Shows a wall clock that can be set beside a steady one that goes on.
class WallClock final : public Clock {
 public:
  explicit WallClock(Clock& clock) : clock_(clock) {}
  TimeMs now() override {
    interrupt_now();
    run_meanwhile();
    return TimeMs(clock_.now().get() + skew_ms_.load());
  }
  std::chrono::nanoseconds steady() override { return clock_.steady(); }
  void set_skew(std::uint64_t ms) { skew_ms_ = ms; }
  // Runs f within each call of now(), by any thread but not within f itself, until it is told something else.
  void meanwhile(std::function<void()> f) {
    meanwhile_.with([&](auto& now) { now = std::move(f); });
  }
  // Runs f within the nth call of now() that this thread makes from here on: in the middle of what it does next.
  void interrupt(unsigned nth, std::function<void()> f) {
    calls_left_ = nth;
    interruption_ = std::move(f);
    interrupted_ = std::this_thread::get_id();
  }

 private:
  void interrupt_now() {
    if (interrupted_.load() != std::this_thread::get_id() || --calls_left_ > 0) return;
    interrupted_ = std::thread::id();
    std::exchange(interruption_, nullptr)();
  }

  void run_meanwhile() {
    static thread_local bool inside = false;
    if (inside) return;
    const auto f = meanwhile_.with([](const auto& now) { return now; });
    if (!f) return;
    inside = true;
    f();
    inside = false;
  }

  Clock& clock_;
  std::atomic<std::uint64_t> skew_ms_{0};
  Guarded<std::function<void()>> meanwhile_;
  std::atomic<std::thread::id> interrupted_{};  // the two below are this thread's
  unsigned calls_left_ = 0;
  std::function<void()> interruption_;
};

class ServiceKit {
 public:
  using Outcome = Result<service::Written>;

  // terms_every: how often the service looks for what ends by itself. root_members: of the root store, a mirror if more
  // than one. key_replicas: on replica_disk.
  explicit ServiceKit(std::uint64_t seed = 1, std::chrono::milliseconds terms_every = std::chrono::hours(1),
                      std::size_t root_members = 1, std::size_t key_replicas = 0);
  ServiceKit(const ServiceKit&) = delete;
  ServiceKit& operator=(const ServiceKit&) = delete;
  ~ServiceKit();

  void open();
  void close();
  void adopt();  // between the two: what `siegel lock adopt` does with the keys
  // Makes tokens (admin, editor, officer), a purpose "care" (contract), a class "customer", a type "people" (identity:
  // e-mail; name, e-mail, city in "customer") and a type "things" that concerns nobody (label).
  void set_up();
  void catch_up();  // until the read models show all that is durable

  // A copy of the caller goes with each command; the answer is waited for.
  Outcome write(const service::Caller& caller, service::Write command, service::WriteOptions options = {});
  std::future<Outcome> begin(const service::Caller& caller, service::Write command, service::WriteOptions options = {});
  service::Caller token(Role role, bool all_purposes = true);  // made by the admin

  // Made-up commands.
  static service::AddRecord person(const std::string& name, const std::string& email);
  static service::AddRecord thing(const std::string& label);
  static service::NamedValue value(std::string field, std::string text);
  // Waits for an answer of a query: answer<service::RecordAnswer>([&](auto then) { world.service->read_record(…, then);
  // })
  template <class T, class F>
  static Result<T> answer(F&& ask) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    ask([promise](Result<T> outcome) { promise->set_value(std::move(outcome)); });
    return future.get();
  }
  void until(const std::function<bool()>& reached);  // fails the test after a minute
  static std::string root_path(std::size_t member);
  // Whether these bytes stand in any row of the ledger or the read models.
  bool holds(ByteView needle);

  LedgerWorld world;
  CrashDisk replica_disk;
  std::chrono::milliseconds replica_wait = vault::Options().replica_wait;  // from the next open() on
  WallClock wall{world.clock};
  SystemRandom random;
  service::Options service_options;      // from the next open() on
  std::size_t passed_over_max = 10'000;  // rows, of a list, from the next open() on
  std::uint64_t given_up = 0;            // leaves, by adopt()
  service::Caller admin, editor, officer;
  std::unique_ptr<vault::RootStore> root;
  std::unique_ptr<vault::Vault> vault;
  HeldStore views_store;
  std::unique_ptr<views::Views> views;
  std::unique_ptr<ledger::Ledger> ledger;
  std::unique_ptr<projector::Projector> projector;
  std::unique_ptr<service::Service> service;

 private:
  vault::Options vault_options();

  std::size_t key_replicas_;
  std::unique_ptr<app::Workers> workers_;
};

}  // namespace siegel::test
