#include <sys/stat.h>

#include <array>
#include <fstream>
#include <functional>

#include "crypto/random.h"
#include "support/catch.h"
#include "support/crash_disk.h"
#include "support/key_thief.h"
#include "support/seeded_random.h"
#include "support/temp_dir.h"
#include "support/vault_world.h"
#include "vault/root_store.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::vault;

namespace {

RootEntry entry(std::uint64_t epoch) {
  SeededRandom random(epoch);
  return {.epoch = Epoch(epoch),
          .key = SecretKey(random.bytes(32)),
          .root_node = random.array<32>(),
          .ledger = test_ledger_id(),
          .tree = KeyTreeId(Id16{1, 2, 3})};
}

std::vector<std::uint64_t> epochs(RootStore& store) {
  std::vector<std::uint64_t> out;
  const auto entries = store.read().value();
  for (const auto& found : entries) out.push_back(found.epoch.get());
  return out;
}
using Epochs = std::vector<std::uint64_t>;

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("the root file: two slots, mode 0600 in 0700, replaced in place", "[unit][vault]") {
  const TempDir dir;
  SystemRandom random;
  const auto file = dir.path() / "outside" / "root";
  const auto store = open_file_root_store(file, random);
  CHECK(store->read().error().is("root_store_missing"));
  REQUIRE(store->create(entry(1)));
  CHECK(store->create(entry(1)).error().is("exists"));
  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(info.st_size == 8192);
  const auto inode = info.st_ino;
  REQUIRE(::stat(file.parent_path().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);

  CHECK(epochs(*store) == Epochs{1});
  REQUIRE(store->prepare(entry(2)));
  CHECK(epochs(*store) == Epochs{1, 2});
  REQUIRE(store->commit(entry(2)));
  CHECK(epochs(*store) == Epochs{2});
  REQUIRE(store->prepare(entry(3)));
  REQUIRE(store->abort(Epoch(3)));
  CHECK(epochs(*store) == Epochs{2});
  const auto content = bytes_of(file);
  CHECK(content.find(as_chars(entry(1).key.view())) == content.npos);
  CHECK(content.find(as_chars(entry(2).key.view())) != content.npos);
  CHECK(content.find(as_chars(entry(3).key.view())) == content.npos);
  const auto read = store->read().value();
  CHECK(equal(read[0].key.view(), entry(2).key.view()));
  CHECK(read[0].root_node == entry(2).root_node);
  CHECK(read[0].ledger == entry(2).ledger);
  CHECK(read[0].tree == entry(2).tree);
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK(info.st_ino == inode);  // never renamed
}

TEST_CASE("the root store never destroys its last valid entry", "[unit][vault]") {
  const TempDir dir;
  SystemRandom random;
  const auto store = open_file_root_store(dir.path() / "r" / "root", random);
  REQUIRE(store->create(entry(5)));
  CHECK(store->commit(entry(4)).error().is("root_order"));
  CHECK(store->abort(Epoch(5)).error().is("root_order"));
  CHECK(store->prepare(entry(4)).error().is("root_order"));
  CHECK(epochs(*store) == Epochs{5});
  REQUIRE(store->prepare(entry(6)));
  REQUIRE(store->prepare(entry(6)));  // again
  REQUIRE(store->prepare(entry(7)));  // another attempt takes its place
  CHECK(epochs(*store) == Epochs{5, 7});
  REQUIRE(store->commit(entry(7)));
  REQUIRE(store->commit(entry(7)));
  REQUIRE(store->prepare(entry(7)));
  CHECK(epochs(*store) == Epochs{7});
  // One that was away at prepare gets the entry first, and one that another attempt was prepared in this one's.
  REQUIRE(store->commit(entry(8)));
  CHECK(epochs(*store) == Epochs{8});
  auto attempt = entry(9);
  attempt.key = entry(19).key;
  REQUIRE(store->prepare(attempt));
  REQUIRE(store->commit(entry(9)));
  CHECK(epochs(*store) == Epochs{9});
  CHECK(equal(store->read().value()[0].key.view(), entry(9).key.view()));
  REQUIRE(store->commit(attempt));  // also where the other one is the only one left
  CHECK(equal(store->read().value()[0].key.view(), attempt.key.view()));
  // The only key of another ledger is never touched.
  auto foreign = entry(10);
  foreign.ledger = LedgerId(ByteArray<8>{9});
  CHECK(store->prepare(foreign).error().is("root_order"));
  CHECK(store->commit(foreign).error().is("root_order"));
  CHECK(store->heal(foreign).away == std::vector<std::filesystem::path>{dir.path() / "r" / "root"});
  CHECK(epochs(*store) == Epochs{9});
}

TEST_CASE("ER-03 the root file at every power loss holds the old or the new key", "[unit][proof][ER-03]") {
  const auto seed = GENERATE(range(0u, 60u));
  CAPTURE(seed);
  for (std::uint64_t call = 1;; ++call) {
    CAPTURE(call);
    CrashDisk disk(seed);
    SystemRandom random;
    auto files = disk.files();
    auto store = open_file_root_store("/r/root", random, files.get());
    REQUIRE(store->create(entry(1)));
    disk.plan({.power_loss_at_call = call});
    const bool prepared = store->prepare(entry(2)).has_value();
    const bool committed = prepared && store->commit(entry(2)).has_value();
    const bool lost = disk.power_lost();
    auto after = disk.after_restart(seed + 1000);
    files = after.files();
    store = open_file_root_store("/r/root", random, files.get());
    const auto found = epochs(*store);
    if (committed) {
      CHECK(found == Epochs{2});
    } else if (prepared) {
      CHECK((found == Epochs{1, 2} || found == Epochs{2}));
    } else {
      CHECK((found == Epochs{1} || found == Epochs{1, 2}));
    }
    // Whatever is left of a torn slot goes with the next commit or abort.
    const auto scrubbed = found.back() == 2 ? store->commit(entry(2)) : store->abort(Epoch(2));
    REQUIRE(scrubbed);
    const auto content = after.content("/r/root");
    const auto dead = entry(found.back() == 2 ? 1 : 2);
    CHECK(content.find(as_chars(dead.key.view())) == content.npos);
    CHECK(content.find(as_chars(dead.key.view().first(16))) == content.npos);
    CHECK(content.find(as_chars(dead.key.view().last(16))) == content.npos);
    if (!lost) break;
  }
}

TEST_CASE("a mirror: any member recovers, all must destroy, one that is behind is rolled forward", "[unit][vault]") {
  const TempDir dir;
  SystemRandom random;
  const auto first = dir.path() / "a" / "root";
  const auto second = dir.path() / "b" / "root";
  const auto make = [&] {
    std::vector<std::unique_ptr<RootStore>> members;
    members.push_back(open_file_root_store(first, random));
    members.push_back(open_file_root_store(second, random));
    return mirror(std::move(members));
  };
  const auto both = make();
  REQUIRE(both->create(entry(1)));
  CHECK(both->create(entry(1)).error().is("exists"));
  CHECK(both->members() == 2);
  CHECK(both->grade() == 0);
  CHECK(both->kind() == "file");
  REQUIRE(both->prepare(entry(2)));
  // The second goes away before the commit.
  std::filesystem::rename(second, dir.path() / "away");
  const auto failed = both->commit(entry(2));
  CHECK(failed.error().is("root_store_unavailable"));
  CHECK(*failed.error().find("members_reached") == "1");
  CHECK(epochs(*both) == Epochs{2});
  CHECK(both->prepare(entry(3)).error().is("root_store_unavailable"));
  REQUIRE(open_file_root_store(first, random)->abort(Epoch(3)));
  std::filesystem::rename(dir.path() / "away", second);
  CHECK(epochs(*both) == Epochs{1, 2});
  REQUIRE(both->commit(entry(2)));
  CHECK(epochs(*both) == Epochs{2});
  CHECK(epochs(*open_file_root_store(second, random)) == Epochs{2});

  // One that saw nothing of two epochs takes the entry from the other.
  const auto old = bytes_of(second);
  REQUIRE(both->prepare(entry(3)));
  REQUIRE(both->commit(entry(3)));
  std::ofstream(second, std::ios::binary | std::ios::trunc) << old;
  REQUIRE(both->commit(entry(3)));
  CHECK(epochs(*open_file_root_store(second, random)) == Epochs{3});
  // Stores of different ledgers are no mirror.
  auto foreign = entry(9);
  foreign.ledger = LedgerId(ByteArray<8>{9});
  std::filesystem::remove(second);
  REQUIRE(open_file_root_store(second, random)->create(foreign));
  CHECK(both->read().error().is("other_ledger"));
}

TEST_CASE("a vault with a mirror waits with the certificate until every member has destroyed the old root",
          "[unit][vault]") {
  VaultWorld world(3, {.root_members = 2});
  REQUIRE(world.create());
  REQUIRE(world.open());
  const auto person = world.add();
  const auto other = world.add();
  const auto away = world.disk.content(world.root_path(1));
  world.vault->on_step = [&](int step) {
    if (step == 42) world.disk.remove(world.root_path(1));
  };
  vault::Fence fence{.request = 1, .slots = {person.slot}};
  REQUIRE(world.vault->fence(fence));
  CHECK(world.vault->erase({&fence, 1}).error().is("root_store_unavailable"));
  CHECK(world.vault->untold().empty());
  CHECK(world.erased(person));
  CHECK(world.readable(other));
  CHECK(world.vault->erase({&fence, 1}).error().is("root_store_unavailable"));

  SECTION("it comes back while the vault is open") {
    // As it was left: with both roots, the new one prepared.
    auto files = world.disk.files();
    REQUIRE(files->write_file_durably(world.root_path(1), as_bytes(away), 0600));
    const auto change = world.vault->erase({&fence, 1});
    REQUIRE(change);
    CHECK(change->to == Epoch(2));
    CHECK(change->members == 2);
  }
  SECTION("it comes back at the next start") {
    world.close();
    auto files = world.disk.files();
    REQUIRE(files->write_file_durably(world.root_path(1), as_bytes(away), 0600));
    REQUIRE(world.open());
    REQUIRE(world.vault->untold().size() == 1);
    CHECK(world.vault->untold()[0].requests == std::vector<std::uint64_t>{1});
  }
  SECTION("it is still away at the next start") {
    world.close();
    REQUIRE(world.open());
    CHECK(world.vault->untold().empty());
    CHECK(world.readable(other));
    CHECK(world.erased(person));
    auto files = world.disk.files();
    REQUIRE(files->write_file_durably(world.root_path(1), as_bytes(away), 0600));
    REQUIRE(world.vault->erase({&fence, 1}));
  }
  CHECK(roots_of(world.disk.content(world.root_path(1))).size() == 1);
  CHECK(roots_of(world.disk.content(world.root_path(1)))[0].epoch == 2);
  REQUIRE(world.vault->told(Epoch(2)));
  CHECK(world.erased(person));
  CHECK(world.readable(other));
}

TEST_CASE("a damaged member of a mirror is written anew at the opening, a missing or foreign one is left alone",
          "[unit][vault]") {
  VaultWorld world(6, {.root_members = 2});
  REQUIRE(world.create());
  REQUIRE(world.open());
  const auto person = world.add();
  const auto other = world.add();
  REQUIRE(world.erase(1, {person}));
  REQUIRE(world.vault->told(Epoch(2)));
  const std::size_t member = GENERATE(0, 1);
  const auto path = world.root_path(member);
  const auto whole = world.disk.content(path);
  world.close();

  SECTION("both slots damaged") {
    for (const auto offset : {100, 4096 + 100}) REQUIRE(world.disk.flip(path, static_cast<std::uint64_t>(offset)));
    REQUIRE(roots_of(world.disk.content(path)).empty());
    REQUIRE(world.open());
    CHECK(world.vault->counters().roots_healed == 1);
    CHECK(world.readable(other));
    const auto healed = roots_of(world.disk.content(path));
    REQUIRE(healed.size() == 1);
    CHECK(healed[0].epoch == 2);
    // It counts again: an erasure destroys the old root here too.
    REQUIRE(world.erase(2, {other}));
    CHECK(roots_of(world.disk.content(path)).at(0).epoch == 3);
  }
  SECTION("missing") {
    world.disk.remove(path);
    REQUIRE(world.open());
    CHECK(world.vault->counters().roots_healed == 0);
    CHECK_FALSE(*world.disk.files()->exists(path));
  }
  SECTION("not a root store") {
    world.disk.set_content(path, "something else");
    REQUIRE(world.open());
    CHECK(world.vault->counters().roots_healed == 0);
    CHECK(world.disk.content(path) == "something else");
  }
  SECTION("whole") {
    REQUIRE(world.open());
    CHECK(world.vault->counters().roots_healed == 0);
    CHECK(roots_of(world.disk.content(path)).at(0).epoch == 2);
  }
  SECTION("a root of another ledger beside it is no mirror") {
    auto foreign = entry(9);
    foreign.ledger = LedgerId(ByteArray<8>{9});
    world.disk.remove(path);
    REQUIRE(open_file_root_store(path, world.random, world.files.at(member).get())->create(foreign));
    CHECK(world.open().error().is("other_ledger"));
  }
}

TEST_CASE("a root store that is damaged while the vault is open is written anew, one that is away is waited for",
          "[unit][vault]") {
  const std::size_t members = GENERATE(1, 2);
  VaultWorld world(7, {.root_members = members});
  REQUIRE(world.create());
  REQUIRE(world.open());
  const auto person = world.add();
  const auto other = world.add();
  const std::size_t member = members - 1;
  const auto path = world.root_path(member);
  const auto whole = world.disk.content(path);
  const auto damage = [&] {
    for (const auto offset : {100, 4096 + 100}) REQUIRE(world.disk.flip(path, static_cast<std::uint64_t>(offset)));
  };
  const vault::Fence fence{.request = 1, .slots = {person.slot}};
  REQUIRE(world.vault->fence(fence));

  SECTION("before an erasure") {
    damage();
    const bool at_once = GENERATE(false, true);  // the erasure itself looks too
    if (at_once) REQUIRE(world.vault->erase({&fence, 1}));
    if (!at_once) REQUIRE(world.vault->settle());
    CHECK(world.vault->counters().roots_healed == 1);
    REQUIRE(roots_of(world.disk.content(path)).size() == 1);
    CHECK(roots_of(world.disk.content(path))[0].epoch == (at_once ? 2 : 1));
  }
  SECTION("in the middle of one") {
    world.vault->on_step = [&](int step) {
      if (step == 42) damage();
    };
    CHECK_FALSE(world.vault->erase({&fence, 1}));
    world.vault->on_step = nullptr;
    CHECK(world.vault->counters().roots_away == 1);
    REQUIRE(world.vault->settle());
    CHECK(world.vault->counters().roots_healed == 1);
    CHECK(world.vault->untold().size() == 1);
  }
  SECTION("away, and back") {
    const bool missing = GENERATE(true, false);
    if (missing) world.disk.remove(path);
    if (!missing) world.disk.set_content(path, "something else");
    REQUIRE(world.vault->settle());  // nothing waits for it yet
    CHECK(world.vault->counters().roots_away == 1);
    CHECK_FALSE(world.vault->erase({&fence, 1}));
    REQUIRE(world.vault->settle());
    CHECK(world.vault->counters().roots_away == 1);
    CHECK(world.vault->counters().roots_healed == 0);
    auto files = world.disk.files();
    REQUIRE(files->write_file_durably(path, as_bytes(whole), 0600));
    REQUIRE(world.vault->settle());
  }
  const auto change = world.vault->erase({&fence, 1});
  REQUIRE(change);
  CHECK(change->members == members);
  CHECK(world.vault->counters().roots_away == 0);
  REQUIRE(world.vault->told(change->to));
  for (std::size_t i = 0; i < members; ++i) {
    const auto roots = roots_of(world.disk.content(world.root_path(i)));
    REQUIRE(roots.size() == 1);
    CHECK(roots[0].epoch == 2);
  }
  CHECK(world.erased(person));
  CHECK(world.readable(other));
  world.close();
  world.ledger_epoch = Epoch(2);
  REQUIRE(world.open());
  CHECK(world.erased(person));
  CHECK(world.readable(other));
}

namespace {

// A mirror whose first member has a root that opens nothing: prepared by an attempt at the epoch that became another
// attempt's while it was away.
struct Apart {
  VaultWorld world;
  Person dying, other;
  std::string first;  // what that member holds: {1, 2 of the first attempt}
  bool apart = false;

  // The power goes at this call of the second attempt's prepare, which the first member is away for.
  Apart(std::uint64_t seed, std::uint64_t call) : world(seed, {.root_members = 2}) {
    REQUIRE(world.create());
    REQUIRE(world.open());
    dying = world.add();
    other = world.add();
    const auto second = world.disk.content(world.root_path(1));
    end_erasure_at(41, [&] { world.disk.kill(); });
    // As if the power had gone between the two members.
    first = world.disk.content(world.root_path(0));
    REQUIRE(roots_of(first).size() == 2);
    world.disk.set_content(world.root_path(1), second);
    world.disk.remove(world.root_path(0));
    REQUIRE(world.open());
    REQUIRE(world.vault->epoch() == Epoch(1));
    put_back(first);
    end_erasure_at(3, [&] {
      world.disk.remove(world.root_path(0));
      world.disk.plan({.power_loss_at_call = call});
    });
    apart = roots().size() == 2;
  }

  void end_erasure_at(int at, const std::function<void()>& end) {
    world.vault->on_step = [&](int step) {
      if (step == at) end();
    };
    REQUIRE_FALSE(world.erase(1, {dying}));
    world.crash(7);
  }
  void put_back(std::string_view content) {
    REQUIRE(world.disk.files()->write_file_durably(world.root_path(0), as_bytes(content), 0600));
  }
  [[nodiscard]] std::vector<StolenRoot> roots() const { return roots_of(world.disk.content(world.root_path(1))); }

  void check_mirror() {
    const auto members = std::array{roots_of(world.disk.content(world.root_path(0))), roots()};
    REQUIRE(members[0].size() == 1);
    REQUIRE(members[1].size() == 1);
    CHECK(members[0][0].epoch == 2);
    CHECK(members[0][0].key == members[1][0].key);
    REQUIRE(world.vault->untold().size() == 1);
    CHECK(world.vault->untold()[0].members == 2);
    REQUIRE(world.vault->told(Epoch(2)));
    // The second is lost: it was a mirror.
    world.close();
    world.disk.remove(world.root_path(1));
    REQUIRE(world.open());
    CHECK(world.readable(other));
    CHECK(world.erased(dying));
  }
};

}  // namespace

TEST_CASE("ER-03 a member of a mirror that another attempt was prepared in gets the root that lives",
          "[unit][vault][ER-03]") {
  const bool while_open = GENERATE(true, false);
  const bool taken_for_whole = GENERATE(false, true);  // by an older version: the other attempt's root is its only one
  CAPTURE(while_open, taken_for_whole);
  std::size_t seen = 0;
  for (std::uint64_t call = 1; call <= 6; ++call) {
    CAPTURE(call);
    Apart it(call, call);
    if (!it.apart) continue;
    ++seen;
    REQUIRE(it.world.open());
    CHECK(it.world.vault->epoch() == Epoch(2));
    CHECK(it.world.vault->untold().empty());
    if (taken_for_whole) {
      const auto lower = roots_of(it.first.substr(0, 4096)).at(0).epoch == 1 ? 0u : 4096u;
      it.first.replace(lower, 512, std::string(512, 'x'));
      REQUIRE(roots_of(it.first).size() == 1);
      REQUIRE(roots_of(it.first)[0].epoch == 2);
    }
    if (!while_open) it.world.close();
    it.put_back(it.first);
    if (!while_open) REQUIRE(it.world.open());
    if (while_open) REQUIRE(it.world.vault->settle());
    it.check_mirror();
  }
  CHECK(seen > 0);
}

TEST_CASE("a member of a mirror that comes back with another root is not counted as whole", "[unit][vault]") {
  VaultWorld world(8, {.root_members = 2});
  REQUIRE(world.create());
  REQUIRE(world.open());
  const auto path = world.root_path(1);
  const auto old = world.disk.content(path);
  REQUIRE(world.erase(1, {world.add()}));
  REQUIRE(world.vault->told(Epoch(2)));
  SECTION("an older one is brought up") {
    world.disk.set_content(path, old);
    REQUIRE(world.vault->settle());
    const auto roots = roots_of(world.disk.content(path));
    REQUIRE(roots.size() == 1);
    CHECK(roots[0].key == world.present_roots().at(0).key);
  }
  SECTION("one that is ahead, or another ledger's, is left alone and waited for") {
    auto strange = entry(9);
    const bool foreign = GENERATE(false, true);
    if (!foreign) strange.tree = world.tree;
    world.disk.remove(path);
    REQUIRE(open_file_root_store(path, world.random, world.files.at(1).get())->create(strange));
    const auto content = world.disk.content(path);
    REQUIRE(world.vault->settle());
    CHECK(world.vault->counters().roots_away == 1);
    CHECK_FALSE(world.erase(2, {world.add()}));
    CHECK(world.disk.content(path) == content);
  }
}

TEST_CASE("an erasure tried again together with another, after a member was away, makes two epochs", "[unit][vault]") {
  VaultWorld world(5, {.root_members = 2});
  REQUIRE(world.create());
  REQUIRE(world.open());
  const auto people = std::vector{world.add(), world.add(), world.add()};
  const auto away = world.disk.content(world.root_path(1));
  world.vault->on_step = [&](int step) {
    if (step == 42) world.disk.remove(world.root_path(1));
  };
  CHECK(world.erase(1, {people[0]}).error().is("root_store_unavailable"));
  CHECK(world.vault->settle().error().is("root_store_unavailable"));
  world.vault->on_step = nullptr;
  auto files = world.disk.files();
  REQUIRE(files->write_file_durably(world.root_path(1), as_bytes(away), 0600));
  const bool settled = GENERATE(false, true);
  if (settled) {
    REQUIRE(world.vault->settle());
    CHECK(world.vault->untold().size() == 1);
  }
  const std::vector<vault::Fence> both = {{.request = 1, .slots = {}}, {.request = 2, .slots = {people[1].slot}}};
  REQUIRE(world.vault->fence(both[1]));
  const auto change = world.vault->erase(both);
  REQUIRE(change);
  CHECK(change->to == Epoch(3));
  CHECK(change->requests == std::vector<std::uint64_t>{2});
  CHECK(change->leaves == 1);
  // Asked for once more it is no epoch more.
  CHECK(world.vault->erase(both)->to == Epoch(3));
  const auto untold = world.vault->untold();
  REQUIRE(untold.size() == 2);
  CHECK(untold[0].to == Epoch(2));
  CHECK(untold[0].requests == std::vector<std::uint64_t>{1});
  REQUIRE(world.vault->told(Epoch(2)));
  REQUIRE(world.vault->told(Epoch(3)));
  CHECK(world.vault->fences().empty());
  CHECK(world.erased(people[0]));
  CHECK(world.erased(people[1]));
  CHECK(world.readable(people[2]));
}

TEST_CASE("a root inside the data directory is refused", "[unit][vault]") {
  const TempDir dir;
  const auto data = dir.path() / "data";
  std::filesystem::create_directory(data);
  std::filesystem::create_directory_symlink(data, dir.path() / "link");
  CHECK(check_root_place(data / "root", data).error().is("root_inside_data"));
  CHECK(check_root_place(data / "x" / ".." / "root", data).error().is("root_inside_data"));
  CHECK(check_root_place(dir.path() / "link" / "root", data).error().is("root_inside_data"));
  CHECK(check_root_place(data / "root", dir.path() / "link").error().is("root_inside_data"));
  CHECK(check_root_place(data / "root", data / "").error().is("root_inside_data"));
  CHECK(check_root_place(dir.path() / "data.root" / "root", data));
  CHECK(check_root_place(dir.path() / "root", data));
}
