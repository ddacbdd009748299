// Randomness that one seed determines, for simulations and repeatable tests. Not for keys: SplitMix64 is no cipher.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace siegel::test {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  void fill(MutableBytes out) override {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < out.size(); i += 8) {
      const auto word = be(next_locked());
      const std::size_t now = out.size() - i < 8 ? out.size() - i : 8;
      std::memcpy(out.data() + i, word.data(), now);
    }
  }
  std::uint64_t next() {
    const std::lock_guard lock(mutex_);
    return next_locked();
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }  // the bias does not matter to a test
  template <std::size_t N>
  ByteArray<N> array() {
    ByteArray<N> out;
    fill(out);
    return out;
  }
  Bytes bytes(std::size_t size) {
    Bytes out(size);
    fill(out);
    return out;
  }

 private:
  std::uint64_t next_locked() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace siegel::test
