// What the service does with time: windows and terms, under a clock that goes by hand.
#include <atomic>
#include <future>
#include <thread>

#include "model/definitions.h"
#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

constexpr auto kOften = std::chrono::milliseconds(20);
constexpr std::uint64_t kDay = 86'400'000;

std::vector<Slot> leaves(ContactsWorld& w, const OwnerId& owner, ClassNo cls) {
  w.catch_up();
  std::vector<Slot> out;
  const auto row = w.views->owner(owner).value();
  if (!row) return out;
  for (const auto& leaf : row->leaves)
    if (leaf.cls == cls) out.push_back(leaf.slot);
  return out;
}

}  // namespace

TEST_CASE("EV-03 an idempotency key holds for seven days, then its key of the day is destroyed",
          "[unit][service][EV-03]") {
  ContactsWorld w(1, kOften);
  const auto first = must(w.add("Änne Beispiel", {}, "key-1"));
  const auto days = leaves(w, owner_of_ledger(), built_in::day_keys);
  REQUIRE(days.size() == 1);

  w.world.clock.advance(7 * kDay);
  const auto again = must(w.add("Änne Beispiel", {}, "key-1"));
  CHECK(again.replayed);
  CHECK(again.record == first.record);
  CHECK(w.vault->living(days.front()));

  w.world.clock.advance(kDay);
  w.until([&] { return !w.vault->living(days.front()); });
  const auto later = must(w.add("Änne Beispiel", {}, "key-1"));
  CHECK_FALSE(later.replayed);
  CHECK(later.record != first.record);
  CHECK(w.read(*first.record));  // no one's data went with it
}

TEST_CASE("G36 an erasure answers the same while its notice lives, and nothing afterwards", "[unit][service][G36]") {
  ContactsWorld w(2, kOften);
  const auto gone = must(w.add("Bert Beispiel"));
  const auto stays = must(w.add("Cleo Beispiel"));
  const auto erased = must(w.erase(*gone.subject));
  CHECK(erased.kind == service::Written::Kind::erasure_effective);
  w.catch_up();
  CHECK(code(w.read(*gone.record)) == "erased");
  CHECK(code(w.read(*gone.subject)) == "erased");
  CHECK(must(w.erase(*gone.subject)).erasure == erased.erasure);
  const auto notices = leaves(w, owner_of(*gone.subject), built_in::erasure_notice);
  REQUIRE(notices.size() == 1);

  w.world.clock.advance(59 * kDay);
  std::this_thread::sleep_for(5 * kOften);
  CHECK(w.vault->living(notices.front()));

  w.world.clock.advance(2 * kDay);
  w.until([&] { return !w.vault->living(notices.front()); });
  w.until([&] { return w.views->notices().value().empty(); });
  w.catch_up();
  CHECK(code(w.read(*gone.record)) == "not_found");
  CHECK(code(w.read(*gone.subject)) == "not_found");
  CHECK(code(w.erase(*gone.subject)) == "not_found");
  CHECK(code(w.service->erasure(w.officer, *erased.erasure)) == "not_found");
  CHECK(w.read(*stays.record));
}

TEST_CASE("ER-04 an erasure takes every leaf, also one that comes while it is prepared", "[unit][service][ER-04]") {
  ContactsWorld w(3);
  for (int i = 0; i < 60; ++i) {
    CAPTURE(i);
    const auto first = must(w.add("Dora Beispiel"));
    auto other = std::async(std::launch::async, [&] { return w.add("DE00 1234", *first.subject, {}, "account"); });
    must(w.erase(*first.subject));
    const auto second = other.get();
    if (!second) CHECK(code(second) == "erased");
    w.catch_up();
    CHECK(code(w.read(*first.record)) == "erased");
    if (second) CHECK(code(w.read(*second->record)) == "erased");
    w.catch_up();
    const auto row = w.views->owner(owner_of(*first.subject)).value();
    REQUIRE(row);
    for (const auto& leaf : row->leaves) CHECK_FALSE((dies_at_erasure(leaf.cls) && w.vault->living(leaf.slot)));
  }
}

TEST_CASE("ER-04 nothing is taken for an erased person, also after a restart and without the notice",
          "[unit][service][ER-04]") {
  ContactsWorld w(4, kOften);
  const auto gone = must(w.add("Emil Beispiel"));
  const auto partly = must(w.add("Frida Beispiel"));
  must(w.add("DE00 1234", *partly.subject, {}, "account"));
  must(w.erase(*gone.subject));
  must(w.erase(*partly.subject, {"billing"}));
  const auto refused = [&](const char* wanted) {
    CHECK(code(w.add("Emil Beispiel", *gone.subject)) == wanted);
    CHECK(code(w.add("Emil Beispiel", *gone.subject, {}, "account")) == wanted);
    CHECK(w.add("Frida Neu", *partly.subject));
    CHECK(code(w.read(*gone.subject)) == wanted);
    CHECK(w.read(*partly.subject));
  };
  refused("erased");
  w.close();
  w.open();
  refused("erased");
  w.world.clock.advance(70 * kDay);
  w.until([&] { return w.views->notices().value().empty(); });
  w.catch_up();
  refused("not_found");
}

TEST_CASE("ER-03 an epoch of leaves past their term that was not told before a restart is told after it",
          "[unit][service][ER-03]") {
  ContactsWorld w(9, kOften);
  must(w.add("Änne Beispiel", {}, "key-1"));
  const auto days = leaves(w, owner_of_ledger(), built_in::day_keys);
  REQUIRE(days.size() == 1);
  // After step 4c the ledger takes nothing any more: as if the process had died there.
  std::atomic<bool> effective{false};
  w.vault->on_step = [&](int step) {
    if (step != 43) return;
    w.ledger->close();
    effective = true;
  };
  w.world.clock.advance(8 * kDay);
  w.until([&] { return effective.load(); });
  w.close();
  w.open();
  CHECK_FALSE(w.vault->living(days.front()));
  CHECK(w.vault->untold().empty());
  CHECK(w.vault->fences().empty());
  CHECK(w.ledger->epoch() == w.vault->epoch());
  must(w.add("Bert Beispiel", {}, "key-1"));
}
