#include "imports/imports.h"

namespace siegel::views {

namespace {

Status begin(const JobId& job, const Header& header, const ImportFacts& facts, RowAccess& rows) {
  ImportRow row;
  row.type = header.record_type;
  row.purpose = header.purpose;
  row.begun_seq = header.seq;
  row.begun_at = header.time;
  row.counts = facts;
  rows.put(Rows::imports, job.get(), encode(row));
  return Done{};
}

// An end without a beginning, or a second one, says nothing.
Status end(const JobId& job, const Header& header, const ImportFacts& facts, ImportState from, ImportState to,
           RowAccess& rows) {
  SIEGEL_TRY(value, rows.get(Rows::imports, job.get()));
  if (!value) return Done{};
  SIEGEL_TRY(row, decode_import(*value));
  if (row.state != from) return Done{};
  row.state = to;
  if (to == ImportState::undone) {
    row.undone_seq = header.seq;
    row.undone_at = header.time;
    row.undone = facts;
  } else {
    row.ended_seq = header.seq;
    row.ended_at = header.time;
    if (to == ImportState::finished) row.counts = facts;
  }
  rows.put(Rows::imports, job.get(), encode(row));
  return Done{};
}

}  // namespace

std::span<const Rows> Imports::rows() const {
  static constexpr Rows kRows[] = {Rows::imports};
  return kRows;
}

Status Imports::fold(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  const auto* facts = std::get_if<ImportFacts>(&header.facts);
  if (facts == nullptr || !header.job) return Done{};
  const auto& job = *header.job;
  switch (header.type) {
    case EventType::import_begun:
      return begin(job, header, *facts, rows);
    case EventType::import_finished:
      return end(job, header, *facts, ImportState::begun, ImportState::finished, rows);
    case EventType::import_cancelled:
      return end(job, header, *facts, ImportState::begun, ImportState::cancelled, rows);
    case EventType::import_undone:
      return end(job, header, *facts, ImportState::finished, ImportState::undone, rows);
    case EventType::registry_purpose_set:
    case EventType::registry_class_set:
    case EventType::registry_type_set:
    case EventType::registry_token_created:
    case EventType::registry_token_revoked:
    case EventType::record_added:
    case EventType::record_changed:
    case EventType::record_removed:
    case EventType::subject_registered:
    case EventType::subject_linked:
    case EventType::subject_merged:
    case EventType::access_read:
    case EventType::refusal_recorded:
    case EventType::erasure_requested:
    case EventType::erasure_effective:
    case EventType::erasure_completed:
    case EventType::job_started:
    case EventType::job_finished:
    case EventType::ledger_created:
    case EventType::ledger_configured:
    case EventType::ledger_clock_skewed:
      break;
  }
  return Done{};
}

Result<Bytes> Imports::logical(Rows, ByteView, ByteView value, RowAccess&) { return to_bytes(value); }

}  // namespace siegel::views
