#include "vault/keys_store.h"

#include <algorithm>

#include "crypto/sha256.h"

namespace siegel::vault {
namespace {

constexpr std::uint16_t kFormat = 1;
constexpr std::size_t kHeadBytes = 2 + 16 + 8;
constexpr std::size_t kCopyBatchBytes = std::size_t{4} << 20;
// Each erasure reads the log from its beginning (from_disk), so it is kept short: 2 MiB are some hundred erasures, or
// the leaf nodes of 45,000 leaves.
constexpr std::uint64_t kWalBytesMax = std::uint64_t{2} << 20;

ByteView head_key() { return as_bytes("head"); }
ByteView mark_key() { return as_bytes("mark"); }
// Since when a replica has been away; the path stands there as a hash so that its length does not matter.
Bytes away_key(const std::filesystem::path& dir) {
  Bytes key = to_bytes(as_bytes("away/"));
  append(key, ByteView(sha256(as_bytes(dir.string()))).first(8));
  return key;
}

RocksOptions rocks_options(const std::filesystem::path& dir, const FileSystemHandle& file_system) {
  RocksOptions out;
  out.dir = dir;
  out.families = {{.name = "nodes"},
                  {.name = "fences", .write_buffer_bytes = std::size_t{1} << 20},
                  {.name = "meta", .write_buffer_bytes = std::size_t{1} << 20},
                  {.name = "pending", .write_buffer_bytes = std::size_t{1} << 20}};
  out.wal_bytes_max = kWalBytesMax;
  out.file_system = file_system;
  return out;
}

FileSystemHandle replica_file_system(const Options& options, std::size_t i) {
  return i < options.replica_file_systems.size() ? options.replica_file_systems[i] : options.file_system;
}

Result<std::unique_ptr<Store>> make_store(const std::filesystem::path& dir, const FileSystemHandle& file_system) {
  auto options = rocks_options(dir, file_system);
  if (auto there = open_rocksdb(options)) return Error(Errc::conflict, "exists", "There is a keys store already.");
  options.create = RocksOptions::Create::if_missing;
  return open_rocksdb(options);
}

Result<KeysStore::Head> decode_head(const std::optional<Bytes>& row) {
  if (!row || row->size() < 2) return keys_damaged();
  if (const auto format = get_be<std::uint16_t>(row->data()); format != kFormat) {
    return Error(Errc::corrupt, "format_unknown", "The keys store has a format that this version does not know.")
        .with("format", format);
  }
  if (row->size() != kHeadBytes) return keys_damaged();
  const ByteView bytes(*row);
  return KeysStore::Head{KeyTreeId(to_array<16>(bytes.subspan(2, 16))), LedgerId(to_array<8>(bytes.subspan(18, 8)))};
}

Result<std::uint64_t> read_mark(Store& store) {
  SIEGEL_TRY(row, store.get(kMeta, mark_key()));
  if (!row || row->size() != 8) return keys_damaged();
  return get_be<std::uint64_t>(row->data());
}

// Makes one family of `to` equal to that of `from`, in pieces.
Status copy_family(Store& from, Store& to, Family family) {
  const auto source = from.cursor(family, {.reading = CursorOptions::Reading::all});
  const auto target = to.cursor(family, {.reading = CursorOptions::Reading::all});
  source->seek_to_first();
  target->seek_to_first();
  Batch batch;
  const auto less = [](ByteView a, ByteView b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
  };
  while (source->valid() || target->valid()) {
    if (!source->valid() || (target->valid() && less(target->key(), source->key()))) {
      batch.erase(family, target->key());
      target->next();
    } else if (!target->valid() || less(source->key(), target->key())) {
      batch.put(family, source->key(), source->value());
      source->next();
    } else {
      if (!equal(source->value(), target->value())) batch.put(family, source->key(), source->value());
      source->next();
      target->next();
    }
    if (batch.bytes() >= kCopyBatchBytes) {
      SIEGEL_CHECK(to.write(batch, Sync::no));
      batch.clear();
    }
  }
  SIEGEL_CHECK(source->status());
  SIEGEL_CHECK(target->status());
  return to.write(batch, Sync::yes);
}

}  // namespace

Status KeysStore::create(const Options& options, const Head& head, Batch first) {
  std::vector<std::unique_ptr<Store>> stores;
  SIEGEL_TRY(local, make_store(options.keys_dir, options.file_system));
  stores.push_back(std::move(local));
  for (std::size_t i = 0; i < options.replicas.size(); ++i) {
    SIEGEL_TRY(replica, make_store(options.replicas[i], replica_file_system(options, i)));
    stores.push_back(std::move(replica));
  }
  Bytes row;
  append_be(row, kFormat);
  append(row, head.tree.get());
  append(row, head.ledger.get());
  first.put(kMeta, head_key(), row);
  first.put(kMeta, mark_key(), be(std::uint64_t{1}));
  for (const auto& store : stores) SIEGEL_CHECK(store->write(first, Sync::yes));
  return Done{};
}

Result<std::unique_ptr<KeysStore>> KeysStore::open(const Options& options, Clock* clock) {
  auto rocks = rocks_options(options.keys_dir, options.file_system);
  auto reading = rocks;
  reading.mode = RocksOptions::Mode::read_only;
  SIEGEL_TRY(local, open_rocksdb(clock == nullptr ? reading : rocks));
  std::unique_ptr<KeysStore> out(new KeysStore(clock, std::move(local), std::move(reading)));
  SIEGEL_CHECK(out->read_head());
  if (clock != nullptr) SIEGEL_CHECK(out->open_replicas(options));
  return out;
}

Status KeysStore::read_head() {
  SIEGEL_TRY(row, local_->get(kMeta, head_key()));
  SIEGEL_TRY(head, decode_head(row));
  SIEGEL_TRY(mark, read_mark(*local_));
  head_ = head;
  mark_ = mark;
  return Done{};
}

Result<std::unique_ptr<Store>> KeysStore::from_disk() const { return open_rocksdb(reading_); }

Status KeysStore::open_replicas(const Options& options) {
  for (std::size_t i = 0; i < options.replicas.size(); ++i) {
    auto& replica = replicas_.emplace_back();
    replica.dir = options.replicas[i];
    replica.file_system = replica_file_system(options, i);
    SIEGEL_TRY(away, local_->get(kMeta, away_key(replica.dir)));
    if (away && away->size() == 8) replica.away_since = TimeMs(get_be<std::uint64_t>(away->data()));
    replica.noted = away.has_value();
    const auto done = bring_up(replica);
    if (done) continue;
    // What the operator must look at is said; a disk that is away is waited for.
    if (done.error().is("keys_behind") || done.error().is("other_ledger")) return done;
    note_away(replica);
  }
  return Done{};
}

Status KeysStore::bring_up(Replica& replica) {
  replica.store.reset();
  SIEGEL_TRY(store, open_rocksdb(rocks_options(replica.dir, replica.file_system)));
  SIEGEL_TRY(row, store->get(kMeta, head_key()));
  SIEGEL_TRY(head, decode_head(row));
  if (head.tree != head_.tree || head.ledger != head_.ledger) {
    return Error(Errc::invalid, "other_ledger", "A key replica belongs to another ledger.");
  }
  SIEGEL_TRY(mark, read_mark(*store));
  if (mark > mark_) {
    return Error(Errc::unavailable, "keys_behind", "The keys store is behind its replica.")
        .with("keys", mark_.load())
        .with("replica", mark);
  }
  if (mark < mark_) {
    // meta comes last: its mark says that the rest is there.
    for (const auto family : {kNodes, kFences, kPending, kMeta}) SIEGEL_CHECK(copy_family(*local_, *store, family));
  }
  replica.store = std::move(store);
  replica.away_since.reset();
  count_away();
  return Done{};
}

void KeysStore::note_away(Replica& replica) {
  replica.store.reset();
  if (!replica.away_since) replica.away_since = clock_->now();
  count_away();
}

void KeysStore::count_away() {
  away_ = static_cast<std::uint16_t>(
      std::count_if(replicas_.begin(), replicas_.end(), [](const auto& replica) { return !replica.store; }));
}

Error KeysStore::replica_away() {
  return Error(Errc::unavailable, "keys_replica_unavailable", "A required copy of the keys store does not answer.");
}

Status KeysStore::ready() {
  const std::lock_guard lock(commit_mutex_);
  return take_up();
}

Status KeysStore::take_up() {
  if (!local_failed_) return Done{};
  SIEGEL_CHECK(local_->resume());
  SIEGEL_TRY(mark, read_mark(*local_));
  if (mark < mark_) {
    return Error(Errc::unavailable, "keys_behind", "The keys store has lost what was synced.")
        .with("keys", mark)
        .with("synced", mark_.load());
  }
  for (auto& replica : replicas_) {
    SIEGEL_TRY(away, local_->get(kMeta, away_key(replica.dir)));
    replica.noted = away.has_value();
  }
  const bool was_written = mark > mark_;
  mark_.store(mark, std::memory_order_release);
  local_failed_ = false;
  for (auto& replica : replicas_) {
    if (was_written && replica.store && !bring_up(replica)) note_away(replica);
  }
  return Done{};
}

Result<std::uint16_t> KeysStore::commit(Batch batch, Need need) {
  const std::lock_guard lock(commit_mutex_);
  SIEGEL_CHECK(take_up());
  if (need == Need::all_replicas &&
      std::any_of(replicas_.begin(), replicas_.end(), [](const auto& r) { return !r.store; })) {
    return replica_away();
  }
  const auto mark = mark_.load() + 1;
  batch.put(kMeta, mark_key(), be(mark));
  for (auto& replica : replicas_) {
    if (replica.away_since.has_value() == replica.noted) continue;
    replica.noted = replica.away_since.has_value();
    if (replica.noted) {
      batch.put(kMeta, away_key(replica.dir), be(replica.away_since->get()));
    } else {
      batch.erase(kMeta, away_key(replica.dir));
    }
  }
  if (auto written = local_->write(batch, Sync::yes); !written) {
    local_failed_ = true;
    return Error(std::move(written).error());
  }
  mark_.store(mark, std::memory_order_release);
  std::uint16_t acknowledged = 0;
  for (auto& replica : replicas_) {
    if (replica.store && replica.store->write(batch, Sync::yes)) {
      ++acknowledged;
    } else {
      note_away(replica);
    }
  }
  if (need == Need::all_replicas && acknowledged != replicas_.size()) return replica_away();
  return acknowledged;
}

bool KeysStore::replicas_there_or_stale() {
  const std::lock_guard lock(commit_mutex_);
  return std::all_of(replicas_.begin(), replicas_.end(), [&](const auto& replica) {
    return replica.store || clock_->now().get() >= replica.away_since->get() + kReplicaStaleMs;
  });
}

void KeysStore::retry_replicas() {
  const std::lock_guard lock(commit_mutex_);
  for (auto& replica : replicas_) {
    if (!replica.store && !bring_up(replica)) note_away(replica);
  }
}

}  // namespace siegel::vault
