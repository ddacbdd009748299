#include "base/clock.h"

namespace siegel {

TimeMs SystemClock::now() {
  return TimeMs(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count()));
}

std::chrono::nanoseconds SystemClock::steady() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace siegel
