// Tiles and entry bundles (C2SP tlog-tiles; formats/ledger.md 8): names, widths and bytes. Pure.
// A tile of level L holds up to 256 perfect nodes of tree level 8 * L; full ones never change.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace siegel {

inline constexpr unsigned kTileWidth = 256;
inline constexpr unsigned kTileHeight = 8;
inline constexpr unsigned kTileLevelMax = 63;  // of a path; a tree of 2^63 - 1 leaves has levels 0 to 7
inline constexpr std::size_t kBundleEntryBytesMax = 65535;

struct TileId {
  std::optional<unsigned> level;  // none: a bundle of entries
  std::uint64_t index = 0;
  unsigned width = kTileWidth;  // 1 to 255: partial
  bool operator==(const TileId&) const = default;
};

std::string tile_path(const TileId& tile);  // tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>]
// The one spelling of each tile; anything else is nothing.
std::optional<TileId> parse_tile_path(std::string_view path);

// Of a tree's tiles at a level (level 0 also for its bundles): the number of full ones, and the width of the partial
// one behind them, 0 if there is none.
std::uint64_t full_tiles(unsigned level, std::uint64_t tree_size) noexcept;
unsigned partial_width(unsigned level, std::uint64_t tree_size) noexcept;

Bytes encode_tile(std::span<const Hash> hashes);
// invalid/"tile_malformed": not 1 to 256 whole hashes.
Result<std::vector<Hash>> decode_tile(ByteView bytes);

// u16 BE length | bytes. The entry must be at most kBundleEntryBytesMax long.
void append_bundle_entry(Bytes& bundle, ByteView entry);
// Views into the bundle; invalid/"bundle_malformed": cut short, empty, or more than 256 entries.
Result<std::vector<ByteView>> decode_bundle(ByteView bundle);

}  // namespace siegel
