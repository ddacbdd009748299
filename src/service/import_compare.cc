// What the rows of a file would do: compared with what is stored, a batch under one access event.
#include <algorithm>
#include <set>

#include "base/assert.h"
#include "service/import_run.h"
#include "service/values.h"
#include "views/wait.h"

namespace siegel::service {
namespace {

using Kind = ImportOutcome::Kind;
using State = ImportInMemory::State;

constexpr std::chrono::seconds kCatchUpWait{60};
constexpr std::chrono::milliseconds kGlance{200};  // how often a stop is looked for
constexpr std::chrono::milliseconds kBusyWait{50};
constexpr std::size_t kBatchRows = 1'000;
constexpr std::size_t kSameTypeMax = 20;   // records of one type that a person has, looked at for a row
constexpr std::size_t kSameFoldMax = 100;  // records with nearly the same values, looked at for a row

// What stands in the row that does not stand in the record.
void differences(const ImportPlan& plan, const ImportPlan::Row& row, const ShownRecord& stored, ImportOutcome& out) {
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    const auto& now = row.values[i];
    const auto& shown = stored.values.expose();
    const auto at = std::find_if(shown.begin(), shown.end(), [&](const auto& v) { return v.field == now.field; });
    const Value before = at == shown.end() ? Value(Null{}) : at->value.expose();
    if (before == now.value.expose() || plan.is_same(now.field, before, now.value.expose())) continue;
    const auto& name = plan.type().field(now.field)->name;
    out.changes.push_back({row.number, stored.id, name, Personal<Value>(before), now.value});
    const auto named = std::find_if(row.named.begin(), row.named.end(), [&](const auto& n) { return n.field == name; });
    out.values.push_back(*named);
  }
}

}  // namespace

ImportFacts facts_of(const ImportCounts& counts) {
  const auto narrow = [](std::uint64_t n) { return static_cast<std::uint32_t>(n); };  // rows_max is below
  return {narrow(counts.rows()), narrow(counts.added), narrow(counts.changed), narrow(counts.unchanged),
          narrow(counts.failed)};
}

bool is_fatal(const Error& error) noexcept {
  const auto category = error.category();
  return category == Errc::denied || category == Errc::unavailable || category == Errc::corrupt ||
         category == Errc::overloaded;
}

Error closing() { return Error(Errc::unavailable, "closing", "The server is being stopped."); }
Error was_cancelled() { return Error(Errc::conflict, "state_conflict", "The import was cancelled."); }

namespace {

void submit_until(Impl& s, const std::function<std::shared_ptr<Task>(Callback<Written>)>& make,
                  const std::atomic<bool>& stopping, std::chrono::steady_clock::time_point until,
                  const Callback<Written>& done) {
  s.submit(make([&s, make, &stopping, until, done](Result<Written> outcome) {
    const bool busy = !outcome && outcome.error().category() == Errc::overloaded;
    if (!busy || stopping || std::chrono::steady_clock::now() >= until) return done(std::move(outcome));
    // Not at once: what it is too busy with is to go on. Sizes so far away are never reached.
    s.views.when(TreeSize(~std::uint64_t{0}), kBusyWait, [&s, make, &stopping, until, done](bool) {
      s.executor.post([&s, make, &stopping, until, done] { submit_until(s, make, stopping, until, done); });
    });
  }));
}

}  // namespace

void submit_patiently(Impl& s, const std::function<std::shared_ptr<Task>(Callback<Written>)>& make,
                      const std::atomic<bool>& stopping, const Callback<Written>& done) {
  submit_until(s, make, stopping, std::chrono::steady_clock::now() + s.options.imports.busy_max, done);
}

// As patiently as a row: an import whose end was not told stays unfinished until the next start.
Result<Written> Imports::tell(const Caller& caller, ImportEvent event) {
  return wait_for<Written>([&](const auto& done) {
    const auto make = [this, caller, event](Callback<Written> then) {
      return make_import_event(s, caller, event, std::move(then));
    };
    submit_patiently(s, make, stopping_, done);
  });
}

Status Imports::catch_up() {
  const auto size = s.ledger.size();
  for (auto left = kCatchUpWait / kGlance; left > 0; --left) {
    if (stopping_) return closing();
    if (views::wait_until_shown(s.views, size, kGlance)) return Done{};
  }
  return Error(Errc::unavailable, "starting", "The read models do not catch up.");
}

void Imports::end(ImportInMemory& held, State state, const std::function<void(ImportInMemory::Progress&)>& f) {
  std::vector<Callback<ImportAnswer>> waiting;
  std::shared_ptr<const UploadBytes> bytes;  // wiped without the lock
  held.progress.with([&](ImportInMemory::Progress& progress) {
    f(progress);
    progress.state = state;
    progress.failed_rows.sort();
    // From here on the file is there for the rejects only.
    if (state == State::cancelled || progress.counts.failed == 0) bytes = std::exchange(progress.bytes, nullptr);
    progress.met = {};
    progress.expires_at = in_memory_until();
    wipe_samples(progress.samples);
    waiting.swap(progress.waiting);
  });
  for (const auto& done : waiting) done(answer_of(held));
  answer_cancels(held);
}

Result<std::vector<ShownRecord>> Imports::compare(const Comparison& comparison, std::vector<RecordId> records,
                                                  std::vector<SubjectId> people) {
  const auto& type = comparison.is_there ? comparison.plan.type().name : std::string();
  const auto fields = comparison.is_there ? comparison.plan.fields() : std::vector<std::string>{};
  return wait_for<std::vector<ShownRecord>>([&](auto done) {
    s.submit(
        make_compare(s, comparison.caller, type, fields, {std::move(records), std::move(people)}, std::move(done)));
  });
}

struct Imports::Row {
  ImportPlan::Row row;
  std::optional<decide::IdentityKey> key;
  std::vector<RecordId> records;    // that it may be about
  std::vector<SubjectId> people;    // told of without a record of theirs
  std::optional<ShownRecord> same;  // that it is about

  void fail(std::string code) {  // once: there is one reason for a row
    if (row.failures.empty()) row.failures.push_back({std::nullopt, std::move(code)});
  }
};
struct Imports::Batch {
  std::vector<Row> rows;
  std::set<decide::IdentityKey> seen;   // of the whole file; the next two as well
  std::set<decide::IdentityKey> given;  // identities that rows give, to new records and to those of before
  std::set<decide::IdentityKey> moved;  // of these, to records of before
  bool matches = false;
  bool by_identity = false;  // else by searchable fields
  TypeDefinition matched;    // the type, with the fields that rows are matched by as those of its identity
  bool traced = false;       // an access event stands
};

namespace {

Error bad_match(const char* what, const char* reason, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "bad_value", what, at).with("pointer", "/match").with("reason", reason);
}

// Where what is equal is written in one way only: 3733.2 is 3733.20, and a telephone number has many forms.
bool is_exact(FieldType type) {
  return type == FieldType::text || type == FieldType::email || type == FieldType::url || type == FieldType::integer ||
         type == FieldType::date || type == FieldType::choice || type == FieldType::reference;
}

// Each finds records by itself, and the file has a column for it.
Status check_searchable(const ImportPlan& plan, const std::vector<std::string>& match) {
  const auto columns = plan.fields();
  for (const auto& name : match) {
    const auto* field = plan.type().field(name);
    if (field == nullptr || !field->searchable || !is_exact(field->type))
      return bad_match(
          "Rows are matched by the identity of the record type, or by searchable texts, whole numbers or dates.",
          "match_not_searchable");
    if (std::ranges::find(columns, name) == columns.end())
      return bad_match("The file has no column for a field that rows are matched by.", "match_without_column");
  }
  return Done{};
}

}  // namespace

Status Imports::match_by(const Comparison& comparison, Batch& batch) const {
  const auto& match = comparison.import.upload.match;
  batch.matches = comparison.is_there && !match.empty();
  if (!batch.matches) return Done{};
  const auto sorted = [](auto names) {
    std::ranges::sort(names);
    return names;
  };
  batch.matched = comparison.plan.type();
  batch.by_identity =
      batch.matched.subject_mode == SubjectMode::match && sorted(match) == sorted(batch.matched.match_fields);
  if (batch.by_identity) {
    if (!s.identity.loaded()) return Error(Errc::unavailable, "starting", "The identity index is still loading.");
    return Done{};
  }
  batch.matches = !comparison.import.upload.type.empty();  // a type that the commit makes has no records yet
  if (!batch.matches) return Done{};
  SIEGEL_CHECK(check_searchable(comparison.plan, match));
  batch.matched.match_fields = sorted(match);
  // Before anything is begun: whether the search index can answer.
  std::vector<search::Condition> conditions;
  for (const auto& name : match) conditions.push_back({batch.matched.field(name)->number, search::Op::exact, {}});
  const auto registries = s.registries();
  const auto* type = registries->type(batch.matched.name);
  if (type != nullptr) {
    SIEGEL_TRY(loads, s.search_feed.loads_of(TypeNo(type->number), conditions));
  }
  return Done{};
}

Status Imports::check_match(const Comparison& comparison) const {
  Batch batch;
  return match_by(comparison, batch);
}

Status Imports::each_row(const Comparison& comparison, const std::function<Status(ImportOutcome&&)>& f) {
  SIEGEL_TRY(reader, open(comparison.import));
  Batch batch;
  SIEGEL_CHECK(match_by(comparison, batch));
  for (;;) {
    SIEGEL_TRY(read, reader->next());
    if (!read) break;
    if (read->number <= comparison.import.guess.header_row) continue;
    if (comparison.cells != nullptr) count_cells(*read, *comparison.cells);
    batch.rows.push_back({comparison.plan.read(*read), std::nullopt, {}, {}, std::nullopt});
    if (batch.rows.size() == kBatchRows) SIEGEL_CHECK(finish_batch(comparison, batch, f));
  }
  SIEGEL_CHECK(finish_batch(comparison, batch, f));
  if (!batch.traced && comparison.trace_always) {
    SIEGEL_TRY(event, compare(comparison, {}, {}));
  }
  return Done{};
}

bool Imports::is_erased(const ImportInMemory& import, const ImportPlan& plan, const ImportPlan::Row& row) const {
  if (plan.type().subject_mode != SubjectMode::match || import.watch == nullptr) return false;
  const auto key = s.identity.key(plan.type(), row.values);
  return key && import.watch->erased(*key);
}

// Of the person that the row's identity is of, those of the type.
Result<std::vector<RecordId>> Imports::records_of_identity(TypeNo type, Row& row) const {
  std::vector<RecordId> out;
  const auto found = s.identity.find(*row.key);
  if (found.ambiguous) {
    row.fail("ambiguous");
    row.people = s.identity.all(*row.key);
  }
  if (!found.subject) return out;
  for (const auto& id : s.merges.all(*found.subject)) {
    SIEGEL_TRY(of_person, s.views.records_of(id));
    for (const auto& record : of_person) {
      SIEGEL_TRY(head, s.views.head(record));
      if (head && !head->removed && head->type == type) out.push_back(record);
    }
  }
  if (out.size() > kSameTypeMax) {
    row.fail("ambiguous");
    out.resize(kSameTypeMax);
  }
  return out;
}

// Those that the search index knows by the row's values; it folds them, so there may be others among them.
Result<std::vector<RecordId>> Imports::records_of_values(TypeNo type, const Batch& batch, Row& row) {
  std::vector<search::Condition> conditions;
  for (const auto& name : batch.matched.match_fields) {
    const auto* field = batch.matched.field(name);
    const auto value = std::ranges::find(row.row.values, field->number, &FieldValue::field);
    SIEGEL_ASSERT(value != row.row.values.end());  // else it has no key
    const auto& text = std::get<std::string>(value->value.expose());
    conditions.push_back({field->number, search::Op::exact, search::fold(field->type, text)});
    if (conditions.back().wanted.empty()) {
      row.fail("nothing_to_search_by");
      return std::vector<RecordId>{};
    }
  }
  SIEGEL_TRY(out, s.search_feed.find(type, conditions, std::nullopt, kSameFoldMax + 1));
  if (out.size() > kSameFoldMax) {
    row.fail("ambiguous");
    out.resize(kSameFoldMax);
  }
  return out;
}

// Of each row the records that it may be about, also of one that fails for there being several: whoever is told that
// has learned something of them. Which of them has the values of the row now, their own values tell.
Status Imports::find_records(const Comparison& comparison, Batch& batch) {
  const auto registries = s.registries();
  const auto* type = registries->type(comparison.plan.type().name);
  for (auto& one : batch.rows) {
    if (is_erased(comparison.import, comparison.plan, one.row))
      one.row.failures = {{std::nullopt, std::string(kErased)}};
    if (!batch.matches || type == nullptr || !one.row.failures.empty()) continue;
    one.key = s.identity.key(batch.matched, one.row.values);
    if (!one.key) continue;  // without an identity it is nobody's
    if (!batch.seen.insert(*one.key).second) {
      one.fail("repeated");
      continue;
    }
    const TypeNo number(type->number);
    SIEGEL_TRY(found, batch.by_identity ? records_of_identity(number, one) : records_of_values(number, batch, one));
    one.records = std::move(found);
  }
  return Done{};
}

// The rows from there on whose records fit one access event, and at least one; where the next ones begin.
Result<std::size_t> Imports::compare_rows(const Comparison& comparison, Batch& batch, std::size_t begin) {
  std::vector<RecordId> records;
  std::vector<SubjectId> people;
  auto end = begin;
  while (end < batch.rows.size() && (end == begin || records.size() + batch.rows[end].records.size() <= kBatchRows)) {
    const auto& row = batch.rows[end++];
    records.insert(records.end(), row.records.begin(), row.records.end());
    people.insert(people.end(), row.people.begin(), row.people.end());
  }
  std::map<RecordId, ShownRecord> stored;
  if (!records.empty() || !people.empty()) {
    batch.traced = true;
    SIEGEL_TRY(shown, compare(comparison, std::move(records), std::exchange(people, {})));
    for (auto& record : shown) stored.emplace(record.id, std::move(record));
  }
  for (auto at = begin; at < end; ++at) {
    auto& row = batch.rows[at];
    row.people.clear();
    SIEGEL_CHECK(decide_same(comparison, batch, row, stored));
    people.insert(people.end(), row.people.begin(), row.people.end());
  }
  if (!people.empty()) {  // whom a row would meet by the identity that it gives: known only once its record was opened
    SIEGEL_TRY(event, compare(comparison, {}, std::move(people)));
  }
  return end;
}

// Which of them it is about, or why that cannot be said.
Status Imports::decide_same(const Comparison& comparison, Batch& batch, Row& one,
                            std::map<RecordId, ShownRecord>& stored) {
  for (const auto& record : one.records) {
    const auto found = stored.find(record);
    if (found == stored.end() || s.identity.key(batch.matched, found->second.values.expose()) != one.key) continue;
    if (one.same) one.fail("ambiguous");
    one.same = std::move(found->second);  // no other row has its key
  }
  if (!batch.matches || batch.by_identity || !one.key || !one.row.failures.empty()) return Done{};
  const auto& type = comparison.plan.type();
  if (one.same) {
    if (const auto key = moves_to(type, one); key && !may_move(batch, one, *key)) one.fail("ambiguous");
    if (comparison.trace_always)
      comparison.import.progress.with([&](auto& progress) { progress.met.emplace(*one.key, one.same->id); });
    return Done{};
  }
  // It was about a record in the preview. It is not added as a new one: whoever was erased meanwhile stays so.
  const auto met = comparison.import.progress.with([&](const auto& progress) {
    const auto it = progress.met.find(*one.key);
    return it == progress.met.end() ? std::nullopt : std::optional(it->second);
  });
  if (met) {
    SIEGEL_TRY(gone, is_gone(batch.matched, *met));
    one.fail(gone ? std::string(kErased) : "changed_meanwhile");
    return Done{};
  }
  const auto key = type.subject_mode == SubjectMode::match ? s.identity.key(type, one.row.values) : std::nullopt;
  if (!key) return Done{};
  if (batch.moved.contains(*key)) one.fail("ambiguous");  // it would be the record's of another row
  batch.given.insert(*key);
  return Done{};
}

// Whether the record was erased, or what it was matched by.
Result<bool> Imports::is_gone(const TypeDefinition& matched, const RecordId& record) const {
  SIEGEL_TRY(head, s.views.head(record));
  if (!head || head->added.empty()) return true;
  SIEGEL_TRY(row, s.views.record(head->type, record));
  if (!row) return false;
  const auto registries = s.registries();
  return std::ranges::any_of(matched.match_fields, [&](const auto& name) {
    const auto* cls = registries->cls(matched.field(name)->cls);
    return cls != nullptr && std::ranges::none_of(row->sections, [&](const auto& section) {
             return section.cls.get() == cls->number && !is_dead(s.vault, section.slot);
           });
  });
}

// The identity that the row gives its record in place of another one.
std::optional<decide::IdentityKey> Imports::moves_to(const TypeDefinition& type, const Row& row) const {
  if (type.subject_mode != SubjectMode::match) return std::nullopt;
  auto values = row.row.values;
  for (const auto& value : row.same->values.expose())
    if (std::ranges::find(values, value.field, &FieldValue::field) == values.end()) values.push_back(value);
  auto key = s.identity.key(type, values);
  if (key == s.identity.key(type, row.same->values.expose())) key.reset();
  return key;
}

// Not if somebody else has it, or another row of the file gives it.
bool Imports::may_move(Batch& batch, Row& row, const decide::IdentityKey& key) const {
  const auto found = s.identity.find(key);
  row.people = s.identity.all(key);
  std::erase_if(row.people, [&](const SubjectId& one) { return s.merges.name_of(one) == row.same->subject; });
  if (found.ambiguous || (found.subject && found.subject != row.same->subject)) return false;
  batch.moved.insert(key);
  return batch.given.insert(key).second;
}

Status Imports::finish_batch(const Comparison& comparison, Batch& batch,
                             const std::function<Status(ImportOutcome&&)>& f) {
  SIEGEL_CHECK(find_records(comparison, batch));
  for (std::size_t next = 0; next < batch.rows.size();) {
    SIEGEL_TRY(end, compare_rows(comparison, batch, next));
    next = end;
  }
  for (auto& one : batch.rows) SIEGEL_CHECK(f(outcome_of(comparison, one)));
  batch.rows.clear();
  return Done{};
}

ImportOutcome Imports::outcome_of(const Comparison& comparison, Row& one) const {
  const auto& type = comparison.plan.type();
  ImportOutcome outcome;
  outcome.row = one.row.number;
  if (one.row.failures.empty() && one.same) {
    outcome.record = one.same->id;
    outcome.version = one.same->version;
    differences(comparison.plan, one.row, *one.same, outcome);
    outcome.kind = outcome.values.empty() ? Kind::unchanged : Kind::changed;
    return outcome;
  }
  // A new record needs each required field, also those without a column.
  if (one.row.failures.empty() && !check_required(type, one.row.values, true))
    one.row.failures.push_back({std::nullopt, "required"});
  if (!one.row.failures.empty()) {
    outcome.by_match = !one.row.failures.front().column && one.row.failures.front().code != "too_many_cells";
    outcome.failures = std::move(one.row.failures);
    return outcome;
  }
  outcome.kind = Kind::added;
  for (auto& value : one.row.named)
    if (!std::holds_alternative<Null>(value.value.expose())) outcome.values.push_back(std::move(value));
  return outcome;
}

Result<ImportPlan> Imports::plan_for(const ImportInMemory& held, const ImportCommit& commit, bool& is_there) {
  const auto registries = s.registries();
  const auto& name = commit.create_type ? commit.create_type->name : held.upload.type;
  const auto* found = name.empty() ? nullptr : registries->type(name);
  is_there = found != nullptr && !commit.create_type;
  if (is_there) return ImportPlan::make(found->definition, true, held.guess, held.wishes, commit.types);
  if (!held.upload.type.empty()) return Error(Errc::not_found, "not_found", "There is no such record type.");
  auto proposed = proposed_type(held.guess, held.wishes, &commit);
  if (found != nullptr) proposed = found->definition;  // made by an earlier try of this commit
  return ImportPlan::make(proposed, false, held.guess, held.wishes, commit.types);
}

}  // namespace siegel::service
