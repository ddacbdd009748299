// `siegel verify`: the verifier over the ledger's own store, also beside a running server.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "app/report.h"

namespace siegel::app {

struct VerifyRun {
  std::filesystem::path data;
  std::string key;                    // verifier key; empty: the ledger's own, and it is said
  std::filesystem::path checkpoint;   // one more, kept elsewhere; empty: none
  std::optional<std::uint64_t> from;  // events before count by their stored hashes alone; rounded down to a tile
  Speech speech;
};
// Report on stdout; 0, or 3 for damage.
int run_verify(const VerifyRun& run);

}  // namespace siegel::app
