// Imports and people: who is erased meanwhile, who may see and end an import, what of a file stays in memory.
#include <atomic>
#include <deque>
#include <future>
#include <thread>

#include "support/imports_world.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::service;

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
  CHECK(world.found("kanarien", search::Op::prefix) == 1'199);
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

TEST_CASE("ER-04 who is erased after the file came does not come back by what she was known by before",
          "[unit][service][ER-04]") {
  ImportsWorld world;
  const auto changed = must(world.write(world.editor, ServiceKit::person("Anna", "anna@example.org")));
  const auto removed = must(world.write(world.editor, ServiceKit::person("Bea", "bea@example.org")));
  const auto preview = must(world.preview(ImportsWorld::upload(
      "people", "name;e-mail\nAnna;anna@example.org\nBea;bea@example.org\nCarla;carla@example.org\n", {"e-mail"})));
  ChangeRecord mail;
  mail.record = *changed.record;
  mail.values.push_back(ServiceKit::value("e-mail", "anna.new@example.org"));
  must(world.write(world.editor, mail));
  must(world.write(world.editor, RemoveRecord{*removed.record, std::nullopt}));
  world.catch_up();
  must(world.write(world.officer, RequestErasure{{*changed.subject, *removed.subject}, {}, "art17-1-b", true}));
  const auto done = must(world.commit(preview.id));
  CHECK(done.counts.added == 1);  // Carla
  CHECK(done.counts.failed == 2);
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

TEST_CASE("ER-04 G7 who is erased after the file came does not come back by values that rows are matched by",
          "[unit][service][ER-04][G7]") {
  ImportsWorld world;
  world.make_searchable();
  const auto anna = must(world.write(world.editor, ServiceKit::person("Anna Arm", "anna@example.org")));
  const auto dora = must(world.write(world.editor, ServiceKit::person("Dora Dorn", "dora@example.org")));
  world.catch_up();
  const auto size = world.ledger->size();
  const auto file = ImportsWorld::upload(
      "people", "name;city\nAnna Arm;Ulm\nBerta Bein;Bonn\nDora Dorn;Jena\nanna arm;not her\n", {"name"});
  const auto preview = must(world.preview(file));
  CHECK(preview.counts.changed == 2);
  CHECK(preview.counts.added == 2);
  // Found by values, they stand in the access event like those who are found by identity.
  const auto looked = world.events_from(size);
  REQUIRE(looked.size() == 1);
  CHECK(looked[0].part_count == 3);

  must(world.write(world.officer, service::RequestErasure{{*anna.subject}, {}, "art17-1-b", true}));
  must(world.write(world.editor, service::RemoveRecord{*dora.record}));
  const auto done = must(world.commit(preview.id));
  CHECK(done.counts.added == 2);
  CHECK(done.counts.failed == 2);
  CHECK(world.shown() == 2);
  const auto rejects = must(world.rejects(preview.id));
  CHECK(rejects.find("Anna Arm") == std::string::npos);
  CHECK(rejects.find("Dora Dorn;Jena;changed_meanwhile") != std::string::npos);
}

TEST_CASE("G7 a row that is matched by values gives nobody the identity of somebody else", "[unit][service][G7]") {
  ImportsWorld world;
  world.make_searchable();
  const auto anna = *must(world.write(world.editor, ServiceKit::person("Anna Arm", "anna@example.org"))).record;
  must(world.write(world.editor, ServiceKit::person("Bert Bein", "bert@example.org")));
  world.catch_up();
  const auto look = [&](const std::string& row) {
    return must(world.preview(ImportsWorld::upload("people", "name;e-mail;city\n" + row + "\n", {"name"})));
  };
  const auto taken = look("Anna Arm;bert@example.org;Ulm");
  REQUIRE(taken.counts.failed == 1);
  CHECK(taken.preview->failures[0].code == "ambiguous");
  CHECK(look("Anna Arm;ANNA@example.org;Ulm").counts.changed == 1);
  const auto free = look("Anna Arm;anna.arm@example.org;Ulm");
  CHECK(free.counts.changed == 1);
  CHECK(must(world.commit(free.id)).counts.changed == 1);
  CHECK(world.city_of(anna) == "Ulm");
}

TEST_CASE("G7 I5 two rows of one file give no two people one identity, and whom they would meet is named",
          "[unit][service][G7]") {
  ImportsWorld world;
  world.make_searchable();
  for (const auto* name : {"Anna", "Bert", "Cleo"})
    must(world.write(world.editor, ServiceKit::person(name, std::string(name) + "@example.org")));
  const auto other = *must(world.write(world.editor, ServiceKit::person("Dora", "dora@example.org"))).subject;
  world.catch_up();
  const auto codes = [&](const std::string& rows) {
    const auto held = must(world.preview(ImportsWorld::upload("people", "name;e-mail;city\n" + rows, {"name"})));
    std::vector<std::string> out;
    for (const auto& failure : held.preview->failures) out.push_back(std::to_string(failure.row) + failure.code);
    return out;
  };
  using Codes = std::vector<std::string>;
  CHECK(codes("Anna;new@example.org;Ulm\nBert;new@example.org;Ulm\n") == Codes{"3ambiguous"});
  CHECK(codes("Anna;new@example.org;Ulm\nNeu;new@example.org;Ulm\n") == Codes{"3ambiguous"});
  CHECK(codes("Neu;new@example.org;Ulm\nAnna;new@example.org;Ulm\n") == Codes{"3ambiguous"});
  CHECK(codes("Neu;new@example.org;Ulm\nAuch Neu;new@example.org;Ulm\n").empty());  // one new person
  CHECK(codes("Anna;new1@example.org;Ulm\nBert;new2@example.org;Ulm\n").empty());
  const auto looks = [&] {  // but those at the history: one's own may be in it or not yet
    const auto seen = [](const auto& item) { return item.access && *item.access != AccessFacts::Kind::history; };
    return std::ranges::count_if(world.subject_history(other).items, seen);
  };
  const auto before = looks();
  CHECK(codes("Cleo;dora@example.org;Ulm\n") == Codes{"2ambiguous"});
  CHECK(looks() == before + 1);
}

TEST_CASE("ER-04 G8 a cancelled import leaves everybody the identity of before", "[unit][service][ER-04][G8]") {
  ImportsWorld world;
  world.make_searchable();
  const auto anna = must(world.write(world.editor, ServiceKit::person("Anna Arm", "anna@example.org")));
  world.catch_up();
  const auto rows = rows_of(4'000);
  const auto file = "name;e-mail;city\nAnna Arm;moved@example.org;Ulm\n" + rows.substr(rows.find('\n') + 1);
  const auto held = must(world.preview(ImportsWorld::upload("people", file, {"name"})));
  REQUIRE(held.counts.changed == 1);
  const auto before = world.ledger->size();
  auto committed = std::async(std::launch::async, [&] { return world.commit(held.id); });
  world.until([&] { return world.count(world.events_from(before), EventType::record_changed) > 0; });
  const auto erase = [&] {
    must(world.write(world.officer, service::RequestErasure{{*anna.subject}, {}, "art17-1-b", true}));
    world.catch_up();
  };
  const auto person = [&](const std::string& email) {
    return *must(world.write(world.editor, ServiceKit::person("Wer", email))).subject;
  };
  const bool erased_meanwhile = GENERATE(false, true);
  if (erased_meanwhile) erase();
  must(world.cancel(held.id));
  (void)committed.get();
  REQUIRE(world.state(held.id) == "cancelled");
  const auto stranger = person("moved@example.org");
  CHECK(stranger != *anna.subject);
  CHECK((person("anna@example.org") == *anna.subject) == !erased_meanwhile);
  if (!erased_meanwhile) erase();
  CHECK(person("moved@example.org") == stranger);
  CHECK(person("anna@example.org") != *anna.subject);
}

TEST_CASE("G7 of many records that a search does not tell apart, the one with the very value is meant",
          "[unit][service][G7]") {
  ImportsWorld world;
  world.make_searchable();
  for (int i = 0; i < 40; ++i) {
    const auto name = i == 20 ? "Müller" : i % 2 == 0 ? "MÜLLER" : "müller";
    must(world.write(world.editor, ServiceKit::person(name, "m" + std::to_string(i) + "@example.org")));
  }
  world.catch_up();
  auto preview = must(world.preview(ImportsWorld::upload("people", "name;city\nMüller;Ulm\n", {"name"})));
  CHECK(preview.counts.changed == 1);
  for (int i = 40; i < 101; ++i)
    must(world.write(world.editor, ServiceKit::person("MÜLLER", "m" + std::to_string(i) + "@example.org")));
  world.catch_up();
  const auto size = world.ledger->size();
  preview = must(world.preview(ImportsWorld::upload("people", "name;city\nMüller;Ulm\n", {"name"})));
  REQUIRE(preview.counts.failed == 1);
  CHECK(preview.preview->failures.size() == 1);
  CHECK(preview.preview->failures[0].code == "ambiguous");
  // That there are so many is learned of them: they stand in the event.
  const auto looked = world.events_from(size);
  REQUIRE(looked.size() == 1);
  CHECK(looked[0].part_count == 101);
}

TEST_CASE("G7 I5 what an undo kept is told to whoever undid, and names the people", "[unit][service][G7]") {
  ImportsWorld world;
  const auto preview = must(world.preview(ImportsWorld::upload("people", rows_of(3), {"e-mail"})));
  must(world.commit(preview.id));
  world.catch_up();
  const auto type = TypeNo(world.service->registries()->type("people")->number);
  const auto removed = world.views->list(type, std::nullopt, 9).value().rows.at(0);
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

TEST_CASE("a cancelled import names who cancelled it, and its purpose", "[unit][service]") {
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

namespace {

void open_with_queue(ImportsWorld& world, std::size_t commands_max) {
  world.world.options.queue_commands_max = commands_max;
  world.close();
  world.open();
  world.until([&] { return world.service->status().search_ready; });
}

}  // namespace

TEST_CASE("G6 a busy service loses no row of an import, nor of its undo", "[unit][service][G6]") {
  ImportsWorld world;
  open_with_queue(world, 8);
  const auto held = must(world.preview(ImportsWorld::upload("people", rows_of(300), {"e-mail"})));
  CHECK(must(world.commit(held.id)).counts.added == 300);
  CHECK(world.shown() == 300);
  CHECK(must(world.undo(held.id)).undone->added == 300);
  CHECK(world.shown() == 0);
}

TEST_CASE("G6 an import whose end comes to a full queue is finished all the same", "[unit][service][G6]") {
  ImportsWorld world;
  open_with_queue(world, 4);
  const auto held = must(world.preview(ImportsWorld::upload("people", rows_of(3), {"e-mail"})));
  std::atomic<bool> over{false};
  std::vector<std::thread> crowd;  // hardly any other command finds room in the queue
  for (int i = 0; i < 3; ++i)
    crowd.emplace_back([&] {
      while (!over) {
        std::vector<Pending> waiting;
        for (int n = 0; n < 30; ++n)
          waiting.push_back(submit(*world.ledger, [](const ledger::Moment&) {
            std::this_thread::sleep_for(std::chrono::microseconds(300));
            return ledger::Verdict();
          }));
        for (auto& one : waiting) (void)one.get();
      }
    });
  const auto committed = world.commit(held.id);
  over = true;
  for (auto& one : crowd) one.join();
  REQUIRE(committed);
  CHECK(committed->counts.added == 3);
  CHECK(world.shown() == 3);
}

TEST_CASE("G8 an import that could not tell its end tells it later, without a restart", "[unit][service][G8]") {
  ImportsWorld world;
  world.world.options.queue_commands_max = 4;
  world.service_options.imports.in_flight_max = 1;
  world.service_options.imports.busy_max = std::chrono::milliseconds(0);
  world.close();
  world.open();
  world.until([&] { return world.service->status().search_ready; });
  const auto before = world.ledger->size();
  const auto told = [&](EventType type) { return world.count(world.events_from(before), type); };
  // Once an import has begun the queue is full nearly always, so that it fails, and with it the word that it has. Where
  // that found a place, the next one may not.
  for (int tries = 0; tries < 20 && told(EventType::import_begun) == told(EventType::import_cancelled); ++tries) {
    const auto added = told(EventType::record_added);
    const auto held = must(world.preview(ImportsWorld::upload("people", rows_of(2'000), {"e-mail"})));
    auto committed = std::async(std::launch::async, [&] { return world.commit(held.id); });
    world.until([&] { return told(EventType::record_added) > added; });
    const auto runs = [&] { return committed.wait_for(std::chrono::microseconds(0)) == std::future_status::timeout; };
    std::deque<Pending> crowd;
    while (runs()) {
      crowd.push_back(submit(*world.ledger, [](const ledger::Moment&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return ledger::Verdict();
      }));
      if (crowd.size() > 8) {
        (void)crowd.front().wait_for(std::chrono::microseconds(50));
        std::erase_if(crowd, [](const Pending& one) {
          return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
        });
      }
    }
    for (auto& one : crowd) (void)one.get();
    CHECK(code(committed.get()) == "overloaded");
  }
  REQUIRE(told(EventType::import_begun) > 0);
  world.until([&] { return told(EventType::import_begun) == told(EventType::import_cancelled); });
  CHECK(world.shown() == 0);
  CHECK(world.views->unfinished_imports().value().empty());
  const auto again = must(world.preview(ImportsWorld::upload("people", rows_of(3), {"e-mail"})));
  CHECK(world.commit(again.id));
  CHECK(world.shown() == 3);
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
