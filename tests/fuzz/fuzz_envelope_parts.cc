// Envelopes, the parts of an event, rows and idempotency entries: refused, or exactly what is written for them.
#include "base/assert.h"
#include "codec/parts.h"
#include "codec/rows.h"

using namespace siegel;

namespace {

void try_parts(ByteView bytes) {
  const auto parts = codec::decode_parts(bytes);
  if (!parts) return;
  Bytes record;
  std::vector<Hash> hashes;
  for (const auto& part : *parts) {
    hashes.push_back(part.hash);
    if (part.removed) {
      codec::append_removed_part(record, part.hash);
      continue;
    }
    const auto envelope = codec::encode(part.envelope);
    codec::append_part(record, envelope, part.ciphertext);
    SIEGEL_ASSERT(codec::part_hash(envelope, codec::inner_hash(part.ciphertext)) == part.hash);
  }
  SIEGEL_ASSERT(equal(record, bytes));
  Header header;
  header.part_count = static_cast<std::uint16_t>(parts->size());
  header.parts_digest = codec::parts_digest(hashes);
  SIEGEL_ASSERT(codec::check_parts(header, *parts));
  header.parts_digest[0] ^= 1;
  SIEGEL_ASSERT(!codec::check_parts(header, *parts));
}

void try_row(ByteView bytes) {
  const auto row = codec::RowView::parse(bytes);
  if (!row) return;
  codec::RowBuilder builder;
  for (std::size_t i = 0; i < row->events(); ++i) {
    try_parts(row->event(i));
    SIEGEL_ASSERT(builder.add(row->event(i)));
  }
  SIEGEL_ASSERT(equal(builder.finish(row->trailer()), bytes));
}

void try_idempotency(ByteView bytes) {
  if (const auto entries = codec::decode_idempotency(bytes)) SIEGEL_ASSERT(equal(codec::encode(*entries), bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  if (const auto envelope = codec::decode_envelope(bytes)) {
    SIEGEL_ASSERT(equal(codec::encode(*envelope), bytes));
  }
  try_parts(bytes);
  try_row(bytes);
  try_idempotency(bytes);
  if (const auto row = codec::RowView::parse(bytes)) try_idempotency(row->trailer());
  return 0;
}
