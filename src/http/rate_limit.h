// How many requests a token may send in a second: counts per token, thrown away together each second, so that memory is
// bounded by the tokens that are used. Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

#include "base/bytes.h"
#include "base/guarded.h"
#include "model/ids.h"

namespace siegel::http {

class RateLimit {
 public:
  explicit RateLimit(std::uint64_t per_second_max) : per_second_max_(per_second_max) {}  // 0: no limit
  // False: too many in this second.
  [[nodiscard]] bool take(const Id16& token, std::chrono::steady_clock::time_point now);

 private:
  struct Second {
    std::chrono::steady_clock::time_point began;
    std::map<Id16, std::uint64_t> taken;
  };
  const std::uint64_t per_second_max_;
  Guarded<Second> second_;
};

}  // namespace siegel::http
