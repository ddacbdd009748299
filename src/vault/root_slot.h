// Private to vault: one slot of the file root store, 512 bytes. Format: docs/formats/keys.md. Pure; any thread.
//   "SIEGELR1" | u16 format (1) | 6 zero bytes | u64 epoch | 32 key | 32 hash of the root node | 8 ledger id | 16 tree
//   id | 368 zero bytes | SHA-256 of the 480 bytes before
#pragma once

#include <optional>

#include "crypto/secret_bytes.h"
#include "vault/root_store.h"

namespace siegel::vault {

inline constexpr std::size_t kRootSlotBytes = 512;

SecretBytes encode_root_slot(const RootEntry& entry);
// Nothing if the slot is not whole: torn, overwritten, never written.
std::optional<RootEntry> decode_root_slot(ByteView slot);

// The same attempt at the same epoch, not only the same epoch.
bool same(const RootEntry& a, const RootEntry& b);

}  // namespace siegel::vault
