// The keys store after a write that failed: the batch may stand on the disk all the same.
#include <map>
#include <thread>

#include "support/catch.h"
#include "support/vault_world.h"
#include "vault/keys_store.h"

using namespace siegel;
using namespace siegel::test;
using vault::KeysStore;

namespace {

constexpr std::uint64_t kCreated = 1;  // the mark of the batch that makes the store

vault::Options options_on(CrashDisk& disk, CrashDisk& replica) {
  vault::Options out;
  out.keys_dir = "/keys";
  out.file_system = disk.file_system();
  out.replicas = {"/replica"};
  out.replica_file_systems = {replica.file_system()};
  return out;
}

Batch fence_row(std::uint64_t number) {
  Batch out;
  out.put(vault::kFences, be(number), be(number));
  return out;
}

// Every row of a keys store that is not open.
std::map<std::string, std::string> rows(CrashDisk& disk, const std::string& dir) {
  RocksOptions options;
  options.dir = dir;
  options.families = {{.name = "nodes"}, {.name = "fences"}, {.name = "meta"}, {.name = "pending"}};
  options.file_system = disk.file_system();
  const auto store = open_rocksdb(options).value();
  std::map<std::string, std::string> out;
  for (const auto family : {vault::kNodes, vault::kFences, vault::kMeta, vault::kPending}) {
    const auto cursor = store->cursor(family);
    for (cursor->seek_to_first(); cursor->valid(); cursor->next()) {
      out[std::to_string(family.get()) + std::string(as_chars(cursor->key()))] = as_chars(cursor->value());
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a mark whose failed batch is on the disk is not used again, and the replica gets that batch",
          "[crash][vault]") {
  CrashDisk disk(1);
  CrashDisk replica_disk(2);
  HandClock clock;
  const auto options = options_on(disk, replica_disk);
  REQUIRE(KeysStore::create(options, {KeyTreeId(SeededRandom(3).array<16>()), test_ledger_id()}, Batch()));
  auto keys = KeysStore::open(options, &clock).value();
  REQUIRE(keys->mark() == kCreated);

  SECTION("the sync failed, the bytes are there") {
    disk.plan({.sync_failure_at = 1});
    CHECK_FALSE(keys->commit(fence_row(7), KeysStore::Need::tried));
    disk.plan({});
    CHECK(keys->mark() == kCreated);  // not promised to anybody
    REQUIRE(keys->ready());
    CHECK(keys->mark() == kCreated + 1);
    REQUIRE(keys->commit(fence_row(8), KeysStore::Need::all_replicas));
    CHECK(keys->mark() == kCreated + 2);
    CHECK(keys->store().get(vault::kFences, be(std::uint64_t{7})).value());
  }
  SECTION("there was no room, the batch is not there") {
    disk.plan({.space_bytes = 0});
    CHECK_FALSE(keys->commit(fence_row(7), KeysStore::Need::tried));
    CHECK_FALSE(keys->ready());  // still no room
    CHECK_FALSE(keys->commit(fence_row(7), KeysStore::Need::tried));
    disk.plan({});
    REQUIRE(keys->commit(fence_row(8), KeysStore::Need::all_replicas));
    CHECK(keys->mark() == kCreated + 1);
    CHECK_FALSE(keys->store().get(vault::kFences, be(std::uint64_t{7})).value());
  }
  CHECK(keys->replicas_away().empty());
  keys.reset();
  CHECK(rows(disk, "/keys") == rows(replica_disk, "/replica"));
}

TEST_CASE("marks go up one by one through failures at any sync, and the replica never differs", "[crash][vault]") {
  const auto seed = GENERATE(range(0u, 10u));
  CAPTURE(seed);
  VaultWorld world(seed, {.replicas = 1, .keep_every_byte = true});
  REQUIRE(world.create());
  REQUIRE(world.open());
  SeededRandom random(seed);
  std::vector<Person> living;
  for (std::uint64_t round = 1; round <= 6; ++round) {
    const std::vector<Person> dying{world.add()};
    living.push_back(world.add());
    world.disk.plan({.sync_failure_at = 1 + random.below(6)});
    auto change = world.erase(round, dying);
    if (change) (void)world.vault->told(change->to);
    world.disk.plan({});
    if (!change) change = world.erase(round, dying);
    REQUIRE(change);
    if (!world.vault->untold().empty()) REQUIRE(world.vault->told(change->to));
    CHECK(world.erased(dying.front()));
  }
  world.close();
  CHECK(rows(world.disk, "/keys") == rows(world.replica_disks.front(), "/replica0"));

  std::map<std::string, int> times;
  for (const auto& file : world.disk.every_byte()) {
    for (const auto& row : rows_of_log(file)) {
      if (row.family == 3 && row.key == "mark") ++times[row.value];
    }
  }
  CHECK(times.size() > 6);
  for (const auto& [mark, count] : times) CHECK(count == 1);

  REQUIRE(world.open());
  for (const auto& person : living) CHECK(world.readable(person));
}

TEST_CASE("a replica that is brought up while batches go on gets each of them", "[crash][vault]") {
  const auto seed = GENERATE(range(0u, 6u));
  CAPTURE(seed);
  CrashDisk disk(seed);
  CrashDisk replica_disk(seed + 100);
  HandClock clock;
  SeededRandom random(seed);
  const auto options = options_on(disk, replica_disk);
  REQUIRE(KeysStore::create(options, {KeyTreeId(random.array<16>()), test_ledger_id()}, Batch()));
  auto keys = KeysStore::open(options, &clock).value();
  // Puts, changes and removals all over a few thousand rows.
  const auto some = [&random](std::size_t rows) {
    Batch out;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto key = be(random.below(4000));
      if (random.below(3) == 0) {
        out.erase(vault::kNodes, key);
      } else {
        out.put(vault::kNodes, key, random.bytes(400));
      }
    }
    return out;
  };
  replica_disk.plan({.space_bytes = 0});
  for (int i = 0; i < 40; ++i) REQUIRE(keys->commit(some(100), KeysStore::Need::tried));
  CHECK(keys->replicas_away().size() == 1);
  replica_disk.plan({});
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto goes_on = [&] { return !keys->replicas_away().empty() && std::chrono::steady_clock::now() < end; };
  // One that is left behind by its queue is tried again, as the key thread does.
  std::thread retry([&] {
    while (goes_on()) keys->retry_replicas();
  });
  int meanwhile = 0;
  for (; goes_on(); ++meanwhile) {
    REQUIRE(keys->commit(some(5), KeysStore::Need::tried));
    std::this_thread::sleep_for(std::chrono::microseconds(200));  // this disk syncs at once
  }
  retry.join();
  CHECK(keys->replicas_away().empty());
  CHECK(meanwhile > 0);
  REQUIRE(keys->commit(some(1), KeysStore::Need::all_replicas));
  keys.reset();
  CHECK(rows(disk, "/keys") == rows(replica_disk, "/replica"));
}
