// What an import wrote is shown when it is finished, all at once, and never when it is cancelled.
#include "support/catch.h"
#include "support/record_fold.h"

namespace {

using namespace siegel;
using namespace siegel::test;

const JobId kImport(made_id(4, 1));

HandEvent of_import(Fold& fold, EventType type, std::uint64_t seq, ImportFacts facts = {}) {
  HandEvent event(type, seq, fold.rows);
  event.type(kType).job(kImport).facts(facts);
  return event;
}
void fold_all(Fold& fold, std::vector<HandEvent> events) {
  for (auto& event : events) fold(event);
}
template <class... Events>
void fold_all(Fold& fold, Events... events) {
  (fold(events), ...);
}
HandEvent by_import(HandEvent event) {
  event.job(kImport);
  return event;
}
std::string shown(Fold& fold, std::uint8_t id = 1) {
  const auto row = fold.shown().record(kType, record(id)).value();
  return row ? std::to_string(row->version.get()) + " " + fold.text(*row, record(id)) : "nothing";
}

TEST_CASE("G8 a record that an import adds is there from the moment it is finished", "[unit][projections][G8]") {
  Fold fold;
  fold_all(fold, of_import(fold, EventType::import_begun, 9, {2, 0, 0, 0, 0}), by_import(added(fold, 10)),
           by_import(added(fold, 11, 2, 2)));
  CHECK(shown(fold) == "nothing");
  CHECK_FALSE(fold.queries.head(record(1)).value());
  CHECK(fold.queries.list(kType, std::nullopt, 9).value().rows.empty());
  CHECK(fold.queries.history(record(1), std::nullopt, 9).value().empty());
  CHECK(fold.queries.unfinished_imports().value() == std::vector{kImport});
  // Whoever decides sees what holds it.
  const auto newest = fold.queries.newest_head(record(1)).value();
  REQUIRE(newest);
  CHECK(newest->version.get() == 0);
  CHECK(newest->pending->import == kImport);
  CHECK(newest->pending->version.get() == 1);

  const auto rows_before = fold.rows.map;
  fold_all(fold, of_import(fold, EventType::import_finished, 12, {2, 2, 0, 0, 0}));
  CHECK(shown(fold) == "1 64{1=Anna 2=Ulm}65{7=DE02}");
  CHECK(shown(fold, 2) == "1 64{1=Anna 2=Ulm}65{7=DE02}");
  CHECK(fold.queries.list(kType, std::nullopt, 9).value().rows.size() == 2);
  CHECK(fold.queries.head(record(1)).value()->modified.get() == 10);
  CHECK(fold.queries.history(record(1), std::nullopt, 9).value().size() == 1);
  CHECK(fold.queries.unfinished_imports().value().empty());
  // One row said so, whatever the number of records.
  std::size_t changed_rows = 0;
  for (const auto& [key, value] : fold.rows.map) {
    const auto before = rows_before.find(key);
    const bool same = before != rows_before.end() && before->second == value;
    changed_rows += key.first == Rows::owners || same ? 0 : 1;
  }
  CHECK(changed_rows == 1);
}

TEST_CASE("G8 a change by an import shows when it is finished, and goes on from there", "[unit][projections][G8]") {
  Fold fold;
  fold_all(fold, added(fold, 8), of_import(fold, EventType::import_begun, 9), by_import(changed(fold, 10)));
  CHECK(shown(fold) == "1 64{1=Anna 2=Ulm}65{7=DE02}");
  CHECK(fold.queries.history(record(1), std::nullopt, 9).value().size() == 1);
  fold_all(fold, of_import(fold, EventType::import_finished, 12));
  CHECK(shown(fold) == "2 64{1=Anna 2=Bonn 3=x}65{7=DE02}");
  CHECK(fold.queries.history(record(1), std::nullopt, 9).value().size() == 2);
  // What it found stays at hand for an undo, until somebody else changes the record.
  const auto before = fold.queries.before_import(kType, record(1), kImport).value();
  REQUIRE(before);
  CHECK(fold.text(*before, record(1)) == "64{1=Anna 2=Ulm}65{7=DE02}");
  fold_all(fold, changed(fold, 13, kBankSlot, kBank));
  CHECK(shown(fold) == "3 64{1=Anna 2=Bonn 3=x}65{2=Bonn 3=x 7=DE02}");
  CHECK_FALSE(fold.queries.before_import(kType, record(1), kImport).value());
}

TEST_CASE("G8 of a cancelled import nothing is ever shown", "[unit][projections][G8]") {
  Fold fold;
  fold_all(fold, added(fold, 8), of_import(fold, EventType::import_begun, 9), by_import(changed(fold, 10)),
           by_import(added(fold, 11, 2, 2)), of_import(fold, EventType::import_cancelled, 12));
  CHECK(shown(fold) == "1 64{1=Anna 2=Ulm}65{7=DE02}");
  CHECK(shown(fold, 2) == "nothing");
  CHECK_FALSE(fold.queries.newest_head(record(2)).value());
  CHECK_FALSE(fold.queries.newest_record(kType, record(2)).value());
  // Only who asks for it finds what is left: the person stays known by it.
  CHECK(fold.queries.known_head(record(2)).value()->version.get() == 1);
  const auto left = fold.queries.known_record(kType, record(2)).value();
  REQUIRE(left);
  CHECK(fold.text(*left, record(2)) == "64{1=Anna 2=Ulm}65{7=DE02}");
  const auto known = fold.queries.known_record(kType, record(1)).value();
  CHECK(fold.text(*known, record(1)) == "64{1=Anna 2=Ulm}65{7=DE02}");
  std::size_t rows = 0;
  REQUIRE(fold.queries.each_known(kType, [&](const RecordId&, const views::RecordRow&) { return ++rows > 0; }));
  CHECK(rows == 2);
  CHECK(fold.queries.history(record(1), std::nullopt, 9).value().size() == 1);
  CHECK(fold.queries.history(record(2), std::nullopt, 9).value().empty());
  fold_all(fold, changed(fold, 13, kBankSlot, kBank));
  CHECK(shown(fold) == "2 64{1=Anna 2=Ulm}65{2=Bonn 3=x 7=DE02}");
  CHECK(fold.queries.history(record(1), std::nullopt, 9).value().size() == 2);
  // A second end says nothing.
  fold_all(fold, of_import(fold, EventType::import_finished, 14));
  CHECK(fold.shown().import(kImport).value()->state == views::ImportState::cancelled);
  CHECK(shown(fold, 2) == "nothing");
}

TEST_CASE("G8 a list passes over so much of a cancelled import at most, and goes on behind it",
          "[unit][projections][G8]") {
  Fold fold;
  fold_all(fold, of_import(fold, EventType::import_begun, 9));
  for (std::uint8_t i = 1; i <= 7; ++i) fold_all(fold, by_import(added(fold, 9U + i, i, i)));
  fold_all(fold, of_import(fold, EventType::import_cancelled, 20), added(fold, 21, 8, 8), added(fold, 22, 9, 9));
  fold.shown();
  views::Views queries(fold.store, 3);
  std::optional<RecordId> after;
  for (const auto* wanted : {"0 3", "0 6", "1", "1", "0"}) {
    const auto list = queries.list(kType, after, 1).value();
    CAPTURE(wanted);
    const auto rest = list.rest ? " " + std::to_string(list.rest->get().back()) : std::string();
    CHECK(std::to_string(list.rows.size()) + rest == wanted);
    after = list.rest ? list.rest : list.rows.empty() ? after : std::optional(list.rows.back().id);
  }
  CHECK(fold.queries.list(kType, std::nullopt, 9).value().rows.size() == 2);
}

TEST_CASE("PJ-05 an erasure at any moment of an import leaves what a rebuild after it makes",
          "[unit][projections][PJ-05]") {
  const auto moment = GENERATE(0, 1, 2, 3);  // after the import's events, its end, a change after it, a removal
  const auto end = GENERATE(EventType::import_finished, EventType::import_cancelled);
  const auto classes =
      GENERATE(std::vector<std::uint32_t>{}, std::vector<std::uint32_t>{64}, std::vector<std::uint32_t>{65});
  const bool adds = GENERATE(true, false);
  CAPTURE(moment, static_cast<int>(end), classes, adds);
  Fold live;
  Fold rebuilt;
  if (classes.empty() || classes[0] == 64) rebuilt.rows.dead.insert(kNameSlot);
  if (classes.empty() || classes[0] == 65) rebuilt.rows.dead.insert(kBankSlot);
  for (auto* fold : {&live, &rebuilt}) {
    std::vector<HandEvent> events;
    if (!adds) {  // a record in one class, which the import brings into the other one
      events.emplace_back(EventType::record_added, 8, fold->rows);
      events.back().type(kType).part(owner_of(subject(1)), kName, kNameSlot, 0,
                                     record_body(Fact::added, record(1), values({{1, "Anna"}})));
    }
    events.push_back(of_import(*fold, EventType::import_begun, 9));
    events.push_back(by_import(adds ? added(*fold, 10) : changed(*fold, 10, kBankSlot, kBank)));
    if (moment > 0) events.push_back(of_import(*fold, end, 11));
    // Nobody can change what a cancelled import had made.
    const bool there = !adds || end == EventType::import_finished;
    if (moment > 1 && there) events.push_back(changed(*fold, 12, kNameSlot, kName));
    if (moment > 2 && there) {
      events.emplace_back(EventType::record_removed, 13, fold->rows);
      events.back().type(kType).part(owner_of(subject(1)), kName, kNameSlot, 2,
                                     record_body(Fact::removed, record(1), {}));
      if (end == EventType::import_finished)
        events.back().part(owner_of(subject(1)), kBank, kBankSlot, 2, record_body(Fact::removed, record(1), {}));
    }
    events.push_back(requested(*fold, 20, classes));
    fold_all(*fold, std::move(events));
  }
  CHECK(live.rows.map == rebuilt.rows.map);
  if (moment == 0)
    for (auto* fold : {&live, &rebuilt}) fold_all(*fold, of_import(*fold, end, 21));
  CHECK(shown(live) == shown(rebuilt));
  if (end != EventType::import_cancelled || !adds) return;
  CHECK(shown(live) == "nothing");
  const auto left = live.queries.known_record(kType, record(1)).value();
  CHECK(left.has_value() == !classes.empty());
  if (left) CHECK(live.text(*left, record(1)) == (classes[0] == 64 ? "65{7=DE02}" : "64{1=Anna 2=Ulm}"));
}

TEST_CASE("The list of imports goes from the newest to the oldest", "[unit][projections]") {
  Fold fold;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    HandEvent event(EventType::import_begun, i, fold.rows);
    event.type(kType).job(JobId(made_id(4, i))).facts(ImportFacts{i, 0, 0, 0, 0});
    fold(event);
  }
  HandEvent finished(EventType::import_finished, 9, fold.rows);
  finished.job(JobId(made_id(4, 2))).facts(ImportFacts{7, 4, 1, 1, 1});
  fold(finished);
  HandEvent undone(EventType::import_undone, 11, fold.rows);
  undone.job(JobId(made_id(4, 2))).facts(ImportFacts{5, 3, 1, 1, 0});
  fold(undone);
  const auto all = fold.shown().imports(std::nullopt, 2).value();
  REQUIRE(all.size() == 2);
  CHECK(all[0].first == JobId(made_id(4, 3)));
  CHECK(all[0].second.state == views::ImportState::begun);
  CHECK(all[1].second.state == views::ImportState::undone);
  CHECK(all[1].second.counts == ImportFacts{7, 4, 1, 1, 1});
  CHECK(all[1].second.undone == ImportFacts{5, 3, 1, 1, 0});
  CHECK(all[1].second.ended_seq == Seq(9));
  const auto rest = fold.queries.imports(JobId(made_id(4, 2)), 9).value();
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].second.begun_seq == Seq(1));
  CHECK(views::counts(views::ImportState::undone));
}

}  // namespace
