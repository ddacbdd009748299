#include <schemas/header.capnp.h>

#include <capnp/message.h>
#include <capnp/schema.h>

#include <limits>

#include "codec/header_codec.h"
#include "support/catch.h"

using namespace siegel;

namespace {

Header plain() {
  Header header;
  header.type = EventType::record_changed;
  header.id = EventId(Id16{1, 2, 3});
  header.parts_digest[31] = 9;
  header.part_count = 2;
  return header;
}

std::size_t slot_of(capnp::StructSchema schema, const char* field) {
  return schema.getFieldByName(field).getProto().getSlot().getOffset();
}

bool refused(ByteView bytes) {
  const auto header = codec::decode_header(bytes);
  return !header && header.error().is("header_damaged") && header.error().category() == Errc::corrupt;
}

}  // namespace

TEST_CASE("F4 what the writer fills in has a fixed place in every header", "[unit][codec][F4]") {
  const auto schema = capnp::Schema::from<schema::Header>();
  // In words of the data section; codec/header_codec.cc adds the root pointer.
  CHECK(slot_of(schema, "format") == 0);
  CHECK(slot_of(schema, "seq") == 1);
  CHECK(slot_of(schema, "time") == 2);
  CHECK(slot_of(schema, "keysMark") == 3);
  CHECK(slot_of(schema, "schema") / 4 == 4);  // behind them, and never zero
  CHECK(slot_of(schema, "id") == 0);          // the digest follows the 16 bytes of the id
  CHECK(slot_of(schema, "partsDigest") == 1);
}

TEST_CASE("F4 a completed template is the canonical encoding, also where everything is zero", "[unit][codec][F4]") {
  const auto ends = std::vector<std::uint64_t>{0, 1, std::numeric_limits<std::uint64_t>::max()};
  const std::vector<Facts> facts = {NoFacts{},
                                    RegistryFacts{},
                                    AccessFacts{},
                                    AccessFacts{AccessFacts::Kind::list, {1, 0}},
                                    RefusalFacts{},
                                    ErasureRequestedFacts{},
                                    ErasureEffectiveFacts{},
                                    ErasureEffectiveFacts{0, 0, {}, {}, 0, 0, 0, 0, {0}},
                                    ErasureCompletedFacts{},
                                    JobFacts{JobFacts::Kind::backup, 0},
                                    ClockFacts{-1},
                                    ImportFacts{},
                                    ImportFacts{0, 0, 0, 0, 1}};
  for (const auto& fact : facts) {
    for (const bool with_rest : {false, true}) {
      Header header;
      header.facts = fact;
      if (with_rest) {
        header = plain();
        header.facts = fact;
        header.purpose = PurposeNo(7);
        header.record_type = TypeNo(8);
        header.ground = LegalGround::contract;
        header.source = Source::bus;
        header.job = JobId(Id16{});
      }
      for (const auto before : ends) {
        for (const auto after : ends) {
          header.seq = Seq(before);
          header.time = TimeMs(before);
          header.keys_mark = KeysMark(before);
          header.parts_digest.fill(static_cast<std::uint8_t>(before));
          auto made = codec::encode_template(header);
          REQUIRE(made);
          header.seq = Seq(after);
          header.time = TimeMs(after / 2);
          header.keys_mark = KeysMark(after / 3);
          header.parts_digest.fill(static_cast<std::uint8_t>(after + 1));
          codec::complete(*made, header.seq, header.time, header.keys_mark, header.parts_digest);
          const auto whole = codec::encode(header);
          REQUIRE(whole);
          CHECK(to_hex(made->bytes) == to_hex(*whole));
          const auto read = codec::decode_header(made->bytes);
          REQUIRE(read);
          CHECK(*read == header);
        }
      }
    }
  }
}

TEST_CASE("F4 our encoding is what Cap'n Proto calls canonical", "[unit][codec][F4]") {
  Header header = plain();
  header.facts = AccessFacts{AccessFacts::Kind::search, {3, 4, 5, 6, 7}};
  const auto bytes = codec::encode(header);
  REQUIRE(bytes);
  capnp::MallocMessageBuilder aligned;  // any message gives aligned words
  kj::Array<capnp::word> words = kj::heapArray<capnp::word>(bytes->size() / 8);
  std::memcpy(static_cast<void*>(words.begin()), bytes->data(), bytes->size());
  const kj::ArrayPtr<const capnp::word> segments[] = {words.asPtr()};
  capnp::SegmentArrayMessageReader reader(segments);
  CHECK(reader.isCanonical());
  const auto root = reader.getRoot<schema::Header>();
  CHECK(root.getFormat() == 1);
  CHECK(root.getFacts().getAccess().getFields().size() == 5);
}

TEST_CASE("F4 a header is read from any address", "[unit][codec][F4]") {
  Header header = plain();
  header.facts = ErasureRequestedFacts{1, 2, 3, std::vector<std::uint32_t>(300, 64)};  // longer than the inline copy
  const auto bytes = codec::encode(header);
  REQUIRE(bytes);
  for (std::size_t shift = 0; shift < 8; ++shift) {
    Bytes moved(shift);
    append(moved, *bytes);
    const auto read = codec::decode_header(ByteView(moved).subspan(shift));
    REQUIRE(read);
    CHECK(*read == header);
  }
}

TEST_CASE("F3 a header ends at 65,535 bytes", "[unit][codec][F3]") {
  Header header = plain();
  const auto sized = [&](std::size_t fields) {
    header.facts = AccessFacts{AccessFacts::Kind::list, std::vector<std::uint16_t>(fields, 1)};
    return codec::encode(header);
  };
  const std::size_t rest = sized(4)->size() - 8;
  const std::size_t fits = (65'528 - rest) / 2;
  const auto largest = sized(fits);
  REQUIRE(largest);
  CHECK(largest->size() == 65'528);
  REQUIRE(codec::decode_header(*largest));
  for (const std::size_t fields : {fits + 1, fits + 40'000, std::size_t{1'000'000}}) {
    const auto refusal = sized(fields);
    REQUIRE_FALSE(refusal);
    CHECK(refusal.error().is("too_large"));
    CHECK(refusal.error().category() == Errc::invalid);
    REQUIRE(refusal.error().find("limit"));
    CHECK(*refusal.error().find("limit") == "65535");
    CHECK_FALSE(codec::encode_template(header));
  }
  Bytes longer = *largest;
  longer.resize(65'536);
  CHECK(refused(longer));
}

TEST_CASE("F4 damaged headers are refused", "[unit][codec][F4]") {
  Header header = plain();
  header.job = JobId(Id16{5});
  header.facts = ErasureEffectiveFacts{1, 2, {3}, {4}, 5, 0, 1, 1, {6, 7}};
  const auto good = codec::encode(header);
  REQUIRE(good);
  REQUIRE(codec::decode_header(*good));

  CHECK(refused({}));
  for (std::size_t size = 0; size < good->size(); ++size) CHECK(refused(ByteView(*good).first(size)));
  Bytes longer = *good;
  longer.resize(longer.size() + 8);
  CHECK(refused(longer));

  const auto patched = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes = *good;
    bytes[at] = value;
    return bytes;
  };
  CHECK(refused(patched(8, 2)));          // unknown format
  CHECK(refused(patched(8 + 34, 0)));     // no schema version
  CHECK(refused(patched(8 + 37, 0x04)));  // 1,026 parts
  CHECK(refused(patched(8 + 38, 9)));     // facts of a newer version
  CHECK(refused(patched(8 + 79, 1)));     // data that this version does not know
  const std::size_t pointers = 8 + 80;
  CHECK(refused(patched(pointers + 4, 17 << 3 | 2)));  // id of 17 bytes
  CHECK(refused(patched(pointers + 8 + 5, 0)));        // digest of no bytes
  CHECK(refused(patched(pointers + 2, 1)));            // far outside
  CHECK(refused(patched(4, 9)));                       // data section shorter than written

  Header wrong = plain();
  wrong.schema = 0;
  CHECK(codec::encode(wrong).error().is("header_invalid"));
  wrong = plain();
  wrong.part_count = kPartsMax;
  CHECK(codec::encode(wrong));
  wrong.part_count = kPartsMax + 1;
  CHECK(codec::encode(wrong).error().is("header_invalid"));
}

TEST_CASE("F4 a header made by others with the same meaning but other bytes is refused", "[unit][codec][F4]") {
  const auto bytes_of = [](capnp::MessageBuilder& message) {
    const auto words = message.getSegmentsForOutput()[0];
    return Bytes(reinterpret_cast<const std::uint8_t*>(words.begin()),
                 reinterpret_cast<const std::uint8_t*>(words.end()));
  };
  const auto fill = [](schema::Header::Builder to) {
    const std::uint8_t zeros[32] = {};
    to.setFormat(1);
    to.setSchema(1);
    to.setId(kj::arrayPtr(zeros, 16));
    to.setPartsDigest(kj::arrayPtr(zeros, 32));
  };
  capnp::MallocMessageBuilder padded;  // trailing zero words stand
  fill(padded.initRoot<schema::Header>());
  CHECK(refused(bytes_of(padded)));

  capnp::MallocMessageBuilder source;
  fill(source.initRoot<schema::Header>());
  const auto canonical = capnp::canonicalize(source.getRoot<schema::Header>().asReader());
  CHECK(codec::decode_header({reinterpret_cast<const std::uint8_t*>(canonical.begin()), canonical.size() * 8}));

  source.getRoot<schema::Header>().setJob(
      kj::arrayPtr(static_cast<const std::uint8_t*>(nullptr), 0));  // empty, not null
  const auto with_empty = capnp::canonicalize(source.getRoot<schema::Header>().asReader());
  CHECK(refused({reinterpret_cast<const std::uint8_t*>(with_empty.begin()), with_empty.size() * 8}));
}

TEST_CASE("a header keeps event types that this version does not know", "[unit][codec]") {
  Header header = plain();
  header.type = static_cast<EventType>(0xFEFE);
  const auto read = codec::decode_header(*codec::encode(header));
  REQUIRE(read);
  CHECK(read->type == static_cast<EventType>(0xFEFE));
  CHECK_FALSE(is_known(read->type));
}
