// Bytes written by released versions. A fixture is never changed: what it holds is in somebody's ledger. A new version
// of a schema brings new fixtures beside the old ones. To write the file of a new case: run with SIEGEL_GOLDEN_NEW=1.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "codec/header_codec.h"
#include "support/catch.h"
#include "support/codec_examples.h"

using namespace siegel;
using namespace siegel::codec;

namespace {

// Hex, 16 bytes a line.
std::string dump(ByteView bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    text += to_hex(bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at))) + "\n";
  }
  return text;
}

Bytes fixture(const std::string& name, ByteView fresh) {
  const std::filesystem::path path = SIEGEL_SOURCE_DIR "/tests/golden/codec-v1/" + name + ".hex";
  if (!std::filesystem::exists(path) && std::getenv("SIEGEL_GOLDEN_NEW") != nullptr) std::ofstream(path) << dump(fresh);
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file);
  std::string digits;
  for (std::string line; std::getline(file, line);) digits += line;
  const auto bytes = from_hex(digits);
  REQUIRE(bytes);
  return *bytes;
}

// Both ways: today's code writes these bytes, and reads them as what writes them.
template <class Decode>
void stays(const std::string& name, const Bytes& written, Decode&& decode) {
  const Bytes kept = fixture(name, written);
  INFO(name);
  CHECK(dump(written) == dump(kept));
  const auto read = decode(kept);
  REQUIRE(read);
  CHECK(dump(encode(*read)) == dump(kept));
}

}  // namespace

TEST_CASE("EV-08 headers of version 1 are written and read as ever", "[golden][codec][EV-08]") {
  const auto header_stays = [](const std::string& name, const Header& header) {
    const Bytes written = encode(header).value();
    const Bytes kept = fixture(name, written);
    INFO(name);
    CHECK(dump(written) == dump(kept));
    const auto read = decode_header(kept);
    REQUIRE(read);
    CHECK(*read == header);
  };
  header_stays("header", test::example_header());
  Header least;  // the shortest there is
  least.type = EventType::record_added;
  header_stays("header-least", least);

  Header header = test::example_header();
  const std::vector<std::pair<const char*, Facts>> facts = {
      {"none", NoFacts{}},
      {"registry", RegistryFacts{64, 2}},
      {"access", AccessFacts{AccessFacts::Kind::search, {1, 2, 300}}},
      {"refusal", RefusalFacts{3, 0x0202}},
      {"job", JobFacts{JobFacts::Kind::backup, 1'000'000}},
      {"clock", ClockFacts{-1'500}},
      {"erasure-effective",
       ErasureEffectiveFacts{7, 8, test::example_hash(0x01), test::example_hash(0x81), 12, 1, 2, 3, {5, 6}}},
      {"erasure-completed", ErasureCompletedFacts{5}},
      {"import", ImportFacts{200, 180, 12, 1, 7}}};
  for (const auto& [name, value] : facts) {
    header.facts = value;
    header_stays(std::string("header-") + name, header);
  }
}

TEST_CASE("EV-08 parts and rows of version 1 are written and read as ever", "[golden][codec][EV-08]") {
  const Bytes parts = fixture("parts", test::example_parts());
  CHECK(dump(parts) == dump(test::example_parts()));
  const auto read = decode_parts(parts);
  REQUIRE(read);
  REQUIRE(read->size() == 3);
  CHECK((*read)[0].envelope == test::example_envelope());
  CHECK(as_chars((*read)[0].ciphertext) == "a sealed body and its tag");
  // The hashes stand in every header: they stay as well.
  Bytes hashes;
  std::vector<Hash> list;
  for (const auto& part : *read) {
    append(hashes, part.hash);
    list.push_back(part.hash);
  }
  append(hashes, parts_digest(list));
  CHECK(dump(hashes) == dump(fixture("parts-hashes-and-digest", hashes)));

  PartContext context;
  context.tree = KeyTreeId(test::example_id(0x01));
  context.event = EventId(test::example_id(0x11));
  context.part = 2;
  context.cls = ClassNo(64);
  context.schema = 1;
  const auto data = associated_data(context);
  CHECK(dump(data) == dump(fixture("associated-data", data)));

  const Bytes row = fixture("row", test::example_row());
  CHECK(dump(row) == dump(test::example_row()));
  const auto view = RowView::parse(row);
  REQUIRE(view);
  REQUIRE(view->events() == 2);
  CHECK(equal(view->event(0), parts));
  CHECK(as_chars(view->event(1)) == "another event's parts");
  const auto entries = decode_idempotency(view->trailer());
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK((*entries)[0].day_slot == Slot(0x0000000087654321));
  CHECK(as_chars((*entries)[0].sealed) == "a sealed answer");
}

TEST_CASE("EV-08 bodies of version 1 are written and read as ever", "[golden][codec][EV-08]") {
  const auto record = [](const Bytes& bytes) { return decode_record(bytes, 1); };
  const auto registry = [](const Bytes& bytes) { return decode_registry(bytes, 1); };
  stays("actor", encode(test::example_actor()), [](const Bytes& bytes) { return decode_actor(bytes, 1); });
  stays("record-changed", encode(test::example_record()), record);
  RecordBody removed;
  removed.fact = RecordBody::Fact::removed;
  stays("record-removed", encode(removed), record);
  auto imported = test::example_record();
  imported.row = 0x01020304;
  stays("record-imported", encode(imported), record);
  stays("record-shared", encode(test::example_shared_record()), record);
  const auto subject = [](const Bytes& bytes) { return decode_subject(bytes, 1); };
  stays("subject-registered", encode(SubjectBody{}), subject);
  stays("subject-linked", encode(test::example_subject()), subject);
  stays("subject-merged", encode(SubjectBody(SubjectMerged{SubjectId(test::example_id(0x50))})), subject);
  stays("purpose", encode(RegistryBody(test::example_purpose())), registry);
  stays("class", encode(RegistryBody(test::example_class())), registry);
  stays("type", encode(RegistryBody(test::example_type())), registry);
  stays("token-created", encode(RegistryBody(test::example_token())), registry);
  stays("token-revoked", encode(RegistryBody(TokenRevoked{TokenId(test::example_id(0x30))})), registry);
  stays("erasure-notice", encode(test::example_notice()), [](const Bytes& bytes) { return decode_notice(bytes, 1); });
  stays("export", encode(test::example_export()), [](const Bytes& bytes) { return decode_export(bytes, 1); });
  stays("ledger", encode(test::example_ledger()), [](const Bytes& bytes) { return decode_ledger(bytes, 1); });
  stays("idempotency", encode(test::example_idempotency()),
        [](const Bytes& bytes) { return decode_idempotency_body(bytes); });

  const Bytes values = fixture("values", encode_values(test::example_values()));
  CHECK(dump(values) == dump(encode_values(test::example_values())));
  CHECK(decode_values(values)->size() == test::example_values().size());
}
