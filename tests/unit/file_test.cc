#include "store/file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.h"
#include "support/crash_disk.h"
#include "support/temp_dir.h"

namespace {

using namespace siegel;
using siegel::test::CrashDisk;
using siegel::test::TempDir;

struct OnSystem {
  TempDir dir;
  std::unique_ptr<Files> files = std::make_unique<SystemFiles>();
  std::filesystem::path at(const char* name) const { return dir.path() / name; }
};
struct OnCrashDisk {
  CrashDisk disk{1};
  std::unique_ptr<Files> files = disk.files();
  std::filesystem::path at(const char* name) const { return std::filesystem::path("/") / name; }
};

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : result.error().code();
}

// Passes everything on and keeps what directories were made.
class Recording final : public Files {
 public:
  Result<Bytes> read_file(const std::filesystem::path& p, std::size_t n) override { return system_.read_file(p, n); }
  Status write_file_durably(const std::filesystem::path& p, ByteView b, unsigned m) override {
    return system_.write_file_durably(p, b, m);
  }
  Status sync_dir(const std::filesystem::path& p) override { return system_.sync_dir(p); }
  Status overwrite_in_place(const std::filesystem::path& p, std::uint64_t at, ByteView b) override {
    return system_.overwrite_in_place(p, at, b);
  }
  Status remove(const std::filesystem::path& p) override { return system_.remove(p); }
  Result<bool> exists(const std::filesystem::path& p) override { return system_.exists(p); }
  Status make_dir(const std::filesystem::path& p, unsigned m) override {
    made.push_back(p);
    return system_.make_dir(p, m);
  }
  Result<std::uint64_t> free_bytes(const std::filesystem::path& p) override { return system_.free_bytes(p); }

  std::vector<std::filesystem::path> made;

 private:
  SystemFiles system_;
};

}  // namespace

TEST_CASE("directories above a new one are made durable one by one", "[unit][file]") {
  const TempDir dir;
  Recording files;
  const auto a = dir.path() / "a";
  REQUIRE(make_dirs(files, a / "b" / "c", 0700));
  // make_dir() syncs the directory above: each name is durable before the next is made in it.
  CHECK(files.made == std::vector<std::filesystem::path>{a, a / "b", a / "b" / "c"});
  files.made.clear();
  REQUIRE(make_dirs(files, a / "b" / "d", 0700));
  CHECK(files.made == std::vector<std::filesystem::path>{a / "b" / "d"});
  CHECK(code_of(make_dirs(files, "/proc/none/such", 0700)) != "ok");
}

TEMPLATE_TEST_CASE("small files are written whole, replaced whole, read within a limit", "[unit][file]", OnSystem,
                   OnCrashDisk) {
  TestType on;
  const auto path = on.at("note");
  CHECK(code_of(on.files->read_file(path, 100)) == "file_missing");
  CHECK(on.files->exists(path).value() == false);
  REQUIRE(on.files->write_file_durably(path, as_bytes("first"), 0600));
  REQUIRE(on.files->write_file_durably(path, as_bytes("second, longer"), 0600));
  CHECK(as_chars(on.files->read_file(path, 14).value()) == "second, longer");
  CHECK(code_of(on.files->read_file(path, 13)) == "file_too_large");
  CHECK(on.files->exists(path).value());
  CHECK_FALSE(on.files->exists(path.string() + ".tmp").value());
  const Bytes large(100'000, 7);
  REQUIRE(on.files->write_file_durably(on.at("large"), large, 0600));
  CHECK(on.files->read_file(on.at("large"), 100'000).value() == large);
  REQUIRE(on.files->write_file_durably(on.at("empty"), ByteView(), 0600));
  CHECK(on.files->read_file(on.at("empty"), 0).value().empty());
  CHECK(code_of(on.files->write_file_durably(on.at("no/such/dir"), large, 0600)) == "file_missing");
  REQUIRE(on.files->remove(path));
  REQUIRE(on.files->sync_dir(path.parent_path()));
  CHECK(code_of(on.files->remove(path)) == "file_missing");
  CHECK(on.files->free_bytes(path.parent_path()).value() > 0);
}

TEMPLATE_TEST_CASE("overwriting in place stays inside the file", "[unit][file]", OnSystem, OnCrashDisk) {
  TestType on;
  const auto path = on.at("slots");
  CHECK(code_of(on.files->overwrite_in_place(path, 0, as_bytes("x"))) == "file_missing");
  REQUIRE(on.files->write_file_durably(path, Bytes(1024, 'a'), 0600));
  REQUIRE(on.files->overwrite_in_place(path, 512, Bytes(512, 'b')));
  CHECK(code_of(on.files->overwrite_in_place(path, 513, Bytes(512, 'c'))) == "file_too_short");
  CHECK(code_of(on.files->overwrite_in_place(path, UINT64_MAX, Bytes(512, 'c'))) == "file_too_short");
  auto expected = Bytes(512, 'a');
  expected.resize(1024, 'b');
  CHECK(on.files->read_file(path, 4096).value() == expected);
}

TEMPLATE_TEST_CASE("a directory is made once and no more", "[unit][file]", OnSystem, OnCrashDisk) {
  TestType on;
  REQUIRE(on.files->make_dir(on.at("dir"), 0700));
  REQUIRE(on.files->make_dir(on.at("dir"), 0700));
  CHECK(code_of(on.files->make_dir(on.at("none/dir"), 0700)) == "file_missing");
  REQUIRE(on.files->write_file_durably(on.at("file"), as_bytes("x"), 0600));
  CHECK(code_of(on.files->make_dir(on.at("file/dir"), 0700)) == "file_missing");
}

TEST_CASE("a written file has the mode asked for, whatever the umask", "[unit][file]") {
  const TempDir dir;
  const auto old = ::umask(0);
  SystemFiles files;
  const auto written = files.write_file_durably(dir.path() / "key", as_bytes("k"), 0600);
  ::umask(old);
  REQUIRE(written);
  CHECK((std::filesystem::status(dir.path() / "key").permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("a directory lock keeps others out, names its holder, and goes with it", "[unit][file]") {
  const TempDir dir;
  const auto path = dir.path() / "LOCK";
  {
    auto lock = DirectoryLock::take(path);
    REQUIRE(lock);
    const auto moved = std::move(*lock);
    const auto second = DirectoryLock::take(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().is("data_in_use"));
    REQUIRE(second.error().find("pid"));
    CHECK(*second.error().find("pid") == std::to_string(::getpid()));
  }
  // A process that dies without cleaning up leaves no lock behind.
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(DirectoryLock::take(path) ? 0 : 1);
  int state = 0;
  REQUIRE(::waitpid(child, &state, 0) == child);
  CHECK(WEXITSTATUS(state) == 0);
  CHECK(DirectoryLock::take(path));
  const auto missing = DirectoryLock::take(dir.path() / "none" / "LOCK");
  CHECK(code_of(missing) == "file_missing");
}

TEST_CASE("a file is held without a change to what it holds", "[unit][file]") {
  const TempDir dir;
  const auto path = dir.path() / "root";
  CHECK(code_of(DirectoryLock::hold(path)) == "file_missing");
  CHECK_FALSE(std::filesystem::exists(path));
  SystemFiles files;
  REQUIRE(files.write_file_durably(path, as_bytes("content"), 0600));
  {
    const auto lock = DirectoryLock::hold(path);
    REQUIRE(lock);
    CHECK(files.read_file(path, 64));  // opening and closing it elsewhere gives nothing up
    const auto second = DirectoryLock::hold(path);
    CHECK(code_of(second) == "data_in_use");
    if (const auto* pid = second.error().find("pid")) CHECK(*pid == std::to_string(::getpid()));
  }
  CHECK(DirectoryLock::hold(path));
  CHECK(as_chars(*files.read_file(path, 64)) == "content");
}

TEST_CASE("the sync probe measures and leaves nothing", "[unit][file]") {
  const TempDir dir;
  const auto latency = probe_sync_latency(dir.path(), 5);
  REQUIRE(latency);
  CHECK(latency->p50.count() > 0);
  CHECK(latency->p50 <= latency->p99);
  CHECK(latency->p99 <= latency->max);
  CHECK(std::filesystem::is_empty(dir.path()));
}
