#include "vault/gate.h"

#include "crypto/memory.h"

namespace siegel::vault {
namespace {

std::size_t stripe_of_thread(std::size_t stripes) noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return mine % stripes;
}

}  // namespace

KeyGate::Inside::Inside(KeyGate& gate) : stripe_(gate.stripes_[stripe_of_thread(kStripes)]), lock_(stripe_.mutex) {}

KeyGate::Closed::Closed(KeyGate& gate) : gate_(gate) {
  for (auto& stripe : gate_.stripes_) stripe.mutex.lock();
}

KeyGate::Closed::~Closed() {
  forget_keys_of_all_threads();
  for (auto& stripe : gate_.stripes_) stripe.mutex.unlock();
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
