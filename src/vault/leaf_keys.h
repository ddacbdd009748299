// Private to vault: leaf keys by slot, in locked memory, and which slots are fenced. Bounded; when full, of 16
// candidates the one used longest ago goes. A fenced slot has no key here and takes none, so a hit is also the answer
// "not fenced". From any thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "base/secret.h"
#include "crypto/memory.h"
#include "model/ids.h"

namespace siegel::vault {

class LeafKeys {
 public:
  explicit LeafKeys(std::size_t bytes_max);
  ~LeafKeys();

  enum class Found : std::uint8_t { yes, no, fenced };
  Found find(Slot slot, SecretKey& key);
  // used: takes the place of the oldest; ahead: takes only free places and those of other keys put ahead.
  enum class Why : std::uint8_t { used, ahead };
  Found put(Slot slot, const SecretKey& key, Why why);  // fenced: was not taken

  void fence(std::span<const Slot> slots);  // and wipes their keys
  void unfence(std::span<const Slot> slots);
  [[nodiscard]] bool fenced(Slot slot);
  void clear();  // wipes all keys, keeps the fences

  [[nodiscard]] std::size_t keys() const;
  [[nodiscard]] std::size_t bytes_locked() const;

 private:
  struct Shard;
  Shard& shard(std::uint64_t hash) const;

  std::size_t shard_bits_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace siegel::vault
