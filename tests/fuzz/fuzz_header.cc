// F4: any bytes are either refused, or are exactly what encoding their header writes. The bodies with it: any family.
#include "base/assert.h"
#include "codec/bodies_codec.h"
#include "codec/header_codec.h"

using namespace siegel;

namespace {

template <class T>
void is_canonical(const Result<T>& value, ByteView bytes) {
  if (value) SIEGEL_ASSERT(equal(codec::encode(*value), bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  if (const auto header = codec::decode_header(bytes)) {
    SIEGEL_ASSERT(bytes.size() <= kHeaderBytesMax && header->part_count <= kPartsMax);
    SIEGEL_ASSERT(equal(codec::encode(*header).value(), bytes));
    auto made = codec::encode_template(*header).value();
    codec::complete(made, Seq(), TimeMs(), KeysMark(), Hash{});
    codec::complete(made, header->seq, header->time, header->keys_mark, header->parts_digest);
    SIEGEL_ASSERT(equal(made.bytes, bytes));
  }
  is_canonical(codec::decode_actor(bytes, 1), bytes);
  is_canonical(codec::decode_record(bytes, 1), bytes);
  is_canonical(codec::decode_subject(bytes, 1), bytes);
  is_canonical(codec::decode_registry(bytes, 1), bytes);
  is_canonical(codec::decode_notice(bytes, 1), bytes);
  is_canonical(codec::decode_ledger(bytes, 1), bytes);
  is_canonical(codec::decode_idempotency_body(bytes), bytes);
  if (const auto values = codec::decode_values(bytes)) SIEGEL_ASSERT(equal(codec::encode_values(*values), bytes));
  return 0;
}
