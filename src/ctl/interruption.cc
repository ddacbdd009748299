#include "ctl/interruption.h"

#include <atomic>

namespace siegel::ctl {
namespace {

std::atomic<bool> asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch it");

extern "C" void note_signal(int number) {
  if (!asked.exchange(true)) return;
  std::signal(number, SIG_DFL);
  std::raise(number);  // takes effect when this returns
}

// A signal that is ignored from outside (nohup) stays ignored.
void listen(int number, struct sigaction& before) {
  struct sigaction now {};
  now.sa_handler = note_signal;
  sigemptyset(&now.sa_mask);
  now.sa_flags = SA_RESTART;
  sigaction(number, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(number, &now, nullptr);
}

}  // namespace

Interruption::Interruption() {
  asked = false;
  listen(SIGINT, interrupt_);
  listen(SIGTERM, terminate_);
}

Interruption::~Interruption() {
  sigaction(SIGINT, &interrupt_, nullptr);
  sigaction(SIGTERM, &terminate_, nullptr);
}

bool Interruption::is_asked() noexcept { return asked; }

}  // namespace siegel::ctl
