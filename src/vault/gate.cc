#include "vault/gate.h"

#include "crypto/memory.h"

namespace siegel::vault {
namespace {

// How often threads were asked to forget, over all vaults of the process: the contexts belong to threads, not to
// vaults.
std::atomic<std::uint64_t> forget_requests{0};

void forget_if_asked() noexcept {
  thread_local std::uint64_t done = 0;
  const auto asked = forget_requests.load(std::memory_order_acquire);
  if (done == asked) return;
  forget_thread_keys();
  done = asked;
}

std::size_t stripe_of_thread(std::size_t stripes) noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return mine % stripes;
}

}  // namespace

KeyGate::Inside::Inside(KeyGate& gate) : stripe_(gate.stripes_[stripe_of_thread(kStripes)]), lock_(stripe_.mutex) {
  forget_if_asked();
}

KeyGate::Closed::Closed(KeyGate& gate) : gate_(gate) {
  for (auto& stripe : gate_.stripes_) stripe.mutex.lock();
}

KeyGate::Closed::~Closed() {
  forget_requests.fetch_add(1, std::memory_order_release);
  for (auto& stripe : gate_.stripes_) stripe.mutex.unlock();
  forget_if_asked();
}

std::uint64_t KeyGate::sealed() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& stripe : stripes_) sum += stripe.sealed.load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t KeyGate::opened() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& stripe : stripes_) sum += stripe.opened.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace siegel::vault
