#include "proof/proofs.h"

#include <algorithm>
#include <bit>

namespace siegel {
namespace {

// Leaves [begin, begin + count); begin is a multiple of the smallest power of two that is not below count.
struct Range {
  std::uint64_t begin;
  std::uint64_t count;
};

// The largest power of two below count (count > 1).
std::uint64_t split_of(std::uint64_t count) noexcept { return std::bit_floor(count - 1); }

Range left_of(const Range& range) noexcept { return {range.begin, split_of(range.count)}; }
Range right_of(const Range& range) noexcept {
  const std::uint64_t split = split_of(range.count);
  return {range.begin + split, range.count - split};
}

NodeId perfect_node(const Range& range) noexcept {
  const auto level = static_cast<unsigned>(std::countr_zero(range.count));
  return {level, range.begin >> level};
}

// MTH of the range, from the perfect nodes that it falls into, from left to right.
Result<Hash> root_of_range(Range range, NodeSource& nodes) {
  std::vector<Hash> perfect;
  while (!std::has_single_bit(range.count)) {
    SIEGEL_TRY(hash, nodes.node(perfect_node(left_of(range))));
    perfect.push_back(hash);
    range = right_of(range);
  }
  SIEGEL_TRY(last, nodes.node(perfect_node(range)));
  Hash root = last;
  for (auto at = perfect.rbegin(); at != perfect.rend(); ++at) root = node_hash(*at, root);
  return root;
}

Error out_of_range() {
  return Error(Errc::invalid, "proof_out_of_range", "There is no proof for this index or these sizes.");
}

// The step that both verifications share (RFC 9162 2.1.3.2, steps 4.b and 4.c): how a leaf's number and the last
// leaf's number move up the tree.
struct Climb {
  std::uint64_t at;
  std::uint64_t last;

  [[nodiscard]] bool is_right_child() const noexcept { return (at & 1) != 0 || at == last; }
  void skip_levels_without_sibling() noexcept {
    while ((at & 1) == 0 && at != 0) up();
  }
  void up() noexcept {
    at >>= 1;
    last >>= 1;
  }
};

// Hashes that the path from a node upwards must have: one per level at which both it and the last leaf have parents of
// their own, and one per left neighbour above. from_level: where the path begins.
std::size_t path_length(std::uint64_t at, std::uint64_t last, unsigned from_level) noexcept {
  const auto inner = static_cast<unsigned>(std::bit_width(at ^ last));
  return inner - from_level + static_cast<unsigned>(std::popcount(at >> inner));
}

}  // namespace

Result<InclusionProof> make_inclusion_proof(const LeafInTree& leaf, NodeSource& nodes) {
  if (leaf.size > kTreeSizeMax || leaf.index >= leaf.size) return out_of_range();
  InclusionProof proof{leaf.index, leaf.size, {}};
  for (Range range{0, leaf.size}; range.count > 1;) {
    const bool goes_left = leaf.index - range.begin < split_of(range.count);
    SIEGEL_TRY(sibling, root_of_range(goes_left ? right_of(range) : left_of(range), nodes));
    proof.path.push_back(sibling);
    range = goes_left ? left_of(range) : right_of(range);
  }
  std::reverse(proof.path.begin(), proof.path.end());  // collected from the root down
  return proof;
}

Result<ConsistencyProof> make_consistency_proof(const SizePair& sizes, NodeSource& nodes) {
  if (sizes.new_size > kTreeSizeMax || sizes.old_size == 0 || sizes.old_size > sizes.new_size) return out_of_range();
  ConsistencyProof proof{sizes.old_size, sizes.new_size, {}};
  Range range{0, sizes.new_size};
  while (sizes.old_size != range.begin + range.count) {
    const bool goes_left = sizes.old_size - range.begin <= split_of(range.count);
    SIEGEL_TRY(other, root_of_range(goes_left ? right_of(range) : left_of(range), nodes));
    proof.path.push_back(other);
    range = goes_left ? left_of(range) : right_of(range);
  }
  if (range.begin != 0) {  // else it is the old root, which the verifier has
    SIEGEL_TRY(old_part, root_of_range(range, nodes));
    proof.path.push_back(old_part);
  }
  std::reverse(proof.path.begin(), proof.path.end());
  return proof;
}

Result<Hash> root_of(std::uint64_t size, NodeSource& nodes) {
  if (size > kTreeSizeMax) return out_of_range();
  if (size == 0) return empty_root();
  return root_of_range({0, size}, nodes);
}

bool verify_inclusion(const Hash& leaf, const InclusionProof& proof, const TreeHead& head) noexcept {
  if (proof.size != head.size || head.size > kTreeSizeMax || proof.index >= head.size) return false;
  if (proof.path.size() != path_length(proof.index, head.size - 1, 0)) return false;
  Climb climb{proof.index, head.size - 1};
  Hash root = leaf;
  for (const Hash& sibling : proof.path) {
    if (climb.last == 0) return false;
    if (climb.is_right_child()) {
      root = node_hash(sibling, root);
      climb.skip_levels_without_sibling();
    } else {
      root = node_hash(root, sibling);
    }
    climb.up();
  }
  return climb.last == 0 && root == head.root;
}

bool verify_consistency(const ConsistencyProof& proof, const TreeHead& old_head, const TreeHead& new_head) noexcept {
  if (proof.old_size != old_head.size || proof.new_size != new_head.size) return false;
  if (old_head.size == 0 || old_head.size > new_head.size || new_head.size > kTreeSizeMax) return false;
  if (old_head.size == new_head.size) return proof.path.empty() && old_head.root == new_head.root;

  // A complete old tree is itself the first node; the proof leaves it out.
  std::span<const Hash> path = proof.path;
  Hash old_root = old_head.root;
  if (!std::has_single_bit(old_head.size)) {
    if (path.empty()) return false;
    old_root = path.front();
    path = path.subspan(1);
  }
  const auto from_level = static_cast<unsigned>(std::countr_zero(old_head.size));
  if (path.size() != path_length(old_head.size - 1, new_head.size - 1, from_level)) return false;
  Hash new_root = old_root;
  Climb climb{old_head.size - 1, new_head.size - 1};
  while ((climb.at & 1) != 0) climb.up();
  for (const Hash& node : path) {
    if (climb.last == 0) return false;
    if (climb.is_right_child()) {
      old_root = node_hash(node, old_root);
      new_root = node_hash(node, new_root);
      climb.skip_levels_without_sibling();
    } else {
      new_root = node_hash(new_root, node);
    }
    climb.up();
  }
  return climb.last == 0 && old_root == old_head.root && new_root == new_head.root;
}

}  // namespace siegel
