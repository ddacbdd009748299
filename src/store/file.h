// Small durable files (root store, lock record, signer, FORMAT) and the data directory's lock. Files is an interface,
// so that the owners run on a crash-testing disk; SystemFiles is the real thing. Errors: not_found file_missing,
// unavailable disk_full, unavailable io_error (context: the errno's name, never a path or content), invalid
// file_too_large, unavailable data_in_use (context pid).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace siegel {

class Files {
 public:
  virtual ~Files() = default;
  // The whole file, of at most bytes_max; a larger one is an error, not a prefix.
  virtual Result<Bytes> read_file(const std::filesystem::path& path, std::size_t bytes_max) = 0;
  // All or nothing, durable on return: temporary file beside it, fsync, rename, fsync of the directory. mode: 0600, …
  virtual Status write_file_durably(const std::filesystem::path& path, ByteView bytes, unsigned mode) = 0;
  // Makes creates, renames and removals in dir durable.
  virtual Status sync_dir(const std::filesystem::path& dir) = 0;
  // The same blocks of an existing file: pwrite and fdatasync, no rename. Never grows the file. A power loss may leave
  // any mix of old and new in the range: the format above must tell.
  virtual Status overwrite_in_place(const std::filesystem::path& path, std::uint64_t offset, ByteView bytes) = 0;
  virtual Status remove(const std::filesystem::path& path) = 0;  // a missing file is file_missing; not yet durable
  virtual Result<bool> exists(const std::filesystem::path& path) = 0;
  virtual Status make_dir(const std::filesystem::path& path,
                          unsigned mode) = 0;  // parent synced; an existing one is fine
  virtual Result<std::uint64_t> free_bytes(const std::filesystem::path& path) = 0;  // of the file system that holds it
};

// The directory and those above it that are missing, each made durable in the one above.
Status make_dirs(Files& files, const std::filesystem::path& path, unsigned mode);

class SystemFiles final : public Files {
 public:
  Result<Bytes> read_file(const std::filesystem::path& path, std::size_t bytes_max) override;
  Status write_file_durably(const std::filesystem::path& path, ByteView bytes, unsigned mode) override;
  Status sync_dir(const std::filesystem::path& dir) override;
  Status overwrite_in_place(const std::filesystem::path& path, std::uint64_t offset, ByteView bytes) override;
  Status remove(const std::filesystem::path& path) override;
  Result<bool> exists(const std::filesystem::path& path) override;
  Status make_dir(const std::filesystem::path& path, unsigned mode) override;
  Result<std::uint64_t> free_bytes(const std::filesystem::path& path) override;
};

// Exclusive for one process, by flock on a file (made if missing) that holds the pid; gone with the process, however it
// ends. A second one gets data_in_use with the holder's pid.
class DirectoryLock {
 public:
  static Result<DirectoryLock> take(const std::filesystem::path& lock_file);
  // The same on a file that has other content, which stays as it is. The pid is the system's word, if it has one.
  static Result<DirectoryLock> hold(const std::filesystem::path& existing_file);
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

struct SyncLatency {
  std::chrono::nanoseconds p50{};
  std::chrono::nanoseconds p99{};
  std::chrono::nanoseconds max{};
};
// Appends 4 KiB and fdatasyncs, `samples` times, on a temporary file in dir: what a sync costs there.
Result<SyncLatency> probe_sync_latency(const std::filesystem::path& dir, unsigned samples);

}  // namespace siegel
