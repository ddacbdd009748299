// What is measured over HTTP, against the program itself as a child process.
#pragma once

#include <chrono>

#include "bench/site.h"
#include "store/file.h"

namespace siegel::bench {

struct ServedTimes {
  std::chrono::milliseconds warm_up;
  std::chrono::milliseconds measured;  // each
  std::uint64_t people;                // added before, for reads and changes
  unsigned erasures;
};

struct Served {
  double commands_per_s = 0, commands_p99_ms = 0, cpu_us_per_command = 0;
  double single_per_s = 0;
  double reads_per_s = 0, reads_p99_ms = 0;
  double erase_p99_ms = 0;
  SyncLatency sync_commands, sync_single, sync_reads, sync_erase;
};
struct ServedWants {
  bool commands = false, single = false, reads = false, erase = false;
};
// The site is started and stopped.
Result<Served> measure_served(Site& site, const ServedTimes& times, const ServedWants& wants);

// From the start of the process until it has answered a change of the record and a traced read of it; ms.
Result<double> measure_open(Site& site, const RecordId& record);

// Of a site that is stopped: from the start of the process until its search index is loaded; then searches with eight
// connections: by the beginning of an e-mail address, by a name that some thousand people have and a city that all
// have, by the beginning of a customer number.
struct Searched {
  double load_s = 0, p99_ms = 0;
};
Result<Searched> measure_search(Site& site, const ServedTimes& times);

// Peak resident memory of the started server, in MiB, after reads and commands on top of what it holds.
Result<double> measure_memory(const Site& site, const ServedTimes& times);

}  // namespace siegel::bench
