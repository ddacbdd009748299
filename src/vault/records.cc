#include "vault/records.h"

#include "crypto/box.h"
#include "crypto/hmac.h"

namespace siegel::vault {
namespace {

constexpr std::uint16_t kFormat = 1;
constexpr std::size_t kCountMax = std::size_t{1} << 24;  // of slots or requests in one row

Bytes encode_changes(std::span<const EpochChange> changes) {
  Bytes out;
  append_be(out, kFormat);
  append_be(out, static_cast<std::uint16_t>(changes.size()));
  for (const auto& change : changes) {
    append_be(out, change.from.get());
    append_be(out, change.to.get());
    append(out, change.old_root);
    append(out, change.new_root);
    append_be(out, change.leaves);
    append_be(out, static_cast<std::uint16_t>(change.grade));
    append_be(out, change.members);
    append_be(out, change.replicas);
    append_be(out, static_cast<std::uint32_t>(change.requests.size()));
    for (const auto request : change.requests) append_be(out, request);
  }
  return out;
}

bool take_hash(ByteReader& from, Hash& out) {
  ByteView bytes;
  if (!from.take(out.size(), bytes)) return false;
  out = to_array<32>(bytes);
  return true;
}

bool take_change(ByteReader& from, EpochChange& out) {
  std::uint64_t old_epoch = 0;
  std::uint64_t new_epoch = 0;
  std::uint16_t grade = 0;
  std::uint32_t count = 0;
  if (!from.take_be(old_epoch) || !from.take_be(new_epoch) || !take_hash(from, out.old_root) ||
      !take_hash(from, out.new_root) || !from.take_be(out.leaves) || !from.take_be(grade) ||
      !from.take_be(out.members) || !from.take_be(out.replicas) || !from.take_be(count) || count > kCountMax) {
    return false;
  }
  out.from = Epoch(old_epoch);
  out.to = Epoch(new_epoch);
  out.grade = grade;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint64_t request = 0;
    if (!from.take_be(request)) return false;
    out.requests.push_back(request);
  }
  return true;
}

ByteArray<16 + sizeof(PendingKey)> associated_data(const KeyTreeId& tree, const NodeVersion& version) {
  ByteArray<16 + sizeof(PendingKey)> out;
  const auto key = pending_key(version);
  std::memcpy(out.data(), tree.get().data(), 16);
  std::memcpy(out.data() + 16, key.data(), key.size());
  return out;
}

SecretKey pending_box_key(const SecretKey& root) { return hmac_derive(root.view(), {as_bytes("pending")}); }

}  // namespace

Bytes encode_slots(std::span<const Slot> slots) {
  Bytes out;
  out.reserve(6 + slots.size() * 8);
  append_be(out, kFormat);
  append_be(out, static_cast<std::uint32_t>(slots.size()));
  for (const auto slot : slots) append_be(out, slot.get());
  return out;
}

Result<std::vector<Slot>> decode_slots(ByteView row) {
  ByteReader from(row);
  std::uint16_t format = 0;
  std::uint32_t count = 0;
  if (!from.take_be(format) || format != kFormat || !from.take_be(count) || count > kCountMax) return keys_damaged();
  std::vector<Slot> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint64_t slot = 0;
    if (!from.take_be(slot) || slot >= kSlots || (!out.empty() && out.back().get() >= slot)) return keys_damaged();
    out.emplace_back(slot);
  }
  if (!from.empty()) return keys_damaged();
  return out;
}

PendingKey pending_key(const NodeVersion& version) {
  PendingKey out;
  put_be(out.data(), version.epoch);
  put_be(out.data() + 8, version.attempt);
  return out;
}

std::optional<NodeVersion> parse_pending_key(ByteView key) {
  if (key.size() != sizeof(PendingKey)) return std::nullopt;
  return NodeVersion{get_be<std::uint64_t>(key.data()), get_be<std::uint32_t>(key.data() + 8)};
}

Bytes seal_pending(const SecretKey& root, const KeyTreeId& tree, const NodeVersion& version,
                   std::span<const EpochChange> changes, Random& random) {
  Nonce nonce;
  random.fill(nonce);
  Bytes row;
  append(row, nonce);
  seal_box(pending_box_key(root), nonce, associated_data(tree, version), encode_changes(changes), row);
  return row;
}

Result<std::vector<EpochChange>> open_pending(const SecretKey& root, const KeyTreeId& tree, const NodeVersion& version,
                                              ByteView row) {
  if (row.size() < kAeadNonceBytes) return keys_damaged();
  const auto content = open_box(pending_box_key(root), to_array<kAeadNonceBytes>(row.first(kAeadNonceBytes)),
                                associated_data(tree, version), row.subspan(kAeadNonceBytes));
  if (!content) return keys_damaged();
  ByteReader from(*content);
  std::uint16_t format = 0;
  std::uint16_t count = 0;
  if (!from.take_be(format) || format != kFormat || !from.take_be(count)) return keys_damaged();
  std::vector<EpochChange> out(count);
  for (auto& change : out) {
    if (!take_change(from, change)) return keys_damaged();
  }
  if (!from.empty()) return keys_damaged();
  return out;
}

}  // namespace siegel::vault
