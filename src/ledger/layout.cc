#include "ledger/layout.h"

#include <bit>

#include "base/assert.h"
#include "ledger/ledger.h"

namespace siegel::ledger {

namespace {

constexpr std::uint16_t kHeadFormat = 1;
constexpr std::size_t kSmallBuffer = std::size_t{1} << 20;  // of families with one row

}  // namespace

std::vector<FamilyOptions> Ledger::families() {
  return {{.name = "headers"},
          {.name = "payloads"},
          {.name = "tiles", .write_buffer_bytes = std::size_t{4} << 20},
          {.name = "head", .write_buffer_bytes = kSmallBuffer},
          {.name = "checkpoints", .write_buffer_bytes = kSmallBuffer}};
}

ByteArray<9> tile_key(unsigned level, std::uint64_t index) {
  ByteArray<9> key;
  key[0] = static_cast<std::uint8_t>(level);
  put_be(key.data() + 1, index);
  return key;
}

Bytes encode(const Head& head) {
  SIEGEL_ASSERT(head.frontier.size() == static_cast<std::size_t>(std::popcount(head.size.get())));
  Bytes out;
  out.reserve(48 + sizeof(Hash) * head.frontier.size() + head.origin.size());
  append_be(out, kHeadFormat);
  append_be(out, static_cast<std::uint16_t>(head.frontier.size()));
  append_be(out, static_cast<std::uint16_t>(head.origin.size()));
  append_be(out, std::uint16_t{0});
  append(out, head.id.get());
  append_be(out, head.size.get());
  append_be(out, head.time.get());
  append_be(out, head.keys_mark.get());
  append_be(out, head.epoch.get());
  for (const auto& hash : head.frontier) append(out, hash);
  append(out, as_bytes(head.origin));
  return out;
}

Result<Head> decode_head(ByteView bytes) {
  ByteReader reader(bytes);
  std::uint16_t format = 0, hashes = 0, origin_bytes = 0, zero = 0;
  std::uint64_t size = 0, time = 0, keys_mark = 0, epoch = 0;
  ByteView id, origin;
  if (!reader.take_be(format)) return damaged("The head row is cut short.");
  if (format > kHeadFormat) {
    return Error(Errc::corrupt, "format_newer", "The ledger was written by a newer version.").with("format", format);
  }
  if (format == 0 || !reader.take_be(hashes) || !reader.take_be(origin_bytes) || !reader.take_be(zero) || zero != 0 ||
      !reader.take(8, id) || !reader.take_be(size) || !reader.take_be(time) || !reader.take_be(keys_mark) ||
      !reader.take_be(epoch) || hashes != std::popcount(size)) {
    return damaged("The head row is not what was written.");
  }
  Head head{.id = LedgerId(to_array<8>(id)),
            .origin = {},
            .size = TreeSize(size),
            .time = TimeMs(time),
            .keys_mark = KeysMark(keys_mark),
            .epoch = Epoch(epoch),
            .frontier = {}};
  for (std::uint16_t i = 0; i < hashes; ++i) {
    ByteView hash;
    if (!reader.take(sizeof(Hash), hash)) return damaged("The head row is cut short.");
    head.frontier.push_back(to_array<sizeof(Hash)>(hash));
  }
  if (!reader.take(origin_bytes, origin) || !reader.empty()) return damaged("The head row has a wrong length.");
  head.origin = as_chars(origin);
  return head;
}

Error damaged(const char* what) { return Error(Errc::corrupt, "ledger_damaged", what); }

}  // namespace siegel::ledger
