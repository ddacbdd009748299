#include "codec/canonical.h"

#include <capnp/any.h>

#include <bit>
#include <cstring>

#include "base/assert.h"

namespace siegel::codec {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they stand in memory");

// Room for the longest header, so that re-encoding one never leaves the first segment.
constexpr std::size_t kScratchWords = 8'192 + 64;
thread_local std::uint64_t scratch_memory[kScratchWords];

capnp::word* scratch() { return reinterpret_cast<capnp::word*>(scratch_memory); }

std::uint64_t load(const capnp::word* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
void store(capnp::word* at, std::uint64_t value) { std::memcpy(static_cast<void*>(at), &value, sizeof value); }

capnp::ReaderOptions options(std::size_t words) {
  capnp::ReaderOptions out;
  out.traversalLimitInWords = 8 * words + 64;  // each list is visited a few times, none more often
  out.nestingLimit = 8;
  return out;
}

// Whether every list of structs under a pointer needs the sections that its elements have: some element fills the last
// data word and some the last pointer. With the root's sections shrunk, nothing else can keep a message that was built
// in the order of its pointers from being canonical, and this costs a tenth of asking Cap'n Proto. Only for our own
// bytes.
bool fills_sections(const capnp::word* pointer) {
  const std::uint64_t value = load(pointer);
  if (value == 0) return true;
  const capnp::word* target = pointer + 1 + (static_cast<std::int32_t>(value) >> 2);
  constexpr std::uint64_t kStruct = 0, kList = 1;
  constexpr std::uint64_t kPointers = 6, kComposite = 7;  // sizes of a list's elements
  if ((value & 3) == kStruct) {
    target += value >> 32 & 0xFFFF;
    const std::uint64_t pointers = value >> 48;
    for (std::uint64_t i = 0; i < pointers; ++i) {
      if (!fills_sections(target + i)) return false;
    }
    return true;
  }
  SIEGEL_ASSERT((value & 3) == kList);
  const std::uint64_t kind = value >> 32 & 7;
  if (kind == kPointers) {
    const std::uint64_t count = value >> 35;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!fills_sections(target + i)) return false;
    }
  }
  if (kind != kComposite) return true;
  const std::uint64_t tag = load(target++);
  const std::uint64_t count = static_cast<std::uint32_t>(tag) >> 2;
  const std::uint64_t data = tag >> 32 & 0xFFFF;
  const std::uint64_t pointers = tag >> 48;
  bool full_data = data == 0;
  bool full_pointers = pointers == 0;
  for (std::uint64_t i = 0; i < count; ++i, target += data + pointers) {
    full_data = full_data || load(target + data - 1) != 0;
    full_pointers = full_pointers || load(target + data + pointers - 1) != 0;
    for (std::uint64_t k = 0; k < pointers; ++k) {
      if (!fills_sections(target + data + k)) return false;
    }
  }
  return full_data && full_pointers;
}

}  // namespace

Draft::Draft() : message_(kj::arrayPtr(scratch(), kScratchWords)) {}
Draft::~Draft() noexcept = default;  // the builder clears what it used of the scratch

// The canonical form drops zero words and null pointers from the end of a struct's two sections. The root's sections
// stand first in the segment; what follows moves up, and the pointers to it reach less far by the pointers dropped.
bool Draft::shrink_root() {
  capnp::word* const start = scratch();
  const auto segments = message_.getSegmentsForOutput();
  if (segments.size() != 1 || segments[0].begin() != start) return false;
  words_ = segments[0].size();
  const std::uint64_t root = load(start);
  const auto data_before = static_cast<std::size_t>(root >> 32 & 0xFFFF);
  const auto pointers_before = static_cast<std::size_t>(root >> 48);
  auto data = data_before;
  auto pointers = pointers_before;
  capnp::word* const body = start + 1;
  while (data > 0 && load(body + data - 1) == 0) --data;
  while (pointers > 0 && load(body + data_before + pointers - 1) == 0) --pointers;
  if (data + pointers == 0) return false;
  const std::size_t dropped = pointers_before - pointers;
  if (dropped == 0 && data == data_before) return true;
  for (std::size_t i = 0; i < pointers; ++i) {
    capnp::word* const at = body + data_before + i;
    const std::uint64_t pointer = load(at);
    if (pointer == 0) continue;
    const auto low = static_cast<std::uint32_t>(pointer) - static_cast<std::uint32_t>(dropped << 2);
    store(at, (pointer & ~std::uint64_t{0xFFFFFFFF}) | low);
  }
  store(start, static_cast<std::uint64_t>(data) << 32 | static_cast<std::uint64_t>(pointers) << 48);
  const std::size_t objects = 1 + data_before + pointers_before;
  std::memmove(static_cast<void*>(body + data), body + data_before, pointers * sizeof(capnp::word));
  std::memmove(static_cast<void*>(body + data + pointers), start + objects, (words_ - objects) * sizeof(capnp::word));
  words_ -= objects - (1 + data + pointers);
  return true;
}

ByteView Draft::finish_flat() {
  if (shrink_root()) return {reinterpret_cast<const std::uint8_t*>(scratch()), words_ * sizeof(capnp::word)};
  rebuilt_ = message_.getRoot<capnp::AnyStruct>().asReader().canonicalize();
  return {reinterpret_cast<const std::uint8_t*>(rebuilt_.begin()), rebuilt_.size() * sizeof(capnp::word)};
}

ByteView Draft::finish() {
  const ByteView flat = finish_flat();
  if (rebuilt_ != nullptr || fills_sections(scratch())) return flat;
  const Words segment[] = {Words(scratch(), words_)};
  capnp::ReaderOptions own;  // our own bytes: no limits
  own.traversalLimitInWords = ~std::uint64_t{0};
  capnp::SegmentArrayMessageReader reader(segment, own);
  rebuilt_ = reader.getRoot<capnp::AnyStruct>().canonicalize();
  return {reinterpret_cast<const std::uint8_t*>(rebuilt_.begin()), rebuilt_.size() * sizeof(capnp::word)};
}

Words Opened::align(ByteView bytes) {
  const std::size_t words = bytes.size() / sizeof(capnp::word);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) == 0) {
    return {reinterpret_cast<const capnp::word*>(bytes.data()), words};
  }
  capnp::word* to = reinterpret_cast<capnp::word*>(inline_);
  if (words > kInlineWords) {
    copy_ = kj::heapArray<capnp::word>(words);
    to = copy_.begin();
  }
  std::memcpy(static_cast<void*>(to), bytes.data(), words * sizeof(capnp::word));
  return {to, words};
}

Opened::Opened(ByteView bytes)
    : segment_{align(bytes)}, reader_(segment_, options(bytes.size() / sizeof(capnp::word))) {}

}  // namespace siegel::codec
