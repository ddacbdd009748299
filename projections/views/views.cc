#include "views/views.h"

#include <algorithm>

#include "views/rows.h"

namespace siegel::views {

namespace {

bool starts_with(ByteView key, ByteView prefix) {
  return key.size() >= prefix.size() && equal(key.first(prefix.size()), prefix);
}

// Calls f(key, value) for the rows of a prefix from `from` on; f answers Result<bool>, false ends the walk.
template <class F>
Status walk(Store& store, Rows rows, ByteView prefix, ByteView from, F&& f, const Snapshot* snapshot = nullptr) {
  const auto cursor = store.cursor(family(rows), {.snapshot = snapshot, .until = after_prefix(prefix)});
  for (cursor->seek(from); cursor->valid() && starts_with(cursor->key(), prefix); cursor->next()) {
    SIEGEL_TRY(more, f(cursor->key(), cursor->value()));
    if (!more) break;
  }
  return cursor->status();
}

Bytes from_after(const Bytes& prefix, const std::optional<Seq>& after) {
  Bytes from = prefix;
  if (after) {
    if (after->get() == std::numeric_limits<std::uint64_t>::max()) return after_prefix(prefix);
    append_be(from, after->get() + 1);
  }
  return from;
}

EventRef event_ref(Seq seq, const std::vector<PartRef>& parts) {
  EventRef out{seq, {}};
  for (const auto& p : parts) out.parts.push_back(p.part);
  return out;
}

}  // namespace

std::string_view name_of(ErasureState state) noexcept {
  switch (state) {
    case ErasureState::requested:
      return "requested";
    case ErasureState::fenced:
      return "fenced";
    case ErasureState::effective:
      return "effective";
    case ErasureState::removed:
      return "removed";
    case ErasureState::completed:
      return "completed";
    case ErasureState::overdue:
      return "overdue";
    case ErasureState::refused:
      return "refused";
    case ErasureState::recalled:
      return "recalled";
  }
  return {};
}

std::string_view name_of(ImportState state) noexcept {
  switch (state) {
    case ImportState::begun:
      return "committing";
    case ImportState::finished:
      return "finished";
    case ImportState::cancelled:
      return "cancelled";
    case ImportState::undone:
      return "undone";
  }
  return {};
}

// ── position ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<TreeSize> Views::load_position() {
  SIEGEL_TRY(value, store_.get_pinned(family(Rows::position), position_key()));
  TreeSize position;
  if (value) {
    SIEGEL_TRY(stored, decode_position(value->value()));
    position = stored;
  }
  advance(position);
  return position;
}

void Views::advance(TreeSize position) {
  std::vector<Waiter> ready;
  // Under the lock, so that when() either sees the new position or is seen here.
  waiters_.with([&](std::vector<Waiter>& waiters) {
    position_.store(position.get(), std::memory_order_release);
    const auto waiting =
        std::partition(waiters.begin(), waiters.end(), [&](const Waiter& w) { return w.size > position; });
    std::move(waiting, waiters.end(), std::back_inserter(ready));
    waiters.erase(waiting, waiters.end());
  });
  for (auto& waiter : ready) waiter.then(true);
}

void Views::when(TreeSize size, std::chrono::milliseconds wait, std::function<void(bool reached)> then) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  enum class Now : std::uint8_t { reached, never, waits };
  const auto now = waiters_.with([&](std::vector<Waiter>& waiters) {
    if (position() >= size) return Now::reached;
    if (waiting_ended_) return Now::never;
    waiters.push_back({size, deadline, std::move(then)});
    return Now::waits;
  });
  if (now != Now::waits) then(now == Now::reached);
}

void Views::end_waiting() {
  std::vector<Waiter> all;
  waiters_.with([&](std::vector<Waiter>& waiters) {
    waiting_ended_ = true;
    all.swap(waiters);
  });
  for (auto& waiter : all) waiter.then(false);
}

void Views::expire_waiters() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<Waiter> late;
  waiters_.with([&](std::vector<Waiter>& waiters) {
    const auto waiting =
        std::partition(waiters.begin(), waiters.end(), [&](const Waiter& w) { return w.deadline > now; });
    std::move(waiting, waiters.end(), std::back_inserter(late));
    waiters.erase(waiting, waiters.end());
  });
  for (auto& waiter : late) waiter.then(false);
}

// ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

// The states of imports at the moment of a snapshot: rows and states must be of one moment, or an import that has just
// finished would show in part.
class States {
 public:
  States(Store& store, const Snapshot& snapshot) : store_(store), snapshot_(snapshot) {}

  Result<std::optional<ImportState>> of(const JobId& import) {
    const auto known = std::find_if(known_.begin(), known_.end(), [&](const auto& s) { return s.first == import; });
    if (known != known_.end()) return known->second;
    SIEGEL_TRY(value, store_.get_pinned(family(Rows::imports), import.get(), &snapshot_));
    std::optional<ImportState> state;
    if (value) {
      SIEGEL_TRY(row, decode_import(value->value()));
      state = row.state;
    }
    if (known_.size() == kKnownMax) known_.erase(known_.begin());
    known_.emplace_back(import, state);
    return state;
  }
  template <class Row>
  Status settle(Row& row, bool with_left = false) {
    if (!row.pending) return Done{};
    SIEGEL_TRY(state, of(row.pending->import));
    if (with_left)
      settle_known(row, state);
    else
      views::settle(row, state);
    return Done{};
  }

 private:
  static constexpr std::size_t kKnownMax = 16;
  Store& store_;
  const Snapshot& snapshot_;
  std::vector<std::pair<JobId, std::optional<ImportState>>> known_;
};

// One row with what was pending settled; rows without need no snapshot.
template <class Row, class Decode>
Result<std::optional<Row>> settled(Store& store, Rows rows, ByteView key, Decode decode, bool with_left = false) {
  SIEGEL_TRY(value, store.get_pinned(family(rows), key));
  if (!value) return std::optional<Row>{};
  SIEGEL_TRY(row, decode(value->value()));
  if (!row.pending) return std::optional<Row>(std::move(row));
  value.reset();
  const auto snapshot = store.snapshot();
  SIEGEL_TRY(again, store.get_pinned(family(rows), key, snapshot.get()));
  if (!again) return std::optional<Row>{};
  SIEGEL_TRY(of_then, decode(again->value()));
  States states(store, *snapshot);
  SIEGEL_CHECK(states.settle(of_then, with_left));
  return std::optional<Row>(std::move(of_then));
}

// Nothing but what a cancelled import left, or what an unfinished one would show.
template <class Row>
bool nothing_shown(const Row& row) {
  return row.version.get() == 0;
}

template <class Row>
std::optional<Row> unless_nothing(std::optional<Row> row) {
  if (row && nothing_shown(*row) && !row->pending) return std::nullopt;
  return row;
}

template <class Row>
std::optional<Row> as_shown(std::optional<Row> row) {
  if (!row || nothing_shown(*row)) return std::nullopt;
  row->pending.reset();
  return row;
}

}  // namespace

Result<std::optional<RecordHead>> Views::newest_head(const RecordId& record) {
  SIEGEL_TRY(head, settled<RecordHead>(store_, Rows::record_heads, record.get(), decode_head));
  return unless_nothing(std::move(head));
}
Result<std::optional<RecordHead>> Views::known_head(const RecordId& record) {
  SIEGEL_TRY(head, settled<RecordHead>(store_, Rows::record_heads, record.get(), decode_head, true));
  return unless_nothing(std::move(head));
}
Result<std::optional<RecordHead>> Views::head(const RecordId& record) {
  SIEGEL_TRY(head, newest_head(record));
  return as_shown(std::move(head));
}

Result<std::optional<RecordRow>> Views::newest_record(TypeNo type, const RecordId& record) {
  SIEGEL_TRY(row, settled<RecordRow>(store_, Rows::records, record_row_key(type, record), decode_record));
  return unless_nothing(std::move(row));
}
Result<std::optional<RecordRow>> Views::known_record(TypeNo type, const RecordId& record) {
  SIEGEL_TRY(row, settled<RecordRow>(store_, Rows::records, record_row_key(type, record), decode_record, true));
  return unless_nothing(std::move(row));
}
Result<std::optional<RecordRow>> Views::record(TypeNo type, const RecordId& record) {
  SIEGEL_TRY(row, newest_record(type, record));
  return as_shown(std::move(row));
}

Result<std::optional<RecordRow>> Views::before_import(TypeNo type, const RecordId& record, const JobId& import) {
  SIEGEL_TRY(value, store_.get_pinned(family(Rows::records), record_row_key(type, record)));
  if (!value) return std::optional<RecordRow>{};
  SIEGEL_TRY(row, decode_record(value->value()));
  if (!row.pending || row.pending->import != import) return std::optional<RecordRow>{};
  return as_shown(std::optional(std::move(row)));
}

Result<Views::List> Views::list(TypeNo type, const std::optional<RecordId>& after, std::size_t limit) {
  List out;
  std::size_t passed_over = 0;
  const auto prefix = key_of(type);
  Bytes from = prefix;
  if (after) {
    from = record_row_key(type, *after);
    from.push_back(0);  // the first key behind it
  }
  const auto take = [&](const RecordId& id, RecordRow&& row) {
    out.rows.push_back({id, std::move(row)});
    return out.rows.size() < limit;
  };
  const auto pass = [&](const RecordId& id) {
    if (++passed_over < passed_over_max_) return true;
    out.rest = id;
    return false;
  };
  if (limit > 0) SIEGEL_CHECK(walk_records(prefix, from, Left::hidden, take, pass));
  return out;
}

Status Views::each_record(TypeNo type, const std::function<bool(const RecordId&, const RecordRow&)>& f) {
  const auto prefix = key_of(type);
  return walk_records(prefix, prefix, Left::hidden, [&](const RecordId& id, RecordRow&& row) { return f(id, row); });
}
Status Views::each_known(TypeNo type, const std::function<bool(const RecordId&, const RecordRow&)>& f) {
  const auto prefix = key_of(type);
  return walk_records(prefix, prefix, Left::told, [&](const RecordId& id, RecordRow&& row) { return f(id, row); });
}

Status Views::walk_records(ByteView prefix, ByteView from, Left left,
                           const std::function<bool(const RecordId&, RecordRow&&)>& f,
                           const std::function<bool(const RecordId&)>& passed) {
  const auto snapshot = store_.snapshot();
  States states(store_, *snapshot);
  return walk(
      store_, Rows::records, prefix, from,
      [&](ByteView key, ByteView value) -> Result<bool> {
        SIEGEL_TRY(row, decode_record(value));
        SIEGEL_CHECK(states.settle(row, left == Left::told));
        if (nothing_shown(row)) return passed == nullptr || passed(RecordId(id_at_end(key)));
        row.pending.reset();
        return f(RecordId(id_at_end(key)), std::move(row));
      },
      snapshot.get());
}

Result<std::vector<EventRef>> Views::history(const RecordId& record, std::optional<Seq> after, std::size_t limit) {
  std::vector<EventRef> out;
  const auto snapshot = store_.snapshot();
  States states(store_, *snapshot);
  // Events of an import that is not finished, or never was, are not shown.
  const auto shown = [&](const std::optional<JobId>& import) -> Result<bool> {
    if (!import) return true;
    SIEGEL_TRY(state, states.of(*import));
    return state && counts(*state);
  };
  SIEGEL_TRY(head_value, store_.get_pinned(family(Rows::record_heads), record.get(), snapshot.get()));
  if (head_value) {
    SIEGEL_TRY(found, decode_head(head_value->value()));
    SIEGEL_TRY(counted, shown(found.added_by));
    if (counted && !found.added.empty() && limit > 0 && (!after || found.created > *after))
      out.push_back(event_ref(found.created, found.added));
  }
  const auto prefix = key_of(record.get());
  SIEGEL_CHECK(walk(
      store_, Rows::history, prefix, from_after(prefix, after),
      [&](ByteView key, ByteView value) -> Result<bool> {
        if (out.size() >= limit) return false;
        SIEGEL_TRY(row, decode_history(value));
        SIEGEL_TRY(counted, shown(row.import));
        if (counted) out.push_back(event_ref(seq_at_end(key), row.parts));
        return true;
      },
      snapshot.get()));
  return out;
}

// ── imports ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<std::optional<ImportRow>> Views::import(const JobId& id) {
  SIEGEL_TRY(value, store_.get_pinned(family(Rows::imports), id.get()));
  if (!value) return std::optional<ImportRow>{};
  SIEGEL_TRY(row, decode_import(value->value()));
  return std::optional(row);
}

Result<std::vector<std::pair<JobId, ImportRow>>> Views::imports(const std::optional<JobId>& before, std::size_t limit) {
  std::vector<std::pair<JobId, ImportRow>> out;
  const auto cursor = store_.cursor(family(Rows::imports));
  if (before) {
    cursor->seek_for_prev(before->get());
    if (cursor->valid() && equal(cursor->key(), before->get())) cursor->prev();
  } else {
    cursor->seek_to_last();
  }
  for (; cursor->valid() && out.size() < limit; cursor->prev()) {
    SIEGEL_TRY(row, decode_import(cursor->value()));
    out.emplace_back(JobId(id_at_end(cursor->key())), row);
  }
  SIEGEL_CHECK(cursor->status());
  return out;
}

Result<std::vector<JobId>> Views::unfinished_imports() {
  std::vector<JobId> out;
  SIEGEL_CHECK(walk(store_, Rows::imports, {}, {}, [&](ByteView key, ByteView value) -> Result<bool> {
    SIEGEL_TRY(row, decode_import(value));
    if (row.state == ImportState::begun) out.emplace_back(id_at_end(key));
    return true;
  }));
  return out;
}

// ── subjects ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<std::optional<OwnerRow>> Views::owner(const OwnerId& owner) {
  SIEGEL_TRY(value, store_.get_pinned(family(Rows::owners), owner.get()));
  if (!value) return std::optional<OwnerRow>{};
  SIEGEL_TRY(row, decode_owner(value->value()));
  return std::optional(std::move(row));
}

Result<std::vector<RecordId>> Views::records_of(const SubjectId& subject) {
  std::vector<RecordId> out;
  const auto prefix = key_of(subject.get());
  SIEGEL_CHECK(walk(store_, Rows::subject_records, prefix, prefix, [&](ByteView key, ByteView) -> Result<bool> {
    out.emplace_back(id_at_end(key));
    return true;
  }));
  return out;
}

Result<std::vector<Views::Link>> Views::links_of(const SubjectId& subject) {
  std::vector<Link> out;
  const auto prefix = key_of(subject.get());
  SIEGEL_CHECK(walk(store_, Rows::subject_links, prefix, prefix, [&](ByteView key, ByteView value) -> Result<bool> {
    SIEGEL_TRY(row, decode_link(value));
    out.push_back({seq_at_end(key), row.slot, std::move(row.sealed), to_bytes(key)});
    return true;
  }));
  return out;
}

Status Views::each_link(const std::function<bool(const SubjectId&, const Link&)>& f) {
  return walk(store_, Rows::subject_links, {}, {}, [&](ByteView key, ByteView value) -> Result<bool> {
    SIEGEL_TRY(row, decode_link(value));
    return f(SubjectId(id_at_start(key)), Link{seq_at_end(key), row.slot, std::move(row.sealed), to_bytes(key)});
  });
}

Status Views::each_merge(const std::function<void(const SubjectId& into, const SubjectId& merged)>& f) {
  return walk(store_, Rows::subject_merges, {}, {}, [&](ByteView key, ByteView value) -> Result<bool> {
    SIEGEL_TRY(row, decode_merge(value));
    f(row.into, SubjectId(id_at_start(key)));
    return true;
  });
}

Result<std::vector<EventRef>> Views::subject_history(const SubjectId& subject, std::optional<Seq> after,
                                                     std::size_t limit) {
  std::vector<EventRef> out;
  const auto prefix = key_of(subject.get());
  SIEGEL_CHECK(walk(store_, Rows::subject_history, prefix, from_after(prefix, after),
                    [&](ByteView key, ByteView value) -> Result<bool> {
                      if (out.size() >= limit) return false;
                      SIEGEL_TRY(parts, decode_parts(value));
                      out.push_back(event_ref(seq_at_end(key), parts));
                      return true;
                    }));
  return out;
}

// ── erasures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<std::optional<ErasureRow>> Views::erasure(const ErasureId& id) {
  SIEGEL_TRY(value, store_.get_pinned(family(Rows::erasures), id.get()));
  if (!value) return std::optional<ErasureRow>{};
  SIEGEL_TRY(row, decode_erasure(value->value()));
  return std::optional(std::move(row));
}

Result<std::vector<std::pair<ErasureId, ErasureRow>>> Views::erasures(const std::optional<ErasureId>& after,
                                                                      std::size_t limit) {
  std::vector<std::pair<ErasureId, ErasureRow>> out;
  Bytes from;
  if (after) {
    from = key_of(after->get());
    from.push_back(0);
  }
  SIEGEL_CHECK(walk(store_, Rows::erasures, {}, from, [&](ByteView key, ByteView value) -> Result<bool> {
    if (out.size() >= limit) return false;
    SIEGEL_TRY(row, decode_erasure(value));
    out.emplace_back(ErasureId(id_at_end(key)), std::move(row));
    return true;
  }));
  return out;
}

Result<std::vector<Views::OpenRequest>> Views::open_erasure_requests() {
  std::vector<OpenRequest> out;
  SIEGEL_CHECK(walk(store_, Rows::erasure_requests, {}, {}, [&](ByteView key, ByteView value) -> Result<bool> {
    SIEGEL_TRY(row, decode_request(value));
    if (!row.effective)
      for (const auto& person : row.people)
        out.push_back({seq_at_end(key), row.erasure.value_or(ErasureId{}), person.subject});
    return true;
  }));
  return out;
}

Result<std::vector<Views::Notice>> Views::notices() {
  std::vector<Notice> out;
  SIEGEL_CHECK(walk(store_, Rows::erasure_requests, {}, {}, [&](ByteView key, ByteView value) -> Result<bool> {
    SIEGEL_TRY(request, decode_request(value));
    if (!request.effective || !request.erasure) return true;
    SIEGEL_TRY(row, erasure(*request.erasure));
    if (!row) return true;
    Notice notice{seq_at_end(key), row->deadline, {}};
    for (const auto& person : request.people) notice.slots.push_back(person.notice);
    out.push_back(std::move(notice));
    return true;
  }));
  return out;
}

Result<std::optional<ErasureId>> Views::erased(const Id16& subject_or_record) {
  std::optional<ErasureId> newest;
  SIEGEL_CHECK(
      walk(store_, Rows::erased, subject_or_record, subject_or_record, [&](ByteView, ByteView value) -> Result<bool> {
        SIEGEL_TRY(id, decode_erased(value));
        newest = id;
        return true;
      }));
  return newest;
}

Result<std::vector<ClassNo>> Views::erased_classes(const RecordId& record) {
  std::vector<ErasureId> named;
  SIEGEL_CHECK(walk(store_, Rows::erased, record.get(), record.get(), [&](ByteView, ByteView value) -> Result<bool> {
    SIEGEL_TRY(id, decode_erased(value));
    named.push_back(id);
    return true;
  }));
  std::vector<ClassNo> out;
  for (const auto& id : named) {
    SIEGEL_TRY(row, erasure(id));
    if (!row) continue;
    for (const auto cls : row->classes) out.emplace_back(cls);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<std::optional<Seq>> Views::idempotency(const Hash& mac) {
  SIEGEL_TRY(value, store_.get_pinned(family(Rows::idempotency), mac));
  if (!value) return std::optional<Seq>{};
  SIEGEL_TRY(place, decode_idempotency(value->value()));
  return std::optional(place.row);
}

Result<std::vector<Views::RegistryRow>> Views::registries() {
  std::vector<RegistryRow> tokens;
  std::vector<RegistryRow> out;
  const auto take = [](std::vector<RegistryRow>& to, ByteView key, ByteView value) -> Result<bool> {
    SIEGEL_TRY(row, decode_registry(value));
    row.number = key.size() < 4 ? 0 : get_be<std::uint32_t>(key.last(4).data());
    row.row = to_bytes(key);
    to.push_back(std::move(row));
    return true;
  };
  SIEGEL_CHECK(walk(store_, Rows::registries, {}, {}, [&](ByteView key, ByteView value) {
    const bool token = !key.empty() && key[0] == static_cast<std::uint8_t>(RegistryKind::tokens);
    return take(token ? tokens : out, key, value);
  }));
  // Types are a family of their own, and stand between classes and tokens.
  SIEGEL_CHECK(
      walk(store_, Rows::record_types, {}, {}, [&](ByteView key, ByteView value) { return take(out, key, value); }));
  std::move(tokens.begin(), tokens.end(), std::back_inserter(out));
  return out;
}

}  // namespace siegel::views
