// Settings: measured ones (performance.md 5), and those that keep what the contract in store.h says.
#include <rocksdb/cache.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include "base/assert.h"
#include "store/rocks_manifest.h"
#include "store/rocks_store.h"
#include "store/rocks_threads.h"

namespace siegel {

namespace {

constexpr std::size_t kOwnCacheBytes = std::size_t{8} << 20;
// Few shards: a filter must fit into one, and left to itself RocksDB makes them of 512 KiB.
constexpr int kCacheShardBits = 2;
constexpr std::uint64_t kBytesPerSync = std::uint64_t{1} << 20;
constexpr std::size_t kLogFileBytes = std::size_t{1} << 20;
constexpr std::size_t kLogFiles = 3;
constexpr double kBloomBitsPerKey = 10;
// Rows of views are about 100 bytes: blocks of 4 KiB would cost flushes and compactions a quarter more CPU time.
constexpr std::size_t kBlockBytes = std::size_t{16} << 10;
// Keys ascend but for what was made at the same time: a compaction meets the last table below it, and rewrites no more
// than that. Larger ones further down, so that there are not too many.
constexpr std::uint64_t kTableBytes = std::uint64_t{8} << 20;
constexpr int kTableGrowth = 2;
// With two, who fills one waits until the other is a table: the projector stood still for a third of its time.
constexpr int kWriteBuffers = 4;

// Recovers by itself from nothing: after a failed write or sync it is the owner who decides (store.h). Left alone,
// RocksDB would go on some seconds after there is room again.
class NoSelfRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* automatic) override {
    *automatic = false;
  }
};

rocksdb::DBOptions db_options(const RocksOptions& from) {
  rocksdb::DBOptions to;
  const bool writes = from.mode == RocksOptions::Mode::read_write;
  to.create_if_missing = writes && from.create == RocksOptions::Create::if_missing;
  to.create_missing_column_families = to.create_if_missing;
  to.paranoid_checks = true;
  to.max_background_jobs = 2;
  to.bytes_per_sync = kBytesPerSync;
  // A secondary reads files that the writer deletes under it unless it holds all of them open.
  to.max_open_files = from.mode == RocksOptions::Mode::secondary ? -1 : from.open_files_max;
  to.max_total_wal_size = from.wal_bytes_max;
  to.wal_recovery_mode = from.recovery == RocksOptions::Recovery::absolute
                             ? rocksdb::WALRecoveryMode::kAbsoluteConsistency
                             : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  to.atomic_flush = from.wal == RocksOptions::Wal::off;
  to.max_bgerror_resume_count = 0;
  to.listeners.push_back(std::make_shared<NoSelfRecovery>());
  // Warnings only, no statistics: the LOG stays small, and nothing of the content comes near it.
  to.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  to.max_log_file_size = kLogFileBytes;
  to.keep_log_file_num = kLogFiles;
  to.stats_dump_period_sec = 0;
  to.stats_persist_period_sec = 0;
  // Said aloud because the WAL depends on it. Compression of the WAL fails at recovery in 7.8; recycled logs and manual
  // flushes blur what a crash leaves.
  to.manual_wal_flush = false;
  to.recycle_log_file_num = 0;
  // In the manifest, of each table as a whole: RocksDB's checksums of blocks leave the footer's padding out.
  to.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  to.wal_compression = rocksdb::kNoCompression;
  return to;
}

rocksdb::ColumnFamilyOptions family_options(const FamilyOptions& from, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = kBlockBytes;
  table.cache_index_and_filter_blocks = true;  // so that the cache bounds them too
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  if (from.bloom) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));

  rocksdb::ColumnFamilyOptions to;
  to.write_buffer_size = from.write_buffer_bytes;
  to.max_write_buffer_number = kWriteBuffers;
  to.target_file_size_base = kTableBytes;
  to.target_file_size_multiplier = kTableGrowth;
  to.compression = rocksdb::kNoCompression;  // almost all of it is ciphertext
  to.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return to;
}

}  // namespace

BlockCache make_block_cache(std::size_t bytes) { return {rocksdb::NewLRUCache(bytes, kCacheShardBits)}; }

RocksSettings settings_of(const RocksOptions& options) {
  SIEGEL_ASSERT(!options.families.empty() && options.families.size() <= UINT8_MAX);
  RocksSettings out;
  out.db = db_options(options);
  auto base = std::static_pointer_cast<rocksdb::Env>(options.file_system.pointer);
  if (options.threads == RocksOptions::Threads::own) base = with_own_threads(std::move(base));
  if (!base) base = {std::shared_ptr<void>(), rocksdb::Env::Default()};  // lives for ever
  out.file_system = base->GetFileSystem();
  out.elsewhere = std::make_shared<std::atomic<bool>>(false);
  out.env = with_marks(base, options.mode, out.elsewhere);
  out.db.env = out.env.get();
  out.cache = options.cache.pointer ? std::static_pointer_cast<rocksdb::Cache>(options.cache.pointer)
                                    : rocksdb::NewLRUCache(kOwnCacheBytes, kCacheShardBits);
  for (const auto& family : options.families) {
    SIEGEL_ASSERT(family.name != rocksdb::kDefaultColumnFamilyName);
    out.families.emplace_back(family.name, family_options(family, out.cache));
  }
  out.families.emplace_back(rocksdb::kDefaultColumnFamilyName,
                            family_options({.name = {}, .write_buffer_bytes = std::size_t{1} << 20}, out.cache));
  return out;
}

}  // namespace siegel
