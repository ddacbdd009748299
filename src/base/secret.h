// Key material: fixed size, wiped when it goes, never printed or compared by ==.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#include "base/bytes.h"

namespace siegel {

// Overwrites memory in a way that the compiler keeps.
void wipe(void* at, std::size_t bytes) noexcept;

template <std::size_t N>
class SecretArray {
 public:
  SecretArray() noexcept : bytes_{} {}
  explicit SecretArray(ByteView bytes) noexcept : bytes_{} {  // takes the first N bytes; shorter input is zero-extended
    std::memcpy(bytes_.data(), bytes.data(), bytes.size() < N ? bytes.size() : N);
  }
  SecretArray(const SecretArray& other) noexcept = default;
  SecretArray& operator=(const SecretArray& other) noexcept = default;
  SecretArray(SecretArray&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_.data(), N); }
  SecretArray& operator=(SecretArray&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_.data(), N);
    }
    return *this;
  }
  ~SecretArray() { wipe(bytes_.data(), N); }
  bool operator==(const SecretArray&) const = delete;

  [[nodiscard]] ByteView view() const noexcept { return bytes_; }
  [[nodiscard]] MutableBytes mutable_view() noexcept { return bytes_; }

 private:
  ByteArray<N> bytes_;
};
using SecretKey = SecretArray<32>;

}  // namespace siegel
