#include "http/rate_limit.h"

namespace siegel::http {

bool RateLimit::take(const Id16& token, std::chrono::steady_clock::time_point now) {
  if (per_second_max_ == 0) return true;
  return second_.with([&](Second& second) {
    if (now - second.began >= std::chrono::seconds(1)) second = {now, {}};
    auto& taken = second.taken[token];
    if (taken >= per_second_max_) return false;
    ++taken;
    return true;
  });
}

}  // namespace siegel::http
