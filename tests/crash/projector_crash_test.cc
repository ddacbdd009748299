// Read models in RocksDB on a disk that loses power, and what that disk shows of people.
#include <algorithm>
#include <cstdlib>
#include <future>

#include "projector/projector.h"
#include "support/catch.h"
#include "support/people.h"

namespace {

using namespace siegel;
using namespace siegel::test;
using namespace std::chrono_literals;
using projector::Projector;

const SecretKey kDigestKey(as_bytes("a fresh random key for digests ."));

std::uint64_t rounds(std::uint64_t quick) { return std::getenv("SIEGEL_LONG") != nullptr ? quick * 10 : quick; }

// As the server opens it, but for small buffers: a short history meets flushes.
Result<std::unique_ptr<Store>> open_views(CrashDisk& disk) {
  RocksOptions options;
  options.dir = "/views/store";
  options.families = views::families();
  for (auto& family : options.families) family.write_buffer_bytes = 64 << 10;
  options.create = RocksOptions::Create::if_missing;
  options.wal = RocksOptions::Wal::off;
  options.file_system = disk.file_system();
  return open_rocksdb(options);
}

CrashDisk disk_with_views_dir(std::uint64_t seed, CrashDisk::Keep keep = CrashDisk::Keep::current_bytes) {
  CrashDisk disk(seed, keep);
  REQUIRE(disk.files()->make_dir("/views", 0700));
  REQUIRE(disk.files()->sync_dir("/"));
  return disk;
}

std::vector<std::string> digests_of(Projector& projector, const ledger::SystemReceipt& receipt) {
  const auto digests = projector.digests(receipt, kDigestKey);
  REQUIRE(digests);
  std::vector<std::string> out;
  for (const auto& digest : *digests)
    out.push_back(digest.projection + " " + std::to_string(digest.rows) + " " + to_hex(digest.value));
  return out;
}

void fold_all(People& people, Store& store) {
  views::Views views(store);
  auto projector = Projector::make(*people.ledger, *people.vault, views, {.batch_events_max = 64});
  REQUIRE(projector->start(people.receipt()));
  std::promise<bool> shown;
  views.when(people.ledger->size(), 60s, [&](bool reached) { shown.set_value(reached); });
  const bool reached = shown.get_future().get();
  const auto status = projector->status();
  INFO((status ? std::string() : status.error().text()));
  REQUIRE(reached);
  projector->stop();
}

std::vector<std::string> rebuilt(People& people, const ledger::SystemReceipt& receipt) {
  MemoryStore store(views::families().size());
  views::Views views(store);
  auto projector = Projector::make(*people.ledger, *people.vault, views, {});
  REQUIRE(projector->rebuild(receipt, {}));
  return digests_of(*projector, receipt);
}

TEST_CASE("PJ-02 power lost at any call: rows go on from their position to the whole", "[crash][projector][PJ-02]") {
  const auto seed = GENERATE(range(std::uint64_t{1}, rounds(3)));
  CAPTURE(seed);
  People people(seed);
  people.start();
  for (int i = 0; i < 60; ++i) people.step();
  for (int i = 0; i < 6; ++i) people.bulk(120);
  const auto receipt = people.receipt(JobFacts::Kind::rebuild);
  std::uint64_t calls = 0;
  {
    auto disk = disk_with_views_dir(seed);
    auto store = open_views(disk).value();
    disk.plan({});
    fold_all(people, *store);
    calls = disk.calls();
  }
  REQUIRE(calls > 10);
  std::uint64_t lost = 0;
  for (std::uint64_t round = 0; round < 12; ++round) {
    const auto at = 1 + people.world.random.below(calls);
    CAPTURE(round, at);
    auto disk = disk_with_views_dir(seed + round);
    {
      auto store = open_views(disk);
      REQUIRE(store);
      // RocksDB (as Debian builds it, with its assertions) sometimes aborts where an atomic flush fails.
      disk.plan({.power_loss_at_call = at, .unnoticed = true});
      views::Views views(**store);
      auto projector = Projector::make(*people.ledger, *people.vault, views, {.batch_events_max = 64});
      (void)projector->rebuild(receipt, {});
    }
    lost += disk.power_lost() ? 1 : 0;
    auto after = disk.after_restart(people.world.random.next());
    auto store = open_views(after);
    INFO((store ? std::string() : store.error().text()));
    REQUIRE(store);
    fold_all(people, **store);
    views::Views views(**store);
    CHECK(views.load_position().value() == people.ledger->size());
    auto projector = Projector::make(*people.ledger, *people.vault, views, {});
    CHECK(digests_of(*projector, receipt) == rebuilt(people, receipt));
  }
  CHECK(lost > 6);
}

TEST_CASE("PJ-04 EV-06 no personal value stands in any byte that the read models ever wrote",
          "[crash][projector][PJ-04][EV-06]") {
  People people(9);
  people.start();
  for (int i = 0; i < 150; ++i) people.step();
  people.bulk(120);
  const auto person = people.register_person(true);
  const auto record = people.add_record(person, 3);
  auto disk = disk_with_views_dir(1, CrashDisk::Keep::every_byte);
  {
    auto store = open_views(disk).value();
    fold_all(people, *store);
    for (unsigned i = 0; i < static_cast<unsigned>(views::Rows::count_); ++i)
      REQUIRE(store->compact(views::family(static_cast<views::Rows>(i))));
    // What is looked for is there, sealed.
    views::Views views(*store);
    const auto row = views.record(kPeopleType, people.records[record].id).value();
    REQUIRE(row);
    REQUIRE(row->sections.size() == 3);
    const auto receipt = people.receipt();
    bool found = false;
    for (const auto& section : row->sections) {
      const auto clear =
          people.vault->open_row(receipt, section.slot, "records",
                                 views::record_row_key(kPeopleType, people.records[record].id), section.sealed);
      REQUIRE(clear);
      found = found || as_chars(clear->view()).find("kanari-") != std::string_view::npos;
    }
    CHECK(found);
  }
  const auto bytes = disk.every_byte();
  REQUIRE(!bytes.empty());
  REQUIRE(people.canaries.size() > 300);
  const auto holds = [&](std::string_view text) {
    return std::any_of(bytes.begin(), bytes.end(),
                       [&](const std::string& file) { return file.find(text) != std::string::npos; });
  };
  CHECK_FALSE(holds("kanari-"));
  // The search sees what does stand in clear.
  CHECK(holds(as_chars(people.persons[person].id.get())));
  CHECK(holds(as_chars(people.records[record].id.get())));
}

}  // namespace
