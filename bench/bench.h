// `siegel bench`: measures what docs/performance.md tells, on real stores with real syncs in a temporary directory,
// which it removes. Progress on stderr, results on stdout.
#pragma once

#include <filesystem>
#include <string>

namespace siegel::bench {

struct Options {
  std::filesystem::path dir;  // the temporary directory is made in here
  std::string program;        // the executable that serves
  std::string only;           // one figure; empty: all
  bool quick = false;         // seconds instead of minutes: shows that it works, not how fast
  bool json = false;
};
// 0; 2 for an unknown figure; 1 if something could not be measured.
int run(const Options& options);

}  // namespace siegel::bench
