// How many wrong sign-ins one address has in a minute: counts thrown away together each minute, so memory is bounded.
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
  static constexpr std::size_t kAddressesMax =
      10'000;  // more at once: no new address gets a try before the minute ends

  [[nodiscard]] bool may_try(const std::string& address, Instant now);
  void was_wrong(const std::string& address, Instant now);

 private:
  struct Minute {
    Instant began;
    std::map<std::string, std::uint64_t> wrong;
  };
  static void turn(Minute& minute, Instant now);
  Guarded<Minute> minute_;
};

}  // namespace siegel::http
