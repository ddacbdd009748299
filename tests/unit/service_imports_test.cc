// The life of an import: preview in memory, one visible step, cancelled without a trace for readers, undone.
#include <atomic>
#include <thread>

#include "support/imports_world.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::service;

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

TEST_CASE("G7 rows are matched by searchable fields where the caller says so", "[unit][service][G7]") {
  ImportsWorld world;
  auto things = world.service->registries()->type("things")->definition;
  auto note = things.fields.front();
  note.name = note.title = "note";
  things.fields.front().searchable = true;
  things.fields.push_back(note);
  auto price = things.fields.front();
  price.name = price.title = "price";
  price.type = FieldType::decimal;
  things.fields.push_back(price);
  must(world.write(world.admin, service::SetType{things}));
  const auto add = [&](const std::string& label, const std::string& text) {
    auto thing = ServiceKit::thing(label);
    thing.values.push_back(ServiceKit::value("note", text));
    return *must(world.write(world.editor, thing)).record;
  };
  const auto one = add("A-1", "eins");
  add("a-1", "found by the same words, but another one");
  const auto two = add("B-2", "zwei");
  world.catch_up();
  world.until([&] { return world.service->status().search_ready; });

  const std::string rows = "label;note\nA-1;neu\nB-2;zwei\nC-3;drei\n";
  auto preview = must(world.preview(ImportsWorld::upload("things", rows + "B-2;nochmal\n;leer\n", {"label"})));
  CHECK(preview.counts.added == 2);  // a row that leaves the field empty is nobody's
  CHECK(preview.counts.changed == 1);
  CHECK(preview.counts.unchanged == 1);
  REQUIRE(preview.counts.failed == 1);
  CHECK(preview.preview->failures[0].code == "repeated");
  REQUIRE(preview.preview->changes.size() == 1);
  CHECK(preview.preview->changes[0].record == one);
  CHECK(preview.preview->changes[0].field == "note");
  CHECK(must(world.commit(preview.id)).counts.changed == 1);
  CHECK(world.shown("things") == 5);
  CHECK(must(world.preview(ImportsWorld::upload("things", rows, {"label"}))).counts.unchanged == 3);

  service::ChangeRecord change;
  change.record = two;
  change.values.push_back(ServiceKit::value("label", "C-3"));
  must(world.write(world.editor, change));
  world.catch_up();
  preview = must(world.preview(ImportsWorld::upload("things", rows, {"label"})));
  CHECK(preview.counts.added == 1);  // nothing is called B-2 any more
  REQUIRE(preview.counts.failed == 1);
  CHECK(preview.preview->failures[0].code == "ambiguous");
  CHECK(preview.preview->failures[0].row == 4);

  for (const auto* field : {"note", "price"}) {
    const auto refused = world.preview(ImportsWorld::upload("things", rows, {field}));
    REQUIRE(code(refused) == "bad_value");
    CHECK(*refused.error().find("reason") == "match_not_searchable");
  }
  CHECK(code(world.preview(ImportsWorld::upload("things", "note\nneu\n", {"label"}))) == "bad_value");
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
  std::vector<views::Views::Listed> listed = world.views->list(type, std::nullopt, 9).value().rows;
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
    while (!over) sizes.insert(world.views->list(number, std::nullopt, 1'000'000).value().rows.size());
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
    const auto now = must(world.service->import(world.editor, preview.id));
    if (now.state != "committing") break;
    ++looks;
    if (new_ones == 0 && old_one == 1) continue;
    CHECK(now.done == kRows);  // the search may know of the end a moment before it is told
    break;
  }
  world.until([&] { return world.state(preview.id) != "committing"; });
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
  CHECK(world.city_of(world.views->list(number, std::nullopt, 9).value().rows.at(0).id) == "none");
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

TEST_CASE("G7 a telephone number that is only written in another way is no change", "[unit][service][G7]") {
  ImportsWorld world;
  auto people = world.service->registries()->type("people")->definition;
  auto phone = people.fields.front();
  phone.name = phone.title = "phone";
  phone.type = FieldType::phone;
  people.fields.push_back(phone);
  must(world.write(world.admin, service::SetType{people}));
  for (const auto& [name, number] : {std::pair("anna", "030 23125 001"), std::pair("bert", "030 23125 002")}) {
    auto person = ServiceKit::person(name, std::string(name) + "@example.org");
    person.values.push_back(ServiceKit::value("phone", number));
    must(world.write(world.editor, person));
  }
  const auto preview = must(world.preview(ImportsWorld::upload(
      "people", "e-mail;name;phone\nanna@example.org;anna;+49 30 23125-001\nbert@example.org;bert;030 23125 009\n",
      {"e-mail"})));
  CHECK(preview.counts.unchanged == 1);
  REQUIRE(preview.counts.changed == 1);
  REQUIRE(preview.preview->changes.size() == 1);
  CHECK(preview.preview->changes[0].row == 3);
  CHECK(preview.preview->changes[0].field == "phone");
}

TEST_CASE("G7 an amount that differs in the zeros at its end only is no change", "[unit][service][G7]") {
  ImportsWorld world;
  auto people = world.service->registries()->type("people")->definition;
  auto amount = people.fields.front();
  amount.name = amount.title = "amount";
  amount.type = FieldType::decimal;
  people.fields.push_back(amount);
  must(world.write(world.admin, service::SetType{people}));
  for (const auto& [name, stored] : {std::pair("anna", "3733.20"), std::pair("bert", "100.0"), std::pair("carl", "100"),
                                     std::pair("dora", "-0.50"), std::pair("emil", "10.0")}) {
    auto person = ServiceKit::person(name, std::string(name) + "@example.org");
    person.values.push_back(ServiceKit::value("amount", stored));
    must(world.write(world.editor, person));
  }
  const auto preview =
      must(world.preview(ImportsWorld::upload("people",
                                              "e-mail;name;amount\nanna@example.org;anna;3733,2\n"
                                              "bert@example.org;bert;100\ncarl@example.org;carl;100,00\n"
                                              "dora@example.org;dora;-0,5\nemil@example.org;emil;1,00\n",
                                              {"e-mail"})));
  CHECK(preview.counts.unchanged == 4);
  REQUIRE(preview.counts.changed == 1);
  REQUIRE(preview.preview->changes.size() == 1);
  CHECK(preview.preview->changes[0].row == 6);
  CHECK(preview.preview->changes[0].field == "amount");
}

TEST_CASE("G1 no value goes nowhere without a word where no title stands above it", "[unit][service][G1]") {
  ImportsWorld world;
  std::string text = "name;;;e-mail\nAdam;;1;adam@example.org\n";
  for (int i = 0; i < 2'000; ++i) text += "Anna;;;anna" + std::to_string(i) + "@example.org\n";
  text += "Bert;x;;bert@example.org\nCleo; ;\t;cleo@example.org;\nDora;;;dora@example.org;y\n";
  auto file = ImportsWorld::upload("people", text, {"e-mail"});
  const auto preview = must(world.preview(file));
  // The preview shows nothing of the second column; what it shows of the third people decide on.
  REQUIRE(preview.preview->columns.size() == 4);
  CHECK(preview.preview->columns[1].examples.expose().empty());
  CHECK(preview.preview->columns[2].examples.expose().size() == 1);
  // But counts the cells of all rows that hold something: white space is nothing.
  CHECK(preview.preview->columns[0].cells == 2'004);
  CHECK(preview.preview->columns[1].cells == 1);
  CHECK(preview.preview->columns[2].cells == 1);
  CHECK(preview.counts.added == 2'002);
  REQUIRE(preview.counts.failed == 2);
  const auto& failures = preview.preview->failures;
  CHECK(failures[0].row == 2'003);
  CHECK(failures[0].code == "extra_cells");
  CHECK(failures[0].column.expose() == "Spalte 2");
  CHECK(failures[1].row == 2'005);
  CHECK(failures[1].code == "too_many_cells");
  // Who says that the column is left out means it.
  file.columns = {{"Spalte 2", ""}};
  CHECK(must(world.preview(file)).counts.added == 2'003);
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

TEST_CASE("G8 lists and exports get past what a cancelled import left, a bit with each answer", "[unit][service][G8]") {
  ImportsWorld world;
  world.passed_over_max = 7;
  world.close();
  world.open();
  world.until([&] { return world.service->status().search_ready; });
  const auto first = *must(world.write(world.editor, ServiceKit::person("Anna", "anna@example.org"))).record;
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(1'500), {"e-mail"})));
  must(world.commit(preview.id, ImportsWorld::skip(), false));
  world.until([&] { return must(world.service->import(world.editor, preview.id)).done > 30; });
  REQUIRE(must(world.cancel(preview.id)).state == "cancelled");
  const auto last = *must(world.write(world.editor, ServiceKit::person("Zoe", "zoe@example.org"))).record;
  world.catch_up();

  std::vector<RecordId> listed, exported;
  std::size_t pages = 0, empty = 0;
  Service::ListQuery query{"people", std::nullopt, 50, {}};
  do {
    const auto page = must(
        world.answer<service::ListAnswer>([&](auto then) { world.service->list_records(world.editor, query, then); }));
    for (const auto& item : page.items) listed.push_back(item.id);
    ++pages;
    empty += page.items.empty() ? 1 : 0;
    query.after = page.next;
  } while (query.after);
  CHECK(listed == std::vector{std::min(first, last), std::max(first, last)});  // the clock of the kit stands still
  CHECK(pages > 4);
  CHECK(empty >= pages - 2);

  TokenGrant grant;
  grant.role = Role::editor;
  grant.all_purposes = grant.all_types = true;
  grant.bulk_until = TimeMs(world.wall.now().get() + 3'600'000);
  auto exporter = must(world.service->authenticate(must(world.write(world.admin, service::CreateToken{grant})).token));
  exporter.purpose = "care";
  std::size_t chunks = 0;
  for (std::optional<service::ExportQuery> wanted(service::ExportQuery{"people", {}}); wanted; ++chunks) {
    const auto chunk = must(world.answer<service::ExportAnswer>(
        [&](auto then) { world.service->export_records(exporter, *wanted, then); }));
    for (const auto& item : chunk.records.items) exported.push_back(item.id);
    wanted = chunk.next;
  }
  CHECK(exported == listed);
  CHECK(chunks == pages);
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
