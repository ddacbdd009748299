// What the projections of registries share: one row per entry, its newest body sealed anew under the row.
#pragma once

#include "views/projection.h"

namespace siegel::views {

// Under which registries and record types are sealed. It is in row keys: it never changes.
inline constexpr std::string_view kRegistryProjection = "registries";

struct RegistryPlace {
  Rows rows;
  std::string_view projection;
};
Status set_registry_row(Recorded& event, const RegistryPlace& place, const Bytes& key, RowAccess& rows);
Result<Bytes> logical_registry_row(const RegistryPlace& place, ByteView key, ByteView value, RowAccess& access);

}  // namespace siegel::views
