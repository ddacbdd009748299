#include "store/rocks_store.h"

#include <rocksdb/utilities/checkpoint.h>

#include "base/assert.h"
#include "store/rocks_error.h"

namespace siegel {

namespace {

constexpr std::size_t kScanReadaheadBytes = std::size_t{2} << 20;

struct SliceHolder final : Pinned::Holder {
  std::shared_ptr<OpenDb> open;  // before the slice: goes after it
  rocksdb::PinnableSlice slice;
};

class RocksSnapshot final : public Snapshot {
 public:
  explicit RocksSnapshot(std::shared_ptr<OpenDb> open)
      : open_(std::move(open)), snapshot_(open_ ? open_->db->GetSnapshot() : nullptr) {}
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;
  ~RocksSnapshot() override {
    if (snapshot_) open_->db->ReleaseSnapshot(snapshot_);
  }
  // The database that it is of: not always the current one, which may have been closed at its birth.
  [[nodiscard]] const std::shared_ptr<OpenDb>& open() const noexcept { return open_; }
  [[nodiscard]] const rocksdb::Snapshot* get() const noexcept { return snapshot_; }

 private:
  std::shared_ptr<OpenDb> open_;
  const rocksdb::Snapshot* snapshot_;
};

rocksdb::ReadOptions read_options(const Snapshot* snapshot) {
  rocksdb::ReadOptions out;
  if (snapshot) out.snapshot = static_cast<const RocksSnapshot*>(snapshot)->get();
  return out;
}

rocksdb::ColumnFamilyHandle* handle(const OpenDb& open, Family family) {
  SIEGEL_ASSERT(family.get() + std::size_t{1} < open.handles.size());  // the last is "default"
  return open.handles[family.get()];
}

Error noted(OpenDb& open, const rocksdb::Status& status) {
  auto error = error_of(status).with("place", open.dir);
  if (error.category() == Errc::corrupt)
    open.damage.with([&](std::optional<Error>& first) {
      if (!first) first = error;
    });
  return error;
}

// RocksDB keeps a pointer to the slice.
struct Bound {
  explicit Bound(ByteView until) : bytes(to_bytes(until)), slice(slice_of(bytes)) {}
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;
  ~Bound() = default;
  Bytes bytes;
  rocksdb::Slice slice;
};

class RocksCursor final : public Cursor {
 public:
  RocksCursor(std::shared_ptr<OpenDb> open, std::unique_ptr<Bound> bound, rocksdb::Iterator* iterator)
      : open_(std::move(open)), bound_(std::move(bound)), at_(iterator) {}
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
  Status status() const override {
    const auto status = at_->status();
    return status.ok() ? Status(Done{}) : Status(noted(*open_, status));
  }

 private:
  std::shared_ptr<OpenDb> open_;  // before the iterator: goes after it
  std::unique_ptr<Bound> bound_;  // likewise
  std::unique_ptr<rocksdb::Iterator> at_;
};

// Of a store that could not be opened again.
class FailedCursor final : public Cursor {
 public:
  explicit FailedCursor(Error error) : error_(std::move(error)) {}
  void seek(ByteView) override {}
  void seek_for_prev(ByteView) override {}
  void seek_to_first() override {}
  void seek_to_last() override {}
  void next() override { SIEGEL_ASSERT(valid()); }
  void prev() override { SIEGEL_ASSERT(valid()); }
  bool valid() const override { return false; }
  ByteView key() const override {
    SIEGEL_ASSERT(valid());
    return {};
  }
  ByteView value() const override { return key(); }
  Status status() const override { return Error(error_); }

 private:
  Error error_;
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

RocksStore::RocksStore(RocksOptions options, RocksSettings settings, std::shared_ptr<OpenDb> open)
    : options_(std::move(options)), settings_(std::move(settings)), open_(std::move(open)) {
  // What is opened again must be there with all its families.
  settings_.db.create_if_missing = false;
  settings_.db.create_missing_column_families = false;
}

std::shared_ptr<OpenDb> RocksStore::current() const {
  return open_.with([](const std::shared_ptr<OpenDb>& open) { return open; });
}

Error RocksStore::failure() const {
  return failure_.with([](const std::optional<Error>& first) {
    return first ? Error(*first) : Error(Errc::unavailable, "io_error", "The store is being opened again.");
  });
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

rocksdb::Status fill(rocksdb::WriteBatch& to, const OpenDb& open, const Batch& from) {
  to.Clear();
  for (std::size_t i = 0; i < from.count(); ++i) {
    const auto entry = from.entry(i);
    const auto done = entry.op == Batch::Op::put
                          ? to.Put(handle(open, entry.family), slice_of(entry.key), slice_of(entry.value))
                          : to.Delete(handle(open, entry.family), slice_of(entry.key));
    if (!done.ok()) return done;
  }
  return rocksdb::Status::OK();
}

}  // namespace

rocksdb::Status RocksStore::write_batch(OpenDb& open, const Batch& batch, Sync sync) {
  if (batch.empty()) return sync == Sync::yes ? open.db->SyncWAL() : rocksdb::Status::OK();
  auto rocks = spare_.with([](Batches& spare) {
    if (spare.empty()) return std::make_unique<rocksdb::WriteBatch>();
    auto last = std::move(spare.back());
    spare.pop_back();
    return last;
  });
  auto done = fill(*rocks, open, batch);
  if (done.ok()) {
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::yes;
    options.disableWAL = options_.wal == RocksOptions::Wal::off;
    done = open.db->Write(options, rocks.get());
  }
  spare_.with([&](Batches& spare) { spare.push_back(std::move(rocks)); });
  return done;
}

Status RocksStore::write(const Batch& batch, Sync sync) {
  SIEGEL_ASSERT(options_.mode == RocksOptions::Mode::read_write);
  SIEGEL_ASSERT(options_.wal == RocksOptions::Wal::on || sync == Sync::no);  // without WAL only flush() makes durable
  if (failed_) return failure();
  const auto open = current();
  if (!open) return failure();
  if (auto room = check_room(options_, settings_, batch.bytes()); !room) return fail(std::move(room).error());
  const auto done = write_batch(*open, batch, sync);
  if (!done.ok()) return fail(noted(*open, done));
  if (sync == Sync::no) return Done{};
  // RocksDB goes on with the files that it holds open: behind the sync it is sure that they stand at the place.
  if (auto there = at_place(); !there) return fail(std::move(there).error());
  return Done{};
}

Error RocksStore::fail(Error error) {
  failure_.with([&](std::optional<Error>& first) {
    if (!first) first = error;
  });
  failed_ = true;
  return error;
}

Status RocksStore::resume() {
  if (!failed_) return Done{};
  // Else closing would only take the reads away.
  if (current()) SIEGEL_CHECK(at_place());
  SIEGEL_CHECK(check_room(options_, settings_, 0));
  SIEGEL_CHECK(probe_disk(options_, settings_));
  std::shared_ptr<OpenDb> old;
  const bool idle = open_.with([&](std::shared_ptr<OpenDb>& open) {
    if (open.use_count() > 1) return false;
    old = std::move(open);
    return true;
  });
  if (!idle) return Error(Errc::unavailable, "data_in_use", "A reader still holds the store.");
  old.reset();
  auto opened = open_db(options_, settings_);
  if (opened) {
    open_.with([&](std::shared_ptr<OpenDb>& open) { open = std::move(*opened); });
    failure_.with([](std::optional<Error>& first) { first.reset(); });
    failed_ = false;
    return Done{};
  }
  auto reading = options_;
  reading.mode = RocksOptions::Mode::read_only;
  if (auto read_only = open_db(reading, settings_)) {
    open_.with([&](std::shared_ptr<OpenDb>& open) { open = std::move(*read_only); });
  }
  return Error(std::move(opened).error());
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<std::optional<Pinned>> RocksStore::get_pinned(Family family, ByteView key, const Snapshot* snapshot) {
  auto holder = std::make_unique<SliceHolder>();
  holder->open = of(snapshot);
  if (!holder->open) return failure();
  const auto done =
      holder->open->db->Get(read_options(snapshot), handle(*holder->open, family), slice_of(key), &holder->slice);
  if (done.IsNotFound()) return std::optional<Pinned>();
  if (!done.ok()) return noted(*holder->open, done);
  const auto value = view_of(holder->slice);
  return std::optional<Pinned>(Pinned(value, std::move(holder)));
}

std::shared_ptr<OpenDb> RocksStore::of(const Snapshot* snapshot) const {
  return snapshot ? static_cast<const RocksSnapshot*>(snapshot)->open() : current();
}

std::unique_ptr<Snapshot> RocksStore::snapshot() { return std::make_unique<RocksSnapshot>(current()); }

std::unique_ptr<Cursor> RocksStore::cursor(Family family, const CursorOptions& options) {
  auto open = of(options.snapshot);
  if (!open) return std::make_unique<FailedCursor>(failure());
  auto read = read_options(options.snapshot);
  if (options.reading == CursorOptions::Reading::all) {
    read.readahead_size = kScanReadaheadBytes;
    read.fill_cache = false;
  }
  auto bound = options.until.empty() ? nullptr : std::make_unique<Bound>(options.until);
  if (bound) read.iterate_upper_bound = &bound->slice;
  auto* iterator = open->db->NewIterator(read, handle(*open, family));
  return std::make_unique<RocksCursor>(std::move(open), std::move(bound), iterator);
}

Status RocksStore::look() {
  SIEGEL_CHECK(at_place());
  const auto open = current();
  if (!open) return failure();
  return open->damage.with([](const std::optional<Error>& first) { return first ? Status(*first) : Status(Done{}); });
}

Status RocksStore::catch_up() {
  if (options_.mode != RocksOptions::Mode::secondary) return Done{};
  return status_of(current()->db->TryCatchUpWithPrimary());
}

Status RocksStore::at_place() {
  const auto open = current();
  if (!open) return failure();
  const auto found = settings_.file_system->FileExists((options_.dir / "CURRENT").string(), {}, nullptr);
  const bool is_there = found.ok() && (!open->lock || lock_of(options_) == open->lock);
  const bool missing = !is_there && (found.ok() || found.IsNotFound() || found.IsPathNotFound());
  if (is_there || missing) *settings_.elsewhere = missing;
  if (is_there) return Done{};
  return (missing ? store_missing() : error_of(found)).with("place", options_.dir.string());
}

// ── upkeep ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Status RocksStore::flush() {
  if (failed_) return failure();
  const auto open = current();
  if (!open) return failure();
  const auto done = open->db->Flush({}, open->handles);
  if (!done.ok()) return fail(noted(*open, done));
  return status_of(delete_obsolete_files(*open->db));
}

Status RocksStore::compact(Family family) {
  SIEGEL_CHECK(flush());
  const auto open = current();
  if (!open) return failure();
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  SIEGEL_CHECK(status_of(open->db->CompactRange(options, handle(*open, family), nullptr, nullptr)));
  return status_of(delete_obsolete_files(*open->db));
}

Status RocksStore::checkpoint(const std::filesystem::path& dir) {
  const auto open = current();
  if (!open) return failure();
  auto& files = *settings_.file_system;
  if (files.FileExists(dir.string(), {}, nullptr).ok()) {
    return Error(Errc::invalid, "already_there", "The place for the copy exists already.");
  }
  rocksdb::Checkpoint* raw = nullptr;
  const auto made = rocksdb::Checkpoint::Create(open->db.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  SIEGEL_CHECK(status_of(made));
  SIEGEL_CHECK(status_of(checkpoint->CreateCheckpoint(dir.string())));
  // RocksDB syncs the copy but not the name under which it stands.
  const auto parent = dir.parent_path();
  std::unique_ptr<rocksdb::FSDirectory> above;
  SIEGEL_CHECK(status_of(files.NewDirectory(parent.empty() ? "." : parent.string(), {}, &above, nullptr)));
  return status_of(above->FsyncWithDirOptions({}, nullptr, rocksdb::DirFsyncOptions()));
}

StoreStats RocksStore::stats() {
  using Properties = rocksdb::DB::Properties;
  const auto open = current();
  if (!open) return {.writes_stopped = true};
  const auto sum = [&](const std::string& name) {
    std::uint64_t value = 0;
    return open->db->GetAggregatedIntProperty(name, &value) ? value : 0;
  };
  std::uint64_t errors = 0;
  std::uint64_t stopped = 0;
  open->db->GetIntProperty(Properties::kBackgroundErrors, &errors);  // of the whole store, unlike the sums below
  open->db->GetIntProperty(Properties::kIsWriteStopped, &stopped);
  return {.memtable_bytes = sum(Properties::kSizeAllMemTables),
          .reader_bytes = sum(Properties::kEstimateTableReadersMem),
          .cache_bytes = settings_.cache->GetUsage(),
          .table_bytes = sum(Properties::kLiveSstFilesSize),
          .compaction_pending_bytes = sum(Properties::kEstimatePendingCompactionBytes),
          .background_errors = errors,
          .writes_stopped = stopped != 0 || failed_};
}

std::uint64_t RocksStore::rows_estimate(Family family) {
  std::uint64_t value = 0;
  if (const auto open = current()) {
    open->db->GetIntProperty(handle(*open, family), rocksdb::DB::Properties::kEstimateNumKeys, &value);
  }
  return value;
}

}  // namespace siegel
