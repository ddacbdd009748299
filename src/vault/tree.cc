#include "vault/tree.h"

#include <algorithm>

#include "base/assert.h"

namespace siegel::vault {
namespace {

constexpr std::uint64_t kFirstEpoch = 1;
constexpr int kLooksMax = 3;  // at the disk, before an erasure is taken back

// Which child of a node at this level leads to the slot.
unsigned child_number(unsigned level, Slot slot) {
  return static_cast<unsigned>(slot.get() >> (kFanOutBits * (kLeafLevel - level))) % kFanOut;
}

NodeName child_name(const NodeName& parent, unsigned child, const NodeVersion& version) {
  return {parent.level + 1, parent.index * kFanOut + child, version};
}

// Calls f(child, its part of the slots) for each child that leads to one of them. The slots are ascending and below
// this node.
template <class F>
Status by_child(unsigned level, std::span<const Slot> slots, F&& f) {
  while (!slots.empty()) {
    const unsigned child = child_number(level, slots.front());
    std::size_t n = 1;
    while (n < slots.size() && child_number(level, slots[n]) == child) ++n;
    SIEGEL_CHECK(f(child, slots.first(n)));
    slots = slots.subspan(n);
  }
  return Done{};
}

SecretKey fresh_key(Random& random) {
  SecretKey key;
  random.fill(key.mutable_view());
  return key;
}

}  // namespace

Result<LockedRoot> LockedRoot::make(const SecretKey& key, const NodeVersion& version, const Hash& hash) {
  SIEGEL_TRY(memory, LockedBytes::allocate(key.view().size()));
  std::memcpy(memory.mutable_view().data(), key.view().data(), key.view().size());
  LockedRoot out(std::move(memory), version);
  out.set_hash(hash);
  return out;
}

FirstRoot make_first_root(const KeyTreeId& tree, const LedgerId& ledger, Random& random) {
  FirstRoot out;
  out.entry.epoch = Epoch(kFirstEpoch);
  out.entry.key = fresh_key(random);
  out.entry.ledger = ledger;
  out.entry.tree = tree;
  const NodeName name{0, 0, {kFirstEpoch, 0}};
  const auto row = seal_node(out.entry.key, tree, name, fresh_node(name.version, random).view(), random);
  out.entry.root_node = row_hash(row);
  out.batch.put(kNodes, row_key(name), row);
  return out;
}

KeyTree::KeyTree(KeysStore& keys, NodeCache& cache, Clock& clock, Random& random, LockedRoot root)
    : keys_(keys), cache_(cache), clock_(clock), random_(random), root_(std::move(root)) {}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<std::optional<SecretBytes>> KeyTree::read(Store& from, const NodeName& name, const SecretKey& key) {
  SIEGEL_TRY(row, from.get_pinned(kNodes, row_key(name)));
  if (!row) return std::optional<SecretBytes>();
  SIEGEL_TRY(content, open_node(key, keys_.head().tree, name, row->value()));
  return std::optional<SecretBytes>(std::move(content));
}

Result<SecretBytes> KeyTree::read_existing(Store& from, const NodeName& name, const SecretKey& key) {
  SIEGEL_TRY(content, read(from, name, key));
  if (!content) return keys_damaged();
  return std::move(*content);
}

// An entry of an interior node; nothing if that node was never made.
Result<std::optional<Child>> KeyTree::child(unsigned level, std::uint32_t index, unsigned number) {
  if (auto cached = cache_.find(level, index, number, clock_.steady())) return cached;
  std::optional<SecretBytes> content;
  if (level == 0) {
    SIEGEL_TRY(root_node, read_existing(keys_.store(), {0, 0, root_.version()}, root_.key()));
    content = std::move(root_node);
  } else {
    SIEGEL_TRY(self, child(level - 1, index / kFanOut, index % kFanOut));
    if (!self) return std::optional<Child>();
    SIEGEL_TRY(node, read(keys_.store(), {level, index, self->version}, self->key));
    content = std::move(node);
  }
  if (!content) return std::optional<Child>();
  cache_.put(level, index, content->view(), clock_.steady());
  return std::optional<Child>(child_of(content->view(), number));
}

Result<std::optional<SecretBytes>> KeyTree::leaf_node(std::uint32_t index) {
  SIEGEL_ASSERT(index < kLeafNodes);
  SIEGEL_TRY(self, child(kLeafLevel - 1, index / kFanOut, index % kFanOut));
  if (!self) return std::optional<SecretBytes>();
  return read(keys_.store(), {kLeafLevel, index, self->version}, self->key);
}

// ── leaf nodes ahead ─────────────────────────────────────────────────────────────────────────────────────────────────

// As child(), but makes the node (and those above it) where it was never made. Its key and version are those that the
// parent has held since it was made itself, so that no insert ever rewrites a node.
Result<Child> KeyTree::child_or_make(unsigned level, std::uint32_t index, unsigned number, NewLeafNodes& into,
                                     std::map<std::pair<unsigned, std::uint32_t>, std::size_t>& made) {
  if (const auto at = made.find({level, index}); at != made.end()) {
    return child_of(into.interior[at->second].content.view(), number);
  }
  SIEGEL_TRY(there, child(level, index, number));
  if (there) return std::move(*there);
  SIEGEL_TRY(self, child_or_make(level - 1, index / kFanOut, index % kFanOut, into, made));
  const NodeName name{level, index, self.version};
  auto content = fresh_node({root_.version().epoch, 0}, random_);
  into.batch.put(kNodes, row_key(name), seal_node(self.key, keys_.head().tree, name, content.view(), random_));
  made.emplace(std::pair(level, index), into.interior.size());
  auto out = child_of(content.view(), number);
  into.interior.push_back({level, index, std::move(content)});
  return out;
}

Result<KeyTree::NewLeafNodes> KeyTree::make_leaf_nodes(std::uint32_t first, std::uint32_t count) {
  NewLeafNodes out;
  std::map<std::pair<unsigned, std::uint32_t>, std::size_t> made;
  for (std::uint32_t index = first; index < first + count; ++index) {
    SIEGEL_TRY(self, child_or_make(kLeafLevel - 1, index / kFanOut, index % kFanOut, out, made));
    const NodeName name{kLeafLevel, index, self.version};
    auto content = fresh_node({root_.version().epoch, 0}, random_);
    out.batch.put(kNodes, row_key(name), seal_node(self.key, keys_.head().tree, name, content.view(), random_));
    out.contents.push_back(std::move(content));
  }
  return out;
}

void KeyTree::keep(const NewLeafNodes& made) {
  for (const auto& node : made.interior) cache_.put(node.level, node.index, node.content.view(), clock_.steady());
}

// ── the next epoch ───────────────────────────────────────────────────────────────────────────────────────────────────

struct KeyTree::Rewrite {
  NodeVersion version;
  Batch& batch;
  std::uint64_t leaves = 0;
  Hash root{};
};

Status KeyTree::rewrite(Rewrite& all, const NodeName& name, const SecretKey& key, const SecretKey& new_key,
                        std::span<const Slot> dead) {
  SIEGEL_TRY(content, read_existing(keys_.store(), name, key));
  const auto entries = content.mutable_view();
  SIEGEL_CHECK(by_child(name.level, dead, [&](unsigned child, std::span<const Slot> below) -> Status {
    if (name.level == kLeafLevel) {
      if (is_tombstone(version_of(entries, child))) return Done{};
      put_tombstone(entries, child, all.version.epoch);
      ++all.leaves;
      return Done{};
    }
    const auto old = child_of(entries, child);
    const auto fresh = fresh_key(random_);
    put_child(entries, child, fresh, all.version);
    return rewrite(all, child_name(name, child, old.version), old.key, fresh, below);
  }));
  const NodeName renamed{name.level, name.index, all.version};
  const auto row = seal_node(new_key, keys_.head().tree, renamed, entries, random_);
  all.batch.put(kNodes, row_key(renamed), row);
  if (name.level == 0) all.root = row_hash(row);
  return Done{};
}

Result<std::uint64_t> KeyTree::build_next(std::span<const Slot> dead, LockedRoot& next, Batch& batch) {
  Rewrite all{.version = next.version(), .batch = batch};
  SIEGEL_CHECK(rewrite(all, {0, 0, root_.version()}, root_.key(), next.key(), dead));
  next.set_hash(all.root);
  return all.leaves;
}

Status KeyTree::same_but(Store& from, std::span<const Slot> dead, const NodeName& old_name, const SecretKey& old_key,
                         const NodeName& new_name, const SecretKey& new_key) {
  SIEGEL_TRY(old, read_existing(from, old_name, old_key));
  SIEGEL_TRY(next, read_existing(from, new_name, new_key));
  unsigned checked = 0;  // children before this one are as they were
  const auto unchanged_up_to = [&](unsigned end) {
    for (; checked < end; ++checked) {
      if (!equal_constant_time(entry_of(old.view(), checked), entry_of(next.view(), checked))) return false;
    }
    return true;
  };
  SIEGEL_CHECK(by_child(new_name.level, dead, [&](unsigned child, std::span<const Slot> below) -> Status {
    if (!unchanged_up_to(child)) return keys_damaged();
    checked = child + 1;
    const auto before = child_of(old.view(), child);
    const auto after = child_of(next.view(), child);
    if (new_name.level == kLeafLevel) {
      if (!is_tombstone(after.version) || !equal_constant_time(after.key.view(), SecretKey{}.view()))
        return keys_damaged();
      return Done{};
    }
    if (after.version != new_name.version) return keys_damaged();
    return same_but(from, below, child_name(old_name, child, before.version), before.key,
                    child_name(new_name, child, after.version), after.key);
  }));
  if (!unchanged_up_to(kFanOut)) return keys_damaged();
  return Done{};
}

Status KeyTree::verify_once(std::span<const Slot> dead, const LockedRoot& old, const LockedRoot& next) {
  SIEGEL_TRY(disk, keys_.from_disk());
  {
    SIEGEL_TRY(row, disk->get_pinned(kNodes, row_key({0, 0, next.version()})));
    if (!row || row_hash(row->value()) != next.hash()) return keys_damaged();
  }
  return same_but(*disk, dead, {0, 0, old.version()}, old.key(), {0, 0, next.version()}, next.key());
}

// A flush may take a file away while the disk is being looked at: so the disk is asked again before it is believed to
// have lost something.
Status KeyTree::verify(std::span<const Slot> dead, const LockedRoot& old, const LockedRoot& next) {
  for (int attempt = 1;; ++attempt) {
    auto same = verify_once(dead, old, next);
    if (same || attempt == kLooksMax) return same;
  }
}

void KeyTree::adopt(LockedRoot next) {
  root_ = std::move(next);
  cache_.clear();
}

// ── old rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Status KeyTree::erase_stale(const NodeName& name, const SecretKey& key, std::span<const Slot> dead, Which which,
                            Batch& batch) {
  const auto prefix = row_prefix(name.level, name.index);
  const auto cursor = keys_.store().cursor(kNodes);
  for (cursor->seek(prefix); cursor->valid() && equal(cursor->key().first(prefix.size()), prefix); cursor->next()) {
    const auto row = parse_row_key(cursor->key());
    if (!row) return keys_damaged();
    if (row->version == name.version) continue;
    if (which == Which::newer_than_root && row->version.epoch <= root_.version().epoch) continue;
    batch.erase(kNodes, cursor->key());
  }
  SIEGEL_CHECK(cursor->status());
  if (name.level == kLeafLevel) return Done{};
  SIEGEL_TRY(content, read_existing(keys_.store(), name, key));
  return by_child(name.level, dead, [&](unsigned child, std::span<const Slot> below) {
    const auto down = child_of(content.view(), child);
    return erase_stale(child_name(name, child, down.version), down.key, below, which, batch);
  });
}

Status KeyTree::erase_stale_rows(std::span<const Slot> dead, Which which, Batch& batch) {
  return erase_stale({0, 0, root_.version()}, root_.key(), dead, which, batch);
}

}  // namespace siegel::vault
