// Private to search: memory in blocks of one size, named by number. It comes in whole pages from the system, kept out
// of core dumps and of forked children; a block is overwritten when it is given back, and all of it goes back to the
// system with the object. Not locked against swapping: what the system lets a process lock belongs to the keys, and a
// swap area that is not encrypted is reported at start-up (crypto/memory.h). Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace siegel::search {

class Blocks {
 public:
  static constexpr std::size_t kBlockBytes = 2048;

  Blocks() = default;
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks();

  std::uint32_t take();  // zeroed; std::bad_alloc if the system has none
  void give_back(std::uint32_t block) noexcept;
  [[nodiscard]] std::uint8_t* at(std::uint32_t block) noexcept {
    return regions_[block / kPerRegion] + block % kPerRegion * kBlockBytes;
  }
  [[nodiscard]] const std::uint8_t* at(std::uint32_t block) const noexcept {
    return regions_[block / kPerRegion] + block % kPerRegion * kBlockBytes;
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return regions_.size() * kPerRegion * kBlockBytes; }

 private:
  static constexpr std::size_t kPerRegion = 128;
  std::vector<std::uint8_t*> regions_;
  std::vector<std::uint32_t> free_;
  std::uint32_t next_ = 0;  // never taken yet
};

}  // namespace siegel::search
