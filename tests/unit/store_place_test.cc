// A store on RocksDB whose directory is moved away while it is open.
#include <fstream>
#include <iterator>
#include <map>

#include "store/store.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace {

using namespace siegel;
using siegel::test::TempDir;

constexpr Family kRows{0};

RocksOptions options_in(const std::filesystem::path& dir) {
  RocksOptions options;
  options.dir = dir;
  options.families = {{.name = "rows"}};
  options.create = RocksOptions::Create::if_missing;
  return options;
}

std::unique_ptr<Store> open(const RocksOptions& options) {
  auto opened = open_rocksdb(options);
  if (!opened) FAIL(opened.error().text());
  return std::move(*opened);
}

ByteView bytes(std::string_view text) { return as_bytes(text); }

void put(Store& store, std::string_view key, std::string_view value) {
  Batch batch;
  batch.put(kRows, bytes(key), bytes(value));
  REQUIRE(store.write(batch, Sync::yes));
}

std::string got(Store& store, std::string_view key) {
  const auto value = store.get(kRows, bytes(key));
  REQUIRE(value);
  return *value ? std::string(as_chars(**value)) : "-";
}

// Names and bytes of all that stands there.
std::map<std::string, std::string> files_in(const std::filesystem::path& dir) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    std::ifstream file(entry.path(), std::ios::binary);
    out[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
  }
  return out;
}

}  // namespace

TEST_CASE("a store that was moved away changes nothing of what has been put in its place", "[unit][store]") {
  const bool same_life = GENERATE(true, false);  // a copy of the open store, or of the life before
  const bool knows = GENERATE(true, false);      // it has met its absence before it is closed
  const bool flushed_after = GENERATE(true, false);
  CAPTURE(same_life, knows, flushed_after);
  const TempDir dir;
  const auto options = options_in(dir.path() / "store");
  const auto copy = dir.path() / "copy", away = dir.path() / "away";
  auto store = open(options);
  put(*store, "a", std::string(1'000, 'a'));
  REQUIRE(store->flush());
  put(*store, "b", "2");
  if (!same_life) store.reset();
  std::filesystem::copy(options.dir, copy);
  if (!same_life) store = open(options);
  put(*store, "c", std::string(5'000, 'c'));
  if (flushed_after) REQUIRE(store->flush());  // its manifest is longer than that of the copy
  put(*store, "d", "4");

  std::filesystem::rename(options.dir, away);
  std::filesystem::rename(copy, options.dir);
  const auto before = files_in(options.dir);
  Batch batch;
  batch.put(kRows, bytes("e"), bytes("5"));
  if (knows) CHECK(store->write(batch, Sync::yes).error().is("store_missing"));
  CHECK(got(*store, "c").size() == 5'000);
  store.reset();
  CHECK((files_in(options.dir) == before));  // not printed: it is long
  store = open(options);
  CHECK(got(*store, "b") == "2");
  CHECK(got(*store, "c") == "-");
  store.reset();

  // Put back, what was moved away is whole.
  std::filesystem::remove_all(options.dir);
  std::filesystem::rename(away, options.dir);
  store = open(options);
  CHECK(got(*store, "d") == "4");
}

TEST_CASE("a store that was away for a moment goes on", "[unit][store]") {
  const TempDir dir;
  const auto options = options_in(dir.path() / "store");
  auto store = open(options);
  put(*store, "a", "1");
  std::filesystem::rename(options.dir, dir.path() / "away");
  CHECK(store->at_place().error().is("store_missing"));
  std::filesystem::rename(dir.path() / "away", options.dir);
  CHECK(store->at_place());
  put(*store, "b", "2");
  REQUIRE(store->flush());
  store.reset();
  CHECK(got(*open(options), "b") == "2");
}
