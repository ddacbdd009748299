// Every byte of a store's files against what RocksDB wrote beside it.
//
// Tables: the checksum of the whole file, which the manifest holds. RocksDB's own check of a table goes block by block
//         and sees neither the padding of the footer nor that a file is longer than it was.
// Logs and manifest: their records (rocks_records.h).
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "store/rocks_error.h"
#include "store/rocks_records.h"
#include "store/rocks_store.h"

namespace siegel {

namespace {

constexpr std::uint64_t kFooterBytes = 53;  // of a table: block checksums cover what stands before
constexpr int kOpenTriesBesideWriter = 5;
constexpr std::chrono::milliseconds kBetweenTries{50};

// What no checksum covers in the logs or manifests of the directory whose name is `wanted`.
template <class F>
Result<std::vector<UncheckedBytes>> unchecked_in(rocksdb::FileSystem& files, const std::string& dir, F&& wanted) {
  std::vector<std::string> names;
  SIEGEL_CHECK(status_of(files.GetChildren(dir, {}, &names, nullptr)));
  std::erase_if(names, [&](const std::string& name) { return !wanted(name); });
  std::ranges::sort(names);
  std::vector<UncheckedBytes> out;
  for (const auto& name : names) {
    RecordFile records;
    auto path = dir;
    path.append("/").append(name);
    auto read = read_through(files, path, [&](const rocksdb::Slice& piece) { records.take(piece); });
    if (!read && read.error().is("file_missing")) continue;  // a writer has taken it away
    SIEGEL_CHECK(std::move(read));
    for (auto& range : records.finish(name)) out.push_back(std::move(range));
  }
  return out;
}

class Check {
 public:
  explicit Check(const RocksOptions& options)
      : options_(options),
        dir_(options.dir.string()),
        open_tries_(options.mode == RocksOptions::Mode::secondary ? kOpenTriesBesideWriter : 1) {
    options_.mode = RocksOptions::Mode::read_only;  // strict: each table of the manifest is there with its size
  }

  Result<std::vector<UncheckedBytes>> run() {
    SIEGEL_CHECK(check_tables());
    SIEGEL_CHECK(check_records());
    return std::move(unchecked_);
  }

 private:
  // A writer may take tables away between their being named and their being read: then they are named anew. One that is
  // named again is missing.
  Status check_tables() {
    std::set<std::string> missing;
    for (;;) {
      SIEGEL_TRY(settings_and_db, open_strictly());
      auto& [settings, open] = settings_and_db;
      std::vector<rocksdb::LiveFileMetaData> tables;
      open->db->GetLiveFilesMetaData(&tables);
      bool again = false;
      for (const auto& table : tables) {
        if (checked_.contains(table.name)) continue;  // a table never changes
        auto done = check_table(*settings.file_system, *open, table);
        if (!done && done.error().is("file_missing")) {
          if (!missing.insert(table.name).second) {
            return damaged("A table that belongs to the store is missing.", table.name);
          }
          again = true;
          continue;
        }
        SIEGEL_CHECK(std::move(done));
        checked_.insert(table.name);
      }
      if (!again) return Done{};
    }
  }

  struct Opened {
    RocksSettings settings;
    std::shared_ptr<OpenDb> open;
  };
  Result<Opened> open_strictly() {
    auto settings = settings_of(options_);
    auto opened = open_db(options_, settings);
    for (int tries = 1; !opened && tries < open_tries_; ++tries) {
      std::this_thread::sleep_for(kBetweenTries);
      opened = open_db(options_, settings);
    }
    if (!opened) return Error(opened.error());
    return Opened{std::move(settings), std::move(*opened)};
  }

  Status check_table(rocksdb::FileSystem& files, OpenDb& open, const rocksdb::LiveFileMetaData& table) {
    const auto sum = new_checksum();
    std::uint64_t size = 0;
    SIEGEL_CHECK(read_through(files, dir_ + table.name, [&](const rocksdb::Slice& piece) {
      sum->Update(piece.data(), piece.size());
      size += piece.size();
    }));
    sum->Finalize();
    if (table.file_checksum_func_name == sum->Name()) {
      return table.file_checksum == sum->GetChecksum() ? Status(Done{}) : damaged("A table is damaged.", table.name);
    }
    // Of a version that kept no such checksums: those of the blocks, once for all tables.
    if (!blocks_checked_) SIEGEL_CHECK(status_of(open.db->VerifyChecksum()));
    blocks_checked_ = true;
    unchecked_.push_back({table.name.substr(1), size - std::min(size, kFooterBytes), size});
    return Done{};
  }

  Status check_records() {
    auto& files = *settings_of(options_).file_system;
    std::string current;
    SIEGEL_CHECK(
        read_through(files, dir_ + "/CURRENT", [&](const rocksdb::Slice& piece) { current += piece.ToString(); }));
    while (current.ends_with('\n')) current.pop_back();
    SIEGEL_TRY(ranges, unchecked_in(files, dir_, [&](const std::string& name) {
                 return name == current || name.ends_with(".log");
               }));
    unchecked_.insert(unchecked_.end(), ranges.begin(), ranges.end());
    return Done{};
  }

  static Error damaged(const char* what, const std::string& table) {
    return Error(Errc::corrupt, "store_damaged", what).with("file", table.substr(1));
  }

  RocksOptions options_;
  std::string dir_;
  int open_tries_;
  std::set<std::string> checked_;
  bool blocks_checked_ = false;
  std::vector<UncheckedBytes> unchecked_;
};

}  // namespace

Result<std::vector<UncheckedBytes>> check_files(const RocksOptions& options) { return Check(options).run(); }

Result<std::vector<UncheckedBytes>> check_logs(const RocksOptions& options) {
  return unchecked_in(*settings_of(options).file_system, options.dir.string(),
                      [](const std::string& name) { return name.ends_with(".log"); });
}

}  // namespace siegel
