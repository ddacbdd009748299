// How many wrong sign-ins a line is told apart in a minute: counts thrown away together each minute, so memory is
// bounded. Only wrong ones are counted and refused: a token has 256 bits and is not guessed, so this is for whoever
// floods; the right token gets in always, or anybody could lock out everybody who comes from the same address.
// A line is one IPv4 address, or the /64 of an IPv6 address: whoever has one such address has them all.
// Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "base/guarded.h"

namespace siegel::http {

class SignInLimit {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::uint64_t kWrongMax = 10;
  static constexpr std::size_t kLinesMax = 10'000;  // more at once: to a new line every wrong one is one too many

  // Counts a wrong sign-in; false: one too many.
  [[nodiscard]] bool count_wrong(const std::string& address, Instant now);

 private:
  struct Minute {
    Instant began;
    std::map<std::string, std::uint64_t> wrong;
  };
  Guarded<Minute> minute_;
};

}  // namespace siegel::http
