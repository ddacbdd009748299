#include "store/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <optional>
#include <sstream>

#include "base/assert.h"
#include "base/descriptor.h"
#include "base/text.h"

namespace siegel {

namespace {

Error error_of(int number) {
  if (number == ENOSPC || number == EDQUOT) {
    return Error(Errc::unavailable, "disk_full", "There is no room left on the disk.");
  }
  if (number == ENOENT || number == ENOTDIR) {
    return Error(Errc::not_found, "file_missing", "The file or its directory does not exist.");
  }
  const char* name = strerrorname_np(number);
  return Error(Errc::unavailable, "io_error", "The disk refused to read or write.").with("errno", name ? name : "?");
}

int open_retrying(const std::filesystem::path& path, int flags, unsigned mode = 0) {
  int fd = -1;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
  while (fd < 0 && errno == EINTR);
  return fd;
}

Status write_all(int fd, ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return error_of(errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return Done{};
}

Status write_and_sync(const std::filesystem::path& path, ByteView bytes, unsigned mode) {
  const Descriptor file(open_retrying(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  if (!file.ok()) return error_of(errno);
  if (::fchmod(file.get(), static_cast<mode_t>(mode)) != 0)
    return error_of(errno);  // whatever umask and a leftover say
  SIEGEL_CHECK(write_all(file.get(), bytes, 0));
  if (::fsync(file.get()) != 0) return error_of(errno);
  return Done{};
}

std::filesystem::path parent_of(const std::filesystem::path& path) {
  auto parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

}  // namespace

Result<Bytes> SystemFiles::read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor file(open_retrying(path, O_RDONLY));
  if (!file.ok()) return error_of(errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return error_of(errno);
  // Room for all of it at once: a vector that grows leaves its content behind, and that may be a key. Reads to the end
  // all the same rather than trusting the size: works on /proc too.
  Bytes out(
      std::min<std::size_t>(bytes_max + 1, std::max<std::size_t>(4096, static_cast<std::size_t>(info.st_size) + 1)));
  std::size_t have = 0;
  for (;;) {
    if (have == out.size()) out.resize(std::min(bytes_max + 1, have * 2));
    if (have == out.size()) return Error(Errc::invalid, "file_too_large", "The file is larger than it may be.");
    const auto n = ::read(file.get(), out.data() + have, out.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_of(errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (have > bytes_max) return Error(Errc::invalid, "file_too_large", "The file is larger than it may be.");
  out.resize(have);
  return out;
}

Status SystemFiles::write_file_durably(const std::filesystem::path& path, ByteView bytes, unsigned mode) {
  auto temporary = path;
  temporary += ".tmp";
  auto written = write_and_sync(temporary, bytes, mode);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = error_of(errno);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_dir(parent_of(path));
}

Status SystemFiles::sync_dir(const std::filesystem::path& dir) {
  const Descriptor handle(open_retrying(dir, O_RDONLY | O_DIRECTORY));
  if (!handle.ok() || ::fsync(handle.get()) != 0) return error_of(errno);
  return Done{};
}

Status SystemFiles::overwrite_in_place(const std::filesystem::path& path, std::uint64_t offset, ByteView bytes) {
  const Descriptor file(open_retrying(path, O_WRONLY));
  if (!file.ok()) return error_of(errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return error_of(errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (offset > size || bytes.size() > size - offset) {
    return Error(Errc::invalid, "file_too_short", "The file is shorter than the place to overwrite.");
  }
  SIEGEL_CHECK(write_all(file.get(), bytes, offset));
  if (::fdatasync(file.get()) != 0) return error_of(errno);
  return Done{};
}

Status SystemFiles::remove(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0) return error_of(errno);
  return Done{};
}

Result<bool> SystemFiles::exists(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return error_of(errno);
}

Status SystemFiles::make_dir(const std::filesystem::path& path, unsigned mode) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    const int number = errno;
    struct stat info {};
    if (number == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return Done{};
    return error_of(number);
  }
  return sync_dir(parent_of(path));
}

Status make_dirs(Files& files, const std::filesystem::path& path, unsigned mode) {
  const auto parent = parent_of(path);
  if (parent != path) {
    SIEGEL_TRY(there, files.exists(parent));
    if (!there) SIEGEL_CHECK(make_dirs(files, parent, mode));
  }
  return files.make_dir(path, mode);
}

Result<std::uint64_t> SystemFiles::free_bytes(const std::filesystem::path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return error_of(errno);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

// ── DirectoryLock ────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

Error in_use(std::optional<std::uint64_t> pid) {
  auto error = Error(Errc::unavailable, "data_in_use", "Another process has the data directory open.");
  return pid ? std::move(error).with("pid", *pid) : error;
}

// "1: FLOCK  ADVISORY  WRITE 4242 08:01:131 0 EOF", with the device and inode of the file.
std::optional<std::uint64_t> holder_of(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return std::nullopt;
  std::ostringstream place;
  place << std::hex << std::setfill('0') << std::setw(2) << major(info.st_dev) << ':' << std::setw(2)
        << minor(info.st_dev) << ':' << std::dec << info.st_ino;
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, mode, pid, file;
    words >> number >> kind >> advisory >> mode >> pid >> file;
    if (kind == "FLOCK" && file == place.str()) return parse_u64(pid);
  }
  return std::nullopt;
}

}  // namespace

Result<DirectoryLock> DirectoryLock::hold(const std::filesystem::path& existing_file) {
  int fd = open_retrying(existing_file, O_RDWR);  // a lock over a network wants to write
  if (fd < 0) fd = open_retrying(existing_file, O_RDONLY);
  Descriptor file(fd);
  if (!file.ok()) return error_of(errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return DirectoryLock(file.release());
  if (errno != EWOULDBLOCK) return error_of(errno);
  return in_use(holder_of(file.get()));
}

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& lock_file) {
  Descriptor file(open_retrying(lock_file, O_RDWR | O_CREAT, 0600));
  if (!file.ok()) return error_of(errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return error_of(errno);
    char text[16] = {};
    const auto n = ::pread(file.get(), text, sizeof text - 1, 0);
    const auto holder = std::string_view(text, n > 0 ? static_cast<std::size_t>(n) : 0);
    return in_use(parse_u64(holder.substr(0, holder.find('\n'))));  // unknown while the holder is just writing its own
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0) return error_of(errno);
  SIEGEL_CHECK(write_all(file.get(), as_bytes(pid), 0));
  return DirectoryLock(file.release());
}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);  // the file stays: removing it would race with the next process
}

// ── probe_sync_latency ───────────────────────────────────────────────────────────────────────────────────────────────

Result<SyncLatency> probe_sync_latency(const std::filesystem::path& dir, unsigned samples) {
  SIEGEL_ASSERT(samples > 0);
  auto name = (dir / "sync-probe-XXXXXX").string();
  const Descriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.ok()) return error_of(errno);
  ::unlink(name.c_str());
  const Bytes block(4096, 0x5a);
  std::vector<std::chrono::nanoseconds> took;
  for (unsigned i = 0; i < samples; ++i) {
    const auto start = std::chrono::steady_clock::now();
    SIEGEL_CHECK(write_all(file.get(), block, std::uint64_t{i} * block.size()));
    if (::fdatasync(file.get()) != 0) return error_of(errno);
    took.push_back(std::chrono::steady_clock::now() - start);
  }
  std::sort(took.begin(), took.end());
  const auto at = [&](std::size_t percent) { return took[(took.size() - 1) * percent / 100]; };
  return SyncLatency{.p50 = at(50), .p99 = at(99), .max = took.back()};
}

}  // namespace siegel
