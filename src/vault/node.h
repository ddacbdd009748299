// Private to vault: one node of the key tree as it stands in the keys store. Format: docs/formats/keys.md. Pure; any
// thread.
//   row key  = u8 level | u32 index | u64 epoch | u32 attempt                     (17 bytes, big-endian)
//   row      = 12 random bytes of nonce | box under the node key, AAD = tree id | row key
//   content  = 64 × (32 bytes key | u64 epoch | u32 attempt), by child
// In a node of levels 0 to 3 an entry is the key of a child and the version under which the child's row is named; in a
// leaf node (level 4) it is a leaf key and the epoch in which it was made, or a tombstone.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "crypto/secret_bytes.h"
#include "model/ids.h"

namespace siegel::vault {

inline constexpr unsigned kFanOut = 64;
inline constexpr unsigned kFanOutBits = 6;
inline constexpr unsigned kLeafLevel = 4;  // the root node is level 0
inline constexpr std::uint64_t kSlots = std::uint64_t{1} << (kFanOutBits * (kLeafLevel + 1));
inline constexpr std::uint32_t kLeafNodes = std::uint32_t{1} << (kFanOutBits * kLeafLevel);
inline constexpr std::size_t kEntryBytes = 32 + 8 + 4;
inline constexpr std::size_t kNodeBytes = kFanOut * kEntryBytes;

struct NodeVersion {
  std::uint64_t epoch = 0;
  std::uint32_t attempt = 0;
  auto operator<=>(const NodeVersion&) const = default;
};
// A tombstone keeps the epoch of the death; its key bytes are zeros.
inline constexpr std::uint32_t kTombstoneAttempt = 0xffff'ffff;
inline bool is_tombstone(const NodeVersion& version) noexcept { return version.attempt == kTombstoneAttempt; }

struct NodeName {
  unsigned level = 0;
  std::uint32_t index = 0;  // from the left, within its level
  NodeVersion version;
};
using NodeRowKey = ByteArray<1 + 4 + 8 + 4>;
NodeRowKey row_key(const NodeName& name);
ByteArray<1 + 4> row_prefix(unsigned level, std::uint32_t index);  // of all versions of one node
std::optional<NodeName> parse_row_key(ByteView key);

// Entries of a node's content (kNodeBytes long).
struct Child {
  SecretKey key;
  NodeVersion version;
};
Child child_of(ByteView content, unsigned child);
NodeVersion version_of(ByteView content, unsigned child);
ByteView entry_of(ByteView content, unsigned child);
void put_child(MutableBytes content, unsigned child, const SecretKey& key, const NodeVersion& version);
void put_tombstone(MutableBytes content, unsigned child, std::uint64_t epoch);
// A node as it is made: 64 fresh random keys, all of one version.
SecretBytes fresh_node(const NodeVersion& version, Random& random);

Bytes seal_node(const SecretKey& key, const KeyTreeId& tree, const NodeName& name, ByteView content, Random& random);
// corrupt "keys_damaged" if it is not this node under this key.
Result<SecretBytes> open_node(const SecretKey& key, const KeyTreeId& tree, const NodeName& name, ByteView row);
Hash row_hash(ByteView row);  // SHA-256 of the whole row: what the root store remembers of the root node

Error keys_damaged();

}  // namespace siegel::vault
