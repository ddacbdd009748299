#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include "crypto/memory.h"
#include "crypto/random.h"
#include "support/catch.h"

using namespace siegel;
namespace fs = std::filesystem;

namespace {

ByteArray<16> draw() {
  SystemRandom random;
  ByteArray<16> out{};
  random.fill(out);
  return out;
}

// What f answers in a forked child.
template <class F>
ByteArray<16> in_child(F&& f) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const ByteArray<16> answer = f();
    const bool written = write(ends[1], answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
    _exit(written ? 0 : 1);
  }
  ByteArray<16> answer{};
  CHECK(read(ends[0], answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()));
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  close(ends[0]);
  close(ends[1]);
  return answer;
}

// The VmFlags of the mapping that holds the address.
std::set<std::string> flags_of(const void* at) {
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  while (std::getline(maps, line)) {
    unsigned long begin = 0, end = 0;
    char space = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx%c", &begin, &end, &space) == 3 && space == ' ') {
      const auto address = reinterpret_cast<unsigned long>(at);
      inside = begin <= address && address < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      std::istringstream words(line.substr(8));
      return {std::istream_iterator<std::string>(words), {}};
    }
  }
  return {};
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "siegel-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("system randomness never repeats, in small draws and large", "[unit][crypto]") {
  std::set<ByteArray<16>> seen;
  for (int i = 0; i < 20000; ++i) REQUIRE(seen.insert(draw()).second);
  SystemRandom random;
  Bytes large(3 << 20);
  random.fill(large);
  std::size_t ones = 0;
  for (const auto byte : large) ones += static_cast<std::size_t>(std::popcount(byte));
  const double share = static_cast<double>(ones) / (static_cast<double>(large.size()) * 8);
  CHECK(share > 0.498);
  CHECK(share < 0.502);
  for (std::size_t size = 0; size < 5000; size += 7) {  // every length is filled to its end, and no further
    Bytes out(size + 1, 0);
    for (int tries = 0; tries < 8 && size > 0 && out[size - 1] == 0; ++tries)
      random.fill(MutableBytes(out).first(size));
    REQUIRE((size == 0 || out[size - 1] != 0));
    REQUIRE(out[size] == 0);
  }
}

TEST_CASE("a forked child draws its own randomness", "[unit][crypto]") {
  (void)draw();  // the parent's buffer is full
  const auto first = in_child(draw);
  const auto second = in_child(draw);
  const auto own = draw();
  CHECK(first != second);
  CHECK(first != own);
  CHECK(second != own);
}

TEST_CASE("threads draw from buffers of their own", "[unit][crypto]") {
  std::array<ByteArray<16>, 4> drawn;
  {
    std::vector<std::thread> threads;
    for (auto& out : drawn) threads.emplace_back([&out] { out = draw(); });
    for (auto& thread : threads) thread.join();
  }
  CHECK(std::set<ByteArray<16>>(drawn.begin(), drawn.end()).size() == drawn.size());
}

TEST_CASE("locked bytes stay out of swap, dumps and children", "[unit][crypto]") {
  auto made = LockedBytes::allocate(10000);
  REQUIRE(made);
  LockedBytes region = std::move(*made);
  REQUIRE(region.size() == 10000);
  CHECK(to_bytes(region.view()) == Bytes(10000, 0));
  const auto flags = flags_of(region.view().data());
  CHECK(flags.count("dd") == 1);  // not in dumps
  CHECK(flags.count("dc") == 1);  // not in children
  CHECK((flags.count("lo") == 1) == region.locked());

  region.mutable_view()[9999] = 7;
  LockedBytes moved = std::move(region);
  CHECK(moved.view()[9999] == 7);
  CHECK(region.size() == 0);
  auto other = LockedBytes::allocate(1);
  REQUIRE(other);
  moved = std::move(*other);
  CHECK(moved.size() == 1);
}

TEST_CASE("a refused lock is told, not fatal", "[unit][crypto]") {
  const auto answer = in_child([] {
    const rlimit none{0, 0};
    ByteArray<16> out{};
    // Root may lock without a limit; give that up first.
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0)) return out;
    auto region = LockedBytes::allocate(4096);
    out[0] = region.has_value() ? 1 : 0;
    out[1] = region && !region->locked() ? 1 : 0;
    return out;
  });
  CHECK(answer[0] == 1);
  CHECK(answer[1] == 1);
}

TEST_CASE("more memory than there is gets an error", "[unit][crypto]") {
  const auto region = LockedBytes::allocate(SIZE_MAX - 5000);
  REQUIRE_FALSE(region);
  CHECK(region.error().is("memory_exhausted"));
  CHECK_FALSE(LockedBytes::allocate(SIZE_MAX));
}

TEST_CASE("after forbid_dumps there is no core and no foreign look into memory", "[unit][crypto]") {
  const auto answer = in_child([] {
    ByteArray<16> out{};
    out[0] = forbid_dumps() ? 1 : 0;
    out[1] = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 1 : 0;
    rlimit core{1, 1};
    out[2] = getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 ? 1 : 0;
    return out;
  });
  CHECK(answer[0] == 1);
  CHECK(answer[1] == 1);
  CHECK(answer[2] == 1);
}

TEST_CASE("swap areas are told apart by what they let out", "[unit][crypto]") {
  const TemporaryFolder root;
  const std::string sys = "sys/class/block/";
  // sda3: a plain partition. dm-0: dm-crypt on it. dm-1: LVM on dm-0. dm-2: LVM on dm-0 and the plain disk sdb.
  root.write(sys + "sda3/partition", "3\n");
  root.write(sys + "dm-0/dm/uuid", "CRYPT-LUKS2-0123-root\n");
  root.write(sys + "dm-1/dm/uuid", "LVM-4567\n");
  root.write(sys + "dm-1/slaves/dm-0/dm/uuid", "CRYPT-LUKS2-0123-root\n");
  root.write(sys + "dm-2/dm/uuid", "LVM-89ab\n");
  root.write(sys + "dm-2/slaves/dm-0/dm/uuid", "CRYPT-LUKS2-0123-root\n");
  root.write(sys + "dm-2/slaves/sdb/size", "1\n");
  const std::string head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
  const auto areas = [&](const std::string& lines) {
    root.write("proc/swaps", head + lines);
    auto found = swap_areas({(root.path() / "proc").string(), (root.path() / "sys").string()});
    REQUIRE(found);
    return std::array<unsigned, 3>{found->plain, found->encrypted, found->zram};
  };
  const std::string rest = "   partition\t1048572\t0\t-2\n";
  CHECK(areas("") == std::array{0u, 0u, 0u});
  CHECK(areas("/dev/sda3" + rest) == std::array{1u, 0u, 0u});
  CHECK(areas("/dev/dm-0" + rest) == std::array{0u, 1u, 0u});
  CHECK(areas("/dev/dm-1" + rest) == std::array{0u, 1u, 0u});
  CHECK(areas("/dev/dm-2" + rest) == std::array{1u, 0u, 0u});
  CHECK(areas("/dev/zram0" + rest) == std::array{0u, 0u, 1u});
  CHECK(areas("/dev/zram0" + rest + "/dev/sda3" + rest + "/dev/dm-0" + rest) == std::array{1u, 1u, 1u});
  CHECK(areas("/dev/gone" + rest) == std::array{1u, 0u, 0u});

  // A swap file counts as its file system's device; /proc/swaps escapes the blank in its name.
  root.write("swap file", "");
  const std::string name = (root.path() / "swap").string() + "\\040file";
  CHECK(areas(name + " file 1 0 -2\n") == std::array{1u, 0u, 0u});
  struct stat about {};
  REQUIRE(stat((root.path() / "swap file").c_str(), &about) == 0);
  root.write(
      "sys/dev/block/" + std::to_string(major(about.st_dev)) + ":" + std::to_string(minor(about.st_dev)) + "/dm/uuid",
      "CRYPT-PLAIN-x\n");
  CHECK(areas(name + " file 1 0 -2\n") == std::array{0u, 1u, 0u});
}

TEST_CASE("swap that cannot be known is not called encrypted", "[unit][crypto]") {
  const auto unknown = swap_areas({"/nonexistent", "/nonexistent"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().is("swap_unknown"));
}
