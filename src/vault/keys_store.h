// Private to vault: the keys store and its replicas as one. Every change is one synced batch with a number (the mark),
// written here first; then each replica's own thread writes it, in the same order (keys_replica.h). Families and rows:
// docs/formats/keys.md.
//
// Threads: from any thread; commits stand in line. The lock is held over the writes here, against the house rule: marks
//          must reach the disk in order. It is never held over a replica's.
// Replicas: one that fails, or does not answer for Options::replica_wait, is away until retry_replicas() has brought it
//          up to date again. Since when is remembered in meta, so that a restart does not begin the 24 hours anew.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "store/store.h"
#include "vault/keys_replica.h"
#include "vault/node.h"
#include "vault/vault.h"

namespace siegel::vault {

inline constexpr std::uint64_t kReplicaStaleMs = 24 * 3'600'000;

class KeysStore final : public KeysReplica::Source {
 public:
  using Head = KeysHead;
  // conflict "exists" if a keys store or a replica is there. `first` becomes batch 1.
  static Status create(const Options& options, const Head& head, Batch first);
  // not_found "store_missing"; corrupt "keys_damaged", "format_unknown"; unavailable "keys_behind" (a replica is
  // ahead); invalid "other_ledger" (of a replica). clock: null opens for reading only, without replicas. A replica is
  // given ten times replica_wait to be brought up; one that takes longer is away, and comes when it is ready.
  static Result<std::unique_ptr<KeysStore>> open(const Options& options, Clock* clock);
  ~KeysStore() override = default;  // waits for the calls that threads of replicas are in

  [[nodiscard]] const Head& head() const noexcept override { return head_; }
  [[nodiscard]] std::uint64_t mark() const noexcept { return mark_.load(std::memory_order_acquire); }
  [[nodiscard]] Store& store() noexcept { return *local_; }
  // What a restart would find: opened beside the store from the files alone, for reading, without any memory of it.
  Result<std::unique_ptr<Store>> from_disk() const;

  // After a failed write: opens the store again and reads anew what stands there, for the failed batch may be in it or
  // not: its mark is never used twice, and a replica that lacks it gets it. Also by each commit; who reads before it
  // writes calls it first. Errors: those of Store::resume(); unavailable "keys_behind" if a synced batch is gone.
  Status ready();

  // Waits for the replicas that are there, each at most replica_wait.
  // all_replicas: unavailable "keys_replica_unavailable" if one is away (nothing is written then) or fails (it is
  // written here then). tried: replicas that fail are away from now on; the answer is how many have it.
  enum class Need : std::uint8_t { all_replicas, tried };
  Result<std::uint16_t> commit(Batch batch, Need need);

  // The highest size of the ledger that is known here; it stands in each batch, so that replicas have it too. keep
  // writes it here alone, synced and without a number: no event relies on it, and a replica that is away misses
  // nothing.
  [[nodiscard]] TreeSize ledger_size() const noexcept { return TreeSize(ledger_size_); }
  Status keep_ledger_size(TreeSize size);

  // Whether an erasure may go on: every replica is there or has been away for 24 hours.
  [[nodiscard]] bool replicas_there_or_stale() const;
  [[nodiscard]] std::vector<std::filesystem::path> replicas_away() const;
  // Asks those that are there to look whether their files are at their place. Does not wait for it.
  void look_at_replicas();
  // Tries those that are away, and waits for it at most replica_wait; not for one that hangs for longer already.
  void retry_replicas();

 private:
  struct Replica {
    std::unique_ptr<KeysReplica> copy;
    bool noted = false;  // since when it is away stands in meta
  };
  struct Doubtful {                      // a batch whose write failed
    std::uint64_t mark = 0;              // 0: it has none
    std::shared_ptr<const Batch> batch;  // null: none
  };
  KeysStore(Clock* clock, std::chrono::milliseconds replica_wait, std::unique_ptr<Store> local, RocksOptions reading)
      : clock_(clock), replica_wait_(replica_wait), local_(std::move(local)), reading_(std::move(reading)) {}
  Status load();
  Status take_up();
  Status open_replicas(const Options& options);
  void note_away(Batch& batch);
  void send(std::uint64_t mark, const std::shared_ptr<const Batch>& batch);
  // For the threads of replicas.
  Result<std::uint64_t> join(KeysReplica& replica) override;
  Result<KeysReplica::Rows> rows(Family family, ByteView from) override;

  Clock* clock_;
  const std::chrono::milliseconds replica_wait_;
  std::unique_ptr<Store> local_;
  const RocksOptions reading_;  // of from_disk()
  Head head_{};
  std::atomic<std::uint64_t> mark_{0};
  std::atomic<std::uint64_t> ledger_size_{0};
  std::mutex commit_mutex_;
  Doubtful doubtful_;
  std::vector<Replica> replicas_;  // last: their threads use the rest. As many as at the opening
};

}  // namespace siegel::vault
