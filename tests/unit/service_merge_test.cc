// People who turn out to be one: what is asked about one of them is asked about all, and an erasure takes all.
#include <atomic>

#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

struct MergeWorld : ContactsWorld {
  using ContactsWorld::ContactsWorld;

  SubjectId add_person(const std::string& name, const std::string& email) {
    return *must(write(editor, person(name, email))).subject;
  }
  Outcome merge(const SubjectId& into, std::vector<SubjectId> others) {
    return write(officer, service::MergeSubjects{into, std::move(others)});
  }
  std::vector<std::string> history(const SubjectId& id) {
    const auto shown = must(answer<service::HistoryAnswer>(
        [&](auto then) { service->subject_history(editor, id, std::nullopt, 100, then); }));
    std::vector<std::string> out;
    for (const auto& item : shown.items) out.emplace_back(name_of(item.type));
    return out;
  }
  std::size_t records(const SubjectId& id) { return must(read(id)).records.size(); }
  void restart() {
    catch_up();
    close();
    open();
    until([&] { return service->status().search_ready; });
  }
};

}  // namespace

TEST_CASE("whoever is merged goes by one id: records, history, identity and search are of both", "[unit][service]") {
  MergeWorld w(1);
  const auto stays = w.add_person("Änne Beispiel", "aenne@example.net");
  const auto joins = w.add_person("Änne B.", "aenne@example.org");
  const auto other = w.add_person("Bert Beispiel", "bert@example.net");
  const auto merged = must(w.merge(stays, {joins}));
  CHECK(merged.subject == stays);

  const auto views_lost = GENERATE(false, true);
  const auto restarted = views_lost || GENERATE(false, true);
  if (views_lost) {
    w.close();
    w.views_store = MemoryStore(views::families().size());
    w.open();
    w.until([&] { return w.service->status().search_ready; });
  } else if (restarted) {
    w.restart();
  }
  for (const auto& id : {stays, joins}) {
    const auto shown = must(w.read(id));
    CHECK(shown.subject == stays);
    CHECK(shown.merged == std::vector{joins});
    REQUIRE(shown.records.size() == 2);
    for (const auto& record : shown.records) {
      CHECK(record.subject == stays);
      CHECK(must(w.read(record.id)).record.subject == stays);
    }
    const auto history = w.history(id);
    CHECK(std::ranges::count(history, "record.added") == 2);
    CHECK(std::ranges::count(history, "subject.registered") == 2);
    CHECK(std::ranges::count(history, "subject.merged") == 1);
  }
  CHECK(must(w.read(other)).merged.empty());
  // By either identity she is met, and written about under the one id.
  CHECK(w.add_person("Änne", "aenne@example.org") == stays);
  CHECK(w.add_person("Änne", "aenne@example.net") == stays);
  CHECK(must(w.add("Änne", joins)).subject == stays);
  CHECK(w.records(joins) == 5);
  CHECK(w.records(other) == 1);
}

TEST_CASE("an export of a merged person lists the leaves of all her ids, and each look leaves a trace at each",
          "[unit][service]") {
  MergeWorld w(2);
  const auto stays = w.add_person("Änne Beispiel", "aenne@example.net");
  const auto joins = w.add_person("Änne B.", "aenne@example.org");
  must(w.merge(stays, {joins}));
  w.catch_up();
  const auto exported = must(ServiceKit::answer<service::SubjectAnswer>(
      [&](auto then) { w.service->export_subject(w.officer, joins, then); }));
  CHECK(exported.subject == stays);
  const auto leaves_of = [&](ClassNo cls) { return std::ranges::count(exported.leaves, cls, &ExportBody::Leaf::cls); };
  CHECK(leaves_of(built_in::merge) == 2);
  CHECK(leaves_of(ClassNo(w.service->registries()->cls("customer")->number)) == 2);
  const auto looks = std::ranges::count(exported.history, EventType::access_read, &service::HistoryItem::type);
  CHECK(looks <= 1);                                 // this one, if the read models show it already
  CHECK(std::ssize(exported.history) - looks == 5);  // two registered, two added, merged once
  w.catch_up();
  for (const auto& id : {stays, joins}) {
    const auto owner = must(w.views->owner(owner_of(id)));
    REQUIRE(owner);
    CHECK(std::ranges::count(owner->leaves, built_in::access_log, &views::Leaf::cls) == 1);
  }
}

TEST_CASE("of a person with more ids than one event has room for, each look names all of them", "[unit][service]") {
  MergeWorld w(8);
  std::vector<SubjectId> others;
  const auto stays = w.add_person("Änne Beispiel", "aenne@example.net");
  for (int i = 0; i < 24; ++i) others.push_back(w.add_person("Änne", std::to_string(i) + "@example.org"));
  must(w.merge(stays, others));
  w.catch_up();
  w.close();
  w.service_options.event_bytes_max = 1024;
  w.open();
  w.until([&] { return w.service->status().search_ready; });
  const auto before = w.ledger->size();
  const auto exported = must(ServiceKit::answer<service::SubjectAnswer>(
      [&](auto then) { w.service->export_subject(w.officer, stays, then); }));
  CHECK(exported.records.size() == 25);
  CHECK(std::ranges::count(exported.leaves, built_in::merge, &ExportBody::Leaf::cls) == 25);
  CHECK(w.ledger->size().get() > before.get() + 1);
  w.catch_up();
  others.push_back(stays);
  for (const auto& id : others) {
    const auto refs = must(w.views->subject_history(id, std::nullopt, 100));
    CHECK(std::ranges::count_if(refs, [&](const auto& ref) { return ref.seq.get() >= before.get(); }) == 1);
  }
}

TEST_CASE("the class of merges is built in: it is listed, and its name is nobody else's", "[unit][service]") {
  MergeWorld w(9);
  const auto* cls = w.service->registries()->cls("merge");
  REQUIRE(cls != nullptr);
  CHECK(ClassNo(cls->number) == built_in::merge);
  ClassDefinition own;
  own.name = "merge";
  own.period = "P1Y";
  own.legal_ground = LegalGround::contract;
  CHECK(code(w.write(w.admin, service::SetClass{own})) == "schema_invalid");
}

TEST_CASE("chains of merges are one person, whichever is merged into which", "[unit][service]") {
  MergeWorld w(3);
  std::vector<SubjectId> people;
  for (const auto* name : {"a", "b", "c", "d"})
    people.push_back(w.add_person(name, std::string(name) + "@example.net"));
  must(w.merge(people[1], {people[0]}));
  must(w.merge(people[2], {people[3]}));
  must(w.merge(people[3], {people[0]}));  // by ids that nobody goes by any more
  if (GENERATE(false, true)) w.restart();
  for (const auto& id : people) {
    CHECK(must(w.read(id)).subject == people[2]);
    CHECK(w.records(id) == 4);
  }
  CHECK(code(w.merge(people[0], {people[1]})) == "state_conflict");
}

TEST_CASE("a merge is refused where it makes no sense, and changes nothing", "[unit][service]") {
  MergeWorld w(4);
  const auto one = w.add_person("Änne Beispiel", "aenne@example.net");
  const auto gone = w.add_person("Bert Beispiel", "bert@example.net");
  must(w.erase(gone));
  CHECK(code(w.merge(one, {})) == "bad_value");
  CHECK(code(w.merge(one, {one})) == "bad_value");
  CHECK(code(w.merge(one, {gone})) == "erased");
  CHECK(code(w.merge(gone, {one})) == "erased");
  CHECK(code(w.merge(one, {SubjectId(new_id(w.wall, w.random))})) == "not_found");
  CHECK(code(w.write(w.admin, service::MergeSubjects{one, {gone}})) == "role_denied");
  TokenGrant grant;
  grant.role = Role::editor;
  grant.purposes = {"care"};
  grant.types = {"people"};
  auto narrow = must(w.service->authenticate(must(w.write(w.admin, service::CreateToken{grant})).token));
  const auto two = w.add_person("Cleo Beispiel", "cleo@example.net");
  CHECK(code(w.write(narrow, service::MergeSubjects{one, {two}})) == "type_denied");
  CHECK(must(w.read(one)).merged.empty());
}

TEST_CASE("two people of one identity are told apart by nobody until they are merged", "[unit][service]") {
  MergeWorld w(5);
  const auto one = w.add_person("Änne Beispiel", "aenne@example.net");
  const auto two = must(w.write(w.editor, w.person("Bert Beispiel", "bert@example.net")));
  service::ChangeRecord change;
  change.record = *two.record;
  change.values.push_back(w.value("e-mail", "aenne@example.net"));
  CHECK(must(w.write(w.editor, std::move(change))).ambiguous);
  const auto third = must(w.write(w.editor, w.person("Änne", "aenne@example.net")));
  CHECK(third.ambiguous);
  must(w.merge(one, {*two.subject, *third.subject}));
  const auto fourth = must(w.write(w.editor, w.person("Änne", "aenne@example.net")));
  CHECK_FALSE(fourth.ambiguous);
  CHECK(fourth.subject == one);
}

TEST_CASE("ER-04 an erasure of a merged person takes all her ids, whichever is named", "[unit][service][ER-04]") {
  MergeWorld w(6);
  const auto stays = w.add_person("Änne Beispiel", "aenne@example.net");
  const auto joins = w.add_person("Änne B.", "aenne@example.org");
  must(w.add("Änne", stays));
  must(w.merge(stays, {joins}));
  std::vector<RecordId> records;
  for (const auto& record : must(w.read(stays)).records) records.push_back(record.id);
  REQUIRE(records.size() == 3);
  SECTION("wholly") {
    const auto named = GENERATE(true, false) ? joins : stays;
    CHECK(must(w.erase(named)).kind == service::Written::Kind::erasure_effective);
    w.catch_up();
    for (const auto& record : records) CHECK(code(w.read(record)) == "erased");
    for (const auto& id : {stays, joins}) CHECK(code(w.read(id)) == "erased");
    CHECK(must(w.erase(stays)).erasure == must(w.erase(joins)).erasure);  // the same again, and nothing new
    CHECK(w.views_store.rows_estimate(views::family(views::Rows::subject_merges)) == 0);
    if (GENERATE(false, true)) w.restart();
    CHECK(w.add_person("Änne", "aenne@example.org") != stays);
    CHECK(w.add_person("Änne", "aenne@example.net") != stays);
  }
  SECTION("of one class, which one of the ids has nothing of") {
    must(w.add("DE00 1234", stays, {}, "account"));
    must(w.erase(joins, {"billing"}));
    w.catch_up();
    CHECK(w.records(joins) == 3);
    w.restart();
    CHECK(must(w.read(joins)).merged == std::vector{joins});
    CHECK(code(w.erase(joins, {"billing"})) == "not_found");
    CHECK(code(w.erase(stays, {"merge"})) == "bad_value");  // it would part them
  }
}

TEST_CASE("ER-04 a merge at any moment of an erasure: both are erased, or the merge is refused",
          "[unit][service][ER-04]") {
  MergeWorld w(7);
  for (int moment = 1; moment <= 8; ++moment) {
    CAPTURE(moment);
    const auto mail = std::to_string(moment) + "@example.net";
    const auto stays = w.add_person("Änne Beispiel", "a" + mail);
    const auto joins = w.add_person("Änne B.", "b" + mail);
    w.catch_up();
    std::atomic<int> calls{0};
    std::atomic<bool> merged{false};
    w.wall.meanwhile([&] {
      if (++calls == moment) merged = w.merge(joins, {stays}).has_value();
    });
    must(w.erase(stays));
    w.wall.meanwhile(nullptr);
    w.catch_up();
    CHECK(code(w.read(stays)) == "erased");
    CHECK((code(w.read(joins)) == "erased") == merged.load());
  }
}
