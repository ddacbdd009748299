// Committing: a command for each row, some thousands in flight, between import.begun and its end.
#include <algorithm>

#include "service/import_run.h"

namespace siegel::service {
namespace {

using State = ImportInMemory::State;
using Kind = ImportOutcome::Kind;

Error type_exists() {
  return Error(Errc::conflict, "exists", "There is a record type of that name already.")
      .with("pointer", "/create_type");
}
Error none_taken() { return Error(Errc::conflict, "rows_invalid", "Some rows cannot be taken, so none was."); }

// The commands that wait for their answer. Answers come on the writer's thread.
struct Flight {
  std::size_t in_flight = 0;
  ImportCounts counts;
  FailedRows failed_rows;
  std::optional<Error> fatal;
};

}  // namespace

void Imports::commit(const Caller& caller, const JobId& id, ImportCommit commit, bool wait,
                     const Callback<ImportAnswer>& done) {
  const auto client = commit.client;
  answer_once(caller, id, client, wait, done,
              [=, this, how = std::move(commit)] { commit_once(caller, id, how, wait, done); });
}

void Imports::commit_once(const Caller& caller, const JobId& id, const ImportCommit& commit, bool wait,
                          const Callback<ImportAnswer>& done) {
  auto own = find_own(caller, id);
  const auto fail = [done](const Error& error) { done(Error(error)); };
  if (!own) {
    if (refused(caller, {}, {}, fail)) return;
    return done(Error(own.error()));
  }
  const auto held = *own;
  if (held->upload.type.empty() && (!commit.create_type || commit.create_type->name.empty())) {
    return done(
        Error(Errc::invalid, "schema_invalid", "Without a record type the commit makes one: name it in create_type.")
            .with("pointer", "/create_type"));
  }
  if (!held->upload.type.empty() && commit.create_type)
    return done(Error(Errc::invalid, "schema_invalid", "The preview was made for a record type that exists.")
                    .with("pointer", "/create_type"));
  if (refused(caller, held->upload.type, {}, fail)) return;
  if (commit.create_type && refused_new_type(caller, commit.create_type->name, fail)) return;
  enum class Next : std::uint8_t { run, waits, answer, conflict };
  bool replayed = false;
  const auto next = held->progress.with([&](ImportInMemory::Progress& progress) {
    const bool again = progress.commit && progress.commit->client.request == commit.client.request;
    switch (progress.state) {
      case State::previewed:
        progress.state = State::committing;
        held->cancel = false;
        progress.commit = commit;
        progress.error.reset();
        if (wait) progress.waiting.push_back(done);
        return Next::run;
      case State::committing:
        replayed = again;
        if (!again) return Next::conflict;
        if (!wait) return Next::answer;
        progress.waiting.push_back(done);
        return Next::waits;
      case State::finished:
      case State::failed:
        replayed = again;
        return again ? Next::answer : Next::conflict;
      case State::undoing:  // to answer as before would look as if it were in
      case State::undone:
      case State::cancelled:
        return Next::conflict;
    }
    return Next::conflict;
  });
  if (next == Next::waits) return;
  if (next == Next::conflict)
    return done(Error(Errc::conflict, "state_conflict", "The import is committed, or cancelled, already."));
  if (next == Next::run && !runs_->post([this, held, caller] { run_commit(held, caller); })) {
    const Error error(Errc::overloaded, "overloaded", "Too many imports wait to be committed.");
    forget_run(*held, State::previewed, error);
    if (!wait) done(Error(error));
    return;
  }
  if (next == Next::run && wait) return;
  auto answer = answer_of(*held);
  answer.replayed = replayed;
  done(std::move(answer));
}

void Imports::forget_run(ImportInMemory& held, State state, const Error& error) {
  std::vector<Callback<ImportAnswer>> waiting;
  held.progress.with([&](ImportInMemory::Progress& progress) {
    progress.state = state;
    if (state == State::previewed) progress.commit.reset();
    waiting.swap(progress.waiting);
  });
  for (const auto& done : waiting) done(Error(error));
}

void Imports::run_commit(const ImportPtr& held, const Caller& caller) {
  const bool goes = held->progress.with([](ImportInMemory::Progress& progress) {
    progress.runs = progress.state == State::committing;  // else it was cancelled while it waited
    return progress.runs;
  });
  if (!goes) return;
  auto outcome = stopping_ ? Result<TreeSize>(closing()) : try_commit(held, caller);
  if (outcome) return;  // ended there
  const auto& error = outcome.error();
  // Nothing was begun: the preview is as it was, for another try, unless it is to go.
  std::vector<Callback<ImportAnswer>> waiting;
  const bool back = held->progress.with([&](ImportInMemory::Progress& progress) {
    progress.runs = false;
    if (progress.state != State::committing || progress.cancelled_by) return false;
    progress.state = State::previewed;
    progress.error = error;
    progress.types_tried = std::move(progress.commit->types);
    progress.commit.reset();
    waiting.swap(progress.waiting);
    return true;
  });
  if (back)
    for (const auto& done : waiting) done(Error(error));
  else
    drop_unbegun(held);
}

// A commit that nothing was written of, and that is cancelled.
void Imports::drop_unbegun(const ImportPtr& held) {
  std::vector<Callback<ImportAnswer>> waiting;
  held->progress.with([&](ImportInMemory::Progress& progress) { waiting.swap(progress.waiting); });
  end(*held, State::cancelled, [](ImportInMemory::Progress& progress) { progress.counts = {}; });
  for (const auto& done : waiting) done(Error(was_cancelled()));
}

// All rows or no row: what cells and preview tell is told before anything is written.
Status Imports::check_all(ImportInMemory& held, const ImportPlan& plan) {
  SIEGEL_TRY(reader, open(held));
  std::uint64_t failed = 0;
  for (;;) {
    SIEGEL_TRY(row, reader->next());
    if (!row) break;
    if (row->number <= held.guess.header_row) continue;
    const auto read = plan.read(*row);
    if (!read.failures.empty() || is_erased(held, plan, read)) ++failed;
  }
  failed += held.progress.with([](const auto& progress) { return progress.failed_rows.size(); });
  if (failed == 0) return Done{};
  return none_taken();
}

Status Imports::create_type(const Caller& caller, const TypeDefinition& type) {
  WriteOptions options;
  options.create_only = true;
  const auto written = wait_for<Written>(
      [&](auto done) { s.submit(make_set(s, caller, SetType{type}, std::move(options), std::move(done))); });
  if (written) return Done{};
  if (written.error().is("version_conflict")) return type_exists();
  return Error(written.error());
}

// The type that the commit makes: checked before anything is written. True: it makes none, or an earlier try of this
// import has made it already. Whoever else made one that is equal to the letter, its records are others.
Result<bool> Imports::check_type(ImportInMemory& held, const ImportCommit& commit) {
  if (!commit.create_type) return true;
  const auto& name = commit.create_type->name;
  const auto registries = s.registries();
  SIEGEL_TRY(checked, siegel::check(proposed_type(held.guess, held.wishes, &commit), *registries));
  const auto* found = registries->type(name);
  if (found == nullptr) return false;
  number_fields(checked, nullptr);
  const bool own = held.progress.with([&](const auto& p) { return p.type_made == name; });
  if (!own || !(found->definition == checked)) return type_exists();
  return true;
}

struct Imports::CommitRun {
  Imports& imports;
  const ImportPtr& held;
  const Caller& caller;
  std::string type;
  decide::Permit permit;
  bool all_or_none;
  std::shared_ptr<Guarded<Flight>> flight = std::make_shared<Guarded<Flight>>();

  // A row goes out, or is counted where there is nothing to write. An error ends the reading.
  Status take(ImportOutcome&& outcome) {
    if (held->cancel || imports.stopping_) return was_cancelled();
    SIEGEL_CHECK(imports.s.room_for_more());
    if (outcome.kind == Kind::unchanged || outcome.kind == Kind::failed) return count(outcome);
    const auto in_flight_max = imports.s.options.imports.in_flight_max;
    const auto stopped = flight->when([&](const Flight& f) { return f.in_flight < in_flight_max; },
                                      [&](Flight& f) -> std::optional<Error> {
                                        if (f.fatal) return f.fatal;
                                        if (all_or_none && f.counts.failed > 0) return none_taken();
                                        ++f.in_flight;
                                        return std::nullopt;
                                      });
    if (stopped) return Error(*stopped);
    write(std::move(outcome));
    return Done{};
  }

  Status count(const ImportOutcome& outcome) {
    const bool failed = outcome.kind == Kind::failed;
    flight->with([&](Flight& f) {
      ++(failed ? f.counts.failed : f.counts.unchanged);
      if (outcome.by_match) f.failed_rows.add(outcome.row, outcome.failures.front().code);
    });
    ++held->done;
    if (failed && all_or_none) return none_taken();
    return Done{};
  }

  void write(ImportOutcome&& outcome) {
    auto& s = imports.s;
    const OfImport of{held->id, static_cast<std::uint32_t>(outcome.row), {}, held->watch};
    const bool added = outcome.kind == Kind::added;
    const auto done = [landed = flight, one = held, number = outcome.row, added](const Result<Written>& written) {
      landed->with([&](Flight& f) {
        --f.in_flight;
        if (written) {
          ++(added ? f.counts.added : f.counts.changed);
          return;
        }
        const auto& error = written.error();
        ++f.counts.failed;
        if (is_fatal(error) && !f.fatal) f.fatal = error;
        f.failed_rows.add(number, error.is("version_conflict") ? "changed_meanwhile" : error.code());
      });
      ++one->done;
      landed->notify_all();
    };
    const auto row = std::make_shared<const ImportOutcome>(std::move(outcome));
    const auto make = [&s, who = caller, of, row, added, name = type](Callback<Written> then) {
      if (added) return make_add_record(s, who, AddRecord{name, row->values, {}, {}, of}, {}, std::move(then));
      WriteOptions options;
      options.expected_version = row->version.get();
      return make_change_record(s, who, ChangeRecord{*row->record, row->values, of}, std::move(options),
                                std::move(then));
    };
    submit_patiently(s, make, imports.stopping_, done);
  }

  [[nodiscard]] ImportEvent event(EventType what, const ImportFacts& facts) const {
    ImportEvent out{what, held->id, type, facts};
    out.purpose = permit.purpose;
    out.ground = permit.ground;
    return out;
  }

  // All answers are there: finished, or cancelled with all that was written.
  Result<TreeSize> end(const Status& read) {
    flight->when([](const Flight& f) { return f.in_flight == 0; }, [](const Flight&) {});
    auto ended = flight->with([](const Flight& f) { return f; });
    const bool wanted = held->cancel || imports.stopping_;
    std::optional<Error> why;
    if (!read) why = read.error();
    if (ended.fatal) why = ended.fatal;
    if (!why && all_or_none && ended.counts.failed > 0) why = none_taken();
    if (!why && !wanted) {
      const auto told = imports.tell(caller, event(EventType::import_finished, facts_of(ended.counts)));
      if (told) {
        held->cancel = false;  // too late: the file is read again for its rejects
        imports.end(*held, State::finished, [&](ImportInMemory::Progress& progress) {
          progress.counts = ended.counts;
          progress.failed_rows = std::move(ended.failed_rows);
          progress.position = told->size;
        });
        return told->size;
      }
      why = told.error();
    }
    // Where it cannot be written now, it is told later, or at the next start. Who cancelled it says so.
    auto cancelled = event(EventType::import_cancelled, {});
    const auto by = held->progress.with([](const auto& progress) { return progress.cancelled_by; });
    cancelled.by_system = !by && imports.stopping_;
    const auto told = imports.tell(by.value_or(caller), std::move(cancelled));
    if (!told) imports.end_untold_ = true;
    const auto size = told ? told->size : TreeSize();
    std::vector<Callback<ImportAnswer>> waiting;
    held->progress.with([&](ImportInMemory::Progress& progress) { waiting.swap(progress.waiting); });
    imports.end(*held, wanted ? State::cancelled : State::failed, [&](ImportInMemory::Progress& progress) {
      progress.error = why;
      progress.counts = {0, 0, 0, ended.counts.failed};
      progress.failed_rows = std::move(ended.failed_rows);
      progress.position = size;
    });
    const auto told_to_all = wanted || !why ? was_cancelled() : *why;
    for (const auto& done : waiting) done(Error(told_to_all));
    return size;
  }
};

Result<TreeSize> Imports::try_commit(const ImportPtr& held, const Caller& caller) {
  const auto commit = held->progress.with([](const auto& progress) { return *progress.commit; });
  const bool all_or_none = commit.bad_rows == ImportCommit::BadRows::none;
  SIEGEL_CHECK(catch_up());
  SIEGEL_TRY(type_made, check_type(*held, commit));
  bool is_there = false;
  SIEGEL_TRY(plan, plan_for(*held, commit, is_there));
  SIEGEL_CHECK(check_match({*held, caller, plan, true}));
  if (all_or_none) SIEGEL_CHECK(check_all(*held, plan));
  const auto type = plan.type().name;
  if (!type_made) {
    SIEGEL_CHECK(create_type(caller, plan.type()));
    held->progress.with([&](ImportInMemory::Progress& progress) { progress.type_made = type; });
  }
  const auto rows = static_cast<std::uint32_t>(held->guess.rows_read);
  SIEGEL_TRY(begun, tell(caller, {EventType::import_begun, held->id, type, {rows, 0, 0, 0, 0}, false, commit.client}));
  if (begun.replayed) return Error(Errc::conflict, "state_conflict", "The import was begun before.");
  held->progress.with([&](ImportInMemory::Progress& progress) { progress.type = type; });
  const auto registries = s.registries();
  const decide::Use use{decide::Action::import_records, caller.token, caller.purpose, type, {}};
  const auto permit = decide::authorise(*registries, use, s.clock.now());
  CommitRun run{*this, held, caller, type, permit ? *permit : decide::Permit{}, all_or_none};
  const auto read =
      each_row({*held, caller, plan, true}, [&](ImportOutcome&& outcome) { return run.take(std::move(outcome)); });
  return run.end(read);
}

// ── cancel ──

void Imports::cancel(const Caller& caller, const JobId& id, const ClientKey& client,
                     const Callback<ImportAnswer>& done) {
  if (client.key.empty()) return cancel_once(caller, id, done);
  const auto key = s.pin({as_bytes("cancel key"), caller.token.get(), as_bytes(client.key)});
  const auto before = kept_.with([&](Kept& kept) -> std::optional<Id16> {
    const auto it = std::find_if(kept.cancelled.begin(), kept.cancelled.end(),
                                 [&](const auto& entry) { return equal(entry.first, key); });
    return it == kept.cancelled.end() ? std::nullopt : std::optional(it->second);
  });
  if (before && *before != id.get()) return done(idempotency_conflict());
  if (before) {
    ImportAnswer again;
    again.id = id;
    again.state = name_of(State::cancelled);
    again.position = s.views.position();
    again.replayed = true;
    return done(std::move(again));
  }
  cancel_once(caller, id, [this, id, key, done](Result<ImportAnswer> answer) {
    if (answer)
      kept_.with([&](Kept& kept) {
        if (kept.cancelled.size() == kExpiredKept) kept.cancelled.pop_front();
        kept.cancelled.emplace_back(key, id.get());
      });
    done(std::move(answer));
  });
}

// A preview is for the token that sent the file; what is under way is everybody's who carries its type.
void Imports::cancel_once(const Caller& caller, const JobId& id, const Callback<ImportAnswer>& done) {
  const auto action = decide::Action::cancel_import;
  const auto not_there = [] { return Error(Errc::not_found, "not_found", "There is no such import."); };
  const auto too_late = [] {
    return Error(Errc::conflict, "state_conflict", "Only a preview or an import under way can be cancelled.");
  };
  const auto held = find(id);
  if (!held) {
    const auto row = s.views.import(id);
    if (!row) return done(Error(row.error()));
    const auto& stored = *row;
    const auto type = stored ? answer_of(id, *stored).type : std::string();
    if (auto may = s.may(caller, action, type); !may) return done(Error(may.error()));
    return done(stored ? too_late() : not_there());
  }
  const auto [previewed, type] =
      held->progress.with([](const auto& p) { return std::pair(p.state == State::previewed, type_of(p)); });
  if (auto may = s.may(caller, action, previewed ? std::string() : type); !may) return done(Error(may.error()));
  if (previewed && held->token != caller.token) return done(not_there());
  enum class Next : std::uint8_t { drop, drop_queued, waits, over };
  const auto next = held->progress.with([&](ImportInMemory::Progress& progress) {
    if (progress.state == State::previewed) {
      progress.state = State::cancelled;
      return Next::drop;
    }
    if (progress.state != State::committing) return Next::over;
    if (!progress.cancelled_by) progress.cancelled_by = caller;
    if (!progress.runs) {
      progress.state = State::cancelled;
      return Next::drop_queued;
    }
    progress.cancelling.push_back(done);
    held->cancel = true;
    return Next::waits;
  });
  if (next == Next::over) return done(too_late());
  if (next == Next::waits) return;
  if (next == Next::drop) kept_.with([&](Kept& kept) { kept.imports.erase(id.get()); });
  if (next == Next::drop_queued) drop_unbegun(held);
  done(answer_of(*held));
}

// Whoever cancels waits for the end of the run, not for what waits behind it.
void Imports::answer_cancels(ImportInMemory& held) {
  std::vector<Callback<ImportAnswer>> cancelling;
  const auto state = held.progress.with([&](ImportInMemory::Progress& progress) {
    cancelling.swap(progress.cancelling);
    return progress.state;
  });
  for (const auto& done : cancelling) {
    if (state == State::cancelled)
      done(answer_of(held));
    else
      done(Error(Errc::conflict, "state_conflict", "The import had ended before it could be cancelled."));
  }
}

// What a process left unfinished: its file is gone. One event takes back all that it wrote.
Status Imports::cancel_broken_off() {
  SIEGEL_TRY(unfinished, s.views.unfinished_imports());
  for (const auto& id : unfinished) {
    SIEGEL_TRY(row, s.views.import(id));
    const auto registries = s.registries();
    const auto* type = row ? registries->type(row->type) : nullptr;
    ImportEvent event{EventType::import_cancelled, id, type == nullptr ? "" : type->definition.name, {}, true};
    event.purpose = row ? row->purpose : PurposeNo();
    for (const auto& [name, purpose] : registries->purposes)
      if (PurposeNo(purpose.number) == event.purpose) event.ground = purpose.definition.legal_ground;
    SIEGEL_TRY(told, tell(Caller{}, std::move(event)));
  }
  if (unfinished.empty()) return Done{};
  return catch_up();
}

// What ended while nothing could be written. Behind other runs, so that all that the ledger has as unfinished is over.
void Imports::tell_ends() {
  if (stopping_ || !end_untold_.exchange(false)) return;
  const bool posted = runs_->post([this] {
    auto told = catch_up();
    if (told) told = cancel_broken_off();
    if (!told) end_untold_ = true;
  });
  if (!posted) end_untold_ = true;
}

}  // namespace siegel::service
