// Private to vault: who may hold keys right now. Every call that touches key material is inside (shared); an erasure
// and the change of the root key go through alone(), which waits until nobody is inside. So alone() is the proof that
// no thread still holds a copy of a key that was dropped before. Striped: threads inside do not share a cache line.
// Held over reads of the keys store (a walk down the tree), against the house rule, because what it guards is the
// lifetime of keys on stacks. Not recursive.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>

namespace siegel::vault {

class KeyGate {
 public:
  class Inside {
   public:
    explicit Inside(KeyGate& gate);
    void count_sealed() noexcept { stripe_.sealed.fetch_add(1, std::memory_order_relaxed); }
    void count_opened() noexcept { stripe_.opened.fetch_add(1, std::memory_order_relaxed); }

   private:
    friend class KeyGate;
    struct alignas(64) Stripe {
      std::shared_mutex mutex;
      std::atomic<std::uint64_t> sealed{0};
      std::atomic<std::uint64_t> opened{0};
    };
    Stripe& stripe_;
    std::shared_lock<std::shared_mutex> lock_;
  };

  // Runs f with nobody inside, then wipes what OpenSSL's contexts of all threads hold of the last keys
  // (crypto/memory.h), before anybody gets in again. f must not do I/O.
  template <class F>
  void alone(F&& f) {
    const Closed closed(*this);
    std::forward<F>(f)();
  }
  [[nodiscard]] std::uint64_t sealed() const noexcept;
  [[nodiscard]] std::uint64_t opened() const noexcept;

 private:
  class Closed {
   public:
    explicit Closed(KeyGate& gate);
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;
    ~Closed();

   private:
    KeyGate& gate_;
  };
  static constexpr std::size_t kStripes = 16;
  std::array<Inside::Stripe, kStripes> stripes_;
};

}  // namespace siegel::vault
