// Private to store: the RocksDB implementation, and the settings of an open.
#pragma once

#include <rocksdb/cache.h>
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
  std::shared_ptr<rocksdb::Env> env;  // null: the default one
  std::shared_ptr<rocksdb::FileSystem> file_system;
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::DBOptions db;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;  // "default", unused but demanded, comes last
};
RocksSettings settings_of(const RocksOptions& options);

class RocksStore final : public Store {
 public:
  static Result<std::unique_ptr<Store>> open(const RocksOptions& options);
  ~RocksStore() override;
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  Status write(const Batch& batch, Sync sync) override;
  Result<std::optional<Pinned>> get_pinned(Family family, ByteView key, const Snapshot* snapshot) override;
  std::unique_ptr<Snapshot> snapshot() override;
  std::unique_ptr<Cursor> cursor(Family family, const CursorOptions& options) override;
  Status flush() override;
  Status compact(Family family) override;
  Status checkpoint(const std::filesystem::path& dir) override;
  Status resume() override;
  Status catch_up() override;
  StoreStats stats() override;
  std::uint64_t rows_estimate(Family family) override;

 private:
  using Batches = std::vector<std::unique_ptr<rocksdb::WriteBatch>>;

  RocksStore(RocksSettings settings, RocksOptions::Mode mode, RocksOptions::Wal wal);
  rocksdb::ColumnFamilyHandle* handle(Family family) const;
  rocksdb::Status fill(rocksdb::WriteBatch& to, const Batch& from) const;
  rocksdb::Status write_batch(const Batch& batch, Sync sync);
  std::uint64_t property(const std::string& name) const;

  RocksSettings settings_;
  RocksOptions::Mode mode_;
  RocksOptions::Wal wal_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // as settings_.families; owned by db_, given back in ~
  Guarded<Batches> spare_;                             // keeps the memory of batches from write to write
  std::atomic<bool> failed_ = false;
  Guarded<std::optional<Error>> failure_;  // of the first failed write
};

}  // namespace siegel
