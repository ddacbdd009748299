#include "service/search_feed.h"

#include <algorithm>

#include "codec/bodies_codec.h"

namespace siegel::service {
namespace {

constexpr std::chrono::seconds kRetry{1};
constexpr std::size_t kRecordsAtOnce = 32;           // of an import or an erasure, while who searches waits
constexpr std::chrono::microseconds kForOthers{50};  // then: a mutex is not fair
constexpr std::size_t kHiddenMax = 200'000;          // of an import; more are read when it is finished
constexpr std::size_t kHiddenMeanwhile = 4'096;
// What a search spends on the dying that the index still knows, about a second, since others wait for its thread: one
// of whom nothing is left takes some 20 us, one that is looked at anew 0.3 ms, once for all searches. Who is dying
// beyond that is left out of the answer for the moment: a refusal would tell how many there are, and leave no trace.
constexpr std::size_t kPatience = 48 * 1024;
constexpr std::size_t kLookAgainCost = 16;

bool is_record(EventType type) {
  return type == EventType::record_added || type == EventType::record_changed || type == EventType::record_removed;
}

// Whose event it is; none: erased.
std::optional<RecordId> record_of(views::Recorded& event) {
  const auto parts = event.parts();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].removed || parts[i].ciphertext.empty()) continue;
    const auto body = event.record(static_cast<std::uint16_t>(i));
    if (body && *body != nullptr) return (*body)->record;
  }
  return std::nullopt;
}

}  // namespace

void add_keys(std::vector<search::FieldKey>& to, FieldNo field, FieldType type, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) to.push_back({field, search::fold(type, *text)});
  if (const auto* items = std::get_if<std::vector<std::string>>(&value))
    for (const auto& item : *items) to.push_back({field, search::fold(type, item)});
}

SearchFeed::SearchFeed(views::Views& views, vault::Vault& vault, RegistriesNow registries, std::size_t bytes_max)
    : views_(views), vault_(vault), registries_(std::move(registries)), bytes_max_(bytes_max) {}

void SearchFeed::start(std::shared_ptr<ledger::SystemReceipt> receipt) {
  const std::lock_guard lock(mutex_);
  receipt_ = std::move(receipt);
  for (const auto& [name, type] : registries_()->types) define(TypeNo(type.number));
  loader_ = std::thread([this] { run(); });
}

void SearchFeed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    receipt_.reset();
  }
  changed_.notify_all();
  if (loader_.joinable()) loader_.join();
}

bool SearchFeed::ready() const {
  const std::lock_guard lock(mutex_);
  return receipt_ != nullptr &&
         std::ranges::none_of(types_, [](const auto& entry) { return entry.second.state == Type::State::loading; });
}

// The searchable fields as they are defined now; what was known with others is known no more.
void SearchFeed::define(TypeNo number) {
  const auto now = registries_();
  const auto* type = now->type(number);
  std::vector<Field> fields;
  if (type != nullptr)
    for (const auto& field : type->definition.fields)
      if (field.searchable) fields.push_back({field.number, field.type});
  const auto known = types_.find(number);
  if (known != types_.end() && known->second.fields == fields) return;
  if (fields.empty()) {
    types_.erase(number);
    index_.define(number, {});
    return;
  }
  auto& entry = types_[number];
  entry.fields = std::move(fields);
  begin_load(number, entry);
}

void SearchFeed::begin_load(TypeNo number, Type& type) {
  std::vector<search::Index::Field> fields;
  fields.reserve(type.fields.size());
  for (const auto& field : type.fields) fields.push_back({field.number, search::has_words(field.type)});
  index_.define(number, fields);
  type.state = Type::State::loading;
  type.newer.clear();
  for (auto& [id, one] : unfinished_) {
    if (one.type != number) continue;
    one.later.insert(one.later.end(), one.hidden.begin(), one.hidden.end());
    one.hidden.clear();
  }
  ++type.loads;
  changed_.notify_all();
}

// ── following ────────────────────────────────────────────────────────────────────────────────────────────────────────

void SearchFeed::folded(views::Recorded& event) {
  const auto& header = event.header();
  if (header.type == EventType::import_finished) return finish_import(header);
  if (header.type == EventType::import_cancelled) return cancel_import(header);
  const std::lock_guard lock(mutex_);
  if (receipt_ == nullptr) return;
  if (is_record(header.type)) return header.job ? follow_imported(event) : follow_record(event);
  if (header.type == EventType::import_begun && header.job) unfinished_[*header.job].type = header.record_type;
  if (header.type != EventType::registry_type_set) return;
  if (const auto* facts = std::get_if<RegistryFacts>(&header.facts)) define(TypeNo(facts->number));
}

void SearchFeed::missed() {
  const std::lock_guard lock(mutex_);
  if (receipt_ == nullptr) return;
  unfinished_.clear();
  for (const auto& [name, type] : registries_()->types) define(TypeNo(type.number));
  for (auto& [number, type] : types_) begin_load(number, type);
}

void SearchFeed::follow_record(views::Recorded& event) {
  const auto& header = event.header();
  const auto it = types_.find(header.record_type);
  if (it == types_.end() || it->second.state == Type::State::too_large) return;
  auto& type = it->second;
  std::optional<search::Change> change;
  const auto parts = event.parts();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].removed || parts[i].ciphertext.empty()) continue;
    const auto body = event.record(static_cast<std::uint16_t>(i));
    if (!body || *body == nullptr) continue;  // erased
    if (!change) change = search::Change{(*body)->record, header.type != EventType::record_changed, {}};
    if (header.type == EventType::record_removed || type.state == Type::State::loading) continue;
    if (!vault_.living(parts[i].envelope.slot)) continue;  // it was opened a moment ago
    for (const auto& value : (*body)->values) {
      const auto field = std::ranges::find(type.fields, value.field, &Field::number);
      if (field == type.fields.end()) continue;
      change->values.push_back({value.field, {}});
      add_keys(change->values, value.field, field->type, value.value.expose());
    }
  }
  if (!change) return;
  if (type.state == Type::State::loading) return refresh(it->first, type, change->record);
  this->change(it->first, type, std::move(*change));
}

// Of an import, or of its undo: then the rows know what counts by now.
void SearchFeed::follow_imported(views::Recorded& event) {
  const auto& header = event.header();
  const auto record = record_of(event);
  if (!record || !header.job) return;
  const auto it = types_.find(header.record_type);
  const auto known = unfinished_.find(*header.job);
  if (known == unfinished_.end()) {
    if (it != types_.end()) refresh(it->first, it->second, *record);
    return;
  }
  auto& [type, hidden, later] = known->second;
  const bool ready = it != types_.end() && it->second.state == Type::State::ready;
  if (!ready || header.type != EventType::record_added || hidden.size() >= kHiddenMax) return later.push_back(*record);
  hidden.insert(*record);
  follow_record(event);
}

void SearchFeed::pause(std::unique_lock<std::mutex>& lock, std::size_t done) {
  if (done % kRecordsAtOnce != kRecordsAtOnce - 1) return;
  lock.unlock();
  std::this_thread::sleep_for(kForOthers);
  lock.lock();
}

void SearchFeed::finish_import(const Header& header) {
  std::unique_lock lock(mutex_);
  if (receipt_ == nullptr || !header.job) return;
  const auto known = unfinished_.extract(*header.job);  // from here on what it added is seen
  if (known.empty()) {
    if (const auto it = types_.find(header.record_type); it != types_.end()) begin_load(it->first, it->second);
    return;
  }
  const auto& later = known.mapped().later;
  for (std::size_t i = 0; i < later.size(); ++i) {
    pause(lock, i);
    const auto it = types_.find(header.record_type);
    if (receipt_ == nullptr || it == types_.end()) return;
    refresh(it->first, it->second, later[i]);
  }
}

void SearchFeed::cancel_import(const Header& header) {
  std::unique_lock lock(mutex_);
  const auto known = header.job ? unfinished_.find(*header.job) : unfinished_.end();
  if (known == unfinished_.end()) return;
  auto& hidden = known->second.hidden;
  for (std::size_t i = 0; !hidden.empty(); ++i) {
    const auto record = *hidden.begin();
    const auto it = types_.find(header.record_type);
    if (it != types_.end()) change(it->first, it->second, {record, true, {}});
    hidden.erase(record);
    pause(lock, i);
  }
  unfinished_.erase(known);
}

std::size_t SearchFeed::hidden(TypeNo type) const {
  std::size_t out = 0;
  for (const auto& [id, one] : unfinished_) out += one.type == type ? one.hidden.size() : 0;
  return out;
}

bool SearchFeed::hides(TypeNo type, const RecordId& record) const {
  return std::ranges::any_of(unfinished_, [&](const auto& entry) {
    return entry.second.type == type && entry.second.hidden.contains(record);
  });
}

void SearchFeed::look_again(std::span<const RecordId> records) {
  std::unique_lock lock(mutex_);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (receipt_ == nullptr) return;
    dying_.with([&](auto& dying) { dying.erase(records[i]); });  // first, as in meets_anew()
    ++looked_again_;
    for (auto& [number, type] : types_) refresh(number, type, records[i]);
    for (auto& [id, one] : unfinished_)
      if (one.hidden.erase(records[i]) > 0) one.later.push_back(records[i]);
    pause(lock, i);
  }
}

void SearchFeed::expect(std::span<const RecordId> dying) {
  dying_.with([&](auto& records) {
    for (const auto& record : dying) records.insert_or_assign(record, Dying::not_looked_at);
  });
}

SearchFeed::Dying SearchFeed::dying(const RecordId& record) const {
  return dying_.with([&](const auto& records) {
    const auto it = records.find(record);
    return it == records.end() ? Dying::looked_at : it->second;
  });
}

void SearchFeed::lives_again(const RecordId& record) {
  dying_.with([&](auto& records) {
    const auto it = records.find(record);
    if (it != records.end() && it->second == Dying::gone) it->second = Dying::not_looked_at;
  });
}

Result<bool> SearchFeed::meets_anew(TypeNo type, std::span<const search::Condition> conditions, const RecordId& record,
                                    std::size_t& patience) {
  const auto it = types_.find(type);
  if (receipt_ == nullptr || it == types_.end() || patience == 0) return false;
  SIEGEL_TRY(row, views_.record(type, record));
  const bool gone = !row || std::ranges::none_of(row->sections, [&](const auto& s) { return vault_.living(s.slot); });
  patience -= std::min(patience, gone ? 1 : kLookAgainCost);
  if (!gone && patience == 0) return false;
  // First: whoever comes with another fence meanwhile has it looked at once more.
  dying_.with([&](auto& records) {
    if (const auto at = records.find(record); at != records.end()) at->second = gone ? Dying::gone : Dying::looked_at;
  });
  if (gone) return false;
  ++looked_again_;
  refresh(type, it->second, record);
  return index_.record_meets(type, conditions, record);
}

// From the newest row, in one step, or away with it.
void SearchFeed::refresh(TypeNo number, Type& type, const RecordId& record) {
  if (type.state == Type::State::too_large) return;
  if (type.state == Type::State::loading) type.newer.insert(record);
  const auto row = views_.record(number, record);
  if (row && !*row) return change(number, type, {record, true, {}});
  auto taken = row ? take_over(number, type, record, **row) : Status(Error(row.error()));
  if (!taken) begin_load(number, type);  // read all of it once more, when that goes again
}

Status SearchFeed::take_over(TypeNo number, Type& type, const RecordId& record, const views::RecordRow& row) {
  search::Change out{record, true, {}};
  const auto key = views::record_row_key(number, record);
  for (const auto& section : row.sections) {
    auto opened = vault_.open_row(*receipt_, section.slot, "records", key, section.sealed);
    if (!opened) {
      if (opened.error().category() == Errc::gone) continue;
      return Error(opened.error());
    }
    SIEGEL_TRY(values, codec::decode_values(opened->view()));
    for (const auto& value : values) {
      const auto field = std::ranges::find(type.fields, value.field, &Field::number);
      if (field != type.fields.end()) add_keys(out.values, value.field, field->type, value.value.expose());
    }
    wipe_texts(values);
  }
  change(number, type, std::move(out));
  return Done{};
}

void SearchFeed::change(TypeNo number, Type& type, search::Change change) {
  if (type.state == Type::State::too_large) return;
  if (!change.values.empty()) lives_again(change.record);
  std::vector<search::Change> changes;
  changes.push_back(std::move(change));
  index_.change(number, std::move(changes));
  if (index_.bytes() <= bytes_max_) return;
  type.state = Type::State::too_large;
  type.newer.clear();
  index_.define(number, {});
}

// ── loading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void SearchFeed::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto next =
        std::ranges::find_if(types_, [](const auto& entry) { return entry.second.state == Type::State::loading; });
    if (stop_) return;
    if (next == types_.end()) {
      changed_.wait(lock);
      continue;
    }
    const auto number = next->first;
    lock.unlock();
    load(number);
    lock.lock();
  }
}

void SearchFeed::load(TypeNo number) {
  std::uint64_t loads = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto it = types_.find(number);
    if (it == types_.end()) return;
    loads = it->second.loads;
  }
  // False: it is loaded no longer, or not so.
  const auto take = [&](const RecordId& record, const views::RecordRow& row, Status& taken) {
    const std::lock_guard lock(mutex_);
    const auto it = types_.find(number);
    if (stop_ || it == types_.end() || it->second.loads != loads || it->second.state != Type::State::loading)
      return false;
    if (it->second.newer.contains(record)) return true;
    taken = take_over(number, it->second, record, row);
    return taken.has_value();
  };
  Status taken = Done{};
  const auto read = views_.each_record(
      number, [&](const RecordId& record, const views::RecordRow& row) { return take(record, row, taken); });
  std::unique_lock lock(mutex_);
  const auto it = types_.find(number);
  if (stop_ || it == types_.end() || it->second.loads != loads || it->second.state != Type::State::loading) return;
  if (read && taken) {
    index_.pack(number);
    it->second.state = Type::State::ready;
    it->second.newer.clear();
    return;
  }
  begin_load(number, it->second);
  changed_.wait_for(lock, kRetry, [&] { return stop_; });
}

Result<std::uint64_t> SearchFeed::loads_of(TypeNo type, std::span<const search::Condition> conditions) const {
  const std::lock_guard lock(mutex_);
  const auto it = types_.find(type);
  const auto knows = [&](const search::Condition& condition) {
    return std::ranges::find(it->second.fields, condition.field, &Field::number) != it->second.fields.end();
  };
  // A field that has just become searchable is known here a moment later.
  if (it == types_.end() || it->second.state == Type::State::loading || !std::ranges::all_of(conditions, knows))
    return Error(Errc::unavailable, "starting", "The search index is still loading.");
  if (it->second.state == Type::State::too_large)
    return Error(Errc::overloaded, "overloaded",
                 "The search index has no room for this record type; the configuration can give it more.")
        .with("limit_name", "search_bytes_max")
        .with("limit_value", bytes_max_);
  return it->second.loads;
}

// Hidden and dying records are found like others and left out here; the hidden with one lock for all, so that an import
// is seen whole or not at all.
Result<std::vector<RecordId>> SearchFeed::find(TypeNo type, std::span<const search::Condition> conditions,
                                               const std::optional<RecordId>& after, std::size_t limit) {
  SIEGEL_TRY(before, loads_of(type, conditions));
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto passed_over = hidden(type) + dying_.with([](const auto& dying) { return dying.size(); });
    const auto wanted = limit + (passed_over == 0 ? 0 : passed_over + kHiddenMeanwhile);
    const auto looked_again = looked_again_;
    lock.unlock();
    auto found = index_.find(type, conditions, after, wanted);
    const bool all = found.size() < wanted;
    lock.lock();
    std::erase_if(found, [&](const RecordId& record) { return hides(type, record); });
    std::vector<RecordId> out;
    auto patience = kPatience;
    std::size_t looks = 0;
    for (auto it = found.begin(); it != found.end() && out.size() < limit; ++it) {
      const auto state = dying(*it);
      bool meets = state != Dying::gone;
      if (state == Dying::not_looked_at) {
        SIEGEL_TRY(still, meets_anew(type, conditions, *it, patience));
        meets = still;
        pause(lock, looks++);
      } else if (meets && looked_again != looked_again_) {
        meets = index_.record_meets(type, conditions, *it);
      }
      if (meets) out.push_back(*it);
    }
    if (!all && out.size() < limit && patience > 0) continue;  // more are hidden by now
    lock.unlock();
    SIEGEL_TRY(now, loads_of(type, conditions));
    if (now != before) return Error(Errc::unavailable, "starting", "The search index is loading again.");
    return out;
  }
}

}  // namespace siegel::service
