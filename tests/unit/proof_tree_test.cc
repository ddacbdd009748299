#include <bit>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "crypto/sha256.h"
#include "proof/merkle.h"
#include "proof/proofs.h"
#include "support/catch.h"
#include "support/seeded_random.h"
#include "support/tree.h"

using namespace siegel;
using siegel::test::MemoryTree;
using siegel::test::recursive_root;
using siegel::test::SeededRandom;

namespace {

const char* const kLeaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const char* const kRoots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                              "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                              "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                              "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                              "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                              "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                              "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                              "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                              "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
const std::string kA = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const std::string kB = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const std::string kC = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const std::string kD = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const std::string kE = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const std::string kF = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

MemoryTree known_tree() {
  MemoryTree tree;
  for (const char* leaf : kLeaves) tree.append(leaf_hash(from_hex(leaf).value()));
  return tree;
}

std::vector<std::string> spelled(const std::vector<Hash>& path) {
  std::vector<std::string> out;
  for (const Hash& hash : path) out.push_back(to_hex(hash));
  return out;
}

nlohmann::json golden_cases() {
  std::ifstream file(std::string(SIEGEL_SOURCE_DIR) + "/tests/golden/merkle-proofs.json");
  return nlohmann::json::parse(file);
}

// Our verifiers take 32-byte hashes only. Some damaged cases hold other lengths: there a value's SHA-256 stands for it,
// so that every case runs through the verifier and equal values stay equal.
Hash hash_field(const nlohmann::json& value) {
  const auto bytes = value.is_null() ? Bytes() : from_base64(value.get<std::string>()).value();
  return bytes.size() == 32 ? to_array<32>(bytes) : sha256(ByteView(bytes));
}
std::vector<Hash> path_field(const nlohmann::json& value) {
  std::vector<Hash> path;
  if (value.is_array()) {
    for (const auto& hash : value) path.push_back(hash_field(hash));
  }
  return path;
}

void check_against_recursion(std::uint64_t size, SeededRandom& random) {
  std::vector<Hash> leaves(size);
  CompactRange range;
  for (auto& leaf : leaves) {
    leaf = random.array<32>();
    range.append(leaf);
  }
  REQUIRE(range.size() == size);
  REQUIRE(range.root() == recursive_root(leaves));
}

}  // namespace

TEST_CASE("F1 the known roots of 0 to 8 leaves", "[unit][proof][F1]") {
  CompactRange range;
  CHECK(to_hex(range.root()) == kRoots[0]);
  for (std::size_t i = 0; i < 8; ++i) {
    range.append_entry(from_hex(kLeaves[i]).value(), [](NodeId, const Hash&) {});
    CHECK(to_hex(range.root()) == kRoots[i + 1]);
  }
}

TEST_CASE("F1 the known leaf and node hashes", "[unit][proof][F1]") {
  CHECK(to_hex(leaf_hash(as_bytes("L123456"))) == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
  // The known node is over "N123" and "N456", which are no hashes: it shows the prefix only.
  CHECK(to_hex(sha256({ByteArray<1>{0x01}, as_bytes("N123"), as_bytes("N456")})) ==
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb");
  const Hash left = leaf_hash(as_bytes("l")), right = leaf_hash(as_bytes("r"));
  CHECK(node_hash(left, right) == sha256({ByteArray<1>{0x01}, left, right}));
  CHECK(node_hash(left, right) != node_hash(right, left));
}

TEST_CASE("F1 the known inclusion and consistency paths", "[unit][proof][F1]") {
  const MemoryTree tree = known_tree();
  using Path = std::vector<std::string>;
  const auto inclusion = [&](std::uint64_t index, std::uint64_t size) {
    auto view = tree.at(size);
    const auto proof = make_inclusion_proof({index, size}, view).value();
    CHECK(verify_inclusion(tree.leaf(index), proof, tree.head(size)));
    return spelled(proof.path);
  };
  CHECK(inclusion(0, 8) == Path{kA, kB, kC});
  CHECK(inclusion(5, 8) == Path{kD, kE, kRoots[4]});
  CHECK(inclusion(2, 3) == Path{kRoots[2]});
  CHECK(inclusion(1, 5) == Path{kRoots[1], kB, kD});
  CHECK(inclusion(0, 1) == Path{});
  const auto consistency = [&](std::uint64_t from, std::uint64_t to) {
    auto view = tree.at(to);
    const auto proof = make_consistency_proof({from, to}, view).value();
    CHECK(verify_consistency(proof, tree.head(from), tree.head(to)));
    return spelled(proof.path);
  };
  CHECK(consistency(1, 8) == Path{kA, kB, kC});
  CHECK(consistency(6, 8) == Path{kF, kE, kRoots[4]});
  CHECK(consistency(2, 5) == Path{kB, kD});
  CHECK(consistency(8, 8) == Path{});
}

TEST_CASE("F1 all 98 inclusion cases of transparency-dev/merkle", "[unit][proof][F1][golden]") {
  const auto cases = golden_cases().at("inclusion");
  REQUIRE(cases.size() == 98);
  std::size_t accepted = 0;
  for (const auto& one : cases) {
    CAPTURE(one.at("case").get<std::string>());
    const auto size = one.at("treeSize").get<std::uint64_t>();
    const InclusionProof proof{one.at("leafIdx").get<std::uint64_t>(), size, path_field(one.at("proof"))};
    // An empty leaf hash beside an equal, empty root: no leaf at all, as the type says already.
    const bool has_leaf = !one.at("leafHash").get<std::string>().empty();
    const bool holds =
        has_leaf && verify_inclusion(hash_field(one.at("leafHash")), proof, {size, hash_field(one.at("root"))});
    CHECK(holds == !one.at("wantErr").get<bool>());
    accepted += holds ? 1 : 0;
  }
  CHECK(accepted == 6);
}

TEST_CASE("F1 all 98 consistency cases of transparency-dev/merkle", "[unit][proof][F1][golden]") {
  const auto cases = golden_cases().at("consistency");
  REQUIRE(cases.size() == 98);
  std::size_t accepted = 0;
  for (const auto& one : cases) {
    CAPTURE(one.at("case").get<std::string>());
    const TreeHead old_head{one.at("size1").get<std::uint64_t>(), hash_field(one.at("root1"))};
    const TreeHead new_head{one.at("size2").get<std::uint64_t>(), hash_field(one.at("root2"))};
    const ConsistencyProof proof{old_head.size, new_head.size, path_field(one.at("proof"))};
    const bool holds = verify_consistency(proof, old_head, new_head);
    CHECK(holds == !one.at("wantErr").get<bool>());
    accepted += holds ? 1 : 0;
  }
  CHECK(accepted == 6);
}

TEST_CASE("F1 the incremental root is the recursive root for 0 to 2,000 leaves", "[unit][proof][F1]") {
  SeededRandom random(1);
  std::vector<Hash> leaves;
  CompactRange range;
  for (std::uint64_t size = 0; size <= 2000; ++size) {
    REQUIRE(range.root() == recursive_root(leaves));
    leaves.push_back(random.array<32>());
    range.append(leaves.back());
  }
}

TEST_CASE("F1 the incremental root is the recursive root for 100 random trees to 1 M leaves", "[unit][proof][F1]") {
  SeededRandom random(2);
  // The short run spreads the sizes over the powers of two; the long one draws them evenly.
  const bool evenly = std::getenv("SIEGEL_LONG") != nullptr;
  check_against_recursion(1'000'000, random);
  for (int tree = 1; tree < 100; ++tree) {
    const std::uint64_t bound = evenly ? 1'000'000 : std::uint64_t{1} << random.below(20);
    const std::uint64_t size = 1 + random.below(bound);
    CAPTURE(tree, size);
    check_against_recursion(size, random);
  }
}

TEST_CASE("F2 appending n leaves computes n leaf hashes and n - popcount(n) nodes, a root popcount(n) - 1",
          "[unit][proof][F2]") {
  CompactRange range;
  std::uint64_t finished = 0, roots = 0;
  for (std::uint64_t n = 1; n <= 5000; ++n) {
    range.append_entry(be(n), [&](NodeId, const Hash&) { ++finished; });
    const auto ones = static_cast<std::uint64_t>(std::popcount(n));
    REQUIRE(range.counts().leaves == n);
    REQUIRE(range.counts().nodes == n - ones);
    REQUIRE(finished == n - ones);
    REQUIRE(range.counts().roots == roots);
    (void)range.root();
    roots += ones - 1;
    REQUIRE(range.counts().roots == roots);
    REQUIRE(range.counts().nodes == n - ones);  // asking for the root costs appending nothing
  }
}

TEST_CASE("every perfect node comes out once, with the root of its leaves", "[unit][proof]") {
  MemoryTree tree;
  for (std::uint64_t i = 0; i < 300; ++i) tree.append(leaf_hash(be(i)));
  for (unsigned level = 0; level <= 8; ++level) {
    REQUIRE(tree.level(level).size() == 300u >> level);
    for (std::size_t i = 0; i < tree.level(level).size(); ++i) {
      const auto leaves = tree.leaves().subspan(i << level, std::size_t{1} << level);
      REQUIRE(tree.level(level)[i] == recursive_root(leaves));
      REQUIRE(tree.level(level)[i] == perfect_root(leaves));
    }
  }
}

TEST_CASE("a tree goes on from its frontier", "[unit][proof]") {
  MemoryTree tree;
  for (std::uint64_t i = 0; i < 200; ++i) tree.append(leaf_hash(be(i)));
  CompactRange walking;
  for (std::uint64_t cut = 0; cut < 200; ++cut) {
    auto resumed = CompactRange::resume(cut, walking.frontier());
    REQUIRE(resumed);
    REQUIRE(resumed->frontier().size() == static_cast<std::size_t>(std::popcount(cut)));
    for (std::uint64_t i = cut; i < 200; ++i) resumed->append(tree.leaf(i));
    REQUIRE(resumed->head() == tree.head(200));
    walking.append(tree.leaf(cut));
  }
}

TEST_CASE("a frontier that does not fit its size is refused", "[unit][proof]") {
  const std::vector<Hash> hashes(63);
  CHECK_FALSE(CompactRange::resume(0, std::span(hashes).first(1)));
  CHECK_FALSE(CompactRange::resume(3, std::span(hashes).first(1)));
  CHECK_FALSE(CompactRange::resume(3, std::span(hashes).first(3)));
  CHECK_FALSE(CompactRange::resume(std::uint64_t{1} << 63, std::span(hashes).first(1)));
  CHECK(CompactRange::resume(kTreeSizeMax, hashes));
  CHECK(CompactRange::resume(3, std::span(hashes).first(1)).error().is("frontier_malformed"));
}
