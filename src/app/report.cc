#include "app/report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/advice.h"
#include "texts/problems.h"

namespace siegel::app {

Error cause_of(const Error& error) {
  const auto* const reason = error.is("read_only") ? error.find("reason") : nullptr;
  if (reason == nullptr || *reason != "disk_full") return error;
  return {Errc::unavailable, "disk_full", "There is too little room left on the disk of the store."};
}

int report(const Error& found, const Speech& speech) {
  const auto error = cause_of(found);
  const std::string what(advice(error.code(), speech.language));
  if (speech.json) {
    nlohmann::json problem = {{"type", std::string("urn:siegel:problem:") + error.code()},
                              {"title", error.what()},
                              {"code", error.code()},
                              {"detail", error.text()}};
    if (!what.empty()) problem["hint"] = what;
    // A path may be of any bytes.
    std::fprintf(stderr, "%s\n", problem.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::fprintf(stderr, "siegel: %s [%s]\n", texts::told(error, speech.language).c_str(), error.code());
    if (!what.empty())
      std::fprintf(stderr, "siegel: %s: %s\n", speech.text("was zu tun ist", "what to do"), what.c_str());
  }
  if (error.category() == Errc::invalid) return 2;
  const bool refused = error.category() == Errc::denied || error.category() == Errc::conflict ||
                       error.is("root_behind") || error.is("keys_behind") || error.is("other_ledger") ||
                       error.is("format_newer") || error.is("data_in_use") || error.is("read_only");
  return refused ? 4 : 1;
}

void tell_catching_up(std::uint64_t done, std::uint64_t total, const Speech& speech) {
  std::fprintf(stderr,
               speech.text("siegel: die Lesemodelle werden nachgeführt: %llu von %llu Ereignissen\n",
                           "siegel: the read models catch up: %llu of %llu events\n"),
               static_cast<unsigned long long>(done), static_cast<unsigned long long>(total));
}

void say(const Speech& speech, const std::string& message) {
  if (!speech.quiet) std::fprintf(stderr, "siegel: %s\n", message.c_str());
}

}  // namespace siegel::app
