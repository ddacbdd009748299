// Private to store: the files of records, which are RocksDB's logs and manifests.
//
// Blocks of 32 KiB of records (crc32c u32, length u16, type u8, payload; little-endian, the crc rotated), each block's
// last bytes zero where no record begins. RocksDB reads a log up to the first record that does not hold, and takes it
// for the end: what a killed process left looks the same.
#pragma once

#include <rocksdb/file_checksum.h>
#include <rocksdb/file_system.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace siegel {

inline constexpr std::size_t kRecordBlockBytes = 32'768;
inline constexpr std::size_t kRecordHeaderBytes = 7;

// Gives the file to `take` from its beginning, piece by piece. not_found file_missing.
Status read_through(rocksdb::FileSystem& files, const std::string& path,
                    const std::function<void(const rocksdb::Slice&)>& take);

std::unique_ptr<rocksdb::FileChecksumGenerator> new_checksum();
std::uint32_t crc32c(rocksdb::Slice bytes);

// The records of one log or manifest, given in pieces.
class RecordFile {
 public:
  void take(rocksdb::Slice piece);
  // After the last piece: the parts of the file that nothing covers, ascending, and where its whole records end.
  std::vector<UncheckedBytes> finish(const std::string& name);
  [[nodiscard]] std::uint64_t whole_bytes() const { return ended_.value_or(at_); }

 private:
  void take_block();
  std::size_t take_record(std::size_t in);
  void look_for_begin(std::size_t in);
  [[nodiscard]] std::uint8_t type_at(std::size_t in) const noexcept;
  [[nodiscard]] std::size_t length_if_it_holds(std::size_t in) const;  // with its header; 0: it does not hold
  void end_at(std::uint64_t at) { ended_ = at; }

  std::string block_;
  std::uint64_t at_ = 0;  // of the block in the file
  std::uint64_t record_begin_ = 0;
  bool within_ = false;  // a record that goes on in the next block
  std::optional<std::uint64_t> ended_;
  bool was_followed_ = false;  // a record begins behind ended_
  std::vector<UncheckedBytes> unchecked_;
};

}  // namespace siegel
