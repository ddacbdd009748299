// The rows of a batch: what a prefix finds among stored and changed ones, and what erasures of very much cost.
#include <algorithm>
#include <ctime>
#include <map>

#include "model/definitions.h"
#include "projector/all_projections.h"
#include "projector/row_cache.h"
#include "support/catch.h"
#include "support/fold_kit.h"
#include "support/people.h"
#include "support/temp_dir.h"
#include "views/rows.h"

namespace {

using namespace siegel;
using namespace siegel::test;
using projector::Keys;
using projector::RowCache;
using views::Rows;

constexpr ClassNo kClass{64};
constexpr ClassNo kOtherClass{65};

struct World {
  explicit World(std::unique_ptr<Store> where) : store(std::move(where)) {
    people.start();
    receipt.emplace(people.receipt());
    keys.emplace(*people.ledger, *people.vault, *receipt);
    rows.emplace(*store, *keys);
  }

  std::unique_ptr<Store> store;
  People people{1};
  std::optional<ledger::SystemReceipt> receipt;
  std::optional<Keys> keys;
  std::optional<RowCache> rows;
};

std::unique_ptr<Store> in_memory() { return std::make_unique<MemoryStore>(static_cast<std::size_t>(Rows::count_)); }

std::unique_ptr<Store> on_disk(const TempDir& dir) {
  RocksOptions options;
  options.dir = dir.path() / "store";
  options.families = views::families();
  options.create = RocksOptions::Create::if_missing;
  options.wal = RocksOptions::Wal::off;
  return open_rocksdb(options).value();
}

// ── prefixes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// What is in the store, and the same with the batch over it.
struct Model {
  using Map = std::map<std::pair<Rows, Bytes>, Bytes>;
  Map stored, now;

  [[nodiscard]] std::vector<Bytes> keys(Rows rows, ByteView prefix) const {
    std::vector<Bytes> out;
    for (const auto& [key, value] : now)
      if (key.first == rows && key.second.size() >= prefix.size() &&
          equal(ByteView(key.second).first(prefix.size()), prefix))
        out.push_back(key.second);
    return out;
  }
};

constexpr Rows kSome[] = {Rows::history, Rows::subject_records, Rows::owners};

// Few different ones, of which many are the beginning of another, with the bytes that an order may get wrong.
Bytes some_key(SeededRandom& random) {
  constexpr std::uint8_t kBytes[] = {0x00, 0x61, 0x80, 0xFF};
  Bytes key(random.below(5));
  for (auto& byte : key) byte = kBytes[random.below(std::size(kBytes))];
  return key;
}

void one_step(SeededRandom& random, RowCache& rows, Model& model, std::uint64_t step) {
  const auto family = kSome[random.below(std::size(kSome))];
  const auto key = some_key(random);
  const auto at = model.now.find({family, key});
  const auto what = random.below(100);
  if (what < 30) {
    rows.put(family, key, to_bytes(be(step)));
    model.now[{family, key}] = to_bytes(be(step));
  } else if (what < 50) {
    rows.erase(family, key);
    model.now.erase({family, key});
  } else if (what < 60) {
    const auto edited = rows.edit(family, key).value();
    REQUIRE((edited != nullptr) == (at != model.now.end()));
    if (edited != nullptr) *edited = at->second = to_bytes(be(step));
  } else if (what < 70) {
    const auto value = rows.get(family, key).value();
    REQUIRE(value.has_value() == (at != model.now.end()));
    if (value) REQUIRE(equal(*value, at->second));
  } else if (what < 96) {
    REQUIRE(rows.keys_with_prefix(family, key).value() == model.keys(family, key));
  } else if (what < 98) {
    REQUIRE(rows.write(TreeSize(step)));
    model.stored = model.now;
  } else {
    rows.clear();
    model.now = model.stored;
  }
}

TEST_CASE("A prefix finds what is stored, changed and not erased, in order", "[unit][projector]") {
  World world(in_memory());
  SeededRandom random(7);
  Model model;
  for (std::uint64_t step = 1; step <= 20'000; ++step) {
    CAPTURE(step);
    one_step(random, *world.rows, model, step);
  }
}

// ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

Id16 id_of(std::uint8_t kind, std::uint32_t n) {
  auto id = made_id(kind, 0);
  const auto bytes = be(n);
  std::copy(bytes.begin(), bytes.end(), id.end() - bytes.size());
  return id;
}

// People with records of two classes: each was added, then changed, which makes a row of its history.
class Office {
 public:
  enum class On : std::uint8_t { memory, disk };
  Office(std::uint32_t people, On on) : world_(on == On::memory ? in_memory() : on_disk(dir_)), people_(people) {
    slots_[kClass] = world_.people.vault->new_leaf().value();
    slots_[kOtherClass] = world_.people.vault->new_leaf().value();
  }

  void add_records(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const RecordId record(id_of(2, records_));
      const SubjectId person(id_of(1, records_ % people_));
      ++records_;
      fold(about(EventType::record_added, person, record, kClass));
      fold(about(EventType::record_changed, person, record, kOtherClass));
    }
  }
  void store() { REQUIRE(world_.rows->write(TreeSize(seq_))); }
  // Each person on his own, all in one batch. Answers the seconds that this thread has computed.
  double erase(const std::vector<std::uint32_t>& classes) {
    const auto before = seconds();
    for (std::uint32_t i = 0; i < people_; ++i) {
      HandEvent event(EventType::erasure_requested, seq_++, none_);
      event.facts(ErasureRequestedFacts{1, 2, 1, classes});
      ErasureNotice notice;
      notice.erasure = ErasureId(id_of(3, i));
      event.part(owner_of(SubjectId(id_of(1, i))), built_in::erasure_notice, Slot(1), 0, codec::encode(notice));
      fold(std::move(event));
    }
    return seconds() - before;
  }
  double read_histories() {
    views::Views views(*world_.store);
    const auto before = seconds();
    for (std::uint32_t i = 0; i < records_; ++i) CHECK(views.history(RecordId(id_of(2, i)), std::nullopt, 9));
    return seconds() - before;
  }
  [[nodiscard]] std::size_t records() { return world_.rows->keys_with_prefix(Rows::record_heads, {}).value().size(); }
  [[nodiscard]] std::size_t history() { return world_.rows->keys_with_prefix(Rows::history, {}).value().size(); }

 private:
  static double seconds() {
    timespec now{};
    REQUIRE(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }
  HandEvent about(EventType type, const SubjectId& person, const RecordId& record, ClassNo cls) {
    HandEvent event(type, seq_++, none_);
    event.type(kPeopleType);
    const auto fact = type == EventType::record_added ? RecordBody::Fact::added : RecordBody::Fact::changed;
    event.part(owner_of(person), cls, slots_[cls], 0, record_body(fact, record, values({{1, "Anna"}})));
    return event;
  }
  void fold(HandEvent&& event) {
    for (const auto& projection : projections_) REQUIRE(projection->fold(event, *world_.rows));
  }

  TempDir dir_;
  World world_;
  MapRows none_;  // no leaf is dead while this is folded
  std::vector<std::unique_ptr<views::Projection>> projections_ = projector::all_projections();
  std::uint32_t people_;
  std::uint32_t records_ = 0;
  std::uint64_t seq_ = 100;
  std::map<ClassNo, Slot> slots_;
};

// A machine with other work to do may take long once, but not each time.
template <class F>
bool grows_with_size(F&& cost) {
  for (int i = 0; i < 3; ++i)
    if (const auto once = cost(1'000u); cost(4'000u) < 8 * once) return true;
  return false;
}

// Half of the records are stored, half stand in the batch.
double cost_of_erasing(std::uint32_t people, std::uint32_t records) {
  Office office(people, Office::On::memory);
  office.add_records(records / 2);
  office.store();
  office.add_records(records - records / 2);
  REQUIRE(office.records() == records);
  REQUIRE(office.history() == records);
  const auto cost = office.erase({});
  CHECK(office.records() == 0);
  CHECK(office.history() == 0);
  return cost;
}

TEST_CASE("PJ-05 an erasure of one person costs what her records are, not their square", "[unit][projector][PJ-05]") {
  CHECK(grows_with_size([](std::uint32_t records) { return cost_of_erasing(1, records); }));
}

TEST_CASE("PJ-05 erasures of many people in one batch cost what they are, not their square",
          "[unit][projector][PJ-05]") {
  CHECK(grows_with_size([](std::uint32_t people) { return cost_of_erasing(people, people); }));
}

// Takes the history out: RocksDB keeps a mark in the place of each of its rows.
void erase_history(Office& office, std::uint32_t records) {
  office.add_records(records);
  office.store();
  office.erase({kOtherClass.get()});
  office.store();
  CHECK(office.records() == records);
  CHECK(office.history() == 0);
}

TEST_CASE("PJ-05 an erasure after an erasure does not step over all that is gone for each record",
          "[unit][projector][PJ-05]") {
  CHECK(grows_with_size([](std::uint32_t records) {
    Office office(1, Office::On::disk);
    erase_history(office, records);
    const auto cost = office.erase({kClass.get()});
    CHECK(office.records() == 0);
    return cost;
  }));
}

TEST_CASE("PJ-05 a read of each record does not step over all that is gone", "[unit][projector][PJ-05]") {
  CHECK(grows_with_size([](std::uint32_t records) {
    Office office(1, Office::On::disk);
    erase_history(office, records);
    return office.read_histories();
  }));
}

}  // namespace
