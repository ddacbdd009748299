// The decision state: what may be taken from the views, and what an erasure leaves to them.
#include "decide/state.h"

#include <array>

#include "support/catch.h"

namespace {

using namespace siegel;
using namespace siegel::decide;

constexpr ClassNo kCustomer{64};
constexpr ClassNo kMarketing{65};

Id16 id(std::uint8_t last) {
  Id16 out{};
  out.back() = last;
  return out;
}

RecordEntry entry(std::uint64_t version, std::uint64_t seq) {
  return {TypeNo(1), std::nullopt, RecordVersion(version), Seq(seq), false, false};
}

}  // namespace

TEST_CASE("a record that an erasure changed is known again once the views show the request", "[unit][decide]") {
  State state(100);
  const RecordId record(id(1));
  state.new_record(record, entry(5, 10));
  state.touched(record, Seq(10));
  REQUIRE(state.record(record, std::nullopt).entry->version == RecordVersion(5));

  state.left_to_views(record, Seq(20));
  CHECK_FALSE(state.find_record(record));
  CHECK_FALSE(state.record(record, std::nullopt).known);
  // Views that do not show the request yet say what was before it.
  CHECK_FALSE(state.record(record, Snapshot<RecordEntry>{entry(5, 10), TreeSize(20)}).known);
  const auto now = state.record(record, Snapshot<RecordEntry>{entry(3, 9), TreeSize(21)});
  REQUIRE(now.known);
  CHECK(now.entry->version == RecordVersion(3));
  CHECK(state.find_record(record)->version == RecordVersion(3));
}

TEST_CASE("a record that was not in the state is not taken from views of before its erasure", "[unit][decide]") {
  State state(100);
  const RecordId record(id(1));
  state.left_to_views(record, Seq(20));
  CHECK_FALSE(state.record(record, Snapshot<RecordEntry>{entry(5, 10), TreeSize(15)}).known);
  const auto gone = state.record(record, Snapshot<RecordEntry>{std::nullopt, TreeSize(30)});
  CHECK(gone.known);
  CHECK(gone.entry == nullptr);
}

TEST_CASE("a record that a cancelled import left and an erasure took is not known from views between the two",
          "[unit][decide]") {
  State state(100);
  const RecordId record(id(1));
  const JobId import(id(9));
  state.begin_import(import);
  auto changed = entry(5, 10);
  changed.import = import;
  state.new_record(record, changed);
  state.touched(record, Seq(10));
  CHECK(state.cancel_import(import, Seq(20)).empty());
  state.left_to_views(record, Seq(25));
  CHECK_FALSE(state.record(record, Snapshot<RecordEntry>{entry(4, 9), TreeSize(22)}).known);
  const auto now = state.record(record, Snapshot<RecordEntry>{entry(3, 9), TreeSize(26)});
  REQUIRE(now.known);
  CHECK(now.entry->adopted_from == TreeSize(26));
}

TEST_CASE("who looked at a person before his identities were moved back has to look again", "[unit][decide]") {
  State state(100);
  const JobId import(id(9));
  const SubjectId person(id(2)), other(id(3));
  state.begin_import(import);
  const IdentityKey before(id(4)), after(id(5));
  state.moved(import, {RecordId(id(1)), person, before, after});
  state.moved(import, {RecordId(id(6)), person, before, after});
  state.moved(import, {RecordId(id(7)), person, before, after});
  const std::array erased{RecordId(id(1))}, lost_new{RecordId(id(6))};
  state.forget_moves(erased, erased);
  state.forget_moves({}, lost_new);
  const auto moves = state.cancel_import(import, Seq(20));
  REQUIRE(moves.size() == 3);
  for (const auto& move : moves) {
    CHECK(move.before.has_value() == (move.record != erased.front()));
    CHECK(move.after.has_value() == (move.record == RecordId(id(7))));
  }
  CHECK_FALSE(state.saw_moves_back(person, TreeSize(20)));
  CHECK(state.saw_moves_back(person, TreeSize(21)));
  CHECK(state.saw_moves_back(other, TreeSize(1)));
  state.evict(TreeSize(20));
  CHECK_FALSE(state.saw_moves_back(person, TreeSize(20)));
}

TEST_CASE("a fence stays through eviction, and ends with its own erasure only", "[unit][decide]") {
  State state(4);
  const OwnerId owner(id(2));
  auto& fresh = state.new_owner(owner);
  fresh.leaves = {{kCustomer, Slot(1), 3, TimeMs(1)}, {kMarketing, Slot(2), 1, TimeMs(1)}};
  fresh.fences.push_back({Seq(10), {kCustomer}});
  fresh.fences.push_back({Seq(11), {}});
  fresh.modified = Seq(11);
  state.touched(owner, Seq(11));
  for (std::uint8_t i = 0; i < 50; ++i) {
    const RecordId record(id(static_cast<std::uint8_t>(100 + i)));
    state.new_record(record, entry(1, 20u + i));
    state.touched(record, Seq(20u + i));
  }
  state.evict(TreeSize(1000));
  CHECK(state.entries() <= 5);
  REQUIRE(state.find_owner(owner));
  CHECK(state.find_owner(owner)->is_fenced(kMarketing));

  state.left_to_views(owner, Seq(500), Seq(11));
  CHECK_FALSE(state.find_owner(owner));
  OwnerEntry row;
  row.leaves = {{kMarketing, Slot(2), 1, TimeMs(1)}};
  CHECK_FALSE(state.owner(owner, Snapshot<OwnerEntry>{row, TreeSize(500)}).known);
  const auto now = state.owner(owner, Snapshot<OwnerEntry>{row, TreeSize(501)});
  REQUIRE(now.known);
  CHECK(now.entry->leaves.size() == 1);
  CHECK(now.entry->is_fenced(kCustomer));  // asked for by the other request
  CHECK_FALSE(now.entry->is_fenced(kMarketing));

  state.left_to_views(owner, Seq(600), Seq(10));
  const auto nobody = state.owner(owner, Snapshot<OwnerEntry>{std::nullopt, TreeSize(601)});
  REQUIRE(nobody.known);
  CHECK(nobody.entry->leaves.empty());
  CHECK_FALSE(nobody.entry->is_fenced(kCustomer));
}

TEST_CASE("an erasure learns of the records that the views do not show yet", "[unit][decide]") {
  State state(100);
  const OwnerId owner(id(2));
  OwnerEntry row;
  row.leaves = {{kCustomer, Slot(1), 3, TimeMs(1)}};
  auto& entry = *state.owner(owner, Snapshot<OwnerEntry>{row, TreeSize(40)}).entry;
  CHECK(entry.recent_from == TreeSize(40));
  for (std::uint64_t i = 0; i <= OwnerEntry::kRecentMax; ++i)
    entry.remember({Seq(50 + i), RecordId(id(static_cast<std::uint8_t>(i))), false, std::nullopt});
  CHECK(entry.recent.size() == OwnerEntry::kRecentMax);
  CHECK(entry.recent.front().seq == Seq(51));
  CHECK(entry.recent_from == TreeSize(51));  // whoever looked before must look again
  state.left_to_views(owner, Seq(200), Seq(100));
  CHECK(state.owner(owner, Snapshot<OwnerEntry>{row, TreeSize(201)}).entry->recent.empty());
}

TEST_CASE("what was evicted is trusted only from views that show it", "[unit][decide]") {
  State state(2);
  for (std::uint8_t i = 0; i < 20; ++i) {
    const RecordId record(id(i));
    state.new_record(record, entry(1, i));
    state.touched(record, Seq(i));
  }
  state.evict(TreeSize(10));
  const auto newest = state.evicted();
  CHECK(newest == Seq(9));
  const RecordId old(id(3));
  CHECK_FALSE(state.record(old, Snapshot<RecordEntry>{entry(1, 3), TreeSize(9)}).known);
  CHECK(state.record(old, Snapshot<RecordEntry>{entry(1, 3), TreeSize(10)}).known);
}
