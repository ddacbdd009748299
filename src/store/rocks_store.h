// Private to store: the RocksDB implementation, and the settings of an open.
#pragma once

#include <rocksdb/cache.h>
#if __has_include(<rocksdb/advanced_cache.h>)
#include <rocksdb/advanced_cache.h>  // holds class Cache since 8.x
#endif
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "store/rocks_place.h"
#include "store/store.h"

namespace siegel {

inline rocksdb::Slice slice_of(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline ByteView view_of(const rocksdb::Slice& slice) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

// What RocksDB is given, and what must outlive it.
struct RocksSettings {
  std::shared_ptr<rocksdb::Env> env;                 // RocksDB's: keeps marks of manifests (rocks_manifest.h)
  std::shared_ptr<rocksdb::FileSystem> file_system;  // what lies below: files as they are
  StandsElsewhere elsewhere;                         // then env changes nothing any more, until it is opened anew
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::DBOptions db;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;  // "default", unused but demanded, comes last
};
RocksSettings settings_of(const RocksOptions& options);

// Which file it is, whatever its name.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// A database and its families, as in RocksSettings. Readers share it, so that none sees it closed under it.
struct OpenDb {
  OpenDb() = default;
  OpenDb(const OpenDb&) = delete;
  OpenDb& operator=(const OpenDb&) = delete;
  ~OpenDb();
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;  // owned by db, given back in ~
  std::string dir;
  Guarded<std::optional<Error>> damage;  // the first that was met
  // Of its LOCK, which stays open as long as the database: no other file gets this identity. None on a test's files.
  std::optional<FileIdentity> lock;
};
// disk_full if the disk would have less than kRoomBytesMin left with `more` on it. Below that nothing is written, and
// nothing opened for writing: there is room to find one's way back, and RocksDB is spared most of what it does badly on
// a full disk. A file system of a test's is not asked: there RocksDB meets the end.
inline constexpr std::uint64_t kRoomBytesMin = std::uint64_t{16} << 20;
Status check_room(const RocksOptions& options, const RocksSettings& settings, std::uint64_t more);
Result<std::shared_ptr<OpenDb>> open_db(const RocksOptions& options, const RocksSettings& settings);
Error store_missing();
std::optional<FileIdentity> lock_of(const RocksOptions& options);
// Can something of some size be written and synced in the directory? Leaves nothing.
Status probe_disk(const RocksOptions& options, const RocksSettings& settings);

class RocksStore final : public Store {
 public:
  RocksStore(RocksOptions options, RocksSettings settings, std::shared_ptr<OpenDb> open);
  ~RocksStore() override { (void)at_place(); }  // closing changes files

  Status write(const Batch& batch, Sync sync) override;
  Result<std::optional<Pinned>> get_pinned(Family family, ByteView key, const Snapshot* snapshot) override;
  std::unique_ptr<Snapshot> snapshot() override;
  std::unique_ptr<Cursor> cursor(Family family, const CursorOptions& options) override;
  Status flush() override;
  Status compact(Family family) override;
  Status checkpoint(const std::filesystem::path& dir) override;
  Status resume() override;
  Status catch_up() override;
  Status at_place() override;
  Status look() override;
  StoreStats stats() override;
  std::uint64_t rows_estimate(Family family) override;

 private:
  using Batches = std::vector<std::unique_ptr<rocksdb::WriteBatch>>;

  [[nodiscard]] std::shared_ptr<OpenDb> current() const;  // null: closed by resume()
  [[nodiscard]] std::shared_ptr<OpenDb> of(const Snapshot* snapshot) const;
  [[nodiscard]] Error failure() const;
  Error fail(Error error);
  rocksdb::Status write_batch(OpenDb& open, const Batch& batch, Sync sync);

  RocksOptions options_;
  RocksSettings settings_;
  Guarded<std::shared_ptr<OpenDb>> open_;
  Guarded<Batches> spare_;  // keeps the memory of batches from write to write
  std::atomic<bool> failed_ = false;
  Guarded<std::optional<Error>> failure_;  // of the first failed write
};

}  // namespace siegel
