// Some of the slots of a key tree, as bits: a quarter of a megabyte for two million, 128 MiB for all there can be.
#pragma once

#include <cstdint>
#include <vector>

#include "model/ids.h"

namespace siegel::vault {

class SlotSet {
 public:
  static constexpr std::uint64_t kSlotsMax = std::uint64_t{1} << 30;  // as the tree has (keys.md)

  void add(Slot slot);  // what is no slot is left out
  [[nodiscard]] bool contains(Slot slot) const noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept;

  // The 64 slots of one leaf node: bit i is its child i.
  [[nodiscard]] std::uint64_t of_node(std::uint32_t node) const noexcept;
  void add_of_node(std::uint32_t node, std::uint64_t children);
  [[nodiscard]] std::uint32_t nodes() const noexcept { return static_cast<std::uint32_t>(nodes_.size()); }

 private:
  std::vector<std::uint64_t> nodes_;
};

}  // namespace siegel::vault
