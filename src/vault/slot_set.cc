#include "vault/slot_set.h"

#include <bit>

#include "vault/node.h"

namespace siegel::vault {

static_assert(kFanOut == 64 && SlotSet::kSlotsMax == kSlots);

void SlotSet::add(Slot slot) {
  if (slot.get() >= kSlots) return;
  add_of_node(static_cast<std::uint32_t>(slot.get() / kFanOut), std::uint64_t{1} << (slot.get() % kFanOut));
}

bool SlotSet::contains(Slot slot) const noexcept {
  if (slot.get() >= kSlots) return false;
  return (of_node(static_cast<std::uint32_t>(slot.get() / kFanOut)) >> (slot.get() % kFanOut) & 1) != 0;
}

std::uint64_t SlotSet::size() const noexcept {
  std::uint64_t out = 0;
  for (const auto children : nodes_) out += static_cast<std::uint64_t>(std::popcount(children));
  return out;
}

std::uint64_t SlotSet::of_node(std::uint32_t node) const noexcept { return node < nodes_.size() ? nodes_[node] : 0; }

void SlotSet::add_of_node(std::uint32_t node, std::uint64_t children) {
  if (node >= nodes_.size()) nodes_.resize(std::size_t{node} + 1);
  nodes_[node] |= children;
}

}  // namespace siegel::vault
