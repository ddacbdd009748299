#include "vault/node_cache.h"

#include <algorithm>

#include "base/assert.h"

namespace siegel::vault {
namespace {

constexpr std::size_t kBlocksPerChunk = 16;
constexpr std::size_t kNodesMin = kBlocksPerChunk;

// Levels 0 to 3: an index has at most 18 bits.
std::uint32_t name_of(unsigned level, std::uint32_t index) {
  SIEGEL_ASSERT(level < kLeafLevel);
  return (level << 24) | index;
}

}  // namespace

NodeCache::NodeCache(std::size_t bytes_max) : nodes_max_(std::max(bytes_max / kNodeBytes, kNodesMin)) {}

MutableBytes NodeCache::block(std::size_t number) {
  return chunks_[number / kBlocksPerChunk].mutable_view().subspan(number % kBlocksPerChunk * kNodeBytes, kNodeBytes);
}

NodeCache::Places::iterator NodeCache::drop(Places::iterator at) {
  const auto bytes = block(at->second.block);
  wipe(bytes.data(), bytes.size());
  free_.push_back(at->second.block);
  return places_.erase(at);
}

std::optional<std::size_t> NodeCache::free_block() {
  if (free_.empty() && places_.size() < nodes_max_) {
    auto chunk = LockedBytes::allocate(kBlocksPerChunk * kNodeBytes);
    if (chunk) {
      for (std::size_t i = 0; i < kBlocksPerChunk; ++i) free_.push_back(chunks_.size() * kBlocksPerChunk + i);
      chunks_.push_back(std::move(*chunk));
    }
  }
  if (free_.empty() && !places_.empty()) {
    drop(std::min_element(places_.begin(), places_.end(),
                          [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  if (free_.empty()) return std::nullopt;
  const auto number = free_.back();
  free_.pop_back();
  return number;
}

std::optional<Child> NodeCache::find(unsigned level, std::uint32_t index, unsigned child,
                                     std::chrono::nanoseconds now) {
  const std::lock_guard lock(mutex_);
  const auto at = places_.find(name_of(level, index));
  if (at == places_.end()) return std::nullopt;
  at->second.used = now;
  return child_of(block(at->second.block), child);
}

void NodeCache::put(unsigned level, std::uint32_t index, ByteView content, std::chrono::nanoseconds now) {
  SIEGEL_ASSERT(content.size() == kNodeBytes);
  const std::lock_guard lock(mutex_);
  if (places_.contains(name_of(level, index))) return;  // two threads walked down together
  const auto number = free_block();
  if (!number) return;
  std::memcpy(block(*number).data(), content.data(), content.size());
  places_.emplace(name_of(level, index), Place{*number, now});
}

void NodeCache::drop_idle(std::chrono::nanoseconds now) {
  const std::lock_guard lock(mutex_);
  for (auto at = places_.begin(); at != places_.end();) {
    at = now - at->second.used >= kNodeIdleMax ? drop(at) : std::next(at);
  }
}

void NodeCache::clear() {
  const std::lock_guard lock(mutex_);
  places_.clear();
  free_.clear();
  chunks_.clear();
}

std::size_t NodeCache::nodes() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

std::size_t NodeCache::bytes_locked() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& chunk : chunks_) sum += chunk.locked() ? chunk.size() : 0;
  return sum;
}

}  // namespace siegel::vault
