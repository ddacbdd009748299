// `siegel serve`: the server's life from the checks of the start to the drain.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "app/config.h"

namespace siegel::app {

struct ServeSettings {
  std::filesystem::path data;
  Config config;
  std::string version;
  std::string openapi;
  std::string language = "en";  // of what is said on stderr: "de" or "en"
};
// Returns the exit code of contract section 3. Prints "listening on http://…" on stdout when ready; SIGTERM and SIGINT
// drain.
int serve(const ServeSettings& settings);

// On stderr: what is wrong with its code, and what to do. 2 wrong configuration, 4 refused, 1 else.
int report(const Error& error, std::string_view language = "en");

}  // namespace siegel::app
