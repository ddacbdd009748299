#include "search/column.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/secret.h"

namespace siegel::search {
namespace {

constexpr std::uint8_t kSame = 0xFF;
constexpr std::size_t kBegin = 2;  // after the number of used bytes
constexpr std::size_t kPackWindow = 32;

std::size_t used_of(const std::uint8_t* block) { return std::size_t{block[0]} | std::size_t{block[1]} << 8; }

std::size_t varint_size(std::uint32_t n) {
  std::size_t size = 1;
  for (; n >= 0x80; n >>= 7) ++size;
  return size;
}
std::uint8_t* put_varint(std::uint8_t* at, std::uint32_t n) {
  for (; n >= 0x80; n >>= 7) *at++ = static_cast<std::uint8_t>(n | 0x80);
  *at++ = static_cast<std::uint8_t>(n);
  return at;
}
const std::uint8_t* get_varint(const std::uint8_t* at, std::uint32_t& n) {
  n = 0;
  for (unsigned shift = 0;; shift += 7) {
    n |= static_cast<std::uint32_t>(*at & 0x7F) << shift;
    if (*at++ < 0x80) return at;
  }
}

// One entry as it stands in a block.
struct Raw {
  bool same = false;
  std::size_t shared = 0;
  std::string_view bytes;  // that follow
  std::uint32_t ordinal = 0;
};
const std::uint8_t* read(const std::uint8_t* at, Raw& raw) {
  raw.same = *at == kSame;
  std::uint32_t number = 0;
  if (raw.same) {
    at = get_varint(at + 1, number);
    raw.ordinal += number;
    return at;
  }
  raw.shared = at[0];
  raw.bytes = {reinterpret_cast<const char*>(at + 2), at[1]};
  return get_varint(at + 2 + raw.bytes.size(), raw.ordinal);
}

std::size_t shared_by(std::string_view a, std::string_view b) {
  const auto end =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::size_t>(end.first - a.begin());
}

}  // namespace

// ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Column::Item Column::first_of(std::uint32_t block) const {
  Raw raw;
  read(blocks_.at(block) + kBegin, raw);
  return {raw.bytes, raw.ordinal};
}

std::size_t Column::block_before(const Item& item) const {
  const auto after =
      std::partition_point(order_.begin(), order_.end(), [&](std::uint32_t block) { return first_of(block) <= item; });
  return after == order_.begin() ? 0 : static_cast<std::size_t>(after - order_.begin()) - 1;
}

void Column::open(std::uint32_t block, Opened& to) const {
  const auto* const begin = blocks_.at(block);
  const auto* const end = begin + used_of(begin);
  Raw raw;
  Entry entry;
  for (const auto* at = begin + kBegin; at < end;) {
    at = read(at, raw);
    if (!raw.same) {
      const auto before = entry.at;
      entry.at = static_cast<std::uint32_t>(to.keys.size());
      entry.size = static_cast<std::uint8_t>(raw.shared + raw.bytes.size());
      to.keys.resize(to.keys.size() + entry.size);  // first, since the key before lies in here too
      std::memcpy(to.keys.data() + entry.at, to.keys.data() + before, raw.shared);
      std::memcpy(to.keys.data() + entry.at + raw.shared, raw.bytes.data(), raw.bytes.size());
    }
    entry.ordinal = raw.ordinal;
    entry.block = block;
    to.entries.push_back(entry);
  }
}

// Bytes of the entry behind the one before it.
std::size_t Column::size_of(const std::vector<Entry>& entries, std::size_t i, bool first) {
  const auto& entry = entries[i];
  if (first) return 2 + entry.size + varint_size(entry.ordinal);
  const auto& before = entries[i - 1];
  if (entry.shared == entry.size && entry.size == before.size) return 1 + varint_size(entry.ordinal - before.ordinal);
  return 2 + std::size_t{entry.size} - entry.shared + varint_size(entry.ordinal);
}

std::uint8_t* Column::put(std::uint8_t* at, const Opened& opened, std::size_t i, bool first) {
  const auto& entry = opened.entries[i];
  const auto key = opened.key(entry);
  const std::size_t shared = first ? 0 : entry.shared;
  if (!first && shared == key.size() && shared == opened.entries[i - 1].size) {
    *at++ = kSame;
    return put_varint(at, entry.ordinal - opened.entries[i - 1].ordinal);
  }
  *at++ = static_cast<std::uint8_t>(shared);
  *at++ = static_cast<std::uint8_t>(key.size() - shared);
  std::memcpy(at, key.data() + shared, key.size() - shared);
  return put_varint(at + key.size() - shared, entry.ordinal);
}

void Column::write(Opened& opened, std::size_t from, std::size_t to, Fill fill) {
  auto& entries = opened.entries;
  constexpr std::size_t room = Blocks::kBlockBytes - kBegin;
  std::size_t total = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i > 0)
      entries[i].shared = static_cast<std::uint8_t>(shared_by(opened.key(entries[i - 1]), opened.key(entries[i])));
    total += size_of(entries, i, i == 0);
  }
  auto target = room;
  if (fill == Fill::evenly && total > room) target = total / ((total + room - 1) / room);

  std::vector<std::uint32_t> written;
  std::uint8_t image[Blocks::kBlockBytes];
  auto next = from;
  for (std::size_t i = 0; i < entries.size();) {
    const auto block = next < to ? order_[next++] : blocks_.take();
    written.push_back(block);
    std::uint8_t* at = image + kBegin;
    for (bool first = true; i < entries.size(); ++i, first = false) {
      const auto used = static_cast<std::size_t>(at - image) - kBegin;
      if (!first && (used >= target || used + size_of(entries, i, false) > room)) break;
      at = put(at, opened, i, first);
      if (entries[i].block != block) move(entries[i].ordinal, entries[i].block, block);
    }
    const auto used = static_cast<std::size_t>(at - image);
    image[0] = static_cast<std::uint8_t>(used & 0xFF);
    image[1] = static_cast<std::uint8_t>(used >> 8);
    auto* const place = blocks_.at(block);
    const auto before = used_of(place);
    std::memcpy(place, image, used);
    if (before > used) wipe(place + used, before - used);
  }
  wipe(image, sizeof image);
  for (auto i = next; i < to; ++i) blocks_.give_back(order_[i]);
  if (written.size() == to - from) return;
  const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(from);
  const auto end = order_.begin() + static_cast<std::ptrdiff_t>(to);
  order_.insert(order_.erase(begin, end), written.begin(), written.end());
}

void Column::move(std::uint32_t ordinal, std::uint32_t from, std::uint32_t to) {
  if (!keeps_places_) return;
  if (ordinal >= places_.size()) places_.resize(ordinal + 1, kNowhere);
  auto& place = places_[ordinal];
  if (place == from && place != kSeveral) {
    place = to;
    return;
  }
  // Several keys: one block for each.
  auto& blocks = several_[ordinal];
  if (place != kSeveral) blocks.push_back(std::exchange(place, kSeveral));
  if (from != kNowhere) {
    const auto it = std::find(blocks.begin(), blocks.end(), from);
    SIEGEL_ASSERT(it != blocks.end());
    blocks.erase(it);
  }
  if (to != kNowhere) blocks.push_back(to);
  if (!blocks.empty()) return;
  several_.erase(ordinal);
  place = kNowhere;
}

// ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void Column::merge(Opened& opened, std::span<const Item> items) const {
  const auto there = static_cast<std::ptrdiff_t>(opened.entries.size());
  for (const auto& item : items) {
    Entry entry;
    entry.at = static_cast<std::uint32_t>(opened.keys.size());
    entry.size = static_cast<std::uint8_t>(item.key.size());
    entry.ordinal = item.ordinal;
    opened.keys.insert(opened.keys.end(), item.key.begin(), item.key.end());
    opened.entries.push_back(entry);
  }
  std::inplace_merge(opened.entries.begin(), opened.entries.begin() + there, opened.entries.end(),
                     [&](const Entry& a, const Entry& b) {
                       return Item{opened.key(a), a.ordinal} < Item{opened.key(b), b.ordinal};
                     });
}

void Column::add(std::span<const Item> ascending) {
  Opened opened;
  while (!ascending.empty()) {
    opened.keys.clear();
    opened.entries.clear();
    if (order_.empty()) {
      merge(opened, ascending);
      return write(opened, 0, 0, Fill::evenly);
    }
    const auto index = block_before(ascending.front());
    // All that belong before the next block.
    auto end = ascending.end();
    if (index + 1 < order_.size())
      end = std::lower_bound(ascending.begin() + 1, ascending.end(), first_of(order_[index + 1]));
    const auto count = static_cast<std::size_t>(end - ascending.begin());
    open(order_[index], opened);
    merge(opened, ascending.first(count));
    write(opened, index, index + 1, Fill::evenly);
    ascending = ascending.subspan(count);
  }
}

template <class F>
void Column::take_out(std::size_t index, F&& goes) {
  const auto block = order_[index];
  Opened opened;
  open(block, opened);
  const auto gone = std::erase_if(opened.entries, [&](const Entry& entry) {
    if (!goes(opened.key(entry), entry.ordinal)) return false;
    move(entry.ordinal, block, kNowhere);
    return true;
  });
  if (gone > 0) write(opened, index, index + 1, Fill::evenly);
}

void Column::remove(const Item& item) {
  if (order_.empty()) return;
  take_out(block_before(item), [&](std::string_view key, std::uint32_t of) { return Item{key, of} == item; });
}

void Column::remove(std::uint32_t ordinal) {
  while (holds(ordinal)) {
    const auto block = places_[ordinal] == kSeveral ? several_.at(ordinal).front() : places_[ordinal];
    const auto index = block_before(first_of(block));
    SIEGEL_ASSERT(order_[index] == block);
    take_out(index, [&](std::string_view, std::uint32_t of) { return of == ordinal; });
  }
}

void Column::pack() {
  for (std::size_t from = 0; from < order_.size();) {
    const auto to = std::min(from + kPackWindow, order_.size());
    Opened opened;
    for (auto i = from; i < to; ++i) open(order_[i], opened);
    const auto before = order_.size();
    write(opened, from, to, Fill::full);
    from = to + order_.size() - before;
  }
}

// ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// Follows how much of the prefix each key shares: a key that shares more with the one before than that one shared with
// the prefix stands where that one stands, and nothing has to be compared.
template <class F>
void Column::each_with(std::string_view prefix, F&& f) const {
  if (order_.empty()) return;
  for (auto index = block_before({prefix, 0}); index < order_.size(); ++index) {
    const auto* const begin = blocks_.at(order_[index]);
    const auto* const end = begin + used_of(begin);
    std::size_t matched = 0;  // bytes of the prefix
    std::size_t size = 0;     // of the key
    Raw raw;
    for (const auto* at = begin + kBegin; at < end;) {
      at = read(at, raw);
      if (!raw.same) {
        size = raw.shared + raw.bytes.size();
        if (raw.shared < matched) return;  // beyond the prefix
        if (raw.shared == matched && matched < prefix.size()) {
          const auto rest = prefix.substr(matched);
          const auto more = shared_by(raw.bytes, rest);
          matched += more;
          if (matched < prefix.size() && more < raw.bytes.size() &&
              static_cast<std::uint8_t>(raw.bytes[more]) > static_cast<std::uint8_t>(rest[more]))
            return;
        }
      }
      if (matched == prefix.size() && !f(size, raw.ordinal)) return;
    }
  }
}

// One way through the choices after the other, as long as there are keys that begin so. After kWaysMax of them the keys
// are looked through instead: texts of nothing but a and ä have as many ways as there are keys.
void Column::descend(Looking& looking, std::size_t at) const {
  auto& key = looking.key;
  if (at == looking.wanted.size()) {
    each_with(view(key), [&](std::size_t size, std::uint32_t ordinal) {
      return (looking.op != Op::exact || size == key.size()) && looking.take(ordinal);
    });
    return;
  }
  const auto choices = choices_at(looking.wanted, at);
  const auto before = key.size();
  if (choices.count > 1 && looking.ways_left == 0) return look_through(looking);
  for (std::size_t i = 0; i < choices.count && looking.entries_left > 0; ++i) {
    const auto& choice = choices.list[i];
    key.insert(key.end(), choice.key.begin(), choice.key.end());
    bool there = choices.count == 1;
    if (!there) {
      looking.ways_left -= std::min<std::size_t>(looking.ways_left, 1);
      each_with(view(key), [&](std::size_t, std::uint32_t) { return !(there = true); });
    }
    if (there) descend(looking, at + choice.wanted);
    key.resize(before);
  }
}

// f(key, ordinal, whether the key is that of the entry before) for each entry of a block, until it answers false.
template <class F>
void Column::each_key(std::uint32_t block, F&& f) const {
  const auto* const begin = blocks_.at(block);
  const auto* const end = begin + used_of(begin);
  char key[kKeyBytesMax];
  std::size_t size = 0;
  Raw raw;
  bool go_on = true;
  for (const auto* at = begin + kBegin; at < end && go_on;) {
    at = read(at, raw);
    if (!raw.same) {
      std::memcpy(key + raw.shared, raw.bytes.data(), raw.bytes.size());
      size = raw.shared + raw.bytes.size();
    }
    go_on = f(std::string_view(key, size), raw.ordinal, raw.same);
  }
  wipe(key, sizeof key);
}

// Each key that begins with looking.key by itself.
void Column::look_through(Looking& looking) const {
  const std::string_view prefix = view(looking.key);
  bool go_on = !order_.empty(), met = false;
  for (auto index = go_on ? block_before({prefix, 0}) : 0; go_on && index < order_.size(); ++index) {
    each_key(order_[index], [&](std::string_view key, std::uint32_t ordinal, bool same) {
      const bool begins_so = key.starts_with(prefix);
      if (!same) met = begins_so && meets(looking.wanted, looking.op, key);
      if (--looking.keys_left == 0) looking.entries_left = 0;
      go_on = (begins_so || key < prefix) && looking.entries_left > 0 && (!met || looking.take(ordinal));
      return go_on;
    });
  }
}

bool Column::find(std::string_view wanted, Op op, Ordinals& found, std::size_t entries_max) const {
  constexpr std::size_t kKeysForOne = 16;  // to be looked through for each entry that may be found
  Looking looking{.wanted = wanted, .op = op, .key = {}, .found = found, .entries_left = entries_max};
  looking.key.reserve(wanted.size() * 2);
  if (entries_max < looking.keys_left / kKeysForOne) looking.keys_left = entries_max * kKeysForOne;
  descend(looking, 0);
  return looking.entries_left > 0;
}

bool Column::any_key(std::uint32_t ordinal, const std::function<bool(std::string_view)>& f) const {
  if (!holds(ordinal)) return false;
  const bool several = places_[ordinal] == kSeveral;
  const std::span<const std::uint32_t> blocks =
      several ? std::span<const std::uint32_t>(several_.at(ordinal)) : std::span(&places_[ordinal], 1);
  bool met = false;
  for (std::size_t i = 0; i < blocks.size() && !met; ++i) {
    each_key(blocks[i], [&](std::string_view key, std::uint32_t of, bool) {
      met = of == ordinal && f(key);
      return !met;
    });
  }
  return met;
}

std::size_t Column::bytes() const noexcept {
  return order_.capacity() * sizeof(std::uint32_t) + places_.size() * sizeof(std::uint32_t) +
         several_.size() * (sizeof(std::vector<std::uint32_t>) + 6 * sizeof(std::uint64_t));
}

}  // namespace siegel::search
