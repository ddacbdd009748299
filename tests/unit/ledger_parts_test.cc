// The ledger's own pieces: head row, tree of open tiles.
#include <bit>

#include "ledger/layout.h"
#include "ledger/tree.h"
#include "store/memory_store.h"
#include "support/catch.h"
#include "support/seeded_random.h"
#include "support/tree.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::ledger;

TEST_CASE("The head row reads back, and every shorter or longer one is refused", "[unit][ledger][formats]") {
  SeededRandom random(3);
  Head head;
  head.id = LedgerId(random.array<8>());
  head.origin = "ledger.example/x";
  head.size = TreeSize(0b1011);
  head.time = TimeMs(1'790'000'000'000);
  head.keys_mark = KeysMark(17);
  head.epoch = Epoch(3);
  for (int i = 0; i < 3; ++i) head.frontier.push_back(random.array<32>());
  const auto bytes = encode(head);
  CHECK(bytes.size() == 48 + 3 * 32 + 16);
  CHECK(*decode_head(bytes) == head);
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK(!decode_head(ByteView(bytes).first(n)));
  auto longer = bytes;
  longer.push_back(0);
  CHECK(!decode_head(longer));
}

TEST_CASE("The head row of docs/formats/stores.md", "[unit][ledger][formats]") {
  const auto* const text =
      "0001"
      "0002"
      "0013"
      "0000"
      "5f0c2a91d47be803"
      "0000000000000003"
      "000001a0c4506c00"
      "0000000000000011"
      "0000000000000002"
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
      "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7"
      "6c65646765722e6578616d706c652f6b617431";
  const auto bytes = from_hex(text);
  REQUIRE(bytes);
  CompactRange tree;
  for (const auto& entry : {Bytes{}, Bytes{0x00}, Bytes{0x10}}) tree.append(leaf_hash(entry));
  Head head;
  head.id = LedgerId({0x5f, 0x0c, 0x2a, 0x91, 0xd4, 0x7b, 0xe8, 0x03});
  head.origin = "ledger.example/kat1";
  head.size = TreeSize(3);
  head.time = TimeMs(1'790'000'000'000);
  head.keys_mark = KeysMark(17);
  head.epoch = Epoch(2);
  head.frontier = {tree.frontier().begin(), tree.frontier().end()};
  CHECK(to_hex(encode(head)) == text);
  CHECK(*decode_head(*bytes) == head);
}

TEST_CASE("S6 the tree goes on where it stood, at every size around full tiles", "[unit][ledger][tree]") {
  MemoryStore store(5);
  TreeWriter tree;
  MemoryTree reference;
  const auto full = [&](unsigned level, std::uint64_t index, const std::vector<Hash>& hashes) {
    Batch batch;
    batch.put(kTiles, tile_key(level, index), encode_tile(hashes));
    REQUIRE(store.write(batch, Sync::yes));
  };
  for (std::uint64_t i = 0; i < 66'100; ++i) {
    Hash leaf{};
    put_be(leaf.data(), i);
    const auto in_tile = i % 256;
    if (i > 0 && (in_tile < 2 || in_tile == 255 || i % 1009 == 0)) {
      const auto leaves = reference.leaves().last(in_tile);
      const auto again = TreeWriter::resume(store, i, {leaves.begin(), leaves.end()});
      REQUIRE(again);
      REQUIRE(std::ranges::equal(again->range().frontier(), tree.range().frontier()));
      REQUIRE(again->open() == tree.open());
    }
    tree.append(leaf, full);
    reference.append(leaf);
  }
  CHECK(tree.range().root() == reference.head(66'100).root);
  const auto gone = tile_key(0, 256);
  Batch batch;
  batch.erase(kTiles, gone);
  REQUIRE(store.write(batch, Sync::yes));
  const auto leaves = reference.leaves().last(66'100 % 256);
  CHECK(TreeWriter::resume(store, 66'100, {leaves.begin(), leaves.end()}).error().is("ledger_damaged"));
}

TEST_CASE("A view shares the open tiles that did not change", "[unit][ledger][tree]") {
  TreeWriter tree;
  const auto drop = [](unsigned, std::uint64_t, const std::vector<Hash>&) {};
  for (int i = 0; i < 300; ++i) tree.append(Hash{1}, drop);
  const auto before = tree.view(nullptr);
  tree.append(Hash{2}, drop);
  const auto after = tree.view(&before);
  CHECK(before.size == 300);
  CHECK(after.size == 301);
  CHECK(before.open[0]->size() == 44);
  CHECK(after.open[0]->size() == 45);
  CHECK(before.open[1] == after.open[1]);
}
