#include "ctl/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

namespace siegel::ctl {
namespace {

Error no_output(const std::string& file, int cause) {
  return Error(Errc::invalid, "no_output", "The file cannot be written.")
      .with("file", file)
      .with("cause", std::strerror(cause));
}

// 0, or what errno says.
int rename_over(const char* beside, const char* file) { return std::rename(beside, file) == 0 ? 0 : errno; }

// Only if nobody has the name. 0, or what errno says: EEXIST. The flag is unknown to some file systems, hard links to
// others; where both are, only a last look is left.
int take_free_name(const char* beside, const char* file) {
  if (::renameat2(AT_FDCWD, beside, AT_FDCWD, file, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (::link(beside, file) == 0) {
    ::unlink(beside);
    return 0;
  }
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  struct stat there {};
  if (::lstat(file, &there) == 0) return EEXIST;
  return rename_over(beside, file);
}

// So that the name outlives a power loss. 0, or what errno says. Where a directory cannot be synced (some network file
// systems) or may not be read, there is nothing that could be done.
int sync_directory_of(const std::filesystem::path& file) {
  const auto parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int directory = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno == EACCES ? 0 : errno;
  const int failed = ::fsync(directory) == 0 || errno == EINVAL ? 0 : errno;
  ::close(directory);
  return failed;
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& file, Overwrite overwrite, const std::string& input) {
  OutputFile out;
  out.overwrite_ = overwrite;
  if (file.empty() || file == "-") return out;
  out.file_ = file;
  struct stat there {};
  struct stat read {};
  const bool exists = ::stat(file.c_str(), &there) == 0;
  if (exists && !input.empty() && input != "-" && ::stat(input.c_str(), &read) == 0 && there.st_dev == read.st_dev &&
      there.st_ino == read.st_ino)
    return Error(Errc::invalid, "same_file", "The file to write is the file that is read.").with("file", file);
  if (exists && S_ISDIR(there.st_mode)) return no_output(file, EISDIR);
  if (exists && !S_ISREG(there.st_mode)) {
    out.descriptor_ = ::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (out.descriptor_ < 0) return no_output(file, errno);
    return out;
  }
  // A link to nothing is there too: its name would be taken.
  if (overwrite == Overwrite::refuse && ::lstat(file.c_str(), &there) == 0)
    return Error(Errc::conflict, "exists", "The file is there already; --force overwrites it.").with("file", file);
  std::string beside = file + ".XXXXXX";
  out.descriptor_ = ::mkostemp(beside.data(), O_CLOEXEC);  // 0600
  if (out.descriptor_ < 0) return no_output(file, errno);
  out.beside_ = std::move(beside);
  return out;
}

OutputFile::~OutputFile() { drop(); }

OutputFile::OutputFile(OutputFile&& other) noexcept { *this = std::move(other); }

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  if (this == &other) return *this;
  drop();
  file_ = std::exchange(other.file_, {});
  beside_ = std::exchange(other.beside_, {});
  descriptor_ = std::exchange(other.descriptor_, -1);
  overwrite_ = other.overwrite_;
  return *this;
}

void OutputFile::drop() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!beside_.empty()) ::unlink(beside_.c_str());
  descriptor_ = -1;
  beside_.clear();
}

Status OutputFile::write(const std::string& content) {
  SIEGEL_CHECK(append(content));
  return finish();
}

Status OutputFile::append(std::string_view piece) {
  if (file_.empty()) {
    std::cout << piece << std::flush;
    if (!std::cout) return Error(Errc::unavailable, "no_output", "The result cannot be written.");
    return Done{};
  }
  while (!piece.empty()) {
    const auto written = ::write(descriptor_, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      drop();
      return Error(Errc::unavailable, "no_output", "The file cannot be written.").with("file", file_);
    }
    piece.remove_prefix(static_cast<std::size_t>(written));
  }
  return Done{};
}

Status OutputFile::finish() {
  if (file_.empty()) return Done{};
  const bool whole = beside_.empty() || ::fsync(descriptor_) == 0;
  const bool closed = ::close(std::exchange(descriptor_, -1)) == 0;
  if (whole && closed) return take_name();
  drop();
  return Error(Errc::unavailable, "no_output", "The file cannot be written.").with("file", file_);
}

Status OutputFile::take_name() {
  if (beside_.empty()) return Done{};
  const auto take = overwrite_ == Overwrite::refuse ? take_free_name : rename_over;
  const int failed = take(beside_.c_str(), file_.c_str());
  if (failed == 0) {
    beside_.clear();
    const int cause = sync_directory_of(file_);
    if (cause == 0) return Done{};
    return Error(Errc::unavailable, "no_output", "The file is written; the disk does not say that its name will stay.")
        .with("file", file_)
        .with("cause", std::strerror(cause));
  }
  if (failed == EEXIST) {
    // What was fetched for it may cost a traced read or be shown once.
    return Error(Errc::conflict, "exists", "Another file took the name meanwhile; the result is kept beside it.")
        .with("file", file_)
        .with("place", std::exchange(beside_, {}));
  }
  drop();
  return Error(Errc::unavailable, "no_output", "The file cannot be written.")
      .with("file", file_)
      .with("cause", std::strerror(failed));
}

}  // namespace siegel::ctl
