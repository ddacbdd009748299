#include <capnp/message.h>
#include <schemas/body.capnp.h>

#include "codec/bodies_codec.h"
#include "codec/reason_shares.h"
#include "support/catch.h"
#include "support/codec_examples.h"

using namespace siegel;
using namespace siegel::codec;

namespace {

const Value& value_of(const Values& values, std::size_t i) { return values.at(i).value.expose(); }

void check_example(const Values& values) {
  REQUIRE(values.size() == 6);
  CHECK(values[0].field == FieldNo(1));
  CHECK(value_of(values, 0) == Value(std::string("Zoë Müller")));
  CHECK(value_of(values, 1) == Value(Null{}));
  CHECK(value_of(values, 2) == Value(std::vector<std::string>{"red", "", "blue"}));
  CHECK(value_of(values, 3) == Value(std::string()));
  CHECK(value_of(values, 4) == Value(std::vector<std::string>{}));
  CHECK(values[5].field == FieldNo(65535));
}

bool is_canonical(const Bytes& bytes) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / 8);
  std::memcpy(static_cast<void*>(words.begin()), bytes.data(), bytes.size());
  const kj::ArrayPtr<const capnp::word> segments[] = {words.asPtr()};
  return capnp::SegmentArrayMessageReader(segments).isCanonical();
}

}  // namespace

TEST_CASE("F4 bodies go there and back whole", "[unit][codec][F4]") {
  const auto actor = decode_actor(encode(test::example_actor()), 1);
  REQUIRE(actor);
  CHECK(actor->time_micros == test::example_actor().time_micros);
  CHECK(actor->session == test::example_actor().session);
  CHECK(actor->request_id == "request-1");
  CHECK_FALSE(decode_actor(encode(ActorBody{}), 1)->session);

  const auto record = decode_record(encode(test::example_record()), 1);
  REQUIRE(record);
  CHECK(record->fact == RecordBody::Fact::changed);
  CHECK(record->record == test::example_record().record);
  CHECK(record->reason.expose() == "typing error");
  check_example(record->values);
  const auto shared = decode_record(encode(test::example_shared_record()), 1);
  REQUIRE(shared);
  CHECK(shared->reason_share.expose() == test::example_shared_record().reason_share.expose());
  CHECK(shared->reason.expose().empty());
  const auto values = decode_values(encode_values(test::example_values()));
  REQUIRE(values);
  check_example(*values);
  CHECK(decode_values(encode_values({}))->empty());

  const auto subject = decode_subject(encode(test::example_subject()), 1);
  REQUIRE(subject);
  CHECK(std::get<SubjectLinked>(*subject).reference.expose() == ExternalReference{"crm", "4711"});
  CHECK(std::holds_alternative<SubjectRegistered>(*decode_subject(encode(SubjectBody(SubjectRegistered{})), 1)));

  const auto registry = [](const RegistryBody& body) { return decode_registry(encode(body), 1).value(); };
  CHECK(std::get<PurposeDefinition>(registry(test::example_purpose())) == test::example_purpose());
  CHECK(std::get<ClassDefinition>(registry(test::example_class())) == test::example_class());
  CHECK(std::get<TypeDefinition>(registry(test::example_type())) == test::example_type());
  const auto token = std::get<TokenCreated>(registry(test::example_token()));
  CHECK(token.id == test::example_token().id);
  CHECK(token.hash == test::example_token().hash);
  CHECK(token.grant == test::example_token().grant);
  CHECK(token.grant.expires_at == TimeMs(0));
  CHECK(std::get<TokenCreated>(registry(TokenCreated{})).grant == TokenGrant{});
  CHECK(std::get<TokenRevoked>(registry(TokenRevoked{TokenId(Id16{1})})).id == TokenId(Id16{1}));

  const auto notice = decode_notice(encode(test::example_notice()), 1);
  REQUIRE(notice);
  CHECK(notice->erasure == test::example_notice().erasure);
  CHECK(notice->records == test::example_notice().records);
  REQUIRE(notice->external.size() == 2);
  CHECK(notice->external[0].expose() == ExternalReference{"crm", "4711"});
  CHECK(notice->external[1].expose() == ExternalReference{"", "x"});
  CHECK(notice->classes == test::example_notice().classes);
  CHECK(notice->slots == test::example_notice().slots);

  const auto ledger = decode_ledger(encode(test::example_ledger()), 1);
  REQUIRE(ledger);
  CHECK(ledger->origin == test::example_ledger().origin);
  CHECK(ledger->version == "0.1.0");
  CHECK(ledger->settings == test::example_ledger().settings);

  const auto entry = decode_idempotency_body(encode(test::example_idempotency()));
  REQUIRE(entry);
  CHECK(entry->request == test::example_idempotency().request);
  CHECK(entry->outcome == test::example_idempotency().outcome);
}

TEST_CASE("F4 bodies are what Cap'n Proto calls canonical", "[unit][codec][F4]") {
  RecordBody nulls;  // as built this one is not: no value needs its pointer
  nulls.values.push_back({FieldNo(3), {}});
  RecordBody zeros = test::example_record();
  zeros.fact = RecordBody::Fact::added;
  zeros.reason = {};
  TypeDefinition bare;
  bare.fields.resize(2);
  RecordBody large;  // leaves the scratch memory
  for (std::uint16_t i = 1; i < 20; ++i) {
    large.values.push_back({FieldNo(i), Personal<Value>(Value(std::string(kTextBytesMax, 'x')))});
  }
  for (const auto& bytes : {encode(ActorBody{}),
                            encode(test::example_actor()),
                            encode(RecordBody{}),
                            encode(test::example_record()),
                            encode(nulls),
                            encode(zeros),
                            encode(large),
                            encode(test::example_shared_record()),
                            encode(SubjectBody{}),
                            encode(test::example_subject()),
                            encode(RegistryBody{}),
                            encode(RegistryBody(bare)),
                            encode(RegistryBody(test::example_type())),
                            encode(ErasureNotice{}),
                            encode(test::example_notice()),
                            encode(ExportBody{}),
                            encode(test::example_export()),
                            encode(LedgerBody{}),
                            encode(IdempotencyBody{}),
                            encode_values({})}) {
    CHECK(is_canonical(bytes));
  }
  CHECK(decode_record(encode(nulls), 1)->values.size() == 1);
  CHECK(decode_record(encode(large), 1)->values.size() == 19);
  CHECK(encode(SubjectBody{}).size() == 8);  // a root of no words
}

TEST_CASE("ER-01 a reason comes back from all of its shares and from no fewer", "[unit][codec][ER-01]") {
  test::SeededRandom random(1);
  const std::string text = "HIV test of 3 May was positive";
  for (const std::size_t parts : {1u, 2u, 5u}) {
    const auto shares = share_reason(Personal<std::string>(text), parts, random);
    REQUIRE(shares.size() == parts);
    CHECK(join_reason(shares)->expose() == text);
    for (std::size_t i = 0; parts > 1 && i < parts; ++i) {
      auto fewer = shares;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      CHECK(join_reason(fewer)->expose() != text);
    }
  }
  for (const auto& share : share_reason({}, 3, random)) CHECK(share.expose().empty());
  CHECK(join_reason({})->expose().empty());
  auto bent = share_reason(Personal<std::string>(text), 2, random);
  bent[0] = Personal<Bytes>(Bytes(3));
  CHECK(join_reason(bent).error().is("body_damaged"));
}

TEST_CASE("the list of an export comes back, and only in its order", "[unit][codec]") {
  const auto list = test::example_export();
  const auto back = decode_export(encode(list), 1);
  REQUIRE(back);
  CHECK(back->leaves == list.leaves);
  auto wrong = list;
  std::swap(wrong.leaves[0], wrong.leaves[1]);
  CHECK_FALSE(decode_export(encode(wrong), 1));
  wrong = list;
  wrong.leaves[1].slot = wrong.leaves[0].slot;
  CHECK_FALSE(decode_export(encode(wrong), 1));
}

TEST_CASE("damaged bodies are refused", "[unit][codec]") {
  const Bytes good = encode(test::example_record());
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto body = decode_record(ByteView(good).first(size), 1);
    REQUIRE_FALSE(body);
    CHECK(body.error().is("body_damaged"));
    CHECK(body.error().category() == Errc::corrupt);
  }
  Bytes longer = good;
  longer.resize(longer.size() + 8);
  CHECK_FALSE(decode_record(longer, 1));
  CHECK_FALSE(decode_record(Bytes(kBodyBytesMax + 8), 1));
  CHECK_FALSE(decode_subject(good, 1));  // of another family
  for (const std::uint16_t schema : {0, 2, 65535}) {
    const auto body = decode_record(good, schema);
    REQUIRE_FALSE(body);
    CHECK(body.error().is("body_schema_unknown"));
  }
}

TEST_CASE("bodies with content that no writer gives are refused", "[unit][codec]") {
  const auto canonical = [](auto reader) {
    const auto words = capnp::canonicalize(reader);
    return Bytes(reinterpret_cast<const std::uint8_t*>(words.begin()),
                 reinterpret_cast<const std::uint8_t*>(words.end()));
  };
  const std::uint8_t id[17] = {1};
  {
    capnp::MallocMessageBuilder message;
    auto root = message.initRoot<schema::RecordEvent>();
    root.setRecord(kj::arrayPtr(id, 16));
    auto values = root.initValues(2);
    values[0].setField(2);
    values[1].setField(1);
    CHECK_FALSE(decode_record(canonical(root.asReader()), 1));  // not ascending
    values[0].setField(1);
    CHECK_FALSE(decode_record(canonical(root.asReader()), 1));  // twice
    values[1].setField(2);
    CHECK(decode_record(canonical(root.asReader()), 1));
    values[0].setText("");  // empty, where a null pointer is the one spelling
    CHECK_FALSE(decode_record(canonical(root.asReader()), 1));
    values[0].setNull();
    root.setRecord(kj::arrayPtr(id, 17));
    CHECK_FALSE(decode_record(canonical(root.asReader()), 1));
  }
  {
    capnp::MallocMessageBuilder message;
    auto token = message.initRoot<schema::RegistryEvent>().initTokenCreated();
    const std::uint8_t hash[32] = {};
    token.setId(kj::arrayPtr(id, 16));
    token.setHash(kj::arrayPtr(hash, 32));
    const auto bytes = [&] { return canonical(message.getRoot<schema::RegistryEvent>().asReader()); };
    CHECK_FALSE(decode_registry(bytes(), 1));  // no role
    token.setRole(7);
    CHECK_FALSE(decode_registry(bytes(), 1));  // an unknown one
    token.setRole(6);
    CHECK(decode_registry(bytes(), 1));
    token.setSubject(kj::arrayPtr(id, 15));
    CHECK_FALSE(decode_registry(bytes(), 1));
  }
}

TEST_CASE("deep and self-repeating messages are refused without much work", "[unit][codec]") {
  // A list of lists that points to itself: one word of input, endless depth.
  Bytes loop = *from_hex(
      "0000000000000100"    // root: one pointer
      "fdffffff0e000000");  // list of one pointer at itself
  CHECK_FALSE(decode_values(loop));
  // Ten million elements of no size.
  const Bytes wide = *from_hex(
      "0000000000000100"
      "0100000007000000"
      "0000000000000000");
  CHECK_FALSE(decode_values(wide));
  Bytes many = *from_hex(
      "0000000000000100"
      "0100000007000000");
  append(many, *from_hex("fcff3f0000000000"));
  CHECK_FALSE(decode_values(many));
}
