#include "vault/root_slot.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/sha256.h"

namespace siegel::vault {
namespace {

constexpr std::string_view kMagic = "SIEGELR1";
constexpr std::uint16_t kFormat = 1;
constexpr std::size_t kEpochAt = 16;
constexpr std::size_t kKeyAt = 24;
constexpr std::size_t kHashAt = 56;
constexpr std::size_t kLedgerAt = 88;
constexpr std::size_t kTreeAt = 96;
constexpr std::size_t kEnd = 112;
constexpr std::size_t kSumAt = kRootSlotBytes - 32;

void place(MutableBytes slot, std::size_t at, ByteView bytes) {
  std::copy(bytes.begin(), bytes.end(), slot.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

SecretBytes encode_root_slot(const RootEntry& entry) {
  SecretBytes out(kRootSlotBytes);
  const auto slot = out.mutable_view();
  place(slot, 0, as_bytes(kMagic));
  put_be(slot.data() + kMagic.size(), kFormat);
  put_be(slot.data() + kEpochAt, entry.epoch.get());
  place(slot, kKeyAt, entry.key.view());
  place(slot, kHashAt, entry.root_node);
  place(slot, kLedgerAt, entry.ledger.get());
  place(slot, kTreeAt, entry.tree.get());
  place(slot, kSumAt, sha256(out.view().first(kSumAt)));
  return out;
}

std::optional<RootEntry> decode_root_slot(ByteView slot) {
  SIEGEL_ASSERT(slot.size() == kRootSlotBytes);
  if (!equal(slot.last(32), sha256(slot.first(kSumAt)))) return std::nullopt;
  if (!equal(slot.first(kMagic.size()), as_bytes(kMagic))) return std::nullopt;
  if (get_be<std::uint16_t>(slot.data() + kMagic.size()) != kFormat) return std::nullopt;
  const auto rest = slot.subspan(kEnd, kSumAt - kEnd);
  if (std::any_of(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte != 0; })) return std::nullopt;
  return RootEntry{.epoch = Epoch(get_be<std::uint64_t>(slot.data() + kEpochAt)),
                   .key = SecretKey(slot.subspan(kKeyAt, 32)),
                   .root_node = to_array<32>(slot.subspan(kHashAt, 32)),
                   .ledger = LedgerId(to_array<8>(slot.subspan(kLedgerAt, 8))),
                   .tree = KeyTreeId(to_array<16>(slot.subspan(kTreeAt, 16)))};
}

bool same(const RootEntry& a, const RootEntry& b) {
  return a.epoch == b.epoch && a.root_node == b.root_node && equal_constant_time(a.key.view(), b.key.view());
}

}  // namespace siegel::vault
