// Threads on which reads go on after their access event is durable, and commands are prepared again. Bounded by what
// waits on the ledger's queue.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "service/service.h"

namespace siegel::app {

class Workers final : public service::Executor {
 public:
  explicit Workers(unsigned count) {
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Workers() override {
    state_.with([](State& s) { s.stop = true; });
    state_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  void post(std::function<void()> work) override {
    state_.with([&](State& s) { s.queue.push_back(std::move(work)); });
    state_.notify_one();
  }

 private:
  struct State {
    std::deque<std::function<void()>> queue;
    bool stop = false;
  };
  void run() {
    for (;;) {
      auto work = state_.when([](const State& s) { return s.stop || !s.queue.empty(); },
                              [](State& s) -> std::function<void()> {
                                if (s.queue.empty()) return nullptr;
                                auto first = std::move(s.queue.front());
                                s.queue.pop_front();
                                return first;
                              });
      if (!work) return;
      work();
    }
  }
  Guarded<State> state_;
  std::vector<std::thread> threads_;
};

}  // namespace siegel::app
