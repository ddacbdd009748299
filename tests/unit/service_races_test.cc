// What happens between the worker and the writer, and when a step of an erasure fails: each at its moment, not by
// chance.
#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "codec/header_codec.h"
#include "codec/parts.h"
#include "model/definitions.h"
#include "service/impl.h"
#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

constexpr std::uint64_t kDay = 86'400'000;
constexpr auto kSoon = std::chrono::seconds(20);

struct Told {
  Header header;
  std::vector<StoredPart> parts;
};
std::vector<Told> events(const ledger::Ledger& ledger) {
  std::vector<Told> out;
  const auto cursor = must(ledger.cursor(Seq(0)));
  Seq seq;
  ByteView header, parts;
  while (must(cursor->next(seq, header, parts)))
    out.push_back({must(codec::decode_header(header)), must(codec::decode_parts(parts))});
  return out;
}

// The epochs in the ledger, in its order.
std::vector<ErasureEffectiveFacts> epochs(const ledger::Ledger& ledger) {
  std::vector<ErasureEffectiveFacts> out;
  for (const auto& event : events(ledger))
    if (const auto* facts = std::get_if<ErasureEffectiveFacts>(&event.header.facts)) out.push_back(*facts);
  return out;
}

// Keys.md 3: they count the parts of one leaf from 0.
void check_numbers(const ledger::Ledger& ledger) {
  std::map<Slot, std::vector<std::uint64_t>> numbers;
  for (const auto& event : events(ledger))
    for (const auto& part : event.parts) numbers[part.envelope.slot].push_back(part.envelope.number);
  for (const auto& [slot, of_leaf] : numbers)
    for (std::size_t i = 0; i < of_leaf.size(); ++i) CHECK(of_leaf[i] == i);
}

// A command that is overtaken between the worker, who sealed its part, and the writer. Nothing of it is written.
class OvertakenTask final : public service::Task {
 public:
  using Placed = service::Impl::Placed;
  OvertakenTask(service::Impl& service, const SubjectId& subject, ClassNo cls, std::function<void()> meanwhile)
      : Task(service, {}), owner_(owner_of(subject)), cls_(cls), meanwhile_(std::move(meanwhile)) {}
  std::future<Placed> placed() { return placed_.get_future(); }
  // The part is about a person whom the command itself brings, as an addition's is.
  void bring(const SubjectId& subject) { fresh = subject; }

 private:
  Status prepare() override {
    SIEGEL_CHECK(know(owner_));
    SIEGEL_CHECK(know(owner_of_ledger()));
    SIEGEL_TRY(entry, s.look(owner_, owners[owner_]));
    SIEGEL_TRY(draft, s.system_draft(EventType::record_changed));
    SIEGEL_TRY(slot, s.leaf_for(entry, cls_));
    SIEGEL_CHECK(s.add_part(draft, slot, cls_, fresh ? owner_of(*fresh) : owner_, as_bytes("late")));
    drafts.push_back(std::move(draft));
    meanwhile_();
    return Done{};
  }
  Decision decide(const ledger::Moment&) override {
    placed_.set_value(s.look_for_places(drafts, owners, fresh).outcome);
    return Error(Errc::conflict, "enough", "The test knows what it wanted to know.");
  }
  void committed(ledger::Committed&&) override {}
  void failed(const Error&) override {}
  EventType wanted() const override { return EventType::record_changed; }

  OwnerId owner_;
  ClassNo cls_;
  std::function<void()> meanwhile_;
  std::promise<Placed> placed_;
};

}  // namespace

TEST_CASE("ER-04 a part sealed under a leaf that died before the writer saw it is sealed again",
          "[unit][service][ER-04]") {
  ContactsWorld w(1);
  const auto person = must(w.add("Dora Beispiel"));
  must(w.add("DE00 1234", person.subject, {}, "account"));
  const auto customer = ClassNo(w.service->registries()->cls("customer")->number);
  const auto owner = owner_of(*person.subject);
  const bool overtaken = GENERATE(true, false);
  auto task = std::make_shared<OvertakenTask>(static_cast<service::Impl&>(*w.service), *person.subject, customer, [&] {
    if (!overtaken) return;
    must(w.erase(*person.subject, {"customer"}));
    w.catch_up();
    // Another command looks at the person: from here on the decision state knows the leaves that are left.
    must(w.add("DE00 5678", person.subject, {}, "account"));
    const auto known = static_cast<service::Impl&>(*w.service).state.find_owner(owner);
    REQUIRE(known);
    REQUIRE(known->leaf(customer) == nullptr);
  });
  auto placed = task->placed();
  static_cast<service::Impl&>(*w.service).submit(task);
  CHECK(placed.get() == (overtaken ? OvertakenTask::Placed::again : OvertakenTask::Placed::yes));
}

TEST_CASE("a person whose addition is sent back leaves nothing in the decision state", "[unit][service]") {
  ContactsWorld w(8);
  const auto other = must(w.add("Dora Beispiel"));
  const auto customer = ClassNo(w.service->registries()->cls("customer")->number);
  auto& service = static_cast<service::Impl&>(*w.service);
  const SubjectId brought(new_id(w.wall, w.random));
  auto task = std::make_shared<OvertakenTask>(service, *other.subject, customer, [&] {
    must(w.erase(*other.subject));  // the leaf of the part is dead before the writer sees it
    w.catch_up();
  });
  task->bring(brought);
  auto placed = task->placed();
  service.submit(task);
  CHECK(placed.get() == OvertakenTask::Placed::again);
  CHECK_FALSE(service.state.find_owner(owner_of(brought)));
}

TEST_CASE("a fence that cannot be written leaves no gap in the running numbers of any leaf", "[unit][service]") {
  ContactsWorld w(2);
  const auto person = must(w.add("Emil Beispiel"));
  w.world.disk.plan({.space_bytes = 0});
  const auto refused = w.erase(*person.subject);
  CHECK_FALSE(refused);
  CHECK(w.read(*person.record));
  w.world.disk.plan({});
  CHECK(must(w.erase(*person.subject)).kind == service::Written::Kind::erasure_effective);

  check_numbers(*w.ledger);
}

TEST_CASE("EV-03 a retry across midnight has one effect while both are on their way", "[unit][service][EV-03]") {
  ContactsWorld w(3);
  service::Written after_midnight;
  // In add_record: first the key of the day, then the permit.
  w.wall.interrupt(2, [&] {
    w.world.clock.advance(kDay);
    after_midnight = must(w.add("Änne Beispiel", {}, "key-1"));
  });
  const auto before_midnight = must(w.add("Änne Beispiel", {}, "key-1"));
  CHECK_FALSE(after_midnight.replayed);
  CHECK(before_midnight.replayed);
  CHECK(before_midnight.record == after_midnight.record);
  CHECK(before_midnight.seq == after_midnight.seq);

  w.wall.interrupt(2, [&] {
    w.world.clock.advance(kDay);
    must(w.add("Bert Beispiel", {}, "key-2"));
  });
  auto other = w.person("Bert", "bert@example.net");
  service::WriteOptions options;
  options.idempotency_key = "key-2";
  options.request = "another";
  CHECK(code(w.write(w.editor, other, options)) == "idempotency_conflict");
  w.catch_up();
  CHECK(must(w.add("Änne Beispiel", {}, "key-1")).record == before_midnight.record);
}

TEST_CASE("ER-03 an epoch that waited for a member of the mirror is told once, and before the next one",
          "[unit][service][ER-03]") {
  ContactsWorld w(4, std::chrono::hours(1), 2);
  const auto first = must(w.add("Änne Beispiel"));
  const auto second = must(w.add("Bert Beispiel"));
  const auto stays = must(w.add("Cleo Beispiel"));
  const auto away = w.root_path(1);
  const auto content = w.world.disk.content(away);
  w.vault->on_step = [&, once = true](int step) mutable {
    if (step == 42 && std::exchange(once, false)) w.world.disk.remove(away);  // the old root cannot be destroyed there
  };
  CHECK(must(w.erase(*first.subject)).kind == service::Written::Kind::erasure_requested);
  CHECK(must(w.erase(*second.subject)).kind == service::Written::Kind::erasure_requested);
  CHECK(epochs(*w.ledger).empty());
  CHECK(w.service->status().erasures_open == 2);
  const bool restarted = GENERATE(false, true);
  if (restarted) {
    w.close();
    w.open();
  }
  REQUIRE(w.world.files->write_file_durably(away, as_bytes(content), 0600));
  w.until([&] { return epochs(*w.ledger).size() == 2; });
  w.until([&] { return w.vault->untold().empty() && w.service->status().erasures_open == 0; });
  const auto told = epochs(*w.ledger);
  REQUIRE(told.size() == 2);
  CHECK(told[0].old_epoch == 1);
  CHECK(told[0].new_epoch == 2);
  CHECK(told[0].requests.size() == 1);
  CHECK(told[1].old_epoch == 2);
  CHECK(told[1].new_epoch == 3);
  CHECK(told[1].requests.size() == 1);
  CHECK(told[0].requests != told[1].requests);
  w.catch_up();
  for (const auto* gone : {&first, &second}) {
    CHECK(code(w.read(*gone->record)) == "erased");
    CHECK(must(w.erase(*gone->subject)).kind == service::Written::Kind::erasure_effective);
  }
  CHECK(w.read(*stays.record));
}

TEST_CASE("whoever waits for an erasure hears why an earlier epoch cannot be told", "[unit][service]") {
  ContactsWorld w(5);
  const auto first = must(w.add("Änne Beispiel"));
  const auto second = must(w.add("Bert Beispiel"));
  std::future<ServiceKit::Outcome> waiting;
  w.vault->on_step = [&](int step) {
    if (step == 0 && !waiting.valid()) {  // the next one comes while the first is on its way
      waiting = w.begin(w.officer, service::RequestErasure{{*second.subject}, {}, "art17-1-b", true});
      w.until([&] { return w.service->status().erasures_open == 2; });
    }
    if (step == 43) w.world.disk.plan({.space_bytes = 0});  // the vault cannot forget what is told
  };
  CHECK(must(w.erase(*first.subject)).kind == service::Written::Kind::erasure_effective);
  REQUIRE(waiting.wait_for(kSoon) == std::future_status::ready);
  const auto refused = waiting.get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().category() == Errc::unavailable);
  CHECK(w.service->counters().erasure_failure == service::ErasureFailure{"disk_full", true});
  CHECK(w.service->status().erasures_open == 1);
  w.catch_up();
  CHECK(code(w.read(*second.record)) == "erased");  // fenced already

  w.vault->on_step = nullptr;
  w.world.disk.plan({});
  w.until([&] { return w.service->status().erasures_open == 0; });
  CHECK(epochs(*w.ledger).size() == 2);
}

TEST_CASE("a start without the replica of the keys: what has its key goes on, the rest waits for the replica",
          "[unit][service]") {
  ContactsWorld w(6, std::chrono::hours(1), 1, 1);
  const auto known = must(w.add("Änne Beispiel"));
  must(w.read(*known.record));
  w.catch_up();
  w.close();
  // The read models are made anew: at the start they show nothing of the ledger's own leaves yet.
  const bool views_lost = GENERATE(false, true);
  if (views_lost) w.views_store = MemoryStore(views::families().size());
  w.replica_disk.plan({.space_bytes = 0});
  w.open();
  CHECK(w.vault->counters().replicas_away == 1);
  CHECK(w.read(*known.record));
  CHECK(code(w.add("Bert Beispiel")) == "keys_replica_unavailable");
  CHECK(must(w.add("Änne Neu", known.subject)).subject == known.subject);
  CHECK(code(w.erase(*known.subject)) == "keys_replica_unavailable");  // its notice has a key of its own

  w.replica_disk.plan({});
  w.until([&] { return w.add("Bert Beispiel").has_value(); });
  CHECK(must(w.erase(*known.subject)).kind == service::Written::Kind::erasure_effective);
  w.catch_up();
  CHECK(code(w.read(*known.record)) == "erased");
  check_numbers(*w.ledger);
}

TEST_CASE("an erasure while a replica of the keys hangs stops nobody, and ends when it answers again",
          "[unit][service]") {
  ContactsWorld w(8, std::chrono::hours(1), 1, 1);
  const auto doomed = must(w.add("Änne Beispiel"));
  const auto stays = must(w.add("Bert Beispiel"));
  w.catch_up();
  w.close();
  w.replica_wait = std::chrono::milliseconds(300);
  w.open();
  w.until([&] { return w.vault->counters().replicas_away == 0 && w.vault->counters().pool > 0; });
  {
    const Hanging hanging(w.replica_disk);
    auto erased = w.begin(w.officer, service::RequestErasure{{*doomed.subject}, {}, "art17-1-b", true});
    service::ChangeRecord change;
    change.record = *stays.record;
    change.values.push_back(w.value("name", "Bert Neu"));
    auto changed = w.begin(w.editor, std::move(change));
    REQUIRE(changed.wait_for(kSoon) == std::future_status::ready);
    must(changed.get());
    REQUIRE(erased.wait_for(kSoon) == std::future_status::ready);
    CHECK(must(erased.get()).kind == service::Written::Kind::erasure_requested);
    CHECK(w.vault->counters().replicas_away == 1);
    CHECK(w.service->status().erasures_open == 1);
    CHECK(epochs(*w.ledger).empty());
    w.catch_up();
    CHECK(code(w.read(*doomed.record)) == "erased");
    CHECK(w.read(*stays.record));
  }
  w.until([&] { return w.service->status().erasures_open == 0; });
  CHECK(epochs(*w.ledger).size() == 1);
  CHECK(must(w.erase(*doomed.subject)).kind == service::Written::Kind::erasure_effective);
  w.until([&] { return w.add("Cleo Beispiel").has_value(); });
  check_numbers(*w.ledger);
}

TEST_CASE("a member of the root mirror that is damaged under way is written anew by the next erasure",
          "[unit][service]") {
  ContactsWorld w(9, std::chrono::hours(1), 2);
  const auto first = must(w.add("Änne Beispiel"));
  const auto second = must(w.add("Bert Beispiel"));
  const auto path = w.root_path(1);
  for (const auto offset : {100, 4096 + 100}) REQUIRE(w.world.disk.flip(path, static_cast<std::uint64_t>(offset)));
  CHECK(must(w.erase(*first.subject)).kind == service::Written::Kind::erasure_effective);
  CHECK(w.vault->counters().roots_healed == 1);

  const auto content = w.world.disk.content(path);
  w.world.disk.remove(path);
  CHECK(must(w.erase(*second.subject)).kind == service::Written::Kind::erasure_requested);
  CHECK(w.vault->counters().roots_away == 1);
  REQUIRE(w.world.files->write_file_durably(path, as_bytes(content), 0600));
  w.until([&] { return w.service->status().erasures_open == 0 && w.vault->counters().roots_away == 0; });
  CHECK(epochs(*w.ledger).size() == 2);
}

TEST_CASE("an erasure that fails says of what, is tried again, and says no more", "[unit][service]") {
  ContactsWorld w(10);
  w.service_options.erase_retry = std::chrono::milliseconds(20);
  w.close();
  w.open();
  w.until([&] { return w.service->status().search_ready; });
  const auto doomed = must(w.add("Änne Beispiel"));
  const auto stays = must(w.add("Bert Beispiel"));
  CHECK(w.service->counters().erasure_failure.code.empty());
  std::atomic<int> tries{0};
  std::promise<void> go_on;
  auto may_go_on = go_on.get_future().share();
  w.vault->on_step = [&](int step) {
    if (step == 1 && tries.load() > 0) {
      CHECK(w.service->counters().erasure_failure.code == "keys_damaged");  // stands until a try has succeeded
      may_go_on.wait();                                                     // so that it is seen before the next one
    }
    // keys.md 5, 4b: the new root node is not what was written.
    if (step != 41 || tries.fetch_add(1) > 0) return;
    const std::string name = {'\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\x02'};
    for (const auto& path : w.world.disk.paths("/keys/")) {
      if (!path.ends_with(".log")) continue;
      const auto at = w.world.disk.content(path).find(name);
      if (at != std::string::npos) CHECK(w.world.disk.flip(path, at + 200));
    }
  };
  const auto outcome = must(w.erase(*doomed.subject));
  CHECK(outcome.kind == service::Written::Kind::erasure_requested);
  w.until([&] { return !w.service->counters().erasure_failure.code.empty(); });
  CHECK(w.service->counters().erasure_failure == service::ErasureFailure{"keys_damaged", false});
  CHECK(w.vault->counters().erasures_aborted == 1);
  CHECK(code(w.read(*doomed.record)) == "erased");
  CHECK(w.read(*stays.record));
  go_on.set_value();
  w.until([&] { return w.service->status().erasures_open == 0 && w.service->counters().erasure_failure.code.empty(); });
  CHECK(w.read(*stays.record));
  w.vault->on_step = nullptr;
}

TEST_CASE("a removal or a new identity that changes overtake again and again has its turn", "[unit][service]") {
  constexpr int kChangesMax = 60;
  std::atomic<int> begun{0};
  Guarded<std::vector<std::future<ServiceKit::Outcome>>> changes;
  ContactsWorld w(7);
  const bool removes = GENERATE(true, false);
  const auto first =
      removes ? must(w.add("Änne Beispiel")) : must(w.write(w.editor, w.person("Änne Beispiel", "a@example.net")));
  // Each time the command looks at the clock, so between its look at the record and the writer too.
  w.wall.meanwhile([&] {
    if (begun.fetch_add(1) >= kChangesMax) return;
    service::ChangeRecord change;
    change.record = *first.record;
    change.values.push_back(w.value("name", "Änne Neu"));
    auto one = w.begin(w.editor, std::move(change));
    (void)one.wait_for(std::chrono::milliseconds(100));
    changes.with([&](auto& all) { all.push_back(std::move(one)); });
  });
  service::ChangeRecord moves;
  moves.record = *first.record;
  moves.values.push_back(w.value("e-mail", "b@example.net"));
  const auto late = removes ? w.write(w.editor, service::RemoveRecord{*first.record}) : w.write(w.editor, moves);
  w.wall.meanwhile(nullptr);
  CHECK(must(late).kind == (removes ? service::Written::Kind::removed : service::Written::Kind::changed));
  std::size_t written = 0;
  for (auto& change : changes.with([](auto& all) { return std::move(all); })) {
    const auto outcome = change.get();
    written += outcome ? 1 : 0;
    if (!outcome) CHECK(code(outcome) == "not_found");
  }
  CHECK(written > 0);
}

TEST_CASE("a change of the identity counts with the change before it, which the read models do not show yet",
          "[unit][service]") {
  ServiceKit w(11);
  w.set_up();
  const auto move_to = [&](const RecordId& record, const char* email) {
    service::ChangeRecord change;
    change.record = record;
    change.values.push_back(w.value("e-mail", email));
    return w.begin(w.editor, std::move(change));
  };
  const auto first = must(w.write(w.editor, w.person("Änne Beispiel", "aenne@example.net")));
  w.catch_up();
  std::future<ServiceKit::Outcome> second;
  {
    const HeldStore::Hold hold(w.views_store);
    CHECK_FALSE(must(move_to(*first.record, "married@example.net").get()).ambiguous);
    second = move_to(*first.record, "divorced@example.net");
    CHECK(second.wait_for(std::chrono::milliseconds(300)) == std::future_status::timeout);
  }
  CHECK_FALSE(must(second.get()).ambiguous);
  const auto other = must(w.write(w.editor, w.person("Bert Beispiel", "married@example.net")));
  CHECK(other.subject != first.subject);
  const auto again = must(w.write(w.editor, w.person("Änne Beispiel", "divorced@example.net")));
  CHECK(again.subject == first.subject);
}

TEST_CASE("a person whom the decision state forgets while a command looks for her is found in the views",
          "[unit][service]") {
  class LookTask final : public service::Task {
   public:
    LookTask(service::Impl& service, const OwnerId& owner, std::function<void()> meanwhile)
        : Task(service, {}), owner_(owner), meanwhile_(std::move(meanwhile)) {}
    std::promise<std::size_t> leaves;

   private:
    Status prepare() override {
      SIEGEL_CHECK(know(owner_));
      meanwhile_();
      SIEGEL_TRY(entry, s.look(owner_, owners[owner_]));
      leaves.set_value(entry.leaves.size());
      return Error(Errc::conflict, "enough", "The test knows what it wanted to know.");
    }
    Decision decide(const ledger::Moment&) override { return Error(Errc::conflict, "enough", "Never asked."); }
    void committed(ledger::Committed&&) override {}
    void failed(const Error&) override {}
    EventType wanted() const override { return EventType::access_read; }
    OwnerId owner_;
    std::function<void()> meanwhile_;
  };
  ContactsWorld w(1);
  auto& impl = static_cast<service::Impl&>(*w.service);
  const auto person = must(w.add("Dora Beispiel"));
  const auto owner = owner_of(*person.subject);
  auto task = std::make_shared<LookTask>(impl, owner, [&] {
    w.catch_up();
    impl.state.left_to_views(owner, person.seq, person.seq);  // as an effect does
    REQUIRE_FALSE(impl.state.find_owner(owner));
  });
  auto leaves = task->leaves.get_future();
  impl.submit(task);
  REQUIRE(leaves.wait_for(kSoon) == std::future_status::ready);
  CHECK(leaves.get() > 0);
}

TEST_CASE("whoever asks at the moment of an effect hears that the record is erased, not that there is none",
          "[unit][service]") {
  ContactsWorld w(1);
  std::mutex mutex;
  std::map<std::string, int> codes;
  std::vector<std::thread> askers;
  std::vector<std::atomic<const RecordId*>> wanted(4);
  std::atomic<bool> stop{false};
  for (auto& mine : wanted)
    askers.emplace_back([&] {
      std::map<std::string, int> heard;
      while (!stop)
        if (const auto* record = mine.load()) ++heard[code(w.read(*record))];
      const std::lock_guard lock(mutex);
      for (const auto& [code, times] : heard) codes[code] += times;
    });
  std::deque<RecordId> records;  // an asker may still be at the one before
  for (int i = 0; i < 100; ++i) {
    const auto added = must(w.add("Dora Beispiel"));
    records.push_back(*added.record);
    for (auto& mine : wanted) mine = &records.back();
    must(w.erase(*added.subject));
  }
  stop = true;
  for (auto& asker : askers) asker.join();
  CHECK_FALSE(codes.contains("not_found"));
  CHECK(codes["erased"] > 0);
}
