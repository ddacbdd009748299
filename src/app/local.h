// The local commands (L in contract section 3): they work on the data directory with the server stopped. Each returns
// the exit code.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/instance.h"
#include "app/report.h"

namespace siegel::app {

int run_init(const InitOptions& options, const Speech& speech);

struct LocalTokenOptions {
  std::filesystem::path data;
  Config config;
  std::string role;
  std::string expires;     // "12h", "30d", "45m"; empty: never
  std::string bulk_until;  // likewise; empty: no bulk export
  std::string label;
  std::vector<std::string> purposes;  // empty: all
  std::vector<std::string> types;     // empty: all
  Speech speech;
};
int run_token_create(const LocalTokenOptions& options);

int run_lock_show(const std::filesystem::path& data, const Speech& speech);

struct LockAdoptOptions {
  std::filesystem::path data;
  Config config;
  std::string reason;
  bool yes = false;
  Speech speech;
};
int run_lock_adopt(const LockAdoptOptions& options);

}  // namespace siegel::app
