// Folds of owners, links, what concerns a person, erasures, registries; the index of idempotency entries; waiters.
#include "codec/rows.h"
#include "erasures/erasures.h"
#include "history/history.h"
#include "idempotency/idempotency.h"
#include "record_types/record_types.h"
#include "registries/registries.h"
#include "subjects/subjects.h"
#include "support/catch.h"
#include "support/fold_kit.h"

namespace {

using namespace siegel;
using namespace siegel::test;
using views::Rows;

constexpr ClassNo kClass{64};

struct Fold {
  MapRows rows;
  views::RegistryRows registries;
  views::RecordTypes types;
  views::History history;
  views::Subjects subjects;
  views::Erasures erasures;
  MemoryStore store{static_cast<std::size_t>(Rows::count_)};
  views::Views queries{store};

  void operator()(HandEvent& event) {
    for (views::Projection* projection :
         std::initializer_list<views::Projection*>{&registries, &types, &history, &subjects, &erasures})
      REQUIRE(projection->fold(event, rows));
  }
  views::Views& shown() {
    rows.copy_to(store);
    return queries;
  }
};

HandEvent registered(Fold& fold, std::uint64_t seq, std::uint8_t person = 1, Slot slot = Slot(100)) {
  HandEvent event(EventType::subject_registered, seq, fold.rows);
  event.part(owner_of(subject(person)), kClass, slot, 0, codec::encode(SubjectBody(SubjectRegistered{})));
  return event;
}
HandEvent linked(Fold& fold, std::uint64_t seq) {
  HandEvent event(EventType::subject_linked, seq, fold.rows);
  event.part(owner_of(subject(1)), kClass, Slot(100), 1,
             codec::encode(SubjectBody(SubjectLinked{Personal<ExternalReference>({"crm", "K-17"})})));
  return event;
}
HandEvent looked_at(Fold& fold, std::uint64_t seq) {
  HandEvent event(EventType::access_read, seq, fold.rows);
  event.facts(AccessFacts{});
  event.part(owner_of(subject(1)), built_in::access_log, Slot(500), 0, {});
  event.part(owner_of(subject(2)), built_in::access_log, Slot(501), 0, {});
  event.part(owner_of(TypeNo(5)), built_in::access_log, Slot(502), 0, {});
  return event;
}
struct Request {
  std::uint8_t erasure = 1;
  std::uint8_t person = 1;
  std::vector<std::uint32_t> classes{};
  std::optional<JobId> job{};
};
HandEvent requested(Fold& fold, std::uint64_t seq, const Request& request = {}) {
  HandEvent event(EventType::erasure_requested, seq, fold.rows);
  ErasureNotice notice;
  notice.erasure = erasure(request.erasure);
  notice.records = {record(request.person)};
  event.facts(ErasureRequestedFacts{1, 5'000'000, 2, request.classes});
  event.part(owner_of(subject(request.person)), built_in::erasure_notice, Slot(900u + request.person), 0,
             codec::encode(notice));
  if (request.job) event.job(*request.job);
  return event;
}
HandEvent effective(Fold& fold, std::uint64_t seq, std::vector<std::uint64_t> requests) {
  HandEvent event(EventType::erasure_effective, seq, fold.rows);
  ErasureEffectiveFacts facts;
  facts.old_epoch = 4;
  facts.new_epoch = 5;
  facts.new_root[3] = 7;
  facts.leaves = 2;
  facts.members = 1;
  facts.requests = std::move(requests);
  event.facts(std::move(facts));
  return event;
}
HandEvent completed(Fold& fold, std::uint64_t seq, std::uint64_t request) {
  HandEvent event(EventType::erasure_completed, seq, fold.rows);
  event.facts(ErasureCompletedFacts{request});
  return event;
}

HandEvent class_set(Fold& fold, std::uint64_t seq, std::uint32_t number, const char* period) {
  HandEvent event(EventType::registry_class_set, seq, fold.rows);
  ClassDefinition cls;
  cls.name = "class-" + std::to_string(number);
  cls.period = period;
  cls.legal_ground = LegalGround::contract;
  event.facts(RegistryFacts{number, 1});
  event.part(owner_of_ledger(), built_in::registry, Slot(3), seq, codec::encode(RegistryBody(cls)));
  return event;
}

TEST_CASE("Owners count every part of every event, also the actor's and traces", "[unit][projections]") {
  Fold fold;
  auto first = registered(fold, 1);
  auto second = linked(fold, 2);
  auto third = looked_at(fold, 3);
  fold(first);
  fold(second);
  fold(third);
  const auto person = fold.shown().owner(owner_of(subject(1))).value();
  REQUIRE(person);
  REQUIRE(person->leaves.size() == 2);
  CHECK(person->leaves[0].cls == kClass);
  CHECK(person->leaves[0].next == 2);
  CHECK(person->leaves[0].since == TimeMs(1'000'001));
  CHECK(person->leaves[1].slot == Slot(500));
  CHECK(person->modified.get() == 3);
  const auto token = fold.queries.owner(OwnerId(Id16{9, 9, 9, 9, 9, 9, 0x70})).value();
  REQUIRE(token);
  CHECK(token->leaves[0].next == 4);
  CHECK(fold.queries.owner(owner_of(TypeNo(5))).value());
  CHECK_FALSE(fold.queries.owner(owner_of(subject(7))).value());
}

TEST_CASE("What concerns a person is listed without opening anything", "[unit][projections]") {
  Fold fold;
  auto first = registered(fold, 1);
  auto second = looked_at(fold, 3);
  fold(first);
  fold(second);
  const auto seen = fold.shown().subject_history(subject(1), std::nullopt, 9).value();
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].seq.get() == 3);
  CHECK(seen[1].parts == std::vector<std::uint16_t>{1});
  CHECK(fold.queries.subject_history(subject(2), std::nullopt, 9).value().at(0).parts == std::vector<std::uint16_t>{2});
  CHECK(fold.queries.subject_history(subject(1), Seq(1), 9).value().size() == 1);
  CHECK(fold.rows.count(Rows::subject_history) == 3);  // none for the token, none for the record type
}

TEST_CASE("A person acting for himself sees his own acts", "[unit][projections]") {
  Fold fold;
  HandEvent event(EventType::record_changed, 4, fold.rows);
  event.part(owner_of(subject(1)), kClass, Slot(100), 0, record_body(RecordBody::Fact::changed, record(1), {}));
  event.by(owner_of(subject(1)), kClass);
  fold(event);
  CHECK(fold.shown().subject_history(subject(1), std::nullopt, 9).value().at(0).parts ==
        std::vector<std::uint16_t>{0, 1});
}

TEST_CASE("External references are sealed under their leaf and go with it", "[unit][projections]") {
  Fold fold;
  auto first = registered(fold, 1);
  auto second = linked(fold, 2);
  fold(first);
  fold(second);
  const auto links = fold.shown().links_of(subject(1)).value();
  REQUIRE(links.size() == 1);
  const auto opened = fold.rows.unseal(links[0].slot, kClass, "subject_links", links[0].row, links[0].sealed).value();
  CHECK(as_chars(std::get<SecretBytes>(opened).view()) == std::string_view("crm\0K-17", 8));
  auto last = requested(fold, 3);
  fold(last);
  CHECK(fold.rows.count(Rows::subject_links) == 0);
  CHECK(fold.rows.count(Rows::owners) == 2);  // the leaves are still there: they die with erasure.effective
}

TEST_CASE("Who was merged into whom stands in a row that goes with an erasure of all", "[unit][projections]") {
  Fold fold;
  auto first = registered(fold, 1);
  auto second = registered(fold, 2, 2, Slot(101));
  HandEvent merged(EventType::subject_merged, 3, fold.rows);
  const auto body = codec::encode(SubjectBody(SubjectMerged{subject(1)}));
  merged.part(owner_of(subject(1)), built_in::merge, Slot(110), 0, body);
  merged.part(owner_of(subject(2)), built_in::merge, Slot(111), 0, body);
  for (auto* event : {&first, &second, &merged}) fold(*event);
  std::vector<std::pair<SubjectId, SubjectId>> rows;
  const auto read = [&] {
    rows.clear();
    REQUIRE(fold.shown().each_merge([&](const auto& into, const auto& one) { rows.emplace_back(into, one); }));
    return rows;
  };
  CHECK(read() == std::vector{std::pair(subject(1), subject(2))});
  auto of_class = requested(fold, 4, {.erasure = 1, .person = 2, .classes = {kClass.get()}});
  fold(of_class);
  CHECK(fold.rows.count(Rows::subject_merges) == 1);
  auto of_all = requested(fold, 5, {.erasure = 2, .person = 2});
  fold(of_all);
  CHECK(fold.rows.count(Rows::subject_merges) == 0);
}

TEST_CASE("An erasure goes from requested to effective to completed", "[unit][projections]") {
  Fold fold;
  auto person = registered(fold, 1);
  auto other = registered(fold, 2, 2, Slot(101));
  auto first = requested(fold, 3);
  auto second = requested(fold, 4, {.person = 2});
  for (auto* event : {&person, &other, &first, &second}) fold(*event);
  auto row = fold.shown().erasure(erasure(1)).value();
  REQUIRE(row);
  CHECK(row->state == views::ErasureState::requested);
  CHECK(row->subjects == 2);
  CHECK(row->leaves == 4);
  CHECK(row->requested_at == TimeMs(1'000'003));
  CHECK(row->deadline == TimeMs(5'000'000));
  CHECK(row->requests == std::vector{Seq(3), Seq(4)});
  CHECK(fold.queries.open_erasure_requests().value().size() == 2);
  CHECK(fold.queries.erased(subject(1).get()).value() == erasure(1));
  CHECK(fold.queries.erased(record(2).get()).value() == erasure(1));

  auto third = effective(fold, 5, {3});
  fold(third);
  CHECK(fold.shown().erasure(erasure(1)).value()->state == views::ErasureState::requested);
  CHECK(fold.queries.erasure(erasure(1)).value()->effective() == nullptr);
  CHECK(fold.queries.open_erasure_requests().value().at(0).seq == Seq(4));
  auto fourth = effective(fold, 6, {4});
  fold(fourth);
  row = fold.shown().erasure(erasure(1)).value();
  CHECK(row->state == views::ErasureState::effective);
  REQUIRE(row->effective() != nullptr);
  CHECK(row->effective()->seq == Seq(6));
  CHECK(row->effective()->new_epoch == 5);
  CHECK(row->effective()->new_root[3] == 7);
  // Each epoch that took some of the requests.
  REQUIRE(row->effects.size() == 2);
  CHECK(row->effects[0].seq == Seq(5));
  CHECK(row->effects[0].at == TimeMs(1'000'005));
  for (const auto& effect : row->effects) CHECK(effect.requests == 1);
  const auto owner = fold.queries.owner(owner_of(subject(1))).value();
  REQUIRE(owner);
  REQUIRE(owner->leaves.size() == 1);
  CHECK(owner->leaves[0].cls == built_in::erasure_notice);

  auto fifth = completed(fold, 7, 3);
  auto sixth = completed(fold, 8, 4);
  auto again = completed(fold, 9, 4);
  fold(fifth);
  CHECK(fold.shown().erasure(erasure(1)).value()->state == views::ErasureState::effective);
  fold(sixth);
  fold(again);
  CHECK(fold.shown().erasure(erasure(1)).value()->state == views::ErasureState::completed);
  CHECK(fold.queries.erasures(std::nullopt, 9).value().size() == 1);
  CHECK(fold.queries.erasures(erasure(1), 9).value().empty());
}

TEST_CASE("A request for some classes marks the records it names, not the person", "[unit][projections]") {
  Fold fold;
  auto person = registered(fold, 1);
  fold(person);
  auto request = requested(fold, 2, {.classes = {64}});
  fold(request);
  CHECK_FALSE(fold.shown().erased(subject(1).get()).value());
  CHECK(fold.queries.erased(record(1).get()).value() == erasure(1));
  auto later = requested(fold, 3, {.erasure = 2, .classes = {65}});
  fold(later);
  CHECK(fold.shown().erased(record(1).get()).value() == erasure(2));
  CHECK(fold.queries.erasure(erasure(1)).value()->classes == std::vector<std::uint32_t>{64});
}

TEST_CASE("PJ-05 with the notice goes what only the notice told, live as in a rebuild", "[unit][projections][PJ-05]") {
  const bool id_in_header = GENERATE(false, true);
  const bool swept = GENERATE(false, true);
  CAPTURE(id_in_header, swept);
  Fold live;
  Fold rebuilt;
  rebuilt.rows.dead = {Slot(100), Slot(901)};
  for (auto* fold : {&live, &rebuilt}) {
    Request options;
    if (id_in_header) options.job = JobId(erasure(1).get());
    auto person = registered(*fold, 1);
    auto link = linked(*fold, 2);
    auto seen = looked_at(*fold, 3);
    auto request = requested(*fold, 4, options);
    auto first = effective(*fold, 5, {4});
    auto done = completed(*fold, 6, 4);
    auto end = effective(*fold, 7, {4});
    if (fold == &rebuilt && swept)
      for (auto* event : {&person, &link, &request}) event->remove(1);
    for (auto* event : {&person, &link, &seen, &request, &first, &done, &end}) (*fold)(*event);
  }
  CHECK(live.rows.map == rebuilt.rows.map);
  CHECK(live.rows.count(Rows::erased) == 0);
  CHECK(live.rows.count(Rows::erasure_requests) == 0);
  CHECK(live.rows.count(Rows::erasures) == (id_in_header ? 1 : 0));
  CHECK(live.shown().owner(owner_of(subject(1))).value()->leaves.size() == 1);  // who looked at him
}

TEST_CASE("PJ-05 of an erasure of two epochs the notice of either may end first, live as in a rebuild",
          "[unit][projections][PJ-05]") {
  const std::uint64_t ends = GENERATE(5u, 6u);
  CAPTURE(ends);
  Fold live;
  Fold rebuilt;
  const std::uint8_t gone = ends == 5 ? 1 : 2;
  rebuilt.rows.dead = {Slot(99u + gone), Slot(900u + gone)};
  for (auto* fold : {&live, &rebuilt}) {
    auto named = class_set(*fold, 1, 64, "P3Y");
    auto other = class_set(*fold, 2, 65, "P10Y");
    auto first = registered(*fold, 3);
    auto second = registered(*fold, 4, 2, Slot(101));
    auto one = requested(*fold, 5, {.classes = {64}});
    auto two = requested(*fold, 6, {.person = 2, .classes = {64}});
    for (auto* request : {&one, &two}) request->at(TimeMs(1'000'005));  // of one command, so of one time
    auto epoch = effective(*fold, 7, {5});
    auto changed = class_set(*fold, 8, 65, "P6Y");
    auto later = class_set(*fold, 9, 66, "P1Y");
    auto last = effective(*fold, 10, {6});
    auto after = class_set(*fold, 11, 66, "P2Y");
    for (auto* event : {&named, &other, &first, &second, &one, &two, &epoch, &changed, &later, &last, &after})
      (*fold)(*event);
    if (fold == &live) {
      const auto row = fold->shown().erasure(erasure(1)).value();
      REQUIRE(row);
      REQUIRE(row->effects.size() == 2);
      using views::KeptClass;
      CHECK(row->effects[0].kept == std::vector{KeptClass{ClassNo(65), LegalGround::contract, "P10Y"}});
      CHECK(row->effects[1].kept == std::vector{KeptClass{ClassNo(65), LegalGround::contract, "P6Y"},
                                                KeptClass{ClassNo(66), LegalGround::contract, "P1Y"}});
    }
    auto end = effective(*fold, 12, {ends});
    (*fold)(end);
  }
  CHECK(live.rows.map == rebuilt.rows.map);
  const auto row = live.shown().erasure(erasure(1)).value();
  REQUIRE(row);
  CHECK(row->requests == std::vector{Seq(ends == 5 ? 6 : 5)});
  REQUIRE(row->effective() != nullptr);
  CHECK(row->effective()->seq == Seq(ends == 5 ? 10 : 7));
  CHECK(row->effects.size() == 1);
}

TEST_CASE("A damaged row of an erasure is refused, also one of the version before", "[unit][projections]") {
  views::ErasureRow row;
  row.requests = {Seq(3), Seq(70'000)};
  row.effects.push_back({Seq(9), TimeMs(10), 1, 2, {}, {}, 0, 1, 0, 2, {{ClassNo(65), LegalGround::consent, "P1Y"}}});
  const auto value = views::encode(row);
  CHECK(views::decode_erasure(value).value().effects == row.effects);
  for (std::size_t size = 0; size < value.size(); ++size)
    CHECK_FALSE(views::decode_erasure(ByteView(value).first(size)));
  for (const std::uint8_t version : {0, 1, 3}) {
    auto other = value;
    other[0] = version;
    CHECK(views::decode_erasure(other).error().is("views_damaged"));
  }
}

TEST_CASE("Registries keep number, version and first time, and a revoked token keeps its body", "[unit][projections]") {
  Fold fold;
  const auto set = [&](EventType type, std::uint64_t seq, std::uint32_t number, std::uint32_t version,
                       const RegistryBody& body) {
    HandEvent event(type, seq, fold.rows);
    event.facts(RegistryFacts{number, version});
    event.part(owner_of_ledger(), built_in::registry, Slot(3), seq, codec::encode(body));
    fold(event);
  };
  PurposeDefinition purpose;
  purpose.name = "care";
  set(EventType::registry_purpose_set, 1, 1, 1, purpose);
  purpose.legal_ground = LegalGround::contract;
  set(EventType::registry_purpose_set, 2, 1, 2, purpose);
  TypeDefinition type;
  type.name = "contacts";
  set(EventType::registry_type_set, 3, 1, 1, type);
  ClassDefinition cls;
  cls.name = "customer";
  set(EventType::registry_class_set, 4, 64, 1, cls);
  TokenCreated token;
  token.id = TokenId(made_id(4, 1));
  set(EventType::registry_token_created, 5, 1, 1, token);
  set(EventType::registry_token_revoked, 6, 1, 1, TokenRevoked{token.id});

  const auto rows = fold.shown().registries().value();
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].type == EventType::registry_purpose_set);
  CHECK(rows[0].version == 2);
  CHECK(rows[0].at == TimeMs(1'000'001));
  CHECK(rows[1].number == 64);
  CHECK(rows[2].type == EventType::registry_type_set);
  CHECK(rows[3].type == EventType::registry_token_created);
  CHECK(rows[3].revoked);
  for (const auto& row : rows) {
    const auto opened = fold.rows.unseal(row.slot, built_in::registry, "registries", row.row, row.sealed).value();
    const auto body = codec::decode_registry(std::get<SecretBytes>(opened).view(), 1).value();
    if (row.type == EventType::registry_purpose_set)
      CHECK(std::get<PurposeDefinition>(body).legal_ground == LegalGround::contract);
    if (row.revoked) CHECK(std::get<TokenCreated>(body).id == token.id);
  }
}

TEST_CASE("Idempotency entries are found by their keyed hash", "[unit][projections]") {
  Fold fold;
  std::vector<codec::IdempotencyRow> entries(2);
  entries[0].mac[0] = 1;
  entries[1].mac[0] = 2;
  entries[0].day_slot = entries[1].day_slot = Slot(77);
  entries[0].sealed = entries[1].sealed = {1, 2, 3};
  const auto trailer = codec::encode(entries);
  CHECK_FALSE(views::is_indexed(trailer, fold.rows).value());
  const auto indexed = views::index_idempotency(Seq(640), trailer, fold.rows).value();
  CHECK(indexed.days == std::vector{Slot(77)});
  CHECK(views::is_indexed(trailer, fold.rows).value());
  CHECK(fold.shown().idempotency(entries[1].mac).value() == Seq(640));
  CHECK_FALSE(fold.queries.idempotency(Hash{}).value());
  CHECK(views::index_idempotency(Seq(1), {}, fold.rows).value().days.empty());
  CHECK_FALSE(views::index_idempotency(Seq(1), ByteView(trailer).first(9), fold.rows));
}

TEST_CASE("PJ-03 whoever waits for a position is called once it is shown, or once his time is over",
          "[unit][projections][PJ-03]") {
  Fold fold;
  auto& views = fold.queries;
  std::vector<int> calls;
  using namespace std::chrono_literals;
  views.when(TreeSize(0), 1s, [&](bool reached) { calls.push_back(reached ? 1 : -1); });
  CHECK(calls == std::vector{1});
  views.when(TreeSize(5), 1h, [&](bool reached) { calls.push_back(reached ? 2 : -2); });
  views.when(TreeSize(9), 0s, [&](bool reached) { calls.push_back(reached ? 3 : -3); });
  views.when(TreeSize(8), 1h, [&](bool reached) {
    calls.push_back(reached ? 4 : -4);
    views.when(TreeSize(8), 0s, [&](bool again) { calls.push_back(again ? 5 : -5); });  // from within a call
  });
  views.advance(TreeSize(4));
  CHECK(calls == std::vector{1});
  views.advance(TreeSize(5));
  CHECK(calls == std::vector{1, 2});
  views.expire_waiters();
  CHECK(calls == std::vector{1, 2, -3});
  views.advance(TreeSize(8));
  CHECK(calls == std::vector{1, 2, -3, 4, 5});
}

TEST_CASE("The position is that of the store", "[unit][projections]") {
  Fold fold;
  CHECK(fold.queries.load_position().value() == TreeSize(0));
  fold.rows.put(Rows::position, views::position_key(), views::encode_position(TreeSize(4711)));
  CHECK(fold.shown().load_position().value() == TreeSize(4711));
  CHECK(fold.queries.position() == TreeSize(4711));
}

}  // namespace
