// The parts of the server's life that no request shows: what is opened again, what is waited for, who gets descriptors.
#include <sys/resource.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "app/descriptors.h"
#include "app/instance.h"
#include "app/reopen.h"
#include "app/stores.h"
#include "app/warnings.h"
#include "app/workers.h"
#include "crypto/random.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace siegel;
using namespace siegel::app;
using namespace siegel::test;
using namespace std::chrono_literals;

namespace {

class Nobody final : public ledger::Tail {
 public:
  void committed(std::shared_ptr<const ledger::Group>) noexcept override {}
};

// A ledger of its own, opened as the server does.
struct World {
  TempDir dir;
  SystemClock clock;
  SystemRandom random;
  Nobody nobody;
  Workers workers{1};
  std::unique_ptr<Instance> instance;

  World() {
    InitOptions options;
    options.data = dir.path() / "data";
    options.single_disk = true;
    REQUIRE(init(options, clock, random));
    auto opened = Instance::open(options.data, Config{}, workers, clock, random, nobody, nullptr);
    REQUIRE(opened);
    instance = std::move(*opened);
  }
};

std::vector<ledger::Reason> reasons(const char* code) { return {{code, ""}}; }

}  // namespace

TEST_CASE("closing waits for a call that still holds the service, and frees nothing under it", "[unit][app]") {
  World world;
  auto call = world.instance->service();
  auto closed = std::async(std::launch::async, [&] { world.instance->close(); });
  // Two seconds were the bound once, after which the stores went.
  CHECK(closed.wait_for(2500ms) == std::future_status::timeout);
  CHECK(call->status().size.get() > 0);
  call.reset();
  CHECK(closed.wait_for(60s) == std::future_status::ready);
}

TEST_CASE("room to open its stores is what their own logs take", "[unit][app]") {
  const TempDir dir;
  Places places;
  places.data = dir.path();
  const auto bytes = [&] {
    std::vector<std::uint64_t> out;
    for (const auto& one : room_to_open(places)) out.push_back(one.bytes);
    return out;
  };
  using Bytes3 = std::vector<std::uint64_t>;
  constexpr auto kOne = std::uint64_t{20} << 20;
  CHECK(bytes() == Bytes3{kOne, 2 * kOne, 3 * kOne});
  const auto log = [&](const std::filesystem::path& name, std::size_t size) {
    std::filesystem::create_directories((dir.path() / name).parent_path());
    std::ofstream(dir.path() / name) << std::string(size, 'x');
  };
  REQUIRE(set_views_generation(places, "7"));
  log("ledger/000012.log", 1000);
  log("keys/000013.log", 200);
  log("views/7/000014.log", 30);
  CHECK(bytes() == Bytes3{kOne + 1000, 2 * kOne + 200, 3 * kOne + 30});
  // No store replays these.
  log("server.log", 5000);
  log("evidence-20261129/000009.log", 5000);
  log("views/6/000015.log", 5000);
  CHECK(bytes() == Bytes3{kOne + 1000, 2 * kOne + 200, 3 * kOne + 30});
}

TEST_CASE("closing ends whoever waits for a position, so that he cannot hold it up", "[unit][app]") {
  World world;
  std::promise<std::string> told;
  {
    const auto service = world.instance->service();
    const Position never{service->ledger_id(), TreeSize(1'000'000)};
    service->at_least(never, 10min, [&told, service](const Status& reached) {
      told.set_value(reached ? "reached" : reached.error().code());
    });
  }
  world.instance->close();
  auto said = told.get_future();
  REQUIRE(said.wait_for(0s) == std::future_status::ready);
  CHECK(said.get() == "starting");
}

TEST_CASE("after closing nobody gets the service from a pointer that he kept", "[unit][app]") {
  World world;
  std::weak_ptr<service::Service> kept = world.instance->service();
  REQUIRE(kept.lock());
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> asked{0};
  std::thread stream([&] {  // as a live stream does, at any moment
    while (!stop) {
      if (const auto service = kept.lock()) {
        (void)service->status();
        ++asked;
      }
    }
  });
  while (asked.load() < 100) std::this_thread::yield();
  world.instance->close();
  CHECK_FALSE(kept.lock());
  stop = true;
  stream.join();
}

TEST_CASE("a start that is ended while the read models catch up says so", "[unit][app]") {
  World world;
  world.instance->close();
  std::filesystem::remove_all(world.dir.path() / "data" / "views");
  StartWatch watch;
  watch.stop = [] { return true; };
  const auto opened = Instance::open(world.dir.path() / "data", Config{}, world.workers, world.clock, world.random,
                                     world.nobody, nullptr, watch);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().is("start_ended"));
}

TEST_CASE("a ledger is opened again once the cause may have passed", "[unit][app]") {
  const TimeMs newest(1'000'000), before(999'999), after(1'000'000);
  CHECK_FALSE(may_write_again({}, Opened::writable, newest, after));
  CHECK(may_write_again(reasons("write_failed"), Opened::writable, newest, before));
  CHECK(may_write_again(reasons("disk_full"), Opened::read_only, newest, before));
  CHECK_FALSE(may_write_again(reasons("behind_lock_record"), Opened::read_only, newest, after));
  // Until the clock has come back there is nothing to gain, and reads would be interrupted; then there is.
  for (const auto opened : {Opened::writable, Opened::read_only}) {
    CHECK_FALSE(may_write_again(reasons("clock_stepped_back"), opened, newest, before));
    CHECK(may_write_again(reasons("clock_stepped_back"), opened, newest, after));
  }
}

TEST_CASE("clients leave the stores their descriptors", "[unit][app]") {
  CHECK(connections_for(1'048'576) == kConnectionsMax);
  CHECK(connections_for(4096) == kConnectionsMax);
  CHECK(connections_for(1024) == 128);
  CHECK(connections_for(256) == 32);
  CHECK(connections_for(0) == 1);
  rlimit limit{};
  const auto now = raise_descriptors();
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(limit.rlim_cur == limit.rlim_max);
  CHECK((limit.rlim_max == RLIM_INFINITY || now == limit.rlim_max));
}

TEST_CASE("ER-06 a start warns of swap, of possible dumps and of a single disk, and of nothing else",
          "[unit][app][ER-06]") {
  const TempDir dir;
  const KernelTables tables{(dir.path() / "proc").string(), (dir.path() / "sys").string()};
  std::filesystem::create_directories(tables.proc);
  const auto swaps = [&](const std::string& lines) {
    std::ofstream(tables.proc + "/swaps") << "Filename Type Size Used Priority\n" << lines;
  };
  Places two_disks;
  two_disks.key_replicas = {"/second/keys"};
  two_disks.root_mirrors = {"/second/root"};
  const auto codes = [&](const Places& places, bool dumps_are_forbidden) {
    std::vector<std::string> out;
    for (const auto& warning : warnings(places, dumps_are_forbidden, tables)) out.emplace_back(warning.code);
    return out;
  };
  using Codes = std::vector<std::string>;
  CHECK(codes(two_disks, true) == Codes{"unencrypted_swap"});  // that there is none cannot be seen
  swaps("");
  CHECK(codes(two_disks, true).empty());
  CHECK(codes(two_disks, false) == Codes{"dumps_possible"});
  swaps("/dev/zram0 partition 1 0 -2\n");
  CHECK(codes(two_disks, true).empty());
  swaps("/dev/sda3 partition 1 0 -2\n");
  CHECK(codes(two_disks, true) == Codes{"unencrypted_swap"});
  two_disks.root_mirrors.clear();
  CHECK(codes(two_disks, false) == Codes{"single_disk", "unencrypted_swap", "dumps_possible"});
}

namespace {

// The file PLACES of a data directory, as somebody's editor leaves it.
struct PlacesFile {
  TempDir dir;
  std::filesystem::path path() const { return dir.path() / "PLACES"; }
  void is(const std::string& text) const { std::ofstream(path()) << text; }
  // "line wanted": what the refusal names.
  std::string refused() const {
    const auto read = read_places(dir.path());
    if (read) return "taken";
    CHECK(read.error().is("places_damaged"));
    CHECK(read.error().category() == Errc::invalid);
    const auto* const at = read.error().find("at");
    const auto* const wanted = read.error().find("wanted");
    REQUIRE(at != nullptr);
    REQUIRE(at->starts_with(path().string() + ":"));
    return at->substr(path().string().size() + 1) + (wanted != nullptr ? " " + *wanted : "");
  }
};

const std::string kFirst = "root /a/root\nsigner /b/signer\nhead /b/head\n";
const std::string kSeconds = "key-replica /c/keys\nroot-mirror /d/root\nroot-mirror /e/my root\n";

}  // namespace

TEST_CASE("PLACES names what init was told, and is read as it was written", "[unit][app]") {
  const PlacesFile file;
  auto places = default_places(file.dir.path());
  REQUIRE(write_places(places));
  CHECK(file.refused() == "taken");
  places.key_replicas = {"/c/keys"};
  places.root_mirrors = {"/d/root", "/e/my root"};
  REQUIRE(write_places(places));
  const auto read = read_places(file.dir.path());
  REQUIRE(read);
  CHECK(read->root == places.root);
  CHECK(read->signer == places.signer);
  CHECK(read->head == places.head);
  CHECK(read->key_replicas == places.key_replicas);
  CHECK(read->root_mirrors == places.root_mirrors);
  file.is(kFirst + kSeconds + "members 3\n");
  CHECK(file.refused() == "taken");
  file.is(kFirst + kSeconds + "members 3");  // an editor that ends no line
  CHECK(file.refused() == "taken");
  file.is("root-mirror /d/root\n" + kFirst + "members 1\n");  // in any order, but for the last
  CHECK(file.refused() == "taken");
}

TEST_CASE("what PLACES may not be is refused with its line, and no mirror is passed over", "[unit][app]") {
  const PlacesFile file;
  const auto refused = [&](const std::string& text) {
    file.is(text);
    return file.refused();
  };
  SECTION("words") {
    CHECK(refused(kFirst + "key-replica /c/keys\nroot-miror /d/root\nmembers 2\n") == "5");
    CHECK(refused(kFirst + "mirror /d/root\nmembers 1\n") == "4");
    CHECK(refused(kFirst + "Root-mirror /d/root\nmembers 1\n") == "4");
    CHECK(refused(kFirst + " root-mirror /d/root\nmembers 1\n") == "4");
    CHECK(refused(kFirst + "root-mirror\t/d/root\nmembers 1\n") == "4");
    CHECK(refused("x = [\n" + kFirst + "members 0\n") == "1");
    CHECK(refused("# ours\n" + kFirst + "members 0\n") == "1");
    CHECK(refused(kFirst + "\nmembers 0\n") == "4");
    CHECK(refused(kFirst + "members 0\nroot-mirror /d/root\n") == "5");
    CHECK(refused(kFirst + "members 0\nmembers 0\n") == "5");
    CHECK(refused(kFirst + "members 0\n\n") == "5");
  }
  SECTION("said twice") {
    for (const auto* const line : {"root /x\n", "signer /x\n", "head /x\n"})
      CHECK(refused(kFirst + line + "members 0\n") == "4");
    CHECK(refused(kFirst + "root-mirror /d/root\nroot-mirror /d/root\nmembers 2\n") == "5");
    CHECK(refused(kFirst + "root-mirror /d/root\nkey-replica /d/./root\nmembers 2\n") == "5");
    CHECK(refused(kFirst + "root-mirror /a/root\nmembers 1\n") == "4");
  }
  SECTION("paths") {
    for (const auto* const path : {"", " ", " d/root", " ./d", " ~/d", " \"/d\"", "  /d", " /d\r", " /d\x01"})
      CHECK(refused(kFirst + "root-mirror" + path + "\nmembers 1\n") == "4");
    CHECK(refused("root a/root\nsigner /b/signer\nhead /b/head\nmembers 0\n") == "1");
  }
  SECTION("lines that are missing") {
    CHECK(refused("signer /b/signer\nhead /b/head\nmembers 0\n") == "3 root PATH");
    CHECK(refused("root /a/root\nhead /b/head\nmembers 0\n") == "3 signer PATH");
    CHECK(refused("root /a/root\nsigner /b/signer\nmembers 0\n") == "3 head PATH");
    CHECK(refused(kFirst + "key-replica /c/keys\nroot-mirror /d/root\nmembers 3\n") == "6");
    CHECK(refused(kFirst + kSeconds + "members 2\n") == "7");
    for (const auto* const count : {"", " ", " x", " 03", " -3", " 3 ", " 3.0", " 99999999999999999999"})
      CHECK(refused(kFirst + kSeconds + "members" + count + "\n") == "7");
    CHECK(refused(kFirst + kSeconds) == "6");  // cut off: what is left tells no count to be trusted
  }
}

TEST_CASE("PLACES that is cut off anywhere is refused", "[unit][app]") {
  const PlacesFile file;
  const auto whole = kFirst + kSeconds + "members 3";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    file.is(whole.substr(0, length));
    CHECK(file.refused() != "taken");
  }
}

TEST_CASE("PLACES that is gone is no reason to make a new data directory", "[unit][app]") {
  const PlacesFile file;
  auto read = read_places(file.dir.path());
  REQUIRE_FALSE(read);
  CHECK(read.error().is("store_missing"));
  std::filesystem::create_directory(file.dir.path() / "ledger");
  read = read_places(file.dir.path());
  REQUIRE_FALSE(read);
  CHECK(read.error().is("places_damaged"));
}

TEST_CASE("init makes nothing whose place PLACES could not name", "[unit][app]") {
  const TempDir dir;
  SystemClock clock;
  SystemRandom random;
  InitOptions options;
  options.data = dir.path() / "data";
  options.key_replicas = {dir.path() / "keys\nhead"};
  options.root_mirrors = {dir.path() / "mirror"};
  auto made = init(options, clock, random);
  REQUIRE_FALSE(made);
  CHECK(made.error().is("bad_value"));
  options.key_replicas = {dir.path() / "keys"};
  options.lock_path = dir.path() / "one";
  options.signer_path = dir.path() / "x" / ".." / "one";
  made = init(options, clock, random);
  REQUIRE_FALSE(made);
  CHECK(made.error().is("place_twice"));
  CHECK(std::filesystem::is_empty(dir.path()));
  options.signer_path.clear();
  REQUIRE(init(options, clock, random));
  const auto read = read_places(options.data);
  REQUIRE(read);
  CHECK(read->root_mirrors == std::vector{dir.path() / "mirror" / "root"});
}
