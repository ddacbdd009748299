// A replica of the keys whose disk hangs, or whose files are deleted or moved away under it: nobody waits for it longer
// than is allowed, nothing counts as being there that is not, and what it misses it gets later.
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "support/catch.h"
#include "support/temp_dir.h"
#include "support/vault_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

constexpr std::chrono::milliseconds kWait{300};
constexpr std::chrono::seconds kSoon{30};  // on a machine under load

template <class What>
bool comes(What&& what, std::chrono::milliseconds within = kSoon) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!what()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

template <class What>
std::chrono::milliseconds time_of(What&& what) {
  const auto began = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
}

VaultWorld::Setup setup() { return {.replicas = 1, .replica_wait = kWait}; }

// The replica alone opens as a keys store, and holds what it must.
void check_replica(VaultWorld& world, vault::Options options, const std::vector<Person>& living,
                   const std::vector<Person>& dead) {
  const auto epoch = world.vault->epoch();
  const auto mark = world.vault->mark();
  world.close();
  options.keys_dir = options.replicas[0];
  options.file_system = options.replica_file_systems[0];
  options.replicas.clear();
  auto vault = vault::Vault::open(options, *world.root, world.ledger, mark, epoch, world.clock, world.random);
  REQUIRE(vault);
  world.vault = std::move(*vault);
  for (const auto& person : living) CHECK(world.readable(person));
  for (const auto& person : dead) CHECK(world.erased(person));
}

void check_replica(VaultWorld& world, const std::vector<Person>& living, const std::vector<Person>& dead) {
  check_replica(world, world.options(), living, dead);
}

bool away(VaultWorld& world) { return world.vault->counters().replicas_away == 1; }

// A world whose replica stands in a real directory.
struct RealReplica {
  explicit RealReplica(std::uint64_t seed) : world(seed, setup()) {
    REQUIRE(vault::Vault::create(options(), *world.root, world.tree, world.ledger, world.random));
    open();
  }
  [[nodiscard]] vault::Options options() const {
    auto out = world.options();
    out.replicas[0] = keys;
    out.replica_file_systems[0] = {};
    return out;
  }
  void open() {
    auto opened = vault::Vault::open(options(), *world.root, world.ledger, world.ledger_mark, world.ledger_epoch,
                                     world.clock, world.random);
    REQUIRE(opened);
    world.vault = std::move(*opened);
  }
  // With the vault closed.
  void copy_older() const { std::filesystem::copy(keys, older); }

  TempDir place;
  std::filesystem::path keys = place.path() / "keys", elsewhere = place.path() / "away", older = place.path() / "older";
  VaultWorld world;
};

}  // namespace

TEST_CASE("a fence waits for a replica that hangs only so long, and then not at all", "[unit][vault]") {
  VaultWorld world(1, setup());
  REQUIRE(world.create());
  REQUIRE(world.open());
  const std::vector people{world.add(), world.add(), world.add()};
  const vault::Fence first{.request = 1, .slots = {people[0].slot}};
  const vault::Fence second{.request = 2, .slots = {people[1].slot}};
  {
    const bool in_a_leaf_node = GENERATE(false, true);
    const Hanging hanging(world.replica_disks[0]);
    if (in_a_leaf_node) {  // the thread that writes them ahead is caught in it already
      while (world.vault->counters().pool >= 64) REQUIRE(world.vault->new_leaf());
      REQUIRE(comes([&] { return world.replica_disks[0].hung(); }));
    }
    CHECK(time_of([&] { REQUIRE(world.vault->fence(first)); }) < kSoon);
    CHECK(world.vault->counters().replicas_away == 1);
    CHECK(time_of([&] { REQUIRE(world.vault->fence(second)); }) < kWait);
    CHECK(world.erased(people[0]));
    CHECK(world.readable(people[2]));

    // Leaves there are as long as the pool has some; then it is said that there are none, soon.
    Result<Slot> leaf = Slot();
    for (int i = 0; i < 1000 && leaf; ++i) leaf = world.vault->new_leaf();
    REQUIRE_FALSE(leaf);
    CHECK(leaf.error().is("keys_replica_unavailable"));
    CHECK(time_of([&] { CHECK(world.vault->new_leaf().error().is("keys_replica_unavailable")); }) < kWait);

    CHECK(world.vault->erase(std::vector{first, second}).error().is("keys_replica_unavailable"));
    CHECK(world.vault->epoch() == Epoch(1));
  }
  Result<vault::EpochChange> change = world.vault->erase(std::vector{first, second});
  REQUIRE(comes([&] {
    if (!change) change = world.vault->erase(std::vector{first, second});
    return change.has_value();
  }));
  CHECK(change->replicas == 1);
  CHECK(change->leaves == 2);
  REQUIRE(comes([&] { return world.vault->new_leaf().has_value(); }));
  check_replica(world, {people[2]}, {people[0], people[1]});
}

TEST_CASE("an erasure goes on without a replica that has hung for 24 hours", "[unit][vault]") {
  VaultWorld world(2, setup());
  REQUIRE(world.create());
  REQUIRE(world.open());
  const std::vector people{world.add(), world.add()};
  {
    const Hanging hanging(world.replica_disks[0]);
    CHECK(world.erase(1, {people[0]}).error().is("keys_replica_unavailable"));
    world.clock.advance(24 * 3'600'000);
    const auto change = world.erase(1, {people[0]});
    REQUIRE(change);
    CHECK(change->replicas == 0);
    REQUIRE(world.vault->told(change->to));
  }
  REQUIRE(comes([&] { return world.vault->counters().replicas_away == 0; }));
  check_replica(world, {people[1]}, {people[0]});
}

TEST_CASE("an opening does not wait for ever for a replica that hangs", "[unit][vault]") {
  VaultWorld world(3, setup());
  REQUIRE(world.create());
  REQUIRE(world.open());
  const auto person = world.add();
  world.close();
  {
    const Hanging hanging(world.replica_disks[0]);
    REQUIRE(world.open());
    CHECK(world.vault->counters().replicas_away == 1);
    CHECK(world.readable(person));
    CHECK(world.vault->new_leaf().error().is("keys_replica_unavailable"));
    // What ends does not wait for it either, but for the thread that is in the call.
    CHECK(time_of([&] { world.vault->close(); }) < kSoon);
  }
  world.close();
  REQUIRE(world.open());
  REQUIRE(comes([&] { return world.vault->new_leaf().has_value(); }));
  CHECK(world.vault->counters().replicas_away == 0);
}

TEST_CASE("a replica whose directory is deleted or moved away is away, and comes back", "[unit][vault]") {
  const bool deleted = GENERATE(false, true);
  const bool idle = GENERATE(false, true);
  CAPTURE(deleted, idle);
  RealReplica real(4);
  auto& world = real.world;
  const std::vector people{world.add(), world.add(), world.add()};
  world.close();
  real.copy_older();
  real.open();
  CHECK(!away(world));
  std::filesystem::rename(real.keys, real.elsewhere);
  if (deleted) std::filesystem::remove_all(real.elsewhere);
  if (idle) {
    REQUIRE(comes([&] { return away(world); }));
  } else {  // a batch that went to files that are not there counts as none
    REQUIRE(world.vault->fence({.request = 1, .slots = {people[0].slot}}));
    CHECK(away(world));
  }
  CHECK(world.erase(2, {people[1]}).error().is("keys_replica_unavailable"));
  std::filesystem::create_directory(real.keys);  // as where its disk is not mounted: nothing is made there
  CHECK(!comes([&] { return !away(world); }, std::chrono::milliseconds(1'500)));
  CHECK(std::filesystem::is_empty(real.keys));
  std::filesystem::remove(real.keys);
  std::filesystem::rename(deleted ? real.older : real.elsewhere, real.keys);
  REQUIRE(comes([&] { return !away(world); }));
  const auto change = world.erase(3, {people[2]});
  REQUIRE(change);
  CHECK(change->replicas == 1);
  REQUIRE(world.vault->told(change->to));
  check_replica(world, real.options(), {}, {people[2]});
}

TEST_CASE("an older copy that is put in the place of a replica is brought up, and not swept", "[unit][vault]") {
  RealReplica real(5);
  auto& world = real.world;
  const std::vector people{world.add(), world.add()};
  world.close();
  real.copy_older();
  real.open();
  const auto late = world.add();
  std::filesystem::rename(real.keys, real.elsewhere);
  std::filesystem::rename(real.older, real.keys);
  REQUIRE(world.vault->fence({.request = 1, .slots = {people[0].slot}}));
  std::optional<vault::EpochChange> change;
  REQUIRE(comes([&] {
    auto done = world.erase(1, {people[0]});
    if (done) change = std::move(*done);
    return done.has_value();
  }));
  CHECK(change->replicas == 1);
  REQUIRE(world.vault->told(change->to));
  check_replica(world, real.options(), {people[1], late}, {people[0]});
}

TEST_CASE("a replica whose files are gone is away on a test's disk too", "[unit][vault]") {
  VaultWorld world(6, setup());
  REQUIRE(world.create());
  REQUIRE(world.open());
  const auto person = world.add();
  for (const auto& path : world.replica_disks[0].paths("/replica0/")) world.replica_disks[0].remove(path);
  REQUIRE(world.vault->fence({.request = 1, .slots = {person.slot}}));
  CHECK(away(world));
}
