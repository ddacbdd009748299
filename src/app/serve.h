// `siegel serve`: the server's life from the checks of the start to the drain.
#pragma once

#include <filesystem>
#include <string>

#include "app/config.h"
#include "app/report.h"

namespace siegel::app {

struct ServeSettings {
  std::filesystem::path data;
  Config config;
  std::string version;
  std::string openapi;
  Speech speech;
};
// Returns the exit code of contract section 3. Prints "listening on http://…" on stdout when ready; SIGTERM and SIGINT
// drain.
int serve(const ServeSettings& settings);

}  // namespace siegel::app
