#include "proof/tiles.h"

#include "base/assert.h"
#include "base/text.h"

namespace siegel {
namespace {

constexpr std::string_view kPrefix = "tile/";
constexpr std::string_view kEntries = "entries";
constexpr std::uint64_t kGroup = 1000;

std::string three_digits(std::uint64_t value) {
  std::string text = std::to_string(value);
  return std::string(3 - text.size(), '0') + text;
}

// 1234067 -> x001/x234/067
std::string grouped(std::uint64_t index) {
  std::string path = three_digits(index % kGroup);
  for (index /= kGroup; index > 0; index /= kGroup) path.insert(0, "x" + three_digits(index % kGroup) + "/");
  return path;
}

// Takes "x001/x234/067" from the front; the caller compares the spelling.
std::optional<std::uint64_t> take_index(std::string_view& text) {
  std::uint64_t index = 0;
  for (;;) {
    const bool more = text.starts_with('x');
    if (more) text.remove_prefix(1);
    if (text.size() < 3) return std::nullopt;
    std::uint64_t group = 0;
    for (const char c : text.substr(0, 3)) {
      if (c < '0' || c > '9') return std::nullopt;
      group = group * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (index > (UINT64_MAX - group) / kGroup) return std::nullopt;
    index = index * kGroup + group;
    text.remove_prefix(3);
    if (!more) return index;
    if (!text.starts_with('/')) return std::nullopt;
    text.remove_prefix(1);
  }
}

std::uint64_t nodes_at(unsigned level, std::uint64_t tree_size) noexcept {
  const unsigned shift = level * kTileHeight;
  return shift >= 64 ? 0 : tree_size >> shift;
}

}  // namespace

std::string tile_path(const TileId& tile) {
  SIEGEL_ASSERT(tile.width >= 1 && tile.width <= kTileWidth && tile.level.value_or(0) <= kTileLevelMax);
  std::string path(kPrefix);
  path += tile.level ? std::to_string(*tile.level) : std::string(kEntries);
  path += "/" + grouped(tile.index);
  if (tile.width < kTileWidth) path += ".p/" + std::to_string(tile.width);
  return path;
}

std::optional<TileId> parse_tile_path(std::string_view path) {
  std::string_view rest = path;
  if (!rest.starts_with(kPrefix)) return std::nullopt;
  rest.remove_prefix(kPrefix.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  TileId tile;
  if (const auto kind = rest.substr(0, slash); kind != kEntries) {
    const auto level = parse_u64(kind);
    if (!level || *level > kTileLevelMax) return std::nullopt;
    tile.level = static_cast<unsigned>(*level);
  }
  rest.remove_prefix(slash + 1);
  const auto index = take_index(rest);
  if (!index) return std::nullopt;
  tile.index = *index;
  if (rest.starts_with(".p/")) {
    const auto width = parse_u64(rest.substr(3));
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    tile.width = static_cast<unsigned>(*width);
    rest = {};
  }
  if (!rest.empty() || tile_path(tile) != path) return std::nullopt;
  return tile;
}

std::uint64_t full_tiles(unsigned level, std::uint64_t tree_size) noexcept {
  return nodes_at(level, tree_size) / kTileWidth;
}

unsigned partial_width(unsigned level, std::uint64_t tree_size) noexcept {
  return static_cast<unsigned>(nodes_at(level, tree_size) % kTileWidth);
}

Bytes encode_tile(std::span<const Hash> hashes) {
  SIEGEL_ASSERT(!hashes.empty() && hashes.size() <= kTileWidth);
  Bytes bytes;
  bytes.reserve(hashes.size() * sizeof(Hash));
  for (const Hash& hash : hashes) append(bytes, hash);
  return bytes;
}

Result<std::vector<Hash>> decode_tile(ByteView bytes) {
  if (bytes.empty() || bytes.size() % sizeof(Hash) != 0 || bytes.size() > kTileWidth * sizeof(Hash)) {
    return Error(Errc::invalid, "tile_malformed", "A tile must hold 1 to 256 whole hashes.")
        .with("bytes", bytes.size());
  }
  std::vector<Hash> hashes(bytes.size() / sizeof(Hash));
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    hashes[i] = to_array<sizeof(Hash)>(bytes.subspan(i * sizeof(Hash), sizeof(Hash)));
  }
  return hashes;
}

void append_bundle_entry(Bytes& bundle, ByteView entry) {
  SIEGEL_ASSERT(entry.size() <= kBundleEntryBytesMax);
  append_be(bundle, static_cast<std::uint16_t>(entry.size()));
  append(bundle, entry);
}

Result<std::vector<ByteView>> decode_bundle(ByteView bundle) {
  std::vector<ByteView> entries;
  ByteReader reader(bundle);
  while (!reader.empty() && entries.size() <= kTileWidth) {
    std::uint16_t length = 0;
    ByteView entry;
    if (!reader.take_be(length) || !reader.take(length, entry)) {
      entries.clear();
      break;
    }
    entries.push_back(entry);
  }
  if (entries.empty() || entries.size() > kTileWidth) {
    return Error(Errc::invalid, "bundle_malformed", "An entry bundle must hold 1 to 256 whole entries.");
  }
  return entries;
}

}  // namespace siegel
