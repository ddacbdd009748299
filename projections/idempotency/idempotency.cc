#include "idempotency/idempotency.h"

#include "codec/rows.h"

namespace siegel::views {

Result<IdempotencyEntries> index_idempotency(Seq row, ByteView trailer, RowAccess& rows) {
  IdempotencyEntries out{row, {}};
  if (trailer.empty()) return out;
  SIEGEL_TRY(entries, codec::decode_idempotency(trailer));
  for (const auto& entry : entries) {
    rows.put(Rows::idempotency, entry.mac, encode(IdempotencyPlace{row, entry.day_slot}));
    if (!contains(out.days, entry.day_slot)) out.days.push_back(entry.day_slot);
  }
  return out;
}

Result<bool> is_indexed(ByteView trailer, RowAccess& rows) {
  SIEGEL_TRY(entries, codec::decode_idempotency(trailer));
  if (entries.empty()) return false;
  SIEGEL_TRY(value, rows.get(Rows::idempotency, entries.front().mac));
  return value.has_value();
}

}  // namespace siegel::views
