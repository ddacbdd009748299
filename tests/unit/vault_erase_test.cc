#include <atomic>
#include <set>
#include <thread>

#include "support/catch.h"
#include "support/vault_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

void opened(VaultWorld& world) {
  REQUIRE(world.create());
  REQUIRE(world.open());
}

std::vector<Person> add(VaultWorld& world, int count) {
  std::vector<Person> out;
  for (int i = 0; i < count; ++i) out.push_back(world.add());
  return out;
}

}  // namespace

TEST_CASE("an erased leaf is gone at once, after a restart, and for its rows", "[unit][vault]") {
  VaultWorld world(1);
  opened(world);
  const auto people = add(world, 20);
  const auto row = world.vault->seal_row(people[3].slot, "records", {}, as_bytes("x")).value();
  const auto change = world.erase(41, {people[3], people[4]});
  REQUIRE(change);
  CHECK(change->from == Epoch(1));
  CHECK(change->to == Epoch(2));
  CHECK(change->leaves == 2);
  CHECK(change->members == 1);
  CHECK(change->grade == 0);
  CHECK(change->requests == std::vector<std::uint64_t>{41});
  CHECK(change->old_root != change->new_root);
  CHECK(world.vault->epoch() == Epoch(2));
  const auto check = [&] {
    CHECK(world.erased(people[3]));
    CHECK(world.erased(people[4]));
    CHECK_FALSE(world.vault->living(people[3].slot));
    CHECK(world.vault->open_row(Receipts::system(), people[3].slot, "records", {}, row).error().is("erased"));
    CHECK(world.vault->seal(people[4].slot, people[4].header.id, 9, ClassNo(7), people[4].owner, 3, {})
              .error()
              .is("erased"));
    for (std::size_t i = 0; i < people.size(); ++i) CHECK((i == 3 || i == 4 || world.readable(people[i])));
  };
  check();
  REQUIRE(world.vault->told(Epoch(2)));
  check();
  CHECK(world.vault->fences().empty());
  CHECK(world.vault->untold().empty());
  world.ledger_mark = world.vault->mark();
  world.ledger_epoch = Epoch(2);
  world.close();
  REQUIRE(world.open());
  check();
}

TEST_CASE("a fence closes its leaves at once, survives a restart, and can be forgotten", "[unit][vault]") {
  VaultWorld world(2);
  opened(world);
  const auto people = add(world, 3);
  REQUIRE(world.vault->fence({.request = 7, .slots = {people[0].slot, people[1].slot}}));
  REQUIRE(world.vault->fence({.request = 8, .slots = {people[1].slot}}));
  CHECK(world.erased(people[0]));
  CHECK_FALSE(world.vault->living(people[1].slot));
  CHECK(world.readable(people[2]));
  world.close();
  REQUIRE(world.open());
  CHECK(world.erased(people[0]));
  REQUIRE(world.vault->fences().size() == 2);
  CHECK(world.vault->fences()[0].request == 7);
  REQUIRE(world.vault->forget_fence(7));
  CHECK(world.readable(people[0]));
  CHECK(world.erased(people[1]));  // still fenced by the other request
  REQUIRE(world.vault->forget_fence(8));
  CHECK(world.readable(people[1]));
  CHECK(world.vault->forget_fence(9));  // none there: nothing to do
}

TEST_CASE("who is fenced, and for which requests that a ledger does not hold yet, is told without a copy of all fences",
          "[unit][vault]") {
  VaultWorld world(2);
  opened(world);
  const auto people = add(world, 4);
  REQUIRE(world.vault->fence({.request = 7, .slots = {people[0].slot}}));
  REQUIRE(world.vault->fence({.request = 8, .slots = {people[1].slot, people[2].slot}}));
  REQUIRE(world.vault->lose(7));
  for (std::size_t i = 0; i < people.size(); ++i) CHECK(world.vault->fenced(people[i].slot) == (i != 3));
  CHECK_FALSE(world.vault->fenced_ahead(people[0].slot, TreeSize(0)));  // lost
  for (const auto i : {1, 2}) CHECK(world.vault->fenced_ahead(people[static_cast<std::size_t>(i)].slot, TreeSize(8)));
  CHECK_FALSE(world.vault->fenced_ahead(people[2].slot, TreeSize(9)));  // the ledger holds it
  CHECK_FALSE(world.vault->fenced_ahead(people[3].slot, TreeSize(0)));
  REQUIRE(world.vault->forget_fence(8));
  CHECK_FALSE(world.vault->fenced(people[1].slot));
  CHECK_FALSE(world.vault->fenced_ahead(people[1].slot, TreeSize(0)));
}

TEST_CASE("a request that the ledger lost gives its number free, also in an epoch that is not told", "[unit][vault]") {
  VaultWorld world(3, {.root_members = 2});
  opened(world);
  const auto people = add(world, 4);
  // 7 was lost before and still lives; 7 and 8 of today died in two epochs, of which the second waits for a member.
  REQUIRE(world.vault->fence({.request = 7, .slots = {people[0].slot}}));
  REQUIRE(world.vault->lose(7));
  REQUIRE(world.erase(7, {people[1]}));
  const auto away = world.root_path(1);
  const auto content = world.disk.content(away);
  world.vault->on_step = [&](int step) {
    if (step == 42) world.disk.remove(away);
  };
  CHECK_FALSE(world.erase(8, {people[2]}));
  REQUIRE(world.vault->fence({.request = 9, .slots = {people[3].slot}}));
  const auto lost = [](std::uint64_t request) { return vault::kLostRequest | request; };
  const bool restarted = GENERATE(false, true);
  if (restarted) {
    world.close();
    REQUIRE(world.open());
  }
  for (const auto request : {7, 8, 100}) REQUIRE(world.vault->lose(static_cast<std::uint64_t>(request)));
  if (restarted) {
    world.close();
    REQUIRE(world.open());
  }
  const auto fences = world.vault->fences();
  REQUIRE(fences.size() == 4);
  const auto is = [&](std::size_t at, std::uint64_t request, std::size_t person, bool destroyed) {
    CAPTURE(at);
    CHECK(fences[at].request == request);
    CHECK(fences[at].slots == std::vector{people[person].slot});
    CHECK(fences[at].destroyed == destroyed);
  };
  is(0, 9, 3, false);
  is(1, lost(7), 0, false);
  is(2, lost(8), 1, true);  // the next number that is free
  is(3, lost(9), 2, true);
}

TEST_CASE("ER-05 leaves that the adopted ledger does not name are given up, and nobody gets one again",
          "[unit][vault][ER-05]") {
  VaultWorld world(5, {.spare_leaves = 64, .keep_every_byte = true});
  opened(world);
  const auto people = add(world, 200);
  REQUIRE(world.erase(1, {people[0]}));
  REQUIRE(world.vault->told(Epoch(2)));
  REQUIRE(world.vault->fence({.request = 9, .slots = {people[1].slot, people[2].slot}}));
  world.close();
  REQUIRE(world.open());

  vault::SlotSet named;
  for (std::size_t i = 2; i < 100; ++i) named.add(people[i].slot);
  named.add(Slot(vault::SlotSet::kSlotsMax));  // no slot
  CHECK(named.size() == 98);
  const auto own = world.vault->new_leaf().value();
  const auto lost = world.vault->living_but(named).value();
  for (std::size_t i = 0; i < people.size(); ++i) CHECK(lost.contains(people[i].slot) == (i >= 100));
  CHECK_FALSE(lost.contains(own));
  CHECK(lost.size() >= 100 + 64);  // and what was spare
  REQUIRE(world.vault->give_up(lost));
  CHECK(world.vault->living_but(named)->size() == 0);
  const bool restarted = GENERATE(false, true);
  if (restarted) {
    world.close();
    REQUIRE(world.open());
  }
  const auto check = [&] {
    for (std::size_t i = 0; i < people.size(); ++i) {
      CAPTURE(i);
      CHECK((i > 2 && i < 100 ? world.readable(people[i]) : world.erased(people[i])));
    }
  };
  check();
  const auto fences = world.vault->fences();
  REQUIRE(fences.size() == 2);
  CHECK_FALSE(vault::is_lost(fences[0]));
  CHECK(vault::is_given_up(fences[1]));
  CHECK(vault::is_lost(fences[1]));
  CHECK(fences[1].slots.size() == lost.size());
  for (int i = 0; i < 1000; ++i) REQUIRE_FALSE(lost.contains(world.vault->new_leaf().value()));

  const auto change = world.vault->erase(std::span(fences).subspan(1)).value();
  CHECK(change.leaves == lost.size());
  REQUIRE(world.vault->told(change.to));
  check();
  const auto reach = world.thief().reach(world.present_roots().at(0).key);
  for (std::size_t i = 1; i < people.size(); ++i) CHECK(reach.contains(people[i].slot.get()) == (i < 100));
}

TEST_CASE("what is given up stands in portions that one epoch can write, under numbers of their own", "[unit][vault]") {
  VaultWorld world(6);
  opened(world);
  vault::SlotSet slots;
  for (std::uint64_t node = 0; node < 2 * vault::kLeafNodesGivenUpMax + 1; ++node)
    slots.add(Slot(node * 64 + node % 64));
  REQUIRE(world.vault->give_up(slots));
  vault::SlotSet more;
  more.add(Slot(7));
  REQUIRE(world.vault->give_up(more));
  const auto fences = world.vault->fences();
  REQUIRE(fences.size() == 4);
  const std::size_t sizes[] = {vault::kLeafNodesGivenUpMax, vault::kLeafNodesGivenUpMax, 1, 1};
  for (std::size_t i = 0; i < fences.size(); ++i) {
    CHECK(fences[i].request == vault::kGivenUp + i);
    CHECK(fences[i].slots.size() == sizes[i]);
  }
  REQUIRE(world.vault->give_up({}));
  CHECK(world.vault->fences().size() == 4);
}

TEST_CASE("leaf nodes that hold a fenced slot give no slots", "[unit][vault]") {
  VaultWorld world(3, {.spare_leaves = 128});
  opened(world);
  const auto people = add(world, 10);
  vault::Fence fence{.request = 1, .slots = {}};
  std::set<std::uint64_t> blocked;
  for (const auto& person : people) {
    fence.slots.push_back(person.slot);
    blocked.insert(person.slot.get() / 64);
  }
  REQUIRE(world.vault->fence(fence));
  for (int i = 0; i < 1000; ++i) REQUIRE_FALSE(blocked.contains(world.vault->new_leaf()->get() / 64));
  REQUIRE(world.vault->forget_fence(1));
  std::size_t from_blocked = 0;
  for (int i = 0; i < 2000; ++i) from_blocked += blocked.contains(world.vault->new_leaf()->get() / 64) ? 1 : 0;
  CHECK(from_blocked > 0);
}

TEST_CASE("an erasure wants its fence, and erased leaves are not counted twice", "[unit][vault]") {
  VaultWorld world(4);
  opened(world);
  const auto people = add(world, 4);
  const vault::Fence unknown{.request = 5, .slots = {people[0].slot}};
  CHECK(world.vault->erase({&unknown, 1}).error().is("fence_unknown"));
  CHECK(world.readable(people[0]));
  REQUIRE(world.erase(6, {people[0]}));
  REQUIRE(world.vault->told(Epoch(2)));
  CHECK(world.vault->told(Epoch(2)).error().is("epoch_unknown"));
  const auto again = world.erase(7, {people[0], people[1]});
  REQUIRE(again);
  CHECK(again->leaves == 1);
  CHECK(world.vault->forget_fence(7).error().is("erasure_effective"));
}

TEST_CASE("more requests than one event can name are refused before anything is written", "[unit][vault]") {
  VaultWorld world(16);
  opened(world);
  const auto people = add(world, 2);
  std::vector<vault::Fence> fences(vault::kRequestsPerEpochMax + 1);
  for (std::size_t i = 0; i < fences.size(); ++i) fences[i].request = i;
  fences[0].slots = {people[0].slot};
  REQUIRE(world.vault->fence(fences));
  bool began = false;
  world.vault->on_step = [&](int) { began = true; };
  const auto refused = world.vault->erase(fences);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is("too_large"));
  CHECK_FALSE(began);
  CHECK(world.vault->epoch() == Epoch(1));
  const auto change = world.vault->erase(std::span(fences).first(vault::kRequestsPerEpochMax));
  REQUIRE(change);
  CHECK(change->requests.size() == vault::kRequestsPerEpochMax);
  CHECK(world.erased(people[0]));
  CHECK(world.readable(people[1]));
}

TEST_CASE("an erasure asked for again before it is told gives the same change", "[unit][vault]") {
  VaultWorld world(5);
  opened(world);
  const auto people = add(world, 4);
  const auto first = world.erase(6, {people[0]});
  REQUIRE(first);
  const vault::Fence fence{.request = 6, .slots = {}};
  const auto again = world.vault->erase({&fence, 1});
  REQUIRE(again);
  CHECK(again->to == first->to);
  CHECK(again->new_root == first->new_root);
  CHECK(world.vault->epoch() == Epoch(2));
}

TEST_CASE("changes that are not told yet outlive later epochs and restarts", "[unit][vault]") {
  VaultWorld world(6);
  opened(world);
  const auto people = add(world, 6);
  REQUIRE(world.erase(1, {people[0]}));
  REQUIRE(world.erase(2, {people[1], people[2]}));
  const auto check = [&] {
    const auto untold = world.vault->untold();
    REQUIRE(untold.size() == 2);
    CHECK(untold[0].requests == std::vector<std::uint64_t>{1});
    CHECK(untold[0].to == Epoch(2));
    CHECK(untold[1].requests == std::vector<std::uint64_t>{2});
    CHECK(untold[1].leaves == 2);
    CHECK(untold[1].old_root == untold[0].new_root);
  };
  check();
  world.close();
  REQUIRE(world.open());
  check();
  REQUIRE(world.vault->told(Epoch(2)));
  world.close();
  REQUIRE(world.open());
  REQUIRE(world.vault->untold().size() == 1);
  REQUIRE(world.vault->told(Epoch(3)));
  CHECK(world.vault->fences().empty());
  CHECK(world.readable(people[5]));
}

TEST_CASE("ER-02 every other leaf key is unchanged by an erasure", "[unit][proof][ER-02]") {
  VaultWorld world(7, {.spare_leaves = 512, .keep_every_byte = true});
  opened(world);
  const auto people = add(world, 400);
  auto before = world.thief().reach(world.present_roots().at(0).key);
  std::vector<Person> dying;
  for (std::size_t i = 0; i < people.size(); i += 9) dying.push_back(people[i]);
  REQUIRE(world.erase(1, dying));
  REQUIRE(world.vault->told(Epoch(2)));
  const auto after = world.thief().reach(world.present_roots().at(0).key);
  for (const auto& person : dying) before.erase(person.slot.get());
  REQUIRE(before.size() > 900);
  for (const auto& [slot, keys] : before) {
    REQUIRE(after.contains(slot));
    REQUIRE(after.at(slot) == keys);
  }
  for (const auto& person : dying) CHECK_FALSE(after.contains(person.slot.get()));
}

TEST_CASE("a store that is full keeps the old epoch, and the erasure succeeds later", "[unit][vault]") {
  VaultWorld world(9);
  opened(world);
  const auto people = add(world, 5);
  vault::Fence fence{.request = 1, .slots = {people[0].slot}};
  REQUIRE(world.vault->fence(fence));
  world.disk.plan({.space_bytes = 4000});
  const auto failed = world.vault->erase({&fence, 1});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().category() == Errc::unavailable);
  CHECK(world.vault->epoch() == Epoch(1));
  CHECK(world.readable(people[1]));
  world.disk.plan({});
  REQUIRE(world.vault->erase({&fence, 1}));
  CHECK(world.vault->epoch() == Epoch(2));
  CHECK(world.erased(people[0]));
  CHECK(world.readable(people[1]));
  world.close();
  REQUIRE(world.open());
  CHECK(world.erased(people[0]));
  CHECK(world.readable(people[1]));
}

TEST_CASE("a replica that is away: no new leaves, no erasure for 24 hours, then on without it", "[unit][vault]") {
  VaultWorld world(10, {.replicas = 1});
  opened(world);
  auto people = add(world, 5);
  world.replica_disks[0].plan({.space_bytes = 0});
  vault::Fence fence{.request = 1, .slots = {people[0].slot}};
  REQUIRE(world.vault->fence(fence));  // a fence does not wait for a replica
  CHECK(world.vault->counters().replicas_away == 1);
  Result<Slot> leaf = Slot();
  for (int i = 0; i < 1000 && leaf; ++i) leaf = world.vault->new_leaf();
  REQUIRE_FALSE(leaf);
  CHECK(leaf.error().is("keys_replica_unavailable"));
  CHECK(world.vault->erase({&fence, 1}).error().is("keys_replica_unavailable"));
  CHECK(world.vault->epoch() == Epoch(1));
  CHECK(world.readable(people[1]));
  world.clock.advance(24 * 3'600'000);
  const auto change = world.vault->erase({&fence, 1});
  REQUIRE(change);
  CHECK(change->replicas == 0);
  world.replica_disks[0].plan({});
  for (int i = 0; i < 1000 && !leaf; ++i) leaf = world.vault->new_leaf();  // waits for the key thread's next try
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!leaf && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
    leaf = world.vault->new_leaf();
  }
  REQUIRE(leaf);
  CHECK(world.vault->counters().replicas_away == 0);
  const auto second = world.erase(2, {people[2]});
  REQUIRE(second);
  CHECK(second->replicas == 1);
  // The replica alone opens as a keys store.
  world.close();
  auto options = world.options();
  options.keys_dir = options.replicas[0];
  options.file_system = options.replica_file_systems[0];
  options.replicas.clear();
  auto vault = vault::Vault::open(options, *world.root, world.ledger, KeysMark(0), Epoch(3), world.clock, world.random);
  REQUIRE(vault);
  world.vault = std::move(*vault);
  CHECK(world.readable(people[1]));
  CHECK(world.erased(people[0]));
  CHECK(world.erased(people[2]));
}

TEST_CASE("an erasure that waits for a replica or a root store writes nothing", "[unit][vault]") {
  const bool of_roots = GENERATE(false, true);
  CAPTURE(of_roots);
  VaultWorld world(17, {.replicas = 1, .root_members = 2});
  opened(world);
  const auto people = add(world, 2);
  if (of_roots) world.disk.remove(world.root_path(1));
  if (!of_roots) world.replica_disks[0].plan({.space_bytes = 0});
  const vault::Fence fence{.request = 1, .slots = {people[0].slot}};
  REQUIRE(world.vault->fence(fence));
  bool began = false;
  world.vault->on_step = [&](int) { began = true; };
  const auto root = world.disk.content(world.root_path(0));
  const auto mark = world.vault->mark();
  for (int i = 0; i < 3; ++i)
    CHECK(world.vault->erase({&fence, 1}).error().is(of_roots ? "root_store_unavailable" : "keys_replica_unavailable"));
  CHECK_FALSE(began);
  CHECK(world.disk.content(world.root_path(0)) == root);  // no noise in its dead slot
  if (!of_roots) CHECK(world.vault->mark() == mark);      // else leaves may still be made ahead
}

TEST_CASE("sealing and drawing slots go on while leaves are erased", "[unit][vault]") {
  VaultWorld world(11);
  opened(world);
  const auto people = add(world, 40);
  std::atomic<bool> stop{false};
  std::atomic<unsigned> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = static_cast<std::size_t>(t); !stop; ++i) {
        const auto& person = people[20 + i % 20];  // never erased
        if (!world.readable(person)) ++wrong;
        const auto leaf = world.vault->new_leaf();
        if (!leaf || !world.vault->seal(*leaf, person.header.id, 5, ClassNo(1), person.owner, 1, {})) ++wrong;
        (void)world.readable(people[i % 20]);
      }
    });
  }
  for (std::size_t i = 0; i < 20; ++i) {
    const auto change = world.erase(i, {people[i]});
    if (!change || !world.erased(people[i]) || !world.vault->told(change->to)) ++wrong;
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(world.vault->epoch() == Epoch(21));
}

TEST_CASE("step 4b believes the disk only: nodes that are damaged there are not what memory says", "[unit][vault]") {
  VaultWorld world(15);
  opened(world);
  const auto people = add(world, 3);
  std::size_t damaged = 0;
  world.vault->on_step = [&](int step) {
    if (step != 41) return;
    // The new root node as it was written: its name stands in the log, its bytes behind it.
    const std::string name = {'\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\x02'};
    for (const auto& path : world.disk.paths("/keys/")) {
      if (!path.ends_with(".log")) continue;
      const auto at = world.disk.content(path).find(name);
      if (at != std::string::npos && world.disk.flip(path, at + 200)) ++damaged;
    }
  };
  const auto change = world.erase(1, {people[0]});
  REQUIRE(damaged == 1);
  REQUIRE_FALSE(change);
  CHECK(change.error().is("keys_damaged"));
  CHECK(world.vault->counters().erasures_aborted == 1);
  CHECK(world.vault->epoch() == Epoch(1));
  CHECK(world.present_roots().size() == 1);
  CHECK(world.present_roots().front().epoch == 1);
  for (const auto i : {1u, 2u}) CHECK(world.readable(people[i]));
  CHECK(world.erased(people[0]));  // fenced; the request stays open
}
