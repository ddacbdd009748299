// What every event says of itself, and what is left of a person who is erased, seen over the whole service.
#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "crypto/sha256.h"
#include "support/service_kit.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::service;

namespace {

struct Told {
  Header header;
  OwnerId actor;  // whose part 0 is
  ClassNo actor_class;
};

std::vector<Told> events_from(const ledger::Ledger& ledger, Seq from) {
  std::vector<Told> out;
  auto cursor = ledger.cursor(from);
  REQUIRE(cursor);
  Seq seq;
  ByteView header, parts;
  for (;;) {
    const auto more = (*cursor)->next(seq, header, parts);
    REQUIRE(more);
    if (!*more) return out;
    const auto stored = codec::decode_parts(parts);
    REQUIRE(stored);
    REQUIRE(!stored->empty());
    out.push_back({*codec::decode_header(header), stored->front().envelope.owner, stored->front().envelope.cls});
  }
}

const Told& only(const std::vector<Told>& events, EventType type) {
  const Told* found = nullptr;
  for (const auto& event : events) {
    if (event.header.type != type) continue;
    CHECK(found == nullptr);
    found = &event;
  }
  INFO(name_of(type));
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("EV-07 each event names its actor, its source, and the purpose and legal ground of its use",
          "[unit][service][EV-07]") {
  ServiceKit world;
  world.set_up();
  world.catch_up();
  const Seq begin(world.ledger->size().get());
  auto editor = world.editor;
  editor.source = Source::page;
  auto record = world.write(editor, ServiceKit::person("Heiner", "heiner@example.net"));
  REQUIRE(record);
  ChangeRecord change;
  change.record = *record->record;
  change.values.push_back(ServiceKit::value("city", "Jena"));
  REQUIRE(world.write(editor, std::move(change)));
  world.catch_up();
  REQUIRE(ServiceKit::answer<RecordAnswer>(
      [&](auto then) { world.service->read_record(editor, *record->record, std::move(then)); }));
  auto nobody = editor;
  nobody.purpose = "unknown";
  CHECK(!ServiceKit::answer<RecordAnswer>(
      [&](auto then) { world.service->read_record(nobody, *record->record, std::move(then)); }));
  REQUIRE(world.write(editor, RemoveRecord{*record->record}));
  RequestErasure erase;
  erase.subjects = {*record->subject};
  erase.ground = "art17-1-b";
  erase.now = true;
  REQUIRE(world.write(world.officer, std::move(erase)));
  PurposeDefinition purpose;
  purpose.name = "other";
  purpose.legal_ground = LegalGround::consent;
  purpose.title = {{"de", "Anderes"}};
  REQUIRE(world.write(world.admin, SetPurpose{purpose}));

  const auto care = world.service->registries()->purpose("care");
  REQUIRE(care != nullptr);
  const auto events = events_from(*world.ledger, begin);
  for (const auto type : {EventType::record_added, EventType::record_changed, EventType::access_read,
                          EventType::record_removed, EventType::subject_registered}) {
    const auto& event = only(events, type);
    INFO(name_of(type));
    CHECK(event.actor == owner_of(editor.token));
    CHECK(event.actor_class == built_in::staff_log);
    CHECK(event.header.purpose == PurposeNo(care->number));
    CHECK(event.header.ground == LegalGround::contract);
    CHECK(event.header.source == Source::page);
    CHECK(event.header.time == world.world.clock.now());
  }
  const auto& refusal = only(events, EventType::refusal_recorded);
  CHECK(refusal.actor == owner_of(editor.token));
  CHECK(refusal.header.source == Source::page);
  CHECK(std::get<RefusalFacts>(refusal.header.facts).code ==
        static_cast<std::uint16_t>(decide::RefusalCode::purpose_unknown));
  CHECK(std::get<RefusalFacts>(refusal.header.facts).requested == static_cast<std::uint16_t>(EventType::access_read));
  const auto& request = only(events, EventType::erasure_requested);
  CHECK(request.actor == owner_of(world.officer.token));
  CHECK(std::get<ErasureRequestedFacts>(request.header.facts).ground == parse_erasure_ground("art17-1-b"));
  CHECK(only(events, EventType::registry_purpose_set).actor == owner_of(world.admin.token));
  const auto& effective = only(events, EventType::erasure_effective);
  CHECK(effective.actor == owner_of_ledger());
  CHECK(effective.header.source == Source::system);

  // Nothing without an actor: everything else is the ledger's own, and says so.
  for (const auto& event : events_from(*world.ledger, Seq(0))) {
    CAPTURE(event.header.seq.get());
    CHECK(event.actor != OwnerId());
    CHECK(is_known(event.header.type));
    if (event.actor == owner_of_ledger()) {
      CHECK((event.header.source == Source::system || event.header.source == Source::cli));
    }
  }
}

TEST_CASE("G21 a use without purpose, right or declared field is refused, and the refusal stands in the ledger",
          "[unit][service][G21]") {
  using decide::RefusalCode;
  ServiceKit world;
  world.set_up();
  PurposeDefinition narrow;
  narrow.name = "narrow";
  narrow.legal_ground = LegalGround::contract;
  narrow.title = {{"de", "Eng"}};
  narrow.fields_limited = true;
  narrow.fields = {{"people", {"name"}}};
  REQUIRE(world.write(world.admin, SetPurpose{narrow}));
  auto other = narrow;
  other.name = "other";
  REQUIRE(world.write(world.admin, SetPurpose{other}));
  TokenGrant grant;
  grant.role = Role::editor;
  grant.purposes = {"narrow", "other"};  // of one alone that one is meant
  grant.types = {"people"};
  const auto token = world.write(world.admin, CreateToken{grant});
  REQUIRE(token);
  auto editor = *world.service->authenticate(token->token);
  world.catch_up();

  const auto list = [&](Caller who, const std::string& purpose, const std::string& type,
                        std::vector<std::string> fields) {
    who.purpose = purpose;
    const Seq begin(world.ledger->size().get());
    const Service::ListQuery query{type, std::nullopt, 50, std::move(fields)};
    const auto answer =
        ServiceKit::answer<ListAnswer>([&](auto then) { world.service->list_records(who, query, std::move(then)); });
    REQUIRE_FALSE(answer);
    const auto events = events_from(*world.ledger, begin);
    REQUIRE(events.size() == 1);  // and nothing else: no look
    const auto& refusal = only(events, EventType::refusal_recorded);
    CHECK(refusal.actor == owner_of(who.token));
    return static_cast<RefusalCode>(std::get<RefusalFacts>(refusal.header.facts).code);
  };
  CHECK(list(editor, "", "people", {}) == RefusalCode::purpose_missing);
  CHECK(list(editor, "nowhere", "people", {}) == RefusalCode::purpose_unknown);
  CHECK(list(editor, "care", "people", {}) == RefusalCode::purpose_denied);
  CHECK(list(editor, "narrow", "things", {}) == RefusalCode::type_denied);
  CHECK(list(editor, "narrow", "people", {"name", "city"}) == RefusalCode::field_denied);
  CHECK(list(world.admin, "narrow", "people", {}) == RefusalCode::role_denied);
}

TEST_CASE("EV-07 the actor of a change is shown in its history, by the name of the token", "[unit][service][EV-07]") {
  ServiceKit world;
  world.set_up();
  const auto record = world.write(world.editor, ServiceKit::person("Frauke", "frauke@example.net"));
  REQUIRE(record);
  world.catch_up();
  const auto history = ServiceKit::answer<HistoryAnswer>(
      [&](auto then) { world.service->record_history(world.officer, *record->record, {}, 10, std::move(then)); });
  REQUIRE(history);
  REQUIRE(!history->items.empty());
  CHECK(history->items.front().actor == to_text(world.editor.token));
  CHECK(history->items.front().ground == LegalGround::contract);
  CHECK(history->items.front().at == world.world.clock.now());
}

TEST_CASE("EV-07 a skew of the clock of more than a second is an event, a smaller one is none",
          "[unit][service][EV-07]") {
  ServiceKit world;
  world.set_up();
  const auto skews = [&] {
    std::vector<std::int64_t> out;
    for (const auto& event : events_from(*world.ledger, Seq(0))) {
      if (event.header.type == EventType::ledger_clock_skewed) {
        CHECK(event.actor == owner_of_ledger());
        out.push_back(std::get<ClockFacts>(event.header.facts).skew_ms);
      }
    }
    return out;
  };
  world.wall.set_skew(900);
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));  // the clock is looked at every second
  CHECK(skews().empty());
  world.wall.set_skew(2'900);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (skews().empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(skews() == std::vector<std::int64_t>{2'000});
  world.world.clock.advance(60'000);  // both go on: no skew
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  CHECK(skews() == std::vector<std::int64_t>{2'000});
}

TEST_CASE("G34 the search index of an erased person is gone, at once and after a new start, and was never on a disk",
          "[unit][service][G34]") {
  ServiceKit world;
  world.set_up();
  const auto email = std::string("greta.lindholm.7@example.net");
  auto with_link = ServiceKit::person("Greta", email);
  with_link.external = Personal<ExternalReference>(ExternalReference{"webshop", "kd-998877"});
  const auto first = world.write(world.editor, std::move(with_link));
  REQUIRE(first);
  const auto other = world.write(world.editor, ServiceKit::person("Olaf", "olaf.brandt.3@example.net"));
  REQUIRE(other);
  world.catch_up();
  const auto found = world.write(world.editor, ServiceKit::person("Greta L.", email));
  REQUIRE(found);
  REQUIRE(found->subject == first->subject);  // the index knows the address
  world.catch_up();
  CHECK(world.views->links_of(*first->subject)->size() == 1);

  RequestErasure erase;
  erase.subjects = {*first->subject};
  erase.ground = "art17-1-b";
  erase.now = true;
  REQUIRE(world.write(world.officer, std::move(erase)));
  world.catch_up();
  CHECK(world.views->links_of(*first->subject)->empty());
  const auto again = world.write(world.editor, ServiceKit::person("Greta", email));
  REQUIRE(again);
  CHECK(again->subject != first->subject);
  world.close();
  world.open();
  world.catch_up();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!world.service->status().search_ready && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  auto by_link = ServiceKit::person("Greta", "greta.new@example.net");
  by_link.external = Personal<ExternalReference>(ExternalReference{"webshop", "kd-998877"});
  const auto linked = world.write(world.editor, std::move(by_link));
  REQUIRE(linked);
  CHECK(linked->subject != first->subject);  // neither by the address nor by the reference
  const auto olaf = world.write(world.editor, ServiceKit::person("Olaf", "olaf.brandt.3@example.net"));
  REQUIRE(olaf);
  CHECK(olaf->subject == other->subject);  // others are still found

  for (const auto& value : {email, std::string("Greta"), std::string("kd-998877"), std::string("webshop")}) {
    CAPTURE(value);
    CHECK(!world.holds(as_bytes(value)));
    CHECK(!world.holds(sha256(as_bytes(value))));
    CHECK(!world.holds(as_bytes(to_hex(sha256(as_bytes(value))))));
  }
}

TEST_CASE("a person brought by a record has the time of the record in its id, however long the command takes",
          "[unit][service]") {
  ServiceKit world;
  world.set_up();
  world.catch_up();
  world.wall.meanwhile([&] { world.world.clock.advance(1); });
  const auto record = world.write(world.editor, ServiceKit::person("Tilo", "tilo@example.net"));
  world.wall.meanwhile({});
  REQUIRE(record);
  const auto person = record->subject->get(), made = record->record->get();
  CHECK(std::equal(person.begin(), person.begin() + 6, made.begin()));
}

TEST_CASE("the access event of an export carries the list that the export shows, a look leaves a trace only",
          "[unit][service][G35]") {
  ServiceKit world;
  world.set_up();
  const auto record = world.write(world.editor, ServiceKit::person("Ottilie", "ottilie@example.net"));
  REQUIRE(record);
  world.catch_up();
  const auto subject = *record->subject;
  const Seq look(world.ledger->size().get());
  REQUIRE(ServiceKit::answer<SubjectAnswer>(
      [&](auto then) { world.service->read_subject(world.officer, subject, std::move(then)); }));
  const auto exported = ServiceKit::answer<SubjectAnswer>(
      [&](auto then) { world.service->export_subject(world.officer, subject, std::move(then)); });
  REQUIRE(exported);
  REQUIRE(!exported->leaves.empty());

  const auto event = [&](Seq seq) {
    auto stored = world.ledger->read(seq);
    REQUIRE(stored);
    return std::move(*stored);
  };
  const auto of_person = [&](const ledger::StoredEvent& stored) {  // shows bytes of the event
    const auto parts = codec::decode_parts(stored.parts);
    REQUIRE(parts);
    REQUIRE(parts->size() == 2);
    REQUIRE((*parts)[1].envelope.owner == owner_of(subject));
    return (*parts)[1];
  };
  const auto looked = event(look), told = event(Seq(look.get() + 1));
  CHECK(of_person(looked).ciphertext.empty());
  const auto header = *codec::decode_header(told.header);
  const auto part = of_person(told);
  const auto receipt = world.service->begin_job(JobFacts::Kind::backup);
  REQUIRE(receipt);
  const auto opened = world.vault->open(*receipt, header, 1, part);
  REQUIRE(opened);
  const auto list = codec::decode_export(opened->view(), header.schema);
  REQUIRE(list);
  CHECK(list->leaves == exported->leaves);
  // The look before it is in the list, the export itself is not: its part comes next under the same leaf.
  const auto log = std::find_if(list->leaves.begin(), list->leaves.end(),
                                [](const auto& leaf) { return leaf.cls == built_in::access_log; });
  REQUIRE(log != list->leaves.end());
  CHECK(log->slot == part.envelope.slot);
  CHECK(log->count == part.envelope.number);
}

TEST_CASE("what was changed of the ledger itself is an event, and its words are sealed", "[unit][service]") {
  ServiceKit world;
  const std::vector<std::pair<std::string, std::string>> settings = {{"lock_record", "adopted"},
                                                                     {"reason", "disk of 23 November"}};
  const auto seq = world.ledger->size().get();
  REQUIRE(world.service->configured(settings));
  const auto stored = world.ledger->read(Seq(seq));
  REQUIRE(stored);
  const auto header = codec::decode_header(stored->header).value();
  CHECK(header.type == EventType::ledger_configured);
  CHECK_FALSE(world.holds(as_bytes("disk of 23 November")));
  const auto parts = codec::decode_parts(stored->parts).value();
  REQUIRE(parts.size() == 2);
  CHECK(parts[1].envelope.owner == owner_of_ledger());
  const auto receipt = world.service->begin_job(JobFacts::Kind::backup);
  REQUIRE(receipt);
  const auto opened = world.vault->open(*receipt, header, 1, parts[1]);
  REQUIRE(opened);
  const auto body = codec::decode_ledger(opened->view(), header.schema);
  REQUIRE(body);
  CHECK(body->origin == kOrigin);
  CHECK(body->settings == settings);
}
