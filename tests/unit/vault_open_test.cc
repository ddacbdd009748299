#include <atomic>
#include <chrono>
#include <thread>

#include "support/catch.h"
#include "support/vault_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

std::vector<Person> grown(VaultWorld& world, int people = 5) {
  REQUIRE(world.create());
  REQUIRE(world.open());
  std::vector<Person> out;
  for (int i = 0; i < people; ++i) out.push_back(world.add());
  return out;
}

// The leaf pool may still be filling up: until it is full, its batches come after whatever a test writes.
KeysMark settled_mark(const VaultWorld& world) {
  for (auto mark = world.vault->mark();;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const auto now = world.vault->mark();
    if (now == mark) return mark;
    mark = now;
  }
}

Error refusal(VaultWorld& world) {
  world.close();
  auto done = world.open();
  REQUIRE_FALSE(done);
  return std::move(done).error();
}

}  // namespace

TEST_CASE("a vault is made once", "[unit][vault]") {
  VaultWorld world(1);
  grown(world);
  world.close();
  CHECK(world.create().error().is("exists"));
  CHECK(world.open());
}

TEST_CASE("keys behind the ledger do not open, with both numbers", "[unit][vault]") {
  VaultWorld world(2);
  grown(world);
  const auto mark = settled_mark(world).get();
  world.ledger_mark = KeysMark(mark + 3);
  const auto error = refusal(world);
  CHECK(error.is("keys_behind"));
  CHECK(*error.find("keys") == std::to_string(mark));
  CHECK(*error.find("ledger") == std::to_string(mark + 3));
}

TEST_CASE("a bad byte in the WAL that hides what the ledger relies on is noticed", "[unit][vault]") {
  VaultWorld world(3);
  grown(world, 200);  // several batches of leaf nodes
  world.ledger_mark = world.vault->mark();
  world.close();
  const auto logs = world.disk.paths("/keys/");
  std::string wal;
  for (const auto& path : logs) {
    if (path.ends_with(".log") && world.disk.content(path).size() > wal.size()) wal = path;
  }
  REQUIRE_FALSE(wal.empty());
  const auto size = world.disk.content(wal).size();
  REQUIRE(size > 10'000);
  world.disk.flip(wal, size / 2);
  const auto error = refusal(world);
  CHECK((error.is("keys_behind") || error.is("store_damaged") || error.is("keys_damaged")));
}

TEST_CASE("a bad byte in the WAL behind the ledger's mark loses nothing that was relied on", "[unit][vault]") {
  VaultWorld world(4);
  const auto people = grown(world, 3);
  const auto mark = settled_mark(world);
  REQUIRE(world.vault->fence({.request = 1, .slots = {people[0].slot}}));
  world.close();
  std::string wal;
  for (const auto& path : world.disk.paths("/keys/")) {
    if (path.ends_with(".log")) wal = path;
  }
  world.disk.flip(wal, world.disk.content(wal).size() - 3);
  world.ledger_mark = KeysMark(mark.get() + 1);
  const auto refused = world.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is("keys_behind"));
  world.ledger_mark = mark;
  REQUIRE(world.open());  // the request of the fence is not in the ledger: nobody relied on it
  CHECK(world.vault->fences().empty());
  CHECK(world.readable(people[0]));
}

TEST_CASE("keys of another ledger do not open", "[unit][vault]") {
  VaultWorld world(5);
  grown(world);
  world.ledger = LedgerId(SeededRandom(99).array<8>());
  CHECK(refusal(world).is("other_ledger"));
}

TEST_CASE("a root of another ledger does not open", "[unit][vault]") {
  VaultWorld world(6);
  grown(world);
  VaultWorld other(7);
  other.ledger = LedgerId(SeededRandom(99).array<8>());
  grown(other);
  world.disk.set_content(world.root_path(0), other.disk.content(other.root_path(0)));
  CHECK(refusal(world).is("other_ledger"));
}

TEST_CASE("a root behind the ledger's epoch does not open, with both epochs", "[unit][vault]") {
  VaultWorld world(8);
  const auto people = grown(world);
  const auto old_root = world.disk.content(world.root_path(0));
  REQUIRE(world.erase(1, {people[0]}));
  REQUIRE(world.vault->told(Epoch(2)));
  world.ledger_epoch = Epoch(2);
  world.close();
  const auto new_root = world.disk.content(world.root_path(0));
  world.disk.set_content(world.root_path(0), old_root);
  const auto error = refusal(world);
  CHECK(error.is("root_behind"));
  CHECK(*error.find("ledger") == "2");
  CHECK(*error.find("root_store") == "1");
  world.disk.set_content(world.root_path(0), new_root);
  REQUIRE(world.open());
  CHECK(world.erased(people[0]));
}

TEST_CASE("a missing and a damaged root are told apart, and nothing opens", "[unit][vault]") {
  VaultWorld world(9);
  grown(world);
  world.close();
  const auto root = world.disk.content(world.root_path(0));
  auto torn = root;
  torn[100] = static_cast<char>(torn[100] ^ 1);
  world.disk.set_content(world.root_path(0), torn);
  CHECK(refusal(world).is("root_store_damaged"));
  world.disk.set_content(world.root_path(0), root.substr(0, 512));
  CHECK(refusal(world).is("root_store_damaged"));
  world.disk.set_content(world.root_path(0), root);
  CHECK(world.open());
  world.close();
  world.disk.remove(world.root_path(0));
  CHECK(refusal(world).is("root_store_missing"));
}

TEST_CASE("ER-05 an old copy of the keys does not open under the present root", "[unit][proof][ER-05]") {
  VaultWorld world(10, {.replicas = 1});
  const auto people = grown(world);
  // The replica goes away before the erasure: it is the old copy.
  world.replica_disks[0].plan({.space_bytes = 0});
  vault::Fence fence{.request = 1, .slots = {people[0].slot}};
  REQUIRE(world.vault->fence(fence));
  world.clock.advance(25 * 3'600'000);
  REQUIRE(world.vault->erase({&fence, 1}));
  REQUIRE(world.vault->told(Epoch(2)));
  world.close();
  world.replica_disks[0].plan({});
  auto options = world.options();
  options.keys_dir = options.replicas[0];
  options.file_system = options.replica_file_systems[0];
  options.replicas.clear();
  const auto vault =
      vault::Vault::open(options, *world.root, world.ledger, KeysMark(1), Epoch(1), world.clock, world.random);
  REQUIRE_FALSE(vault);
  CHECK(vault.error().is("keys_behind"));
  CHECK(*vault.error().find("keys") == "1");
  CHECK(*vault.error().find("root_store") == "2");
  REQUIRE(world.open());  // the root is as it was
  CHECK(world.readable(people[1]));
}

TEST_CASE("a damaged node is said, and never opened", "[unit][vault]") {
  VaultWorld world(11);
  const auto people = grown(world, 3);
  world.ledger_mark = KeysMark(0);
  world.close();
  // A row that is whole for the store but not what the vault wrote: another vault's root node under this one's name.
  RocksOptions raw;
  raw.dir = "/keys";
  raw.families = {{.name = "nodes"}, {.name = "fences"}, {.name = "meta"}, {.name = "pending"}};
  raw.file_system = world.disk.file_system();
  {
    auto store = open_rocksdb(raw).value();
    const auto cursor = store->cursor(Family(std::uint8_t{0}));
    cursor->seek(ByteArray<1>{4});
    REQUIRE(cursor->valid());
    Batch batch;
    for (; cursor->valid(); cursor->next()) {
      auto value = to_bytes(cursor->value());
      value[500] ^= 1;
      batch.put(Family(std::uint8_t{0}), cursor->key(), value);
    }
    REQUIRE(store->write(batch, Sync::yes));
  }
  REQUIRE(world.open());
  CHECK(world.read(people[0]).error().is("keys_damaged"));
  // An erasure that meets it changes nothing.
  const auto roots = world.present_roots();
  const auto change = world.erase(1, {people[0]});
  REQUIRE_FALSE(change);
  CHECK(change.error().is("keys_damaged"));
  CHECK(world.vault->epoch() == Epoch(1));
  CHECK(world.present_roots().at(0).key == roots.at(0).key);
}

TEST_CASE("ER-02 a change that lost a surviving key is taken back before the old root goes", "[unit][proof][ER-02]") {
  VaultWorld world(12);
  auto people = grown(world, 3);
  world.ledger_mark = KeysMark(0);
  // The process ends after prepare; before the next start a node of the new epoch gets lost.
  vault::Fence fence{.request = 1, .slots = {people[0].slot}};
  REQUIRE(world.vault->fence(fence));
  world.vault->on_step = [&](int step) {
    if (step == 41) world.disk.kill();
  };
  REQUIRE_FALSE(world.vault->erase({&fence, 1}));
  world.crash(5);
  REQUIRE(world.present_roots().size() == 2);
  RocksOptions raw;
  raw.dir = "/keys";
  raw.families = {{.name = "nodes"}, {.name = "fences"}, {.name = "meta"}, {.name = "pending"}};
  raw.file_system = world.disk.file_system();
  {
    auto store = open_rocksdb(raw).value();
    const Family nodes(std::uint8_t{0});
    const auto cursor = store->cursor(nodes);
    Batch batch;
    for (cursor->seek(ByteArray<1>{3}); cursor->valid() && cursor->key()[0] == 3; cursor->next()) {
      if (get_be<std::uint64_t>(cursor->key().data() + 5) == 2) batch.erase(nodes, cursor->key());
    }
    REQUIRE(batch.count() == 1);
    REQUIRE(store->write(batch, Sync::yes));
  }
  REQUIRE(world.open());
  CHECK(world.vault->epoch() == Epoch(1));
  CHECK(world.vault->counters().erasures_aborted == 1);
  CHECK(world.present_roots().size() == 1);
  CHECK(world.readable(people[1]));
  REQUIRE(world.vault->erase({&fence, 1}));
  CHECK(world.erased(people[0]));
  CHECK(world.readable(people[1]));
}

TEST_CASE("opened for reading only, a vault reads and changes nothing", "[unit][vault]") {
  VaultWorld world(13);
  const auto people = grown(world, 3);
  REQUIRE(world.erase(1, {people[0]}));
  world.close();
  auto options = world.options();
  options.prefill = false;
  auto vault =
      vault::Vault::open(options, *world.root, world.ledger, world.ledger_mark, Epoch(1), world.clock, world.random);
  REQUIRE(vault);
  world.disk.plan({});
  world.vault = std::move(*vault);
  CHECK(world.readable(people[1]));
  CHECK(world.erased(people[0]));
  CHECK(world.vault->untold().size() == 1);
  CHECK(world.vault->new_leaf().error().is("keys_read_only"));
  CHECK(world.vault->fence({.request = 2, .slots = {people[1].slot}}).error().is("keys_read_only"));
  CHECK(world.vault->told(Epoch(2)).error().is("keys_read_only"));
  CHECK(world.disk.calls() == 0);
}

TEST_CASE("R1 the keys know how large their ledger was, and what was adopted after it", "[unit][vault][R1][ER-05]") {
  VaultWorld::Setup setup;
  setup.replicas = 1;
  VaultWorld world(41, setup);
  grown(world);
  const auto kept = [&](const std::filesystem::path& dir, CrashDisk& disk) {
    return vault::Vault::ledger_size(dir, disk.file_system()).value();
  };
  world.close();
  CHECK(kept("/keys", world.disk) == TreeSize(0));

  std::atomic<std::uint64_t> size{7};
  world.ledger_size = [&] { return TreeSize(size); };
  REQUIRE(world.open());
  const auto mark = settled_mark(world);
  size = 8;
  while (kept("/keys", world.disk) != TreeSize(8)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(world.vault->mark() == mark);  // no event relies on it: a replica that was away is no older for it
  size = 9;
  world.close();  // tells what came last
  CHECK(kept("/keys", world.disk) == TreeSize(9));

  size = 4;  // an older ledger
  REQUIRE(world.open());
  world.add();
  world.close();
  CHECK(kept("/keys", world.disk) == TreeSize(9));
  CHECK(kept("/replica0", world.replica_disks[0]) == TreeSize(9));
  REQUIRE(world.open());
  REQUIRE(world.vault->adopt_ledger_size(TreeSize(4)));
  world.crash(1);
  CHECK(kept("/keys", world.disk) == TreeSize(4));
}
