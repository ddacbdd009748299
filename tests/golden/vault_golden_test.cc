// Bytes of the keys store and the root store, made by tests/golden/keys-v1/make.py from docs/formats/keys.md. A fixture
// is never changed: what it holds keeps somebody's data readable.
#include <algorithm>
#include <fstream>
#include <numeric>

#include "support/catch.h"
#include "support/vault_world.h"
#include "vault/node.h"
#include "vault/records.h"
#include "vault/root_slot.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::vault;

namespace {

Bytes fixture(const std::string& name) {
  std::ifstream file(SIEGEL_SOURCE_DIR "/tests/golden/keys-v1/" + name + ".hex");
  INFO(name);
  REQUIRE(file);
  std::string digits;
  for (std::string line; std::getline(file, line);) digits += line;
  return from_hex(digits).value();
}

// 0, 1, 2, …: the fixtures' nonces.
struct Counting final : Random {
  void fill(MutableBytes out) override { std::iota(out.begin(), out.end(), std::uint8_t{0}); }
};

// Always 7: every leaf key of a vault made with it is 32 bytes of 7.
struct Sevens final : Random {
  void fill(MutableBytes out) override { std::fill(out.begin(), out.end(), std::uint8_t{7}); }
};

template <std::size_t N>
ByteArray<N> counting_from(std::uint8_t first) {
  ByteArray<N> out;
  std::iota(out.begin(), out.end(), first);
  return out;
}

const KeyTreeId kTree(counting_from<16>(0x40));
const SecretKey kRoot(counting_from<32>(0x80));

}  // namespace

TEST_CASE("nodes of version 1 are written and read as ever", "[golden][vault]") {
  Counting random;
  const NodeName name{4, 1234, {5, 2}};
  CHECK(equal(row_key(name), fixture("node-row-key")));
  const auto parsed = parse_row_key(fixture("node-row-key"));
  REQUIRE(parsed);
  CHECK((parsed->level == 4 && parsed->index == 1234 && parsed->version == name.version));

  Bytes content(kNodeBytes);
  for (unsigned i = 0; i < kFanOut; ++i)
    put_child(content, i, SecretKey(Bytes(32, static_cast<std::uint8_t>(i))), {3, 0});
  put_tombstone(content, 7, 5);
  CHECK(content == fixture("node-content"));
  CHECK(is_tombstone(version_of(content, 7)));
  CHECK_FALSE(is_tombstone(version_of(content, 8)));
  const auto row = fixture("node");
  CHECK(seal_node(kRoot, kTree, name, content, random) == row);
  CHECK(equal(open_node(kRoot, kTree, name, row)->view(), content));
  // Under another name it is not this node.
  for (const NodeName& other :
       {NodeName{3, 1234, {5, 2}}, NodeName{4, 1235, {5, 2}}, NodeName{4, 1234, {6, 2}}, NodeName{4, 1234, {5, 3}}}) {
    CHECK(open_node(kRoot, kTree, other, row).error().is("keys_damaged"));
  }
  CHECK(open_node(kRoot, KeyTreeId(), name, row).error().is("keys_damaged"));
  CHECK(open_node(kRoot, kTree, name, ByteView(row).first(row.size() - 1)).error().is("keys_damaged"));
  CHECK_FALSE(parse_row_key(ByteView(row_key(name)).first(16)));
}

TEST_CASE("fences and pending records of version 1 are written and read as ever", "[golden][vault]") {
  Counting random;
  const std::vector<Slot> slots{Slot(17), Slot(64), Slot((1u << 30) - 1)};
  CHECK(encode_slots(slots) == fixture("fence"));
  CHECK(decode_slots(fixture("fence")).value() == slots);
  const auto refused = [](Bytes row) { return !decode_slots(row); };
  auto row = fixture("fence");
  row.push_back(0);
  CHECK(refused(row));
  row = fixture("fence");
  row[1] = 2;
  CHECK(refused(row));
  CHECK(refused(encode_slots(std::vector{Slot(5), Slot(5)})));
  CHECK(refused(encode_slots(std::vector{Slot(1u << 30)})));

  CHECK(get_be<std::uint64_t>(fixture("fence-lost-row-key").data()) == (kLostRequest | 207));
  CHECK(is_lost({kLostRequest | 207, slots}));
  CHECK_FALSE(is_lost({207, slots}));

  const NodeVersion version{5, 2};
  CHECK(equal(pending_key(version), fixture("pending-row-key")));
  CHECK(parse_pending_key(fixture("pending-row-key")) == version);
  EpochChange change;
  change.from = Epoch(4);
  change.to = Epoch(5);
  change.old_root.fill(0x11);
  change.new_root.fill(0x22);
  change.leaves = 9;
  change.members = 2;
  change.replicas = 1;
  change.requests = {100, 207};
  CHECK(seal_pending(kRoot, kTree, version, {&change, 1}, random) == fixture("pending"));
  const auto read = open_pending(kRoot, kTree, version, fixture("pending"));
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  CHECK(read->front().requests == change.requests);
  CHECK(read->front().new_root == change.new_root);
  CHECK(read->front().leaves == 9);
  CHECK(open_pending(kRoot, kTree, {5, 3}, fixture("pending")).error().is("keys_damaged"));
}

TEST_CASE("root slots of version 1 are written and read as ever", "[golden][vault]") {
  Hash root_node;
  root_node.fill(0x22);
  const RootEntry entry{.epoch = Epoch(5),
                        .key = kRoot,
                        .root_node = root_node,
                        .ledger = LedgerId(counting_from<8>(0x60)),
                        .tree = kTree};
  const auto kept = fixture("root-slot");
  CHECK(equal(encode_root_slot(entry).view(), kept));
  const auto read = decode_root_slot(kept);
  REQUIRE(read);
  CHECK(read->epoch == entry.epoch);
  CHECK(equal(read->key.view(), entry.key.view()));
  CHECK(read->root_node == entry.root_node);
  CHECK(read->ledger == entry.ledger);
  CHECK(read->tree == entry.tree);
  for (std::size_t at = 0; at < kept.size(); ++at) {
    auto torn = kept;
    torn[at] ^= 0x10;
    REQUIRE_FALSE(decode_root_slot(torn));
  }
  REQUIRE(roots_of(as_chars(kept)).size() == 1);  // the attacker of other tests reads the same
}

TEST_CASE("parts, rows and day keys of version 1 are sealed and opened as ever", "[golden][vault]") {
  CrashDisk disk(1);
  HandClock clock;
  Sevens random;
  const auto files = disk.files();
  const auto root = open_file_root_store("/place/root", random, files.get());
  vault::Options options;
  options.keys_dir = "/keys";
  options.file_system = disk.file_system();
  options.spare_leaves = 64;
  const LedgerId ledger(counting_from<8>(0x60));
  REQUIRE(Vault::create(options, *root, kTree, ledger, random));
  const auto vault = Vault::open(options, *root, ledger, KeysMark(0), Epoch(0), clock, random).value();
  REQUIRE(vault->new_leaf());  // the first leaf node is there
  const Slot slot(5);

  Header header;
  header.id = EventId(counting_from<16>(0xc0));
  header.schema = 3;
  const auto part = vault->seal(slot, header.id, 1, ClassNo(7), OwnerId(), 3, as_bytes("made-up body")).value();
  CHECK(part.ciphertext == fixture("part"));
  const StoredPart stored{.hash = {}, .removed = false, .envelope = part.envelope, .ciphertext = part.ciphertext};
  CHECK(as_chars(vault->open(Receipts::system(), header, 1, stored)->view()) == "made-up body");

  CHECK(vault->seal_row(slot, "records", as_bytes("row 17"), as_bytes("made-up row")).value() == fixture("row"));
  const auto row = vault->open_row(Receipts::system(), slot, "records", as_bytes("row 17"), fixture("row"));
  REQUIRE(row);
  CHECK(as_chars(row->view()) == "made-up row");

  CHECK(equal(vault->day_mac(slot, as_bytes("client key")).value(), fixture("day-mac")));
  CHECK(vault->day_seal(slot, counting_from<12>(0), as_bytes("made-up answer")).value() == fixture("day"));
  CHECK(as_chars(vault->day_open(slot, counting_from<12>(0), fixture("day"))->view()) == "made-up answer");
}
