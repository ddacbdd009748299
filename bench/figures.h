// What `siegel bench` measures: names, units, floors and aims; and how results are shown. What each figure covers:
// docs/performance.md. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/file.h"

namespace siegel::bench {

enum class Better : bool { higher, lower };

struct Figure {
  std::string_view name;
  std::string_view unit;
  std::optional<double> floor;  // must
  std::optional<double> aim;
  Better better = Better::higher;
};
std::span<const Figure> figures() noexcept;  // in the order in which they are shown
const Figure* find_figure(std::string_view name) noexcept;

struct Measured {
  const Figure* figure = nullptr;
  double value = 0;
  SyncLatency sync;  // of the storage, beside this measurement
};
// Nothing: the figure has no floor.
std::optional<bool> met(const Measured& measured) noexcept;

// {"name":{"value":…,"unit":…,"floor":…,"aim":…,"met":…,"sync_latency_p50_ms":…,…}}; null where there is no floor or
// aim.
std::string to_json(std::span<const Measured> results);
std::string to_table(std::span<const Measured> results);

}  // namespace siegel::bench
