#include "store/rocks_records.h"

#include <algorithm>

#include "base/bytes.h"
#include "store/rocks_error.h"

namespace siegel {

namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;
enum Type : std::uint8_t { full = 1, first = 2, middle = 3, last = 4 };

template <class T>
T little_endian(const std::uint8_t* at) noexcept {
  T out = 0;
  for (std::size_t i = sizeof(T); i > 0; --i) out = static_cast<T>((out << 8) | at[i - 1]);
  return out;
}

std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282'ead8U; }

}  // namespace

Status read_through(rocksdb::FileSystem& files, const std::string& path,
                    const std::function<void(const rocksdb::Slice&)>& take) {
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

void RecordFile::take(rocksdb::Slice piece) {
  while (!piece.empty()) {
    const auto n = std::min(piece.size(), kRecordBlockBytes - block_.size());
    block_.append(piece.data(), n);
    piece.remove_prefix(n);
    if (block_.size() == kRecordBlockBytes) take_block();
  }
}

std::vector<UncheckedBytes> RecordFile::finish(const std::string& name) {
  take_block();
  if (!ended_ && within_) end_at(record_begin_);
  if (ended_) unchecked_.push_back({.file = "", .from = *ended_, .until = at_, .was_followed = was_followed_});
  for (auto& range : unchecked_) range.file = name;
  return std::move(unchecked_);
}

void RecordFile::take_block() {
  if (ended_ && !was_followed_) look_for_begin(0);
  std::size_t in = 0;
  while (!ended_ && block_.size() - in >= kRecordHeaderBytes) {
    const auto taken = take_record(in);
    if (taken == 0) {
      look_for_begin(in + 1);
      break;
    }
    in += taken;
  }
  if (!ended_ && block_.find_first_not_of('\0', in) != std::string::npos) {
    if (block_.size() < kRecordBlockBytes) {
      end_at(at_ + in);
    } else {
      unchecked_.push_back({.file = "", .from = at_ + in, .until = at_ + block_.size()});
    }
  }
  at_ += block_.size();
  block_.clear();
}

// The record's length; 0: there is none.
std::size_t RecordFile::take_record(std::size_t in) {
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
void RecordFile::look_for_begin(std::size_t in) {
  while (block_.size() >= in + kRecordHeaderBytes && !was_followed_) {
    const auto type = type_at(in);
    const auto length = type >= full && type <= last ? length_if_it_holds(in) : 0;
    was_followed_ = length != 0 && (type == full || type == first);
    in += std::max<std::size_t>(length, 1);
  }
}

std::uint8_t RecordFile::type_at(std::size_t in) const noexcept {
  return static_cast<std::uint8_t>(block_[in + kRecordHeaderBytes - 1]);
}

std::size_t RecordFile::length_if_it_holds(std::size_t in) const {
  const auto* const header = reinterpret_cast<const std::uint8_t*>(block_.data()) + in;
  const auto crc = little_endian<std::uint32_t>(header);
  const auto length = little_endian<std::uint16_t>(header + 4);
  const bool holds = block_.size() - in - kRecordHeaderBytes >= length &&
                     crc == masked(crc32c({block_.data() + in + kRecordHeaderBytes - 1, length + 1U}));
  return holds ? kRecordHeaderBytes + length : 0;
}

}  // namespace siegel
