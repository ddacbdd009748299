// A whole tree in memory: perfect nodes for proofs, and the recursive root of RFC 9162 as the reference.
#pragma once

#include <vector>

#include "proof/merkle.h"
#include "proof/proofs.h"

namespace siegel::test {

// MTH by the definition, recursively.
inline Hash recursive_root(std::span<const Hash> leaves) {
  if (leaves.empty()) return empty_root();
  if (leaves.size() == 1) return leaves.front();
  std::size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  return node_hash(recursive_root(leaves.first(split)), recursive_root(leaves.subspan(split)));
}

// The nodes of a growing tree. A view of it at an earlier size refuses nodes that were not finished then.
class MemoryTree {
 public:
  void append(const Hash& leaf) {
    keep({0, range_.size()}, leaf);
    range_.append(leaf, [this](NodeId id, const Hash& hash) { keep(id, hash); });
    roots_.push_back(range_.root());
  }
  [[nodiscard]] std::uint64_t size() const { return range_.size(); }
  [[nodiscard]] TreeHead head(std::uint64_t size) const { return {size, roots_[size]}; }
  [[nodiscard]] const Hash& leaf(std::uint64_t index) const { return levels_[0][index]; }
  [[nodiscard]] std::span<const Hash> leaves() const { return levels_[0]; }
  [[nodiscard]] std::span<const Hash> level(unsigned level) const { return levels_[level]; }
  [[nodiscard]] const CompactRange& range() const { return range_; }

  class View final : public NodeSource {
   public:
    View(const MemoryTree& tree, std::uint64_t size) : tree_(tree), size_(size) {}
    Result<Hash> node(NodeId id) override {
      ++reads_;
      if (id.level >= tree_.levels_.size() || ((id.index + 1) << id.level) > size_) {
        return Error(Errc::not_found, "node_unfinished", "The node is not finished in this tree.");
      }
      return tree_.levels_[id.level][id.index];
    }
    [[nodiscard]] unsigned reads() const { return reads_; }

   private:
    const MemoryTree& tree_;
    std::uint64_t size_;
    unsigned reads_ = 0;
  };
  [[nodiscard]] View at(std::uint64_t size) const { return {*this, size}; }

 private:
  void keep(NodeId id, const Hash& hash) {
    if (levels_.size() <= id.level) levels_.resize(id.level + 1);
    SIEGEL_ASSERT(levels_[id.level].size() == id.index);  // each node once, from left to right
    levels_[id.level].push_back(hash);
  }

  CompactRange range_;
  std::vector<std::vector<Hash>> levels_;
  std::vector<Hash> roots_{empty_root()};
};

}  // namespace siegel::test
