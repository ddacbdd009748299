// Key material of a length known at run time: wiped when it goes, never copied or printed.
#pragma once

#include <utility>

#include "base/bytes.h"
#include "base/secret.h"

namespace siegel {

class SecretBytes {
 public:
  SecretBytes() = default;
  // Takes the bytes over. Whatever the vector holds beyond size() must hold no secret.
  explicit SecretBytes(Bytes&& bytes) noexcept : bytes_(std::move(bytes)) {}
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe(bytes_.data(), bytes_.size());
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  ~SecretBytes() { wipe(bytes_.data(), bytes_.size()); }

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] ByteView view() const noexcept { return bytes_; }
  [[nodiscard]] MutableBytes mutable_view() noexcept { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace siegel
