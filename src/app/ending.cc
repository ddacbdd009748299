#include "app/ending.h"

#include <csignal>
#include <cstdio>

#include <unistd.h>

namespace siegel::app {
namespace {

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

Ending::Ending(std::chrono::milliseconds bound) : bound_(bound) {
  const auto signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { run(); });
}

Ending::~Ending() {
  state_.with([](State& s) { s.over = true; });
  state_.notify_all();
  pthread_kill(thread_.native_handle(), SIGTERM);  // blocked there: it only ends the wait
  thread_.join();
}

bool Ending::asked() const {
  return state_.with([](const State& s) { return s.asked; });
}

bool Ending::wait_for(std::chrono::milliseconds most) {
  return state_.when_for(
      most, [](const State& s) { return s.asked; }, [](const State&, bool asked) { return asked; });
}

void Ending::run() {
  const auto signals = ending_signals();
  while (sigwaitinfo(&signals, nullptr) < 0) {  // interrupted by a debugger, say
  }
  state_.with([](State& s) { s.asked = true; });
  state_.notify_all();
  const bool over = state_.when_for(
      bound_, [](const State& s) { return s.over; }, [](const State&, bool is_over) { return is_over; });
  if (over) return;
  std::fprintf(stderr,
               "siegel: ended without waiting for a call that does not end; what was answered is on the disk\n");
  _exit(1);
}

}  // namespace siegel::app
