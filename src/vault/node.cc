#include "vault/node.h"

#include "base/assert.h"
#include "crypto/box.h"
#include "crypto/sha256.h"

namespace siegel::vault {
namespace {

constexpr std::size_t kKeyBytes = 32;

ByteArray<16 + sizeof(NodeRowKey)> associated_data(const KeyTreeId& tree, const NodeName& name) {
  ByteArray<16 + sizeof(NodeRowKey)> out;
  const auto key = row_key(name);
  std::memcpy(out.data(), tree.get().data(), 16);
  std::memcpy(out.data() + 16, key.data(), key.size());
  return out;
}

void put_version(std::uint8_t* entry, const NodeVersion& version) {
  put_be(entry + kKeyBytes, version.epoch);
  put_be(entry + kKeyBytes + 8, version.attempt);
}

}  // namespace

NodeRowKey row_key(const NodeName& name) {
  NodeRowKey out;
  out[0] = static_cast<std::uint8_t>(name.level);
  put_be(out.data() + 1, name.index);
  put_be(out.data() + 5, name.version.epoch);
  put_be(out.data() + 13, name.version.attempt);
  return out;
}

ByteArray<1 + 4> row_prefix(unsigned level, std::uint32_t index) {
  ByteArray<1 + 4> out;
  out[0] = static_cast<std::uint8_t>(level);
  put_be(out.data() + 1, index);
  return out;
}

std::optional<NodeName> parse_row_key(ByteView key) {
  if (key.size() != sizeof(NodeRowKey) || key[0] > kLeafLevel) return std::nullopt;
  return NodeName{key[0],
                  get_be<std::uint32_t>(key.data() + 1),
                  {get_be<std::uint64_t>(key.data() + 5), get_be<std::uint32_t>(key.data() + 13)}};
}

ByteView entry_of(ByteView content, unsigned child) {
  SIEGEL_ASSERT(content.size() == kNodeBytes && child < kFanOut);
  return content.subspan(child * kEntryBytes, kEntryBytes);
}

NodeVersion version_of(ByteView content, unsigned child) {
  const auto entry = entry_of(content, child);
  return {get_be<std::uint64_t>(entry.data() + kKeyBytes), get_be<std::uint32_t>(entry.data() + kKeyBytes + 8)};
}

Child child_of(ByteView content, unsigned child) {
  return {SecretKey(entry_of(content, child).first(kKeyBytes)), version_of(content, child)};
}

void put_child(MutableBytes content, unsigned child, const SecretKey& key, const NodeVersion& version) {
  SIEGEL_ASSERT(content.size() == kNodeBytes && child < kFanOut);
  std::uint8_t* const entry = content.data() + child * kEntryBytes;
  std::memcpy(entry, key.view().data(), kKeyBytes);
  put_version(entry, version);
}

void put_tombstone(MutableBytes content, unsigned child, std::uint64_t epoch) {
  put_child(content, child, SecretKey{}, {epoch, kTombstoneAttempt});
}

SecretBytes fresh_node(const NodeVersion& version, Random& random) {
  SecretBytes content(kNodeBytes);
  const auto bytes = content.mutable_view();
  for (unsigned child = 0; child < kFanOut; ++child) {
    std::uint8_t* const entry = bytes.data() + child * kEntryBytes;
    random.fill({entry, kKeyBytes});
    put_version(entry, version);
  }
  return content;
}

Bytes seal_node(const SecretKey& key, const KeyTreeId& tree, const NodeName& name, ByteView content, Random& random) {
  SIEGEL_ASSERT(content.size() == kNodeBytes);
  Nonce nonce;
  random.fill(nonce);
  Bytes row;
  row.reserve(nonce.size() + box_size(kNodeBytes));
  append(row, nonce);
  seal_box(key, nonce, associated_data(tree, name), content, row);
  return row;
}

Result<SecretBytes> open_node(const SecretKey& key, const KeyTreeId& tree, const NodeName& name, ByteView row) {
  if (row.size() != kAeadNonceBytes + box_size(kNodeBytes)) return keys_damaged();
  auto content = open_secret_box(key, to_array<kAeadNonceBytes>(row.first(kAeadNonceBytes)),
                                 associated_data(tree, name), row.subspan(kAeadNonceBytes));
  if (!content || content->size() != kNodeBytes) return keys_damaged();
  return content;
}

Hash row_hash(ByteView row) { return sha256(row); }

Error keys_damaged() { return Error(Errc::corrupt, "keys_damaged", "A node of the key tree is not what was written."); }

}  // namespace siegel::vault
