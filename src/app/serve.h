// `siegel serve`: the server's life from the checks of the start to the drain.
#pragma once

#include <filesystem>
#include <string>

#include "app/config.h"

namespace siegel::app {

struct ServeSettings {
  std::filesystem::path data;
  Config config;
  std::string version;
  std::string openapi;
};
// Returns the exit code of contract section 3. Prints "listening on http://…" on stdout when ready; SIGTERM and SIGINT
// drain.
int serve(const ServeSettings& settings);

// One line on stderr: what is wrong and what to do. 2 wrong configuration, 4 refused, 1 else.
int report(const Error& error);

}  // namespace siegel::app
