// What local commands and the server say on stderr.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace siegel::app {

struct Speech {
  std::string language = "en";  // "de" or "en"
  bool json = false;            // results and problems as JSON
  bool quiet = false;           // no messages, problems only

  [[nodiscard]] const char* text(const char* german, const char* english) const {
    return language == "de" ? german : english;
  }
};

// A ledger that takes nothing because its disk is full is disk_full to whoever started something; else the error
// itself.
Error cause_of(const Error& error);
// What is wrong with its code, and what to do; with json as the problem object of contract section 1. The exit code: 2
// wrong usage or configuration, 4 refused, 1 else.
int report(const Error& error, const Speech& speech);
// How far read models are that catch up at a start. ./start looks for this line.
void tell_catching_up(std::uint64_t done, std::uint64_t total, const Speech& speech);
// A line that is neither a result nor a problem.
void say(const Speech& speech, const std::string& message);

}  // namespace siegel::app
