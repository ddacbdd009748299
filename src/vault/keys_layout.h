// Private to vault: how a keys store lies on its disk, which is the same for the one here and for its replicas.
// Families and rows: docs/formats/keys.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "model/ids.h"
#include "store/store.h"

namespace siegel::vault {

inline constexpr Family kNodes{std::uint8_t{0}};
inline constexpr Family kFences{std::uint8_t{1}};
inline constexpr Family kMeta{std::uint8_t{2}};
inline constexpr Family kPending{std::uint8_t{3}};

RocksOptions keys_options(const std::filesystem::path& dir, const FileSystemHandle& file_system);
ByteView mark_key();
ByteView ledger_size_key();
// Since when a replica has been away.
Bytes away_key(const std::filesystem::path& dir);

struct KeysHead {
  KeyTreeId tree;
  LedgerId ledger;
};
void put_head(const KeysHead& head, Batch& batch);
// corrupt "keys_damaged", "format_unknown".
Result<KeysHead> read_head(Store& store);
Result<std::uint64_t> read_mark(Store& store);
Result<TreeSize> read_ledger_size(Store& store);  // 0: it has seen none

}  // namespace siegel::vault
