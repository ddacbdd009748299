#include "store/rocks_store.h"

#include <rocksdb/utilities/checkpoint.h>

#include "base/assert.h"
#include "store/rocks_error.h"

namespace siegel {

namespace {

constexpr std::size_t kScanReadaheadBytes = std::size_t{2} << 20;

struct SliceHolder final : Pinned::Holder {
  rocksdb::PinnableSlice slice;
};

class RocksSnapshot final : public Snapshot {
 public:
  explicit RocksSnapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;
  ~RocksSnapshot() override { db_.ReleaseSnapshot(snapshot_); }
  [[nodiscard]] const rocksdb::Snapshot* get() const noexcept { return snapshot_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
};

rocksdb::ReadOptions read_options(const Snapshot* snapshot) {
  rocksdb::ReadOptions out;
  if (snapshot) out.snapshot = static_cast<const RocksSnapshot*>(snapshot)->get();
  return out;
}

class RocksCursor final : public Cursor {
 public:
  explicit RocksCursor(rocksdb::Iterator* iterator) : at_(iterator) {}
  void seek(ByteView key) override { at_->Seek(slice_of(key)); }
  void seek_for_prev(ByteView key) override { at_->SeekForPrev(slice_of(key)); }
  void seek_to_first() override { at_->SeekToFirst(); }
  void seek_to_last() override { at_->SeekToLast(); }
  void next() override {
    SIEGEL_ASSERT(at_->Valid());
    at_->Next();
  }
  void prev() override {
    SIEGEL_ASSERT(at_->Valid());
    at_->Prev();
  }
  bool valid() const override { return at_->Valid(); }
  ByteView key() const override {
    SIEGEL_ASSERT(at_->Valid());
    return view_of(at_->key());
  }
  ByteView value() const override {
    SIEGEL_ASSERT(at_->Valid());
    return view_of(at_->value());
  }
  Status status() const override { return status_of(at_->status()); }

 private:
  std::unique_ptr<rocksdb::Iterator> at_;
};

// Deletes what nothing needs any more before it returns; a job of the background would do so a moment later.
template <class Db>
rocksdb::Status delete_obsolete_files(Db& db) {
  auto done = db.DisableFileDeletions();
  if (!done.ok()) return done;
  // Never by force (7.8 has the choice): a checkpoint under way relies on the deletions being off.
  if constexpr (requires { db.EnableFileDeletions(false); }) {
    return db.EnableFileDeletions(false);
  } else {
    return db.EnableFileDeletions();
  }
}

}  // namespace

RocksStore::RocksStore(RocksSettings settings, RocksOptions::Mode mode, RocksOptions::Wal wal)
    : settings_(std::move(settings)), mode_(mode), wal_(wal) {}

RocksStore::~RocksStore() {
  if (!db_) return;
  for (auto* family : handles_) db_->DestroyColumnFamilyHandle(family);
  db_->Close();  // nothing to do about a failure: what was synced is safe
}

rocksdb::ColumnFamilyHandle* RocksStore::handle(Family family) const {
  SIEGEL_ASSERT(family.get() + std::size_t{1} < handles_.size());  // the last is "default"
  return handles_[family.get()];
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

rocksdb::Status RocksStore::fill(rocksdb::WriteBatch& to, const Batch& from) const {
  to.Clear();
  for (std::size_t i = 0; i < from.count(); ++i) {
    const auto entry = from.entry(i);
    const auto done = entry.op == Batch::Op::put
                          ? to.Put(handle(entry.family), slice_of(entry.key), slice_of(entry.value))
                          : to.Delete(handle(entry.family), slice_of(entry.key));
    if (!done.ok()) return done;
  }
  return rocksdb::Status::OK();
}

rocksdb::Status RocksStore::write_batch(const Batch& batch, Sync sync) {
  if (batch.empty()) return sync == Sync::yes ? db_->SyncWAL() : rocksdb::Status::OK();
  auto rocks = spare_.with([](Batches& spare) {
    if (spare.empty()) return std::make_unique<rocksdb::WriteBatch>();
    auto last = std::move(spare.back());
    spare.pop_back();
    return last;
  });
  auto done = fill(*rocks, batch);
  if (done.ok()) {
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::yes;
    options.disableWAL = wal_ == RocksOptions::Wal::off;
    done = db_->Write(options, rocks.get());
  }
  spare_.with([&](Batches& spare) { spare.push_back(std::move(rocks)); });
  return done;
}

Status RocksStore::write(const Batch& batch, Sync sync) {
  SIEGEL_ASSERT(mode_ == RocksOptions::Mode::read_write);
  SIEGEL_ASSERT(wal_ == RocksOptions::Wal::on || sync == Sync::no);  // without WAL only flush() makes durable
  if (failed_) return failure_.with([](const std::optional<Error>& first) { return Status(Error(*first)); });
  const auto done = write_batch(batch, sync);
  if (done.ok()) return Done{};
  auto error = error_of(done);
  failure_.with([&](std::optional<Error>& first) {
    if (!first) first = error;
  });
  failed_ = true;
  return error;
}

Status RocksStore::resume() {
  SIEGEL_CHECK(status_of(db_->Resume()));
  failed_ = false;
  failure_.with([](std::optional<Error>& first) { first.reset(); });
  return Done{};
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<std::optional<Pinned>> RocksStore::get_pinned(Family family, ByteView key, const Snapshot* snapshot) {
  auto holder = std::make_unique<SliceHolder>();
  const auto done = db_->Get(read_options(snapshot), handle(family), slice_of(key), &holder->slice);
  if (done.IsNotFound()) return std::optional<Pinned>();
  if (!done.ok()) return error_of(done);
  const auto value = view_of(holder->slice);
  return std::optional<Pinned>(Pinned(value, std::move(holder)));
}

std::unique_ptr<Snapshot> RocksStore::snapshot() { return std::make_unique<RocksSnapshot>(*db_); }

std::unique_ptr<Cursor> RocksStore::cursor(Family family, const CursorOptions& options) {
  auto read = read_options(options.snapshot);
  if (options.reading == CursorOptions::Reading::all) {
    read.readahead_size = kScanReadaheadBytes;
    read.fill_cache = false;
  }
  return std::make_unique<RocksCursor>(db_->NewIterator(read, handle(family)));
}

Status RocksStore::catch_up() {
  if (mode_ != RocksOptions::Mode::secondary) return Done{};
  return status_of(db_->TryCatchUpWithPrimary());
}

// ── upkeep ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Status RocksStore::flush() {
  SIEGEL_CHECK(status_of(db_->Flush({}, handles_)));
  return status_of(delete_obsolete_files(*db_));
}

Status RocksStore::compact(Family family) {
  SIEGEL_CHECK(status_of(db_->Flush({}, handles_)));
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  SIEGEL_CHECK(status_of(db_->CompactRange(options, handle(family), nullptr, nullptr)));
  return status_of(delete_obsolete_files(*db_));
}

Status RocksStore::checkpoint(const std::filesystem::path& dir) {
  auto& files = *settings_.file_system;
  if (files.FileExists(dir.string(), {}, nullptr).ok()) {
    return Error(Errc::invalid, "already_there", "The place for the copy exists already.");
  }
  rocksdb::Checkpoint* raw = nullptr;
  const auto made = rocksdb::Checkpoint::Create(db_.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  SIEGEL_CHECK(status_of(made));
  SIEGEL_CHECK(status_of(checkpoint->CreateCheckpoint(dir.string())));
  // RocksDB syncs the copy but not the name under which it stands.
  const auto parent = dir.parent_path();
  std::unique_ptr<rocksdb::FSDirectory> above;
  SIEGEL_CHECK(status_of(files.NewDirectory(parent.empty() ? "." : parent.string(), {}, &above, nullptr)));
  return status_of(above->FsyncWithDirOptions({}, nullptr, rocksdb::DirFsyncOptions()));
}

std::uint64_t RocksStore::property(const std::string& name) const {
  std::uint64_t value = 0;
  return db_->GetAggregatedIntProperty(name, &value) ? value : 0;
}

StoreStats RocksStore::stats() {
  using Properties = rocksdb::DB::Properties;
  std::uint64_t errors = 0;
  std::uint64_t stopped = 0;
  db_->GetIntProperty(Properties::kBackgroundErrors, &errors);  // of the whole store, unlike the sums below
  db_->GetIntProperty(Properties::kIsWriteStopped, &stopped);
  return {.memtable_bytes = property(Properties::kSizeAllMemTables),
          .reader_bytes = property(Properties::kEstimateTableReadersMem),
          .cache_bytes = settings_.cache->GetUsage(),
          .table_bytes = property(Properties::kLiveSstFilesSize),
          .compaction_pending_bytes = property(Properties::kEstimatePendingCompactionBytes),
          .background_errors = errors,
          .writes_stopped = stopped != 0 || failed_};
}

std::uint64_t RocksStore::rows_estimate(Family family) {
  std::uint64_t value = 0;
  db_->GetIntProperty(handle(family), rocksdb::DB::Properties::kEstimateNumKeys, &value);
  return value;
}

}  // namespace siegel
