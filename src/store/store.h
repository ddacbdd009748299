// Store: ordered bytes under ordered keys, in families, written by atomic batches. RocksDB behind an interface, so that
// no other module knows it and tests run on memory ("store/memory_store.h").
//
// Durability. write(batch, Sync::yes) returns after the whole batch is on disk; Sync::no returns once the operating
// system has it: it survives kill -9, and at a power loss a prefix of the unsynced batches survives, never half a batch
// and never a later batch without the earlier ones. What a power loss tears hinders no opening; what was synced once
// and is damaged does. A store opened without WAL (views) keeps nothing before flush();
// a power loss or kill takes it back, in all families together, to a flush.
//
// Failure. After a failed write it is unknown whether the batch will be seen after a restart. Every later write and
// flush fails with the same code, reads go on. The owner decides: close and open again (the ledger does, with all
// checks of a start), or resume(). Nothing recovers by itself.
//   unavailable disk_full    no room left                      unavailable io_error      the disk refused
//   unavailable data_in_use  another process has it open       corrupt store_damaged     checksum, missing or foreign
//   file not_found store_missing  nothing there, Create::never      corrupt store_layout      other families than asked
//   for
// No error text holds a key or a value. RocksDB's own LOG holds settings, file names and counts, never values.
//
// Recovery (point in time) stops at the first damaged record of the WAL and silently drops what follows: the owner must
// compare what it finds with a mark kept elsewhere (lock record, keys_mark).
//
// Threads: every call from any thread. Batches of two threads are both atomic; their order is the store's.
// Snapshot, Cursor and Pinned belong to one thread and must go before the store; they hold files and memory: keep
// short.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "store/batch.h"

namespace siegel {

enum class Sync : bool { no, yes };

// A value without a copy, for as long as this object lives.
class Pinned {
 public:
  struct Holder {
    virtual ~Holder() = default;
  };
  Pinned(ByteView value, std::unique_ptr<Holder> holder) : value_(value), holder_(std::move(holder)) {}
  [[nodiscard]] ByteView value() const noexcept { return value_; }

 private:
  ByteView value_;
  std::unique_ptr<Holder> holder_;
};

// The state of all families at one moment.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
};

// Walks one family in the order of its keys (bytewise), over the state at its creation or of the snapshot.
// Not on a row at first. status() tells "end" from "failed" when valid() is false: a loop must ask it.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual void seek(ByteView key) = 0;           // first row >= key
  virtual void seek_for_prev(ByteView key) = 0;  // last row <= key
  virtual void seek_to_first() = 0;
  virtual void seek_to_last() = 0;
  virtual void next() = 0;  // next, prev, key, value: only while valid()
  virtual void prev() = 0;
  [[nodiscard]] virtual bool valid() const = 0;
  [[nodiscard]] virtual ByteView key() const = 0;  // key, value: until the cursor moves
  [[nodiscard]] virtual ByteView value() const = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

struct CursorOptions {
  const Snapshot* snapshot = nullptr;  // must outlive the cursor
  // Rows from here on are not there for it, nor is the place looked at where such ones were erased; empty: no end. A
  // seek steps over erased rows until it finds one that is there, and that may be as many as a person had.
  ByteView until = {};
  enum class Reading : std::uint8_t { some, all } reading = Reading::some;  // all: reads ahead, spares the block cache
};

struct StoreStats {
  std::uint64_t memtable_bytes = 0;
  std::uint64_t reader_bytes = 0;  // open tables, outside the block cache
  std::uint64_t cache_bytes = 0;   // of the whole cache, which stores may share
  std::uint64_t table_bytes = 0;   // live SST files
  std::uint64_t compaction_pending_bytes = 0;
  std::uint64_t background_errors = 0;
  bool writes_stopped = false;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual Status write(const Batch& batch, Sync sync) = 0;  // an empty batch with Sync::yes syncs what came before

  virtual Result<std::optional<Pinned>> get_pinned(Family family, ByteView key, const Snapshot* snapshot = nullptr) = 0;
  Result<std::optional<Bytes>> get(Family family, ByteView key, const Snapshot* snapshot = nullptr);
  virtual std::unique_ptr<Snapshot> snapshot() = 0;
  virtual std::unique_ptr<Cursor> cursor(Family family, const CursorOptions& options = {}) = 0;

  // Memory to tables, all families; after it the WAL of before is gone, and a store without WAL is durable.
  virtual Status flush() = 0;
  // Rewrites the family down to its last level and drops what was erased or replaced, tables and WAL of before included
  // (unless a snapshot, cursor, Pinned or checkpoint still holds it).
  virtual Status compact(Family family) = 0;
  // A consistent copy that opens as a store; dir must not exist, its parent must. Hard links where possible.
  virtual Status checkpoint(const std::filesystem::path& dir) = 0;
  // After a failed write: closes and opens again in place, and takes writes if the cause is gone; else reads go on as
  // before. The store is then what a restart would have found: the failed batch is there or not, and a store without
  // WAL is back at its last flush, so its owner must look up where it stands. data_in_use while a Snapshot, Cursor or
  // Pinned lives; other reads may fail with io_error for the moment it takes. Nothing to do where nothing failed.
  // (RocksDB's own way of resuming writes on into the broken WAL, where 7.8 aborts, and skips flushes.)
  virtual Status resume() = 0;
  // A secondary (read-only beside the writer of another process) takes up what was written since; others: nothing to
  // do.
  virtual Status catch_up() = 0;

  // not_found "store_missing" if its files do not stand in its directory any more: deleted, moved away, others put
  // there. The open ones are read and written all the same, so that nothing else tells.
  [[nodiscard]] virtual Status at_place() { return Done{}; }
  // at_place(), and corrupt with place and file: the first damage that a read or write met since it was opened. Not
  // every damage: check_files.
  [[nodiscard]] virtual Status look() { return at_place(); }
  [[nodiscard]] virtual StoreStats stats() = 0;
  [[nodiscard]] virtual std::uint64_t rows_estimate(Family family) = 0;
  [[nodiscard]] std::uint64_t memory_bytes();  // memtables, readers and cache
};

// ── RocksDB ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// What stands behind a path (and the waiting for it): a std::shared_ptr<rocksdb::Env>, which only store and its tests
// know as such.
struct FileSystemHandle {
  std::shared_ptr<void> pointer;  // null: the real one
};
// Uncompressed blocks, indexes and filters; give one to several stores to bound their sum.
struct BlockCache {
  std::shared_ptr<void> pointer;
};
BlockCache make_block_cache(std::size_t bytes);

struct FamilyOptions {
  std::string name;  // stands on disk for ever; never "default"
  std::size_t write_buffer_bytes = std::size_t{16} << 20;
  bool bloom = false;  // 10 bits a key, where absent keys are looked up often
};

struct RocksOptions {
  std::filesystem::path dir;
  std::vector<FamilyOptions> families;  // Family{i} is families[i]; all, in any order: disk goes by the names

  enum class Create : std::uint8_t { never, if_missing } create = Create::never;  // if_missing also adds families
  enum class Mode : std::uint8_t { read_write, read_only, secondary } mode = Mode::read_write;
  std::filesystem::path secondary_dir;  // Mode::secondary: a place of its own for RocksDB's notes

  enum class Wal : std::uint8_t { on, off } wal = Wal::on;  // off: views; families are flushed together
  enum class Recovery : std::uint8_t { point_in_time, absolute } recovery = Recovery::point_in_time;
  // The WAL held at most before the oldest family is flushed: bounds the time to open.
  std::uint64_t wal_bytes_max = std::uint64_t{64} << 20;

  BlockCache cache;  // null: 8 MiB of its own
  int open_files_max = 256;
  FileSystemHandle file_system;
  // Of flushes and compactions. own: this store's disk may hang without holding up those of others.
  enum class Threads : std::uint8_t { shared, own } threads = Threads::shared;
};

Result<std::unique_ptr<Store>> open_rocksdb(const RocksOptions& options);

// A part of a file that no checksum covers: no reader takes anything from it.
struct UncheckedBytes {
  std::string file;  // in the store's directory
  std::uint64_t from = 0;
  std::uint64_t until = 0;
  // A record that holds begins behind: of a writer that syncs each record before it writes the next, what is unchecked
  // was synced, and no crash left it so.
  bool was_followed = false;
};
// Reads the files that rows stand in whole (tables, logs, manifest): corrupt "store_damaged" also where no reader would
// come across the damage. A log or manifest ends at the first record that does not hold, as RocksDB reads it; what lies
// behind, from a crash or from damage, is answered. Mode::secondary: a writer of another process may be at work; then a
// table is missing only if the manifest names it again.
Result<std::vector<UncheckedBytes>> check_files(const RocksOptions& options);
// The same of the logs alone, ascending; the store itself is not opened.
Result<std::vector<UncheckedBytes>> check_logs(const RocksOptions& options);

}  // namespace siegel
