// Erasure on a disk that loses power: at every sync and every changing call from the fence on, and between all steps.
#include <optional>

#include "support/catch.h"
#include "support/vault_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

struct Plan {
  CrashPlan disk;
  std::optional<int> after_step;
};

struct Outcome {
  bool fenced = false;
  bool effective = false;
  bool told = false;
  bool lost = false;
};

// Fence, erase, tell; with whatever the plan breaks.
Outcome run(VaultWorld& world, const std::vector<Person>& dying, const Plan& plan) {
  Outcome out;
  vault::Fence fence{.request = 1, .slots = {}};
  for (const auto& person : dying) fence.slots.push_back(person.slot);
  world.disk.plan(plan.disk);
  world.vault->on_step = [&](int step) {
    if (plan.after_step == step) world.disk.plan({.power_loss_at_call = 1});
  };
  out.fenced = world.vault->fence(fence).has_value();
  if (out.fenced) out.effective = world.vault->erase({&fence, 1}).has_value();
  if (out.effective) out.told = world.vault->told(Epoch(2)).has_value();
  out.lost = world.disk.power_lost();
  world.vault->on_step = nullptr;
  return out;
}

// After the power is back: open and readable, or unreadable and still to be told; never neither, and no root lost.
void check_after(VaultWorld& world, const Outcome& before, const std::vector<Person>& dying,
                 const std::vector<Person>& living) {
  REQUIRE(world.open());
  CHECK(world.present_roots().size() == 1);
  for (const auto& person : living) REQUIRE(world.readable(person));
  const auto reach = world.thief().reach(world.present_roots().at(0).key);
  const auto epoch = world.vault->epoch();
  REQUIRE((epoch == Epoch(1) || epoch == Epoch(2)));
  if (before.effective) REQUIRE(epoch == Epoch(2));

  if (epoch == Epoch(2)) {
    for (const auto& person : dying) {
      CHECK(world.erased(person));
      CHECK_FALSE(reach.contains(person.slot.get()));
    }
    if (before.told) CHECK(world.vault->untold().empty());
    if (!world.vault->untold().empty()) {
      const auto change = world.vault->untold().at(0);
      CHECK(change.requests == std::vector<std::uint64_t>{1});
      CHECK(change.leaves == dying.size());
      REQUIRE(world.vault->told(Epoch(2)));
    } else {
      CHECK(before.effective);  // a change nobody heard of is told by `untold`
    }
    CHECK(world.vault->fences().empty());
  } else {
    CHECK(world.vault->untold().empty());
    if (before.fenced) REQUIRE(world.vault->fences().size() == 1);
    if (world.vault->fences().empty()) {
      for (const auto& person : dying) CHECK(world.readable(person));
    } else {
      for (const auto& person : dying) CHECK(world.erased(person));  // fenced
    }
    // The request stays open and can be carried out.
    const auto again = world.erase(1, dying);
    REQUIRE(again);
    CHECK(again->leaves == dying.size());
    REQUIRE(world.vault->told(again->to));
  }
  const auto end = world.thief().reach(world.present_roots().at(0).key);
  for (const auto& person : dying) {
    CHECK(world.erased(person));
    CHECK_FALSE(end.contains(person.slot.get()));
  }
  for (const auto& person : living) {
    CHECK(world.readable(person));
    CHECK(end.contains(person.slot.get()));
  }
  CHECK(world.readable(world.add()));
}

struct Prepared {
  explicit Prepared(std::uint64_t seed, std::size_t members)
      : world(seed, {.root_members = members, .keep_every_byte = true}) {
    REQUIRE(world.create());
    REQUIRE(world.open());
    for (int i = 0; i < 6; ++i) (i < 2 ? dying : living).push_back(world.add());
  }
  VaultWorld world;
  std::vector<Person> dying;
  std::vector<Person> living;
};

}  // namespace

TEST_CASE("ER-03 the power goes at any call of an erasure", "[crash][proof][ER-03]") {
  const auto members = GENERATE(1u, 2u);
  std::size_t losses = 0;
  bool more = true;
  for (std::uint64_t call = 1; more; ++call) {
    for (std::uint64_t fate = 0; fate < 3; ++fate) {  // what becomes of the unsynced bytes
      CAPTURE(members, call, fate);
      Prepared prepared(1000 * members + fate, members);
      const auto outcome =
          run(prepared.world, prepared.dying, {.disk = {.power_loss_at_call = call}, .after_step = {}});
      more = outcome.lost;
      losses += outcome.lost ? 1 : 0;
      prepared.world.crash(call * 7 + fate);
      check_after(prepared.world, outcome, prepared.dying, prepared.living);
    }
  }
  CHECK(losses >= 3 * 10);  // fence, nodes, pending, prepare, commit, told: each a write and a sync
}

TEST_CASE("ER-03 the power goes between any two steps of an erasure", "[crash][proof][ER-03]") {
  const auto step = GENERATE(0, 1, 2, 3, 41, 42, 43);
  const auto fate = GENERATE(range(0u, 3u));
  CAPTURE(step, fate);
  Prepared prepared(fate, 1);
  const auto outcome = run(prepared.world, prepared.dying, {.disk = {}, .after_step = step});
  CHECK(outcome.lost);
  CHECK(outcome.effective == (step == 43));
  CHECK_FALSE(outcome.told);
  prepared.world.crash(fate + 50);
  check_after(prepared.world, outcome, prepared.dying, prepared.living);
}

TEST_CASE("ER-03 the process is killed between any two steps of an erasure", "[crash][proof][ER-03]") {
  const auto step = GENERATE(0, 1, 2, 3, 41, 42, 43);
  CAPTURE(step);
  Prepared prepared(77, 1);
  auto& world = prepared.world;
  vault::Fence fence{.request = 1, .slots = {}};
  for (const auto& person : prepared.dying) fence.slots.push_back(person.slot);
  REQUIRE(world.vault->fence(fence));
  world.vault->on_step = [&](int at) {
    if (at == step) world.disk.kill();
  };
  const bool effective = world.vault->erase({&fence, 1}).has_value();
  CHECK(effective == (step == 43));
  world.crash(3);
  check_after(world, {.fenced = true, .effective = effective, .told = false, .lost = true}, prepared.dying,
              prepared.living);
}

TEST_CASE("ER-05 the power goes while leaves are given up: the next try ends it, and no other leaf is touched",
          "[crash][vault][ER-05]") {
  std::size_t losses = 0;
  bool more = true;
  for (std::uint64_t call = 1; more; ++call) {
    for (std::uint64_t fate = 0; fate < 3; ++fate) {
      CAPTURE(call, fate);
      Prepared prepared(2000 + fate, 1);
      auto& world = prepared.world;
      vault::SlotSet named;
      for (const auto& person : prepared.living) named.add(person.slot);
      world.close();
      REQUIRE(world.open());
      const auto lost = world.vault->living_but(named);
      REQUIRE(lost);
      world.disk.plan({.power_loss_at_call = call});
      const bool done = world.vault->give_up(*lost).has_value();
      more = world.disk.power_lost();
      losses += more ? 1 : 0;
      CHECK((done || more));  // both: the thread that makes leaves ahead lost the power, after it was done
      world.crash(call * 7 + fate);
      REQUIRE(world.open());
      const auto left = world.vault->living_but(named);
      REQUIRE(left);
      // What the first vault kept ahead is spare now; of the rest all is fenced or nothing.
      for (const auto& person : prepared.dying) CHECK(left->contains(person.slot) == world.readable(person));
      if (done) CHECK_FALSE(left->contains(prepared.dying[0].slot));
      REQUIRE(world.vault->give_up(*left));
      const auto fences = world.vault->fences();
      REQUIRE(world.vault->erase(fences));
      const auto reach = world.thief().reach(world.present_roots().at(0).key);
      for (const auto& person : prepared.dying) {
        CHECK(world.erased(person));
        CHECK_FALSE(reach.contains(person.slot.get()));
      }
      for (const auto& person : prepared.living) CHECK(world.readable(person));
    }
  }
  CHECK(losses >= 3);
}

TEST_CASE("a sync that fails once leaves the vault usable and its keys whole", "[crash][vault]") {
  for (std::uint64_t sync = 1; sync <= 8; ++sync) {
    CAPTURE(sync);
    Prepared prepared(sync, 1);
    auto& world = prepared.world;
    const auto outcome = run(world, prepared.dying, {.disk = {.sync_failure_at = sync}, .after_step = {}});
    world.disk.plan({});
    if (!outcome.effective) REQUIRE(world.erase(1, prepared.dying));
    for (const auto& person : prepared.dying) CHECK(world.erased(person));
    for (const auto& person : prepared.living) CHECK(world.readable(person));
    world.crash(sync);
    REQUIRE(world.open());
    for (const auto& person : prepared.dying) CHECK(world.erased(person));
    for (const auto& person : prepared.living) CHECK(world.readable(person));
  }
}

TEST_CASE("a slot that was given out survives a power loss", "[crash][vault]") {
  const auto seed = GENERATE(range(0u, 12u));
  CAPTURE(seed);
  VaultWorld world(seed, {.spare_leaves = 64});
  REQUIRE(world.create());
  REQUIRE(world.open());
  SeededRandom random(seed);
  world.disk.plan({.power_loss_at_sync = 1 + random.below(5)});
  std::vector<Person> people;
  for (int i = 0; i < 20'000; ++i) {
    const auto slot = world.vault->new_leaf();
    if (!slot) break;
    Person person;
    person.slot = *slot;
    person.header.id = new_event_id(world.random);
    person.header.schema = 3;
    person.owner = OwnerId(random.array<16>());
    person.text = "made up";
    auto part = world.vault->seal(*slot, person.header.id, 1, ClassNo(7), person.owner, 3, as_bytes(person.text));
    REQUIRE(part);
    person.part = std::move(*part);
    people.push_back(std::move(person));
  }
  REQUIRE(people.size() < 20'000);
  world.ledger_mark = world.vault->mark();
  world.crash(seed + 9);
  REQUIRE(world.open());
  for (const auto& person : people) REQUIRE(world.readable(person));
}
