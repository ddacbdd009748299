#include "search/index.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include "base/assert.h"

namespace siegel::search {
namespace {

// So many values are looked through one by one before they are merged: the more there are, the less a merge costs each.
// While a type loads, so many of each field.
constexpr std::size_t kFreshMin = 1024;
constexpr std::size_t kFreshMax = 32 * 1024;
constexpr std::size_t kFreshShare = 16;
constexpr std::size_t kWantedBytesMax = Column::kKeyBytesMax / 2;  // what it meets may be twice as long
constexpr std::size_t kFewMax = 2048;
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

// At the end of a character.
void cut(Key& key, std::size_t size) {
  if (key.size() <= size) return;
  while (size > 0 && (static_cast<unsigned char>(key[size]) & 0xC0) == 0x80) --size;
  wipe(key.data() + size, key.size() - size);
  key.resize(size);
}

bool names(const Change& change, FieldNo field) {
  return std::ranges::any_of(change.values, [&](const FieldKey& value) { return value.field == field; });
}

}  // namespace

// ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void Index::Table::drop(FieldNo field, std::uint32_t ordinal) {
  auto& of_field = columns.at(field);
  std::vector<Key> words;  // first told, then taken out: both columns stand in the same blocks
  if (of_field.words)
    (void)of_field.values.any_key(ordinal, [&](std::string_view key) {
      for (const auto word : later_words(key)) words.emplace_back(word.begin(), word.end());
      return false;
    });
  for (const auto& word : words) of_field.later.remove(Column::Item{view(word), ordinal});
  of_field.values.remove(ordinal);
  const auto [begin, end] = fresh_by_ordinal.equal_range(ordinal);
  for (auto it = begin; it != end;) {
    auto& value = fresh[it->second];
    if (value.field != field) {
      ++it;
      continue;
    }
    value.key = Key();
    it = fresh_by_ordinal.erase(it);
  }
}

void Index::Table::change(Change& change) {
  const auto known = ids.find(change.record);
  const bool nothing = std::ranges::all_of(change.values, [](const FieldKey& value) { return value.key.empty(); });
  if (!known && nothing) return;
  const auto ordinal = known ? *known : ids.add(change.record);
  if (known) {
    for (auto& [field, column] : columns)
      if (change.whole || names(change, field)) drop(field, ordinal);
    if (change.whole && nothing) return ids.remove(ordinal);
  }
  const auto begin = static_cast<std::ptrdiff_t>(fresh.size());
  for (auto& value : change.values) {
    if (value.key.empty() || !columns.contains(value.field)) continue;
    cut(value.key, Column::kKeyBytesMax);
    const auto twice = std::any_of(fresh.begin() + begin, fresh.end(), [&](const Fresh& other) {
      return other.field == value.field && other.key == value.key;
    });
    if (twice) continue;
    fresh_by_ordinal.emplace(ordinal, static_cast<std::uint32_t>(fresh.size()));
    fresh_bytes += sizeof(Fresh) + 8 * sizeof(std::uint64_t) + value.key.size();
    fresh.push_back({value.field, ordinal, std::move(value.key)});
  }
  if (fresh.size() >= fresh_max()) merge();
}

std::size_t Index::Table::fresh_max() const {
  if (loading) return kFreshMax * columns.size();
  return std::clamp(ids.numbers() / kFreshShare, kFreshMin, kFreshMax);
}

void Index::Table::merge() {
  std::vector<Column::Item> items;
  for (auto& [field, of_field] : columns) {
    items.clear();
    for (const auto& value : fresh)
      if (value.field == field && !value.key.empty()) items.push_back({view(value.key), value.ordinal});
    std::sort(items.begin(), items.end());
    of_field.values.add(items);
    if (!of_field.words) continue;
    items.clear();
    for (const auto& value : fresh)
      if (value.field == field)
        for (const auto word : later_words(view(value.key))) items.push_back({word, value.ordinal});
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());  // several values may end alike
    of_field.later.add(items);
  }
  fresh.clear();
  fresh_by_ordinal.clear();
  fresh_bytes = 0;
}

// A lock that readers share lets them keep a writer out for ever: whoever wants it waits in line first.
std::unique_lock<std::shared_mutex> Index::alone() const {
  const std::lock_guard in_line(line_);
  return std::unique_lock(mutex_);
}
std::shared_lock<std::shared_mutex> Index::among_others() const {
  const std::lock_guard in_line(line_);
  return std::shared_lock(mutex_);
}

void Index::define(TypeNo type, std::span<const Field> fields) {
  const auto lock = alone();
  tables_.erase(type);
  if (fields.empty()) return;
  auto& table = tables_[type] = std::make_unique<Table>();
  for (const auto& field : fields) table->columns.try_emplace(field.number, table->blocks, field.words);
}

void Index::change(TypeNo type, std::vector<Change> changes) {
  const auto lock = alone();
  const auto it = tables_.find(type);
  if (it == tables_.end()) return;
  for (auto& one : changes) it->second->change(one);
}

void Index::pack(TypeNo type) {
  const auto lock = alone();
  const auto it = tables_.find(type);
  if (it == tables_.end()) return;
  it->second->merge();
  it->second->fresh.shrink_to_fit();
  it->second->loading = false;
  for (auto& [field, of_field] : it->second->columns) {
    of_field.values.pack();
    of_field.later.pack();
  }
}

// ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────

bool Index::Table::meets_value(const Condition& condition, std::string_view key) const {
  return meets(view(condition.wanted), condition.op, key, columns.at(condition.field).words);
}

// What meets the condition, or what of `all` does.
bool Index::Table::add_found(const Condition& condition, std::size_t entries_max, std::optional<Ordinals>& all) const {
  Ordinals found(ids.numbers());
  const auto& of_field = columns.at(condition.field);
  if (!of_field.values.find(view(condition.wanted), condition.op, found, entries_max)) return false;
  if (condition.op == Op::word && !of_field.later.find(view(condition.wanted), condition.op, found, entries_max))
    return false;
  for (const auto& value : fresh)
    if (value.field == condition.field && !value.key.empty() && meets_value(condition, view(value.key)))
      found.add(value.ordinal);
  if (all) found.keep_only(*all);
  all = std::move(found);
  return true;
}

bool Index::Table::meets_one(const Condition& condition, std::uint32_t ordinal) const {
  const auto meets_key = [&](std::string_view key) { return meets_value(condition, key); };
  if (columns.at(condition.field).values.any_key(ordinal, meets_key)) return true;
  const auto [begin, end] = fresh_by_ordinal.equal_range(ordinal);
  return std::any_of(begin, end, [&](const auto& place) {
    const auto& value = fresh[place.second];
    return value.field == condition.field && meets_key(view(value.key));
  });
}

// A long text is looked for by its beginning; the caller sees the rest.
std::vector<Condition> Index::short_enough(std::span<const Condition> conditions) {
  std::vector<Condition> out(conditions.begin(), conditions.end());
  for (auto& condition : out) {
    if (condition.wanted.size() <= kWantedBytesMax) continue;
    cut(condition.wanted, kWantedBytesMax);
    if (condition.op == Op::exact) condition.op = Op::prefix;
  }
  return out;
}

bool Index::record_meets(TypeNo type, std::span<const Condition> conditions, const RecordId& record) const {
  const auto lock = among_others();
  const auto it = tables_.find(type);
  if (it == tables_.end()) return false;
  const auto& table = *it->second;
  const auto ordinal = table.ids.find(record);
  const auto wanted = short_enough(conditions);
  return ordinal && std::ranges::all_of(wanted, [&](const Condition& c) {
           return table.columns.contains(c.field) && table.meets_one(c, *ordinal);
         });
}

std::vector<RecordId> Index::find(TypeNo type, std::span<const Condition> conditions,
                                  const std::optional<RecordId>& after, std::size_t limit) const {
  SIEGEL_ASSERT(!conditions.empty() && limit > 0);
  const auto lock = among_others();
  const auto it = tables_.find(type);
  if (it == tables_.end()) return {};
  const auto& table = *it->second;
  auto left = short_enough(conditions);
  for (const auto& condition : left)
    if (!table.columns.contains(condition.field)) return {};
  const auto same = [](const Condition& a, const Condition& b) {
    return a.field == b.field && a.op == b.op && a.wanted == b.wanted;
  };
  for (auto next = left.begin(); next != left.end();)
    next = std::any_of(left.begin(), next, [&](const auto& c) { return same(c, *next); }) ? left.erase(next) : next + 1;
  // Conditions that few meet go first: who meets them is looked at one by one for the others. If there are none, or it
  // is the only one, all that meet it are gathered.
  std::optional<Ordinals> all;
  const bool one = left.size() == 1;
  std::erase_if(left,
                [&](const Condition& condition) { return table.add_found(condition, one ? kAll : kFewMax, all); });
  if (!all) {
    for (const auto& condition : left) (void)table.add_found(condition, kAll, all);
    left.clear();
  }
  if (!all) return {};
  // The lowest ids: the highest of them stands in front, and goes when a lower one comes. Ordinals mostly rise with
  // ids.
  std::vector<RecordId> out;
  all->each([&](std::uint32_t ordinal) {
    const auto& id = table.ids[ordinal];
    const bool full = out.size() == limit;
    if ((after && id <= *after) || (full && out.front() < id)) return;
    if (!std::ranges::all_of(left, [&](const Condition& c) { return table.meets_one(c, ordinal); })) return;
    if (full) {
      std::pop_heap(out.begin(), out.end());
      out.pop_back();
    }
    out.push_back(id);
    std::push_heap(out.begin(), out.end());
  });
  std::sort_heap(out.begin(), out.end());
  return out;
}

std::size_t Index::records(TypeNo type) const {
  const auto lock = among_others();
  const auto it = tables_.find(type);
  return it == tables_.end() ? 0 : it->second->ids.size();
}

std::size_t Index::Table::bytes() const {
  auto out = blocks.bytes() + ids.bytes() + fresh_bytes;
  for (const auto& [field, of_field] : columns) out += of_field.values.bytes() + of_field.later.bytes();
  return out;
}

std::size_t Index::bytes() const {
  const auto lock = among_others();
  std::size_t out = 0;
  for (const auto& [type, table] : tables_) out += table->bytes();
  return out;
}

}  // namespace siegel::search
