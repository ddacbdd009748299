// Random histories over the real ledger and vault: rows that were folded live, rebuilt, cut or interrupted are the
// same.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#include "projector/projector.h"
#include "support/catch.h"
#include "support/people.h"
#include "support/sim_store.h"
#include "views/rows.h"

namespace {

using namespace siegel;
using namespace siegel::test;
using namespace std::chrono_literals;
using projector::Projector;
using views::Rows;

constexpr auto kFamilies = static_cast<std::size_t>(Rows::count_);
const SecretKey kDigestKey(as_bytes("a fresh random key for digests ."));

std::uint64_t rounds(std::uint64_t quick) { return std::getenv("SIEGEL_LONG") != nullptr ? quick * 10 : quick; }

// The tail must be there before the ledger, the projector needs the ledger.
class LateTail final : public ledger::Tail {
 public:
  void committed(std::shared_ptr<const ledger::Group> group) noexcept override {
    if (auto* to = target.load()) to->committed(std::move(group));
  }
  std::atomic<ledger::Tail*> target = nullptr;
};

void wait_until(views::Views& views, TreeSize size, const Projector& projector) {
  std::promise<bool> shown;
  views.when(size, 30s, [&](bool reached) { shown.set_value(reached); });
  const bool reached = shown.get_future().get();
  const auto status = projector.status();
  INFO((status ? std::string() : status.error().text()));
  REQUIRE(reached);
}

std::string text_of(const Result<std::vector<Projector::Digest>>& digests) {
  REQUIRE(digests);
  std::string out;
  for (const auto& digest : *digests)
    out += digest.projection + " " + std::to_string(digest.rows) + " " + to_hex(digest.value) + "\n";
  return out;
}

std::string rebuilt_digests(People& people, const ledger::SystemReceipt& receipt) {
  MemoryStore store(kFamilies);
  views::Views views(store);
  auto projector = Projector::make(*people.ledger, *people.vault, views, {.batch_events_max = 100});
  std::uint64_t done = 0;
  const auto status = projector->rebuild(receipt, [&](std::uint64_t events) { done = events; });
  INFO((status ? std::string() : status.error().text()));
  REQUIRE(status);
  CHECK(done == people.ledger->size().get());
  return text_of(projector->digests(receipt, kDigestKey));
}

TEST_CASE("PJ-01 PJ-05 a rebuild at any time ends like live, also over erased people",
          "[property][projector][PJ-01][PJ-05]") {
  const auto seed = GENERATE(range(std::uint64_t{1}, rounds(12)));
  CAPTURE(seed);
  People people(seed);
  LateTail tail;
  people.start({&tail});
  MemoryStore store(kFamilies);
  views::Views views(store);
  // Odd seeds: a queue that holds next to nothing, so that most is read from the ledger.
  auto projector = Projector::make(*people.ledger, *people.vault, views,
                                   {.queue_bytes_max = seed % 2 == 0 ? 1u << 20 : 3000u, .batch_events_max = 50});
  tail.target = projector.get();
  REQUIRE(projector->start(people.receipt()));
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 25; ++i) people.step();
    const auto receipt = people.receipt(JobFacts::Kind::rebuild);
    wait_until(views, people.ledger->size(), *projector);
    CHECK(text_of(projector->digests(receipt, kDigestKey)) == rebuilt_digests(people, receipt));
  }
  for (const auto& mac : people.idempotency) CHECK(views.idempotency(mac).value());
  tail.target = nullptr;
  projector->stop();
  CHECK(projector->status());
}

TEST_CASE("PJ-05 nothing of an erased person is left in any row", "[property][projector][PJ-05]") {
  People people(7);
  people.start();
  std::vector<std::size_t> erased;
  for (int i = 0; i < 6; ++i) {
    const auto person = people.register_person(true);
    const auto record = people.add_record(person, 3);
    people.change_record(record);
    people.look_at({person});
    if (i % 2 == 0) erased.push_back(person);
  }
  people.erase(erased, {}, People::Until::completed);
  const auto receipt = people.receipt();
  MemoryStore store(kFamilies);
  views::Views views(store);
  auto projector = Projector::make(*people.ledger, *people.vault, views, {});
  REQUIRE(projector->rebuild(receipt, {}));
  for (std::size_t i = 0; i < people.persons.size(); ++i) {
    const auto& person = people.persons[i];
    const bool gone = i % 2 == 0;
    CAPTURE(i, gone);
    CHECK(views.records_of(person.id).value().size() == (gone ? 0 : 1));
    CHECK(views.links_of(person.id).value().size() == (gone ? 0 : 1));
    CHECK(views.erased(person.id.get()).value().has_value() == gone);
    const auto owner = views.owner(owner_of(person.id)).value();
    REQUIRE(owner);
    for (const auto& leaf : owner->leaves) CHECK((!gone || !dies_at_erasure(leaf.cls)));
    // Who looked at him, and the notice, live on.
    CHECK(views.subject_history(person.id, std::nullopt, 99).value().size() == (gone ? 2 : 5));
  }
  for (const auto& record : people.records) {
    const bool gone = *record.person % 2 == 0;
    CHECK(views.head(record.id).value().has_value() != gone);
    CHECK(views.record(kPeopleType, record.id).value().has_value() != gone);
    CHECK(views.history(record.id, std::nullopt, 9).value().size() == (gone ? 0 : 2));
    CHECK(views.erased(record.id.get()).value().has_value() == gone);
  }
  CHECK(views.list(kPeopleType, std::nullopt, 99).value().rows.size() == 3);
}

TEST_CASE("Digests differ when one value, row or key differs", "[property][projector][PJ-01]") {
  People people(3);
  people.start();
  const auto record = people.add_record(people.register_person(false), 1);
  const auto receipt = people.receipt();
  MemoryStore store(kFamilies);
  views::Views views(store);
  auto projector = Projector::make(*people.ledger, *people.vault, views, {});
  REQUIRE(projector->rebuild(receipt, {}));
  CHECK(projector->rebuild(receipt, {}).error().is("views_not_empty"));
  const auto before = text_of(projector->digests(receipt, kDigestKey));
  CHECK(before == text_of(projector->digests(receipt, kDigestKey)));
  CHECK(before != text_of(projector->digests(receipt, SecretKey(as_bytes("another key")))));
  const auto& id = people.records[record].id;
  const auto row = views.record(kPeopleType, id).value();
  REQUIRE(row);
  const auto& section = row->sections.at(0);
  const auto key = views::record_row_key(kPeopleType, id);
  // The same values under another nonce: another row on disk, the same digest.
  const auto clear = people.vault->open_row(receipt, section.slot, "records", key, section.sealed);
  REQUIRE(clear);
  const auto write = [&](ByteView body) {
    auto changed = *row;
    changed.sections[0].sealed = people.vault->seal_row(section.slot, "records", key, body).value();
    Batch batch;
    batch.put(views::family(Rows::records), key, views::encode(changed));
    REQUIRE(store.write(batch, Sync::no));
  };
  write(clear->view());
  CHECK(before == text_of(projector->digests(receipt, kDigestKey)));
  auto other = to_bytes(clear->view());
  other.back() ^= 1;
  write(other);
  CHECK(before != text_of(projector->digests(receipt, kDigestKey)));
}

TEST_CASE("PJ-02 rows cut at any write go on to the whole", "[property][projector][PJ-02]") {
  const auto seed = GENERATE(range(std::uint64_t{1}, rounds(4)));
  CAPTURE(seed);
  People people(seed);
  people.start();
  for (int i = 0; i < 60; ++i) people.step();
  const auto receipt = people.receipt(JobFacts::Kind::rebuild);
  SeededRandom random(seed);
  int cuts = 0;
  for (std::uint64_t cut = 1; cut < 24; ++cut) {
    CAPTURE(cut);
    auto store = std::make_unique<SimStore>(kFamilies, random.next());
    // Small batches, odd in size, so that positions fall into the middle of ledger rows.
    const projector::Options options{.batch_events_max = 1 + random.below(40)};
    store->plan({.power_loss_at_write = cut});
    {
      views::Views views(*store);
      (void)Projector::make(*people.ledger, *people.vault, views, options)->rebuild(receipt, {});
    }
    if (!store->power_lost()) continue;
    store = store->after_restart(random.next());
    views::Views views(*store);
    const auto position = views.load_position().value();
    CHECK(position <= people.ledger->size());
    auto projector = Projector::make(*people.ledger, *people.vault, views, options);
    REQUIRE(projector->start(people.receipt()));
    wait_until(views, people.ledger->size(), *projector);
    projector->stop();
    CHECK(text_of(projector->digests(receipt, kDigestKey)) == rebuilt_digests(people, receipt));
    // Days too: what a later start knows them by is written once.
    const auto own = views.owner(owner_of_ledger()).value();
    REQUIRE(own);
    CHECK(std::count_if(own->leaves.begin(), own->leaves.end(),
                        [](const views::Leaf& leaf) { return leaf.cls == built_in::day_keys; }) == 1);
    ++cuts;
  }
  CHECK(cuts > 2);
}

TEST_CASE("A full disk stops the rows, and room lets them go on", "[property][projector][PJ-02]") {
  People people(5);
  LateTail tail;
  people.start({&tail});
  SimStore store(kFamilies, 1);
  views::Views views(store);
  auto projector = Projector::make(*people.ledger, *people.vault, views, {});
  tail.target = projector.get();
  REQUIRE(projector->start(people.receipt()));
  wait_until(views, people.ledger->size(), *projector);
  store.plan({.disk_full_at_write = 1});
  for (int i = 0; i < 10; ++i) people.step();
  wait_until(views, people.ledger->size(), *projector);
  CHECK(projector->status());
  const auto receipt = people.receipt(JobFacts::Kind::rebuild);
  wait_until(views, people.ledger->size(), *projector);
  CHECK(text_of(projector->digests(receipt, kDigestKey)) == rebuilt_digests(people, receipt));
  tail.target = nullptr;
  projector->stop();
}

TEST_CASE("A fence whose request never came is dropped at the start, and one on its way is waited for",
          "[property][projector][PJ-05]") {
  People people(11);
  LateTail tail;
  people.start({&tail});
  const auto person = people.register_person(false);
  const auto record = people.add_record(person, 1);
  people.erase({person}, {}, People::Until::fenced);
  MemoryStore store(kFamilies);
  views::Views views(store);
  auto projector = Projector::make(*people.ledger, *people.vault, views, {});
  tail.target = projector.get();
  REQUIRE(projector->start(people.receipt()));
  wait_until(views, people.ledger->size(), *projector);
  CHECK(people.vault->fences().empty());
  CHECK(views.head(people.records[record].id).value());

  // A fence in the moment before its request: what came before it must not be folded as erased.
  people.persons[person].open = false;
  tail.target = nullptr;
  people.change_record(record);
  const auto changed = people.ledger->size();
  vault::Fence fence{changed.get() + 1, {}};
  for (const auto& [cls, slot] : people.persons[person].leaves) fence.slots.push_back(slot);
  REQUIRE(people.vault->fence(fence));
  tail.target = projector.get();
  people.register_person(false);
  std::this_thread::sleep_for(100ms);
  CHECK(views.position() < changed);
  REQUIRE(people.vault->forget_fence(changed.get() + 1));
  wait_until(views, people.ledger->size(), *projector);
  CHECK(views.head(people.records[record].id).value()->version.get() == 2);
  tail.target = nullptr;
  projector->stop();
}

}  // namespace
