// Private to vault: slots whose leaf node is synced everywhere and which nobody has. Drawn at random, so that
// neighbours in the tree say nothing about who came together. A thread (run by the vault) writes leaf nodes ahead and
// fills it up. From any thread.
#pragma once

#include <chrono>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/guarded.h"
#include "vault/node.h"

namespace siegel::vault {

// A replica may hang without an error, and with it the thread that fills the pool; whoever draws is not to hang too.
inline constexpr std::chrono::milliseconds kTakeWaitMax{2000};

class LeafPool {
 public:
  // spare: kept ahead. When takers find it empty, twice as many are made the next time, up to 16 times.
  LeafPool(std::size_t spare, Random& random, std::chrono::milliseconds take_wait_max = kTakeWaitMax)
      : spare_(spare), take_wait_max_(take_wait_max), random_(random) {
    state_.with([&](State& s) { s.ahead = spare; });
  }

  // A slot nobody has had. Waits for the key thread if the pool has run dry, at most take_wait_max; its error if that
  // cannot help. Unavailable "keys_replica_unavailable" after the wait, and for all who come then, until there are
  // slots again.
  Result<Slot> take();
  void add(std::uint32_t first_node, std::uint32_t nodes);  // 64 slots each; ends a failure
  void fail(Error error);                                   // for those who wait, and who come while it is empty

  // Leaf nodes that give no slots while an erasure concerns them.
  void block(std::span<const Slot> slots);
  void unblock(std::span<const Slot> slots);

  // For the key thread: waits until leaf nodes are wanted, at most for the time given. How many, 0 if none.
  std::uint32_t wait_wanted(std::chrono::milliseconds longest);
  void close();  // ends all waiting
  [[nodiscard]] bool closed() const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct State {
    std::vector<std::uint32_t> free;
    std::unordered_map<std::uint32_t, std::size_t> blocked;  // leaf node: by how many slots of fences
    std::vector<std::uint32_t> aside;                        // drawn from blocked nodes: back when these are free again
    std::size_t ahead = 0;
    std::optional<Error> failure;
    bool closed = false;
  };
  std::optional<Slot> draw(State& state);
  [[nodiscard]] static std::uint32_t wanted(const State& state);

  const std::size_t spare_;
  const std::chrono::milliseconds take_wait_max_;
  Random& random_;
  Guarded<State> state_;
};

}  // namespace siegel::vault
