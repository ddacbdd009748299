#include "projector/row_cache.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "base/assert.h"
#include "views/rows.h"

namespace siegel::projector {

using views::Rows;

namespace {
constexpr std::size_t kPlacesAtFirst = 1024;

std::uint64_t hash_of(Rows rows, ByteView key) {
  return std::hash<std::string_view>{}(as_chars(key)) + 0x9E3779B97F4A7C15u * (static_cast<std::uint64_t>(rows) + 1);
}
}  // namespace

RowCache::RowCache(Store& store, Keys& keys)
    : store_(store),
      keys_(keys),
      indexes_(static_cast<std::size_t>(Rows::count_), {decltype(Index::order)({&entries_}), 0}) {
  clear();
}

void RowCache::clear() {
  for (auto& index : indexes_) {
    index.order.clear();
    index.seen = 0;
  }
  entries_.clear();
  bytes_ = 0;
  // A small batch must not pay for the table of a large one before it.
  places_.assign(std::min(std::max(places_.size() / 2, kPlacesAtFirst), std::size_t{1} << 16), 0);
}

void RowCache::grow() {
  places_.assign(places_.size() * 2, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto at = entries_[i].hash & (places_.size() - 1);
    while (places_[at] != 0) at = (at + 1) & (places_.size() - 1);
    places_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

std::size_t RowCache::seek(std::uint64_t hash, Rows rows, ByteView key) const {
  auto at = hash & (places_.size() - 1);
  for (; places_[at] != 0; at = (at + 1) & (places_.size() - 1)) {
    const auto& entry = entries_[places_[at] - 1];
    if (entry.hash == hash && entry.rows == rows && equal(entry.key_view(), key)) break;
  }
  return at;
}

const RowCache::Entry* RowCache::find(Rows rows, ByteView key) const {
  const auto at = seek(hash_of(rows, key), rows, key);
  return places_[at] == 0 ? nullptr : &entries_[places_[at] - 1];
}

std::size_t RowCache::place(Rows rows, ByteView key, bool& fresh) {
  SIEGEL_ASSERT(key.size() <= kKeyBytesMax);
  const auto hash = hash_of(rows, key);
  const auto at = seek(hash, rows, key);
  fresh = places_[at] == 0;
  if (!fresh) return places_[at] - 1;
  auto& entry = entries_.emplace_back();
  entry.hash = hash;
  entry.rows = rows;
  entry.key_bytes = static_cast<std::uint8_t>(key.size());
  std::copy(key.begin(), key.end(), entry.key.begin());
  places_[at] = static_cast<std::uint32_t>(entries_.size());
  if (entries_.size() * 2 > places_.size()) grow();
  return entries_.size() - 1;
}

Result<RowCache::Entry*> RowCache::load(Rows rows, ByteView key) {
  bool fresh = false;
  const auto at = place(rows, key, fresh);
  if (fresh) {
    auto stored = store_.get_pinned(views::family(rows), key);
    if (!stored) {
      // The batch is dropped after an error, so the half-made entry does no harm.
      return Error(std::move(stored).error());
    }
    if (*stored) {
      entries_[at].there = true;
      entries_[at].value = to_bytes((*stored)->value());
    }
  }
  return &entries_[at];
}

Result<std::optional<ByteView>> RowCache::get(Rows rows, ByteView key) {
  SIEGEL_TRY(entry, load(rows, key));
  return entry->there ? std::optional<ByteView>(entry->value) : std::nullopt;
}

Result<Bytes*> RowCache::edit(Rows rows, ByteView key) {
  SIEGEL_TRY(entry, load(rows, key));
  if (!entry->there) return static_cast<Bytes*>(nullptr);
  entry->changed = true;
  return &entry->value;
}

void RowCache::put(Rows rows, ByteView key, Bytes value) {
  bool fresh = false;
  auto& entry = entries_[place(rows, key, fresh)];
  entry.changed = true;
  entry.there = true;
  bytes_ += value.size();
  entry.value = std::move(value);
}

void RowCache::erase(Rows rows, ByteView key) {
  bool fresh = false;
  auto& entry = entries_[place(rows, key, fresh)];
  entry.changed = true;
  entry.there = false;
  entry.value = {};
}

const RowCache::Index& RowCache::index(Rows rows) {
  auto& index = indexes_[static_cast<std::size_t>(rows)];
  for (; index.seen < entries_.size(); ++index.seen)
    if (entries_[index.seen].rows == rows) index.order.insert(static_cast<std::uint32_t>(index.seen));
  return index;
}

Result<std::vector<Bytes>> RowCache::keys_with_prefix(Rows rows, ByteView prefix) {
  const auto& order = index(rows).order;
  std::vector<Bytes> keys;
  const auto matches = [&](ByteView key) {
    return key.size() >= prefix.size() && equal(key.first(prefix.size()), prefix);
  };
  const auto cursor = store_.cursor(views::family(rows), {.until = views::after_prefix(prefix)});
  for (cursor->seek(prefix); cursor->valid() && matches(cursor->key()); cursor->next()) {
    const auto* entry = find(rows, cursor->key());
    if (entry == nullptr || !entry->changed) keys.push_back(to_bytes(cursor->key()));
  }
  SIEGEL_CHECK(cursor->status());
  const auto stored = static_cast<std::ptrdiff_t>(keys.size());
  for (auto at = order.lower_bound(prefix); at != order.end() && matches(entries_[*at].key_view()); ++at)
    if (const auto& entry = entries_[*at]; entry.changed && entry.there) keys.push_back(to_bytes(entry.key_view()));
  std::inplace_merge(keys.begin(), keys.begin() + stored, keys.end());
  return keys;
}

// Ascending by key: a memtable takes the next row of an ascending run at the place of the one before, without a search,
// and ids that were made in the same millisecond come in no order.
void RowCache::order_changed() {
  order_.clear();
  for (const auto& entry : entries_)
    if (entry.changed) order_.push_back(&entry);
  std::sort(order_.begin(), order_.end(), [](const Entry* a, const Entry* b) {
    if (a->rows != b->rows) return a->rows < b->rows;
    return as_chars(a->key_view()) < as_chars(b->key_view());
  });
}

Status RowCache::write(TreeSize position) {
  batch_.clear();
  order_changed();
  for (const auto* pointer : order_) {
    const auto& entry = *pointer;
    if (entry.there)
      batch_.put(views::family(entry.rows), entry.key_view(), entry.value);
    else
      batch_.erase(views::family(entry.rows), entry.key_view());
  }
  batch_.put(views::family(Rows::position), views::position_key(), views::encode_position(position));
  clear();
  return store_.write(batch_, Sync::no);
}

}  // namespace siegel::projector
