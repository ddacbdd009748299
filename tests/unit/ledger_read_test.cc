// Reading: cursors, proofs for every past size, tiles, past checkpoints; also at sizes with tiles of several levels.
#include "codec/header_codec.h"
#include "proof/checkpoint.h"
#include "proof/proofs.h"
#include "proof/tiles.h"
#include "support/ledger_world.h"
#include "support/tree.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::ledger;

namespace {

MemoryTree tree_of(const Ledger& ledger) {
  MemoryTree tree;
  auto events = std::move(*ledger.cursor(Seq(0)));
  Seq seq;
  ByteView header, parts;
  while (events->next(seq, header, parts).value()) tree.append(leaf_hash(header));
  return tree;
}

void check_proofs(const Ledger& ledger, const MemoryTree& tree, std::uint64_t index, std::uint64_t size) {
  const auto head = siegel::TreeHead{size, *ledger.root(TreeSize(size))};
  CAPTURE(index, size);
  CHECK(head.root == tree.head(size).root);
  const auto path = ledger.inclusion(Seq(index), TreeSize(size));
  REQUIRE(path);
  CHECK(verify_inclusion(tree.leaf(index), {index, size, *path}, head));
  const auto steps = ledger.consistency(TreeSize(index + 1), TreeSize(size));
  REQUIRE(steps);
  CHECK(verify_consistency({index + 1, size, *steps}, tree.head(index + 1), head));
}

}  // namespace

TEST_CASE("A cursor walks one consistent view from any place, over rows of every length", "[unit][ledger][cursor]") {
  LedgerWorld world;
  auto ledger = world.open();
  for (int i = 0; i < 20; ++i) REQUIRE(append_bulk(*ledger, world.random, 1 + world.random.below(150)));
  const auto size = ledger->size().get();
  for (const auto from : {std::uint64_t{0}, std::uint64_t{1}, size / 2, size - 1, size, size + 5}) {
    auto events = ledger->cursor(Seq(from));
    REQUIRE(events);
    REQUIRE(append_bulk(*ledger, world.random, 3));  // not part of the view
    Seq seq;
    ByteView header, parts;
    auto expected = from;
    while (*(*events)->next(seq, header, parts)) {
      REQUIRE(seq == Seq(expected));
      const auto event = ledger->read(seq);
      REQUIRE(event);
      CHECK(equal(event->header, header));
      CHECK(equal(event->parts, parts));
      ++expected;
    }
    CHECK(expected >= std::min(from, size));
    CHECK((from > size || expected <= ledger->size().get() - 3));
    CHECK(!*(*events)->next(seq, header, parts));
  }
}

TEST_CASE("P1 inclusion and consistency hold for every pair of small sizes", "[unit][ledger][P1]") {
  LedgerWorld world;
  auto ledger = world.open();
  for (int i = 0; i < 9; ++i) REQUIRE(append_bulk(*ledger, world.random, 1 + world.random.below(12)));
  const auto tree = tree_of(*ledger);
  for (std::uint64_t size = 1; size <= tree.size(); ++size) {
    for (std::uint64_t index = 0; index < size; ++index) check_proofs(*ledger, tree, index, size);
  }
  const auto beyond = TreeSize(tree.size() + 1);
  CHECK(ledger->root(beyond).error().is("proof_out_of_range"));
  CHECK(ledger->inclusion(Seq(0), beyond).error().is("proof_out_of_range"));
  CHECK(ledger->inclusion(Seq(3), TreeSize(3)).error().is("proof_out_of_range"));
  CHECK(ledger->consistency(TreeSize(0), TreeSize(3)).error().is("proof_out_of_range"));
  CHECK(ledger->consistency(TreeSize(4), TreeSize(3)).error().is("proof_out_of_range"));
  CHECK(ledger->consistency(TreeSize(1), beyond).error().is("proof_out_of_range"));
  CHECK(*ledger->root(TreeSize(0)) == empty_root());
}

TEST_CASE("Past checkpoints are signed again to the same bytes", "[unit][ledger][checkpoint]") {
  LedgerWorld world;
  auto ledger = world.open();
  std::vector<std::string> notes{ledger->checkpoint()};
  for (int i = 0; i < 12; ++i) {
    REQUIRE(append_bulk(*ledger, world.random, 1));
    notes.push_back(ledger->checkpoint());
  }
  for (std::size_t size = 0; size < notes.size(); ++size) {
    CHECK(*ledger->checkpoint_at(TreeSize(size)) == notes[size]);
    const auto opened = open_checkpoint(notes[size], world.signer.verifier());
    REQUIRE(opened);
    CHECK(opened->checkpoint.size == size);
  }
  CHECK(ledger->checkpoint_at(TreeSize(13)).error().is("proof_out_of_range"));
  CHECK(!world.heads.forked());
}

TEST_CASE("A statement is a note of the ledger's key, and never one that reads as a checkpoint", "[unit][ledger]") {
  LedgerWorld world;
  auto ledger = world.open();
  const auto note = ledger->statement("Siegel says\nsomething: 1\n");
  REQUIRE(note);
  const auto verifier = world.signer.verifier();
  const auto opened = open_note(*note, std::span(&verifier, 1));
  REQUIRE(opened);
  CHECK(opened->text == "Siegel says\nsomething: 1\n");
  CHECK(!open_checkpoint(*note, verifier));
  for (const auto& text :
       {kOrigin + std::string("\n5\ngy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=\n"), kOrigin + std::string("\n"),
        std::string("no end of line"), std::string("a\x01\n"), std::string()})
    CHECK(ledger->statement(text).error().is("statement_malformed"));
}

TEST_CASE("Tiles of several levels: proofs, tiles and a new start at 70,000 events", "[unit][ledger][P1][S6]") {
  LedgerWorld world;
  auto ledger = world.open();
  constexpr std::uint64_t kSize = 70'000;
  while (ledger->size().get() < kSize) {
    REQUIRE(append_bulk(*ledger, world.random, std::min<std::uint64_t>(3'500, kSize - ledger->size().get()),
                        {.parts = 1, .bytes = 0}));
  }
  const auto tree = tree_of(*ledger);
  const auto check = [&] {
    SeededRandom pick(7);
    for (int i = 0; i < 60; ++i) {
      const auto size = 1 + pick.below(kSize);
      check_proofs(*ledger, tree, pick.below(size), size);
    }
    for (const auto size : {255u, 256u, 257u, 65'535u, 65'536u, 65'537u, 69'999u, 70'000u}) {
      check_proofs(*ledger, tree, 0, size);
      check_proofs(*ledger, tree, size - 1, size);
    }
    // 70,000: 273 full + 112; 1 full + 17; 1 (formats/ledger.md 8)
    for (const auto& [level, index, width] : std::vector<std::tuple<unsigned, std::uint64_t, unsigned>>{{0, 0, 256},
                                                                                                        {0, 272, 256},
                                                                                                        {0, 273, 112},
                                                                                                        {0, 273, 7},
                                                                                                        {0, 5, 9},
                                                                                                        {1, 0, 256},
                                                                                                        {1, 1, 17},
                                                                                                        {1, 0, 3},
                                                                                                        {2, 0, 1}}) {
      CAPTURE(level, index, width);
      const auto tile = ledger->tile(level, index, width);
      REQUIRE(tile);
      REQUIRE(*tile);
      const auto expected = tree.level(8 * level).subspan(index * 256, width);
      CHECK(**tile == encode_tile(expected));
    }
    for (const auto& [level, index, width] :
         std::vector<std::tuple<unsigned, std::uint64_t, unsigned>>{{0, 273, 113},
                                                                    {0, 273, 256},
                                                                    {0, 274, 1},
                                                                    {1, 1, 18},
                                                                    {2, 0, 2},
                                                                    {3, 0, 1},
                                                                    {9, 0, 1},
                                                                    {0, 0, 0},
                                                                    {0, 0, 257},
                                                                    {0, ~std::uint64_t{0} / 256, 1},
                                                                    {0, ~std::uint64_t{0}, 1}}) {
      CAPTURE(level, index, width);
      const auto tile = ledger->tile(level, index, width);
      REQUIRE(tile);
      CHECK(!*tile);
    }
  };
  check();
  const auto note = ledger->checkpoint();
  ledger.reset();
  ledger = world.open();
  CHECK(ledger->read_only().empty());
  CHECK(ledger->checkpoint() == note);
  check();
  REQUIRE(append_bulk(*ledger, world.random, 700));
  CHECK(audit(*ledger, world.signer.verifier()) == "");
}
