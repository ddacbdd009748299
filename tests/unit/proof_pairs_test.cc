// Every pair of sizes to 1,025, with every kind of damage.
#include <cstdlib>

#include "proof/proofs.h"
#include "support/catch.h"
#include "support/seeded_random.h"
#include "support/tree.h"

using namespace siegel;
using siegel::test::MemoryTree;
using siegel::test::SeededRandom;

namespace {

constexpr std::uint64_t kSizeMax = 1025;

const MemoryTree& tree() {
  static const MemoryTree whole = [] {
    MemoryTree made;
    for (std::uint64_t i = 0; i < kSizeMax; ++i) made.append(leaf_hash(be(i)));
    return made;
  }();
  return whole;
}

bool is_long() { return std::getenv("SIEGEL_LONG") != nullptr; }

void flip(Hash& hash, std::size_t bit) { hash[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8)); }

// Damages the path in every way (the short run: each way at one place that the seed chooses) and says whether some
// damaged one was still accepted. The path is whole again afterwards.
template <class Accepts>
bool some_damage_is_accepted(std::vector<Hash>& path, SeededRandom& random, bool everywhere, Accepts&& accepts) {
  const std::size_t length = path.size();
  const auto places = [&](std::size_t count) {
    const std::size_t first = everywhere || count == 0 ? 0 : random.below(count);
    return std::pair(first, everywhere ? count : std::min(count, first + 1));
  };
  const auto [add, add_end] = places(length + 1);
  for (std::size_t at = add; at < add_end; ++at) {
    // A copy of a neighbour is the addition that is hardest to see.
    const Hash added = length > 0 && random.below(2) == 0 ? path[at < length ? at : length - 1] : random.array<32>();
    path.insert(path.begin() + static_cast<std::ptrdiff_t>(at), added);
    if (accepts()) return true;
    path.erase(path.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const auto [cut, cut_end] = places(length);
  for (std::size_t at = cut; at < cut_end; ++at) {
    const Hash removed = path[at];
    path.erase(path.begin() + static_cast<std::ptrdiff_t>(at));
    if (accepts()) return true;
    path.insert(path.begin() + static_cast<std::ptrdiff_t>(at), removed);
  }
  const auto [swap, swap_end] = places(length > 0 ? length - 1 : 0);
  for (std::size_t at = swap; at < swap_end; ++at) {
    const std::size_t with = at + 1 + random.below(length - at - 1);
    std::swap(path[at], path[with]);
    if (accepts()) return true;
    std::swap(path[at], path[with]);
  }
  const auto [bit, bit_end] = places(length);
  for (std::size_t at = bit; at < bit_end; ++at) {
    const std::size_t which = random.below(256);
    flip(path[at], which);
    if (accepts()) return true;
    flip(path[at], which);
  }
  return false;
}

}  // namespace

TEST_CASE("P1 inclusion holds for every leaf of every tree to 1,025, and no damaged proof does", "[unit][proof][P1]") {
  SeededRandom random(1);
  const bool everywhere = is_long();
  for (std::uint64_t size = 1; size <= kSizeMax; ++size) {
    const TreeHead head = tree().head(size);
    auto view = tree().at(size);
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = make_inclusion_proof({index, size}, view);
      if (!proof || !verify_inclusion(tree().leaf(index), *proof, head)) FAIL("refused: " << index << " of " << size);
      const auto accepts = [&] { return verify_inclusion(tree().leaf(index), *proof, head); };
      if (some_damage_is_accepted(proof->path, random, everywhere, accepts)) {
        FAIL("damage accepted: " << index << " of " << size);
      }
    }
  }
}

TEST_CASE("P1 consistency holds for every pair of sizes to 1,025, and no damaged proof does", "[unit][proof][P1]") {
  SeededRandom random(2);
  const bool everywhere = is_long();
  for (std::uint64_t to = 1; to <= kSizeMax; ++to) {
    const TreeHead new_head = tree().head(to);
    auto view = tree().at(to);
    for (std::uint64_t from = 1; from <= to; ++from) {
      const TreeHead old_head = tree().head(from);
      auto proof = make_consistency_proof({from, to}, view);
      if (!proof || !verify_consistency(*proof, old_head, new_head)) FAIL("refused: " << from << " to " << to);
      const auto accepts = [&] { return verify_consistency(*proof, old_head, new_head); };
      if (some_damage_is_accepted(proof->path, random, everywhere, accepts)) {
        FAIL("damage accepted: " << from << " to " << to);
      }
    }
  }
}

TEST_CASE("P1 every single bit counts, in paths, leaf and roots", "[unit][proof][P1]") {
  const std::uint64_t sizes[] = {1, 2, 3, 7, 8, 255, 256, 257, 1024, 1025};
  for (const std::uint64_t size : sizes) {
    const TreeHead head = tree().head(size);
    auto view = tree().at(size);
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
      auto proof = make_inclusion_proof({index, size}, view).value();
      for (auto& hash : proof.path) {
        for (std::size_t bit = 0; bit < 256; ++bit) {
          flip(hash, bit);
          REQUIRE_FALSE(verify_inclusion(tree().leaf(index), proof, head));
          flip(hash, bit);
        }
      }
      for (std::size_t bit = 0; bit < 256; ++bit) {
        Hash leaf = tree().leaf(index);
        flip(leaf, bit);
        REQUIRE_FALSE(verify_inclusion(leaf, proof, head));
        TreeHead other = head;
        flip(other.root, bit);
        REQUIRE_FALSE(verify_inclusion(tree().leaf(index), proof, other));
      }
      const TreeHead old_head = tree().head(index + 1);
      auto consistency = make_consistency_proof({index + 1, size}, view).value();
      for (std::size_t bit = 0; bit < 256; ++bit) {
        TreeHead other = old_head;
        flip(other.root, bit);
        REQUIRE_FALSE(verify_consistency(consistency, other, head));
        other = head;
        flip(other.root, bit);
        REQUIRE_FALSE(verify_consistency(consistency, old_head, other));
      }
      for (auto& hash : consistency.path) {
        for (std::size_t bit = 0; bit < 256; ++bit) {
          flip(hash, bit);
          REQUIRE_FALSE(verify_consistency(consistency, old_head, head));
          flip(hash, bit);
        }
      }
      REQUIRE(verify_inclusion(tree().leaf(index), proof, head));
      REQUIRE(verify_consistency(consistency, old_head, head));
    }
  }
}

TEST_CASE("P2 size and root come from the checkpoint: a proof that says otherwise is refused", "[unit][proof][P2]") {
  auto view = tree().at(700);
  const TreeHead head = tree().head(700);
  const auto proof = make_inclusion_proof({300, 700}, view).value();
  REQUIRE(verify_inclusion(tree().leaf(300), proof, head));
  for (std::uint64_t size = 0; size <= kSizeMax; ++size) {
    if (size == 700) continue;
    InclusionProof claims = proof;
    claims.size = size;
    REQUIRE_FALSE(verify_inclusion(tree().leaf(300), claims, head));
    REQUIRE_FALSE(verify_inclusion(tree().leaf(300), claims, tree().head(size)));
    REQUIRE_FALSE(verify_inclusion(tree().leaf(300), proof, tree().head(size)));
  }
  for (std::uint64_t index = 0; index < 800; ++index) {
    if (index == 300) continue;
    InclusionProof claims = proof;
    claims.index = index;
    REQUIRE_FALSE(verify_inclusion(tree().leaf(300), claims, head));
  }
  const auto consistency = make_consistency_proof({300, 700}, view).value();
  const TreeHead old_head = tree().head(300);
  REQUIRE(verify_consistency(consistency, old_head, head));
  for (std::uint64_t size = 0; size <= kSizeMax; ++size) {
    ConsistencyProof claims = consistency;
    claims.old_size = size;
    if (size != 300) REQUIRE_FALSE(verify_consistency(claims, old_head, head));
    claims = consistency;
    claims.new_size = size;
    if (size != 700) REQUIRE_FALSE(verify_consistency(claims, old_head, head));
    if (size != 300) REQUIRE_FALSE(verify_consistency(consistency, tree().head(size), head));
  }
}

TEST_CASE("proofs read few nodes, and only finished ones", "[unit][proof]") {
  for (std::uint64_t size = 1; size <= kSizeMax; size += 31) {
    for (std::uint64_t index = 0; index < size; ++index) {
      auto view = tree().at(size);
      REQUIRE(make_inclusion_proof({index, size}, view));
      REQUIRE(make_consistency_proof({index + 1, size}, view));
      REQUIRE(view.reads() <= 4 * 11);
    }
    auto view = tree().at(size);
    REQUIRE(root_of(size, view).value() == tree().head(size).root);
  }
  auto none = tree().at(0);
  CHECK(root_of(0, none).value() == empty_root());
}

TEST_CASE("indices and sizes that have no proof are refused", "[unit][proof]") {
  auto view = tree().at(8);
  const auto refused = [](const auto& proof) { return !proof && proof.error().is("proof_out_of_range"); };
  CHECK(refused(make_inclusion_proof({0, 0}, view)));
  CHECK(refused(make_inclusion_proof({8, 8}, view)));
  CHECK(refused(make_inclusion_proof({0, kTreeSizeMax + 1}, view)));
  CHECK(refused(make_consistency_proof({0, 8}, view)));
  CHECK(refused(make_consistency_proof({9, 8}, view)));
  CHECK(refused(make_consistency_proof({1, UINT64_MAX}, view)));
  CHECK(refused(root_of(kTreeSizeMax + 1, view)));
  CHECK(make_inclusion_proof({0, 9}, view).error().is("node_unfinished"));  // the source's own error goes through

  CHECK_FALSE(verify_inclusion(Hash{}, {0, 0, {}}, {0, empty_root()}));
  CHECK_FALSE(verify_inclusion(Hash{}, {0, UINT64_MAX, std::vector<Hash>(64)}, {UINT64_MAX, Hash{}}));
  CHECK_FALSE(verify_consistency({0, 0, {}}, {0, empty_root()}, {0, empty_root()}));
  CHECK_FALSE(verify_consistency({0, 8, {}}, {0, empty_root()}, tree().head(8)));
  CHECK_FALSE(verify_consistency({9, 8, {}}, tree().head(9), tree().head(8)));
  const std::uint64_t past = kTreeSizeMax + 1;
  CHECK_FALSE(verify_consistency({past, past, {}}, {past, Hash{}}, {past, Hash{}}));
  CHECK(verify_consistency({kTreeSizeMax, kTreeSizeMax, {}}, {kTreeSizeMax, Hash{}}, {kTreeSizeMax, Hash{}}));
}

TEST_CASE("the last leaf of the largest tree has a proof", "[unit][proof]") {
  class SameNodes final : public NodeSource {
   public:
    Result<Hash> node(NodeId id) override {
      SIEGEL_ASSERT(id.level < kTreeLevels);
      return Hash{static_cast<std::uint8_t>(id.level)};
    }
  } nodes;
  const TreeHead head{kTreeSizeMax, root_of(kTreeSizeMax, nodes).value()};
  const auto last = make_inclusion_proof({kTreeSizeMax - 1, kTreeSizeMax}, nodes).value();
  CHECK(last.path.size() == 62);
  CHECK(verify_inclusion(Hash{}, last, head));
  const auto first = make_inclusion_proof({0, kTreeSizeMax}, nodes).value();
  CHECK(first.path.size() == 63);
  const std::uint64_t half = std::uint64_t{1} << 62;
  const auto consistency = make_consistency_proof({half, kTreeSizeMax}, nodes).value();
  CHECK(verify_consistency(consistency, {half, root_of(half, nodes).value()}, head));
}
