// Private to ledger: the growing tree, and what readers need of it to prove anything about any past size.
// Full tiles stand in the store; the open tile of each level is in memory. Names: tile level l holds nodes of tree
// level 8 l.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "proof/merkle.h"
#include "proof/proofs.h"
#include "proof/tiles.h"
#include "store/store.h"

namespace siegel::ledger {

inline constexpr unsigned kTileLevels = 8;  // enough for 2^63 leaves

// The open tiles at one size: immutable, shared by readers.
struct TreeView {
  using Open = std::shared_ptr<const std::vector<Hash>>;
  std::uint64_t size = 0;
  std::array<Open, kTileLevels> open;  // never null; at most 255 hashes each
};

// A full tile's 256 hashes from the store; corrupt "ledger_damaged" if it is not there or malformed.
Result<std::vector<Hash>> read_full_tile(Store& store, unsigned level, std::uint64_t index);

// The writer's tree. append() in O(1) amortised; a tile that becomes full goes to the sink.
class TreeWriter {
 public:
  using FullTile = std::function<void(unsigned level, std::uint64_t index, const std::vector<Hash>& hashes)>;

  TreeWriter() = default;
  // Goes on at a size: leaves = hashes of the open tile of level 0 (size mod 256 of them). The open tiles above come
  // from full tiles of the store, at most 255 reads a level.
  static Result<TreeWriter> resume(Store& store, std::uint64_t size, std::vector<Hash> leaves);

  void append(const Hash& leaf, const FullTile& full);
  [[nodiscard]] const CompactRange& range() const noexcept { return range_; }
  [[nodiscard]] std::array<std::vector<Hash>, kTileLevels> const& open() const noexcept { return open_; }
  // Shares what did not change since `last`.
  [[nodiscard]] TreeView view(const TreeView* last) const;

 private:
  void push(unsigned level, const Hash& node, const FullTile& full);

  CompactRange range_;
  std::array<std::vector<Hash>, kTileLevels> open_;
};

// Nodes of the tree at `view`, for proofs. Belongs to one thread; keeps the last tile read.
class TreeReader final : public NodeSource {
 public:
  TreeReader(Store& store, const TreeView& view) : store_(store), view_(view) {}
  Result<Hash> node(NodeId id) override;
  // Entries [0, width) of a tile; width 1 to 256. Nothing if the tree does not reach that far.
  Result<std::optional<Bytes>> tile(unsigned level, std::uint64_t index, unsigned width);

 private:
  Result<const std::vector<Hash>*> entries(unsigned level, std::uint64_t index);

  Store& store_;
  const TreeView& view_;
  std::vector<Hash> cached_;
  unsigned cached_level_ = 0;
  std::uint64_t cached_index_ = 0;
};

}  // namespace siegel::ledger
