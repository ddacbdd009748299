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
Result<bool> merge_part(RecordRow& row, const Bytes& row_key, const LivingPart& part, RowAccess& rows) {
  const auto& envelope = *part.envelope;
  auto section =
      std::find_if(row.sections.begin(), row.sections.end(), [&](const Section& s) { return s.cls == envelope.cls; });
  Bytes body;
  if (section == row.sections.end()) {
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
  if (section == row.sections.end()) section = row.sections.insert(section, {envelope.cls, {}, {}});
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
  const auto record = parts.front().body->record;
  const auto row_key = record_row_key(header.record_type, record);
  RecordRow row;
  RecordHead head;
  head.type = header.record_type;
  head.version = row.version = RecordVersion(1);
  head.created = head.modified = header.seq;
  head.added_at = row.updated_at = header.time;
  for (const auto& part : parts) {
    SIEGEL_TRY(living, merge_part(row, row_key, part, rows));
    if (living) head.added.push_back({part.number, part.envelope->slot});
  }
  if (head.added.empty()) return Done{};
  head.subject = row.subject = person_in(event, parts);
  put_both(record, head, row, rows);
  if (head.subject) rows.put(Rows::subject_records, key_of(head.subject->get(), record.get()), {});
  return Done{};
}

Status change(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  SIEGEL_TRY(parts, living_parts(event));
  if (parts.empty()) return Done{};
  const auto record = parts.front().body->record;
  const auto row_key = record_row_key(header.record_type, record);
  RecordHead head;
  RecordRow row;
  SIEGEL_TRY(head_value, rows.get(Rows::record_heads, record.get()));
  if (head_value) {
    SIEGEL_TRY(old, decode_head(*head_value));
    head = std::move(old);
  } else {  // what came before is erased
    head.type = header.record_type;
    head.created = header.seq;
  }
  SIEGEL_TRY(row_value, rows.get(Rows::records, row_key));
  if (row_value) {
    SIEGEL_TRY(old, decode_record(*row_value));
    row = std::move(old);
  }
  head.version = row.version = RecordVersion(head.version.get() + 1);
  head.modified = header.seq;
  row.updated_at = header.time;
  if (!head.subject) {
    head.subject = person_in(event, parts);
    if (head.subject) rows.put(Rows::subject_records, key_of(head.subject->get(), record.get()), {});
  }
  row.subject = head.subject;
  head.removed = head.removed || header.type == EventType::record_removed;
  if (head.removed) {
    rows.put(Rows::record_heads, key_of(record.get()), encode(head));
    rows.erase(Rows::records, row_key);
    return Done{};
  }
  for (const auto& part : parts) SIEGEL_CHECK(merge_part(row, row_key, part, rows));
  put_both(record, head, row, rows);
  return Done{};
}

// What is left of a record without the dead leaves: counted anew from the events that are left (history went before).
Status shrink(const Erasing& person, const RecordId& record, RowAccess& rows) {
  SIEGEL_TRY(head_value, rows.get(Rows::record_heads, record.get()));
  if (!head_value) return Done{};
  SIEGEL_TRY(head, decode_head(*head_value));
  const auto row_key = record_row_key(head.type, record);
  std::erase_if(head.added, [&](const PartRef& p) { return contains(person.dead, p.slot); });
  bool concerned = std::any_of(head.added.begin(), head.added.end(),
                               [&](const PartRef& p) { return contains(person.living, p.slot); });
  TimeMs updated = head.added_at;
  SIEGEL_TRY(left, rows.keys_with_prefix(Rows::history, record.get()));
  for (const auto& key : left) {
    SIEGEL_TRY(value, rows.get(Rows::history, key));
    if (!value) continue;
    SIEGEL_TRY(event, decode_history(*value));
    updated = event.time;
    concerned = concerned || std::any_of(event.parts.begin(), event.parts.end(),
                                         [&](const PartRef& p) { return contains(person.living, p.slot); });
  }
  const auto events = left.size() + (head.added.empty() ? 0 : 1);
  if (!concerned) {
    head.subject.reset();
    rows.erase(Rows::subject_records, key_of(person.subject.get(), record.get()));
  }
  if (events == 0) {
    rows.erase(Rows::record_heads, record.get());
    rows.erase(Rows::records, row_key);
    return Done{};
  }
  head.version = RecordVersion(events);
  if (head.added.empty()) {
    head.created = seq_at_end(left.front());
    head.added_at = {};
  }
  head.modified = left.empty() ? head.created : seq_at_end(left.back());
  rows.put(Rows::record_heads, key_of(record.get()), encode(head));
  SIEGEL_TRY(row_value, rows.get(Rows::records, row_key));
  if (!row_value) return Done{};
  SIEGEL_TRY(row, decode_record(*row_value));
  std::erase_if(row.sections, [&](const Section& s) { return contains(person.dead, s.slot); });
  row.version = head.version;
  row.updated_at = updated;
  row.subject = head.subject;
  rows.put(Rows::records, row_key, encode(row));
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
  for (auto& section : row.sections) {
    SIEGEL_TRY(opened, access.unseal(section.slot, section.cls, kName, key, section.sealed));
    section.sealed.clear();
    append_column(out, opened);
  }
  auto clear = encode(row);
  append(clear, out);
  wipe(out.data(), out.size());
  return clear;
}

}  // namespace siegel::views
