#include "ledger/tree.h"

#include "base/assert.h"
#include "ledger/layout.h"

namespace siegel::ledger {

namespace {

std::uint64_t nodes_at(unsigned level, std::uint64_t size) noexcept { return size >> (level * kTileHeight); }

}  // namespace

Result<std::vector<Hash>> read_full_tile(Store& store, unsigned level, std::uint64_t index) {
  SIEGEL_TRY(found, store.get_pinned(kTiles, tile_key(level, index)));
  if (!found) return damaged("A full tile of the tree is missing.");
  auto hashes = decode_tile(found->value());
  if (!hashes || hashes->size() != kTileWidth) return damaged("A full tile of the tree is malformed.");
  return std::move(*hashes);
}

Result<TreeWriter> TreeWriter::resume(Store& store, std::uint64_t size, std::vector<Hash> leaves) {
  SIEGEL_ASSERT(leaves.size() == partial_width(0, size));
  TreeWriter tree;
  tree.open_[0] = std::move(leaves);
  for (unsigned level = 1; level < kTileLevels; ++level) {
    const auto first = full_tiles(level, size) * kTileWidth;
    for (unsigned i = 0; i < partial_width(level, size); ++i) {
      SIEGEL_TRY(below, read_full_tile(store, level - 1, first + i));
      tree.open_[level].push_back(perfect_root(below));
    }
  }
  // The frontier, from what was just read: the open tile of a level holds all of its perfect subtrees.
  std::vector<Hash> frontier;
  for (unsigned bit = kTreeLevels; bit-- > 0;) {
    if ((size >> bit & 1) == 0) continue;
    const auto& open = tree.open_[bit / kTileHeight];
    const unsigned in_tile = bit % kTileHeight;
    const auto at = (size >> bit << in_tile) % kTileWidth - (std::uint64_t{1} << in_tile);
    frontier.push_back(perfect_root(std::span(open).subspan(at, std::size_t{1} << in_tile)));
  }
  SIEGEL_TRY(range, CompactRange::resume(size, frontier));
  tree.range_ = range;
  return tree;
}

void TreeWriter::append(const Hash& leaf, const FullTile& full) {
  push(0, leaf, full);
  range_.append(leaf, [&](NodeId id, const Hash& node) {
    if (id.level % kTileHeight == 0) push(id.level / kTileHeight, node, full);
  });
}

void TreeWriter::push(unsigned level, const Hash& node, const FullTile& full) {
  auto& open = open_[level];
  open.push_back(node);
  if (open.size() < kTileWidth) return;
  const auto index = (range_.size() >> ((level + 1) * kTileHeight));  // the leaf being appended is not counted yet
  full(level, index, open);
  open.clear();
}

TreeView TreeWriter::view(const TreeView* last) const {
  TreeView out{.size = range_.size(), .open = {}};
  for (unsigned level = 0; level < kTileLevels; ++level) {
    const bool same = last && nodes_at(level, last->size) == nodes_at(level, out.size);
    out.open[level] = same ? last->open[level] : std::make_shared<const std::vector<Hash>>(open_[level]);
  }
  return out;
}

Result<const std::vector<Hash>*> TreeReader::entries(unsigned level, std::uint64_t index) {
  if (index == full_tiles(level, view_.size)) return view_.open[level].get();
  if (cached_.empty() || cached_level_ != level || cached_index_ != index) {
    SIEGEL_TRY(hashes, read_full_tile(store_, level, index));
    cached_ = std::move(hashes);
    cached_level_ = level;
    cached_index_ = index;
  }
  return &cached_;
}

Result<Hash> TreeReader::node(NodeId id) {
  const unsigned level = id.level / kTileHeight;
  const unsigned in_tile = id.level % kTileHeight;
  const auto first = id.index << in_tile;
  SIEGEL_ASSERT(level < kTileLevels && (first >> in_tile) == id.index);
  SIEGEL_TRY(hashes, entries(level, first / kTileWidth));
  const std::span all(*hashes);
  const auto count = std::size_t{1} << in_tile;
  if (first % kTileWidth + count > all.size()) return damaged("A node of the tree is missing.");
  return perfect_root(all.subspan(first % kTileWidth, count));
}

Result<std::optional<Bytes>> TreeReader::tile(unsigned level, std::uint64_t index, unsigned width) {
  if (level >= kTileLevels || width == 0 || width > kTileWidth) return std::optional<Bytes>();
  const auto there = nodes_at(level, view_.size);
  if (index > there / kTileWidth || index * kTileWidth + width > there) return std::optional<Bytes>();
  SIEGEL_TRY(hashes, entries(level, index));
  return std::optional<Bytes>(encode_tile(std::span(*hashes).first(width)));
}

}  // namespace siegel::ledger
