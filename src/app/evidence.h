// What is left of a damaged log, kept before the ledger is opened: RocksDB reads a log up to its first record that does
// not hold, makes tables of that, and deletes the log (docs/adr/0007-damaged-logs-are-kept.md).
#pragma once

#include <string>

#include "app/places.h"
#include "base/clock.h"
#include "base/error.h"

namespace siegel::app {

// Where a log of the ledger ends in a record that does not hold, and what RocksDB reads does not reach the lock record:
// copies that log and those behind it, with the lock record, to DIR/evidence-<time> (0700). Nothing else is touched.
// At most kEvidenceMax such directories of kEvidenceBytesMax each; the first are the ones that tell.
// Answers the names of all that are there, for the reason; "": none. Errors: disk_full, io_error: then do not open.
inline constexpr std::size_t kEvidenceMax = 4;
inline constexpr std::uint64_t kEvidenceBytesMax = std::uint64_t{256} << 20;
Result<std::string> keep_evidence(const Places& places, Clock& clock);

// What is kept must be seen for as long as it is there: it holds ciphertext of people erased since.
struct KeptEvidence {
  std::size_t copies = 0;
  TimeMs oldest;  // when it was made
};
KeptEvidence kept_evidence(const std::filesystem::path& data);

}  // namespace siegel::app
