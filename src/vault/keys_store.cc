#include "vault/keys_store.h"

#include <algorithm>

namespace siegel::vault {
namespace {

constexpr int kWaitsToOpen = 10;
constexpr std::size_t kRowsBytes = std::size_t{1} << 20;  // given to a replica at once, with the lock held

FileSystemHandle replica_file_system(const Options& options, std::size_t i) {
  return i < options.replica_file_systems.size() ? options.replica_file_systems[i] : options.file_system;
}

Result<std::unique_ptr<Store>> make_store(const std::filesystem::path& dir, const FileSystemHandle& file_system) {
  auto options = keys_options(dir, file_system);
  if (auto there = open_rocksdb(options)) return Error(Errc::conflict, "exists", "There is a keys store already.");
  options.create = RocksOptions::Create::if_missing;
  return open_rocksdb(options);
}

Error replica_away() {
  return Error(Errc::unavailable, "keys_replica_unavailable", "A required copy of the keys store does not answer.");
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
  put_head(head, first);
  first.put(kMeta, mark_key(), be(std::uint64_t{1}));
  for (const auto& store : stores) SIEGEL_CHECK(store->write(first, Sync::yes));
  return Done{};
}

Result<std::unique_ptr<KeysStore>> KeysStore::open(const Options& options, Clock* clock) {
  auto rocks = keys_options(options.keys_dir, options.file_system);
  auto reading = rocks;
  reading.mode = RocksOptions::Mode::read_only;
  SIEGEL_TRY(local, open_rocksdb(clock == nullptr ? reading : rocks));
  std::unique_ptr<KeysStore> out(new KeysStore(clock, options.replica_wait, std::move(local), std::move(reading)));
  SIEGEL_CHECK(out->load());
  if (clock != nullptr) SIEGEL_CHECK(out->open_replicas(options));
  return out;
}

Status KeysStore::load() {
  SIEGEL_TRY(head, read_head(*local_));
  SIEGEL_TRY(mark, read_mark(*local_));
  SIEGEL_TRY(size, read_ledger_size(*local_));
  head_ = head;
  mark_ = mark;
  ledger_size_ = size.get();
  return Done{};
}

Result<std::unique_ptr<Store>> KeysStore::from_disk() const { return open_rocksdb(reading_); }

// ── replicas ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Status KeysStore::open_replicas(const Options& options) {
  for (std::size_t i = 0; i < options.replicas.size(); ++i) {
    KeysReplica::Place place{options.replicas[i], replica_file_system(options, i), std::nullopt};
    SIEGEL_TRY(away, local_->get(kMeta, away_key(place.dir)));
    if (away && away->size() == 8) place.away_since = TimeMs(get_be<std::uint64_t>(away->data()));
    auto& replica = replicas_.emplace_back();
    replica.noted = away.has_value();
    replica.copy = std::make_unique<KeysReplica>(std::move(place), *this, *clock_);
    replica.copy->try_again();
  }
  for (const auto& replica : replicas_) {
    replica.copy->wait_tried(kWaitsToOpen * replica_wait_);
    // What the operator must look at is said; a disk that is away is waited for.
    const auto failure = replica.copy->failure();
    if (failure && (failure->is("keys_behind") || failure->is("other_ledger"))) return Error(*failure);
  }
  return Done{};
}

Result<std::uint64_t> KeysStore::join(KeysReplica& replica) {
  const std::lock_guard lock(commit_mutex_);
  if (doubtful_.batch) return Error(Errc::unavailable, "io_error", "The keys store here waits for its disk.");
  replica.begin_joining();
  return mark_.load();
}

// With the lock, so that the store is not opened again under the cursor.
Result<KeysReplica::Rows> KeysStore::rows(Family family, ByteView from) {
  const std::lock_guard lock(commit_mutex_);
  KeysReplica::Rows out;
  const auto cursor = local_->cursor(family, {.reading = CursorOptions::Reading::all});
  std::size_t bytes = 0;
  for (cursor->seek(from); cursor->valid() && bytes < kRowsBytes; cursor->next()) {
    out.rows.emplace_back(to_bytes(cursor->key()), to_bytes(cursor->value()));
    bytes += cursor->key().size() + cursor->value().size();
  }
  out.last = !cursor->valid();
  SIEGEL_CHECK(cursor->status());
  return out;
}

bool KeysStore::replicas_there_or_stale() const {
  return std::all_of(replicas_.begin(), replicas_.end(), [&](const auto& replica) {
    const auto since = replica.copy->away_since();
    return !since || clock_->now().get() >= since->get() + kReplicaStaleMs;
  });
}

std::vector<std::filesystem::path> KeysStore::replicas_away() const {
  std::vector<std::filesystem::path> out;
  for (const auto& replica : replicas_)
    if (!replica.copy->there()) out.push_back(replica.copy->dir());
  return out;
}

void KeysStore::look_at_replicas() {
  for (const auto& replica : replicas_) replica.copy->look(replica_wait_);
}

void KeysStore::retry_replicas() {
  for (const auto& replica : replicas_) replica.copy->try_again();
  for (const auto& replica : replicas_) replica.copy->wait_tried(replica_wait_);
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Status KeysStore::ready() {
  const std::lock_guard lock(commit_mutex_);
  return take_up();
}

Status KeysStore::take_up() {
  if (!doubtful_.batch) return Done{};
  SIEGEL_CHECK(local_->resume());
  SIEGEL_TRY(mark, read_mark(*local_));
  if (mark < mark_) {
    return Error(Errc::unavailable, "keys_behind", "The keys store has lost what was synced.")
        .with("keys", mark)
        .with("synced", mark_.load());
  }
  for (auto& replica : replicas_) {
    SIEGEL_TRY(away, local_->get(kMeta, away_key(replica.copy->dir())));
    replica.noted = away.has_value();
  }
  SIEGEL_TRY(size, read_ledger_size(*local_));
  ledger_size_ = size.get();
  mark_.store(mark, std::memory_order_release);
  const auto doubtful = std::exchange(doubtful_, {});
  if (mark == doubtful.mark) send(mark, doubtful.batch);
  return Done{};
}

void KeysStore::send(std::uint64_t mark, const std::shared_ptr<const Batch>& batch) {
  for (const auto& replica : replicas_) replica.copy->send(mark, batch);
}

// Since when each replica is away, where that has changed.
void KeysStore::note_away(Batch& batch) {
  for (auto& replica : replicas_) {
    const auto since = replica.copy->away_since();
    if (since.has_value() == replica.noted) continue;
    replica.noted = since.has_value();
    if (since) {
      batch.put(kMeta, away_key(replica.copy->dir()), be(since->get()));
    } else {
      batch.erase(kMeta, away_key(replica.copy->dir()));
    }
  }
}

Result<std::uint16_t> KeysStore::commit(Batch batch, Need need) {
  std::uint64_t mark = 0;
  {
    const std::lock_guard lock(commit_mutex_);
    SIEGEL_CHECK(take_up());
    if (need == Need::all_replicas && !replicas_away().empty()) return replica_away();
    mark = mark_.load() + 1;
    batch.put(kMeta, mark_key(), be(mark));
    if (ledger_size_ > 0) batch.put(kMeta, ledger_size_key(), be(ledger_size_.load()));
    note_away(batch);
    const auto shared = std::make_shared<const Batch>(std::move(batch));
    if (auto written = local_->write(*shared, Sync::yes); !written) {
      doubtful_ = {mark, shared};
      return Error(std::move(written).error());
    }
    mark_.store(mark, std::memory_order_release);
    send(mark, shared);
  }
  const auto until = std::chrono::steady_clock::now() + replica_wait_;
  const auto acknowledged = std::count_if(replicas_.begin(), replicas_.end(),
                                          [&](const auto& replica) { return replica.copy->wait_for(mark, until); });
  if (need == Need::all_replicas && acknowledged != std::ssize(replicas_)) return replica_away();
  return static_cast<std::uint16_t>(acknowledged);
}

Status KeysStore::keep_ledger_size(TreeSize size) {
  const std::lock_guard lock(commit_mutex_);
  SIEGEL_CHECK(take_up());
  Batch batch;
  batch.put(kMeta, ledger_size_key(), be(size.get()));
  if (auto written = local_->write(batch, Sync::yes); !written) {
    doubtful_ = {0, std::make_shared<const Batch>(std::move(batch))};
    return written;
  }
  ledger_size_ = size.get();
  return Done{};
}

}  // namespace siegel::vault
