// The file that a command writes: nothing else loses its name by it.
#include "ctl/output_file.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/catch.h"
#include "support/temp_dir.h"

namespace {
int directories_synced = 0;
}  // namespace

// In place of the C library's, so that what is synced can be seen.
extern "C" int fsync(int descriptor) {
  struct stat what {};
  if (::fstat(descriptor, &what) == 0 && S_ISDIR(what.st_mode)) ++directories_synced;
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace {

using namespace siegel;
using ctl::OutputFile;
using ctl::Overwrite;
using siegel::test::TempDir;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("a file that came while a command was at work keeps its name", "[unit][ctl]") {
  const TempDir dir;
  const auto file = dir.path() / "export.csv";
  auto out = OutputFile::open(file.string(), Overwrite::refuse);
  REQUIRE(out);
  std::ofstream(file) << "somebody else's";
  const auto written = out->write("ours");
  REQUIRE_FALSE(written);
  CHECK(written.error().is("exists"));
  CHECK(content_of(file) == "somebody else's");
  REQUIRE(written.error().find("place") != nullptr);
  CHECK(content_of(*written.error().find("place")) == "ours");
}

TEST_CASE("a link to nothing that came meanwhile keeps its name too", "[unit][ctl]") {
  const TempDir dir;
  const auto file = dir.path() / "export.csv";
  auto out = OutputFile::open(file.string(), Overwrite::refuse);
  REQUIRE(out);
  std::filesystem::create_symlink("nothing", file);
  CHECK_FALSE(out->write("ours"));
  CHECK(std::filesystem::is_symlink(file));
}

TEST_CASE("a file is written whole under its name, and with force over another", "[unit][ctl]") {
  const TempDir dir;
  const auto file = dir.path() / "export.csv";
  for (const auto* content : {"first", "second"}) {
    auto out = OutputFile::open(file.string(), Overwrite::force);
    REQUIRE(out);
    const int before = directories_synced;
    REQUIRE(out->write(content));
    CHECK(content_of(file) == content);
    CHECK(directories_synced == before + 1);  // else a power loss takes the name
  }
  auto other = OutputFile::open((dir.path() / "other").string(), Overwrite::refuse);
  REQUIRE(other);
  REQUIRE(other->write("third"));
  CHECK(content_of(dir.path() / "other") == "third");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 2);
}

}  // namespace
