#include "proof/merkle.h"

#include <bit>
#include <vector>

#include "crypto/sha256.h"

namespace siegel {
namespace {

constexpr ByteArray<1> kLeafPrefix{0x00};
constexpr std::uint8_t kNodePrefix = 0x01;

}  // namespace

Hash leaf_hash(ByteView entry) noexcept { return sha256({kLeafPrefix, entry}); }

Hash node_hash(const Hash& left, const Hash& right) noexcept {
  ByteArray<65> input;  // one update in one piece is cheaper than three
  input[0] = kNodePrefix;
  std::memcpy(input.data() + 1, left.data(), left.size());
  std::memcpy(input.data() + 33, right.data(), right.size());
  return sha256(ByteView(input));
}

Hash empty_root() noexcept { return sha256(ByteView()); }

Hash perfect_root(std::span<const Hash> nodes) noexcept {
  SIEGEL_ASSERT(std::has_single_bit(nodes.size()));
  if (nodes.size() == 1) return nodes.front();
  std::vector<Hash> level(nodes.size() / 2);
  for (std::size_t i = 0; i < level.size(); ++i) level[i] = node_hash(nodes[2 * i], nodes[2 * i + 1]);
  for (std::size_t width = level.size() / 2; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) level[i] = node_hash(level[2 * i], level[2 * i + 1]);
  }
  return level.front();
}

Result<CompactRange> CompactRange::resume(std::uint64_t size, std::span<const Hash> frontier) {
  if (size > kTreeSizeMax || frontier.size() != static_cast<std::size_t>(std::popcount(size))) {
    return Error(Errc::invalid, "frontier_malformed", "The frontier does not belong to a tree of this size.")
        .with("size", size)
        .with("hashes", frontier.size());
  }
  CompactRange range;
  range.size_ = size;
  for (const Hash& hash : frontier) range.stack_[range.depth_++] = hash;
  return range;
}

Hash CompactRange::root() const noexcept {
  if (size_ == 0) return empty_root();
  Hash root = stack_[depth_ - 1];
  for (std::size_t i = depth_ - 1; i > 0; --i) {
    root = node_hash(stack_[i - 1], root);
    ++counts_.roots;
  }
  return root;
}

}  // namespace siegel
