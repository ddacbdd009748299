// The index of idempotency entries (keys.md 10): where in the ledger the entry of a client's key stands. No fold over
// events: entries are trailers of payload rows, of whose days the keys die after a week.
#pragma once

#include <vector>

#include "views/projection.h"

namespace siegel::views {

struct IdempotencyEntries {
  Seq row;                 // first sequence of the payload row
  std::vector<Slot> days;  // whose keys its entries are sealed under, each once
};
// Puts one row for each entry of a trailer. Errors: corrupt "row_damaged".
Result<IdempotencyEntries> index_idempotency(Seq row, ByteView trailer, RowAccess& rows);
// Is there a row for the trailer's first entry already?
Result<bool> is_indexed(ByteView trailer, RowAccess& rows);

}  // namespace siegel::views
