#include "erasures/erasures.h"

#include <algorithm>
#include <map>

#include "codec/bodies_codec.h"
#include "model/definitions.h"
#include "views/registry_rows.h"

namespace siegel::views {

namespace {

Result<std::optional<ErasureRow>> find(const ErasureId& id, RowAccess& rows) {
  SIEGEL_TRY(value, rows.get(Rows::erasures, id.get()));
  if (!value) return std::optional<ErasureRow>{};
  SIEGEL_TRY(row, decode_erasure(*value));
  return std::optional(std::move(row));
}

void settle_state(ErasureRow& row) {
  if (row.requests_effective < row.requests.size())
    row.state = ErasureState::requested;
  else
    row.state = row.requests_completed < row.requests.size() ? ErasureState::effective : ErasureState::completed;
}

// 410 instead of 404: for the person if the request names no classes, and for the records of the notice, also those
// that keep another class (who asks looks at the record first). Nothing but the notice decides, as in a rebuild.
void mark(const ErasureNotice& notice, const SubjectId& subject, Seq seq, RequestRow& request, RowAccess& rows) {
  if (!request.erasure) return;
  if (request.classes.empty()) request.marked.push_back(subject.get());
  for (const auto& record : notice.records) request.marked.push_back(record.get());
  for (const auto& id : request.marked) rows.put(Rows::erased, key_of(id, seq), encode(*request.erasure));
}

Status request(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  const auto* facts = std::get_if<ErasureRequestedFacts>(&header.facts);
  if (facts == nullptr) return Done{};
  RequestRow request;
  if (header.job) request.erasure = ErasureId(header.job->get());
  request.id_in_header = header.job.has_value();
  request.leaves = facts->leaves;
  request.notices = static_cast<std::uint16_t>(header.part_count == 0 ? 0 : header.part_count - 1);
  request.classes = facts->classes;
  const auto parts = event.parts();
  const auto count = static_cast<std::uint16_t>(parts.size());  // at most kPartsMax
  for (std::uint16_t i = 1; i < count; ++i) {
    if (parts[i].removed || parts[i].envelope.cls != built_in::erasure_notice) continue;
    const SubjectId subject(parts[i].envelope.owner.get());
    request.people.push_back({subject, parts[i].envelope.slot});
    SIEGEL_TRY(opened, event.open(i));
    const auto* clear = std::get_if<SecretBytes>(opened);
    if (clear == nullptr) continue;
    SIEGEL_TRY(notice, codec::decode_notice(clear->view(), header.schema));
    if (!request.erasure) request.erasure = notice.erasure;
    mark(notice, subject, header.seq, request, rows);
  }
  if (request.erasure) {
    SIEGEL_TRY(found, find(*request.erasure, rows));
    ErasureRow row;
    if (found) {
      row = std::move(*found);
    } else {
      row.ground = facts->ground;
      row.classes = facts->classes;
      row.requested_at = header.time;
      row.deadline = TimeMs(facts->deadline_ms);
    }
    row.requests.push_back(header.seq);
    row.subjects += request.notices;
    row.leaves += request.leaves;
    settle_state(row);
    rows.put(Rows::erasures, key_of(request.erasure->get()), encode(row));
  }
  rows.put(Rows::erasure_requests, key_of(header.seq), encode(request));
  return Done{};
}

// Takes back what this request has counted; without its last request an effect is nobody's.
void take_back(const Carried& request, std::vector<ErasureEffect>& effects) {
  const auto at = std::find_if(effects.begin(), effects.end(),
                               [&](const ErasureEffect& effect) { return effect.seq == request.row.effective; });
  if (at == effects.end()) return;
  if (at->requests > 1)
    --at->requests;
  else
    effects.erase(at);
}

// With the notice goes everything that only the notice told.
void end_notice(const Carried& request, std::optional<ErasureRow>& row, RowAccess& rows) {
  for (const auto& id : request.row.marked) rows.erase(Rows::erased, key_of(id, request.seq));
  rows.erase(Rows::erasure_requests, key_of(request.seq));
  if (!row || request.row.id_in_header) return;
  std::erase(row->requests, request.seq);
  take_back(request, row->effects);
  row->requests_effective -= std::min(row->requests_effective, 1u);
  row->requests_completed -= std::min(row->requests_completed, request.row.completed ? 1u : 0u);
  row->subjects -= std::min<std::uint32_t>(row->subjects, request.row.notices);
  row->leaves -= std::min<std::uint64_t>(row->leaves, request.row.leaves);
}

// The classes of this moment that people registered and the erasure left. An erasure of all classes leaves none of
// them.
Result<std::vector<KeptClass>> kept_classes(const ErasureRow& row, RowAccess& rows) {
  std::vector<KeptClass> out;
  if (row.classes.empty()) return out;
  SIEGEL_TRY(keys, rows.keys_with_prefix(Rows::registries, be(static_cast<std::uint8_t>(RegistryKind::classes))));
  for (const auto& key : keys) {
    SIEGEL_TRY(value, rows.get(Rows::registries, key));
    if (!value) continue;
    SIEGEL_TRY(registered, decode_registry(*value));
    const ClassNo number(get_be<std::uint32_t>(key.data() + 1));
    if (ends_with(row.classes, number)) continue;
    SIEGEL_TRY(opened, rows.unseal(registered.slot, built_in::registry, kRegistryProjection, key, registered.sealed));
    const auto* clear = std::get_if<SecretBytes>(&opened);
    if (clear == nullptr) continue;
    SIEGEL_TRY(body, codec::decode_registry(clear->view(), codec::kSchemaVersion));
    if (const auto* cls = std::get_if<ClassDefinition>(&body)) out.push_back({number, cls->legal_ground, cls->period});
  }
  return out;
}

// The entry of this event in the row, made with the first of its requests.
Result<ErasureEffect*> effect_of(const Header& header, const ErasureEffectiveFacts& facts, ErasureRow& row,
                                 RowAccess& rows) {
  auto& effects = row.effects;
  if (!effects.empty() && effects.back().seq == header.seq) return &effects.back();
  SIEGEL_TRY(kept, kept_classes(row, rows));
  effects.push_back({header.seq, header.time, facts.old_epoch, facts.new_epoch, facts.old_root, facts.new_root,
                     facts.grade, facts.members, facts.replicas, 0, std::move(kept)});
  return &effects.back();
}

Status effective(const Header& header, const ErasureEffectiveFacts& facts, RowAccess& rows) {
  SIEGEL_TRY(requests, carried(facts, rows));
  std::map<ErasureId, std::optional<ErasureRow>> erasures;  // one erasure may have thousands of requests
  for (auto& request : requests) {
    std::optional<ErasureRow> none;
    auto* row = &none;
    if (request.row.erasure) {
      auto at = erasures.find(*request.row.erasure);
      if (at == erasures.end()) {
        SIEGEL_TRY(found, find(*request.row.erasure, rows));
        at = erasures.emplace(*request.row.erasure, std::move(found)).first;
      }
      row = &at->second;
    }
    if (request.end_of_notice()) {
      end_notice(request, *row, rows);
      continue;
    }
    request.row.effective = header.seq;
    rows.put(Rows::erasure_requests, key_of(request.seq), encode(request.row));
    if (!*row) continue;
    SIEGEL_TRY(effect, effect_of(header, facts, **row, rows));
    ++effect->requests;
    ++(*row)->requests_effective;
  }
  for (auto& [id, row] : erasures) {
    if (!row) continue;
    settle_state(*row);
    if (row->requests.empty())
      rows.erase(Rows::erasures, id.get());
    else
      rows.put(Rows::erasures, key_of(id.get()), encode(*row));
  }
  return Done{};
}

Status complete(const ErasureCompletedFacts& facts, RowAccess& rows) {
  const auto key = key_of(Seq(facts.request));
  SIEGEL_TRY(value, rows.get(Rows::erasure_requests, key));
  if (!value) return Done{};
  SIEGEL_TRY(request, decode_request(*value));
  if (request.completed) return Done{};
  request.completed = true;
  rows.put(Rows::erasure_requests, key, encode(request));
  if (!request.erasure) return Done{};
  SIEGEL_TRY(row, find(*request.erasure, rows));
  if (!row) return Done{};
  ++row->requests_completed;
  settle_state(*row);
  rows.put(Rows::erasures, key_of(request.erasure->get()), encode(*row));
  return Done{};
}

}  // namespace

std::span<const Rows> Erasures::rows() const {
  static constexpr Rows kRows[] = {Rows::erasures, Rows::erasure_requests, Rows::erased};
  return kRows;
}

Status Erasures::fold(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  switch (header.type) {
    case EventType::erasure_requested:
      return request(event, rows);
    case EventType::erasure_effective:
      if (const auto* facts = std::get_if<ErasureEffectiveFacts>(&header.facts)) return effective(header, *facts, rows);
      break;
    case EventType::erasure_completed:
      if (const auto* facts = std::get_if<ErasureCompletedFacts>(&header.facts)) return complete(*facts, rows);
      break;
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

Result<Bytes> Erasures::logical(Rows, ByteView, ByteView value, RowAccess&) { return to_bytes(value); }

}  // namespace siegel::views
