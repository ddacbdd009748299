#include "history/history.h"

#include <algorithm>
#include <utility>

namespace siegel::views {

namespace {

Status note_record(Recorded& event, RowAccess& rows) {
  SIEGEL_TRY(parts, living_parts(event));
  if (parts.empty()) return Done{};
  SIEGEL_TRY(import, unfinished_import(event.header(), rows));
  HistoryRow row{event.header().time, {}, import};
  for (const auto& part : parts) row.parts.push_back({part.number, part.envelope->slot});
  rows.put(Rows::history, key_of(parts.front().body->record.get(), event.header().seq), encode(row));
  return Done{};
}

void note_people(const Recorded& event, RowAccess& rows) {
  std::vector<std::pair<SubjectId, PartRef>> seen;
  const auto parts = event.parts();
  const auto count = static_cast<std::uint16_t>(parts.size());  // at most kPartsMax
  for (std::uint16_t i = 0; i < count; ++i)
    if (const auto person = person_of(parts[i])) seen.push_back({*person, {i, parts[i].envelope.slot}});
  std::stable_sort(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<PartRef> refs;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    refs.push_back(seen[i].second);
    if (i + 1 < seen.size() && seen[i + 1].first == seen[i].first) continue;
    rows.put(Rows::subject_history, key_of(seen[i].first.get(), event.header().seq), encode_parts(refs));
    refs.clear();
  }
}

bool drop(std::vector<PartRef>& parts, std::span<const Slot> dead) {
  return std::erase_if(parts, [&](const PartRef& p) { return contains(dead, p.slot); }) > 0;
}

Status forget_person(const SubjectId& subject, std::span<const Slot> dead, RowAccess& rows) {
  SIEGEL_TRY(keys, rows.keys_with_prefix(Rows::subject_history, subject.get()));
  for (const auto& key : keys) {
    SIEGEL_TRY(value, rows.get(Rows::subject_history, key));
    if (!value) continue;
    SIEGEL_TRY(parts, decode_parts(*value));
    if (!drop(parts, dead)) continue;
    if (parts.empty())
      rows.erase(Rows::subject_history, key);
    else
      rows.put(Rows::subject_history, key, encode_parts(parts));
  }
  return Done{};
}

Status forget_records(const Erasing& person, RowAccess& rows) {
  SIEGEL_TRY(records, rows.keys_with_prefix(Rows::subject_records, person.subject.get()));
  for (const auto& record : records) {
    SIEGEL_TRY(keys, rows.keys_with_prefix(Rows::history, id_at_end(record)));
    for (const auto& key : keys) {
      SIEGEL_TRY(value, rows.get(Rows::history, key));
      if (!value) continue;
      SIEGEL_TRY(row, decode_history(*value));
      if (!drop(row.parts, person.dead)) continue;
      if (row.parts.empty())
        rows.erase(Rows::history, key);
      else
        rows.put(Rows::history, key, encode(row));
    }
  }
  return Done{};
}

}  // namespace

std::span<const Rows> History::rows() const {
  static constexpr Rows kRows[] = {Rows::history, Rows::subject_history};
  return kRows;
}

Status History::fold(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  switch (header.type) {
    case EventType::record_changed:
    case EventType::record_removed:
      SIEGEL_CHECK(note_record(event, rows));
      break;
    case EventType::erasure_requested: {
      SIEGEL_TRY(people, erasing(event, rows));
      for (const auto& person : people) {
        SIEGEL_CHECK(forget_person(person.subject, person.dead, rows));
        SIEGEL_CHECK(forget_records(person, rows));
      }
      break;
    }
    case EventType::erasure_effective:
      if (const auto* facts = std::get_if<ErasureEffectiveFacts>(&header.facts)) {
        SIEGEL_TRY(requests, carried(*facts, rows));
        for (const auto& request : requests)
          if (request.end_of_notice())
            for (const auto& person : request.row.people)
              SIEGEL_CHECK(forget_person(person.subject, std::span(&person.notice, 1), rows));
      }
      break;
    case EventType::record_added:  // in the record's head
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
  note_people(event, rows);
  return Done{};
}

Result<Bytes> History::logical(Rows, ByteView, ByteView value, RowAccess&) { return to_bytes(value); }

}  // namespace siegel::views
