// Rows of the ledger store: up to 64 events and 256 KiB in one row, key = first sequence, big-endian.
// Format: docs/formats/stores.md.
//   row = u16 format (1) | u16 number of events n | u32 end[n] (offset behind each event, from the end of this table)
//         | events | what follows the last event (idempotency entries in payload rows; nothing in header rows)
#pragma once

#include <span>

#include "base/error.h"
#include "model/ids.h"

namespace siegel::codec {

inline constexpr std::size_t kRowEventsMax = 64;
inline constexpr std::size_t kRowBytesMax = 256 * 1024;

class RowBuilder {
 public:
  // False (and nothing added) if the row is full; the first event of a row always fits.
  bool add(ByteView event);
  [[nodiscard]] std::size_t events() const noexcept { return ends_.size(); }
  [[nodiscard]] Bytes finish(ByteView trailer = {});  // and starts anew

 private:
  std::vector<std::uint32_t> ends_;
  Bytes events_;
};

// A checked view of one row. Errc::corrupt "row_damaged".
class RowView {
 public:
  static Result<RowView> parse(ByteView row);
  [[nodiscard]] std::size_t events() const noexcept { return count_; }
  [[nodiscard]] ByteView event(std::size_t i) const noexcept;  // i < events()
  [[nodiscard]] ByteView trailer() const noexcept;

 private:
  ByteView row_;
  std::size_t count_ = 0;
};

// Idempotency entries of a payload row: u16 count | per entry u64 slot of the day's key | 32 bytes HMAC of the client's
// key | 12 bytes nonce | u32 length | sealed value.
struct IdempotencyRow {
  Slot day_slot;
  Hash mac{};
  ByteArray<12> nonce{};
  Bytes sealed;
};
Bytes encode(std::span<const IdempotencyRow> entries);
Result<std::vector<IdempotencyRow>> decode_idempotency(ByteView trailer);  // empty trailer: none

}  // namespace siegel::codec
