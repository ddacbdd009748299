#include "codec/parts.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/assert.h"
#include "crypto/sha256.h"

namespace siegel::codec {
namespace {

constexpr std::uint16_t kEnvelopeFormat = 1;
constexpr std::size_t kClassAt = 4;
constexpr std::size_t kOwnerAt = 8;
constexpr std::size_t kSlotAt = 24;
constexpr std::size_t kNumberAt = 32;
constexpr std::size_t kSaltAt = 40;
constexpr std::size_t kLaterAt = 56;  // kept for later: zero

// First bytes of what is hashed: no hash of one kind can pass for another.
constexpr std::uint8_t kLeaf = 0x00;  // RFC 6962
constexpr std::uint8_t kNode = 0x01;
constexpr std::uint8_t kPart = 0x02;
constexpr std::uint8_t kInner = 0x03;

constexpr std::string_view kPartPurpose = "siegel/part/1";

Hash tagged(std::uint8_t tag, ByteView first, ByteView second = {}) {
  return sha256({ByteView(&tag, 1), first, second});
}

Error damaged() { return Error(Errc::corrupt, "payload_damaged", "The stored parts of an event are damaged."); }

}  // namespace

EnvelopeBytes encode(const Envelope& envelope) {
  EnvelopeBytes out{};
  put_be(out.data(), kEnvelopeFormat);
  put_be(out.data() + kClassAt, envelope.cls.get());
  std::ranges::copy(envelope.owner.get(), out.begin() + kOwnerAt);
  put_be(out.data() + kSlotAt, envelope.slot.get());
  put_be(out.data() + kNumberAt, envelope.number);
  std::ranges::copy(envelope.salt, out.begin() + kSaltAt);
  return out;
}

Result<Envelope> decode_envelope(ByteView bytes) {
  const bool sound = bytes.size() == kEnvelopeBytes && get_be<std::uint16_t>(bytes.data()) == kEnvelopeFormat &&
                     get_be<std::uint16_t>(bytes.data() + 2) == 0 &&
                     get_be<std::uint64_t>(bytes.data() + kLaterAt) == 0;
  if (!sound) return Error(Errc::corrupt, "envelope_damaged", "The envelope of a part is damaged.");
  Envelope out;
  out.cls = ClassNo(get_be<std::uint32_t>(bytes.data() + kClassAt));
  out.owner = OwnerId(to_array<16>(bytes.subspan(kOwnerAt, 16)));
  out.slot = Slot(get_be<std::uint64_t>(bytes.data() + kSlotAt));
  out.number = get_be<std::uint64_t>(bytes.data() + kNumberAt);
  out.salt = to_array<16>(bytes.subspan(kSaltAt, 16));
  return out;
}

Hash inner_hash(ByteView ciphertext) {
  static const Hash of_trace = tagged(kInner, {});  // most parts of an access event
  return ciphertext.empty() ? of_trace : tagged(kInner, ciphertext);
}

Hash part_hash(const EnvelopeBytes& envelope, const Hash& inner) { return tagged(kPart, envelope, inner); }

// A stack of perfect subtrees; at the end they are joined from the right (RFC 6962 2.1).
Hash parts_digest(std::span<const Hash> parts) {
  SIEGEL_ASSERT(parts.size() <= kPartsMax);
  if (parts.empty()) return sha256(ByteView{});
  std::array<Hash, std::bit_width(kPartsMax)> stack;
  std::size_t height = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Hash hash = tagged(kLeaf, parts[i]);
    for (std::size_t size = i; (size & 1) != 0; size >>= 1) hash = tagged(kNode, stack[--height], hash);
    stack[height++] = hash;
  }
  Hash root = stack[--height];
  while (height > 0) root = tagged(kNode, stack[--height], root);
  return root;
}

ByteArray<13 + 16 + 16 + 2 + 4 + 2> associated_data(const PartContext& context) {
  ByteArray<13 + 16 + 16 + 2 + 4 + 2> out;
  static_assert(kPartPurpose.size() == 13);
  std::ranges::copy(as_bytes(kPartPurpose), out.begin());
  std::ranges::copy(context.tree.get(), out.begin() + 13);
  std::ranges::copy(context.event.get(), out.begin() + 29);
  put_be(out.data() + 45, context.part);
  put_be(out.data() + 47, context.cls.get());
  put_be(out.data() + 51, context.schema);
  return out;
}

namespace {

void count_part(Bytes& record) {
  if (record.empty()) record.resize(2);
  const auto count = get_be<std::uint16_t>(record.data());
  SIEGEL_ASSERT(count < kPartsMax);
  put_be(record.data(), static_cast<std::uint16_t>(count + 1));
}

}  // namespace

void append_part(Bytes& record, const EnvelopeBytes& envelope, ByteView ciphertext) {
  SIEGEL_ASSERT(ciphertext.size() <= std::numeric_limits<std::uint32_t>::max() - kEnvelopeBytes);
  count_part(record);
  append_be(record, static_cast<std::uint32_t>(kEnvelopeBytes + ciphertext.size()));
  append(record, envelope);
  append(record, ciphertext);
}

void append_removed_part(Bytes& record, const Hash& hash) {
  count_part(record);
  append_be(record, std::uint32_t{0});
  append(record, hash);
}

Result<std::vector<StoredPart>> decode_parts(ByteView record) {
  ByteReader reader(record);
  std::uint16_t count = 0;
  if (!reader.take_be(count) || count == 0 || count > kPartsMax) return damaged();
  std::vector<StoredPart> parts(count);
  for (auto& part : parts) {
    std::uint32_t length = 0;
    ByteView bytes;
    if (!reader.take_be(length)) return damaged();
    if (length == 0) {
      if (!reader.take(part.hash.size(), bytes)) return damaged();
      part.hash = to_array<32>(bytes);
      part.removed = true;
      continue;
    }
    if (length < kEnvelopeBytes || !reader.take(length, bytes)) return damaged();
    const auto envelope = decode_envelope(bytes.first(kEnvelopeBytes));
    if (!envelope) return damaged();
    part.envelope = *envelope;
    part.ciphertext = bytes.subspan(kEnvelopeBytes);
    part.hash = tagged(kPart, bytes.first(kEnvelopeBytes), inner_hash(part.ciphertext));
  }
  if (!reader.empty()) return damaged();
  return parts;
}

Status check_parts(const Header& header, std::span<const StoredPart> parts) {
  const auto mismatch = [] {
    return Error(Errc::corrupt, "payload_mismatch", "The stored parts are not those that the header commits to.");
  };
  if (parts.size() != header.part_count || parts.size() > kPartsMax) return mismatch();
  std::vector<Hash> hashes;
  hashes.reserve(parts.size());
  for (const auto& part : parts) hashes.push_back(part.hash);
  if (parts_digest(hashes) != header.parts_digest) return mismatch();
  return Done{};
}

}  // namespace siegel::codec
