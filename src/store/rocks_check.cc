// Every byte of a store's files against what RocksDB wrote beside it.
//
// Tables:   the checksum of the whole file, which the manifest holds. RocksDB's own check of a table goes block by
// block
//           and sees neither the padding of the footer nor that a file is longer than it was.
// Logs and manifest: blocks of 32 KiB of records (crc32c u32, length u16, type u8, payload; little-endian, the crc
//           rotated), each block's last bytes zero where no record begins. RocksDB reads up to the first record that
//           does not hold, and takes it for the end: what a killed process left looks the same.
#include <rocksdb/file_checksum.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "store/rocks_error.h"
#include "store/rocks_store.h"

namespace siegel {

namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;
constexpr std::uint64_t kFooterBytes = 53;  // of a table: block checksums cover what stands before
constexpr int kOpenTriesBesideWriter = 5;
constexpr std::chrono::milliseconds kBetweenTries{50};

// Gives the file to `take` from its beginning, piece by piece. not_found file_missing.
template <class F>
Status read_through(rocksdb::FileSystem& files, const std::string& path, F&& take) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  const auto opened = files.NewSequentialFile(path, {}, &file, nullptr);
  if (opened.IsNotFound() || opened.IsPathNotFound()) {
    return Error(Errc::not_found, "file_missing", "A file of the store is missing.");
  }
  if (!opened.ok()) return error_of(opened);
  std::string scratch(kReadBytes, '\0');
  for (;;) {
    rocksdb::Slice piece;
    const auto done = file->Read(kReadBytes, {}, &piece, scratch.data(), nullptr);
    if (!done.ok()) return error_of(done);
    if (piece.empty()) return Done{};
    take(piece);
  }
}

std::unique_ptr<rocksdb::FileChecksumGenerator> new_checksum() {
  return rocksdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator({});
}

std::uint32_t crc32c(rocksdb::Slice bytes) {
  const auto sum = new_checksum();
  sum->Update(bytes.data(), bytes.size());
  sum->Finalize();
  const auto text = sum->GetChecksum();  // four bytes, big-endian
  return get_be<std::uint32_t>(as_bytes(text).data());
}

template <class T>
T little_endian(const std::uint8_t* at) noexcept {
  T out = 0;
  for (std::size_t i = sizeof(T); i > 0; --i) out = static_cast<T>((out << 8) | at[i - 1]);
  return out;
}

// The records of one log or manifest, given in pieces.
class RecordFile {
 public:
  static constexpr std::size_t kBlockBytes = 32'768;

  void take(rocksdb::Slice piece) {
    while (!piece.empty()) {
      const auto n = std::min(piece.size(), kBlockBytes - block_.size());
      block_.append(piece.data(), n);
      piece.remove_prefix(n);
      if (block_.size() == kBlockBytes) take_block();
    }
  }
  // The parts of the file that nothing covers, ascending.
  std::vector<UncheckedBytes> finish(const std::string& name) {
    take_block();
    if (!ended_ && within_) end_at(record_begin_);
    if (ended_) unchecked_.push_back({.file = "", .from = *ended_, .until = at_, .was_followed = was_followed_});
    for (auto& range : unchecked_) range.file = name;
    return std::move(unchecked_);
  }

 private:
  static constexpr std::size_t kHeaderBytes = 7;
  enum Type : std::uint8_t { full = 1, first = 2, middle = 3, last = 4 };

  void take_block() {
    if (ended_ && !was_followed_) look_for_begin(0);
    std::size_t in = 0;
    while (!ended_ && block_.size() - in >= kHeaderBytes) {
      const auto taken = take_record(in);
      if (taken == 0) {
        look_for_begin(in + 1);
        break;
      }
      in += taken;
    }
    if (!ended_ && block_.find_first_not_of('\0', in) != std::string::npos) {
      if (block_.size() < kBlockBytes) {
        end_at(at_ + in);
      } else {
        unchecked_.push_back({.file = "", .from = at_ + in, .until = at_ + block_.size()});
      }
    }
    at_ += block_.size();
    block_.clear();
  }
  // The record's length; 0: there is none.
  std::size_t take_record(std::size_t in) {
    const auto length = length_if_it_holds(in);
    if (length == 0) {
      end_at(within_ ? record_begin_ : at_ + in);
      return 0;
    }
    const auto type = type_at(in);
    if (type == full || type == first) record_begin_ = at_ + in;
    within_ = type == first || type == middle;
    return length;
  }
  // Behind the end: the parts of the record that does not hold may be whole, so only a begin tells of another one.
  void look_for_begin(std::size_t in) {
    while (block_.size() >= in + kHeaderBytes && !was_followed_) {
      const auto type = type_at(in);
      const auto length = type >= full && type <= last ? length_if_it_holds(in) : 0;
      was_followed_ = length != 0 && (type == full || type == first);
      in += std::max<std::size_t>(length, 1);
    }
  }
  [[nodiscard]] std::uint8_t type_at(std::size_t in) const noexcept {
    return static_cast<std::uint8_t>(block_[in + kHeaderBytes - 1]);
  }
  // With its header; 0: it does not hold.
  [[nodiscard]] std::size_t length_if_it_holds(std::size_t in) const {
    const auto* const header = reinterpret_cast<const std::uint8_t*>(block_.data()) + in;
    const auto crc = little_endian<std::uint32_t>(header);
    const auto length = little_endian<std::uint16_t>(header + 4);
    const bool holds = block_.size() - in - kHeaderBytes >= length &&
                       crc == masked(crc32c({block_.data() + in + kHeaderBytes - 1, length + 1U}));
    return holds ? kHeaderBytes + length : 0;
  }
  static std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282'ead8U; }
  void end_at(std::uint64_t at) { ended_ = at; }

  std::string block_;
  std::uint64_t at_ = 0;  // of the block in the file
  std::uint64_t record_begin_ = 0;
  bool within_ = false;  // a record that goes on in the next block
  std::optional<std::uint64_t> ended_;
  bool was_followed_ = false;  // a record begins behind ended_
  std::vector<UncheckedBytes> unchecked_;
};

// The same of all files of that kind in the directory whose name is `wanted`.
template <class F>
Result<std::vector<UncheckedBytes>> unchecked_in(rocksdb::FileSystem& files, const std::string& dir, F&& wanted) {
  std::vector<std::string> names;
  SIEGEL_CHECK(status_of(files.GetChildren(dir, {}, &names, nullptr)));
  std::erase_if(names, [&](const std::string& name) { return !wanted(name); });
  std::ranges::sort(names);
  std::vector<UncheckedBytes> out;
  for (const auto& name : names) {
    RecordFile records;
    auto read = read_through(files, dir + "/" + name, [&](const rocksdb::Slice& piece) { records.take(piece); });
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
