// Private to projector: a thread that does one thing at a time ahead of its owner.
#pragma once

#include <functional>
#include <thread>

#include "base/guarded.h"

namespace siegel::projector {

class Ahead {
 public:
  Ahead();
  ~Ahead();
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  void begin(std::function<void()> work);  // only when idle
  void wait();                             // until it is done; at once if there is nothing

 private:
  struct State {
    std::function<void()> work;
    bool busy = false;
    bool stop = false;
  };
  void run();

  Guarded<State> state_;
  std::thread thread_;
};

}  // namespace siegel::projector
