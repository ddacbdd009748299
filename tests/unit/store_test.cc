// What store.h promises, on RocksDB and in memory alike.
#include "store/store.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <random>
#include <thread>

#include "store/memory_store.h"
#include "support/catch.h"
#include "support/crash_disk.h"
#include "support/sim_store.h"
#include "support/temp_dir.h"

namespace {

using namespace siegel;
using siegel::test::SimStore;
using siegel::test::TempDir;

constexpr Family kRows{0};
constexpr Family kMarks{1};

RocksOptions options_in(const std::filesystem::path& dir) {
  RocksOptions options;
  options.dir = dir;
  options.families = {{.name = "rows"}, {.name = "marks", .bloom = true}};
  options.create = RocksOptions::Create::if_missing;
  return options;
}

std::unique_ptr<Store> open(const RocksOptions& options) {
  auto opened = open_rocksdb(options);
  if (!opened) FAIL(opened.error().text());
  return std::move(*opened);
}

struct OnRocksDB {
  TempDir dir;
  std::unique_ptr<Store> store = open(options_in(dir.path() / "store"));
};
struct InMemory {
  std::unique_ptr<Store> store = std::make_unique<MemoryStore>(2);
};
struct InSimulation {
  std::unique_ptr<Store> store = std::make_unique<SimStore>(2, 1);
};

ByteView bytes(std::string_view text) { return as_bytes(text); }

std::string got(Store& store, Family family, std::string_view key, const Snapshot* snapshot = nullptr) {
  auto value = store.get(family, bytes(key), snapshot);
  REQUIRE(value);
  return *value ? std::string(as_chars(**value)) : "-";
}

void put(Store& store, Family family, std::string_view key, std::string_view value) {
  Batch batch;
  batch.put(family, bytes(key), bytes(value));
  REQUIRE(store.write(batch, Sync::no));
}

void erase(Store& store, Family family, std::string_view key) {
  Batch batch;
  batch.erase(family, bytes(key));
  REQUIRE(store.write(batch, Sync::no));
}

std::string forwards(Cursor& cursor) {
  std::string out;
  for (cursor.seek_to_first(); cursor.valid(); cursor.next()) {
    out += std::string(as_chars(cursor.key())) + "=" + std::string(as_chars(cursor.value())) + " ";
  }
  REQUIRE(cursor.status());
  return out;
}

std::string backwards(Cursor& cursor) {
  std::string out;
  for (cursor.seek_to_last(); cursor.valid(); cursor.prev()) out += std::string(as_chars(cursor.key())) + " ";
  REQUIRE(cursor.status());
  return out;
}

bool directory_holds(const std::filesystem::path& dir, const std::string& what) {
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(in)), {});
    if (all.find(what) != all.npos) return true;
  }
  return false;
}

std::string code_of(const RocksOptions& options) {
  const auto opened = open_rocksdb(options);
  return opened ? "opened" : opened.error().code();
}

}  // namespace

TEST_CASE("a batch shows the bytes that will be written", "[unit][store]") {
  Batch batch;
  const ByteView parts[] = {bytes("he"), bytes(""), bytes("llo")};
  CHECK(batch.put(kRows, bytes("a"), parts) == 0);
  CHECK(batch.erase(kMarks, bytes("b")) == 1);
  const auto space = batch.put_space(kRows, bytes("c"), 3);
  std::copy_n("xyz", 3, space.begin());
  CHECK(batch.count() == 3);
  CHECK(batch.bytes() == 1 + 5 + 1 + 1 + 3);
  CHECK(as_chars(batch.entry(0).value) == "hello");
  CHECK(as_chars(batch.entry(1).key) == "b");
  CHECK(batch.entry(1).op == Batch::Op::erase);
  CHECK(batch.entry(1).value.empty());
  CHECK(as_chars(batch.entry(2).value) == "xyz");

  const auto before = batch.entry(0).value.data();
  Batch moved = std::move(batch);
  CHECK(moved.entry(0).value.data() == before);

  Batch both;
  both.put(kMarks, bytes("first"), bytes("1"));
  both.append(moved);
  CHECK(both.count() == 4);
  CHECK(both.entry(3).family == kRows);
  CHECK(as_chars(both.entry(1).value) == "hello");
  both.clear();
  CHECK(both.empty());
  CHECK(both.bytes() == 0);
}

TEMPLATE_TEST_CASE("a written batch is read back, the last entry of a key wins", "[unit][store]", OnRocksDB, InMemory,
                   InSimulation) {
  TestType on;
  Batch batch;
  batch.put(kRows, bytes("a"), bytes("1"));
  batch.put(kMarks, bytes("a"), bytes("other family"));
  batch.put(kRows, bytes("a"), bytes("2"));
  batch.put(kRows, bytes("gone"), bytes("x"));
  batch.erase(kRows, bytes("gone"));
  batch.put(kRows, bytes("empty"), ByteView());
  REQUIRE(on.store->write(batch, Sync::yes));
  CHECK(got(*on.store, kRows, "a") == "2");
  CHECK(got(*on.store, kMarks, "a") == "other family");
  CHECK(got(*on.store, kRows, "gone") == "-");
  CHECK(got(*on.store, kRows, "empty").empty());
  CHECK(got(*on.store, kRows, "never") == "-");

  batch.clear();
  REQUIRE(on.store->write(batch, Sync::yes));  // syncs what came before
  REQUIRE(on.store->flush());
  REQUIRE(on.store->compact(kRows));
  CHECK(got(*on.store, kRows, "a") == "2");
  CHECK(on.store->memory_bytes() > 0);
}

TEMPLATE_TEST_CASE("a pinned value outlives its row's change", "[unit][store]", OnRocksDB, InMemory) {
  TestType on;
  put(*on.store, kRows, "a", std::string(10'000, 'v'));
  REQUIRE(on.store->flush());
  auto pinned = on.store->get_pinned(kRows, bytes("a"));
  REQUIRE(pinned);
  REQUIRE(pinned->has_value());
  erase(*on.store, kRows, "a");
  REQUIRE(on.store->compact(kRows));
  CHECK(got(*on.store, kRows, "a") == "-");
  const auto moved = std::move(**pinned);
  CHECK(as_chars(moved.value()) == std::string(10'000, 'v'));
  auto absent = on.store->get_pinned(kRows, bytes("a"));
  REQUIRE(absent);
  CHECK_FALSE(absent->has_value());
}

TEMPLATE_TEST_CASE("a cursor walks one family in byte order, both ways", "[unit][store]", OnRocksDB, InMemory) {
  TestType on;
  for (const auto* key : {"b", "d", "\xff", "a"}) put(*on.store, kRows, key, key);
  put(*on.store, kMarks, "c", "not seen");
  REQUIRE(on.store->flush());
  put(*on.store, kRows, "e", "e");
  erase(*on.store, kRows, "d");

  const auto cursor = on.store->cursor(kRows);
  CHECK_FALSE(cursor->valid());
  CHECK(forwards(*cursor) == "a=a b=b e=e \xff=\xff ");
  CHECK(backwards(*cursor) == "\xff e b a ");
  const auto at = [&] { return cursor->valid() ? std::string(as_chars(cursor->key())) : "-"; };
  cursor->seek(bytes("b"));
  CHECK(at() == "b");
  cursor->seek(bytes("c"));
  CHECK(at() == "e");
  cursor->prev();
  CHECK(at() == "b");
  cursor->seek(bytes("\xff\x01"));
  CHECK(at() == "-");
  cursor->seek_for_prev(bytes("b"));
  CHECK(at() == "b");
  cursor->seek_for_prev(bytes("d"));
  CHECK(at() == "b");
  cursor->next();
  CHECK(at() == "e");
  cursor->seek_for_prev(bytes("A"));
  CHECK(at() == "-");
  const auto scan = on.store->cursor(kRows, {.reading = CursorOptions::Reading::all});
  CHECK(forwards(*scan) == "a=a b=b e=e \xff=\xff ");
}

TEMPLATE_TEST_CASE("a cursor with an end walks what lies before it", "[unit][store]", OnRocksDB, InMemory) {
  TestType on;
  for (const auto* key : {"a", "b", "d", "\xff"}) put(*on.store, kRows, key, key);
  REQUIRE(on.store->flush());
  put(*on.store, kRows, "c", "c");
  erase(*on.store, kRows, "b");
  const auto until = [&](std::string_view end) { return on.store->cursor(kRows, {.until = as_bytes(end)}); };
  CHECK(forwards(*until("")) == "a=a c=c d=d \xff=\xff ");
  CHECK(forwards(*until("\xff")) == "a=a c=c d=d ");
  CHECK(forwards(*until("d")) == "a=a c=c ");
  CHECK(forwards(*until("bb")) == "a=a ");
  CHECK(forwards(*until("a")).empty());
  CHECK(backwards(*until("d")) == "c a ");
  CHECK(backwards(*until("a")).empty());

  const auto cursor = until("d");
  const auto at = [&] { return cursor->valid() ? std::string(as_chars(cursor->key())) : "-"; };
  cursor->seek(bytes("b"));
  CHECK(at() == "c");
  cursor->next();
  CHECK(at() == "-");
  cursor->seek(bytes("d"));
  CHECK(at() == "-");
  cursor->seek_for_prev(bytes("b"));
  CHECK(at() == "a");
  cursor->seek_for_prev(bytes("x"));
  CHECK(at() == "c");
  cursor->prev();
  CHECK(at() == "a");

  const auto snapshot = on.store->snapshot();
  erase(*on.store, kRows, "c");
  const auto earlier = on.store->cursor(kRows, {.snapshot = snapshot.get(), .until = as_bytes("d")});
  CHECK(forwards(*earlier) == "a=a c=c ");
  CHECK(forwards(*until("d")) == "a=a ");
}

TEMPLATE_TEST_CASE("a snapshot and a cursor keep their moment", "[unit][store]", OnRocksDB, InMemory, InSimulation) {
  TestType on;
  put(*on.store, kRows, "a", "1");
  put(*on.store, kRows, "b", "1");
  const auto snapshot = on.store->snapshot();
  const auto before = on.store->cursor(kRows);
  put(*on.store, kRows, "a", "2");
  put(*on.store, kRows, "a", "3");
  erase(*on.store, kRows, "b");
  put(*on.store, kRows, "c", "3");
  REQUIRE(on.store->compact(kRows));
  const auto of_snapshot = on.store->cursor(kRows, {.snapshot = snapshot.get()});
  CHECK(forwards(*before) == "a=1 b=1 ");
  CHECK(forwards(*of_snapshot) == "a=1 b=1 ");
  CHECK(forwards(*on.store->cursor(kRows)) == "a=3 c=3 ");
  CHECK(got(*on.store, kRows, "a", snapshot.get()) == "1");
  CHECK(got(*on.store, kRows, "b", snapshot.get()) == "1");
  CHECK(got(*on.store, kRows, "c", snapshot.get()) == "-");
  CHECK(got(*on.store, kRows, "a") == "3");
}

TEMPLATE_TEST_CASE("random batches leave what a map would hold", "[unit][store]", OnRocksDB, InMemory) {
  TestType on;
  std::mt19937 random(7);
  std::map<std::string, std::string> model;
  for (int round = 0; round < 300; ++round) {
    Batch batch;
    for (auto n = random() % 8; n > 0; --n) {
      const auto key = std::to_string(random() % 60);
      if (random() % 3 == 0) {
        batch.erase(kRows, bytes(key));
        model.erase(key);
      } else {
        const auto value = std::to_string(random());
        batch.put(kRows, bytes(key), bytes(value));
        model[key] = value;
      }
    }
    REQUIRE(on.store->write(batch, Sync::no));
    if (random() % 40 == 0) REQUIRE(on.store->flush());
    if (random() % 70 == 0) REQUIRE(on.store->compact(kRows));
  }
  std::string expected;
  for (const auto& [key, value] : model) expected += key + "=" + value + " ";
  CHECK(forwards(*on.store->cursor(kRows)) == expected);
}

TEMPLATE_TEST_CASE("readers beside a writer see whole batches only", "[unit][store]", OnRocksDB, InMemory) {
  TestType on;
  put(*on.store, kRows, "x", "0");
  put(*on.store, kMarks, "x", "0");
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::thread reader([&] {
    while (!stop) {
      const auto snapshot = on.store->snapshot();
      const auto row = on.store->get(kRows, bytes("x"), snapshot.get());
      const auto mark = on.store->get(kMarks, bytes("x"), snapshot.get());
      if (!row || !mark || !*row || !*mark || **row != **mark) ++torn;
    }
  });
  for (int i = 0; i < 500; ++i) {
    const auto value = std::to_string(i);
    Batch batch;
    batch.put(kRows, bytes("x"), bytes(value));
    batch.put(kMarks, bytes("x"), bytes(value));
    REQUIRE(on.store->write(batch, Sync::no));
  }
  stop = true;
  reader.join();
  CHECK(torn == 0);
  CHECK(got(*on.store, kRows, "x") == "499");
}

// ── RocksDB only ─────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_CASE("a store is never made unless asked for, and opens again with its rows", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  options.create = RocksOptions::Create::never;
  CHECK(code_of(options) == "store_missing");
  CHECK_FALSE(std::filesystem::exists(options.dir));
  options.create = RocksOptions::Create::if_missing;
  put(*open(options), kRows, "a", "1");
  options.create = RocksOptions::Create::never;
  CHECK(got(*open(options), kRows, "a") == "1");
  std::swap(options.families[0], options.families[1]);  // names decide, not the order
  CHECK(got(*open(options), Family{1}, "a") == "1");
}

TEST_CASE("families must be those on the disk", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  open(options);
  auto fewer = options;
  fewer.families.pop_back();
  CHECK(code_of(fewer) == "store_layout");
  auto more = options;
  more.families.push_back({.name = "third"});
  more.create = RocksOptions::Create::never;
  CHECK(code_of(more) == "store_layout");
  more.create = RocksOptions::Create::if_missing;
  CHECK(code_of(more) == "opened");
}

TEST_CASE("a second opener is refused, readers beside it are not", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  const auto store = open(options);
  put(*store, kRows, "a", "1");
  REQUIRE(store->flush());
  CHECK(code_of(options) == "data_in_use");

  auto reading = options;
  reading.mode = RocksOptions::Mode::read_only;
  const auto reader = open(reading);
  CHECK(got(*reader, kRows, "a") == "1");

  auto following = options;
  following.mode = RocksOptions::Mode::secondary;
  following.secondary_dir = dir.path() / "notes";
  const auto follower = open(following);
  put(*store, kRows, "a", "2");
  CHECK(got(*follower, kRows, "a") == "1");
  REQUIRE(follower->catch_up());
  CHECK(got(*follower, kRows, "a") == "2");
}

TEST_CASE("damage is refused by name, and nothing is swept away", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  {
    const auto store = open(options);
    put(*store, kRows, "a", std::string(5'000, 'v'));
    REQUIRE(store->flush());
  }
  std::filesystem::path table;
  for (const auto& file : std::filesystem::directory_iterator(options.dir)) {
    if (file.path().extension() == ".sst") table = file.path();
  }
  REQUIRE(!table.empty());

  SECTION("no CURRENT") {
    std::filesystem::remove(options.dir / "CURRENT");
    CHECK(code_of(options) == "store_damaged");
    CHECK(std::filesystem::exists(table));
  }
  SECTION("CURRENT is garbage") {
    std::ofstream(options.dir / "CURRENT") << "garbage";
    CHECK(code_of(options) == "store_damaged");
  }
  SECTION("a table is gone") {
    std::filesystem::remove(table);
    CHECK(code_of(options) == "store_damaged");
  }
  SECTION("a byte of a row is wrong") {
    {
      std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(2'000);
      file.put('!');
    }
    const auto store = open(options);
    const auto value = store->get(kRows, bytes("a"));
    REQUIRE_FALSE(value);
    CHECK(value.error().is("store_damaged"));
    CHECK(value.error().category() == Errc::corrupt);
    CHECK(value.error().text().find("vvv") == std::string::npos);
    const auto cursor = store->cursor(kRows);
    cursor->seek_to_first();
    CHECK_FALSE(cursor->valid());
    CHECK_FALSE(cursor->status());
  }
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void leave(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

// Positions of the file at which one flipped bit is neither found nor told as checked by nothing.
std::vector<std::size_t> overlooked_in(const std::filesystem::path& file, const RocksOptions& options) {
  const auto whole = content_of(file);
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    leave(file, flipped);
    const auto told = check_files(options);
    const bool is_named = told && std::ranges::any_of(*told, [&](const UncheckedBytes& range) {
                            return range.file == file.filename() && range.from <= at && at < range.until;
                          });
    if (told && !is_named) out.push_back(at);
  }
  leave(file, whole);
  return out;
}

TEST_CASE("V2 a flipped bit of a store is found wherever it stands, or its place is told", "[unit][store][V2]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  {
    const auto store = open(options);
    for (const auto family : {kRows, kMarks}) {
      for (int i = 0; i < 8; ++i) put(*store, family, "key " + std::to_string(i), "value");
    }
    REQUIRE(store->flush());
    for (int i = 0; i < 8; ++i) put(*store, kRows, "later " + std::to_string(i), "value");
  }
  options.create = RocksOptions::Create::never;
  options.mode = RocksOptions::Mode::read_only;
  std::map<std::string, int> kinds;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(options.dir)) files.push_back(entry.path());
  for (const auto& file : files) {
    const auto name = file.filename().string();
    const auto kind = name.starts_with("MANIFEST") ? "MANIFEST" : file.extension().string();
    if (kind != "MANIFEST" && kind != ".sst" && kind != ".log") continue;
    ++kinds[kind];
    INFO(name << ", " << std::filesystem::file_size(file) << " bytes");
    CHECK(overlooked_in(file, options) == std::vector<std::size_t>());
  }
  CHECK(kinds == std::map<std::string, int>{{"MANIFEST", 1}, {".log", 1}, {".sst", 2}});
  const auto whole = check_files(options);
  REQUIRE(whole);
  CHECK(whole->empty());
}

TEST_CASE("a log is told up to where it holds, over blocks and records that span them", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  {
    const auto store = open(options);
    for (const std::size_t size : {10U, 32'700U, 5U, 100'000U, 32'768U, 40'000U, 1U}) {
      put(*store, kRows, std::to_string(size), std::string(size, 'x'));
    }
  }
  options.create = RocksOptions::Create::never;
  options.mode = RocksOptions::Mode::read_only;
  std::filesystem::path log;
  for (const auto& entry : std::filesystem::directory_iterator(options.dir)) {
    if (entry.path().extension() == ".log") log = entry.path();
  }
  const auto whole = content_of(log);
  REQUIRE(whole.size() > 200'000);
  REQUIRE(check_files(options));
  CHECK(check_files(options)->empty());
  for (const std::size_t size : {whole.size() - 1, std::size_t{150'000}, std::size_t{65'536}, std::size_t{3}}) {
    leave(log, whole.substr(0, size));
    const auto told = check_files(options);
    REQUIRE(told);
    INFO(size << " of " << whole.size());
    REQUIRE(told->size() == 1);
    CHECK(told->front().file == log.filename());
    CHECK(told->front().from < size);
    CHECK(told->front().until == size);
  }
  // What is told holds nothing: without it, nothing is told.
  leave(log, whole.substr(0, check_files(options)->front().from));
  CHECK(check_files(options)->empty());
}

TEST_CASE("a torn end of a log is told from damage before a later record", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  std::vector<std::uint64_t> ends;
  std::filesystem::path log;
  const std::vector<std::size_t> sizes = {10, 200, 32'700, 5, 100'000, 40'000, 90'000};
  {
    const auto store = open(options);
    for (const auto& entry : std::filesystem::directory_iterator(options.dir)) {
      if (entry.path().extension() == ".log") log = entry.path();
    }
    for (const auto size : sizes) {
      put(*store, kRows, std::to_string(size), std::string(size, 'x'));
      ends.push_back(std::filesystem::file_size(log));
    }
  }
  options.create = RocksOptions::Create::never;
  options.mode = RocksOptions::Mode::read_only;
  const auto whole = content_of(log);
  REQUIRE(whole.size() == ends.back());
  const auto was_followed = [&](const std::string& content) {
    leave(log, content);
    const auto told = check_logs(options);
    REQUIRE(told);
    REQUIRE(told->size() == 1);
    return told->front().was_followed;
  };
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto begin = i == 0 ? 0 : ends[i - 1];
    const bool is_last = i + 1 == sizes.size();
    INFO("record " << i << " from " << begin << " until " << ends[i]);
    for (auto at = begin; at < ends[i]; at += 1 + (ends[i] - begin) / 11) {
      auto damaged = whole;
      damaged[at] = static_cast<char>(~damaged[at]);
      CHECK(was_followed(damaged) == !is_last);
    }
    // The power went in the middle of the last record: sectors of it are there and others not, in any mix.
    for (unsigned mix = 1; mix < 32; ++mix) {
      auto torn = whole.substr(0, ends[i]);
      constexpr std::uint64_t kSectorBytes = 512;
      for (auto at = (begin / kSectorBytes + 1) * kSectorBytes; at < ends[i]; at += kSectorBytes) {
        if ((at * 0x9e37'79b9U >> 13 & 31U) == mix || (at / kSectorBytes) % 31 == mix) {
          torn.replace(at, std::min(kSectorBytes, ends[i] - at), std::min(kSectorBytes, ends[i] - at), '\0');
        }
      }
      if (torn != whole.substr(0, ends[i])) CHECK_FALSE(was_followed(torn));
    }
  }
}

TEST_CASE("a manifest that holds less than was synced is refused, what is torn behind that is not", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  {
    const auto store = open(options);
    for (const auto* key : {"a", "b", "c"}) {
      put(*store, kRows, key, "1");
      REQUIRE(store->flush());
    }
  }
  std::filesystem::path manifest, marks;
  const auto look = [&] {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(options.dir)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with("MANIFEST-")) manifest = entry.path(), ++files;
      if (name.starts_with("SYNCED-")) marks = entry.path(), ++files;
    }
    return files;
  };
  REQUIRE(look() == 2);
  const auto whole = content_of(manifest);
  const auto all_marks = content_of(marks);
  REQUIRE(all_marks.size() >= 3 * 12);
  const auto files_now = [&] {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(options.dir)) {
      const auto name = entry.path().filename().string();
      if (!name.starts_with("LOG")) out.push_back(name);
    }
    std::ranges::sort(out);
    return out;
  };

  SECTION("each byte of it is looked at, its last record too, and nothing is swept") {
    const auto before = files_now();
    for (const auto mode : {RocksOptions::Mode::read_only, RocksOptions::Mode::read_write}) {
      options.mode = mode;
      for (std::size_t at = 0; at < whole.size(); at += mode == RocksOptions::Mode::read_only ? 1 : 37) {
        INFO(at << " of " << whole.size());
        auto flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
        leave(manifest, flipped);
        REQUIRE(code_of(options) == "store_damaged");
      }
      for (std::size_t size = 1; size < whole.size(); size += 41) {
        leave(manifest, whole.substr(0, size));
        REQUIRE(code_of(options) == "store_damaged");
      }
    }
    CHECK(files_now() == before);
    leave(manifest, whole);
  }
  SECTION("what a power loss left behind it") {
    const auto record = whole.substr(whole.size() / 2);  // some of it looks like records
    auto bad = record;
    bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
    options.mode = RocksOptions::Mode::read_only;
    for (const auto& behind : {std::string("x"), std::string(600, '\0'), std::string(600, 'x'),
                               std::string(40'000, 'x'), bad, std::string(600, '\0') + record}) {
      INFO(behind.size());
      leave(manifest, whole + behind);
      CHECK(got(*open(options), kRows, "c") == "1");
      const auto told = check_files(options);
      REQUIRE(told);
      REQUIRE(told->size() == 1);
      CHECK(told->front().file == manifest.filename());
      CHECK(told->front().from == whole.size());
    }
    options.mode = RocksOptions::Mode::read_write;
  }
  SECTION("a mark is torn itself") {
    leave(manifest, whole + std::string(600, 'x'));
    leave(marks, all_marks + std::string(7, '\0'));
  }
  SECTION("of a version that kept no marks") {
    std::filesystem::remove(marks);
    leave(manifest, whole.substr(0, whole.size() - 1) + "x");
    CHECK(code_of(options) == "store_damaged");
    leave(manifest, whole);
  }
  for (int opening = 0; opening < 2; ++opening) {
    const auto store = open(options);
    for (const auto* key : {"a", "b", "c"}) CHECK(got(*store, kRows, key) == "1");
    CHECK(look() == 2);
    CHECK(marks.filename().string().substr(7) == manifest.filename().string().substr(9));
  }
}

TEST_CASE("a table that is missing is found, beside a writer too", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  const auto store = open(options);
  put(*store, kRows, "a", "1");
  REQUIRE(store->flush());
  put(*store, kRows, "a", "2");  // shadows the row in the table
  auto beside = options;
  beside.create = RocksOptions::Create::never;
  beside.mode = RocksOptions::Mode::secondary;
  beside.secondary_dir = dir.path() / "notes";
  REQUIRE(check_files(beside));
  for (const auto& entry : std::filesystem::directory_iterator(options.dir)) {
    if (entry.path().extension() == ".sst") std::filesystem::remove(entry.path());
  }
  CHECK(got(*open(beside), kRows, "a") == "2");
  const auto told = check_files(beside);
  REQUIRE(!told);
  CHECK(told.error().is("store_damaged"));
}

TEST_CASE("a checkpoint opens as a store of its moment", "[unit][store]") {
  const TempDir dir;
  const auto options = options_in(dir.path() / "store");
  const auto store = open(options);
  put(*store, kRows, "a", "1");
  REQUIRE(store->checkpoint(dir.path() / "copy"));
  put(*store, kRows, "a", "2");
  CHECK(got(*open(options_in(dir.path() / "copy")), kRows, "a") == "1");
  const auto again = store->checkpoint(dir.path() / "copy");
  REQUIRE_FALSE(again);
  CHECK(again.error().is("already_there"));
  CHECK(got(*store, kRows, "a") == "2");
}

TEST_CASE("F6 what was erased and compacted is in no file, and no value ever in the LOG", "[unit][store][F6]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  const auto store = open(options);
  const std::string secret = "made-up-secret-0815";
  for (int i = 0; i < 50; ++i) put(*store, kRows, "row" + std::to_string(i), i == 25 ? secret : "other");
  REQUIRE(store->flush());
  put(*store, kRows, "late", secret);
  REQUIRE(directory_holds(options.dir, secret));
  for (const auto& file : std::filesystem::directory_iterator(options.dir)) {
    if (file.path().filename().string().rfind("LOG", 0) != 0) continue;
    std::ifstream in(file.path());
    const std::string log((std::istreambuf_iterator<char>(in)), {});
    CHECK(log.find(secret) == log.npos);
  }
  erase(*store, kRows, "row25");
  erase(*store, kRows, "late");
  REQUIRE(store->compact(kRows));
  CHECK_FALSE(directory_holds(options.dir, secret));
  CHECK(got(*store, kRows, "row26") == "other");
}

TEST_CASE("without WAL, flush makes durable and a clean reopen keeps families together", "[unit][store]") {
  const TempDir dir;
  auto options = options_in(dir.path() / "store");
  options.wal = RocksOptions::Wal::off;
  {
    const auto store = open(options);
    put(*store, kRows, "a", "1");
    put(*store, kMarks, "position", "1");
    REQUIRE(store->flush());
  }
  const auto store = open(options);
  CHECK(got(*store, kRows, "a") == "1");
  CHECK(got(*store, kMarks, "position") == "1");
}

TEST_CASE("a disk that hangs under a store with threads of its own holds up no other store", "[unit][store]") {
  test::CrashDisk disk(1);
  auto options = options_in("/store");
  options.file_system = disk.file_system();
  options.threads = RocksOptions::Threads::own;
  const auto hung = open(options);
  OnRocksDB other;
  put(*hung, kRows, "a", "1");
  put(*other.store, kRows, "a", "1");
  {
    const test::Hanging hanging(disk);
    const auto flushed = std::async(std::launch::async, [&] { return hung->flush(); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!disk.hung() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    REQUIRE(disk.hung());
    auto quick = std::async(std::launch::async, [&] { return other.store->flush(); });
    CHECK(quick.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
    disk.hang(false);
  }
  REQUIRE(hung->flush());
  CHECK(got(*hung, kRows, "a") == "1");
}

TEST_CASE("one block cache bounds several stores", "[unit][store]") {
  const TempDir dir;
  const auto cache = make_block_cache(std::size_t{1} << 20);
  auto first = options_in(dir.path() / "first");
  auto second = options_in(dir.path() / "second");
  first.cache = second.cache = cache;
  const auto a = open(first);
  const auto b = open(second);
  std::mt19937_64 random(3);
  for (auto* store : {a.get(), b.get()}) {
    for (int i = 0; i < 300; ++i) {
      std::string value(8'000, '\0');
      for (auto& byte : value) byte = static_cast<char>(random());
      put(*store, kRows, std::to_string(i), value);
    }
    REQUIRE(store->flush());
    for (int i = 0; i < 300; ++i) got(*store, kRows, std::to_string(i));
  }
  CHECK(a->stats().cache_bytes == b->stats().cache_bytes);
  CHECK(a->stats().cache_bytes <= (std::size_t{1} << 20) + (std::size_t{256} << 10));
  CHECK(a->stats().table_bytes > 300 * 8'000);
  CHECK(a->rows_estimate(kRows) == 300);
  CHECK_FALSE(a->stats().writes_stopped);
}
