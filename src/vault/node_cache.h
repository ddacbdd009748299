// Private to vault: opened interior nodes in locked memory, for at most 60 s without use (keys.md 7: what a stolen
// memory image can tell). From any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "crypto/memory.h"
#include "vault/node.h"

namespace siegel::vault {

inline constexpr std::chrono::seconds kNodeIdleMax{60};

class NodeCache {
 public:
  explicit NodeCache(std::size_t bytes_max);

  std::optional<Child> find(unsigned level, std::uint32_t index, unsigned child, std::chrono::nanoseconds now);
  void put(unsigned level, std::uint32_t index, ByteView content, std::chrono::nanoseconds now);
  void drop_idle(std::chrono::nanoseconds now);
  void clear();

  [[nodiscard]] std::size_t nodes() const;
  [[nodiscard]] std::size_t bytes_locked() const;

 private:
  struct Place {
    std::size_t block;
    std::chrono::nanoseconds used;
  };
  using Places = std::unordered_map<std::uint32_t, Place>;
  MutableBytes block(std::size_t number);
  std::optional<std::size_t> free_block();
  Places::iterator drop(Places::iterator at);

  mutable std::mutex mutex_;
  std::size_t nodes_max_;
  std::vector<LockedBytes> chunks_;
  std::vector<std::size_t> free_;
  Places places_;
};

}  // namespace siegel::vault
