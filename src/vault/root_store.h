// Where the root key lives: the one place that is really replaced. keys.md 4 and 5.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "model/ids.h"

namespace siegel::vault {

struct RootEntry {
  Epoch epoch;
  SecretKey key;
  Hash root_node{};      // hash of the root node's ciphertext
  LedgerId ledger;
  KeyTreeId tree;
};

// Two slots, one living. prepare writes the next entry beside the living one; commit overwrites the living one with noise, so that
// only the next is left; abort overwrites the prepared one. Each returns after it is on the medium.
class RootStore {
 public:
  virtual ~RootStore() = default;
  virtual Result<std::vector<RootEntry>> read() = 0;   // 0, 1 or 2 valid entries, ascending by epoch; "root_store_damaged" if both
                                                       // slots are torn, "root_store_missing" if there is no file
  virtual Status create(const RootEntry& first) = 0;   // exists: conflict "exists"
  virtual Status prepare(const RootEntry& next) = 0;
  virtual Status commit(Epoch next) = 0;
  virtual Status abort(Epoch next) = 0;
  [[nodiscard]] virtual unsigned grade() const = 0;    // 0..3
  [[nodiscard]] virtual std::uint16_t members() const = 0;
  [[nodiscard]] virtual std::string kind() const = 0;  // "file"
};

// L0: one preallocated file outside the data directory, two checksummed 512-byte slots, pwrite + fdatasync, never renamed.
std::unique_ptr<RootStore> open_file_root_store(std::filesystem::path file, Random& random);
// Several stores: any one recovers, all must destroy. A member that is behind is rolled forward when it is back.
std::unique_ptr<RootStore> mirror(std::vector<std::unique_ptr<RootStore>> members);

}  // namespace siegel::vault
