// What the storage under the stores can do, measured beside each figure: absolute figures differ from machine to
// machine.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "store/file.h"

namespace siegel::bench {

// 4 KiB appended and fdatasync, some hundred times.
Result<SyncLatency> sync_latency(const std::filesystem::path& dir);

// Synced puts of 700 bytes by one thread on a RocksDB with the settings of our stores; per second.
Result<double> synced_puts_per_s(const std::filesystem::path& dir, std::chrono::milliseconds time);

}  // namespace siegel::bench
