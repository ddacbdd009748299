// Bulk: rows sealed by two threads and appended by the real ledger, or put through the bare loop on one.
#pragma once

#include <cstdint>

#include "bench/rows.h"
#include "bench/stores.h"

namespace siegel::bench {

// Events per second of one thread that makes, seals, hashes, completes, grows the tree and signs every 5,000 events:
// all that an event costs before a store, and nothing else.
Result<double> bare_loop(std::uint64_t events);

struct BulkRun {
  std::uint64_t events = 0;
  double appended_seconds = 0;   // until the last one was durable and answered
  double projected_seconds = 0;  // until the read models showed it; 0 without projections
  RecordId record;               // one that was added
};
// Appends at least so many events as commands of 500.
Result<BulkRun> bulk(Stores& stores, Stores::With with, const Actor& actor, std::uint64_t events);

}  // namespace siegel::bench
