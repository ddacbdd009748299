// Private to vault: the keys store and its replicas as one. Every change is one synced batch with a number (the mark),
// written here first and then to each replica in the same order, so that a replica holds a prefix of what stands here.
// Families and rows: docs/formats/keys.md.
//
// Threads: from any thread; commits stand in line. The lock is held over the writes, against the house rule: marks must
//          reach the disk in order.
// Replicas: one that fails is away until retry_replicas() has brought it up to date again. Since when is remembered in
// meta, so
//          that a restart does not begin the 24 hours anew.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "store/store.h"
#include "vault/node.h"
#include "vault/vault.h"

namespace siegel::vault {

inline constexpr Family kNodes{std::uint8_t{0}};
inline constexpr Family kFences{std::uint8_t{1}};
inline constexpr Family kMeta{std::uint8_t{2}};
inline constexpr Family kPending{std::uint8_t{3}};

inline constexpr std::uint64_t kReplicaStaleMs = 24 * 3'600'000;

class KeysStore {
 public:
  struct Head {
    KeyTreeId tree;
    LedgerId ledger;
  };
  // conflict "exists" if a keys store or a replica is there. `first` becomes batch 1.
  static Status create(const Options& options, const Head& head, Batch first);
  // not_found "store_missing"; corrupt "keys_damaged", "format_unknown"; unavailable "keys_behind" (a replica is
  // ahead); invalid "other_ledger" (of a replica). clock: null opens for reading only, without replicas.
  static Result<std::unique_ptr<KeysStore>> open(const Options& options, Clock* clock);

  [[nodiscard]] const Head& head() const noexcept { return head_; }
  [[nodiscard]] std::uint64_t mark() const noexcept { return mark_.load(std::memory_order_acquire); }
  [[nodiscard]] Store& store() noexcept { return *local_; }
  // What a restart would find: opened beside the store from the files alone, for reading, without any memory of it.
  Result<std::unique_ptr<Store>> from_disk() const;

  // After a failed write: opens the store again and reads anew what stands there, for the failed batch may be in it or
  // not: its mark is never used twice, and a replica that lacks it gets it. Also by each commit; who reads before it
  // writes calls it first. Errors: those of Store::resume(); unavailable "keys_behind" if a synced batch is gone.
  Status ready();

  // all_replicas: unavailable "keys_replica_unavailable" if one is away (nothing is written then) or fails (it is
  // written here then). tried: replicas that fail are away from now on; the answer is how many have it.
  enum class Need : std::uint8_t { all_replicas, tried };
  Result<std::uint16_t> commit(Batch batch, Need need);

  // Whether an erasure may go on: every replica is there or has been away for 24 hours.
  [[nodiscard]] bool replicas_there_or_stale();
  // Never waits: also while a replica hangs in a commit.
  [[nodiscard]] std::uint16_t replicas_away() const noexcept { return away_.load(std::memory_order_relaxed); }
  void retry_replicas();

 private:
  struct Replica {
    std::filesystem::path dir;
    FileSystemHandle file_system;
    std::unique_ptr<Store> store;  // null: away
    std::optional<TimeMs> away_since;
    bool noted = false;  // away_since stands in meta
  };
  KeysStore(Clock* clock, std::unique_ptr<Store> local, RocksOptions reading)
      : clock_(clock), local_(std::move(local)), reading_(std::move(reading)) {}
  Status read_head();
  Status take_up();
  Status open_replicas(const Options& options);
  Status bring_up(Replica& replica);
  void note_away(Replica& replica);
  void count_away();
  Error replica_away();

  Clock* clock_;
  std::unique_ptr<Store> local_;
  const RocksOptions reading_;  // of from_disk()
  Head head_{};
  std::atomic<std::uint64_t> mark_{0};
  std::atomic<std::uint16_t> away_{0};
  std::mutex commit_mutex_;
  bool local_failed_ = false;
  std::vector<Replica> replicas_;
};

}  // namespace siegel::vault
