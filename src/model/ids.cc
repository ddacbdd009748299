#include "model/ids.h"

#include <cstring>

#include "base/text.h"

namespace siegel {

OwnerId owner_of(TypeNo type) {
  Id16 out{};
  std::memcpy(out.data(), "record-type", 11);
  put_be(out.data() + 12, type.get());
  return OwnerId(out);
}

OwnerId owner_of_ledger() {
  Id16 out{};
  std::memcpy(out.data(), "ledger", 6);
  return OwnerId(out);
}

std::string id_text(std::string_view prefix, const Id16& id) {
  return std::string(prefix).append("_").append(to_base64url(id));
}

std::optional<Id16> parse_id(std::string_view prefix, std::string_view text) {
  if (text.size() != prefix.size() + 23 || !text.starts_with(prefix) || text[prefix.size()] != '_') return std::nullopt;
  const auto bytes = from_base64url(text.substr(prefix.size() + 1));
  if (!bytes || bytes->size() != 16) return std::nullopt;
  return to_array<16>(*bytes);
}

Id16 new_id(Clock& clock, Random& random) { return new_id(clock.now(), random); }

Id16 new_id(TimeMs made, Random& random) {
  Id16 id;
  random.fill(id);
  const auto ms = made.get();
  for (int i = 0; i < 6; ++i) id[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  id[6] = static_cast<std::uint8_t>(0x70 | (id[6] & 0x0F));
  id[8] = static_cast<std::uint8_t>(0x80 | (id[8] & 0x3F));
  return id;
}

EventId new_event_id(Random& random) {
  Id16 id;
  random.fill(id);
  return EventId(id);
}

std::string to_text(const Position& position) {
  return to_text(position.ledger) + ":" + std::to_string(position.size.get());
}

std::optional<Position> parse_position(std::string_view text) {
  if (text.size() < 18 || text[16] != ':') return std::nullopt;
  const auto ledger = from_hex(text.substr(0, 16));
  const auto size = parse_u64(text.substr(17));
  if (!ledger || !size || to_hex(*ledger) != text.substr(0, 16)) return std::nullopt;
  return Position{LedgerId(to_array<8>(*ledger)), TreeSize(*size)};
}

}  // namespace siegel
