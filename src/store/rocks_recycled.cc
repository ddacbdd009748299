#include "store/rocks_recycled.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "store/rocks_records.h"

namespace siegel {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr char kUnknownType = 0x7F;

bool is_recycled(std::uint8_t type) { return (type >= 5 && type <= 8) || type == 11 || type == 131; }

// Goes from header to header as RocksDB does, in whatever pieces the file is read.
class Records final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  explicit Records(std::unique_ptr<rocksdb::FSSequentialFile> file) : FSSequentialFileOwnerWrapper(std::move(file)) {}

  IOStatus Read(std::size_t n, const IOOptions& options, Slice* out, char* scratch, IODebugContext* context) override {
    auto done = target()->Read(n, options, out, scratch, context);
    if (!done.ok() || out->empty()) return done;
    if (out->data() != scratch) {
      std::memcpy(scratch, out->data(), out->size());
      *out = Slice(scratch, out->size());
    }
    look_at(scratch, out->size());
    return done;
  }
  IOStatus Skip(std::uint64_t n) override {
    auto done = target()->Skip(n);
    if (done.ok()) pass(n);
    return done;
  }

 private:
  void look_at(char* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size;) {
      if (at_ % kRecordBlockBytes == 0) left_ = header_ = 0;
      const auto in_block = kRecordBlockBytes - at_ % kRecordBlockBytes;
      if (left_ == 0 && header_ == 0 && in_block < kRecordHeaderBytes)
        left_ = in_block;  // too short for another record
      if (left_ > 0) {
        const auto step = std::min({left_, in_block, static_cast<std::uint64_t>(size - i)});
        left_ -= step;
        at_ += step;
        i += step;
        continue;
      }
      const auto byte = static_cast<std::uint8_t>(bytes[i]);
      if (header_ == 4) length_ = byte;
      if (header_ == 5) length_ |= static_cast<std::uint64_t>(byte) << 8;
      if (header_ == 6 && is_recycled(byte)) bytes[i] = kUnknownType;
      if (++header_ == kRecordHeaderBytes) {
        left_ = length_;
        header_ = 0;
      }
      ++at_;
      ++i;
    }
  }
  void pass(std::uint64_t n) {  // nothing is known until the next block
    at_ += n;
    header_ = 0;
    left_ = kRecordBlockBytes - at_ % kRecordBlockBytes;
  }

  std::uint64_t at_ = 0;      // in the file
  std::uint64_t header_ = 0;  // bytes of one that were seen
  std::uint64_t length_ = 0;  // as it says
  std::uint64_t left_ = 0;    // until the next header, or the end of the block
};

class Files final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "SiegelWithoutRecycledRecords"; }

  IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* out, IODebugContext* context) override {
    auto done = target()->NewSequentialFile(path, options, out, context);
    const auto name = std::string_view(path).substr(path.rfind('/') + 1);
    const bool has_records = name.ends_with(".log") || name.starts_with("MANIFEST-");
    if (done.ok() && has_records) *out = std::make_unique<Records>(std::move(*out));
    return done;
  }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> without_recycled_records(const std::shared_ptr<rocksdb::FileSystem>& files) {
  return std::make_shared<Files>(files);
}

}  // namespace siegel
