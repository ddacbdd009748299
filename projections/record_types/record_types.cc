#include "record_types/record_types.h"

#include "views/registry_rows.h"

namespace siegel::views {

namespace {
// Sealed as a row of the registries, so that whoever reads them all asks for one projection.
constexpr RegistryPlace kPlace{Rows::record_types, kRegistryProjection};
}  // namespace

std::span<const Rows> RecordTypes::rows() const {
  static constexpr Rows kRows[] = {Rows::record_types};
  return kRows;
}

Status RecordTypes::fold(Recorded& event, RowAccess& rows) {
  const auto& header = event.header();
  if (header.type != EventType::registry_type_set) return Done{};
  const auto* facts = std::get_if<RegistryFacts>(&header.facts);
  return facts == nullptr ? Status(Done{}) : set_registry_row(event, kPlace, key_of(TypeNo(facts->number)), rows);
}

Result<Bytes> RecordTypes::logical(Rows, ByteView key, ByteView value, RowAccess& access) {
  return logical_registry_row(kPlace, key, value, access);
}

}  // namespace siegel::views
