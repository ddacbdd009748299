#include "records/records.h"

#include <algorithm>

#include "codec/bodies_codec.h"

namespace siegel::views {

namespace {

Values merged(Values old, const Values& changes) {
  for (const auto& change : changes) {
    const auto at = std::lower_bound(old.begin(), old.end(), change.field,
                                     [](const FieldValue& v, FieldNo field) { return v.field < field; });
    if (at != old.end() && at->field == change.field)
      *at = change;
    else
      old.insert(at, change);
  }
  return old;
}

// Puts the part's values into the section of its class, sealed anew under the part's leaf. False: the leaf is dead.
Result<bool> merge_part(std::vector<Section>& sections, const Bytes& row_key, const LivingPart& part, RowAccess& rows) {
  const auto& envelope = *part.envelope;
  auto section =
      std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.cls == envelope.cls; });
  Bytes body;
  if (section == sections.end()) {
    body = codec::encode_values(part.body->values);
  } else {
    SIEGEL_TRY(before, rows.unseal(section->slot, section->cls, Records::kName, row_key, section->sealed));
    Values old;
    if (const auto* clear = std::get_if<SecretBytes>(&before)) {
      SIEGEL_TRY(values, codec::decode_values(clear->view()));
      old = std::move(values);
    }
    body = codec::encode_values(merged(std::move(old), part.body->values));
  }
  auto sealed = seal_living(rows, envelope.slot, Records::kName, row_key, body);
  wipe(body.data(), body.size());
  SIEGEL_TRY(bytes, std::move(sealed));
  if (!bytes) return false;
  if (section == sections.end()) section = sections.insert(section, {envelope.cls, {}, {}});
  section->slot = envelope.slot;
  section->sealed = std::move(*bytes);
  return true;
}

std::optional<SubjectId> person_in(const Recorded& event, std::span<const LivingPart> parts) {
  for (const auto& part : parts)
    if (const auto person = person_of(event.parts()[part.number])) return person;
  return std::nullopt;
}

void put_both(const RecordId& record, const RecordHead& head, const RecordRow& row, RowAccess& rows) {
  rows.put(Rows::record_heads, key_of(record.get()), encode(head));
  rows.put(Rows::records, record_row_key(head.type, record), encode(row));
}

// A new record needs no look at what is there: its id is new.
Status add(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  SIEGEL_TRY(parts, living_parts(event));
  if (parts.empty()) return Done{};
  SIEGEL_TRY(import, unfinished_import(header, rows));
  const auto record = parts.front().body->record;
  const auto row_key = record_row_key(header.record_type, record);
  std::vector<Section> sections;
  RecordHead head;
  for (const auto& part : parts) {
    SIEGEL_TRY(living, merge_part(sections, row_key, part, rows));
    if (living) head.added.push_back({part.number, part.envelope->slot});
  }
  if (head.added.empty()) return Done{};
  const RecordVersion first(1);
  RecordRow row;
  head.type = header.record_type;
  head.created = header.seq;
  head.added_at = header.time;
  head.added_by = import;
  head.subject = row.subject = person_in(event, parts);
  if (import) {
    head.pending = {*import, first, header.seq};
    row.pending = {*import, first, header.time, std::move(sections)};
  } else {
    head.version = row.version = first;
    head.modified = header.seq;
    row.updated_at = header.time;
    row.sections = std::move(sections);
  }
  put_both(record, head, row, rows);
  if (head.subject) rows.put(Rows::subject_records, key_of(head.subject->get(), record.get()), {});
  return Done{};
}

// The rows of a record, with all that was pending and has ended by now; new ones where what came before is erased.
struct Both {
  RecordHead head;
  RecordRow row;
};
Result<Both> load(const Header& header, const RecordId& record, const Bytes& row_key, RowAccess& rows) {
  Both out;
  SIEGEL_TRY(head_value, rows.get(Rows::record_heads, record.get()));
  if (head_value) {
    SIEGEL_TRY(old, decode_head(*head_value));
    out.head = std::move(old);
  } else {
    out.head.type = header.record_type;
  }
  SIEGEL_TRY(row_value, rows.get(Rows::records, row_key));
  if (row_value) {
    SIEGEL_TRY(old, decode_record(*row_value));
    out.row = std::move(old);
  }
  if (out.head.pending) {
    SIEGEL_TRY(state, state_of(out.head.pending->import, rows));
    settle(out.head, state);
    settle(out.row, state);
  }
  if (out.head.version.get() == 0 && !out.head.pending) out.head.created = header.seq;
  return out;
}

Status change(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  SIEGEL_TRY(parts, living_parts(event));
  if (parts.empty()) return Done{};
  SIEGEL_TRY(import, unfinished_import(header, rows));
  const auto record = parts.front().body->record;
  const auto row_key = record_row_key(header.record_type, record);
  SIEGEL_TRY(both, load(header, record, row_key, rows));
  auto& [head, row] = both;
  if (!head.subject) {
    head.subject = person_in(event, parts);
    if (head.subject) rows.put(Rows::subject_records, key_of(head.subject->get(), record.get()), {});
  }
  row.subject = head.subject;
  if (import && !head.pending) {
    head.pending = {*import, head.version, head.modified};
    row.pending = {*import, row.version, row.updated_at, row.sections};
  }
  // Whoever decides lets nobody else change what an unfinished import has changed; if it came to that, both would
  // count.
  if (head.pending && row.pending) {
    auto& pending = *head.pending;
    auto& shown = *row.pending;
    pending.version = shown.version = RecordVersion(pending.version.get() + 1);
    pending.modified = header.seq;
    shown.updated_at = header.time;
    for (const auto& part : parts) SIEGEL_CHECK(merge_part(shown.sections, row_key, part, rows));
  }
  if (!import) {
    head.version = row.version = RecordVersion(head.version.get() + 1);
    head.modified = header.seq;
    row.updated_at = header.time;
    head.removed = head.removed || header.type == EventType::record_removed;
    if (head.removed) {
      rows.put(Rows::record_heads, key_of(record.get()), encode(head));
      rows.erase(Rows::records, row_key);
      return Done{};
    }
    for (const auto& part : parts) SIEGEL_CHECK(merge_part(row.sections, row_key, part, rows));
  }
  put_both(record, head, row, rows);
  return Done{};
}

// The events that an erasure left of a record: those that count, and those that would with the import that stands in
// `pending`.
class Left {
 public:
  Left(const Erasing& person, const std::optional<JobId>& pending, RowAccess& rows)
      : person_(person), pending_(pending), rows_(rows) {}

  Status note(Seq seq, TimeMs time, const std::optional<JobId>& import, std::span<const PartRef> parts) {
    if (parts.empty()) return Done{};
    ++all;
    concerned = concerned || std::any_of(parts.begin(), parts.end(),
                                         [&](const PartRef& p) { return contains(person_.living, p.slot); });
    bool shown = true;
    if (import) {
      SIEGEL_TRY(state, state_of(*import, rows_));
      shown = state && views::counts(*state);
    }
    const bool would = import && import == pending_;
    if (!shown && !would) return Done{};
    if (with_import.count == 0) first = seq;
    if (would) imported = true;
    if (shown) counted.add(seq, time);
    with_import.add(seq, time);
    return Done{};
  }

  struct Tally {
    std::uint64_t count = 0;
    Seq last;
    TimeMs at;
    void add(Seq seq, TimeMs time) {
      ++count;
      last = seq;
      at = time;
    }
  };
  std::size_t all = 0;  // also those that a cancelled import left
  bool concerned = false;
  bool imported = false;  // by the one in `pending`
  Seq first;
  Tally counted, with_import;

 private:
  const Erasing& person_;
  std::optional<JobId> pending_;
  RowAccess& rows_;
};

Result<Left> look(const Erasing& person, const RecordId& record, const RecordHead& head, RowAccess& rows) {
  const auto pending = head.pending ? std::optional(head.pending->import) : std::nullopt;
  Left left(person, pending, rows);
  SIEGEL_CHECK(left.note(head.created, head.added_at, head.added_by, head.added));
  SIEGEL_TRY(keys, rows.keys_with_prefix(Rows::history, record.get()));
  for (const auto& key : keys) {
    SIEGEL_TRY(value, rows.get(Rows::history, key));
    if (!value) continue;
    SIEGEL_TRY(event, decode_history(*value));
    SIEGEL_CHECK(left.note(seq_at_end(key), event.time, event.import, event.parts));
  }
  return left;
}

// What is left of a record without the dead leaves: counted anew from the events that are left (history went before).
Status shrink(const Erasing& person, const RecordId& record, RowAccess& rows) {
  SIEGEL_TRY(head_value, rows.get(Rows::record_heads, record.get()));
  if (!head_value) return Done{};
  SIEGEL_TRY(head, decode_head(*head_value));
  const auto row_key = record_row_key(head.type, record);
  SIEGEL_TRY(row_value, rows.get(Rows::records, row_key));
  std::optional<RecordRow> row;
  if (row_value) {
    SIEGEL_TRY(decoded, decode_record(*row_value));
    row = std::move(decoded);
  }
  if (head.pending) {
    SIEGEL_TRY(state, state_of(head.pending->import, rows));
    // What a cancelled import added stays as it is: its people stay known by it.
    const bool stays = state == ImportState::cancelled && head.added_by == head.pending->import;
    if (!stays) settle(head, state);
    if (!stays && row) settle(*row, state);
  }
  std::erase_if(head.added, [&](const PartRef& p) { return contains(person.dead, p.slot); });
  SIEGEL_TRY(left, look(person, record, head, rows));
  if (!left.concerned) {
    head.subject.reset();
    rows.erase(Rows::subject_records, key_of(person.subject.get(), record.get()));
  }
  if (left.all == 0) {
    rows.erase(Rows::record_heads, record.get());
    rows.erase(Rows::records, row_key);
    return Done{};
  }
  head.version = RecordVersion(left.counted.count);
  head.modified = left.counted.last;
  if (head.added.empty()) {
    head.created = left.first;
    head.added_at = {};
    head.added_by.reset();
  }
  if (!left.imported) head.pending.reset();
  if (head.pending) {
    head.pending->version = RecordVersion(left.with_import.count);
    head.pending->modified = left.with_import.last;
  }
  // Left by cancelled imports that changed it: as if nothing had come after it.
  const bool nothing = left.counted.count == 0 && !head.pending;
  if (nothing) head.removed = false;
  rows.put(Rows::record_heads, key_of(record.get()), encode(head));
  if (nothing) rows.erase(Rows::records, row_key);
  if (nothing || !row) return Done{};
  const auto drop = [&](std::vector<Section>& sections) {
    std::erase_if(sections, [&](const Section& s) { return contains(person.dead, s.slot); });
  };
  drop(row->sections);
  row->version = head.version;
  row->updated_at = left.counted.at;
  row->subject = head.subject;
  if (!head.pending) row->pending.reset();
  if (row->pending) {
    drop(row->pending->sections);
    row->pending->version = head.pending->version;
    row->pending->updated_at = left.with_import.at;
  }
  rows.put(Rows::records, row_key, encode(*row));
  return Done{};
}

Status shrink_all(const Recorded& event, RowAccess& rows) {
  SIEGEL_TRY(people, erasing(event, rows));
  for (const auto& person : people) {
    SIEGEL_TRY(records, rows.keys_with_prefix(Rows::subject_records, person.subject.get()));
    for (const auto& key : records) SIEGEL_CHECK(shrink(person, RecordId(id_at_end(key)), rows));
  }
  return Done{};
}

}  // namespace

std::span<const Rows> Records::rows() const {
  static constexpr Rows kRows[] = {Rows::record_heads, Rows::records, Rows::subject_records};
  return kRows;
}

Status Records::fold(Recorded& event, RowAccess& rows) {
  switch (event.header().type) {
    case EventType::record_added:
      return add(event, rows);
    case EventType::record_changed:
    case EventType::record_removed:
      return change(event, rows);
    case EventType::erasure_requested:
      return shrink_all(event, rows);
    case EventType::registry_purpose_set:
    case EventType::registry_class_set:
    case EventType::registry_type_set:
    case EventType::registry_token_created:
    case EventType::registry_token_revoked:
    case EventType::subject_registered:
    case EventType::subject_linked:
    case EventType::subject_merged:
    case EventType::access_read:
    case EventType::refusal_recorded:
    case EventType::erasure_effective:
    case EventType::erasure_completed:
    case EventType::job_started:
    case EventType::job_finished:
    case EventType::ledger_created:
    case EventType::ledger_configured:
    case EventType::ledger_clock_skewed:
    case EventType::import_begun:
    case EventType::import_finished:
    case EventType::import_cancelled:
    case EventType::import_undone:
      break;
  }
  return Done{};
}

Result<Bytes> Records::logical(Rows rows, ByteView key, ByteView value, RowAccess& access) {
  if (rows != Rows::records) return to_bytes(value);
  SIEGEL_TRY(row, decode_record(value));
  Bytes out;
  const auto open = [&](std::vector<Section>& sections) -> Status {
    for (auto& section : sections) {
      SIEGEL_TRY(opened, access.unseal(section.slot, section.cls, kName, key, section.sealed));
      section.sealed.clear();
      append_column(out, opened);
    }
    return Done{};
  };
  SIEGEL_CHECK(open(row.sections));
  if (row.pending) SIEGEL_CHECK(open(row.pending->sections));
  auto clear = encode(row);
  append(clear, out);
  wipe(out.data(), out.size());
  return clear;
}

}  // namespace siegel::views
