#include "store/memory_store.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "base/assert.h"

namespace siegel {

namespace {

struct ByteLess {
  using is_transparent = void;
  bool operator()(ByteView a, ByteView b) const noexcept {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
  }
};

// The values a key has had, oldest first; those that no snapshot can see are dropped by the next write of the key.
struct Version {
  std::uint64_t sequence;
  std::shared_ptr<const Bytes> value;  // null: erased
};
using Rows = std::map<Bytes, std::vector<Version>, ByteLess>;

std::shared_ptr<const Bytes> visible(const std::vector<Version>& versions, std::uint64_t sequence) {
  for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
    if (it->sequence <= sequence) return it->value;
  }
  return nullptr;
}

struct ValueHolder final : Pinned::Holder {
  explicit ValueHolder(std::shared_ptr<const Bytes> v) : value(std::move(v)) {}
  std::shared_ptr<const Bytes> value;
};

}  // namespace

struct MemoryStore::State {
  explicit State(std::size_t count) : families(count) {}

  Rows& rows(Family family) {
    SIEGEL_ASSERT(family.get() < families.size());
    return families[family.get()];
  }

  std::shared_mutex mutex;
  std::vector<Rows> families;
  std::uint64_t sequence = 0;
  std::uint64_t value_bytes = 0;
  std::multiset<std::uint64_t> pins;  // sequences that snapshots and cursors still read at
};

namespace {

// Keeps the versions of one moment alive.
class Pin {
 public:
  explicit Pin(std::shared_ptr<MemoryStore::State> state) : state_(std::move(state)) {
    const std::unique_lock lock(state_->mutex);
    at_ = state_->sequence;
    state_->pins.insert(at_);
  }
  Pin(std::shared_ptr<MemoryStore::State> state, std::uint64_t at) : state_(std::move(state)), at_(at) {
    const std::unique_lock lock(state_->mutex);
    state_->pins.insert(at_);
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin() {
    const std::unique_lock lock(state_->mutex);
    state_->pins.erase(state_->pins.find(at_));
  }
  [[nodiscard]] MemoryStore::State& state() const noexcept { return *state_; }
  [[nodiscard]] std::uint64_t at() const noexcept { return at_; }

 private:
  std::shared_ptr<MemoryStore::State> state_;
  std::uint64_t at_ = 0;
};

struct MemorySnapshot final : Snapshot {
  explicit MemorySnapshot(std::shared_ptr<MemoryStore::State> state) : pin(std::move(state)) {}
  Pin pin;
};

std::uint64_t sequence_of(const Snapshot& snapshot) { return static_cast<const MemorySnapshot&>(snapshot).pin.at(); }

class MemoryCursor final : public Cursor {
 public:
  MemoryCursor(std::shared_ptr<MemoryStore::State> state, Family family, ByteView until)
      : pin_(std::move(state)), family_(family), until_(to_bytes(until)) {}
  MemoryCursor(std::shared_ptr<MemoryStore::State> state, Family family, ByteView until, std::uint64_t at)
      : pin_(std::move(state), at), family_(family), until_(to_bytes(until)) {}

  void seek(ByteView key) override {
    const std::shared_lock lock(pin_.state().mutex);
    forward(rows().lower_bound(key));
  }
  void seek_for_prev(ByteView key) override {
    const std::shared_lock lock(pin_.state().mutex);
    backward(is_behind(key) ? end() : rows().upper_bound(key));
  }
  void seek_to_first() override {
    const std::shared_lock lock(pin_.state().mutex);
    forward(rows().begin());
  }
  void seek_to_last() override {
    const std::shared_lock lock(pin_.state().mutex);
    backward(end());
  }
  void next() override {
    SIEGEL_ASSERT(valid());
    const std::shared_lock lock(pin_.state().mutex);
    forward(rows().upper_bound(key_));
  }
  void prev() override {
    SIEGEL_ASSERT(valid());
    const std::shared_lock lock(pin_.state().mutex);
    backward(rows().lower_bound(key_));
  }
  bool valid() const override { return value_ != nullptr; }
  ByteView key() const override {
    SIEGEL_ASSERT(valid());
    return key_;
  }
  ByteView value() const override {
    SIEGEL_ASSERT(valid());
    return *value_;
  }
  Status status() const override { return Done{}; }

 private:
  Rows& rows() { return pin_.state().rows(family_); }
  [[nodiscard]] bool is_behind(ByteView key) const { return !until_.empty() && !ByteLess{}(key, until_); }
  Rows::iterator end() { return until_.empty() ? rows().end() : rows().lower_bound(until_); }
  void forward(Rows::iterator it) {
    value_ = nullptr;
    for (; it != rows().end() && !is_behind(it->first) && !take(it); ++it) {
    }
  }
  void backward(Rows::iterator it) {  // `it` is one past the first candidate
    value_ = nullptr;
    while (it != rows().begin()) {
      --it;
      if (take(it)) return;
    }
  }
  bool take(Rows::iterator it) {
    value_ = visible(it->second, pin_.at());
    if (value_) key_ = it->first;
    return value_ != nullptr;
  }

  Pin pin_;
  Family family_;
  Bytes until_;
  Bytes key_;
  std::shared_ptr<const Bytes> value_;
};

void apply(MemoryStore::State& state, const Batch::Entry& entry) {
  auto& rows = state.rows(entry.family);
  auto it = rows.find(entry.key);
  if (it == rows.end()) {
    if (entry.op == Batch::Op::erase) return;
    it = rows.emplace(to_bytes(entry.key), std::vector<Version>()).first;
  }
  auto& versions = it->second;
  const auto put = entry.op == Batch::Op::put;
  versions.push_back({state.sequence, put ? std::make_shared<const Bytes>(to_bytes(entry.value)) : nullptr});
  state.value_bytes += entry.value.size();
  // A version is needed if some pin lies in [its sequence, that of the next version).
  std::vector<Version> kept;
  for (std::size_t i = 0; i + 1 < versions.size(); ++i) {
    const auto pin = state.pins.lower_bound(versions[i].sequence);
    if (pin != state.pins.end() && *pin < versions[i + 1].sequence) {
      kept.push_back(std::move(versions[i]));
    } else if (versions[i].value) {
      state.value_bytes -= versions[i].value->size();
    }
  }
  if (put || !kept.empty()) kept.push_back(std::move(versions.back()));
  versions = std::move(kept);
  if (versions.empty()) rows.erase(it);
}

}  // namespace

MemoryStore::MemoryStore(std::size_t families) : state_(std::make_shared<State>(families)) {}
MemoryStore::~MemoryStore() = default;

Status MemoryStore::write(const Batch& batch, Sync) {
  const std::unique_lock lock(state_->mutex);
  if (batch.empty()) return Done{};
  ++state_->sequence;
  for (std::size_t i = 0; i < batch.count(); ++i) apply(*state_, batch.entry(i));
  return Done{};
}

Result<std::optional<Pinned>> MemoryStore::get_pinned(Family family, ByteView key, const Snapshot* snapshot) {
  const std::shared_lock lock(state_->mutex);
  const auto& rows = state_->rows(family);
  const auto it = rows.find(key);
  if (it == rows.end()) return std::optional<Pinned>();
  auto value = visible(it->second, snapshot ? sequence_of(*snapshot) : state_->sequence);
  if (!value) return std::optional<Pinned>();
  const ByteView view(*value);
  return std::optional<Pinned>(Pinned(view, std::make_unique<ValueHolder>(std::move(value))));
}

std::unique_ptr<Snapshot> MemoryStore::snapshot() { return std::make_unique<MemorySnapshot>(state_); }

std::unique_ptr<Cursor> MemoryStore::cursor(Family family, const CursorOptions& options) {
  if (options.snapshot)
    return std::make_unique<MemoryCursor>(state_, family, options.until, sequence_of(*options.snapshot));
  return std::make_unique<MemoryCursor>(state_, family, options.until);
}

Status MemoryStore::flush() { return Done{}; }
Status MemoryStore::compact(Family) { return Done{}; }
Status MemoryStore::checkpoint(const std::filesystem::path&) {
  return Error(Errc::invalid, "not_supported", "A store in memory has no files to copy.");
}
Status MemoryStore::resume() { return Done{}; }
Status MemoryStore::catch_up() { return Done{}; }

StoreStats MemoryStore::stats() {
  const std::shared_lock lock(state_->mutex);
  return {.memtable_bytes = state_->value_bytes};
}

std::uint64_t MemoryStore::rows_estimate(Family family) {
  const std::shared_lock lock(state_->mutex);
  return state_->rows(family).size();
}

}  // namespace siegel
