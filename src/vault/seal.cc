// Parts, rows and day keys: every key below a leaf key is derived for its one use (formats of keys, section 2).
#include "base/assert.h"
#include "codec/parts.h"
#include "crypto/box.h"
#include "crypto/hmac.h"
#include "model/definitions.h"
#include "vault/vault_impl.h"

namespace siegel::vault {
namespace {

constexpr std::uint32_t kRowGeneration = 1;
constexpr std::string_view kRowDomain = "siegel/row/1";
constexpr std::string_view kDayDomain = "siegel/day/1";

Error erased() { return Error(Errc::gone, "erased", "The key of this data has been destroyed."); }
Error no_receipt() { return Error(Errc::denied, "receipt_missing", "No access event covers this owner."); }
Error slot_unknown() { return Error(Errc::invalid, "slot_unknown", "This slot of the key tree was never given out."); }
Error damaged() { return Error(Errc::corrupt, "box_damaged", "A sealed value is not what was written."); }

// Derived for one part of one event, which is sealed once: so the nonce is all zeros.
SecretKey part_key(const SecretKey& leaf, const EventId& event, std::uint16_t part) {
  return hmac_derive(leaf.view(), {as_bytes("part"), event.get(), be(part)});
}
SecretKey row_key_of(const SecretKey& leaf, std::string_view projection) {
  return hmac_derive(leaf.view(), {as_bytes("row"), as_bytes(projection), be(kRowGeneration)});
}
SecretKey day_mac_key(const SecretKey& leaf) { return hmac_derive(leaf.view(), {as_bytes("day-mac")}); }
SecretKey day_seal_key(const SecretKey& leaf) { return hmac_derive(leaf.view(), {as_bytes("day-seal")}); }

Bytes row_data(const KeyTreeId& tree, Slot slot, ByteView row) {
  Bytes out;
  out.reserve(kRowDomain.size() + 16 + 8 + row.size());
  append(out, as_bytes(kRowDomain));
  append(out, tree.get());
  append_be(out, slot.get());
  append(out, row);
  return out;
}

Bytes day_data(const KeyTreeId& tree) {
  Bytes out = to_bytes(as_bytes(kDayDomain));
  append(out, tree.get());
  return out;
}

}  // namespace

Result<SecretKey> VaultImpl::leaf_key(Slot slot) {
  if (slot.get() >= kSlots) return slot_unknown();
  SecretKey key;
  switch (leaf_keys_.find(slot, key)) {
    case LeafKeys::Found::yes:
      return key;
    case LeafKeys::Found::fenced:
      return erased();
    case LeafKeys::Found::no:
      break;
  }
  const auto index = static_cast<std::uint32_t>(slot.get() / kFanOut);
  SIEGEL_TRY(node, tree_.leaf_node(index));
  if (!node) return slot_unknown();
  // Those who came together are often asked for together: the neighbours come along where there is room.
  const auto mine = static_cast<unsigned>(slot.get() % kFanOut);
  for (unsigned child = 0; child < kFanOut; ++child) {
    if (child == mine || is_tombstone(version_of(node->view(), child))) continue;
    leaf_keys_.put(Slot(std::uint64_t{index} * kFanOut + child), child_of(node->view(), child).key,
                   LeafKeys::Why::ahead);
  }
  auto own = child_of(node->view(), mine);
  if (is_tombstone(own.version)) return erased();
  if (leaf_keys_.put(slot, own.key, LeafKeys::Why::used) == LeafKeys::Found::fenced) return erased();
  return std::move(own.key);
}

// ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<ledger::SealedPart> VaultImpl::seal(Slot slot, const EventId& event, std::uint16_t part, ClassNo cls,
                                           const OwnerId& owner, std::uint16_t schema, ByteView body) {
  KeyGate::Inside inside(gate_);
  SIEGEL_TRY(leaf, leaf_key(slot));
  ledger::SealedPart out;
  out.envelope.cls = cls;
  out.envelope.owner = owner;
  out.envelope.slot = slot;
  random_.fill(out.envelope.salt);
  seal_box(part_key(leaf, event, part), Nonce{},
           codec::associated_data({.tree = tree(), .event = event, .part = part, .cls = cls, .schema = schema}), body,
           out.ciphertext);
  out.inner = codec::inner_hash(out.ciphertext);
  inside.count_sealed();
  return out;
}

ledger::SealedPart VaultImpl::trace(Slot slot, ClassNo cls, const OwnerId& owner) {
  ledger::SealedPart out;
  out.envelope.cls = cls;
  out.envelope.owner = owner;
  out.envelope.slot = slot;
  random_.fill(out.envelope.salt);
  out.inner = codec::inner_hash({});
  return out;
}

Result<SecretBytes> VaultImpl::open_part(const Header& header, std::uint16_t part, const StoredPart& stored) {
  if (stored.removed) return erased();  // a sweep takes parts of erased leaves only
  if (stored.ciphertext.empty()) return SecretBytes();
  KeyGate::Inside inside(gate_);
  SIEGEL_TRY(leaf, leaf_key(stored.envelope.slot));
  auto body = open_secret_box(
      part_key(leaf, header.id, part), Nonce{},
      codec::associated_data(
          {.tree = tree(), .event = header.id, .part = part, .cls = stored.envelope.cls, .schema = header.schema}),
      stored.ciphertext);
  inside.count_opened();
  return body;
}

Result<SecretBytes> VaultImpl::open(const ledger::AccessReceipt& receipt, const Header& header, std::uint16_t part,
                                    const StoredPart& stored) {
  if (!stored.removed && !receipt.covers(stored.envelope.owner)) return no_receipt();
  return open_part(header, part, stored);
}

Result<SecretBytes> VaultImpl::open(const ledger::SystemReceipt&, const Header& header, std::uint16_t part,
                                    const StoredPart& stored) {
  return open_part(header, part, stored);
}

Result<SecretBytes> VaultImpl::open(const ledger::RegistryReceipt&, const Header& header, std::uint16_t part,
                                    const StoredPart& stored) {
  const auto& envelope = stored.envelope;
  if (envelope.cls != built_in::registry || envelope.owner != owner_of_ledger()) return no_receipt();
  return open_part(header, part, stored);
}

// ── rows of read models ──────────────────────────────────────────────────────────────────────────────────────────────

Result<Bytes> VaultImpl::seal_row(Slot slot, std::string_view projection, ByteView row, ByteView body) {
  KeyGate::Inside inside(gate_);
  SIEGEL_TRY(leaf, leaf_key(slot));
  Nonce nonce;
  random_.fill(nonce);
  Bytes out;
  out.reserve(nonce.size() + box_size(body.size()));
  append(out, nonce);
  seal_box(row_key_of(leaf, projection), nonce, row_data(tree(), slot, row), body, out);
  inside.count_sealed();
  return out;
}

Result<SecretBytes> VaultImpl::open_row_of(Slot slot, std::string_view projection, ByteView row, ByteView sealed) {
  if (sealed.size() < kAeadNonceBytes) return damaged();
  KeyGate::Inside inside(gate_);
  SIEGEL_TRY(leaf, leaf_key(slot));
  auto body = open_secret_box(row_key_of(leaf, projection), to_array<kAeadNonceBytes>(sealed.first(kAeadNonceBytes)),
                              row_data(tree(), slot, row), sealed.subspan(kAeadNonceBytes));
  inside.count_opened();
  return body;
}

Result<SecretBytes> VaultImpl::open_row(const ledger::AccessReceipt& receipt, const OwnerId& owner, Slot slot,
                                        std::string_view projection, ByteView row, ByteView sealed) {
  if (!receipt.covers(owner)) return no_receipt();
  return open_row_of(slot, projection, row, sealed);
}

Result<SecretBytes> VaultImpl::open_row(const ledger::SystemReceipt&, Slot slot, std::string_view projection,
                                        ByteView row, ByteView sealed) {
  return open_row_of(slot, projection, row, sealed);
}

Result<SecretBytes> VaultImpl::open_registry_row(const ledger::RegistryReceipt&, Slot slot, ByteView row,
                                                 ByteView sealed) {
  // The projection's name is in the key of its rows: rows of others do not open.
  return open_row_of(slot, "registries", row, sealed);
}

// ── a day's keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

Result<Hash> VaultImpl::day_mac(Slot day, ByteView data) {
  const KeyGate::Inside inside(gate_);
  SIEGEL_TRY(leaf, leaf_key(day));
  return hmac_sha256(day_mac_key(leaf).view(), {data});
}

Result<Bytes> VaultImpl::day_seal(Slot day, const ByteArray<12>& nonce, ByteView body) {
  KeyGate::Inside inside(gate_);
  SIEGEL_TRY(leaf, leaf_key(day));
  Bytes out;
  seal_box(day_seal_key(leaf), nonce, day_data(tree()), body, out);
  inside.count_sealed();
  return out;
}

Result<SecretBytes> VaultImpl::day_open(Slot day, const ByteArray<12>& nonce, ByteView sealed) {
  KeyGate::Inside inside(gate_);
  SIEGEL_TRY(leaf, leaf_key(day));
  auto body = open_secret_box(day_seal_key(leaf), nonce, day_data(tree()), sealed);
  inside.count_opened();
  return body;
}

}  // namespace siegel::vault
