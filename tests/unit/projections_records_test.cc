// Folds of records and their history: what an event makes, and what is left after an erasure.
#include "support/catch.h"
#include "support/record_fold.h"

namespace {

using namespace siegel;
using namespace siegel::test;
using views::Rows;
TEST_CASE("A record has one sealed section for each class", "[unit][projections]") {
  Fold fold;
  auto event = added(fold, 10);
  fold(event);
  const auto head = fold.shown().head(record(1)).value();
  REQUIRE(head);
  CHECK(head->type == kType);
  CHECK(head->subject == subject(1));
  CHECK(head->version.get() == 1);
  CHECK(head->created.get() == 10);
  CHECK(head->modified.get() == 10);
  CHECK_FALSE(head->removed);
  const auto row = fold.queries.record(kType, record(1)).value();
  REQUIRE(row);
  CHECK(row->updated_at == TimeMs(1'000'010));
  CHECK(fold.text(*row, record(1)) == "64{1=Anna 2=Ulm}65{7=DE02}");
  CHECK(fold.queries.records_of(subject(1)).value() == std::vector{record(1)});
  const auto history = fold.queries.history(record(1), std::nullopt, 9).value();
  REQUIRE(history.size() == 1);
  CHECK(history[0].parts == std::vector<std::uint16_t>{1, 2});
}

TEST_CASE("A change merges values and moves the section under the newest part's leaf", "[unit][projections]") {
  Fold fold;
  auto first = added(fold, 10);
  auto second = changed(fold, 12, Slot(101));
  fold(first);
  fold(second);
  const auto row = fold.shown().record(kType, record(1)).value();
  REQUIRE(row);
  CHECK(fold.text(*row, record(1)) == "64{1=Anna 2=Bonn 3=x}65{7=DE02}");
  CHECK(row->sections[0].slot == Slot(101));
  CHECK(row->version.get() == 2);
  const auto head = fold.queries.head(record(1)).value();
  CHECK(head->created.get() == 10);
  CHECK(head->modified.get() == 12);
  const auto all = fold.queries.history(record(1), std::nullopt, 9).value();
  REQUIRE(all.size() == 2);
  CHECK(all[1].seq.get() == 12);
  CHECK(fold.queries.history(record(1), Seq(10), 9).value().size() == 1);
  CHECK(fold.queries.history(record(1), Seq(12), 9).value().empty());
  CHECK(fold.queries.history(record(1), std::nullopt, 1).value().size() == 1);
}

TEST_CASE("A removed record leaves the views but for its head and history", "[unit][projections]") {
  Fold fold;
  auto first = added(fold, 10);
  HandEvent gone(EventType::record_removed, 11, fold.rows);
  gone.type(kType).part(owner_of(subject(1)), kName, kNameSlot, 1, record_body(Fact::removed, record(1), {}));
  fold(first);
  fold(gone);
  CHECK_FALSE(fold.shown().record(kType, record(1)).value());
  const auto head = fold.queries.head(record(1)).value();
  REQUIRE(head);
  CHECK(head->removed);
  CHECK(head->version.get() == 2);
  CHECK(fold.queries.list(kType, std::nullopt, 9).value().rows.empty());
}

TEST_CASE("Lists go on behind a record and stay within the type", "[unit][projections]") {
  Fold fold;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    auto event = added(fold, 10u + i, i, i);
    fold(event);
  }
  HandEvent other(EventType::record_added, 30, fold.rows);
  other.type(TypeNo(6)).part(owner_of(TypeNo(6)), kName, Slot(7), 0, record_body(Fact::added, record(6), {}));
  fold(other);
  const auto first = fold.shown().list(kType, std::nullopt, 2).value().rows;
  REQUIRE(first.size() == 2);
  CHECK(first[1].id == record(2));
  const auto rest = fold.queries.list(kType, record(2), 9).value().rows;
  REQUIRE(rest.size() == 3);
  CHECK(rest[0].id == record(3));
  CHECK_FALSE(fold.queries.head(record(6)).value()->subject);  // concerns nobody
  std::size_t seen = 0;
  REQUIRE(fold.queries.each_record(kType, [&](const RecordId&, const views::RecordRow&) { return ++seen < 3; }));
  CHECK(seen == 3);
}

TEST_CASE("PJ-05 a request for all classes takes the record, live as in a rebuild", "[unit][projections][PJ-05]") {
  Fold live;
  Fold rebuilt;
  rebuilt.rows.dead = {kNameSlot, kBankSlot};
  for (auto* fold : {&live, &rebuilt}) {
    auto first = added(*fold, 10);
    auto second = changed(*fold, 12);
    auto last = requested(*fold, 13, {});
    (*fold)(first);
    (*fold)(second);
    (*fold)(last);
  }
  CHECK(live.rows.map == rebuilt.rows.map);
  for (const auto rows : {Rows::record_heads, Rows::records, Rows::subject_records, Rows::history})
    CHECK(live.rows.count(rows) == 0);
  CHECK(live.rows.count(Rows::subject_history) == 1);  // the notice
}

TEST_CASE("PJ-05 a request for one class leaves the others, live as in a rebuild", "[unit][projections][PJ-05]") {
  const auto erased_class = GENERATE(64u, 65u);
  CAPTURE(erased_class);
  Fold live;
  Fold rebuilt;
  rebuilt.rows.dead = {erased_class == 64 ? kNameSlot : kBankSlot};
  for (auto* fold : {&live, &rebuilt}) {
    auto first = added(*fold, 10);
    auto second = changed(*fold, 12);
    auto third = changed(*fold, 14, kBankSlot, kBank);
    auto last = requested(*fold, 15, {erased_class});
    (*fold)(first);
    (*fold)(second);
    (*fold)(third);
    (*fold)(last);
  }
  CHECK(live.rows.map == rebuilt.rows.map);
  const auto row = live.shown().record(kType, record(1)).value();
  REQUIRE(row);
  CHECK(live.text(*row, record(1)) == (erased_class == 64 ? "65{2=Bonn 3=x 7=DE02}" : "64{1=Anna 2=Bonn 3=x}"));
  CHECK(row->version.get() == 2);
  CHECK(row->updated_at == TimeMs(erased_class == 64 ? 1'000'014 : 1'000'012));
  CHECK(live.queries.history(record(1), std::nullopt, 9).value().size() == 2);
}

TEST_CASE("A record whose first event is erased lives on from the next", "[unit][projections]") {
  Fold live;
  Fold rebuilt;
  rebuilt.rows.dead = {kNameSlot};
  for (auto* fold : {&live, &rebuilt}) {
    HandEvent first(EventType::record_added, 10, fold->rows);
    first.type(kType).part(owner_of(subject(1)), kName, kNameSlot, 0,
                           record_body(Fact::added, record(1), values({{1, "Anna"}})));
    auto second = changed(*fold, 12, kBankSlot, kBank);
    auto last = requested(*fold, 15, {64});
    (*fold)(first);
    (*fold)(second);
    (*fold)(last);
  }
  CHECK(live.rows.map == rebuilt.rows.map);
  const auto head = live.shown().head(record(1)).value();
  REQUIRE(head);
  CHECK(head->created.get() == 12);
  CHECK(head->version.get() == 1);
  CHECK(head->subject == subject(1));
}

TEST_CASE("PJ-04 an erased part is a typed Erased, never an empty value", "[unit][projections][PJ-04]") {
  Fold fold;
  auto event = added(fold, 10);
  fold(event);
  fold.rows.dead = {kBankSlot};
  const auto row = fold.shown().record(kType, record(1)).value();
  CHECK(fold.text(*row, record(1)) == "64{1=Anna 2=Ulm}65{erased}");
  const auto key = views::record_row_key(kType, record(1));
  const auto value = to_bytes(**fold.rows.get(Rows::records, key));
  const auto before = fold.records.logical(Rows::records, key, value, fold.rows).value();
  fold.rows.dead.clear();
  CHECK(fold.records.logical(Rows::records, key, value, fold.rows).value() != before);
}

TEST_CASE("The owner row is that of the format's page", "[unit][projections]") {
  views::OwnerRow row;
  row.leaves.push_back({ClassNo(64), Slot(258), 3, TimeMs(1'790'000'000'000), Seq(4711)});
  const auto bytes = views::encode(row);
  CHECK(to_hex(bytes) ==
        "01000000400000000000000102"
        "0000000000000003"
        "000001a0c4506c00"
        "0000000000001267");
  CHECK(views::decode_owner(bytes).value().modified == Seq(4711));
}

TEST_CASE("Damaged rows are refused, byte by byte", "[unit][projections]") {
  Fold fold;
  auto event = added(fold, 10);
  fold(event);
  const auto value = to_bytes(**fold.rows.get(Rows::records, views::record_row_key(kType, record(1))));
  for (std::size_t size = 0; size < value.size(); ++size)
    CHECK_FALSE(views::decode_record(ByteView(value).first(size)));
  auto longer = value;
  longer.push_back(0);
  CHECK(views::decode_record(longer).error().is("views_damaged"));
  auto newer = value;
  newer[0] = 2;
  CHECK(views::decode_record(newer).error().is("views_damaged"));
}

}  // namespace
