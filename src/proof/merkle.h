// The Merkle tree of RFC 9162 2.1 with SHA-256 (formats/ledger.md 1 and 2): hashing, and appending in O(1) amortised.
// A perfect node (level, index) is the root over leaves [index * 2^level, (index + 1) * 2^level); once finished it
// never changes. Pure: no I/O, no clock. Functions from any thread; a CompactRange belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"

namespace siegel {

inline constexpr std::uint64_t kTreeSizeMax = (std::uint64_t{1} << 63) - 1;
inline constexpr unsigned kTreeLevels = 63;  // levels 0 to 62 hold perfect nodes of such a tree

struct NodeId {
  unsigned level = 0;
  std::uint64_t index = 0;
  bool operator==(const NodeId&) const = default;
};

// What a signed checkpoint says about a tree.
struct TreeHead {
  std::uint64_t size = 0;
  Hash root{};
  bool operator==(const TreeHead&) const = default;
};

Hash leaf_hash(ByteView entry) noexcept;                       // SHA-256(0x00 | entry)
Hash node_hash(const Hash& left, const Hash& right) noexcept;  // SHA-256(0x01 | left | right)
Hash empty_root() noexcept;                                    // SHA-256 of nothing
Hash perfect_root(std::span<const Hash> nodes) noexcept;       // over 1, 2, 4, … nodes of one level

// Hashes computed by one CompactRange since it was made.
struct HashCounts {
  std::uint64_t leaves = 0;  // by append_entry
  std::uint64_t nodes = 0;   // by appending: size - popcount(size) from an empty tree
  std::uint64_t roots = 0;   // by root(): popcount(size) - 1 each
};

// All of a growing tree that its next leaf and its root need: the size and popcount(size) perfect roots.
class CompactRange {
 public:
  CompactRange() = default;  // the empty tree
  // Goes on where frontier() stood; invalid/"frontier_malformed" if the number of hashes is not popcount(size).
  static Result<CompactRange> resume(std::uint64_t size, std::span<const Hash> frontier);

  // Appends a leaf; finished(NodeId, const Hash&) is called for each perfect node above it that is thereby finished,
  // from the bottom up. A tree that would pass kTreeSizeMax stops the process.
  template <class Finished>
  void append(const Hash& leaf, Finished&& finished) {
    SIEGEL_ASSERT(size_ < kTreeSizeMax);
    Hash node = leaf;
    unsigned level = 0;
    for (std::uint64_t rest = size_; (rest & 1) != 0; rest >>= 1) {
      node = node_hash(stack_[--depth_], node);
      ++counts_.nodes;
      ++level;
      finished(NodeId{level, rest >> 1}, static_cast<const Hash&>(node));
    }
    stack_[depth_++] = node;
    ++size_;
  }
  void append(const Hash& leaf) {
    append(leaf, [](NodeId, const Hash&) {});
  }
  // The same for an entry; returns its leaf hash.
  template <class Finished>
  Hash append_entry(ByteView entry, Finished&& finished) {
    const Hash leaf = leaf_hash(entry);
    ++counts_.leaves;
    append(leaf, finished);
    return leaf;
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] Hash root() const noexcept;
  [[nodiscard]] TreeHead head() const noexcept { return {size_, root()}; }
  // Roots of the perfect subtrees from left to right, largest first.
  [[nodiscard]] std::span<const Hash> frontier() const noexcept { return std::span(stack_).first(depth_); }
  [[nodiscard]] const HashCounts& counts() const noexcept { return counts_; }

 private:
  std::array<Hash, kTreeLevels> stack_{};
  std::size_t depth_ = 0;
  std::uint64_t size_ = 0;
  mutable HashCounts counts_;  // root() counts too
};

}  // namespace siegel
