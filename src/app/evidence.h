// What is left of a damaged log, kept before the ledger is opened: RocksDB reads a log up to its first record that does
// not hold, makes tables of that, and deletes the log (docs/adr/0007-damaged-logs-are-kept.md).
#pragma once

#include <string>

#include "app/places.h"
#include "base/clock.h"
#include "base/error.h"

namespace siegel::app {

struct Evidence {
  std::string names;  // of all copies that are there, for the reason; empty: none
  std::string lost;   // what is gone although the lock record is reached, for the reason; empty: nothing
};

// Where a log of the ledger ends in a record that does not hold: if what RocksDB reads does not reach the lock record,
// or another record begins behind, copies that log and those behind it, with the lock record, to DIR/evidence-<time>
// (0700). The ledger syncs each record before it writes the next, so a power loss leaves no record behind a torn one;
// that acknowledged events are gone is then known from nowhere else, and DIR/LOST keeps it until forget_loss(), or
// until the ledger holds more again. Nothing else is touched. At most kEvidenceMax directories of kEvidenceBytesMax
// each; the first are the ones that tell. Errors: disk_full, io_error: then do not open.
inline constexpr std::size_t kEvidenceMax = 4;
inline constexpr std::uint64_t kEvidenceBytesMax = std::uint64_t{256} << 20;
Result<Evidence> keep_evidence(const Places& places, Clock& clock);
Status forget_loss(const Places& places);  // the ledger was adopted as it is

// What is kept must be seen for as long as it is there: it holds ciphertext of people erased since.
struct KeptEvidence {
  std::size_t copies = 0;
  TimeMs oldest;  // when it was made
};
KeptEvidence kept_evidence(const std::filesystem::path& data);

}  // namespace siegel::app
