// Where the root key lives: the one place that is really replaced. Bytes: docs/formats/keys.md; grades and mirrors:
// formats of keys, section 4.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "model/ids.h"
#include "store/file.h"

namespace siegel::vault {

struct RootEntry {
  Epoch epoch;
  SecretKey key;
  Hash root_node{};  // SHA-256 of the root node's row (nonce and ciphertext)
  LedgerId ledger;
  KeyTreeId tree;
};

// Two slots, one living. prepare writes the next entry beside the living one; commit overwrites the living one with
// noise, so that only the next is left; abort overwrites the prepared one. Each returns after it is on the medium. All
// may be repeated: prepare of another key takes the place of a prepared one, commit and abort overwrite the dead slot
// again (a power loss may have left half of a key there). No call destroys the last valid entry.
// Attempts at one epoch have different keys: an entry is the same only if key and root node are. One of the same epoch
// with another key was never effective.
// Errors: unavailable "root_store_unavailable" (context members_reached), conflict "root_order" (such an entry is not
// there, or it is the only one; the store is ahead of it, or of another ledger). Threads: one at a time.
class RootStore {
 public:
  struct Healed {
    std::uint16_t healed = 0;  // written anew
    std::vector<std::filesystem::path> away =
        {};                   // cannot be read or written, or are no root stores, or another ledger's
    std::uint16_t other = 0;  // whole, but without this entry: commit brings it there
  };
  virtual ~RootStore() = default;
  // Ascending by epoch: the living one, and the prepared one if there is one. A mirror whose members differ (one was
  // away) answers with all there are. not_found "root_store_missing" if there is no file, corrupt "root_store_damaged"
  // if no slot is valid.
  virtual Result<std::vector<RootEntry>> read() = 0;
  virtual Status create(const RootEntry& first) = 0;  // exists: conflict "exists"
  virtual Status prepare(const RootEntry& next) = 0;
  // A store that does not hold this very entry (it was away, or another attempt was prepared in it) gets it first.
  virtual Status commit(const RootEntry& next) = 0;
  virtual Status abort(Epoch next) = 0;
  // Writes the entry, which another member or the running vault holds and the keys store knows, where no slot is whole
  // any more. A store that is not there, is no root store, or has a whole slot stays as it is.
  virtual Healed heal(const RootEntry& living) = 0;
  [[nodiscard]] virtual unsigned grade() const = 0;  // 0..3
  [[nodiscard]] virtual std::uint16_t members() const = 0;
  [[nodiscard]] virtual std::string kind() const = 0;  // "file"
};

// L0: one preallocated file outside the data directory (mode 0600, in a directory of 0700 that create makes), two
// checksummed 512-byte slots, pwrite + fdatasync, never renamed while it holds a key. `files`: of tests; null: the
// system's, else it must outlive the store.
std::unique_ptr<RootStore> open_file_root_store(std::filesystem::path file, Random& random, Files* files = nullptr);
// Several stores, at least one: any one recovers, all must destroy. A member that is behind, or holds what another
// attempt prepared, is rolled forward by the next prepare or commit. While one is away no epoch changes.
std::unique_ptr<RootStore> mirror(std::vector<std::unique_ptr<RootStore>> members);

// invalid "root_inside_data" if the root's file lies in the data directory, also through links: a backup of the
// directory would hold the root.
Status check_root_place(const std::filesystem::path& root_file, const std::filesystem::path& data_dir);

}  // namespace siegel::vault
