#include "views/registry_rows.h"

#include "model/definitions.h"

namespace siegel::views {

Status set_registry_row(Recorded& event, const RegistryPlace& place, const Bytes& key, RowAccess& rows) {
  const auto& header = event.header();
  const auto* facts = std::get_if<RegistryFacts>(&header.facts);
  const auto parts = event.parts();
  for (std::uint16_t i = 1; facts != nullptr && i < parts.size(); ++i) {
    if (parts[i].removed || parts[i].envelope.cls != built_in::registry || parts[i].ciphertext.empty()) continue;
    SIEGEL_TRY(opened, event.open(i));
    const auto* clear = std::get_if<SecretBytes>(opened);
    if (clear == nullptr) continue;
    Views::RegistryRow row;
    row.type = header.type;
    row.version = facts->version;
    row.at = header.time;
    row.slot = parts[i].envelope.slot;
    SIEGEL_TRY(value, rows.get(place.rows, key));
    if (value) {
      SIEGEL_TRY(before, decode_registry(*value));
      row.at = before.at;
      row.revoked = before.revoked;
    }
    SIEGEL_TRY(sealed, seal_living(rows, row.slot, place.projection, key, clear->view()));
    if (!sealed) continue;
    row.sealed = std::move(*sealed);
    rows.put(place.rows, key, encode(row));
    return Done{};
  }
  return Done{};
}

Result<Bytes> logical_registry_row(const RegistryPlace& place, ByteView key, ByteView value, RowAccess& access) {
  SIEGEL_TRY(row, decode_registry(value));
  SIEGEL_TRY(opened, access.unseal(row.slot, built_in::registry, place.projection, key, row.sealed));
  row.sealed.clear();
  auto out = encode(row);
  append_column(out, opened);
  return out;
}

}  // namespace siegel::views
