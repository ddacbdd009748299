#include "vault/keys_layout.h"

#include "crypto/sha256.h"
#include "vault/node.h"

namespace siegel::vault {
namespace {

constexpr std::uint16_t kFormat = 1;
constexpr std::size_t kHeadBytes = 2 + 16 + 8;
// Each erasure reads the log from its beginning (KeysStore::from_disk), so it is kept short: 2 MiB are some hundred
// erasures, or the leaf nodes of 45,000 leaves.
constexpr std::uint64_t kWalBytesMax = std::uint64_t{2} << 20;

ByteView head_key() { return as_bytes("head"); }

}  // namespace

RocksOptions keys_options(const std::filesystem::path& dir, const FileSystemHandle& file_system) {
  RocksOptions out;
  out.dir = dir;
  out.families = {{.name = "nodes"},
                  {.name = "fences", .write_buffer_bytes = std::size_t{1} << 20},
                  {.name = "meta", .write_buffer_bytes = std::size_t{1} << 20},
                  {.name = "pending", .write_buffer_bytes = std::size_t{1} << 20}};
  out.wal_bytes_max = kWalBytesMax;
  out.file_system = file_system;
  return out;
}

ByteView mark_key() { return as_bytes("mark"); }
ByteView ledger_size_key() { return as_bytes("ledger-size"); }

// The path stands there as a hash so that its length does not matter.
Bytes away_key(const std::filesystem::path& dir) {
  Bytes key = to_bytes(as_bytes("away/"));
  append(key, ByteView(sha256(as_bytes(dir.string()))).first(8));
  return key;
}

void put_head(const KeysHead& head, Batch& batch) {
  Bytes row;
  append_be(row, kFormat);
  append(row, head.tree.get());
  append(row, head.ledger.get());
  batch.put(kMeta, head_key(), row);
}

Result<KeysHead> read_head(Store& store) {
  SIEGEL_TRY(row, store.get(kMeta, head_key()));
  if (!row || row->size() < 2) return keys_damaged();
  if (const auto format = get_be<std::uint16_t>(row->data()); format != kFormat) {
    return Error(Errc::corrupt, "format_unknown", "The keys store has a format that this version does not know.")
        .with("format", format);
  }
  if (row->size() != kHeadBytes) return keys_damaged();
  const ByteView bytes(*row);
  return KeysHead{KeyTreeId(to_array<16>(bytes.subspan(2, 16))), LedgerId(to_array<8>(bytes.subspan(18, 8)))};
}

Result<std::uint64_t> read_mark(Store& store) {
  SIEGEL_TRY(row, store.get(kMeta, mark_key()));
  if (!row || row->size() != 8) return keys_damaged();
  return get_be<std::uint64_t>(row->data());
}

Result<TreeSize> read_ledger_size(Store& store) {
  SIEGEL_TRY(row, store.get(kMeta, ledger_size_key()));
  if (!row) return TreeSize(0);
  if (row->size() != 8) return keys_damaged();
  return TreeSize(get_be<std::uint64_t>(row->data()));
}

}  // namespace siegel::vault
