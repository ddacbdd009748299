#include <cstdlib>

#include "codec/header_codec.h"
#include "support/catch.h"
#include "support/codec_examples.h"
#include "support/mutate.h"

using namespace siegel;
using namespace siegel::codec;
using test::SeededRandom;

namespace {

// SIEGEL_LONG=1: the ten million inputs of F4.
std::uint64_t rounds(std::uint64_t quick) { return std::getenv("SIEGEL_LONG") != nullptr ? quick * 100 : quick; }

Bytes rewritten(const std::vector<StoredPart>& parts) {
  Bytes record;
  for (const auto& part : parts) {
    if (part.removed) {
      append_removed_part(record, part.hash);
    } else {
      append_part(record, encode(part.envelope), part.ciphertext);
    }
  }
  return record;
}

Bytes rewritten(const RowView& row) {
  RowBuilder builder;
  for (std::size_t i = 0; i < row.events(); ++i) REQUIRE(builder.add(row.event(i)));
  return builder.finish(row.trailer());
}

// Feeds damaged inputs to a codec: each one is refused, or is exactly what the codec writes for what it read.
// reread(bytes) -> optional<Bytes>: nothing if refused.
struct Tally {
  std::uint64_t refused = 0;
  std::uint64_t taken = 0;
};
template <class Make, class Reread>
Tally damage(std::uint64_t count, std::uint64_t seed, Make&& make, Reread&& reread) {
  SeededRandom random(seed);
  Tally tally;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Bytes bytes = test::mutated(make(random), random);
    const std::optional<Bytes> again = reread(bytes);
    if (!again) {
      ++tally.refused;
    } else if (*again == bytes) {
      ++tally.taken;
    } else {
      FAIL("seed " << seed << ", round " << i << ": " << to_hex(bytes) << " became " << to_hex(*again));
    }
  }
  return tally;
}

template <class T>
std::optional<Bytes> encoded(const Result<T>& value) {
  if (!value) return std::nullopt;
  return encode(*value);
}

}  // namespace

TEST_CASE("F4 headers: decoding undoes encoding", "[property][codec][F4]") {
  SeededRandom random(1);
  for (std::uint64_t i = 0; i < rounds(20'000); ++i) {
    const Header header = test::arbitrary_header(random);
    const auto bytes = encode(header);
    REQUIRE(bytes);
    const auto read = decode_header(*bytes);
    REQUIRE(read);
    REQUIRE(*read == header);

    Header other = test::arbitrary_header(random);
    other.facts = header.facts;
    Header start = header;
    start.seq = other.seq;
    start.time = other.time;
    start.keys_mark = other.keys_mark;
    start.parts_digest = other.parts_digest;
    auto made = encode_template(start);
    REQUIRE(made);
    complete(*made, header.seq, header.time, header.keys_mark, header.parts_digest);
    REQUIRE(made->bytes == *bytes);
  }
}

TEST_CASE("F4 bodies: decoding undoes encoding", "[property][codec][F4]") {
  SeededRandom random(2);
  for (std::uint64_t i = 0; i < rounds(5'000); ++i) {
    const Bytes record = encode(test::arbitrary_record(random));
    REQUIRE(encoded(decode_record(record, 1)) == record);
    const Values values = test::arbitrary_record(random).values;
    const auto read = decode_values(encode_values(values));
    REQUIRE(read);
    REQUIRE(read->size() == values.size());
    for (std::size_t k = 0; k < values.size(); ++k) {
      REQUIRE((*read)[k].field == values[k].field);
      REQUIRE((*read)[k].value.expose() == values[k].value.expose());
    }
    const Bytes notice = encode(test::arbitrary_notice(random));
    REQUIRE(encoded(decode_notice(notice, 1)) == notice);
    const RegistryBody registry = test::arbitrary_registry(random);
    const auto back = decode_registry(encode(registry), 1);
    REQUIRE(back);
    REQUIRE(back->index() == registry.index());
    if (const auto* type = std::get_if<TypeDefinition>(&registry)) REQUIRE(std::get<TypeDefinition>(*back) == *type);
    if (const auto* purpose = std::get_if<PurposeDefinition>(&registry)) {
      REQUIRE(std::get<PurposeDefinition>(*back) == *purpose);
    }
    if (const auto* token = std::get_if<TokenCreated>(&registry)) {
      REQUIRE(std::get<TokenCreated>(*back).grant == token->grant);
    }
    REQUIRE(encode(*back) == encode(registry));
  }
}

TEST_CASE("parts and rows: decoding undoes encoding", "[property][codec]") {
  SeededRandom random(3);
  for (std::uint64_t i = 0; i < rounds(5'000); ++i) {
    const Bytes record = test::arbitrary_parts(random);
    const auto parts = decode_parts(record);
    REQUIRE(parts);
    REQUIRE(rewritten(*parts) == record);
    const Bytes row = test::arbitrary_row(random);
    const auto view = RowView::parse(row);
    REQUIRE(view);
    REQUIRE(rewritten(*view) == row);
    const auto entries = decode_idempotency(view->trailer());
    REQUIRE(entries);
    REQUIRE(equal(encode(*entries), view->trailer()));
  }
}

TEST_CASE("F4 damaged headers are refused, or are canonical", "[property][codec][F4]") {
  const auto tally = damage(
      rounds(100'000), 4, [](SeededRandom& random) { return encode(test::arbitrary_header(random)).value(); },
      [](const Bytes& bytes) -> std::optional<Bytes> {
        const auto header = decode_header(bytes);
        if (!header) {
          CHECK(header.error().is("header_damaged"));
          return std::nullopt;
        }
        return encode(*header).value();
      });
  CHECK(tally.refused > tally.taken / 10);  // both happen: changed numbers are headers still
  CHECK(tally.taken > tally.refused / 10);
}

TEST_CASE("F4 damaged bodies are refused, or are canonical", "[property][codec][F4]") {
  CHECK(damage(
            rounds(20'000), 5, [](SeededRandom& random) { return encode(test::arbitrary_record(random)); },
            [](const Bytes& bytes) { return encoded(decode_record(bytes, 1)); })
            .refused > 0);
  CHECK(damage(
            rounds(20'000), 6, [](SeededRandom& random) { return encode(test::arbitrary_registry(random)); },
            [](const Bytes& bytes) { return encoded(decode_registry(bytes, 1)); })
            .refused > 0);
  CHECK(damage(
            rounds(10'000), 7, [](SeededRandom& random) { return encode(test::arbitrary_notice(random)); },
            [](const Bytes& bytes) { return encoded(decode_notice(bytes, 1)); })
            .refused > 0);
  CHECK(damage(
            rounds(2'000), 8, [](SeededRandom&) { return encode(test::example_actor()); },
            [](const Bytes& bytes) { return encoded(decode_actor(bytes, 1)); })
            .refused > 0);
  CHECK(damage(
            rounds(2'000), 9, [](SeededRandom&) { return encode(test::example_subject()); },
            [](const Bytes& bytes) { return encoded(decode_subject(bytes, 1)); })
            .refused > 0);
  CHECK(damage(
            rounds(2'000), 13, [](SeededRandom&) { return encode(test::example_export()); },
            [](const Bytes& bytes) { return encoded(decode_export(bytes, 1)); })
            .refused > 0);
  CHECK(damage(
            rounds(2'000), 10, [](SeededRandom&) { return encode(test::example_ledger()); },
            [](const Bytes& bytes) { return encoded(decode_ledger(bytes, 1)); })
            .refused > 0);
  CHECK(damage(
            rounds(2'000), 11, [](SeededRandom&) { return encode(test::example_idempotency()); },
            [](const Bytes& bytes) { return encoded(decode_idempotency_body(bytes)); })
            .refused > 0);
}

TEST_CASE("damaged parts and rows are refused, or are what is written", "[property][codec]") {
  CHECK(damage(rounds(20'000), 12, test::arbitrary_parts, [](const Bytes& bytes) -> std::optional<Bytes> {
          const auto parts = decode_parts(bytes);
          if (!parts) return std::nullopt;
          return rewritten(*parts);
        }).refused > 0);
  CHECK(damage(rounds(5'000), 13, test::arbitrary_row, [](const Bytes& bytes) -> std::optional<Bytes> {
          const auto row = RowView::parse(bytes);
          if (!row) return std::nullopt;
          return rewritten(*row);
        }).refused > 0);
}
