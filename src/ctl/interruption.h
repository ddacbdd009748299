// SIGINT and SIGTERM as a question instead of an end, while this lives: the first one is noted, so that work can stop
// in order; the second ends the program at once. One at a time.
#pragma once

#include <csignal>

namespace siegel::ctl {

class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  [[nodiscard]] static bool is_asked() noexcept;  // from any thread

 private:
  struct sigaction interrupt_ {};  // what was in force before
  struct sigaction terminate_ {};
};

}  // namespace siegel::ctl
