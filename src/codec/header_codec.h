// Header <-> bytes (schemas/header.capnp, canonical Cap'n Proto, one segment without framing). Format:
// docs/formats/header.md. One value has one encoding: decode refuses everything that encode would not write. Pure; any
// thread.
#pragma once

#include "base/error.h"
#include "model/event.h"

namespace siegel::codec {

// A header built ahead of the writer: everything but what only the writer knows.
struct HeaderTemplate {
  Bytes bytes;
  std::uint16_t digest_at = 0;  // where the 32 bytes of the parts digest stand
};

// Errors: Errc::invalid "too_large" above 65,535 bytes (F3), limit in the context.
Result<Bytes> encode(const Header& header);
Result<HeaderTemplate> encode_template(
    const Header& header);  // seq, time, keys_mark, parts_digest: any value, replaced later
// Writes the four values of the writer in place (about 50 ns) and leaves a canonical header.
void complete(HeaderTemplate& header, Seq seq, TimeMs time, KeysMark keys_mark, const Hash& parts_digest);

// Errors: Errc::corrupt "header_damaged" (not canonical, unknown format, wrong lengths, out of limits).
// An unknown event type is no error here: a reader of a newer ledger must say so itself (is_known).
Result<Header> decode_header(ByteView bytes);

}  // namespace siegel::codec
