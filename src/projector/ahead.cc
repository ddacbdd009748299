#include "projector/ahead.h"

#include "base/assert.h"
#include "crypto/memory.h"

namespace siegel::projector {

Ahead::Ahead() : thread_([this] { run(); }) {}

Ahead::~Ahead() {
  wait();
  state_.with([](State& state) { state.stop = true; });
  state_.notify_all();
  thread_.join();
}

void Ahead::begin(std::function<void()> work) {
  state_.with([&](State& state) {
    SIEGEL_ASSERT(!state.busy);
    state.work = std::move(work);
    state.busy = true;
  });
  state_.notify_all();
}

void Ahead::wait() {
  state_.when([](const State& state) { return !state.busy; }, [](State&) {});
}

void Ahead::run() {
  for (;;) {
    auto work = state_.when([](const State& state) { return state.stop || state.work; },
                            [](State& state) { return std::exchange(state.work, nullptr); });
    if (!work) break;
    work();
    state_.with([](State& state) { state.busy = false; });
    state_.notify_all();
  }
  forget_thread_keys();
}

}  // namespace siegel::projector
