// Undoing: the import's events in the ledger, in their order, each taken back by an event of its own, unless something
// came after it.
#include <algorithm>
#include <limits>

#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "service/import_run.h"
#include "service/values.h"

namespace siegel::service {
namespace {

using State = ImportInMemory::State;

constexpr std::size_t kNamedAtOnce = 1'000;  // by one access event

// A stored value as a command takes it.
RawValue raw_of(FieldType type, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (type == FieldType::boolean) return *text == "true";
    return *text;
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  return Null{};
}

// One record event of the import, as the ledger has it.
struct Imported {
  Seq seq;
  std::optional<RecordId> record;  // none: erased
  std::uint64_t row = 0;
  bool added = false;
  std::vector<FieldNo> fields;  // that it set
};

Result<Imported> imported(Impl& s, const ledger::SystemReceipt& receipt, const Header& header, ByteView stored) {
  Imported out;
  out.seq = header.seq;
  out.added = header.type == EventType::record_added;
  const auto but_the_actors = [](std::uint16_t part, const StoredPart&) { return part > 0; };
  SIEGEL_TRY(bodies, s.open_event(receipt, header, stored, but_the_actors));
  for (const auto& body : bodies) {
    out.record = body.record;
    out.row = body.row;
    for (const auto& value : body.values) out.fields.push_back(value.field);
  }
  return out;
}

// Why a row is kept, by what its command was answered with.
const char* reason_of(const Error& error) {
  switch (error.category()) {
    case Errc::gone:
      return "erased";
    case Errc::not_found:
      return "removed";
    case Errc::invalid:
      return "no_longer_fits";  // the type has lost a choice since, or wants a value
    case Errc::conflict:
    case Errc::denied:
    case Errc::overloaded:
    case Errc::unavailable:
    case Errc::corrupt:
      break;
  }
  return "edited";
}

struct Flight {
  std::size_t in_flight = 0;
  explicit Flight(std::size_t most) : shown_max(most) {}
  const std::size_t shown_max;
  ImportCounts counts;           // added: taken out; changed: restored; unchanged: kept
  std::vector<ImportKept> kept;  // the first ones
  std::optional<Error> fatal;

  void took_back(const Imported& one) { ++(one.added ? counts.added : counts.changed); }
  void keep(const Imported& one, const char* reason) {
    ++counts.unchanged;
    if (kept.size() < shown_max) kept.push_back({one.row, one.record, reason});
  }
};

}  // namespace

struct Imports::UndoRun {
  Imports& imports;
  const JobId& id;
  const Caller& caller;
  const ledger::SystemReceipt& receipt;
  const Registered<TypeDefinition>& type;
  std::shared_ptr<Guarded<Flight>> flight = std::make_shared<Guarded<Flight>>(imports.s.options.imports.shown_max);

  Status scan(Seq from, Seq until) {
    auto& s = imports.s;
    SIEGEL_TRY(cursor, s.ledger.cursor(from, until.get() - from.get()));
    for (;;) {
      Seq seq;
      ByteView header_bytes, parts;
      SIEGEL_TRY(more, cursor->next(seq, header_bytes, parts));
      if (!more || seq >= until) return Done{};
      if (imports.stopping_) return closing();
      SIEGEL_TRY(header, codec::decode_header(header_bytes));
      const bool is_record = header.type == EventType::record_added || header.type == EventType::record_changed;
      if (header.job != id || !is_record) continue;
      SIEGEL_TRY(one, imported(s, receipt, header, parts));
      SIEGEL_CHECK(take_back(one));
    }
  }

  Status keep(const Imported& one, const char* reason) {
    flight->with([&](Flight& f) { f.keep(one, reason); });
    return Done{};
  }

  Status take_back(const Imported& one) {
    if (!one.record) return keep(one, "erased");
    const auto& record = *one.record;
    SIEGEL_TRY(head, imports.s.views.head(record));
    if (!head) return keep(one, "erased");
    if (head->modified != one.seq) return passed_over(one, *head);
    std::vector<NamedValue> values;
    if (!one.added) {
      SIEGEL_TRY(before, values_before(one, record));
      values = std::move(before);
    }
    return write(one, record, std::move(values));
  }

  // Something came after the import: somebody's edit, or an earlier try of this undo.
  Status passed_over(const Imported& one, const views::RecordHead& head) {
    SIEGEL_TRY(stored, imports.s.ledger.read(head.modified));
    SIEGEL_TRY(header, codec::decode_header(stored.header));
    if (header.job != id) return keep(one, head.removed ? "removed" : "edited");
    flight->with([&](Flight& f) { f.took_back(one); });
    return Done{};
  }

  // Of the events before it, where an erasure of another class has settled the row.
  Result<Values> values_of_history(const Imported& one, const RecordId& record) {
    auto& s = imports.s;
    Values out;
    SIEGEL_TRY(refs, s.views.history(record, std::nullopt, std::numeric_limits<std::size_t>::max()));
    for (const auto& ref : refs) {
      if (ref.seq >= one.seq) break;
      SIEGEL_TRY(stored, s.ledger.read(ref.seq));
      SIEGEL_TRY(header, codec::decode_header(stored.header));
      const auto of_record = [&](std::uint16_t part, const StoredPart&) {
        return std::ranges::count(ref.parts, part) > 0;
      };
      SIEGEL_TRY(bodies, s.open_event(receipt, header, stored.parts, of_record));
      for (auto& body : bodies) lay_over(out, std::move(body.values));
    }
    return out;
  }

  // What the import found, as it stood in the row. Nothing came after it, or its event would not be the newest.
  Result<Values> values_of_row(const Imported& one, const RecordId& record) {
    const TypeNo number(type.number);
    SIEGEL_TRY(before, imports.s.views.before_import(number, record, id));
    if (!before) return values_of_history(one, record);
    Values old;
    const auto key = views::record_row_key(number, record);
    for (const auto& section : before->sections) {
      auto opened = imports.s.vault.open_row(receipt, section.slot, "records", key, section.sealed);
      if (!opened && opened.error().category() == Errc::gone) continue;
      if (!opened) return Error(opened.error());
      SIEGEL_TRY(some, codec::decode_values(opened->view()));
      for (auto& value : some) old.push_back(std::move(value));
    }
    return old;
  }

  // Of the fields that the import set, what stood in them.
  Result<std::vector<NamedValue>> values_before(const Imported& one, const RecordId& record) {
    SIEGEL_TRY(old, values_of_row(one, record));
    std::vector<NamedValue> out;
    for (const auto field : one.fields) {
      const auto* definition = type.definition.field(field);
      if (definition == nullptr) continue;  // the type has lost it since; its history keeps it
      const auto at = std::find_if(old.begin(), old.end(), [&](const auto& v) { return v.field == field; });
      const Value value = at == old.end() ? Value(Null{}) : at->value.expose();
      out.push_back({definition->name, Personal<RawValue>(raw_of(definition->type, value))});
    }
    return out;
  }

  Status write(const Imported& one, const RecordId& record, std::vector<NamedValue> values) {
    auto& s = imports.s;
    const auto in_flight_max = s.options.imports.in_flight_max;
    const auto fatal = flight->when([&](const Flight& f) { return f.in_flight < in_flight_max; },
                                    [](Flight& f) {
                                      if (!f.fatal) ++f.in_flight;
                                      return f.fatal;
                                    });
    if (fatal) return Error(*fatal);
    const auto done = [landed = flight, one](const Result<Written>& outcome) {
      landed->with([&](Flight& f) {
        --f.in_flight;
        if (outcome) return f.took_back(one);
        const auto& error = outcome.error();
        if (is_fatal(error)) {
          if (!f.fatal) f.fatal = error;
          return;
        }
        f.keep(one, reason_of(error));
      });
      landed->notify_all();
    };
    const OfImport of{id, static_cast<std::uint32_t>(one.row), one.seq, {}};
    const auto make = [&s, who = caller, of, record, added = one.added,
                       old = std::move(values)](Callback<Written> then) {
      if (added) return make_remove_record(s, who, RemoveRecord{record, of}, {}, std::move(then));
      return make_change_record(s, who, ChangeRecord{record, old, of}, {}, std::move(then));
    };
    submit_patiently(s, make, imports.stopping_, done);
    return Done{};
  }

  // Once all answers are there. The list of what was kept is about people: they are named in an access event before
  // anybody sees it.
  Result<Flight> end(ImportInMemory& held, const Status& scanned) {
    flight->when([](const Flight& f) { return f.in_flight == 0; }, [](const Flight&) {});
    auto ended = flight->with([](const Flight& f) { return f; });
    imports.s.end_job(JobFacts::Kind::import, ended.counts.rows());
    if (!scanned) return Error(scanned.error());
    if (ended.fatal) return Error(*ended.fatal);
    SIEGEL_TRY(plan, ImportPlan::make(type.definition, true, {}, {}, {}));
    for (std::size_t i = 0; i < ended.kept.size(); i += kNamedAtOnce) {
      std::vector<RecordId> records;
      for (std::size_t j = i; j < std::min(ended.kept.size(), i + kNamedAtOnce); ++j) {
        const auto& record = ended.kept[j].record;
        if (record) records.push_back(*record);
      }
      SIEGEL_TRY(named, imports.compare({held, caller, plan, true}, std::move(records), {}));
    }
    return ended;
  }
};

Result<TreeSize> Imports::try_undo(ImportInMemory& held, const Caller& caller, const ClientKey& client,
                                   ImportCounts& counts, std::vector<ImportKept>& kept) {
  SIEGEL_CHECK(catch_up());
  SIEGEL_TRY(row, s.views.import(held.id));
  if (!row || row->state != views::ImportState::finished || !row->ended_seq)
    return Error(Errc::conflict, "state_conflict", "Only a finished import can be undone.");
  const auto registries = s.registries();
  const auto* type = registries->type(row->type);
  if (type == nullptr) return Error(Errc::not_found, "not_found", "There is no such record type.");
  SIEGEL_TRY(receipt, s.begin_job(JobFacts::Kind::import));
  UndoRun run{*this, held.id, caller, receipt, *type};
  const auto scanned = run.scan(row->begun_seq, *row->ended_seq);
  SIEGEL_TRY(ended, run.end(held, scanned));
  SIEGEL_TRY(told, tell(caller, {EventType::import_undone, held.id, type->definition.name, facts_of(ended.counts),
                                 false, client}));
  counts = ended.counts;
  kept = std::move(ended.kept);
  return told.size;
}

void Imports::undo(const Caller& caller, const JobId& id, const ClientKey& client, bool wait,
                   const Callback<ImportAnswer>& done) {
  answer_once(caller, id, client, wait, done, [=, this] { undo_once(caller, id, client, wait, done); });
}

void Imports::undo_once(const Caller& caller, const JobId& id, const ClientKey& client, bool wait,
                        const Callback<ImportAnswer>& done) {
  const auto fail = [done](const Error& error) { done(Error(error)); };
  auto held = find(id);
  std::string type;
  if (!held) {
    const auto row = s.views.import(id);
    if (!row) return done(Error(row.error()));
    const auto& stored = *row;
    if (!stored) {
      if (refused(caller, {}, {}, fail)) return;
      return done(Error(Errc::not_found, "not_found", "There is no such import."));
    }
    const auto known = answer_of(id, *stored);
    const auto was = stored->state;
    held = std::make_shared<ImportInMemory>();
    held->id = id;
    held->token = caller.token;
    held->at = known.at;
    held->progress.with([&](auto& progress) {
      progress.type = known.type;
      progress.counts = known.counts;
      progress.undone = known.undone;
      progress.state = was == views::ImportState::finished ? State::finished
                       : was == views::ImportState::undone ? State::undone
                                                           : State::cancelled;
      progress.expires_at = in_memory_until();
    });
    held = kept_.with([&](Kept& kept) { return kept.imports.emplace(id.get(), held).first->second; });
  }
  type = held->progress.with([](const auto& progress) { return progress.type; });
  if (refused(caller, type, {}, fail)) return;
  const auto mine = [this, caller, one = std::weak_ptr(held), done](Result<ImportAnswer> answer) {
    const auto import = one.lock();
    if (!answer || import == nullptr) return done(std::move(answer));
    done(undo_answer_of(*import, caller));
  };
  enum class Next : std::uint8_t { run, waits, answer, conflict };
  const auto next = held->progress.with([&](ImportInMemory::Progress& progress) {
    if (progress.state == State::undone) return Next::answer;
    if (progress.state != State::finished && progress.state != State::undoing) return Next::conflict;
    const bool first = progress.state == State::finished;
    progress.state = State::undoing;
    if (first) progress.undone_by = caller.token;
    if (wait) progress.waiting.push_back(mine);
    return first ? Next::run : wait ? Next::waits : Next::answer;
  });
  if (next == Next::conflict)
    return done(Error(Errc::conflict, "state_conflict", "Only a finished import can be undone."));
  if (next == Next::answer) {
    auto answer = undo_answer_of(*held, caller);
    answer.replayed = true;
    return done(std::move(answer));
  }
  if (next == Next::waits) return;
  if (!runs_->post([this, held, caller, client] { run_undo(held, caller, client); })) {
    const Error error(Errc::overloaded, "overloaded", "Too many imports wait.");
    forget_run(*held, State::finished, error);
    if (!wait) done(Error(error));
    return;
  }
  if (!wait) done(answer_of(*held));
}

void Imports::run_undo(const ImportPtr& held, const Caller& caller, const ClientKey& client) {
  ImportCounts counts;
  std::vector<ImportKept> kept;
  auto outcome = try_undo(*held, caller, client, counts, kept);
  if (outcome) {
    end(*held, State::undone, [&](auto& progress) {
      progress.undone = counts;
      progress.kept = std::move(kept);
      progress.position = *outcome;
    });
    return;
  }
  // Finished, as before: what was taken back already is found so by the next try.
  std::vector<Callback<ImportAnswer>> waiting;
  held->progress.with([&](auto& progress) { waiting.swap(progress.waiting); });
  end(*held, State::finished, [&](auto& progress) { progress.error = outcome.error(); });
  for (const auto& done : waiting) done(Error(outcome.error()));
}

}  // namespace siegel::service
