// Inclusion and consistency proofs (RFC 9162 2.1.3 and 2.1.4; formats/ledger.md 3 and 4): made from perfect nodes,
// checked against tree heads. Pure: the nodes come through an interface.
// A verifier takes size and root only from a checkpoint whose signature it has checked; what a proof says about sizes
// is compared with it and refused if it differs.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "proof/merkle.h"

namespace siegel {

struct InclusionProof {
  std::uint64_t index = 0;  // of the leaf, from 0
  std::uint64_t size = 0;   // of the tree that it was made for
  std::vector<Hash> path;   // the leaf's sibling first
};

struct ConsistencyProof {
  std::uint64_t old_size = 0;
  std::uint64_t new_size = 0;
  std::vector<Hash> path;
};

// Where finished perfect nodes are kept. Level 0 are leaf hashes.
class NodeSource {
 public:
  virtual ~NodeSource() = default;
  virtual Result<Hash> node(NodeId id) = 0;
};

struct LeafInTree {
  std::uint64_t index = 0;
  std::uint64_t size = 0;
};
struct SizePair {
  std::uint64_t old_size = 0;
  std::uint64_t new_size = 0;
};

// At most 63 path hashes, at most 2 * 63 nodes read. Errors: invalid/"proof_out_of_range" for an index or size that has
// no proof (index >= size, old size 0 or above the new one, size above kTreeSizeMax); else those of the source.
Result<InclusionProof> make_inclusion_proof(const LeafInTree& leaf, NodeSource& nodes);
Result<ConsistencyProof> make_consistency_proof(const SizePair& sizes, NodeSource& nodes);
// The root of the tree's first leaves; of none: empty_root().
Result<Hash> root_of(std::uint64_t size, NodeSource& nodes);

[[nodiscard]] bool verify_inclusion(const Hash& leaf, const InclusionProof& proof, const TreeHead& head) noexcept;
// An old size of 0 proves nothing and is refused.
[[nodiscard]] bool verify_consistency(const ConsistencyProof& proof, const TreeHead& old_head,
                                      const TreeHead& new_head) noexcept;

}  // namespace siegel
