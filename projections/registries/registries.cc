#include "registries/registries.h"

#include "views/registry_rows.h"

namespace siegel::views {

namespace {
constexpr RegistryPlace kPlace{Rows::registries, kRegistryProjection};

std::uint32_t number_of(const Header& header) {
  const auto* facts = std::get_if<RegistryFacts>(&header.facts);
  return facts == nullptr ? 0 : facts->number;
}
}  // namespace

std::span<const Rows> RegistryRows::rows() const {
  static constexpr Rows kRows[] = {Rows::registries};
  return kRows;
}

Status RegistryRows::fold(Recorded& event, RowAccess& rows) {
  const auto number = number_of(event.header());
  switch (event.header().type) {
    case EventType::registry_purpose_set:
      return set_registry_row(event, kPlace, key_of(RegistryKind::purposes, number), rows);
    case EventType::registry_class_set:
      return set_registry_row(event, kPlace, key_of(RegistryKind::classes, number), rows);
    case EventType::registry_token_created:
      return set_registry_row(event, kPlace, key_of(RegistryKind::tokens, number), rows);
    case EventType::registry_token_revoked: {
      const auto key = key_of(RegistryKind::tokens, number);
      SIEGEL_TRY(value, rows.get(Rows::registries, key));
      if (!value) return Done{};
      SIEGEL_TRY(row, decode_registry(*value));
      row.revoked = true;
      rows.put(Rows::registries, key, encode(row));
      return Done{};
    }
    case EventType::registry_type_set:  // a family of its own: record_types
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
    case EventType::import_begun:
    case EventType::import_finished:
    case EventType::import_cancelled:
    case EventType::import_undone:
      break;
  }
  return Done{};
}

Result<Bytes> RegistryRows::logical(Rows, ByteView key, ByteView value, RowAccess& access) {
  return logical_registry_row(kPlace, key, value, access);
}

}  // namespace siegel::views
