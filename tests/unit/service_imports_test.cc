// The life of an import: preview in memory, one visible step, cancelled without a trace for readers, undone.
#include <atomic>
#include <set>
#include <thread>

#include "codec/header_codec.h"
#include "codec/parts.h"
#include "service/impl.h"
#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::service;

namespace {

struct ImportsWorld : ServiceKit {
  ImportsWorld() {
    set_up();
    other = token(Role::editor, false);
  }

  static ImportUpload upload(const std::string& type, std::string bytes, std::vector<std::string> match = {}) {
    ImportUpload out;
    out.type = type;
    out.match = std::move(match);
    out.bytes = Personal<std::string>(std::move(bytes));
    return out;
  }
  Result<ImportAnswer> preview(ImportUpload file) {
    return answer<ImportAnswer>([&](auto then) { service->preview_import(editor, std::move(file), then); });
  }
  static ImportCommit skip(const std::string& request = "1") {
    ImportCommit out;
    out.bad_rows = ImportCommit::BadRows::skip;
    out.client.request = request;
    return out;
  }
  Result<ImportAnswer> commit(const JobId& id, ImportCommit how = skip(), bool wait = true) {
    return answer<ImportAnswer>([&](auto then) { service->commit_import(editor, id, std::move(how), wait, then); });
  }
  Result<ImportAnswer> undo(const JobId& id, const ClientKey& client = {}) {
    return answer<ImportAnswer>([&](auto then) { service->undo_import(editor, id, client, true, then); });
  }
  Result<ImportAnswer> cancel(const JobId& id, const ClientKey& client = {}) {
    return answer<ImportAnswer>([&](auto then) { service->cancel_import(editor, id, client, then); });
  }
  void make_searchable() {
    auto type = service->registries()->type("people")->definition;
    for (auto& field : type.fields) field.searchable = true;
    must(write(admin, SetType{type}));
    catch_up();
    until([&] { return service->status().search_ready; });
  }
  // Page by page. Whoever looks while an import runs sees one page at one moment.
  std::size_t found(const std::string& city, bool prefix = false) {
    Service::SearchQuery query;
    query.type = "people";
    query.where.push_back({"city", prefix, Personal<RawValue>(RawValue(city))});
    query.limit = 1000;
    std::size_t out = 0;
    do {
      const auto page = must(answer<ListAnswer>([&](auto then) { service->search(editor, query, then); }));
      out += page.items.size();
      query.after = page.next;
    } while (query.after);
    return out;
  }
  // What the index itself knows, whatever can still be opened and shown.
  std::size_t known(const std::string& city) {
    const auto* type = service->registries()->type("people");
    const std::vector<search::Condition> conditions{
        {FieldNo(type->definition.field("city")->number), search::Op::exact, search::fold(FieldType::text, city)}};
    auto& feed = static_cast<Impl&>(*service).search_feed;
    return must(feed.find(TypeNo(type->number), conditions, {}, 20'000)).size();
  }
  // Another editor: of one type, or of all.
  Caller colleague(const std::string& type = {}) {
    TokenGrant grant;
    grant.role = Role::editor;
    grant.purposes = {"care"};
    grant.all_types = type.empty();
    if (!type.empty()) grant.types = {type};
    auto out = must(service->authenticate(must(write(admin, CreateToken{grant})).token));
    out.purpose = "care";
    return out;
  }
  SubjectAnswer subject(const SubjectId& id) {
    catch_up();
    return must(answer<SubjectAnswer>([&](auto then) { service->read_subject(editor, id, then); }));
  }
  HistoryAnswer subject_history(const SubjectId& id) {
    catch_up();
    return must(
        answer<HistoryAnswer>([&](auto then) { service->subject_history(editor, id, std::nullopt, 100, then); }));
  }
  // Whom the first subject.registered from there on registered.
  SubjectId first_person(TreeSize from) {
    const auto cursor = ledger->cursor(Seq(from.get())).value();
    Seq seq;
    ByteView header, parts;
    while (cursor->next(seq, header, parts).value())
      if (codec::decode_header(header).value().type == EventType::subject_registered)
        return SubjectId(codec::decode_parts(parts).value().at(1).envelope.owner.get());
    FAIL("nobody was registered");
    return {};
  }
  std::string state(const JobId& id) { return std::string(must(service->import(editor, id)).state); }
  Result<std::string> rejects(const JobId& id) {
    return answer<std::string>([&](auto then) { service->import_rejects(editor, id, then); });
  }
  std::size_t shown(const char* type = "people") {
    catch_up();
    const auto number = TypeNo(service->registries()->type(type)->number);
    return views->list(number, std::nullopt, 1'000'000).value().size();
  }
  std::string city_of(const RecordId& id) {
    const auto read = must(answer<RecordAnswer>([&](auto then) { service->read_record(editor, id, then); }));
    const auto* field = service->registries()->type("people")->definition.field("city");
    for (const auto& value : read.record.values.expose())
      if (value.field == field->number) return std::get<std::string>(value.value.expose());
    return "none";
  }
  std::vector<Header> events_from(TreeSize from) {
    std::vector<Header> out;
    const auto cursor = ledger->cursor(Seq(from.get())).value();
    Seq seq;
    ByteView header, parts;
    while (cursor->next(seq, header, parts).value()) out.push_back(codec::decode_header(header).value());
    return out;
  }
  std::size_t count(const std::vector<Header>& events, EventType type) {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const Header& h) { return h.type == type; }));
  }

  Caller other;
};

std::string rows_of(std::size_t count, const std::string& city = "Ulm") {
  std::string out = "name;e-mail;city\n";
  for (std::size_t i = 0; i < count; ++i) {
    const auto n = std::to_string(i);
    out += "Person " + n + ";person" + n + "@example.org;" + city + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("G1 EV-09 a preview stores nothing but that somebody looked", "[unit][service][G1][EV-09]") {
  ImportsWorld world;
  const auto size = world.ledger->size();
  const auto answer = must(world.preview(ImportsWorld::upload("people", rows_of(3, "Kanarienstadt"), {"e-mail"})));
  CHECK(answer.state == "previewed");
  CHECK(answer.counts.added == 3);
  REQUIRE(answer.preview);
  CHECK(answer.preview->header_row == 1);
  CHECK(answer.preview->delimiter == ";");
  REQUIRE(answer.preview->columns.size() == 3);
  CHECK(answer.preview->columns[1].field == "e-mail");
  CHECK(answer.preview->columns[2].examples.expose().at(0) == "Kanarienstadt");
  const auto events = world.events_from(size);
  REQUIRE(events.size() == 1);
  CHECK(events[0].type == EventType::access_read);
  CHECK(std::get<AccessFacts>(events[0].facts).kind == AccessFacts::Kind::import);
  CHECK(events[0].part_count == 1);  // nobody stored was looked at
  CHECK_FALSE(world.holds(as_bytes("Kanarienstadt")));
  CHECK(world.shown() == 0);
  // Nobody else sees it.
  CHECK(code(world.answer<ImportAnswer>([&](auto then) {
          world.service->commit_import(world.other, answer.id, ImportsWorld::skip(), true, then);
        })) == "not_found");
  CHECK(code(world.service->import(world.other, answer.id)) == "not_found");
}

TEST_CASE("G6 the counts of a commit add up, and a retry answers the same", "[unit][service][G6]") {
  ImportsWorld world;
  const auto file =
      "name;e-mail;city\nAnna;anna@example.org;Ulm\nBernd;no address;Bonn\nCarla;carla@example.org;\n"
      "Anna again;ANNA@example.org;Ulm\n";
  const auto preview = must(world.preview(ImportsWorld::upload("people", file, {"e-mail"})));
  CHECK(preview.counts.added == 2);
  CHECK(preview.counts.failed == 2);
  REQUIRE(preview.preview->failures.size() == 2);
  CHECK(preview.preview->failures[0].row == 3);
  CHECK(preview.preview->failures[0].column.expose() == "e-mail");
  CHECK(preview.preview->failures[0].code == "bad_email");
  CHECK(preview.preview->failures[1].code == "repeated");
  const auto size = world.ledger->size();
  const auto done = must(world.commit(preview.id));
  CHECK(done.state == "finished");
  CHECK(done.counts.rows() == 4);
  CHECK(done.counts.added == 2);
  CHECK(done.counts.failed == 2);
  CHECK(world.shown() == 2);

  const auto events = world.events_from(size);
  CHECK(world.count(events, EventType::import_begun) == 1);
  CHECK(world.count(events, EventType::record_added) == 2);
  CHECK(events.back().type == EventType::import_finished);
  CHECK(std::get<ImportFacts>(events.back().facts) == ImportFacts{4, 2, 0, 0, 2});
  for (const auto& event : events)
    if (event.type != EventType::access_read) CHECK(event.job == preview.id);

  const auto again = must(world.commit(preview.id));
  CHECK(again.replayed);
  CHECK(again.counts.added == 2);
  CHECK(again.position == done.position);
  CHECK(world.shown() == 2);
  CHECK(code(world.commit(preview.id, ImportsWorld::skip("another"))) == "state_conflict");
  CHECK(code(world.cancel(preview.id)) == "state_conflict");

  const auto rejects = must(world.rejects(preview.id));
  CHECK(rejects ==
        "name;e-mail;city;reason\r\nBernd;no address;Bonn;e-mail: bad_email\r\n"
        "Anna again;ANNA@example.org;Ulm;repeated\r\n");
  // The file names import and row in each record's event.
  const auto list = must(world.service->imports(world.editor, std::nullopt, 9));
  REQUIRE(list.size() == 1);
  CHECK(list[0].state == "finished");
}

TEST_CASE("G6 all rows or no row", "[unit][service][G6]") {
  ImportsWorld world;
  const auto preview = must(world.preview(
      ImportsWorld::upload("people", "name;e-mail\nAnna;anna@example.org\nBernd;no address\n", {"e-mail"})));
  ImportCommit all;
  all.client.request = "all";
  const auto size = world.ledger->size();
  CHECK(code(world.commit(preview.id, all)) == "rows_invalid");
  CHECK(world.events_from(size).empty());
  CHECK(world.shown() == 0);
  // The preview is still there: with the bad rows left out it goes.
  CHECK(must(world.commit(preview.id)).counts.added == 1);
  CHECK(world.shown() == 1);
}

TEST_CASE("G7 an import with a match field shows each cell that would change", "[unit][service][G7]") {
  ImportsWorld world;
  const auto anna = *must(world.write(world.editor, ServiceKit::person("Anna", "anna@example.org"))).record;
  must(world.write(world.editor, ServiceKit::person("Bernd", "bernd@example.org")));
  const auto size = world.ledger->size();
  const auto file = "e-mail;name;city\nANNA@example.org;Anna;Ulm\nbernd@example.org;Bernd;\nc@example.org;Carla;Bonn\n";
  const auto preview = must(world.preview(ImportsWorld::upload("people", file, {"e-mail"})));
  CHECK(preview.counts.added == 1);
  CHECK(preview.counts.changed == 1);
  CHECK(preview.counts.unchanged == 1);
  const auto& changes = preview.preview->changes;
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].record == anna);
  CHECK(changes[0].row == 2);
  std::set<std::string> fields{changes[0].field, changes[1].field};
  CHECK(fields == std::set<std::string>{"e-mail", "city"});
  // The two who were found, and nobody else, are named in the access event.
  const auto looked = world.events_from(size);
  REQUIRE(looked.size() == 1);
  CHECK(looked[0].part_count == 3);

  CHECK(must(world.commit(preview.id)).counts.changed == 1);
  CHECK(world.shown() == 3);
  CHECK(world.city_of(anna) == "Ulm");
  CHECK(code(world.preview(ImportsWorld::upload("people", file, {"name"}))) == "bad_value");
}

TEST_CASE("G7 an undo restores what nobody edited since, and lists the rest", "[unit][service][G7]") {
  ImportsWorld world;
  const auto anna = *must(world.write(world.editor, ServiceKit::person("Anna", "anna@example.org"))).record;
  const auto bernd = *must(world.write(world.editor, ServiceKit::person("Bernd", "bernd@example.org"))).record;
  const auto file =
      "e-mail;name;city\nanna@example.org;Anna;Ulm\nbernd@example.org;Bernd;Ulm\nc@example.org;Carla;Bonn\n"
      "d@example.org;Dora;Bonn\ne@example.org;Erik;Bonn\n";
  const auto preview = must(world.preview(ImportsWorld::upload("people", file, {"e-mail"})));
  must(world.commit(preview.id));
  CHECK(world.shown() == 5);
  ChangeRecord edit;
  edit.record = bernd;
  edit.values.push_back(ServiceKit::value("name", "Bernhard"));
  must(world.write(world.editor, std::move(edit)));
  const auto type = TypeNo(world.service->registries()->type("people")->number);
  std::vector<views::Views::Listed> listed = world.views->list(type, std::nullopt, 9).value();
  std::vector<views::Views::Listed> added;
  for (auto& one : listed)
    if (one.id != anna && one.id != bernd) added.push_back(std::move(one));
  REQUIRE(added.size() == 3);
  must(world.write(world.officer, RequestErasure{{*added[0].row.subject}, {}, "art17-1-b", true}));
  must(world.write(world.editor, RemoveRecord{added[1].id}));

  const auto undone = must(world.undo(preview.id));
  CHECK(undone.state == "undone");
  REQUIRE(undone.undone);
  CHECK(undone.undone->added == 1);
  CHECK(undone.undone->changed == 1);
  CHECK(undone.undone->unchanged == 3);
  std::set<std::string> reasons;
  for (const auto& kept : undone.kept) reasons.insert(kept.reason);
  CHECK(reasons == std::set<std::string>{"edited", "erased", "removed"});
  CHECK(world.city_of(anna) == "none");
  CHECK(world.city_of(bernd) == "Ulm");
  CHECK(world.shown() == 2);
  CHECK(must(world.undo(preview.id)).undone->added == 1);  // the same again
  // The identity index has forgotten who was taken out: the next one of that address is somebody else.
  const auto again = must(world.write(world.editor, ServiceKit::person("Erik", "e@example.org")));
  CHECK(again.subject != added[2].row.subject);

  // After a restart the import is known by its event.
  world.close();
  world.open();
  CHECK(must(world.service->import(world.editor, preview.id)).state == "undone");
  CHECK(code(world.rejects(preview.id)) == "expired");
}

TEST_CASE("G8 an import shows all at once, and is nobody else's while it runs", "[unit][service][G8]") {
  ImportsWorld world;
  constexpr std::size_t kRows = 1'500;
  const auto first = *must(world.write(world.editor, ServiceKit::person("Person 0", "person0@example.org"))).record;
  world.catch_up();
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(kRows), {"e-mail"})));
  const auto number = TypeNo(world.service->registries()->type("people")->number);
  std::atomic<bool> over{false};
  std::set<std::size_t> sizes;
  std::thread watcher([&] {
    while (!over) sizes.insert(world.views->list(number, std::nullopt, 1'000'000).value().size());
  });
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  std::string refused = "none";
  world.until([&] { return must(world.service->import(world.editor, preview.id)).done > 1; });
  if (must(world.service->import(world.editor, preview.id)).state == "committing") {
    ChangeRecord edit;
    edit.record = first;
    edit.values.push_back(ServiceKit::value("name", "Somebody"));
    refused = code(world.write(world.editor, std::move(edit)));
  }
  world.until([&] { return must(world.service->import(world.editor, preview.id)).state != "committing"; });
  CHECK(world.shown() == kRows);
  over = true;
  watcher.join();
  sizes.insert(kRows);
  CHECK(sizes == std::set<std::size_t>{1, kRows});
  CHECK(refused == "state_conflict");
  CHECK(must(world.service->import(world.editor, preview.id)).counts.changed == 1);
}

TEST_CASE("G8 a search finds nothing of an unfinished import, and all of a finished one",
          "[unit][service][search][G8]") {
  ImportsWorld world;
  world.make_searchable();
  auto known = ServiceKit::person("Person 0", "person0@example.org");
  known.values.push_back(ServiceKit::value("city", "Bonn"));
  must(world.write(world.editor, std::move(known)));
  world.catch_up();
  constexpr std::size_t kRows = 900;
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(kRows), {"e-mail"})));
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  std::size_t looks = 0;
  for (;;) {
    const auto new_ones = world.found("ulm");
    const auto old_one = world.found("bonn");
    if (world.state(preview.id) != "committing") break;
    ++looks;
    CHECK(new_ones == 0);
    CHECK(old_one == 1);
  }
  CHECK(looks > 0);
  world.catch_up();
  CHECK(world.found("ulm") == kRows);
  CHECK(world.found("bonn") == 0);
  must(world.undo(preview.id));
  world.catch_up();
  CHECK(world.found("ulm") == 0);
  CHECK(world.found("bonn") == 1);

  const auto second = must(world.preview(ImportsWorld::upload("people", rows_of(kRows, "Kiel"), {"e-mail"})));
  must(world.commit(second.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, second.id)).done > 1; });
  must(world.cancel(second.id));
  world.catch_up();
  CHECK(world.found("kiel") == 0);
  CHECK(world.found("bonn") == 1);
  world.close();
  world.open();
  world.until([&] { return world.service->status().search_ready; });
  CHECK(world.found("kiel") == 0);
  CHECK(world.found("bonn") == 1);
}

TEST_CASE("EV-03 a client's key gives the answer of before, and no second import", "[unit][service][EV-03]") {
  ImportsWorld world;
  const auto keyed = [](const std::string& key, std::string bytes) {
    auto out = ImportsWorld::upload("people", std::move(bytes), {"e-mail"});
    out.client = {key, "upload"};
    return out;
  };
  const auto preview = must(world.preview(keyed("a", rows_of(3))));
  const auto same = must(world.preview(keyed("a", rows_of(3))));
  CHECK(same.id == preview.id);
  CHECK(same.replayed);
  CHECK(same.preview->columns.size() == 3);
  CHECK(code(world.preview(keyed("a", rows_of(4)))) == "idempotency_conflict");
  CHECK(must(world.preview(keyed("b", rows_of(3)))).id != preview.id);

  auto how = ImportsWorld::skip("commit");
  how.client.key = "c";
  const auto done = must(world.commit(preview.id, how));
  CHECK_FALSE(done.replayed);
  CHECK(code(world.preview(keyed("a", rows_of(3)))) == "state_conflict");  // nothing would be new
  auto other = ImportsWorld::skip("another");
  other.client.key = "c";
  CHECK(code(world.commit(preview.id, other)) == "idempotency_conflict");
  world.close();
  world.open();  // what was in memory is gone
  const auto again = must(world.commit(preview.id, how));
  CHECK(again.replayed);
  CHECK(again.state == "finished");
  CHECK(again.counts.added == 3);
  CHECK(world.shown() == 3);

  const auto undone = must(world.undo(preview.id, {"d", "undo"}));
  world.close();
  world.open();
  world.until([&] { return world.service->status().search_ready; });
  const auto undone_again = must(world.undo(preview.id, {"d", "undo"}));
  CHECK(undone_again.replayed);
  CHECK(undone_again.undone->added == undone.undone->added);

  const auto dropped = must(world.preview(keyed("e", rows_of(5))));
  CHECK(must(world.cancel(dropped.id, {"f", "cancel"})).state == "cancelled");
  CHECK(must(world.cancel(dropped.id, {"f", "cancel"})).replayed);
  CHECK(code(world.cancel(preview.id, {"f", "cancel"})) == "idempotency_conflict");
  CHECK(code(world.cancel(dropped.id)) == "not_found");
}

TEST_CASE("columns go where the caller says", "[unit][service]") {
  ImportsWorld world;
  auto file = ImportsWorld::upload("people", "Wer;Post;city;Notiz\nAnna;anna@example.org;Ulm;x\n", {"e-mail"});
  file.columns = {{"Wer", "name"}, {"Post", "e-mail"}, {"city", ""}};
  const auto preview = must(world.preview(file));
  CHECK(preview.counts.added == 1);
  std::vector<std::string> fields;
  for (const auto& column : preview.preview->columns) fields.push_back(column.field);
  CHECK(fields == std::vector<std::string>{"name", "e-mail", "", ""});
  must(world.commit(preview.id));
  world.catch_up();
  const auto number = TypeNo(world.service->registries()->type("people")->number);
  CHECK(world.city_of(world.views->list(number, std::nullopt, 9).value().at(0).id) == "none");
  using ByTitle = std::map<std::string, std::string>;
  const std::vector<ByTitle> wrong{ByTitle{{"Wo", "city"}}, ByTitle{{"Wer", "name"}, {"Post", "name"}},
                                   ByTitle{{"Wer", "nobody"}}};
  for (const auto& columns : wrong) {
    file.columns = columns;
    const auto refused = world.preview(file);
    REQUIRE_FALSE(refused);
    CHECK(*refused.error().find("pointer") == "/columns");
  }
  // A new type gets the fields that it is told.
  auto made = ImportsWorld::upload("", "Wer;Post;Notiz\nAnna;anna@example.org;x\nBo;bo@example.org;y\n");
  made.columns = {{"Wer", "person"}, {"Notiz", ""}};
  const auto of_file = must(world.preview(made));
  auto how = ImportsWorld::skip();
  how.create_type.emplace();
  how.create_type->name = "guests";
  how.create_type->cls = "customer";
  CHECK(must(world.commit(of_file.id, how)).counts.added == 2);
  std::vector<std::string> made_fields;
  for (const auto& field : world.service->registries()->type("guests")->definition.fields)
    made_fields.push_back(field.name);
  CHECK(made_fields == std::vector<std::string>{"person", "post"});
}

TEST_CASE("files in memory are bounded, also those on their way", "[unit][service]") {
  ImportsWorld world;
  const auto limits = ImportLimits{};
  std::vector<std::shared_ptr<const void>> rooms;
  for (const auto& who : {world.editor, world.other})
    rooms.push_back(must(world.service->admit_upload(who, 256u << 20)));
  const auto full = world.service->admit_upload(world.editor, 1);
  CHECK(code(full) == "overloaded");
  CHECK(*full.error().find("limit_name") == "preview_bytes_max");
  CHECK(code(world.preview(ImportsWorld::upload("people", rows_of(1)))) == "overloaded");
  CHECK(code(world.service->admit_upload(world.editor, limits.upload_bytes_max + 1)) == "too_large");
  rooms.clear();
  auto file = ImportsWorld::upload("people", rows_of(1));
  file.room = must(world.service->admit_upload(world.editor, 100));
  must(world.preview(std::move(file)));
  for (std::size_t i = 1; i < limits.previews_per_token_max; ++i)
    must(world.preview(ImportsWorld::upload("people", rows_of(1))));
  CHECK(*world.service->admit_upload(world.editor, 1).error().find("limit_name") == "previews_per_token_max");
  must(world.service->admit_upload(world.other, 1));
}

TEST_CASE("G8 a cancelled import leaves nothing that anybody sees", "[unit][service][G8]") {
  ImportsWorld world;
  const bool by_stop = GENERATE(false, true);
  const auto first = *must(world.write(world.editor, ServiceKit::person("Person 0", "person0@example.org"))).record;
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(1'500), {"e-mail"})));
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, preview.id)).done > 1; });
  if (by_stop) {
    world.close();
    world.open();
  } else {
    const auto cancelled = must(world.cancel(preview.id));
    CHECK(cancelled.state == "cancelled");
  }
  CHECK(must(world.service->import(world.editor, preview.id)).state == "cancelled");
  CHECK(world.shown() == 1);
  CHECK(world.city_of(first) == "none");
  // What it held is free, at the version that everybody knew.
  world.until([&] { return world.service->status().search_ready; });
  ChangeRecord edit;
  edit.record = first;
  edit.values.push_back(ServiceKit::value("city", "Bonn"));
  WriteOptions options;
  options.expected_version = 1;
  CHECK(must(world.write(world.editor, std::move(edit), std::move(options))).version == 2);
  CHECK(world.city_of(first) == "Bonn");
  const auto fresh = must(world.write(world.editor, ServiceKit::person("Person 1", "person1@example.org")));
  CHECK(world.subject(*fresh.subject).records.size() == 1);
  CHECK(world.shown() == 2);
}

TEST_CASE("ER-04 G8 whom a cancelled import registered is met again, and an erasure reaches what it wrote",
          "[unit][service][ER-04][G8]") {
  const bool by_stop = GENERATE(false, true);
  const bool comes_again = GENERATE(true, false);
  CAPTURE(by_stop, comes_again);
  ImportsWorld world;
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(1'500, "Kanarien"), {"e-mail"})));
  const auto size = world.ledger->size();
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, preview.id)).done > 0; });
  if (!by_stop) must(world.cancel(preview.id));
  if (by_stop) world.close(), world.open();
  world.until([&] { return world.service->status().search_ready; });
  world.catch_up();
  const auto registered = world.first_person(size);
  CHECK(world.subject(registered).records.empty());
  const auto written = world.subject_history(registered).items;
  CHECK(std::count_if(written.begin(), written.end(), [](const auto& item) { return item.cancelled; }) == 1);

  if (comes_again) {  // the corrected file
    const auto second = must(world.preview(ImportsWorld::upload("people", rows_of(1), {"e-mail"})));
    CHECK(second.counts.added == 1);
    must(world.commit(second.id));
    CHECK(world.subject(registered).records.size() == 1);
    CHECK(world.shown() == 1);
  }
  must(world.write(world.officer, RequestErasure{{registered}, {}, "art17-1-b", true}));
  CHECK(code(world.answer<HistoryAnswer>([&](auto then) {
          world.service->subject_history(world.editor, registered, std::nullopt, 9, then);
        })) == "erased");
  CHECK(world.shown() == 0);
  const auto fresh = must(world.write(world.editor, ServiceKit::person("Person 0", "person0@example.org")));
  CHECK(fresh.subject != registered);
}

TEST_CASE("G8 an import that a crash breaks off is cancelled at the next start", "[unit][service][G8]") {
  std::atomic<bool> broken{false};  // outlives the world
  ImportsWorld world;
  world.world.before_write = [&](const Batch&, Sync) -> Status {
    if (broken) return Error(Errc::unavailable, "io_error", "broken off");
    return Done{};
  };
  world.close();
  world.open();
  world.until([&] { return world.service->status().search_ready; });
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(1'500), {"e-mail"})));
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, preview.id)).done > 1; });
  broken = true;
  world.until([&] { return must(world.service->import(world.editor, preview.id)).state == "failed"; });
  world.close();
  broken = false;
  world.open();
  CHECK(must(world.service->import(world.editor, preview.id)).state == "cancelled");
  CHECK(world.shown() == 0);
  CHECK(world.views->unfinished_imports().value().empty());
  world.until([&] { return world.service->status().search_ready; });
  must(world.write(world.editor, ServiceKit::person("Person 1", "person1@example.org")));
  CHECK(world.shown() == 1);
}

TEST_CASE("ER-04 G8 an erasure in the middle of an import finds what it has brought", "[unit][service][ER-04]") {
  ImportsWorld world;
  world.make_searchable();
  const auto first = must(world.write(world.editor, ServiceKit::person("Person 0", "person0@example.org")));
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(1'200, "Kanarien"), {"e-mail"})));
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, preview.id)).done > 1; });
  must(world.write(world.officer, RequestErasure{{*first.subject}, {}, "art17-1-b", true}));
  world.until([&] { return must(world.service->import(world.editor, preview.id)).state == "finished"; });
  CHECK(world.shown() == 1'199);
  CHECK(world.found("kanarien", true) == 1'199);
  CHECK(code(world.answer<RecordAnswer>(
            [&](auto then) { world.service->read_record(world.editor, *first.record, then); })) == "erased");
  const auto fresh = must(world.write(world.editor, ServiceKit::person("Person 0", "person0@example.org")));
  CHECK(fresh.subject != first.subject);
}

TEST_CASE("G34 G8 who is fenced is out of the index whole, also with what an unfinished import hides",
          "[unit][service][search][G34][G8]") {
  ImportsWorld world;
  world.service_options.erase_window = std::chrono::hours(1);
  world.close();
  world.open();
  world.make_searchable();
  const auto first = must(world.write(world.editor, ServiceKit::person("Person 0", "person0@example.org")));
  world.catch_up();
  constexpr std::size_t kRows = 3'000;
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(kRows, "Kanarien"))));
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  // Without a match the first row is one more record of hers.
  world.until([&] { return world.views->records_of(*first.subject).value().size() == 2; });
  must(world.write(world.officer, RequestErasure{{*first.subject}, {}, "art17-1-b", false}));
  CHECK(world.state(preview.id) == "committing");
  world.until([&] { return world.state(preview.id) == "finished"; });
  world.catch_up();
  world.until([&] { return world.known("kanarien") == kRows - 1; });
  CHECK(world.found("kanarien") == kRows - 1);
  CHECK(world.vault->epoch() == Epoch(1));  // fenced only
}

TEST_CASE("ER-04 G1 who is erased after the file came does not come back out of it", "[unit][service][ER-04][G1]") {
  ImportsWorld world;
  const auto anna = must(world.write(world.editor, ServiceKit::person("Anna", "anna@example.org")));
  const auto bad = must(world.write(world.editor, ServiceKit::person("Bad", "bad@example.org")));
  auto file = ImportsWorld::upload("people",
                                   "name;e-mail;city\nAnna;anna@example.org;Ulm\nBernd;bernd@example.org;Bonn\n"
                                   "Bad;bad@example.org;Bonn\nCarla;no address;Bonn\n",
                                   {"e-mail"});
  file.client = {"key", "upload"};
  const auto preview = must(world.preview(file));
  CHECK(preview.counts.changed == 2);
  CHECK_FALSE(preview.preview->columns[0].examples.expose().empty());
  must(world.write(world.officer, RequestErasure{{*anna.subject, *bad.subject}, {}, "art17-1-b", true}));

  const auto again = must(world.preview(file));
  CHECK(again.replayed);
  CHECK(again.counts.added == 1);
  CHECK(again.counts.failed == 3);
  CHECK(again.preview->changes.empty());
  CHECK(again.preview->failures[0].code == "erased");
  CHECK(again.preview->failures[1].code == "erased");
  for (const auto& column : again.preview->columns) CHECK(column.examples.expose().empty());
  CHECK(must(world.rejects(preview.id)) == "name;e-mail;city;reason\r\nCarla;no address;Bonn;e-mail: bad_email\r\n");
  ImportCommit all;
  all.client.request = "all";
  CHECK(code(world.commit(preview.id, all)) == "rows_invalid");
  const auto done = must(world.commit(preview.id));
  CHECK(done.counts.added == 1);
  CHECK(done.counts.failed == 3);
  CHECK(world.shown() == 1);
  CHECK(must(world.rejects(preview.id)).find("anna") == std::string::npos);
  // A file that comes later is somebody's decision.
  const auto later =
      must(world.preview(ImportsWorld::upload("people", "name;e-mail\nAnna;anna@example.org\n", {"e-mail"})));
  CHECK(later.counts.added == 1);
}

TEST_CASE("ER-04 who is erased while a commit runs does not come back by a row further on", "[unit][service][ER-04]") {
  ImportsWorld world;
  const bool matched = GENERATE(true, false);
  constexpr std::size_t kRows = 3'000;
  const auto last = must(world.write(world.editor, ServiceKit::person("Last", "last@example.org")));
  const auto file = rows_of(kRows) + "Last;last@example.org;Ulm\n";
  const auto preview = must(world.preview(
      ImportsWorld::upload("people", file, matched ? std::vector<std::string>{"e-mail"} : std::vector<std::string>{})));
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, preview.id)).done > 0; });
  must(world.write(world.officer, RequestErasure{{*last.subject}, {}, "art17-1-b", true}));
  world.until([&] { return world.state(preview.id) == "finished"; });
  CHECK(must(world.service->import(world.editor, preview.id)).counts.failed == 1);
  CHECK(world.shown() == kRows);
}

TEST_CASE("G7 a row is compared with the record that has its identity now", "[unit][service][G7]") {
  ImportsWorld world;
  // One person of two records, by a type of another name.
  auto second = world.service->registries()->type("people")->definition;
  second.name = "members";
  must(world.write(world.admin, SetType{second}));
  const auto dora = must(world.write(world.editor, ServiceKit::person("Dora", "d1@example.org")));
  auto member = ServiceKit::person("Dora", "d1@example.org");
  member.type = "members";
  CHECK(must(world.write(world.editor, std::move(member))).subject == dora.subject);
  ChangeRecord edit;
  edit.record = *dora.record;
  edit.values.push_back(ServiceKit::value("e-mail", "d2@example.org"));
  must(world.write(world.editor, std::move(edit)));
  world.catch_up();
  const auto file = "name;e-mail;city\nOther;d1@example.org;Ulm\nDora;d2@example.org;Bonn\n";
  const auto preview = must(world.preview(ImportsWorld::upload("people", file, {"e-mail"})));
  CHECK(preview.counts.added == 1);
  CHECK(preview.counts.changed == 1);
  REQUIRE(preview.preview->changes.size() == 1);
  CHECK(preview.preview->changes[0].row == 3);
  must(world.commit(preview.id));
  CHECK(world.shown() == 2);
  CHECK(world.city_of(*dora.record) == "Bonn");
  // Of her two records one is meant.
  const auto both = must(world.preview(ImportsWorld::upload("people", file, {"e-mail"})));
  CHECK(both.counts.unchanged == 2);
}

TEST_CASE("G1 a required field without a column is missed in the preview", "[unit][service][G1]") {
  ImportsWorld world;
  auto type = world.service->registries()->type("people")->definition;
  for (auto& field : type.fields) field.required = field.name == "name";
  must(world.write(world.admin, SetType{type}));
  must(world.write(world.editor, ServiceKit::person("Anna", "anna@example.org")));
  const auto file = "e-mail;city\nanna@example.org;Ulm\nb@example.org;Bonn\n";
  const auto preview = must(world.preview(ImportsWorld::upload("people", file, {"e-mail"})));
  CHECK(preview.counts.changed == 1);
  CHECK(preview.counts.failed == 1);
  REQUIRE(preview.preview->failures.size() == 1);
  CHECK(preview.preview->failures[0].code == "required");
  CHECK(preview.preview->failures[0].column.expose().empty());
  ImportCommit all;
  all.client.request = "all";
  const auto size = world.ledger->size();
  CHECK(code(world.commit(preview.id, all)) == "rows_invalid");
  CHECK(world.count(world.events_from(size), EventType::import_begun) == 0);
  CHECK(must(world.commit(preview.id)).counts.failed == 1);
  CHECK(must(world.rejects(preview.id)) == "e-mail;city;reason\r\nb@example.org;Bonn;required\r\n");
}

TEST_CASE("G7 I5 what an undo kept is told to whoever undid, and names the people", "[unit][service][G7]") {
  ImportsWorld world;
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(3), {"e-mail"})));
  must(world.commit(preview.id));
  world.catch_up();
  const auto type = TypeNo(world.service->registries()->type("people")->number);
  const auto removed = world.views->list(type, std::nullopt, 9).value().at(0);
  must(world.write(world.editor, RemoveRecord{removed.id}));
  const auto size = world.ledger->size();
  const auto undone = must(world.undo(preview.id));
  REQUIRE(undone.kept.size() == 1);
  CHECK(undone.kept[0].record == removed.id);
  std::size_t traced = 0;  // beside the actor's
  for (const auto& event : world.events_from(size))
    if (event.type == EventType::access_read) traced += event.part_count - 1u;
  CHECK(traced == 1);
  CHECK(must(world.undo(preview.id)).kept.size() == 1);
  const auto others = must(world.answer<ImportAnswer>(
      [&](auto then) { world.service->undo_import(world.colleague(), preview.id, {}, true, then); }));
  CHECK(others.undone->unchanged == 1);
  CHECK(others.kept.empty());
  CHECK_FALSE(others.kept_known);
  for (const auto& reader : {world.editor, world.officer}) {
    const auto shown = must(world.service->import(reader, preview.id));
    CHECK(shown.undone->unchanged == 1);
    CHECK(shown.kept.empty());
  }
  CHECK(must(world.service->imports(world.editor, std::nullopt, 9)).at(0).kept.empty());
}

TEST_CASE("imports are shown to and cancelled by those who carry the type", "[unit][service]") {
  ImportsWorld world;
  const auto of_things = world.colleague("things");
  const auto held = must(world.preview(ImportsWorld::upload("people", rows_of(1), {"e-mail"})));
  const auto drop = [&](const Caller& who, const JobId& id) {
    return code(world.answer<ImportAnswer>([&](auto then) { world.service->cancel_import(who, id, {}, then); }));
  };
  CHECK(drop(world.colleague(), held.id) == "not_found");  // a preview is its sender's
  CHECK(drop(world.officer, held.id) == "not_found");
  CHECK(drop(of_things, held.id) == "not_found");
  CHECK(must(world.service->import(world.editor, held.id)).state == "previewed");
  must(world.commit(held.id));
  CHECK(drop(of_things, held.id) == "type_denied");
  CHECK(drop(world.officer, held.id) == "state_conflict");
  CHECK(code(world.service->import(of_things, held.id)) == "type_denied");
  CHECK(must(world.service->imports(of_things, std::nullopt, 9)).empty());
  const auto thing = must(world.preview(ImportsWorld::upload("things", "label\nChair\n")));
  must(world.commit(thing.id));
  world.catch_up();
  const auto list = must(world.service->imports(of_things, std::nullopt, 1));
  REQUIRE(list.size() == 1);
  CHECK(list[0].id == thing.id);
  world.close();
  world.open();
  CHECK(code(world.service->import(of_things, held.id)) == "type_denied");
  CHECK(drop(of_things, held.id) == "type_denied");
  CHECK(must(world.service->import(of_things, thing.id)).state == "finished");
}

TEST_CASE("EV-04 a cancelled import names who cancelled it, and its purpose", "[unit][service][EV-04]") {
  ImportsWorld world;
  const bool by_stop = GENERATE(false, true);
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(2'000), {"e-mail"})));
  const auto size = world.ledger->size();
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, preview.id)).done > 0; });
  if (by_stop) {
    world.close();
    world.open();
  } else {
    must(world.answer<ImportAnswer>(
        [&](auto then) { world.service->cancel_import(world.officer, preview.id, {}, then); }));
  }
  const auto cursor = world.ledger->cursor(Seq(size.get())).value();
  Seq seq;
  ByteView header_bytes, parts;
  std::optional<PurposeNo> purpose;
  bool seen = false;
  while (cursor->next(seq, header_bytes, parts).value()) {
    const auto header = codec::decode_header(header_bytes).value();
    if (header.type == EventType::import_begun) purpose = header.purpose;
    if (header.type != EventType::import_cancelled) continue;
    seen = true;
    CHECK(header.purpose == purpose);
    CHECK(header.ground == LegalGround::contract);
    const auto actor = codec::decode_parts(parts).value().at(0).envelope.owner;
    CHECK(actor == (by_stop ? owner_of_ledger() : owner_of(world.officer.token)));
  }
  CHECK(seen);
}

TEST_CASE("a cancel does not wait behind other imports, and takes back a commit that waits", "[unit][service]") {
  ImportsWorld world;
  const auto first = must(world.preview(ImportsWorld::upload("people", rows_of(3'000), {"e-mail"})));
  const auto second = must(world.preview(ImportsWorld::upload("people", rows_of(3'000, "Bonn"), {"e-mail"})));
  const auto third = must(world.preview(ImportsWorld::upload("people", rows_of(3'000, "Kiel"), {"e-mail"})));
  for (const auto& one : {first, second, third}) must(world.commit(one.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, first.id)).done > 0; });
  const auto size = world.ledger->size();
  CHECK(must(world.cancel(third.id)).state == "cancelled");
  CHECK(world.state(first.id) == "committing");
  must(world.cancel(first.id));
  CHECK(world.state(second.id) == "committing");  // it waited, or runs
  must(world.cancel(second.id));
  for (const auto& one : {first, second, third}) CHECK(world.state(one.id) == "cancelled");
  for (const auto& event : world.events_from(size)) CHECK(event.job != third.id);
  CHECK(world.shown() == 0);
}

TEST_CASE("G7 ER-04 an undo restores what is left where a class was erased meanwhile", "[unit][service][G7][ER-04]") {
  ImportsWorld world;
  ClassDefinition marketing;
  marketing.name = "marketing";
  marketing.period = "P1Y";
  marketing.legal_ground = LegalGround::contract;
  must(world.write(world.admin, SetClass{marketing}));
  auto type = world.service->registries()->type("people")->definition;
  FieldDefinition hobby;
  hobby.name = "hobby";
  hobby.title = "Hobby";
  hobby.type = FieldType::text;
  hobby.personal = true;
  hobby.cls = "marketing";
  type.fields.push_back(hobby);
  FieldDefinition size;
  size.name = "size";
  size.title = "Size";
  size.type = FieldType::choice;
  size.choices = {"S", "M"};
  size.personal = true;
  size.cls = "customer";
  type.fields.push_back(size);
  must(world.write(world.admin, SetType{type}));
  auto fay = ServiceKit::person("Fay", "fay@example.org");
  fay.values.push_back(ServiceKit::value("hobby", "Chess"));
  fay.values.push_back(ServiceKit::value("city", "Bonn"));
  const auto record = must(world.write(world.editor, fay));
  auto gil = ServiceKit::person("Gil", "gil@example.org");
  gil.values.push_back(ServiceKit::value("size", "S"));
  must(world.write(world.editor, gil));
  const auto preview = must(world.preview(ImportsWorld::upload(
      "people", "name;e-mail;city;size\nFay;fay@example.org;Ulm;\nGil;gil@example.org;;M\n", {"e-mail"})));
  must(world.commit(preview.id));
  must(world.write(world.officer, RequestErasure{{*record.subject}, {"marketing"}, "art17-1-b", true}));
  type.fields.back().choices = {"M", "L"};  // what Gil had is none any more
  must(world.write(world.admin, SetType{type}));
  const auto undone = must(world.undo(preview.id));
  CHECK(undone.undone->changed == 1);
  REQUIRE(undone.kept.size() == 1);
  CHECK(undone.kept[0].row == 3);
  CHECK(undone.kept[0].reason == "no_longer_fits");
  world.catch_up();
  CHECK(world.city_of(*record.record) == "Bonn");
}

TEST_CASE("G6 a busy service loses no row of an import, nor of its undo", "[unit][service][G6]") {
  ImportsWorld world;
  world.world.options.queue_commands_max = 8;
  world.close();
  world.open();
  world.until([&] { return world.service->status().search_ready; });
  const auto held = must(world.preview(ImportsWorld::upload("people", rows_of(300), {"e-mail"})));
  CHECK(must(world.commit(held.id)).counts.added == 300);
  CHECK(world.shown() == 300);
  CHECK(must(world.undo(held.id)).undone->added == 300);
  CHECK(world.shown() == 0);
}

TEST_CASE("a file stays only while somebody may need it, and gives way to the next", "[unit][service]") {
  ImportsWorld world;
  const auto whole = must(world.preview(ImportsWorld::upload("people", rows_of(3), {"e-mail"})));
  must(world.commit(whole.id));
  CHECK(must(world.rejects(whole.id)) == "name;e-mail;city;reason\r\n");
  const auto part =
      must(world.preview(ImportsWorld::upload("people", rows_of(1, "Bonn") + "X;no address;\n", {"e-mail"})));
  must(world.commit(part.id));
  CHECK(must(world.rejects(part.id)).find("no address") != std::string::npos);
  // Two files as large as one may be: the rejects give way.
  const auto first = must(world.service->admit_upload(world.editor, 256u << 20));
  const auto second = must(world.service->admit_upload(world.colleague(), 256u << 20));
  CHECK(code(world.rejects(part.id)) == "expired");
  CHECK(must(world.service->import(world.editor, part.id)).counts.failed == 1);
}

TEST_CASE("whoever may not import gets no room for a file", "[unit][service]") {
  ImportsWorld world;
  const auto size = world.ledger->size();
  CHECK(code(world.service->admit_upload(world.officer, 256u << 20)) == "role_denied");
  world.until([&] { return world.count(world.events_from(size), EventType::refusal_recorded) == 1; });
  const auto one = must(world.service->admit_upload(world.editor, 200u << 20));
  const auto more = world.service->admit_upload(world.editor, 100u << 20);
  CHECK(code(more) == "overloaded");
  CHECK(*more.error().find("limit_name") == "preview_bytes_per_token_max");
  must(world.service->admit_upload(world.colleague(), 256u << 20));
}

TEST_CASE("G1 a commit can make the type of the file", "[unit][service][G1]") {
  ImportsWorld world;
  const auto preview = must(world.preview(ImportsWorld::upload("", rows_of(30))));
  REQUIRE(preview.preview->columns.size() == 3);
  CHECK(preview.preview->columns[1].type == "email");
  CHECK(preview.preview->columns[1].personal);
  CHECK(code(world.commit(preview.id)) == "schema_invalid");  // no name for the type
  auto how = ImportsWorld::skip();
  auto& made = how.create_type.emplace();
  made.name = "guests";
  CHECK(code(world.commit(preview.id, how)) == "class_missing");
  CHECK(world.service->registries()->type("guests") == nullptr);
  made.cls = "customer";
  how.types = {{"city", FieldType::multiline}};
  const auto done = must(world.commit(preview.id, how));
  CHECK(done.counts.added == 30);
  CHECK(done.type == "guests");
  const auto* type = world.service->registries()->type("guests");
  REQUIRE(type != nullptr);
  CHECK(type->definition.subject_mode == SubjectMode::match);
  CHECK(type->definition.match_fields == std::vector<std::string>{"e-mail"});
  CHECK(type->definition.field("city")->type == FieldType::multiline);
  CHECK(world.shown("guests") == 30);
  CHECK(must(world.commit(preview.id, how)).replayed);

  // The same file again makes no second record of each row, also where it would make the same type.
  const auto same = must(world.preview(ImportsWorld::upload("", rows_of(30))));
  CHECK(code(world.commit(same.id, how)) == "exists");
  CHECK(world.shown("guests") == 30);
}

TEST_CASE("G6 the rejects after a refused commit are read as the commit read them", "[unit][service][G6]") {
  ImportsWorld world;
  const auto preview = must(world.preview(ImportsWorld::upload("", "wer;zahl\nAnna;12\nBernd;13 oder so\nCarla;14\n")));
  ImportCommit all;
  all.types = {{"zahl", FieldType::integer}};
  all.create_type.emplace();
  all.create_type->name = "guests";
  all.create_type->cls = "customer";
  CHECK(code(world.commit(preview.id, all)) == "rows_invalid");
  const auto rejects = must(world.rejects(preview.id));
  CHECK(rejects.find("13 oder so") != std::string::npos);
  CHECK(rejects.find("Anna") == std::string::npos);
  CHECK(world.service->registries()->type("guests") == nullptr);
}
