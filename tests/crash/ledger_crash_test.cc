// The ledger on a disk that loses power, fails or fills up at every single call, and on a real one under kill -9.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.h"
#include "support/crash_disk.h"
#include "support/ledger_kit.h"
#include "support/temp_dir.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::ledger;

namespace {

bool long_run() { return std::getenv("SIEGEL_LONG") != nullptr; }

RocksOptions rocks_options(const std::filesystem::path& dir) {
  RocksOptions options;
  options.dir = dir;
  options.families = Ledger::families();
  return options;
}

// One life after the other of one ledger on one crash-testing disk.
class CrashWorld {
 public:
  explicit CrashWorld(std::uint64_t seed) : random_(seed), disk_(seed) {
    files_ = disk_.files();
    REQUIRE(files_->make_dir("/data", 0700));
    REQUIRE(files_->make_dir("/outside", 0700));
    auto store = open_store(RocksOptions::Create::if_missing);
    REQUIRE(store);
    REQUIRE(Ledger::create(**store, test_options(*files_)));
    store->reset();
    auto ledger = open();
    REQUIRE(ledger);
    REQUIRE((*ledger)->adopt_lock_record());
  }

  Result<std::unique_ptr<Store>> open_store(RocksOptions::Create create = RocksOptions::Create::never) {
    auto options = rocks_options("/data/ledger");
    options.create = create;
    options.file_system = disk_.file_system();
    // Small, so that lives meet flushes and new logs. Only one of them: RocksDB 7.8 forgets a reference when a new log
    // cannot be made while two families are full, and aborts when it is closed.
    options.families[1].write_buffer_bytes = 64 << 10;
    options.wal_bytes_max = 256 << 10;
    return open_rocksdb(options);
  }
  // What a power loss leaves of the logs looks like no damage: a record that begins was preceded by none that is torn.
  void check_logs_are_torn_at_most() {
    auto options = rocks_options("/data/ledger");
    options.file_system = disk_.file_system();
    const auto broken = check_logs(options);
    if (!broken) return;  // the disk fails
    for (const auto& range : *broken) {
      INFO(range.file << " from " << range.from << " until " << range.until);
      CHECK_FALSE(range.was_followed);
    }
  }
  Result<std::unique_ptr<Ledger>> open() {
    SIEGEL_TRY(store, open_store());
    return Ledger::open(std::move(store), test_options(*files_), signer_, clock_);
  }

  // Appends groups of several sizes until one is refused; every acknowledged size is remembered.
  void append_until_refused(int groups) {
    auto ledger = open();
    if (!ledger || !(*ledger)->read_only().empty()) return;
    REQUIRE((*ledger)->start());
    for (int i = 0; i < groups; ++i) {
      const auto count = i % 4 == 3 ? 150 + random_.below(300) : 1 + random_.below(4);
      boundaries_.push_back((*ledger)->size().get());
      boundaries_.push_back((*ledger)->size().get() + count);
      const auto outcome = append_bulk(**ledger, random_, count, {.parts = 2, .bytes = 30, .prepared = i % 2 == 0});
      clock_.advance(random_.below(5));
      if (!outcome) {
        CHECK(outcome.error().is("read_only"));
        CHECK(!(*ledger)->read_only().empty());
        CHECK((*ledger)->size().get() == acknowledged_);  // reads go on at what was acknowledged
        return;
      }
      acknowledged_ = outcome->size.get();
    }
  }

  // Three groups at a time, each decided while the one before is being written.
  void append_overlapped_until_refused(int rounds) {
    constexpr std::size_t kBulk = 500;
    auto store = open_store();
    if (!store) return;
    auto options = test_options(*files_);
    options.group_events_max = kBulk;
    auto ledger = Ledger::open(std::move(*store), options, signer_, clock_);
    if (!ledger || !(*ledger)->read_only().empty()) return;
    REQUIRE((*ledger)->start());
    for (int round = 0; round < rounds; ++round) {
      boundaries_.push_back((*ledger)->size().get());
      std::vector<Pending> pending;
      for (int i = 0; i < 3; ++i) {
        boundaries_.push_back(boundaries_.back() + kBulk);
        std::vector<Draft> drafts;
        for (std::size_t k = 0; k < kBulk; ++k) drafts.push_back(make_draft(random_, {.parts = 1, .bytes = 20}));
        pending.push_back(submit(**ledger, std::move(drafts), {.mark = 1, .estimate = kBulk}));
      }
      bool good = true;
      for (auto& one : pending) {
        const auto outcome = one.get();
        if (outcome) {
          CHECK(good);  // after one that was refused nothing is acknowledged
          acknowledged_ = outcome->size.get();
        } else {
          CHECK(outcome.error().is("read_only"));
          good = false;
        }
      }
      CHECK((*ledger)->size().get() == acknowledged_);
      if (!good) return;
    }
  }

  void restart(std::uint64_t seed) {
    disk_ = disk_.after_restart(seed);
    files_ = disk_.files();
    check_logs_are_torn_at_most();
  }

  void kill() {
    disk_.kill();
    files_ = disk_.files();
  }

  // After a restart without faults: the old state or the new one, whole, writable, and signed with one root.
  void check_recovered() {
    auto ledger = open();
    INFO((ledger ? std::string() : ledger.error().text()));
    REQUIRE(ledger);
    for (const auto& reason : (*ledger)->read_only()) FAIL_CHECK(reason.code + ": " + reason.detail);
    const auto size = (*ledger)->size().get();
    CHECK(size >= acknowledged_);
    boundaries_.push_back(0);
    CHECK(std::ranges::count(boundaries_, size) > 0);
    CHECK(audit(**ledger, signer_.verifier()) == "");
    CHECK(!heads_.forked());
    REQUIRE((*ledger)->start());
    const auto next = append_bulk(**ledger, random_, 2);
    REQUIRE(next);
    CHECK(next->first == Seq(size));
    acknowledged_ = next->size.get();
    boundaries_.push_back(acknowledged_);
  }

  CrashDisk& disk() { return disk_; }
  SeededRandom& random() { return random_; }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  SeededRandom random_;
  CrashDisk disk_;
  std::unique_ptr<Files> files_;
  HandClock clock_;
  SignedHeads heads_;
  CountingSigner signer_{kOrigin, &heads_};
  std::uint64_t acknowledged_ = 0;
  std::vector<std::uint64_t> boundaries_;
};

}  // namespace

TEST_CASE("D2 a failure at any call of the disk leaves the old state or the new one, and no size with two roots",
          "[crash][ledger][D2][EV-01]") {
  enum class Fault { power_loss, io_error, sync_failure, killed };
  const auto fault = GENERATE(Fault::power_loss, Fault::io_error, Fault::sync_failure, Fault::killed);
  const std::uint64_t step = long_run() ? 1 : 3;
  const std::uint64_t seeds = long_run() ? 8 : 1;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    for (std::uint64_t call = 1 + seed % step;; call += step) {
      CAPTURE(static_cast<int>(fault), seed, call);
      CrashWorld world(seed * 1'000 + call);
      CrashPlan plan;
      if (fault == Fault::power_loss) plan.power_loss_at_call = call;
      if (fault == Fault::io_error || fault == Fault::killed) plan.io_error_at_call = call;
      if (fault == Fault::sync_failure) plan.sync_failure_at = call;
      world.disk().plan(plan);
      world.append_until_refused(6);
      const bool struck = (fault == Fault::sync_failure ? world.disk().syncs() : world.disk().calls()) >= call;
      world.disk().plan({});
      if (fault == Fault::killed) {  // what was written stays, synced or not
        world.kill();
      } else {
        world.restart(seed + call);
      }
      world.check_recovered();
      if (!struck) break;
      REQUIRE(call < 2'000);
    }
  }
}

TEST_CASE(
    "D2 a failure at any call while groups overlap leaves whole groups, what was acknowledged, and one root a size",
    "[crash][ledger][D2]") {
  enum class Fault { power_loss, io_error, killed };
  const auto fault = GENERATE(Fault::power_loss, Fault::io_error, Fault::killed);
  for (std::uint64_t call = 1;; call += long_run() ? 1 : 4) {
    CAPTURE(static_cast<int>(fault), call);
    CrashWorld world(50'000 + call);
    CrashPlan plan;
    if (fault == Fault::power_loss) {
      plan.power_loss_at_call = call;
    } else {
      plan.io_error_at_call = call;
    }
    world.disk().plan(plan);
    world.append_overlapped_until_refused(2);
    const bool struck = world.disk().calls() >= call;
    world.disk().plan({});
    if (fault == Fault::killed) {
      world.kill();
    } else {
      world.restart(call);
    }
    world.check_recovered();
    if (!struck) break;
    REQUIRE(call < 2'000);
  }
}

TEST_CASE("D2 many lives and power losses of one ledger", "[crash][ledger][D2]") {
  const auto seed = GENERATE(range(0u, 12u));
  for (std::uint64_t more = 0; more < (long_run() ? 40u : 1u); ++more) {
    CAPTURE(seed, more);
    CrashWorld world(7'000 + seed + 100 * more);
    for (int life = 0; life < 5; ++life) {
      CrashPlan plan;
      if (world.random().below(3) != 0) {
        plan.power_loss_at_call = 1 + world.random().below(80);
      } else {
        plan.power_loss_at_sync = 1 + world.random().below(30);
      }
      world.disk().plan(plan);
      world.append_until_refused(12);
      world.restart(seed + 17 * static_cast<std::uint64_t>(life));
      world.check_recovered();
    }
  }
}

TEST_CASE("A full disk: writes are refused by name, reads go on, and a new start after room is made writes again",
          "[crash][ledger][D2]") {
  CrashWorld world(3);
  world.append_until_refused(2);
  const auto before = world.acknowledged();
  world.disk().plan({.space_bytes = 200'000});
  world.append_until_refused(100);
  CHECK(world.acknowledged() > before);
  world.disk().plan({});
  world.check_recovered();
}

TEST_CASE("A full disk is named as the reason", "[crash][ledger][D2]") {
  CrashDisk disk(5);
  auto files = disk.files();
  REQUIRE(files->make_dir("/data", 0700));
  REQUIRE(files->make_dir("/outside", 0700));
  auto options = rocks_options("/data/ledger");
  options.create = RocksOptions::Create::if_missing;
  options.file_system = disk.file_system();
  auto store = std::move(*open_rocksdb(options));
  REQUIRE(Ledger::create(*store, test_options(*files)));
  HandClock clock;
  CountingSigner signer(kOrigin);
  SeededRandom random(1);
  auto ledger = std::move(*Ledger::open(std::move(store), test_options(*files), signer, clock));
  REQUIRE(ledger->adopt_lock_record());
  REQUIRE(ledger->start());
  REQUIRE(append_each(*ledger, random, 3));
  disk.plan({.space_bytes = 20'000});
  auto outcome = append_bulk(*ledger, random, 1);
  for (int i = 0; i < 200 && outcome; ++i) outcome = append_bulk(*ledger, random, 3);
  REQUIRE(!outcome);
  CHECK(outcome.error().is("read_only"));
  CHECK(*outcome.error().find("reason") == "disk_full");
  REQUIRE(ledger->read_only().size() == 1);
  CHECK(ledger->read_only()[0].code == "disk_full");
  CHECK(ledger->read(Seq(0)));
  CHECK(ledger->inclusion(Seq(1), ledger->size()));
  CHECK(audit(*ledger, signer.verifier()) == "");
}

namespace {

// A ledger in a real directory.
struct RealWorld {
  RealWorld() {
    SystemFiles files;
    REQUIRE(files.make_dir(outside(), 0700));
    auto options = rocks_options(store_dir());
    options.create = RocksOptions::Create::if_missing;
    auto store = open_rocksdb(options);
    REQUIRE(store);
    REQUIRE(Ledger::create(**store, ledger_options(dir.path())));
    store->reset();
    REQUIRE(open()->adopt_lock_record());
  }
  [[nodiscard]] std::filesystem::path store_dir() const { return dir.path() / "ledger"; }
  [[nodiscard]] std::filesystem::path outside() const { return dir.path() / "outside"; }
  static Options ledger_options(const std::filesystem::path& in) {
    static SystemFiles files;
    return test_options(files, in / "outside/head");
  }
  std::unique_ptr<Ledger> open() {
    auto store = open_rocksdb(rocks_options(store_dir()));
    INFO((store ? std::string() : store.error().text()));
    REQUIRE(store);
    auto ledger = Ledger::open(std::move(*store), ledger_options(dir.path()), signer, clock);
    INFO((ledger ? std::string() : ledger.error().text()));
    REQUIRE(ledger);
    return std::move(*ledger);
  }
  [[nodiscard]] std::vector<std::filesystem::path> logs() const {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(store_dir())) {
      if (entry.path().extension() == ".log" && entry.file_size() > 0) out.push_back(entry.path());
    }
    std::ranges::sort(out);
    return out;
  }

  TempDir dir;
  SystemClock clock;
  CountingSigner signer{kOrigin};
};

void invert_byte(const std::filesystem::path& path, std::uint64_t at) {
  SystemFiles files;
  auto bytes = *files.read_file(path, std::size_t{64} << 20);
  bytes.at(at) ^= 0xff;
  REQUIRE(files.write_file_durably(path, bytes, 0600));
}

}  // namespace

TEST_CASE("R1 a bad byte in the middle of the write-ahead log opens read-only, not silently shortened",
          "[crash][ledger][R1][D2]") {
  const auto eighth = GENERATE(2u, 4u, 6u, 7u);
  RealWorld world;
  SeededRandom random(eighth);
  {
    auto ledger = world.open();
    REQUIRE(ledger->start());
    REQUIRE(append_each(*ledger, random, 80));
    ledger->close();  // syncs the lock record
  }
  const auto logs = world.logs();
  REQUIRE(logs.size() == 1);
  invert_byte(logs[0], std::filesystem::file_size(logs[0]) / 8 * eighth);
  auto ledger = world.open();
  const auto reasons = ledger->read_only();
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0].code == "behind_lock_record");
  CHECK_THAT(reasons[0].detail, contains("lock record size 80"));
  const auto size = ledger->size();
  CHECK(size < TreeSize(80));
  CHECK(size > TreeSize(0));
  REQUIRE(ledger->start());
  CHECK(append_bulk(*ledger, random, 1).error().is("read_only"));
  CHECK(ledger->size() == size);
  CHECK(ledger->read(Seq(size.get() - 1)));
}

// ── kill -9 ──────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

constexpr const char* kChildDir = "SIEGEL_LEDGER_CHILD_DIR";
constexpr int kChildPipe = 3;

// What the child tells: a head before it is signed, a size after it was acknowledged.
struct Told {
  std::uint64_t size = 0;
  Hash root{};
  std::uint8_t acknowledged = 0;
  std::uint8_t padding[7] = {};
};

void tell(const Told& told) {
  if (::write(kChildPipe, &told, sizeof told) != static_cast<ssize_t>(sizeof told)) std::abort();
}

class TellingSigner final : public Signer {
 public:
  Result<std::string> sign(const ledger::TreeHead& head) override {
    tell({.size = head.size.get(), .root = head.root});
    return inner_.sign(head);
  }
  Result<std::string> sign_text(std::string_view text) override { return inner_.sign_text(text); }
  [[nodiscard]] std::string verifier_key() const override { return inner_.verifier_key(); }

 private:
  CountingSigner inner_{kOrigin};
};

struct Child {
  pid_t pid;
  int pipe;
};

Child start_child(const std::filesystem::path& dir) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::dup2(ends[1], kChildPipe);
    ::setenv(kChildDir, dir.c_str(), 1);
    ::execl("/proc/self/exe", "ledger-child", "[ledger-child]", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

// Reads until the pipe ends; kills after `kill_after` acknowledgements.
std::uint64_t listen_and_kill(const Child& child, std::uint64_t kill_after, SignedHeads& heads) {
  std::uint64_t acknowledged = 0, count = 0;
  Told told;
  std::size_t filled = 0;
  for (;;) {
    const auto n = ::read(child.pipe, reinterpret_cast<char*>(&told) + filled, sizeof told - filled);
    if (n <= 0) break;
    filled += static_cast<std::size_t>(n);
    if (filled < sizeof told) continue;
    filled = 0;
    if (told.acknowledged == 0) {
      heads.add({TreeSize(told.size), told.root});
    } else {
      acknowledged = std::max(acknowledged, told.size);
      if (++count == kill_after) ::kill(child.pid, SIGKILL);
    }
  }
  ::close(child.pipe);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  CHECK(WIFSIGNALED(status));
  return acknowledged;
}

}  // namespace

TEST_CASE("The child of the kill -9 loop: appends for ever", "[.][ledger-child]") {
  const char* dir = std::getenv(kChildDir);
  if (dir == nullptr) return;
  const std::filesystem::path root(dir);
  TellingSigner signer;
  SystemClock clock;
  auto store = open_rocksdb(rocks_options(root / "ledger"));
  if (!store) std::abort();
  auto ledger = Ledger::open(std::move(*store), RealWorld::ledger_options(root), signer, clock);
  if (!ledger || !(*ledger)->read_only().empty() || !(*ledger)->start()) std::abort();
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(t + static_cast<std::uint64_t>(::getpid()) * 10);
      for (;;) {
        const auto outcome = append_bulk(**ledger, random, t == 0 ? 100 : 1, {.parts = 2, .bytes = 100});
        if (!outcome) std::abort();
        tell({.size = outcome->size.get(), .root = {}, .acknowledged = 1});
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_CASE("EV-01 kill -9 in a loop loses no acknowledged event and signs no size with two roots",
          "[crash][ledger][EV-01][D2]") {
  RealWorld world;
  SignedHeads heads;
  SeededRandom random(11);
  const int kills = long_run() ? 100 : 10;
  std::uint64_t acknowledged = 0;
  for (int i = 0; i < kills; ++i) {
    CAPTURE(i);
    const auto child = start_child(world.dir.path());
    const auto told = listen_and_kill(child, 1 + random.below(60), heads);
    CHECK(told > acknowledged);
    acknowledged = std::max(acknowledged, told);
    CHECK(!heads.forked());
    auto ledger = world.open();
    for (const auto& reason : ledger->read_only()) FAIL_CHECK(reason.code + ": " + reason.detail);
    CHECK(ledger->size().get() >= acknowledged);
    if (const auto root = heads.root_of(ledger->size().get())) CHECK(*root == *ledger->root(ledger->size()));
    CHECK(audit(*ledger, world.signer.verifier()) == "");
  }
}
