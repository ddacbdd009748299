#include "support/crash_disk_rocksdb.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace siegel::test::crash {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus status_of(Io io) {
  switch (io) {
    case Io::ok:
      return IOStatus::OK();
    case Io::not_found:
      return IOStatus::PathNotFound("crash disk");
    case Io::no_space:
      return IOStatus::NoSpace("crash disk");
    case Io::already_there:
      return IOStatus::IOError("crash disk", "exists");
    case Io::not_empty:
      return IOStatus::IOError("crash disk", "not empty");
    case Io::error:
      break;
  }
  return IOStatus::IOError("crash disk");
}

// What every open file needs.
struct Handle {
  std::shared_ptr<Disk> disk;
  Life life;
  NodePtr node;

  IOStatus read(std::uint64_t offset, std::size_t n, Slice* result, char* scratch) const {
    std::string bytes;
    const auto io = disk->read(life, *node, offset, n, bytes);
    bytes.copy(scratch, bytes.size());
    *result = Slice(scratch, bytes.size());
    return status_of(io);
  }
};

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(Handle handle) : handle_(std::move(handle)) {}
  IOStatus Read(std::size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    auto done = handle_.read(at_, n, result, scratch);
    at_ += result->size();
    return done;
  }
  IOStatus Skip(std::uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }

 private:
  Handle handle_;
  std::uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(Handle handle) : handle_(std::move(handle)) {}
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return handle_.read(offset, n, result, scratch);
  }

 private:
  Handle handle_;
};

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  explicit WritableFile(Handle handle) : handle_(std::move(handle)) {}
  using rocksdb::FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    return status_of(handle_.disk->append(handle_.life, *handle_.node, {data.data(), data.size()}));
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* context) override {
    return Append(data, options, context);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    return status_of(handle_.disk->truncate(handle_.life, *handle_.node, size));
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return status_of(handle_.disk->sync(handle_.life, *handle_.node));
  }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    std::uint64_t size = 0;
    handle_.disk->size(handle_.life, *handle_.node, size);
    return size;
  }

 private:
  Handle handle_;
};

class RandomRWFile final : public rocksdb::FSRandomRWFile {
 public:
  explicit RandomRWFile(Handle handle) : handle_(std::move(handle)) {}
  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions&, IODebugContext*) override {
    return status_of(handle_.disk->write(handle_.life, *handle_.node, offset, {data.data(), data.size()}));
  }
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return handle_.read(offset, n, result, scratch);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return status_of(handle_.disk->sync(handle_.life, *handle_.node));
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  Handle handle_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(std::shared_ptr<Disk> disk, Life life, std::string path)
      : disk_(std::move(disk)), life_(life), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return status_of(disk_->sync_directory(life_, path_)); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  std::shared_ptr<Disk> disk_;
  Life life_;
  std::string path_;
};

class Logger final : public rocksdb::Logger {
 public:
  explicit Logger(Handle handle) : handle_(std::move(handle)) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, std::va_list arguments) override {
    char line[2048];
    const int n = std::vsnprintf(line, sizeof line - 1, format, arguments);
    if (n <= 0) return;
    auto length = std::min(static_cast<std::size_t>(n), sizeof line - 2);
    line[length++] = '\n';
    handle_.disk->log(handle_.life, *handle_.node, {line, length});
  }
  std::size_t GetLogFileSize() const override {
    std::uint64_t size = 0;
    handle_.disk->size(handle_.life, *handle_.node, size);
    return size;
  }

 private:
  Handle handle_;
};

struct Lock final : rocksdb::FileLock {
  explicit Lock(std::string p) : path(std::move(p)) {}
  std::string path;
};

class CrashFileSystem final : public rocksdb::FileSystem {
 public:
  explicit CrashFileSystem(std::shared_ptr<Disk> disk) : disk_(std::move(disk)), life_(disk_->life()) {}
  const char* Name() const override { return "CrashDisk"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* out, IODebugContext*) override {
    return existing<SequentialFile>(path, out);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* out, IODebugContext*) override {
    return existing<RandomAccessFile>(path, out);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>* out,
                           IODebugContext*) override {
    return opened<WritableFile>(path, Disk::Open::empty, out);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext*) override {
    return opened<WritableFile>(path, Disk::Open::existing_or_new, out);
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSRandomRWFile>* out,
                           IODebugContext*) override {
    return opened<RandomRWFile>(path, Disk::Open::existing_or_new, out);
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* out,
                        IODebugContext*) override {
    bool directory = false;
    auto done = IsDirectory(path, {}, &directory, nullptr);
    if (!done.ok() || !directory) return done.ok() ? status_of(Io::error) : done;
    *out = std::make_unique<Directory>(disk_, life_, path);
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    NodePtr node;
    const auto io = disk_->find(life_, path, node);
    return io == Io::not_found ? IOStatus::NotFound() : status_of(io);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* out,
                       IODebugContext*) override {
    const auto io = disk_->children(life_, path, *out);
    return io == Io::not_found ? IOStatus::NotFound() : status_of(io);
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    return status_of(disk_->remove(life_, path, false));
  }
  IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions&, IODebugContext*) override {
    NodePtr node;
    const auto io = disk_->find(life_, path, node);
    return status_of(io == Io::ok ? disk_->truncate(life_, *node, size) : io);
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return status_of(disk_->make_directory(life_, path));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) override {
    NodePtr node;  // looked for first: an existing one is no change and no counted call
    if (disk_->find(life_, path, node) == Io::ok) return status_of(node->is_directory ? Io::ok : Io::error);
    return status_of(disk_->make_directory(life_, path));
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return status_of(disk_->remove(life_, path, true));
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* out, IODebugContext*) override {
    NodePtr node;
    const auto io = disk_->find(life_, path, node);
    return status_of(io == Io::ok ? disk_->size(life_, *node, *out) : io);
  }
  IOStatus GetFileModificationTime(const std::string& path, const IOOptions&, std::uint64_t* out,
                                   IODebugContext*) override {
    *out = 1;
    return FileExists(path, {}, nullptr);
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return status_of(disk_->rename(life_, from, to));
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return status_of(disk_->link(life_, from, to));
  }
  IOStatus NumFileLinks(const std::string& path, const IOOptions&, std::uint64_t* out, IODebugContext*) override {
    *out = 1;
    return FileExists(path, {}, nullptr);
  }
  IOStatus AreFilesSame(const std::string& first, const std::string& second, const IOOptions&, bool* out,
                        IODebugContext*) override {
    NodePtr a;
    NodePtr b;
    auto io = disk_->find(life_, first, a);
    if (io == Io::ok) io = disk_->find(life_, second, b);
    *out = a && a == b;
    return status_of(io);
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** out, IODebugContext*) override {
    *out = nullptr;
    NodePtr node;
    if (const auto io = disk_->find(life_, path, node); io == Io::not_found) {
      if (const auto made = disk_->open(life_, path, Disk::Open::empty, node); made != Io::ok) return status_of(made);
    } else if (io != Io::ok) {
      return status_of(io);
    }
    if (!disk_->lock(life_, path)) return IOStatus::IOError("While lock file", "held");
    *out = new Lock(path);  // given back to UnlockFile, which deletes it: RocksDB's protocol
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    const std::unique_ptr<Lock> held(static_cast<Lock*>(lock));
    disk_->unlock(life_, held->path);
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* out, IODebugContext*) override {
    *out = "/tmp";
    return IOStatus::OK();
  }
  IOStatus NewLogger(const std::string& path, const IOOptions&, std::shared_ptr<rocksdb::Logger>* out,
                     IODebugContext*) override {
    NodePtr node;
    const auto io = disk_->open(life_, path, Disk::Open::existing_or_new, node);
    if (io == Io::ok) *out = std::make_shared<Logger>(Handle{disk_, life_, node});
    return status_of(io);
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* out, IODebugContext*) override {
    *out = path;
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string&, const IOOptions&, std::uint64_t* out, IODebugContext*) override {
    *out = disk_->free_bytes();
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* out, IODebugContext*) override {
    NodePtr node;
    const auto io = disk_->find(life_, path, node);
    *out = io == Io::ok && node->is_directory;
    return status_of(io);
  }

 private:
  template <class File, class Base>
  IOStatus existing(const std::string& path, std::unique_ptr<Base>* out) {
    NodePtr node;
    const auto io = disk_->find(life_, path, node);
    if (io == Io::ok) *out = std::make_unique<File>(Handle{disk_, life_, node});
    return status_of(io);
  }
  template <class File, class Base>
  IOStatus opened(const std::string& path, Disk::Open how, std::unique_ptr<Base>* out) {
    NodePtr node;
    const auto io = disk_->open(life_, path, how, node);
    if (io == Io::ok) *out = std::make_unique<File>(Handle{disk_, life_, node});
    return status_of(io);
  }

  std::shared_ptr<Disk> disk_;
  Life life_;
};

// After a failed flush or compaction RocksDB sleeps a second before it may be closed; here nobody is spared by that.
class QuickClock final : public rocksdb::SystemClockWrapper {
 public:
  QuickClock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "QuickClock"; }
  void SleepForMicroseconds(int micros) override { target_->SleepForMicroseconds(std::min(micros, 500)); }
};

class CrashEnv final : public rocksdb::EnvWrapper {
 public:
  explicit CrashEnv(const std::shared_ptr<rocksdb::FileSystem>& files) : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    system_clock_ = std::make_shared<QuickClock>();
  }
  const char* Name() const override { return "CrashEnv"; }
};

}  // namespace

FileSystemHandle rocksdb_file_system(std::shared_ptr<Disk> disk) {
  std::shared_ptr<rocksdb::Env> out = std::make_shared<CrashEnv>(std::make_shared<CrashFileSystem>(std::move(disk)));
  return {out};
}

}  // namespace siegel::test::crash
