#include "sheet/zip.h"

#include <minizip/unzip.h>

#include <algorithm>
#include <cstdio>
#include <map>

namespace siegel::sheet {
namespace {

constexpr std::size_t kPartsMax = 10'000;
constexpr std::size_t kNameBytesMax = 1024;
constexpr uLong kEncryptedFlag = 1;

Error damaged(const char* what, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "damaged_file", what, at);
}

// What minizip takes for a file.
struct Memory {
  std::string_view bytes;
  std::size_t at = 0;
};

Memory& memory_of(voidpf stream) { return *static_cast<Memory*>(stream); }

voidpf open_memory(voidpf opaque, const void* /*name*/, int /*mode*/) { return opaque; }
int close_memory(voidpf /*opaque*/, voidpf /*stream*/) { return 0; }
int error_of_memory(voidpf /*opaque*/, voidpf /*stream*/) { return 0; }
uLong write_memory(voidpf /*opaque*/, voidpf /*stream*/, const void* /*from*/, uLong /*size*/) { return 0; }
ZPOS64_T tell_memory(voidpf /*opaque*/, voidpf stream) { return memory_of(stream).at; }

uLong read_memory(voidpf /*opaque*/, voidpf stream, void* to, uLong size) {
  auto& memory = memory_of(stream);
  const auto now = std::min<std::size_t>(size, memory.bytes.size() - memory.at);
  std::memcpy(to, memory.bytes.data() + memory.at, now);
  memory.at += now;
  return static_cast<uLong>(now);
}

long seek_memory(voidpf /*opaque*/, voidpf stream, ZPOS64_T offset, int origin) {
  auto& memory = memory_of(stream);
  ZPOS64_T base = 0;
  if (origin == ZLIB_FILEFUNC_SEEK_CUR) base = memory.at;
  if (origin == ZLIB_FILEFUNC_SEEK_END) base = memory.bytes.size();
  if (base + offset > memory.bytes.size() || base + offset < base) return -1;
  memory.at = static_cast<std::size_t>(base + offset);
  return 0;
}

std::string key_of(std::string_view name) {
  if (name.starts_with('/')) name.remove_prefix(1);
  std::string out(name);
  for (char& c : out) {
    if (c == '\\') c = '/';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

struct Part {
  unz64_file_pos position = {};
  std::uint64_t size = 0;     // as the directory says
  std::uint64_t counted = 0;  // of what was unpacked, towards the limit
  bool encrypted = false;
};

class MinizipZip final : public Zip {
 public:
  MinizipZip(ByteView bytes, std::uint64_t unpacked_bytes_max)
      : memory_{as_chars(bytes)}, unpacked_bytes_max_(unpacked_bytes_max) {}
  MinizipZip(const MinizipZip&) = delete;
  MinizipZip& operator=(const MinizipZip&) = delete;
  ~MinizipZip() override {
    if (zip_ == nullptr) return;
    deselect();
    unzClose(zip_);
  }

  Status read_directory();
  [[nodiscard]] bool has(std::string_view name) const override { return parts_.count(key_of(name)) != 0; }
  Status select(std::string_view name) override;
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  int deselect() {
    const int closed = part_ == nullptr ? UNZ_OK : unzCloseCurrentFile(zip_);
    part_ = nullptr;
    return closed;
  }
  Status count();

  Memory memory_;
  unzFile zip_ = nullptr;
  std::map<std::string, Part> parts_;
  Part* part_ = nullptr;       // open in zip_
  std::uint64_t read_ = 0;     // of it
  std::uint64_t counted_ = 0;  // of all parts
  std::uint64_t unpacked_bytes_max_;
};

Status MinizipZip::read_directory() {
  zlib_filefunc64_def calls = {open_memory, read_memory,  write_memory,    tell_memory,
                               seek_memory, close_memory, error_of_memory, &memory_};
  zip_ = unzOpen2_64("", &calls);
  if (zip_ == nullptr) return damaged("The file is a zip without its directory; it was cut off or changed on its way.");
  int status = unzGoToFirstFile(zip_);
  for (; status == UNZ_OK; status = unzGoToNextFile(zip_)) {
    unz_file_info64 about = {};
    char name[kNameBytesMax + 1] = {};
    if (unzGetCurrentFileInfo64(zip_, &about, name, kNameBytesMax, nullptr, 0, nullptr, 0) != UNZ_OK)
      return damaged("The zip's directory is damaged.");
    Part part{{}, about.uncompressed_size, 0, (about.flag & kEncryptedFlag) != 0};
    if (unzGetFilePos64(zip_, &part.position) != UNZ_OK) return damaged("The zip's directory is damaged.");
    if (parts_.size() == kPartsMax) return damaged("The zip has more parts than a spreadsheet can have.");
    if (!parts_.emplace(key_of(name), part).second) return damaged("The zip has a part twice.");
  }
  unz_global_info64 about = {};
  if (status != UNZ_END_OF_LIST_OF_FILE || unzGetGlobalInfo64(zip_, &about) != UNZ_OK)
    return damaged("The zip's directory is damaged.");
  return Done{};
}

Status MinizipZip::select(std::string_view name) {
  deselect();
  const auto found = parts_.find(key_of(name));
  if (found == parts_.end()) return damaged("The zip lacks a part that it refers to.");
  if (found->second.encrypted)
    return Error(Errc::invalid, "encrypted_file", "The zip is protected by a password; save it without one.");
  if (unzGoToFilePos64(zip_, &found->second.position) != UNZ_OK || unzOpenCurrentFile(zip_) != UNZ_OK)
    return damaged("A part of the zip cannot be opened.");
  part_ = &found->second;
  read_ = 0;
  return Done{};
}

Status MinizipZip::count() {
  if (read_ <= part_->counted) return Done{};
  counted_ += read_ - part_->counted;
  part_->counted = read_;
  if (counted_ <= unpacked_bytes_max_) return Done{};
  return Error(Errc::invalid, "too_large", "Unpacked, the file is larger than this server takes.")
      .with("limit_name", "sheet_unpacked_bytes_max")
      .with("limit_value", unpacked_bytes_max_);
}

Result<std::size_t> MinizipZip::read(std::span<char> buffer) {
  if (part_ == nullptr || buffer.empty()) return std::size_t{0};
  const int got = unzReadCurrentFile(zip_, buffer.data(), static_cast<unsigned>(buffer.size()));
  if (got < 0) return damaged("A part of the zip cannot be unpacked.");
  read_ += static_cast<std::uint64_t>(got);
  SIEGEL_CHECK(count());
  if (got > 0) return static_cast<std::size_t>(got);
  const bool whole = read_ == part_->size;
  if (deselect() != UNZ_OK || !whole) return damaged("A part of the zip is not what its checksum says.");
  return std::size_t{0};
}

}  // namespace

Result<std::unique_ptr<Zip>> Zip::open(ByteView bytes, std::uint64_t unpacked_bytes_max) {
  auto zip = std::make_unique<MinizipZip>(bytes, unpacked_bytes_max);
  SIEGEL_CHECK(zip->read_directory());
  return std::unique_ptr<Zip>(std::move(zip));
}

Result<std::string> Zip::read_small(std::string_view name, std::size_t bytes_max) {
  SIEGEL_CHECK(select(name));
  std::string out(bytes_max, '\0');
  std::size_t size = 0;
  while (size < bytes_max) {
    SIEGEL_TRY(got, read(std::span(out).subspan(size)));
    if (got == 0) break;
    size += got;
  }
  out.resize(size);
  return out;
}

}  // namespace siegel::sheet
