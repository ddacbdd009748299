// What is decided in one group: a use that was permitted when it was prepared meets the withdrawal that stands before
// it.
#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <vector>

#include "support/service_kit.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::service;

namespace {

// Stands before the store: holds the writer in the middle of a group, and remembers with which event each group began.
class Held {
 public:
  explicit Held(ServiceKit& world) : world_(world) {
    world_.close();
    world_.world.before_write = [this](const Batch& batch, Sync) -> Status {
      std::unique_lock lock(mutex_);
      for (std::size_t i = 0; i < batch.count(); ++i)
        if (batch.entry(i).family == Family(0) && batch.entry(i).key.size() == 8)
          firsts_.push_back(get_be<std::uint64_t>(batch.entry(i).key.data()));
      waiting_ = holds_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !holds_; });
      return Done{};
    };
    world_.open();
    world_.catch_up();
  }
  ~Held() {  // the service's end writes through this
    {
      const std::lock_guard lock(mutex_);
      holds_ = false;
      changed_.notify_all();
    }
    world_.close();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  // Until release() the writer stands still, busy with a change that this makes.
  void hold() {
    {
      const std::lock_guard lock(mutex_);
      holds_ = true;
    }
    busy_ = world_.begin(world_.editor, ServiceKit::thing("keeps the writer busy"));
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20), [this] { return waiting_; }));
    queued_ = world_.ledger->queued();
  }
  // Prepared, and in the queue behind those before it.
  std::future<ServiceKit::Outcome> queue(const Caller& caller, Write command) {
    auto outcome = world_.begin(caller, std::move(command));
    ++queued_;
    world_.until([&] { return world_.ledger->queued() >= queued_; });
    return outcome;
  }
  void release() {
    {
      const std::lock_guard lock(mutex_);
      holds_ = false;
      changed_.notify_all();
    }
    CHECK(busy_.get());
  }
  std::uint64_t group_of(Seq seq) {
    const std::lock_guard lock(mutex_);
    return *std::prev(std::upper_bound(firsts_.begin(), firsts_.end(), seq.get()));
  }

 private:
  ServiceKit& world_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool holds_ = false, waiting_ = false;
  std::vector<std::uint64_t> firsts_;
  std::size_t queued_ = 0;
  std::future<ServiceKit::Outcome> busy_;
};

}  // namespace

TEST_CASE("a use behind the withdrawal of its permission is refused, in one group with a use before it",
          "[unit][service]") {
  ServiceKit world;
  world.set_up();
  const auto clerk = world.token(Role::editor);
  const auto record = *world.write(world.editor, ServiceKit::person("Ute", "ute@example.net"))->record;
  PurposeDefinition narrow;
  narrow.name = "care";
  narrow.legal_ground = LegalGround::contract;
  narrow.title = {{"de", "Betreuung"}};
  narrow.fields_limited = true;
  narrow.fields["people"] = {"e-mail"};
  const bool by_token = GENERATE(true, false);
  const auto use = [&](const char* city) {
    ChangeRecord change;
    change.record = record;
    change.values.push_back(ServiceKit::value("city", city));
    return change;
  };
  Held held(world);
  held.hold();
  auto before = held.queue(clerk, use("Jena"));
  auto withdrawal =
      by_token ? held.queue(world.admin, RevokeToken{clerk.token}) : held.queue(world.admin, SetPurpose{narrow});
  auto behind = held.queue(clerk, use("Weimar"));
  held.release();

  const auto used = before.get(), withdrawn = withdrawal.get(), refused = behind.get();
  REQUIRE(used);
  REQUIRE(withdrawn);
  REQUIRE(!refused);
  CHECK(refused.error().is(by_token ? "token_wrong" : "field_denied"));
  CHECK(used->seq < withdrawn->seq);
  CHECK(held.group_of(used->seq) == held.group_of(withdrawn->seq));
}
