// The stored result of a write, as an idempotency entry keeps it (sealed): ids, versions, position; never a token or a
// value.
//   u8 format (1) | u8 kind | u64 version | u64 size | u64 seq | u8 flags | ids of 16 bytes for each flag set, in this
//   order: record (1), subject (2), token id (8), erasure (16); flag 4: ambiguous
#include "service/impl.h"

namespace siegel::service {

Bytes encode(const Written& written) {
  Bytes out;
  out.push_back(1);
  out.push_back(static_cast<std::uint8_t>(written.kind));
  append_be(out, written.version);
  append_be(out, written.size.get());
  append_be(out, written.seq.get());
  const auto flags = (written.record ? 1u : 0u) | (written.subject ? 2u : 0u) | (written.ambiguous ? 4u : 0u) |
                     (written.token_id ? 8u : 0u) | (written.erasure ? 16u : 0u);
  out.push_back(static_cast<std::uint8_t>(flags));
  if (written.record) append(out, written.record->get());
  if (written.subject) append(out, written.subject->get());
  if (written.token_id) append(out, written.token_id->get());
  if (written.erasure) append(out, written.erasure->get());
  return out;
}

Result<Written> decode_written(ByteView bytes) {
  const auto damaged = [] { return Error(Errc::corrupt, "answer_damaged", "A stored answer is damaged."); };
  ByteReader in(bytes);
  std::uint8_t format = 0, kind = 0, flags = 0;
  std::uint64_t size = 0, seq = 0;
  Written out;
  if (!in.take_be(format) || format != 1 || !in.take_be(kind) || !in.take_be(out.version) || !in.take_be(size) ||
      !in.take_be(seq) || !in.take_be(flags) || kind < 1 || kind > 6 || flags > 31)
    return damaged();
  out.kind = static_cast<Written::Kind>(kind);
  out.size = TreeSize(size);
  out.seq = Seq(seq);
  out.ambiguous = (flags & 4) != 0;
  const auto take = [&](unsigned flag, auto& id) {
    if ((flags & flag) == 0) return true;
    ByteView raw;
    if (!in.take(16, raw)) return false;
    id.emplace(to_array<16>(raw));
    return true;
  };
  if (!take(1, out.record) || !take(2, out.subject) || !take(8, out.token_id) || !take(16, out.erasure) || !in.empty())
    return damaged();
  return out;
}

}  // namespace siegel::service
