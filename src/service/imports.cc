#include <algorithm>

#include "base/secret.h"
#include "service/import_run.h"

namespace siegel::service {
namespace {

constexpr std::size_t kMetBytes = 80;  // a node of Progress::met

using State = ImportInMemory::State;

Error not_there() { return Error(Errc::not_found, "not_found", "There is no such import."); }
Error expired() { return Error(Errc::gone, "expired", "The preview has expired; nothing of it was kept."); }
Error full(const char* name, std::size_t value) {
  return Error(Errc::overloaded, "overloaded", "Too many previews are held in memory at the moment.")
      .with("limit_name", name)
      .with("limit_value", value);
}

// As the file had it: in quotes where a reader would take it for more than one cell.
void append_cell(std::string& out, std::string_view cell, char delimiter) {
  const bool plain = cell.find_first_of("\"\r\n") == cell.npos && cell.find(delimiter) == cell.npos;
  if (plain) {
    out.append(cell);
    return;
  }
  out.push_back('"');
  for (const char c : cell) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

Error idempotency_conflict() {
  return Error(Errc::conflict, "idempotency_conflict", "The idempotency key was used for another request.");
}

// ── lanes and bytes ──

bool Lane::post(std::function<void()> work) {
  const bool posted = state_.with([&](State& state) {
    if (state.stop || state.work.size() >= kWaitingMax) return false;
    state.work.push_back(std::move(work));
    return true;
  });
  state_.notify_all();
  return posted;
}

void Lane::stop() {
  state_.with([](State& state) { state.stop = true; });
  state_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Lane::run() {
  for (;;) {
    auto work = state_.when([](const State& state) { return state.stop || !state.work.empty(); },
                            [](State& state) -> std::function<void()> {
                              if (state.work.empty()) return nullptr;
                              auto next = std::move(state.work.front());
                              state.work.pop_front();
                              return next;
                            });
    if (!work) return;
    work();
  }
}

void FailedRows::add(std::uint64_t row, std::string_view code) {
  auto at = std::find(codes_.begin(), codes_.end(), code);
  if (at == codes_.end()) at = codes_.insert(at, std::string(code));
  rows_.emplace_back(static_cast<std::uint32_t>(row), static_cast<std::uint8_t>(at - codes_.begin()));
}

void FailedRows::sort() { std::sort(rows_.begin(), rows_.end()); }

const std::string* FailedRows::find(std::uint64_t row) const {
  const std::pair wanted(static_cast<std::uint32_t>(row), std::uint8_t{0});
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), wanted);
  return at == rows_.end() || at->first != wanted.first ? nullptr : &codes_[at->second];
}

UploadBytes::~UploadBytes() { wipe(bytes_.data(), bytes_.size()); }
ImportInMemory::~ImportInMemory() {
  progress.with([](Progress& p) { wipe_samples(p.samples); });
}

std::string_view name_of(State state) noexcept {
  switch (state) {
    case State::previewed:
      return "previewed";
    case State::committing:
      return "committing";
    case State::finished:
      return "finished";
    case State::cancelled:
      return "cancelled";
    case State::failed:
      return "failed";
    case State::undoing:
      return "undoing";
    case State::undone:
      return "undone";
  }
  return {};
}

Status Imports::start() {
  SIEGEL_CHECK(cancel_broken_off());
  files_ = std::make_unique<Lane>();
  runs_ = std::make_unique<Lane>();
  return Done{};
}

void Imports::stop() {
  stopping_ = true;
  if (runs_) runs_->stop();
  if (files_) files_->stop();
}

// ── what is kept in memory ──

std::optional<Error> Imports::reserve(const ImportLimits& limits, const TokenId& token, std::size_t bytes,
                                      Reserved::OfToken own, Reserved::OfToken held, Reserved& reserved) {
  auto& coming = reserved.tokens[token];
  const auto own_max = std::max(limits.upload_bytes_max, limits.preview_bytes_max / 2);
  std::optional<Error> out;
  if (own.files + coming.files >= limits.previews_per_token_max)
    out = full("previews_per_token_max", limits.previews_per_token_max);
  else if (held.files + reserved.files >= limits.previews_max)
    out = full("previews_max", limits.previews_max);
  else if (held.bytes + reserved.bytes + bytes > limits.preview_bytes_max)
    out = full("preview_bytes_max", limits.preview_bytes_max);
  else if (coming.bytes + bytes > own_max)
    out = full("preview_bytes_per_token_max", own_max);
  if (out) {
    if (coming.files == 0) reserved.tokens.erase(token);
    return out;
  }
  ++coming.files;
  coming.bytes += bytes;
  ++reserved.files;
  reserved.bytes += bytes;
  return out;
}

std::vector<std::shared_ptr<const UploadBytes>> Imports::make_way(Kept& kept, std::size_t& held, std::size_t most) {
  std::vector<std::shared_ptr<const UploadBytes>> out;  // wiped without the lock
  for (auto& [id, one] : kept.imports) {                // ids ascend with time
    if (held <= most) break;
    one->progress.with([&](ImportInMemory::Progress& p) {
      const bool needed = p.state == State::previewed || p.state == State::committing;
      if (needed || p.bytes == nullptr) return;
      held -= p.bytes->view().size();
      out.push_back(std::exchange(p.bytes, nullptr));
    });
  }
  return out;
}

Result<std::shared_ptr<const void>> Imports::admit(const Caller& caller, std::size_t bytes) {
  const auto& limits = s.options.imports;
  SIEGEL_CHECK(s.may(caller, decide::Action::import_records));
  if (bytes > limits.upload_bytes_max)
    return Error(Errc::invalid, "too_large", "The file is too large.")
        .with("limit_name", "upload_bytes_max")
        .with("limit_value", limits.upload_bytes_max);
  sweep();
  std::vector<std::shared_ptr<const UploadBytes>> gave_way;
  auto error = kept_.with([&](Kept& kept) -> std::optional<Error> {
    Reserved::OfToken own, all;
    for (const auto& [id, held] : kept.imports) {
      const bool open = held->progress.with([&](const auto& p) {
        all.bytes += p.failed_rows.bytes() + p.met.size() * kMetBytes + (p.bytes ? p.bytes->view().size() : 0);
        return p.state == State::previewed;
      });
      all.files += open ? 1 : 0;
      own.files += open && held->token == caller.token ? 1 : 0;
    }
    return reserved_->with([&](Reserved& reserved) {
      const auto taken = std::min(limits.preview_bytes_max, reserved.bytes + bytes);
      gave_way = make_way(kept, all.bytes, limits.preview_bytes_max - taken);
      return reserve(limits, caller.token, bytes, own, all, reserved);
    });
  });
  if (error) return std::move(*error);
  const auto give_back = [all = reserved_, token = caller.token, bytes](const void*) {
    all->with([&](Reserved& reserved) {
      auto& own = reserved.tokens[token];
      own.bytes -= bytes;
      reserved.bytes -= bytes;
      --reserved.files;
      if (--own.files == 0) reserved.tokens.erase(token);
    });
  };
  return std::shared_ptr<const void>(this, give_back);
}

void Imports::sweep() {
  const auto now = s.clock.now();
  std::vector<ImportPtr> gone;  // wiped without the lock
  kept_.with([&](Kept& kept) {
    for (auto it = kept.imports.begin(); it != kept.imports.end();) {
      const bool over = it->second->progress.with([&](const auto& p) {
        return p.state != State::committing && p.state != State::undoing && p.expires_at <= now;
      });
      if (!over) {
        ++it;
        continue;
      }
      if (kept.expired.size() == kExpiredKept) kept.expired.pop_front();
      kept.expired.push_back(it->first);
      gone.push_back(std::move(it->second));
      it = kept.imports.erase(it);
    }
  });
}

ImportPtr Imports::find(const JobId& id) {
  sweep();
  return kept_.with([&](Kept& kept) -> ImportPtr {
    const auto it = kept.imports.find(id.get());
    return it == kept.imports.end() ? nullptr : it->second;
  });
}

// A preview is for the token that sent the file: it holds what stands in it.
Result<ImportPtr> Imports::find_own(const Caller& caller, const JobId& id) {
  auto held = find(id);
  if (held && held->token == caller.token && held->with_file) return held;
  if (held && held->with_file) return not_there();
  const bool was_here = kept_.with(
      [&](Kept& kept) { return std::find(kept.expired.begin(), kept.expired.end(), id.get()) != kept.expired.end(); });
  if (was_here) return expired();
  SIEGEL_TRY(row, s.views.import(id));
  if (row) return expired();
  return not_there();
}

bool Imports::refused(const Caller& caller, const std::string& type, const std::vector<std::string>& fields,
                      const std::function<void(Error)>& then) {
  const decide::Use use{
      decide::Action::import_records, caller.token, caller.purpose, type, {fields.begin(), fields.end()}};
  return refused_use(caller, use, EventType::import_begun, then);
}

// Whoever makes a type has to carry it: told before the commit is answered, not when it runs.
bool Imports::refused_new_type(const Caller& caller, const std::string& name, const std::function<void(Error)>& then) {
  const decide::Use use{decide::Action::write_types, caller.token, caller.purpose, name, {}, true};
  return refused_use(caller, use, EventType::registry_type_set, then);
}

bool Imports::refused_use(const Caller& caller, const decide::Use& use, EventType requested,
                          const std::function<void(Error)>& then) {
  const auto registries = s.registries();
  const auto granted = decide::authorise(*registries, use, s.clock.now());
  if (granted) return false;
  const Error& error = granted.error();
  if (error.category() == Errc::denied && !error.is("token_wrong"))
    s.refuse(caller, error, requested, then);
  else
    then(error);
  return true;
}

// ── preview ──

sheet::TableOptions Imports::table_options(const ImportUpload& upload) const {
  sheet::TableOptions out;
  for (const auto format :
       {sheet::Format::tsv, sheet::Format::csv, sheet::Format::xlsx, sheet::Format::ods, sheet::Format::ndjson})
    if (sheet::name_of(format) == upload.format) out.format = format;
  if (!upload.sheet.empty()) out.sheet = upload.sheet;
  if (upload.delimiter.size() == 1) out.delimiter = upload.delimiter.front();
  if (!upload.encoding.empty()) out.encoding = upload.encoding;
  const auto& limits = s.options.imports;
  out.limits = {limits.cell_bytes_max, limits.columns_max, limits.rows_max, limits.unpacked_bytes_max};
  return out;
}

namespace {

// Keeps the bytes for as long as they are read, and ends early where nobody waits for the end.
class FileReader final : public sheet::TableReader {
 public:
  FileReader(std::shared_ptr<const UploadBytes> bytes, std::unique_ptr<sheet::TableReader> reader,
             const std::atomic<bool>& stopping, const std::atomic<bool>& cancelled)
      : bytes_(std::move(bytes)), reader_(std::move(reader)), stopping_(stopping), cancelled_(cancelled) {}
  [[nodiscard]] const sheet::TableInfo& info() const noexcept override { return reader_->info(); }
  Result<std::optional<sheet::Row>> next() override {
    if (stopping_) return closing();
    if (cancelled_) return was_cancelled();
    return reader_->next();
  }

 private:
  std::shared_ptr<const UploadBytes> bytes_;
  std::unique_ptr<sheet::TableReader> reader_;
  const std::atomic<bool>& stopping_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace

Result<std::unique_ptr<sheet::TableReader>> Imports::open(ImportInMemory& held) const {
  auto bytes = held.progress.with([](const auto& progress) { return progress.bytes; });
  if (bytes == nullptr) return expired();
  SIEGEL_TRY(reader, sheet::open_table(bytes->view(), table_options(held.upload)));
  return std::unique_ptr<sheet::TableReader>(
      std::make_unique<FileReader>(std::move(bytes), std::move(reader), stopping_, held.cancel));
}

void Imports::preview(const Caller& caller, ImportUpload upload, const Callback<ImportAnswer>& done) {
  if (refused(caller, upload.type, {}, [done](const Error& error) { done(Error(error)); })) return;
  if (upload.room == nullptr) {
    auto room = admit(caller, upload.bytes.expose().size());
    if (!room) return done(Error(room.error()));
    upload.room = std::move(*room);
  }
  auto shared = std::make_shared<ImportUpload>(std::move(upload));
  const bool posted = files_->post([this, caller, shared, done, watch = s.erased_identities.watch()] {
    done(make_preview(caller, std::move(*shared), watch));
  });
  if (!posted) done(Error(Errc::overloaded, "overloaded", "Too many files wait to be read."));
}

// Files are read one after the other, so the second request with one key finds what the first one has made.
Result<ImportAnswer> Imports::make_preview(const Caller& caller, ImportUpload upload, Watch watch) {
  if (stopping_) return closing();
  std::optional<Hash> key, request;
  if (const auto& client = upload.client; !client.key.empty()) {
    key = s.pin({as_bytes("upload key"), caller.token.get(), as_bytes(client.key)});
    request = s.pin({as_bytes("upload"), as_bytes(client.request), as_bytes(upload.bytes.expose())});
    if (const auto before = find_upload(caller, *key)) {
      const auto& sent = before->request;
      if (!sent || !equal(*sent, *request)) return idempotency_conflict();
      SIEGEL_TRY(again, look(caller, before));
      again.replayed = true;
      return again;
    }
  }
  SIEGEL_TRY(held, read_file(caller, std::move(upload), std::move(watch)));
  held->key = key;
  held->request = request;
  SIEGEL_TRY(answer, look(caller, held));
  kept_.with([&](Kept& kept) { kept.imports.emplace(held->id.get(), held); });
  held->upload.room.reset();  // it counts among the kept ones now
  return answer;
}

ImportPtr Imports::find_upload(const Caller& caller, const Hash& key) {
  sweep();
  return kept_.with([&](Kept& kept) -> ImportPtr {
    for (const auto& [id, held] : kept.imports)
      if (held->token == caller.token && held->key && equal(*held->key, key)) return held;
    return nullptr;
  });
}

Result<ImportPtr> Imports::read_file(const Caller& caller, ImportUpload upload, Watch watch) {
  auto held = std::make_shared<ImportInMemory>();
  held->at = s.clock.now();
  held->id = JobId(new_id(held->at, s.random));
  held->token = caller.token;
  held->watch = std::move(watch);
  held->with_file = true;
  auto bytes = std::make_shared<const UploadBytes>(std::move(upload.bytes).expose());
  held->progress.with([&](auto& progress) { progress.bytes = std::move(bytes); });
  upload.bytes = {};
  held->upload = std::move(upload);
  SIEGEL_TRY(reader, open(*held));
  sheet::GuessOptions options;
  options.country = s.options.country;
  SIEGEL_TRY(guess, sheet::guess_table(*reader, options, sheet::Pass::sample));
  held->info = reader->info();
  held->guess = std::move(guess);
  auto samples = take_samples(held->guess);
  held->progress.with([&](auto& progress) {
    progress.type = held->upload.type;
    progress.samples = std::move(samples);
    progress.expires_at = in_memory_until();
  });
  SIEGEL_TRY(wishes, column_wishes(held->upload.columns, held->guess));
  held->wishes = std::move(wishes);
  return held;
}

TimeMs Imports::in_memory_until() const {
  return TimeMs(s.clock.now().get() + static_cast<std::uint64_t>(s.options.imports.preview_time.count()));
}

// What a preview says of the rows of its file.
struct Imports::Findings {
  ImportPreview& preview;
  const ImportInMemory& held;
  const std::size_t shown_max;
  ImportCounts counts;
  FailedRows failed_rows;
  bool erased = false;  // somebody

  Status note(ImportOutcome&& outcome) {
    switch (outcome.kind) {
      case ImportOutcome::Kind::added:
        ++counts.added;
        break;
      case ImportOutcome::Kind::changed:
        ++counts.changed;
        for (auto& change : outcome.changes)
          if (preview.changes.size() < shown_max) preview.changes.push_back(std::move(change));
        break;
      case ImportOutcome::Kind::unchanged:
        ++counts.unchanged;
        break;
      case ImportOutcome::Kind::failed:
        ++counts.failed;
        if (outcome.by_match) failed_rows.add(outcome.row, outcome.failures.front().code);
        for (const auto& failure : outcome.failures) {
          erased = erased || failure.code == kErased;
          if (preview.failures.size() == shown_max) break;
          const auto title = failure.column ? held.guess.proposal.columns[*failure.column].title.title : "";
          preview.failures.push_back({outcome.row, Personal<std::string>(title), failure.code});
        }
        break;
    }
    return Done{};
  }
};

Result<ImportAnswer> Imports::look(const Caller& caller, const ImportPtr& held) {
  const auto committed = [] {
    return Error(Errc::conflict, "state_conflict", "The import is committed, or cancelled, already.");
  };
  if (!held->progress.with([](const auto& p) { return p.state == State::previewed; })) return committed();
  bool is_there = false;
  const auto registries = s.registries();
  TypeDefinition type;
  if (!held->upload.type.empty()) {
    const auto* found = registries->type(held->upload.type);
    if (found == nullptr) return Error(Errc::not_found, "not_found", "There is no such record type.");
    type = found->definition;
    is_there = true;
  } else {
    type = proposed_type(held->guess, held->wishes, nullptr);
  }
  SIEGEL_TRY(plan, ImportPlan::make(type, is_there, held->guess, held->wishes, {}));
  SIEGEL_CHECK(catch_up());
  ImportPreview preview;
  Findings findings{preview, *held, s.options.imports.shown_max, {}, {}, false};
  std::vector<std::uint64_t> cells(held->guess.proposal.columns.size());
  SIEGEL_CHECK(each_row({*held, caller, plan, is_there, true, &cells},
                        [&](ImportOutcome&& outcome) { return findings.note(std::move(outcome)); }));
  const bool still = held->progress.with([&](ImportInMemory::Progress& progress) {
    if (progress.state != State::previewed) return false;
    progress.counts = findings.counts;
    progress.failed_rows = std::move(findings.failed_rows);
    if (findings.erased) wipe_samples(progress.samples);  // some may be of her
    preview.expires_at = progress.expires_at;
    return true;
  });
  if (!still) return committed();
  preview.sheet = held->info.sheet;
  for (const auto& one : held->info.sheets) preview.sheets.push_back(one.name);
  preview.encoding = held->info.encoding;
  if (held->info.delimiter != '\0') preview.delimiter = std::string(1, held->info.delimiter);
  preview.header_row = held->guess.header_row;
  add_columns(*held, plan, is_there, cells, preview);
  auto out = answer_of(*held);
  out.registries = registries;
  out.preview = std::move(preview);
  return out;
}

void Imports::add_columns(ImportInMemory& held, const ImportPlan& plan, bool is_there,
                          const std::vector<std::uint64_t>& cells, ImportPreview& preview) const {
  const auto& proposal = held.guess.proposal;
  auto samples = held.progress.with([](const auto& progress) { return progress.samples; });
  samples.resize(proposal.columns.size());  // none are left once it has ended, or somebody in it is erased
  for (std::size_t i = 0; i < proposal.columns.size(); ++i) {
    const auto& from = proposal.columns[i];
    ImportColumn column;
    column.title = Personal<std::string>(from.title.title);
    column.field = plan.field_of(i);
    const auto* field = column.field.empty() ? nullptr : plan.type().field(column.field);
    column.type = field != nullptr ? std::string(name_of(field->type)) : std::string(sheet::name_of(from.type));
    column.reason = is_there && field != nullptr ? "record_type" : from.reason;
    column.personal = field != nullptr && is_there ? field->personal : from.personal;
    column.searchable = field != nullptr && is_there ? field->searchable : from.searchable;
    column.cells = cells[i];
    column.exceptions = from.exceptions;
    column.examples = Personal<std::vector<std::string>>(std::move(samples[i].examples));
    column.exception_examples = Personal<std::vector<std::string>>(std::move(samples[i].exceptions));
    preview.columns.push_back(std::move(column));
  }
  for (const auto& identity : proposal.identity)
    if (!plan.field_of(identity.column).empty()) preview.identity.push_back(plan.field_of(identity.column));
}

// ── clients' keys ──

void Imports::answer_once(const Caller& caller, const JobId& id, const ClientKey& client, bool wait,
                          const Callback<ImportAnswer>& done, const std::function<void()>& otherwise) {
  if (client.key.empty()) return otherwise();
  s.executor.post([=, this] {
    WriteOptions options;
    options.idempotency_key = client.key;
    options.request = client.request;
    const auto found = s.claim(caller, options);
    if (!found) return done(Error(found.error()));
    if (std::holds_alternative<Written>(*found))
      answer_again(caller, id, wait, done);
    else
      otherwise();
  });
}

void Imports::answer_again(const Caller& caller, const JobId& id, bool wait, const Callback<ImportAnswer>& done) {
  const auto replay = [done](Result<ImportAnswer> answer) {
    if (answer) answer->replayed = true;
    done(std::move(answer));
  };
  const auto held = find(id);
  if (!held) {
    const auto row = s.views.import(id);
    if (!row) return done(Error(row.error()));
    const auto& stored = *row;
    if (!stored) return done(not_there());
    return replay(answer_of(id, *stored));
  }
  std::optional<Error> failed;
  const bool waits = held->progress.with([&](ImportInMemory::Progress& progress) {
    const bool goes_on = progress.state == State::committing || progress.state == State::undoing;
    if (wait && goes_on) progress.waiting.emplace_back(replay);
    if (wait && progress.state == State::failed) failed = progress.error;
    return wait && goes_on;
  });
  if (failed) return done(std::move(*failed));
  if (!waits) replay(undo_answer_of(*held, caller));
}

// ── answers ──

// Of a commit that makes its type it is known before it has begun.
std::string Imports::type_of(const ImportInMemory::Progress& progress) {
  if (progress.type.empty() && progress.commit && progress.commit->create_type)
    return progress.commit->create_type->name;
  return progress.type;
}

ImportAnswer Imports::undo_answer_of(ImportInMemory& held, const Caller& caller) {
  auto out = answer_of(held);
  held.progress.with([&](const ImportInMemory::Progress& progress) {
    if (progress.undone_by == caller.token) out.kept = progress.kept;
    out.kept_known = progress.undone_by == caller.token;
  });
  return out;
}

ImportAnswer Imports::answer_of(ImportInMemory& held) {
  ImportAnswer out;
  out.id = held.id;
  out.at = held.at;
  out.done = held.done.load();
  out.position = s.views.position();
  out.kept_known = false;
  held.progress.with([&](const ImportInMemory::Progress& progress) {
    out.state = name_of(progress.state);
    out.type = progress.type;
    out.counts = progress.counts;
    out.undone = progress.undone;
    if (progress.error) out.error = progress.error->code();
    if (progress.position > out.position) out.position = progress.position;
  });
  return out;
}

ImportAnswer Imports::answer_of(const JobId& id, const views::ImportRow& row) {
  ImportAnswer out;
  out.id = id;
  out.at = row.begun_at;
  out.state = name_of(row.state);
  out.position = s.views.position();
  const auto registries = s.registries();
  if (const auto* type = registries->type(row.type)) out.type = type->definition.name;
  const auto& facts = row.counts;
  if (row.state != views::ImportState::begun) out.counts = {facts.added, facts.changed, facts.unchanged, facts.failed};
  if (row.state == views::ImportState::undone) {
    out.undone = ImportCounts{row.undone.added, row.undone.changed, row.undone.unchanged, 0};
    out.kept_known = false;
  }
  return out;
}

Result<ImportAnswer> Imports::get(const Caller& caller, const JobId& id) {
  const auto action = decide::Action::read_imports;
  if (const auto held = find(id)) {
    const auto [previewed, type] =
        held->progress.with([](const auto& p) { return std::pair(p.state == State::previewed, type_of(p)); });
    SIEGEL_CHECK(s.may(caller, action, previewed ? std::string() : type));
    if (!previewed || held->token == caller.token) return answer_of(*held);
    return not_there();
  }
  SIEGEL_TRY(row, s.views.import(id));
  if (row) {
    auto answer = answer_of(id, *row);
    SIEGEL_CHECK(s.may(caller, action, answer.type));
    return answer;
  }
  SIEGEL_CHECK(s.may(caller, action));
  const bool was_here = kept_.with(
      [&](Kept& kept) { return std::find(kept.expired.begin(), kept.expired.end(), id.get()) != kept.expired.end(); });
  if (!was_here) return not_there();
  ImportAnswer out;
  out.id = id;
  out.state = "expired";
  out.position = s.views.position();
  return out;
}

Result<std::vector<ImportAnswer>> Imports::list(const Caller& caller, const std::optional<JobId>& before,
                                                std::size_t limit) {
  SIEGEL_CHECK(s.may(caller, decide::Action::read_imports));
  sweep();
  std::vector<ImportPtr> own;
  kept_.with([&](Kept& kept) {
    for (const auto& [id, held] : kept.imports) {
      const bool previewed = held->progress.with([](const auto& p) { return p.state == State::previewed; });
      if (previewed && held->token == caller.token && (!before || held->id < *before)) own.push_back(held);
    }
  });
  std::vector<ImportAnswer> out;
  out.reserve(own.size());
  for (const auto& held : own) out.push_back(answer_of(*held));
  // Those of types that the token carries.
  const auto registries = s.registries();
  const auto now = s.clock.now();
  const auto shows = [&](const std::string& type) {
    const decide::Use use{decide::Action::read_imports, caller.token, caller.purpose, type, {}, true};
    return decide::authorise(*registries, use, now).has_value();
  };
  std::size_t found = 0;
  for (auto from = before; found < limit;) {
    SIEGEL_TRY(rows, s.views.imports(from, limit));
    for (const auto& [id, row] : rows) {
      const auto in_memory = find(id);
      auto one = in_memory ? answer_of(*in_memory) : answer_of(id, row);
      if (!shows(one.type)) continue;
      out.push_back(std::move(one));
      ++found;
    }
    if (rows.size() < limit) break;
    from = rows.back().first;
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return b.id < a.id; });
  if (out.size() > limit) out.resize(limit);
  return out;
}

// ── rejects ──

void Imports::rejects(const Caller& caller, const JobId& id, const Callback<std::string>& done) {
  auto held = find_own(caller, id);
  if (!held) {
    if (refused(caller, {}, {}, [done](const Error& error) { done(Error(error)); })) return;
    return done(Error(held.error()));
  }
  const auto type = (*held)->upload.type;
  if (refused(caller, type, {}, [done](const Error& error) { done(Error(error)); })) return;
  const bool posted = files_->post([this, caller, one = *held, done] { done(make_rejects(caller, *one)); });
  if (!posted) done(Error(Errc::overloaded, "overloaded", "Too many files wait to be read."));
}

// The rows that fail, in the columns of the file, each with the reason; made from the file, kept nowhere.
Result<std::string> Imports::make_rejects(const Caller& caller, ImportInMemory& held) {
  const auto [commit, failed] = held.progress.with([](const auto& progress) {
    ImportCommit tried;
    tried.types = progress.types_tried;
    return std::pair(progress.commit.value_or(std::move(tried)), progress.failed_rows);
  });
  bool is_there = false;
  SIEGEL_TRY(plan, plan_for(held, commit, is_there));
  SIEGEL_TRY(traced, compare({held, caller, plan, is_there}, {}, {}));  // a use of what the file holds
  const auto nothing_failed = held.progress.with(
      [](const auto& p) { return p.bytes == nullptr && p.state != State::cancelled && p.counts.failed == 0; });
  const char delimiter = held.info.delimiter != '\0' ? held.info.delimiter : ';';
  const auto& columns = held.guess.proposal.columns;
  const auto titled = [&](const sheet::Row* header) {  // as in the file: a column without a title has none here either
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (header == nullptr) append_cell(line, columns[i].title.title, delimiter);
      if (header != nullptr && i < header->cells.size()) append_cell(line, header->cells[i].text, delimiter);
      line.push_back(delimiter);
    }
    return line.append("reason\r\n");
  };
  std::string out = titled(nullptr);
  if (nothing_failed) return out;
  SIEGEL_TRY(reader, open(held));
  for (;;) {
    SIEGEL_TRY(row, reader->next());
    if (!row) return out;
    if (row->number == held.guess.header_row) out = titled(&*row);
    if (row->number <= held.guess.header_row) continue;
    auto read = plan.read(*row);
    if (is_erased(held, plan, read)) continue;  // nobody is to see it any more
    auto failures = std::move(read.failures);
    if (const auto* found = failed.find(row->number)) {
      if (*found == kErased) continue;
      failures.push_back({std::nullopt, *found});
    }
    if (failures.empty()) continue;
    for (std::size_t i = 0; i < std::max(columns.size(), row->cells.size()); ++i) {
      if (i < row->cells.size()) append_cell(out, row->cells[i].text, delimiter);
      out.push_back(delimiter);
    }
    std::string why;
    for (const auto& failure : failures) {
      if (!why.empty()) why.append(", ");
      if (failure.column) why.append(columns[*failure.column].title.title).append(": ");
      why.append(failure.code);
    }
    append_cell(out, why, delimiter);
    out.append("\r\n");
  }
}

}  // namespace siegel::service
