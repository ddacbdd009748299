// Private to ledger: what stands where in the store. Format: docs/formats/stores.md.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "model/ids.h"
#include "store/store.h"

namespace siegel::ledger {

// The order of Ledger::families().
inline constexpr Family kHeaders{0};      // first sequence u64 -> row of headers
inline constexpr Family kPayloads{1};     // first sequence u64 -> row of parts records, idempotency entries behind them
inline constexpr Family kTiles{2};        // level u8 | index u64 -> 256 hashes
inline constexpr Family kHead{3};         // "head" -> Head, rewritten by every group
inline constexpr Family kCheckpoints{4};  // "newest" -> signed note of the group before

inline constexpr std::string_view kHeadKey = "head";
inline constexpr std::string_view kNewestKey = "newest";

inline ByteArray<8> row_key(Seq first) { return be(first.get()); }
ByteArray<9> tile_key(unsigned level, std::uint64_t index);

// The one hot row: all that a start needs beside the open tile.
struct Head {
  LedgerId id;
  std::string origin;
  TreeSize size;
  TimeMs time;                 // of the newest event
  KeysMark keys_mark;          // of the newest event
  Epoch epoch;                 // of the newest erasure.effective, 0: none
  std::vector<Hash> frontier;  // roots of the perfect subtrees, largest first: popcount(size) of them
  bool operator==(const Head&) const = default;
};
Bytes encode(const Head& head);
Result<Head> decode_head(ByteView bytes);  // corrupt "ledger_damaged", corrupt "format_newer"

Error damaged(const char* what);  // corrupt "ledger_damaged"

}  // namespace siegel::ledger
