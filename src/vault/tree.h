// Private to vault: the key tree over the keys store. Reading walks down from the root key through the node cache; new
// leaf nodes are made under keys that the interior nodes hold already; the next epoch is built and checked beside the
// present one, and takes its place by adopt(). Format: docs/formats/keys.md.
//
// Threads: leaf_node() and make_leaf_nodes() from any thread inside the KeyGate; adopt() alone in it. build_next(),
// verify(),
//          stale_rows(): the thread that changes epochs, of which there is one at a time.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "crypto/memory.h"
#include "vault/keys_store.h"
#include "vault/node.h"
#include "vault/node_cache.h"
#include "vault/root_store.h"

namespace siegel::vault {

// A root key in locked memory, with the name of its root node.
class LockedRoot {
 public:
  static Result<LockedRoot> make(const SecretKey& key, const NodeVersion& version, const Hash& hash);
  [[nodiscard]] SecretKey key() const { return SecretKey(memory_.view()); }
  [[nodiscard]] const NodeVersion& version() const noexcept { return version_; }
  [[nodiscard]] const Hash& hash() const noexcept { return hash_; }
  void set_hash(const Hash& hash) noexcept { hash_ = hash; }
  [[nodiscard]] bool locked() const noexcept { return memory_.locked(); }

 private:
  LockedRoot(LockedBytes memory, const NodeVersion& version) : memory_(std::move(memory)), version_(version) {}
  LockedBytes memory_;
  NodeVersion version_;
  Hash hash_{};
};

// The first root node: what Vault::create writes.
struct FirstRoot {
  RootEntry entry;
  Batch batch;
};
FirstRoot make_first_root(const KeyTreeId& tree, const LedgerId& ledger, Random& random);

class KeyTree {
 public:
  KeyTree(KeysStore& keys, NodeCache& cache, Clock& clock, Random& random, LockedRoot root);

  [[nodiscard]] const LockedRoot& root() const noexcept { return root_; }

  // The 64 leaf keys and tombstones of a leaf node; nothing if it was never made.
  Result<std::optional<SecretBytes>> leaf_node(std::uint32_t index);

  struct NewLeafNodes {
    Batch batch;
    std::vector<SecretBytes> contents;  // of the leaf nodes, by index
    struct Interior {
      unsigned level;
      std::uint32_t index;
      SecretBytes content;
    };
    std::vector<Interior> interior;  // made on the way down
  };
  Result<NewLeafNodes> make_leaf_nodes(std::uint32_t first, std::uint32_t count);
  // After they are synced.
  void keep(const NewLeafNodes& made);

  // The next epoch: new keys on all paths to `dead` (ascending), tombstones there, the root node under next's key. Adds
  // the rows to the batch, sets next's hash, and answers how many leaves die (those not dead before).
  Result<std::uint64_t> build_next(std::span<const Slot> dead, LockedRoot& next, Batch& batch);
  // Opens what changed from the disk, past every cache, under both roots: every slot of `dead` a tombstone, everything
  // else as it was. corrupt "keys_damaged" if not.
  Status verify(std::span<const Slot> dead, const LockedRoot& old, const LockedRoot& next);
  void adopt(LockedRoot next);  // wipes the old root key and all cached nodes

  // Rows of nodes on the paths to `dead` that the present root does not lead to: of older epochs, of attempts that
  // failed.
  enum class Which : std::uint8_t { all, newer_than_root };
  Status erase_stale_rows(std::span<const Slot> dead, Which which, Batch& batch);

 private:
  Result<std::optional<Child>> child(unsigned level, std::uint32_t index, unsigned number);
  Result<std::optional<SecretBytes>> read(Store& from, const NodeName& name, const SecretKey& key);
  Result<SecretBytes> read_existing(Store& from, const NodeName& name, const SecretKey& key);
  Result<Child> child_or_make(unsigned level, std::uint32_t index, unsigned number, NewLeafNodes& into,
                              std::map<std::pair<unsigned, std::uint32_t>, std::size_t>& made);
  struct Rewrite;
  Status rewrite(Rewrite& all, const NodeName& name, const SecretKey& key, const SecretKey& new_key,
                 std::span<const Slot> dead);
  Status verify_once(std::span<const Slot> dead, const LockedRoot& old, const LockedRoot& next);
  Status same_but(Store& from, std::span<const Slot> dead, const NodeName& old_name, const SecretKey& old_key,
                  const NodeName& new_name, const SecretKey& new_key);
  Status erase_stale(const NodeName& name, const SecretKey& key, std::span<const Slot> dead, Which which, Batch& batch);

  KeysStore& keys_;
  NodeCache& cache_;
  Clock& clock_;
  Random& random_;
  LockedRoot root_;
};

}  // namespace siegel::vault
