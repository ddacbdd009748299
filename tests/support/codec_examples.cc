#include "support/codec_examples.h"

#include <algorithm>

namespace siegel::test {

Id16 example_id(std::uint8_t first) {
  Id16 id;
  for (auto& byte : id) byte = first++;
  return id;
}

Hash example_hash(std::uint8_t first) {
  Hash hash;
  for (auto& byte : hash) byte = first++;
  return hash;
}

Header example_header() {
  Header header;
  header.type = EventType::erasure_requested;
  header.schema = 1;
  header.ground = LegalGround::legal_obligation;
  header.source = Source::api;
  header.seq = Seq(0x0102030405060708);
  header.time = TimeMs(1'767'225'599'999);  // 2025-12-31T23:59:59.999Z
  header.id = EventId(example_id(0x10));
  header.purpose = PurposeNo(0x21222324);
  header.record_type = TypeNo(0x25262728);
  header.keys_mark = KeysMark(0x3132333435363738);
  header.part_count = 3;
  header.parts_digest = example_hash(0x40);
  header.job = JobId(example_id(0x60));
  header.facts = ErasureRequestedFacts{2, 1'769'904'000'000, 5, {64, 65, 0x70717273}};
  return header;
}

Envelope example_envelope() {
  Envelope envelope;
  envelope.cls = ClassNo(64);
  envelope.owner = OwnerId(example_id(0x80));
  envelope.slot = Slot(0x0000000012345678);
  envelope.number = 9;
  envelope.salt = example_id(0xA0);
  return envelope;
}

Bytes example_parts() {
  const auto envelope = codec::encode(example_envelope());
  Bytes record;
  codec::append_part(record, envelope, as_bytes("a sealed body and its tag"));
  codec::append_part(record, envelope, {});
  codec::append_removed_part(record, example_hash(0xC0));
  return record;
}

Bytes example_row() {
  codec::RowBuilder row;
  const bool both = row.add(example_parts()) && row.add(as_bytes("another event's parts"));
  codec::IdempotencyRow entry;
  entry.day_slot = Slot(0x0000000087654321);
  entry.mac = example_hash(0xE0);
  entry.nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  entry.sealed = to_bytes(as_bytes("a sealed answer"));
  return both ? row.finish(codec::encode(std::span(&entry, 1))) : Bytes{};
}

ActorBody example_actor() { return {1'767'225'599'999'123, example_id(0x10), "request-1"}; }

Values example_values() {
  Values values;
  values.push_back({FieldNo(1), Personal<Value>(Value(std::string("Zoë Müller")))});
  values.push_back({FieldNo(2), Personal<Value>(Value(Null{}))});
  values.push_back({FieldNo(3), Personal<Value>(Value(std::vector<std::string>{"red", "", "blue"}))});
  values.push_back({FieldNo(9), Personal<Value>(Value(std::string()))});
  values.push_back({FieldNo(10), Personal<Value>(Value(std::vector<std::string>{}))});
  values.push_back({FieldNo(65535), Personal<Value>(Value(std::string("2025-12-31")))});
  return values;
}

RecordBody example_record() {
  RecordBody body;
  body.fact = RecordBody::Fact::changed;
  body.record = RecordId(example_id(0x20));
  body.values = example_values();
  body.reason = Personal<std::string>("typing error");
  return body;
}

RecordBody example_shared_record() {
  RecordBody body;
  body.fact = RecordBody::Fact::changed;
  body.record = RecordId(example_id(0x20));
  body.values.push_back({FieldNo(4), Personal<Value>(Value(std::string("Zoë")))});
  body.reason_share = Personal<Bytes>(Bytes{0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA, 0xFB});
  return body;
}

SubjectBody example_subject() { return SubjectLinked{Personal<ExternalReference>(ExternalReference{"crm", "4711"})}; }

ExportBody example_export() {
  return {{{built_in::access_log, Slot(7), 3},
           {ClassNo(100), Slot(0x123456789A), 70'000},
           {ClassNo(101), Slot(0x123456789B), 0}}};
}

PurposeDefinition example_purpose() {
  PurposeDefinition purpose;
  purpose.name = "newsletter";
  purpose.legal_ground = LegalGround::consent;
  purpose.title = {{"de", "Rundbrief"}, {"en", "Newsletter"}};
  purpose.fields_limited = true;
  purpose.fields = {{"contact", {"e-mail", "name"}}, {"member", {}}};
  return purpose;
}

ClassDefinition example_class() {
  return {"invoices", "P10Y", PeriodStart::end_of_case, true, LegalGround::legal_obligation, "§ 147 AO"};
}

TypeDefinition example_type() {
  FieldDefinition mail;
  mail.number = FieldNo(2);
  mail.name = "e-mail";
  mail.title = "E-Mail";
  mail.type = FieldType::email;
  mail.personal = true;
  mail.required = true;
  mail.searchable = true;
  mail.cls = "contacts";
  mail.help = "one address";
  FieldDefinition colour;
  colour.number = FieldNo(1);
  colour.name = "colour";
  colour.type = FieldType::multichoice;
  colour.choices = {"red", "green", "blue"};
  FieldDefinition fax;
  fax.number = FieldNo(3);
  fax.name = "fax";
  TypeDefinition type;
  type.name = "contact";
  type.title = {{"de", "Kontakt"}, {"en", "Contact"}};
  type.subject_mode = SubjectMode::match;
  type.match_fields = {"e-mail"};
  type.default_purpose = "newsletter";
  type.fields = {mail, colour};
  type.form = {{"e-mail", "colour"}, {}, {"colour"}};
  type.retired = {fax};
  return type;
}

TokenCreated example_token() {
  TokenCreated token;
  token.id = TokenId(example_id(0x30));
  token.hash = example_hash(0x50);
  token.grant.role = Role::privacy_officer;
  token.grant.all_purposes = false;
  token.grant.purposes = {"newsletter", "billing"};
  token.grant.all_types = true;
  token.grant.types = {"contact"};
  token.grant.label = "office";
  token.grant.expires_at = TimeMs(0);  // long ago, which is not "never"
  token.grant.bulk_until = TimeMs(1'767'225'600'000);
  token.grant.subject = SubjectId(example_id(0x70));
  return token;
}

ErasureNotice example_notice() {
  ErasureNotice notice;
  notice.erasure = ErasureId(example_id(0x01));
  notice.records = {RecordId(example_id(0x11)), RecordId(example_id(0x21))};
  notice.external.emplace_back(ExternalReference{"crm", "4711"});
  notice.external.emplace_back(ExternalReference{"", "x"});
  notice.classes = {ClassNo(3), ClassNo(64)};
  notice.slots = {Slot(7), Slot(1'000'000'000)};
  return notice;
}

LedgerBody example_ledger() {
  return {"ledger.example/siegel", "0.1.0", {{"limits.body_bytes_max", "1048576"}, {"root.grade", ""}}};
}

IdempotencyBody example_idempotency() { return {example_hash(0x90), {0, 1, 2, 3, 4}}; }

// ── Arbitrary values ────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

// Small and extreme numbers are likelier than in between: that is where encodings change their shape.
template <class T>
T number(SeededRandom& random) {
  switch (random.below(4)) {
    case 0:
      return 0;
    case 1:
      return static_cast<T>(random.below(3));
    case 2:
      return static_cast<T>(~std::uint64_t{0});
    default:
      return static_cast<T>(random.next());
  }
}

bool coin(SeededRandom& random) { return random.below(2) == 0; }
Id16 id(SeededRandom& random) { return coin(random) ? Id16{} : random.array<16>(); }
Hash hash(SeededRandom& random) { return coin(random) ? Hash{} : random.array<32>(); }

std::string text(SeededRandom& random) {
  std::string out(random.below(3) == 0 ? 0 : random.below(40), ' ');
  for (auto& c : out) c = static_cast<char>(random.next());
  return out;
}

template <class F>
auto list(SeededRandom& random, F&& element) {
  std::vector<decltype(element())> out(coin(random) ? 0 : random.below(6));
  for (auto& item : out) item = element();
  return out;
}

std::vector<std::string> texts(SeededRandom& random) {
  return list(random, [&] { return text(random); });
}

Titles titles(SeededRandom& random) {
  Titles out;
  for (auto n = random.below(3); n > 0; --n) out[text(random)] = text(random);
  return out;
}

Facts facts(SeededRandom& random) {
  switch (random.below(10)) {
    case 9:
      return ImportFacts{number<std::uint32_t>(random), number<std::uint32_t>(random), number<std::uint32_t>(random),
                         number<std::uint32_t>(random), number<std::uint32_t>(random)};
    case 0:
      return NoFacts{};
    case 1:
      return RegistryFacts{number<std::uint32_t>(random), number<std::uint32_t>(random)};
    case 2:
      return AccessFacts{static_cast<AccessFacts::Kind>(number<std::uint8_t>(random)),
                         list(random, [&] { return number<std::uint16_t>(random); })};
    case 3:
      return RefusalFacts{number<std::uint16_t>(random), number<std::uint16_t>(random)};
    case 4:
      return ErasureRequestedFacts{number<std::uint16_t>(random), number<std::uint64_t>(random),
                                   number<std::uint32_t>(random),
                                   list(random, [&] { return number<std::uint32_t>(random); })};
    case 5:
      return ErasureEffectiveFacts{number<std::uint64_t>(random),
                                   number<std::uint64_t>(random),
                                   hash(random),
                                   hash(random),
                                   number<std::uint64_t>(random),
                                   number<std::uint16_t>(random),
                                   number<std::uint16_t>(random),
                                   number<std::uint16_t>(random),
                                   list(random, [&] { return number<std::uint64_t>(random); })};
    case 6:
      return ErasureCompletedFacts{number<std::uint64_t>(random)};
    case 7:
      return JobFacts{static_cast<JobFacts::Kind>(number<std::uint16_t>(random)), number<std::uint64_t>(random)};
    default:
      return ClockFacts{number<std::int64_t>(random)};
  }
}

FieldDefinition field(SeededRandom& random) {
  FieldDefinition out;
  out.number = FieldNo(number<std::uint16_t>(random));
  out.name = text(random);
  out.title = text(random);
  out.type = static_cast<FieldType>(1 + random.below(16));
  out.personal = coin(random);
  out.required = coin(random);
  out.searchable = coin(random);
  out.cls = text(random);
  out.choices = texts(random);
  out.help = text(random);
  out.section = text(random);
  return out;
}

LegalGround ground(SeededRandom& random) { return static_cast<LegalGround>(random.below(7)); }

}  // namespace

Header arbitrary_header(SeededRandom& random) {
  Header header;
  header.type = static_cast<EventType>(number<std::uint16_t>(random));
  header.schema = std::max<std::uint16_t>(1, number<std::uint16_t>(random));
  header.ground = static_cast<LegalGround>(number<std::uint8_t>(random));
  header.source = static_cast<Source>(number<std::uint8_t>(random));
  header.seq = Seq(number<std::uint64_t>(random));
  header.time = TimeMs(number<std::uint64_t>(random));
  header.id = EventId(id(random));
  header.purpose = PurposeNo(number<std::uint32_t>(random));
  header.record_type = TypeNo(number<std::uint32_t>(random));
  header.keys_mark = KeysMark(number<std::uint64_t>(random));
  header.part_count = static_cast<std::uint16_t>(random.below(kPartsMax + 1));
  header.parts_digest = hash(random);
  if (coin(random)) header.job = JobId(id(random));
  header.facts = facts(random);
  return header;
}

RecordBody arbitrary_record(SeededRandom& random) {
  RecordBody body;
  body.fact = static_cast<RecordBody::Fact>(random.below(3));
  body.record = RecordId(id(random));
  std::uint16_t field = 0;
  for (auto n = random.below(8); n > 0; --n) {
    Value value;
    if (random.below(3) == 1) value = text(random);
    if (random.below(3) == 2) value = texts(random);
    body.values.push_back({FieldNo(field), Personal<Value>(std::move(value))});
    field = static_cast<std::uint16_t>(field + 1 + random.below(1000));
  }
  if (coin(random)) {
    body.reason = Personal<std::string>(text(random));
  } else {
    body.reason_share = Personal<Bytes>(to_bytes(as_bytes(text(random))));
  }
  body.row = number<std::uint32_t>(random);
  return body;
}

RegistryBody arbitrary_registry(SeededRandom& random) {
  switch (random.below(5)) {
    case 0: {
      PurposeDefinition out{text(random), ground(random), titles(random), coin(random), {}};
      for (auto n = random.below(3); n > 0; --n) out.fields[text(random)] = texts(random);
      return out;
    }
    case 1:
      return ClassDefinition{text(random), text(random),   static_cast<PeriodStart>(random.below(4)),
                             coin(random), ground(random), text(random)};
    case 2: {
      TypeDefinition out;
      out.name = text(random);
      out.title = titles(random);
      out.subject_mode = static_cast<SubjectMode>(random.below(3));
      out.match_fields = texts(random);
      out.default_purpose = text(random);
      out.fields = list(random, [&] { return field(random); });
      out.form = list(random, [&] { return texts(random); });
      out.retired = list(random, [&] { return field(random); });
      return out;
    }
    case 3: {
      TokenCreated out;
      out.id = TokenId(id(random));
      out.hash = hash(random);
      out.grant.role = static_cast<Role>(1 + random.below(6));
      out.grant.all_purposes = coin(random);
      out.grant.purposes = texts(random);
      out.grant.all_types = coin(random);
      out.grant.types = texts(random);
      out.grant.label = text(random);
      if (coin(random)) out.grant.expires_at = TimeMs(number<std::uint64_t>(random));
      if (coin(random)) out.grant.bulk_until = TimeMs(number<std::uint64_t>(random));
      if (coin(random)) out.grant.subject = SubjectId(id(random));
      return out;
    }
    default:
      return TokenRevoked{TokenId(id(random))};
  }
}

ErasureNotice arbitrary_notice(SeededRandom& random) {
  ErasureNotice notice;
  notice.erasure = ErasureId(id(random));
  notice.records = list(random, [&] { return RecordId(id(random)); });
  for (auto n = random.below(4); n > 0; --n) {
    notice.external.emplace_back(ExternalReference{text(random), text(random)});
  }
  notice.classes = list(random, [&] { return ClassNo(number<std::uint32_t>(random)); });
  notice.slots = list(random, [&] { return Slot(number<std::uint64_t>(random)); });
  return notice;
}

Bytes arbitrary_parts(SeededRandom& random) {
  Bytes record;
  for (auto n = 1 + random.below(5); n > 0; --n) {
    Envelope envelope;
    envelope.cls = ClassNo(number<std::uint32_t>(random));
    envelope.owner = OwnerId(id(random));
    envelope.slot = Slot(number<std::uint64_t>(random));
    envelope.number = number<std::uint64_t>(random);
    envelope.salt = id(random);
    switch (random.below(3)) {
      case 0:
        codec::append_removed_part(record, hash(random));
        break;
      case 1:
        codec::append_part(record, codec::encode(envelope), {});
        break;
      default:
        codec::append_part(record, codec::encode(envelope), random.bytes(random.below(100)));
    }
  }
  return record;
}

Bytes arbitrary_row(SeededRandom& random) {
  codec::RowBuilder row;
  for (auto n = 1 + random.below(codec::kRowEventsMax); n > 0; --n) {
    if (!row.add(random.bytes(random.below(60)))) break;
  }
  std::vector<codec::IdempotencyRow> entries(random.below(3));
  for (auto& entry : entries) {
    entry.day_slot = Slot(number<std::uint64_t>(random));
    entry.mac = hash(random);
    random.fill(entry.nonce);
    entry.sealed = random.bytes(random.below(60));
  }
  return row.finish(codec::encode(entries));
}

}  // namespace siegel::test
