// SIGTERM and SIGINT, heard from the first moment of the server's life to the last. Whoever waits asks or waits here;
// and the process is gone within the bound, whatever hangs: what was answered is on the disk, so nothing is lost by it,
// while freeing what a stuck call still uses would be. Threads: the signals are blocked for the thread that makes this
// and all that are made after it; one own thread.
#pragma once

#include <chrono>
#include <thread>

#include "base/guarded.h"

namespace siegel::app {

class Ending {
 public:
  explicit Ending(std::chrono::milliseconds bound);
  ~Ending();  // the end came in time
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  [[nodiscard]] bool asked() const;
  bool wait_for(std::chrono::milliseconds most);  // asked()

 private:
  struct State {
    bool asked = false;
    bool over = false;
  };
  void run();
  const std::chrono::milliseconds bound_;
  Guarded<State> state_;
  std::thread thread_;
};

}  // namespace siegel::app
