// `siegel rebuild`: the read models anew, from ledger, keys and root alone, with the server stopped. They are made
// beside those that count and take their place in one step at the end; whatever fails before leaves these as they are.
// Rebuilt and live are compared at the same position by digests under a key that nobody keeps.
#pragma once

#include <filesystem>
#include <string>

#include "app/config.h"
#include "app/report.h"

namespace siegel::app {

struct RebuildRun {
  std::filesystem::path data;
  Config config;
  std::string projection;  // only this one is compared and shown; all are made, since they share one position
  Speech speech;
};
// 0; 3 if old and new differ (the new ones count from then on, the old ones are kept for a look); 2 for a projection
// that there is not.
int run_rebuild(const RebuildRun& run);

}  // namespace siegel::app
