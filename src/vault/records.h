// Private to vault: the other rows of the keys store. Format: docs/formats/keys.md. Pure; any thread.
#pragma once

#include <span>

#include "base/error.h"
#include "base/secret.h"
#include "vault/node.h"
#include "vault/vault.h"

namespace siegel::vault {

// fences: key = u64 number of the request; row = u16 format (1) | u32 count | count × u64 slot, ascending, each once.
Bytes encode_slots(std::span<const Slot> slots);
Result<std::vector<Slot>> decode_slots(ByteView row);

// pending: key = u64 epoch | u32 attempt; row = 12 random bytes of nonce | box under HMAC(R of that epoch, "pending"),
// AAD = tree id | key. Content: u16 format (1) | u16 count | the changes that are not told yet, oldest first:
//   u64 from | u64 to | 32 old root | 32 new root | u64 leaves | u16 grade | u16 members | u16 replicas
//   | u32 count | count × u64 request
using PendingKey = ByteArray<8 + 4>;
PendingKey pending_key(const NodeVersion& version);
std::optional<NodeVersion> parse_pending_key(ByteView key);
Bytes seal_pending(const SecretKey& root, const KeyTreeId& tree, const NodeVersion& version,
                   std::span<const EpochChange> changes, Random& random);
Result<std::vector<EpochChange>> open_pending(const SecretKey& root, const KeyTreeId& tree, const NodeVersion& version,
                                              ByteView row);

}  // namespace siegel::vault
