// The crash-testing disk itself: it must be able to lose what was not synced, and never what was.
#include "support/crash_disk.h"

#include <algorithm>
#include <set>

#include "support/catch.h"

namespace {

using namespace siegel;
using siegel::test::CrashDisk;

std::string text(const Result<Bytes>& bytes) { return bytes ? std::string(as_chars(*bytes)) : bytes.error().code(); }

}  // namespace

TEST_CASE("a durable write survives every fate, an interrupted one is old or new", "[crash][disk]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    CrashDisk disk(seed);
    REQUIRE(disk.files()->write_file_durably("/head", as_bytes("old"), 0600));
    disk.plan({.power_loss_at_call = 1 + seed % 5});  // create, append, sync, rename, sync of the directory
    const auto done = disk.files()->write_file_durably("/head", as_bytes("new"), 0600);
    CHECK_FALSE(done);
    CHECK(disk.power_lost());
    CHECK(text(disk.files()->read_file("/head", 10)) == "io_error");
    auto after = disk.after_restart(seed * 7 + 1);
    const auto now = text(after.files()->read_file("/head", 10));
    CHECK((now == "old" || now == "new"));
    seen.insert(now + std::to_string(seed % 5));
  }
  CHECK(seen.contains("old0"));
  CHECK(seen.contains("old3"));
  CHECK(seen.contains("new3"));
  CHECK(seen.contains("new4"));
  CHECK_FALSE(seen.contains("new0"));
  CHECK_FALSE(seen.contains("new2"));
}

TEST_CASE("an interrupted overwrite leaves any mix of old and new sectors, and nothing else", "[crash][disk]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    CrashDisk disk(seed);
    REQUIRE(disk.files()->write_file_durably("/root", Bytes(1536, 'a'), 0600));
    disk.plan({.power_loss_at_call = 1 + seed % 2});
    CHECK_FALSE(disk.files()->overwrite_in_place("/root", 512, Bytes(1024, 'b')));
    auto after = disk.after_restart(seed + 1);
    const auto now = text(after.files()->read_file("/root", 4096));
    REQUIRE(now.size() == 1536);
    std::string sectors;
    for (int i = 0; i < 3; ++i) {
      const auto sector = now.substr(512 * i, 512);
      REQUIRE(sector == std::string(512, sector[0]));
      sectors += sector[0];
    }
    seen.insert(sectors);
  }
  CHECK(seen == std::set<std::string>{"aaa", "aab", "aba", "abb"});
}

TEST_CASE("a finished overwrite, sync or directory sync is safe", "[crash][disk]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    CrashDisk disk(seed);
    const auto files = disk.files();
    REQUIRE(files->make_dir("/d", 0700));
    REQUIRE(files->write_file_durably("/d/root", Bytes(1024, 'a'), 0600));
    REQUIRE(files->overwrite_in_place("/d/root", 0, Bytes(512, 'b')));
    REQUIRE(files->write_file_durably("/d/gone", as_bytes("x"), 0600));
    REQUIRE(files->remove("/d/gone"));
    REQUIRE(files->sync_dir("/d"));
    auto after = disk.after_restart(seed);
    CHECK(text(after.files()->read_file("/d/root", 4096)) == std::string(512, 'b') + std::string(512, 'a'));
    CHECK(text(after.files()->read_file("/d/gone", 10)) == "file_missing");
  }
}

TEST_CASE("an unsynced removal is forgotten by some seeds", "[crash][disk]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CrashDisk disk(seed);
    REQUIRE(disk.files()->write_file_durably("/f", as_bytes("x"), 0600));
    REQUIRE(disk.files()->remove("/f"));
    auto after = disk.after_restart(seed);
    seen.insert(text(after.files()->read_file("/f", 10)));
  }
  CHECK(seen == std::set<std::string>{"x", "file_missing"});
}

TEST_CASE("faults strike where they are planned: space, one error, one failed sync", "[crash][disk]") {
  CrashDisk disk(1);
  const auto files = disk.files();
  disk.plan({.space_bytes = 10});
  REQUIRE(files->write_file_durably("/a", as_bytes("12345"), 0600));
  const auto full = files->write_file_durably("/a", as_bytes("1234567"), 0600);
  REQUIRE_FALSE(full);
  CHECK(full.error().is("disk_full"));
  CHECK(text(files->read_file("/a", 10)) == "12345");

  disk.plan({.io_error_at_call = 2});
  const auto failed = files->write_file_durably("/b", as_bytes("x"), 0600);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().is("io_error"));
  CHECK_FALSE(files->exists("/b").value());
  REQUIRE(files->write_file_durably("/b", as_bytes("x"), 0600));

  disk.plan({.sync_failure_at = 1});
  CHECK_FALSE(files->write_file_durably("/c", as_bytes("x"), 0600));
  CHECK(disk.syncs() == 1);
  CHECK(files->write_file_durably("/c", as_bytes("x"), 0600));
}

TEST_CASE("every byte is kept over overwriting, removal and restart", "[crash][disk]") {
  CrashDisk disk(1, CrashDisk::Keep::every_byte);
  const auto files = disk.files();
  REQUIRE(files->write_file_durably("/root", as_bytes("first-key"), 0600));
  REQUIRE(files->overwrite_in_place("/root", 0, as_bytes("other-key")));
  REQUIRE(files->write_file_durably("/f", as_bytes("second-key"), 0600));
  REQUIRE(files->remove("/f"));
  auto after = disk.after_restart(1);
  const auto all = after.every_byte();
  for (const auto* key : {"first-key", "other-key", "second-key"}) {
    CHECK(std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.find(key) != one.npos; }));
  }
}
