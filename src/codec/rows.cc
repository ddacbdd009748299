#include "codec/rows.h"

#include <limits>

#include "base/assert.h"

namespace siegel::codec {
namespace {

constexpr std::uint16_t kRowFormat = 1;
constexpr std::size_t kFixedBytes = 4;  // format, number of events
constexpr std::size_t kEndBytes = 4;

constexpr std::size_t row_bytes(std::size_t events, std::size_t event_bytes) {
  return kFixedBytes + kEndBytes * events + event_bytes;
}

constexpr std::size_t kEntryFixedBytes = 8 + 32 + 12 + 4;

}  // namespace

bool RowBuilder::add(ByteView event) {
  const std::size_t bytes = events_.size() + event.size();
  if (!ends_.empty() && (ends_.size() == kRowEventsMax || row_bytes(ends_.size() + 1, bytes) > kRowBytesMax)) {
    return false;
  }
  SIEGEL_ASSERT(bytes <= std::numeric_limits<std::uint32_t>::max());
  append(events_, event);
  ends_.push_back(static_cast<std::uint32_t>(bytes));
  return true;
}

Bytes RowBuilder::finish(ByteView trailer) {
  SIEGEL_ASSERT(!ends_.empty());
  Bytes row;
  row.reserve(row_bytes(ends_.size(), events_.size()) + trailer.size());
  append_be(row, kRowFormat);
  append_be(row, static_cast<std::uint16_t>(ends_.size()));
  for (const auto end : ends_) append_be(row, end);
  append(row, events_);
  append(row, trailer);
  ends_.clear();
  events_.clear();
  return row;
}

Result<RowView> RowView::parse(ByteView row) {
  const auto damaged = [] { return Error(Errc::corrupt, "row_damaged", "A row of the ledger store is damaged."); };
  ByteReader reader(row);
  std::uint16_t format = 0;
  std::uint16_t count = 0;
  if (!reader.take_be(format) || format != kRowFormat) return damaged();
  if (!reader.take_be(count) || count == 0 || count > kRowEventsMax) return damaged();
  std::uint32_t last = 0;
  for (std::uint16_t i = 0; i < count; ++i) {
    std::uint32_t end = 0;
    if (!reader.take_be(end) || end < last) return damaged();
    last = end;
  }
  if (last > reader.rest().size() || (count > 1 && row_bytes(count, last) > kRowBytesMax)) return damaged();
  RowView view;
  view.row_ = row;
  view.count_ = count;
  return view;
}

ByteView RowView::event(std::size_t i) const noexcept {
  SIEGEL_ASSERT(i < count_);
  const std::uint8_t* const ends = row_.data() + kFixedBytes;
  const std::size_t begin = i == 0 ? 0 : get_be<std::uint32_t>(ends + kEndBytes * (i - 1));
  const std::size_t end = get_be<std::uint32_t>(ends + kEndBytes * i);
  return row_.subspan(row_bytes(count_, begin), end - begin);
}

ByteView RowView::trailer() const noexcept {
  if (count_ == 0) return {};
  const std::size_t end = get_be<std::uint32_t>(row_.data() + kFixedBytes + kEndBytes * (count_ - 1));
  return row_.subspan(row_bytes(count_, end));
}

Bytes encode(std::span<const IdempotencyRow> entries) {
  SIEGEL_ASSERT(entries.size() <= std::numeric_limits<std::uint16_t>::max());
  Bytes out;
  if (entries.empty()) return out;
  std::size_t size = 2;
  for (const auto& entry : entries) size += kEntryFixedBytes + entry.sealed.size();
  out.reserve(size);
  append_be(out, static_cast<std::uint16_t>(entries.size()));
  for (const auto& entry : entries) {
    SIEGEL_ASSERT(entry.sealed.size() <= std::numeric_limits<std::uint32_t>::max());
    append_be(out, entry.day_slot.get());
    append(out, entry.mac);
    append(out, entry.nonce);
    append_be(out, static_cast<std::uint32_t>(entry.sealed.size()));
    append(out, entry.sealed);
  }
  return out;
}

Result<std::vector<IdempotencyRow>> decode_idempotency(ByteView trailer) {
  const auto damaged = [] {
    return Error(Errc::corrupt, "row_damaged", "The idempotency entries of a payload row are damaged.");
  };
  std::vector<IdempotencyRow> entries;
  if (trailer.empty()) return entries;
  ByteReader reader(trailer);
  std::uint16_t count = 0;
  if (!reader.take_be(count) || count == 0) return damaged();
  if (reader.rest().size() < count * kEntryFixedBytes) return damaged();  // before anything is reserved
  entries.resize(count);
  for (auto& entry : entries) {
    std::uint64_t slot = 0;
    std::uint32_t length = 0;
    ByteView mac, nonce, sealed;
    if (!reader.take_be(slot) || !reader.take(32, mac) || !reader.take(12, nonce) || !reader.take_be(length) ||
        !reader.take(length, sealed)) {
      return damaged();
    }
    entry.day_slot = Slot(slot);
    entry.mac = to_array<32>(mac);
    entry.nonce = to_array<12>(nonce);
    entry.sealed = to_bytes(sealed);
  }
  if (!reader.empty()) return damaged();
  return entries;
}

}  // namespace siegel::codec
