#include "vault/leaf_keys.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace siegel::vault {
namespace {

constexpr unsigned kWays = 16;
constexpr std::size_t kShardBytesMin = 16 * 1024;
constexpr std::size_t kShardBitsMax = 6;

// One set: tags and stamps fill a cache line each, so that a lookup touches three lines and a key.
struct Set {
  std::uint32_t tags[kWays];    // slot + 1; 0: free
  std::uint32_t stamps[kWays];  // of the last use; 0: put ahead, not used yet
  std::uint8_t keys[kWays][32];
};

std::uint64_t hash_of(Slot slot) noexcept { return slot.get() * 0x9E37'79B9'7F4A'7C15u; }
std::uint32_t tag_of(Slot slot) noexcept { return static_cast<std::uint32_t>(slot.get()) + 1; }

}  // namespace

struct LeafKeys::Shard {
  mutable std::mutex mutex;
  std::optional<LockedBytes> memory;
  std::size_t sets = 0;
  std::size_t sets_max = 0;
  std::size_t used = 0;
  std::uint32_t tick = 0;
  std::unordered_set<std::uint32_t> fenced;  // tags

  std::span<Set> table() { return {reinterpret_cast<Set*>(memory ? memory->mutable_view().data() : nullptr), sets}; }
  static std::size_t place(std::uint64_t hash, std::size_t sets) noexcept {
    return static_cast<std::size_t>(((hash << kShardBitsMax >> 32) * sets) >> 32);
  }
  Set* set_of(std::uint64_t hash) { return sets == 0 ? nullptr : &table()[place(hash, sets)]; }

  static int find_in(const Set& set, std::uint32_t tag) noexcept {
    for (unsigned i = 0; i < kWays; ++i) {
      if (set.tags[i] == tag) return static_cast<int>(i);
    }
    return -1;
  }
  std::uint32_t next_tick() noexcept {
    if (++tick == 0) tick = 1;  // after 4 billion uses the order is wrong once
    return tick;
  }
  void drop(Set& set, int way) noexcept {
    wipe(set.keys[way], 32);
    set.tags[way] = 0;
    set.stamps[way] = 0;
    --used;
  }
  void forget(std::uint64_t hash, std::uint32_t tag) {
    Set* const set = set_of(hash);
    const int way = set == nullptr ? -1 : find_in(*set, tag);
    if (way >= 0) drop(*set, way);
  }

  // Twice the room, as far as the limit and the system allow. LockedBytes wipes what it gives back.
  bool grow() {
    const auto wanted = std::min(sets_max, std::max<std::size_t>(sets * 2, 4096 / sizeof(Set)));
    if (wanted <= sets) return false;
    auto made = LockedBytes::allocate(wanted * sizeof(Set));
    if (!made) return false;
    auto old = std::exchange(memory, std::move(*made));
    const auto old_sets = std::exchange(sets, wanted);
    used = 0;
    if (!old) return true;
    for (const auto& set : std::span(reinterpret_cast<const Set*>(old->view().data()), old_sets)) {
      for (unsigned i = 0; i < kWays; ++i) {
        if (set.tags[i] == 0) continue;
        const Slot slot(set.tags[i] - 1);
        Set& to = *set_of(hash_of(slot));
        write(to, victim(to), set.tags[i], set.stamps[i], {set.keys[i], 32});
      }
    }
    return true;
  }
  static int victim(const Set& set) noexcept {
    int oldest = 0;
    for (unsigned i = 0; i < kWays; ++i) {
      if (set.tags[i] == 0) return static_cast<int>(i);
      if (set.stamps[i] < set.stamps[oldest]) oldest = static_cast<int>(i);
    }
    return oldest;
  }
  void write(Set& set, int way, std::uint32_t tag, std::uint32_t stamp, ByteView key) noexcept {
    if (set.tags[way] == 0) ++used;
    set.tags[way] = tag;
    set.stamps[way] = stamp;
    std::memcpy(set.keys[way], key.data(), 32);
  }
  void put(std::uint64_t hash, std::uint32_t tag, std::uint32_t stamp, ByteView key) {
    if (sets == 0 && !grow()) return;  // no memory for keys: every use walks the tree
    Set* set = set_of(hash);
    int way = find_in(*set, tag);
    if (way < 0) {
      way = victim(*set);
      if (set->tags[way] != 0 && grow()) {
        set = set_of(hash);
        way = victim(*set);
      }
      if (stamp == 0 && set->tags[way] != 0 && set->stamps[way] != 0) return;
    }
    write(*set, way, tag, std::max(stamp, set->tags[way] == tag ? set->stamps[way] : 0), key);
  }
};

LeafKeys::LeafKeys(std::size_t bytes_max)
    : shard_bits_(std::min<std::size_t>(kShardBitsMax,
                                        std::bit_width(std::max(bytes_max / kShardBytesMin, std::size_t{1})) - 1)) {
  const auto shards = std::size_t{1} << shard_bits_;
  for (std::size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>());
    shards_.back()->sets_max = std::max<std::size_t>(1, bytes_max / shards / sizeof(Set));
  }
}

LeafKeys::~LeafKeys() = default;

LeafKeys::Shard& LeafKeys::shard(std::uint64_t hash) const {
  return *shards_[shard_bits_ == 0 ? 0 : static_cast<std::size_t>(hash >> (64 - shard_bits_))];
}

LeafKeys::Found LeafKeys::find(Slot slot, SecretKey& key) {
  const auto hash = hash_of(slot);
  const auto tag = tag_of(slot);
  Shard& in = shard(hash);
  const std::lock_guard lock(in.mutex);
  if (Set* const set = in.set_of(hash)) {
    if (const int way = Shard::find_in(*set, tag); way >= 0) {
      set->stamps[way] = in.next_tick();
      std::memcpy(key.mutable_view().data(), set->keys[way], 32);
      return Found::yes;
    }
  }
  return in.fenced.contains(tag) ? Found::fenced : Found::no;
}

LeafKeys::Found LeafKeys::put(Slot slot, const SecretKey& key, Why why) {
  const auto hash = hash_of(slot);
  const auto tag = tag_of(slot);
  Shard& in = shard(hash);
  const std::lock_guard lock(in.mutex);
  if (in.fenced.contains(tag)) return Found::fenced;
  in.put(hash, tag, why == Why::used ? in.next_tick() : 0, key.view());
  return Found::yes;
}

void LeafKeys::fence(std::span<const Slot> slots) {
  for (const auto slot : slots) {
    const auto hash = hash_of(slot);
    Shard& in = shard(hash);
    const std::lock_guard lock(in.mutex);
    in.fenced.insert(tag_of(slot));
    in.forget(hash, tag_of(slot));
  }
}

void LeafKeys::unfence(std::span<const Slot> slots) {
  for (const auto slot : slots) {
    Shard& in = shard(hash_of(slot));
    const std::lock_guard lock(in.mutex);
    in.fenced.erase(tag_of(slot));
  }
}

bool LeafKeys::fenced(Slot slot) {
  Shard& in = shard(hash_of(slot));
  const std::lock_guard lock(in.mutex);
  return in.fenced.contains(tag_of(slot));
}

void LeafKeys::clear() {
  for (auto& in : shards_) {
    const std::lock_guard lock(in->mutex);
    in->memory.reset();
    in->sets = 0;
    in->used = 0;
  }
}

std::size_t LeafKeys::keys() const {
  std::size_t sum = 0;
  for (const auto& in : shards_) {
    const std::lock_guard lock(in->mutex);
    sum += in->used;
  }
  return sum;
}

std::size_t LeafKeys::bytes_locked() const {
  std::size_t sum = 0;
  for (const auto& in : shards_) {
    const std::lock_guard lock(in->mutex);
    const auto& memory = in->memory;
    if (memory && memory->locked()) sum += memory->size();
  }
  return sum;
}

}  // namespace siegel::vault
