#include "app/local_copy_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/descriptor.h"
#include "crypto/sha256.h"
#include "store/file.h"

namespace siegel::app {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

Error failed(const std::filesystem::path& path) {
  const int number = errno;
  if (number == ENOSPC || number == EDQUOT)
    return Error(Errc::unavailable, "disk_full", "There is no room left on the disk.").with("file", path.string());
  if (number == ENOENT)
    return Error(Errc::not_found, "file_missing", "The file does not exist.").with("file", path.string());
  return Error(Errc::unavailable, "io_error", "The file cannot be read or written.").with("file", path.string());
}

bool write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

// Reads the whole file; each piece goes to `take`, which may refuse it.
template <class F>
Result<CopiedFile> read_through(const std::filesystem::path& path, F&& take) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed(path);
  CopiedFile out{.path = path};
  Sha256 hash;
  Bytes piece(kPiece);
  for (;;) {
    const auto n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path);
    if (n == 0) break;
    const auto got = ByteView(piece).first(static_cast<std::size_t>(n));
    hash.update(got);
    SIEGEL_CHECK(take(got));
    out.bytes += got.size();
  }
  out.sha256 = hash.finish();
  return out;
}

// RocksDB's lock and its own log, which a store does not need.
bool left_out(const std::string& name) { return name == "LOCK" || name.starts_with("LOG"); }

}  // namespace

Result<CopiedFile> hash_file(const std::filesystem::path& file) {
  return read_through(file, [](ByteView) { return Status(Done{}); });
}

Result<CopiedFile> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  const Descriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return failed(to);
  SIEGEL_TRY(out, read_through(from, [&](ByteView piece) {
               return write_all(file.get(), piece) ? Status(Done{}) : Status(failed(to));
             }));
  if (::fsync(file.get()) != 0) return failed(to);
  out.path = to;
  return out;
}

Result<std::vector<CopiedFile>> copy_store(const std::filesystem::path& from, const std::filesystem::path& to) {
  SystemFiles files;
  SIEGEL_CHECK(files.make_dir(to, 0700));
  std::error_code error;
  std::vector<std::filesystem::path> names;
  for (const auto& entry : std::filesystem::directory_iterator(from, error)) {
    if (entry.is_regular_file(error) && !left_out(entry.path().filename().string()))
      names.push_back(entry.path().filename());
  }
  if (error)
    return Error(Errc::unavailable, "io_error", "The directory cannot be read.").with("directory", from.string());
  std::ranges::sort(names);
  std::vector<CopiedFile> out;
  for (const auto& name : names) {
    SIEGEL_TRY(copied, copy_durably(from / name, to / name));
    out.push_back(std::move(copied));
  }
  SIEGEL_CHECK(files.sync_dir(to));
  return out;
}

}  // namespace siegel::app
