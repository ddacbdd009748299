#include <numeric>

#include "codec/parts.h"
#include "codec/rows.h"
#include "crypto/sha256.h"
#include "support/catch.h"

using namespace siegel;

namespace {

Envelope example() {
  Envelope envelope;
  envelope.cls = ClassNo(0x01020304);
  Id16 owner;
  std::iota(owner.begin(), owner.end(), std::uint8_t{0x10});
  envelope.owner = OwnerId(owner);
  envelope.slot = Slot(0x2021222324252627);
  envelope.number = 0x3031323334353637;
  std::iota(envelope.salt.begin(), envelope.salt.end(), std::uint8_t{0x40});
  return envelope;
}

Hash hash_of_text(std::string_view text) { return sha256(as_bytes(text)); }

// The definition of RFC 6962 2.1, word for word.
Hash tree_hash(std::span<const Hash> leaves) {
  if (leaves.empty()) return sha256(ByteView{});
  const std::uint8_t leaf = 0;
  const std::uint8_t node = 1;
  if (leaves.size() == 1) return sha256({ByteView(&leaf, 1), leaves[0]});
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return sha256({ByteView(&node, 1), tree_hash(leaves.first(k)), tree_hash(leaves.subspan(k))});
}

}  // namespace

TEST_CASE("an envelope stands in 64 bytes", "[unit][codec]") {
  const auto bytes = codec::encode(example());
  CHECK(to_hex(bytes) ==
        "0001000001020304"
        "101112131415161718191a1b1c1d1e1f"
        "2021222324252627"
        "3031323334353637"
        "404142434445464748494a4b4c4d4e4f"
        "0000000000000000");
  CHECK(*codec::decode_envelope(bytes) == example());
  for (const std::size_t at : {0u, 1u, 2u, 3u, 56u, 63u}) {
    auto damaged = bytes;
    damaged[at] ^= 0x80;
    const auto read = codec::decode_envelope(damaged);
    REQUIRE_FALSE(read);
    CHECK(read.error().is("envelope_damaged"));
  }
  CHECK_FALSE(codec::decode_envelope(ByteView(bytes).first(63)));
  Bytes longer = to_bytes(bytes);
  longer.push_back(0);
  CHECK_FALSE(codec::decode_envelope(longer));
}

TEST_CASE("F3 part hashes and their digest are those of the format", "[unit][codec][F3]") {
  CHECK(codec::inner_hash({}) == sha256(*from_hex("03")));
  CHECK(codec::inner_hash(as_bytes("sealed")) == hash_of_text("\x03sealed"));
  const auto envelope = codec::encode(example());
  const Hash inner = codec::inner_hash(as_bytes("sealed"));
  Bytes hashed{2};
  append(hashed, envelope);
  append(hashed, inner);
  REQUIRE(hashed.size() == 97);
  CHECK(codec::part_hash(envelope, inner) == sha256(hashed));

  std::vector<Hash> hashes;
  for (std::size_t n = 0; n <= kPartsMax; ++n) {
    if (n < 70 || n > 990 || n == 512 || n == 513) CHECK(codec::parts_digest(hashes) == tree_hash(hashes));
    hashes.push_back(sha256(be(static_cast<std::uint32_t>(n))));
  }
}

TEST_CASE("associated data binds tree, event, part, class and schema", "[unit][codec]") {
  codec::PartContext context;
  context.tree = KeyTreeId(Id16{0xAA});
  context.event = EventId(Id16{0xBB});
  context.part = 0x0102;
  context.cls = ClassNo(0x03040506);
  context.schema = 0x0708;
  CHECK(to_hex(codec::associated_data(context)) ==
        "73696567656c2f706172742f31"
        "aa000000000000000000000000000000"
        "bb000000000000000000000000000000"
        "0102"
        "03040506"
        "0708");
}

TEST_CASE("F3 parts are committed to by hash, present or removed", "[unit][codec][F3]") {
  const auto envelope = codec::encode(example());
  Bytes record;
  codec::append_part(record, envelope, as_bytes("the actor's"));
  codec::append_part(record, envelope, {});  // a trace
  codec::append_part(record, envelope, as_bytes("somebody's"));
  const auto parts = codec::decode_parts(record);
  REQUIRE(parts);
  REQUIRE(parts->size() == 3);
  CHECK(as_chars((*parts)[0].ciphertext) == "the actor's");
  CHECK((*parts)[1].ciphertext.empty());
  CHECK_FALSE((*parts)[1].removed);
  CHECK((*parts)[2].envelope == example());

  Header header;
  header.part_count = 3;
  header.parts_digest = codec::parts_digest(std::vector<Hash>{(*parts)[0].hash, (*parts)[1].hash, (*parts)[2].hash});
  CHECK(codec::check_parts(header, *parts));

  Bytes swept;
  codec::append_part(swept, envelope, as_bytes("the actor's"));
  codec::append_removed_part(swept, (*parts)[1].hash);
  codec::append_removed_part(swept, (*parts)[2].hash);
  const auto left = codec::decode_parts(swept);
  REQUIRE(left);
  CHECK((*left)[2].removed);
  CHECK((*left)[2].ciphertext.empty());
  CHECK(codec::check_parts(header, *left));

  // Each byte counts: the hash, or the form.
  for (std::size_t at = 0; at < record.size(); ++at) {
    Bytes damaged = record;
    damaged[at] ^= 1;
    const auto read = codec::decode_parts(damaged);
    if (!read) {
      CHECK(read.error().is("payload_damaged"));
    } else {
      const auto checked = codec::check_parts(header, *read);
      REQUIRE_FALSE(checked);
      CHECK(checked.error().is("payload_mismatch"));
    }
  }
  for (std::size_t size = 0; size < record.size(); ++size) {
    CHECK_FALSE(codec::decode_parts(ByteView(record).first(size)));
  }
  CHECK_FALSE(codec::check_parts(header, std::span(*parts).first(2)));
  CHECK_FALSE(codec::decode_parts(*from_hex("0000")));
  CHECK_FALSE(codec::decode_parts(*from_hex("03ea")));  // 1,002 parts
}

TEST_CASE("F3 an event has at most 1,001 parts", "[unit][codec][F3]") {
  Bytes record;
  for (std::size_t i = 0; i < kPartsMax; ++i) codec::append_removed_part(record, Hash{});
  CHECK(codec::decode_parts(record)->size() == kPartsMax);
}

TEST_CASE("a row holds up to 64 events and 256 KiB", "[unit][codec]") {
  codec::RowBuilder rows;
  const Bytes event(100, 7);
  for (int i = 0; i < 64; ++i) CHECK(rows.add(event));
  CHECK_FALSE(rows.add(event));
  CHECK(rows.events() == 64);
  const Bytes row = rows.finish(as_bytes("trailer"));
  CHECK(rows.events() == 0);
  CHECK(row.size() == 4 + 64 * 4 + 6400 + 7);
  const auto view = codec::RowView::parse(row);
  REQUIRE(view);
  REQUIRE(view->events() == 64);
  for (std::size_t i = 0; i < 64; ++i) CHECK(equal(view->event(i), event));
  CHECK(as_chars(view->trailer()) == "trailer");

  const Bytes large(codec::kRowBytesMax, 1);  // larger than a row by its table: alone in one
  CHECK(rows.add(large));
  CHECK_FALSE(rows.add(Bytes{1}));
  const Bytes alone = rows.finish();
  CHECK(codec::RowView::parse(alone)->event(0).size() == large.size());
  CHECK(codec::RowView::parse(alone)->trailer().empty());

  CHECK(rows.add(Bytes(codec::kRowBytesMax - 12 - 5, 1)));
  CHECK_FALSE(rows.add(Bytes(6, 1)));
  CHECK(rows.add(Bytes(5, 1)));
  CHECK(rows.finish().size() == codec::kRowBytesMax);
}

TEST_CASE("damaged rows are refused", "[unit][codec]") {
  codec::RowBuilder rows;
  CHECK(rows.add(as_bytes("one")));
  CHECK(rows.add(as_bytes("")));
  CHECK(rows.add(as_bytes("three")));
  const Bytes row = rows.finish();
  CHECK(to_hex(row) ==
        "0001"
        "0003"
        "00000003"
        "00000003"
        "00000008"
        "6f6e65"
        "7468726565");
  CHECK(codec::RowView::parse(row));
  for (std::size_t size = 0; size < row.size(); ++size) {
    const auto view = codec::RowView::parse(ByteView(row).first(size));
    REQUIRE_FALSE(view);
    CHECK(view.error().is("row_damaged"));
  }
  for (const char* wrong : {"00020001000000016f", "000000010000000161", "00010000", "0001004100000001",
                            "0001000200000002000000016161", "00010001ffffffff61"}) {
    CHECK_FALSE(codec::RowView::parse(*from_hex(wrong)));
  }
  Bytes too_long = *from_hex("0001000200000001");
  append_be(too_long, std::uint32_t{codec::kRowBytesMax});
  too_long.resize(too_long.size() + codec::kRowBytesMax);
  CHECK_FALSE(codec::RowView::parse(too_long));
}

TEST_CASE("EV-03 idempotency entries go there and back", "[unit][codec][EV-03]") {
  std::vector<codec::IdempotencyRow> entries(2);
  entries[0].day_slot = Slot(5);
  entries[0].mac.fill(6);
  entries[0].nonce.fill(7);
  entries[0].sealed = to_bytes(as_bytes("sealed answer"));
  const Bytes bytes = codec::encode(entries);
  CHECK(bytes.size() == 2 + 2 * 56 + 13);
  const auto read = codec::decode_idempotency(bytes);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK((*read)[0].day_slot == Slot(5));
  CHECK((*read)[0].mac == entries[0].mac);
  CHECK((*read)[0].nonce == entries[0].nonce);
  CHECK((*read)[0].sealed == entries[0].sealed);
  CHECK(codec::encode(*read) == bytes);
  CHECK(codec::encode(std::span<const codec::IdempotencyRow>{}).empty());
  CHECK(codec::decode_idempotency({})->empty());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    CHECK_FALSE(codec::decode_idempotency(ByteView(bytes).first(size)));
  }
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(codec::decode_idempotency(longer));
  CHECK_FALSE(codec::decode_idempotency(*from_hex("0000")));
}
