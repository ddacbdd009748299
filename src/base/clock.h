// Clock and randomness as interfaces, so that production code runs in a seeded simulation.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"

namespace siegel {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimeMs now() = 0;                       // wall clock
  [[nodiscard]] virtual std::chrono::nanoseconds steady() = 0;  // never steps; origin arbitrary
};

class SystemClock final : public Clock {
 public:
  TimeMs now() override;
  std::chrono::nanoseconds steady() override;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes out) = 0;  // from any thread; aborts if the system has no randomness
};

}  // namespace siegel
