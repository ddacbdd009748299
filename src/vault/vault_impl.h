// Private to vault: the vault, in four files: vault_impl.cc (threads, pool, small answers), open.cc (create, open,
// recovery), seal.cc (parts, rows, day keys), erase.cc (fences, epochs).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "base/guarded.h"
#include "vault/gate.h"
#include "vault/keys_store.h"
#include "vault/leaf_keys.h"
#include "vault/leaf_pool.h"
#include "vault/records.h"
#include "vault/tree.h"
#include "vault/vault.h"

namespace siegel::vault {

// What the root store holds, seen against the keys store.
struct RootsFound {
  RootEntry living;                    // the highest epoch whose root node opens and matches
  std::optional<LockedRoot> old_root;  // still beside it: steps 4b and 4c are to be done
  std::optional<Epoch> unusable;       // prepared, but its nodes are not there
};
// What the vault starts from.
struct Opened {
  std::unique_ptr<KeysStore> keys;
  LockedRoot root;
  std::map<std::uint64_t, std::vector<Slot>> fences;
};

class VaultImpl final : public Vault {
 public:
  VaultImpl(const Options& options, RootStore& root_store, Opened opened, Clock& clock, Random& random);
  ~VaultImpl() override { close(); }
  Status recover(RootsFound roots);  // open.cc: finishes or takes back what a crash left
  void start();

  KeyTreeId tree() const override { return keys_->head().tree; }
  Epoch epoch() const override { return Epoch(epoch_.load(std::memory_order_acquire)); }
  KeysMark mark() const override { return KeysMark(keys_->mark()); }
  unsigned grade() const override { return root_store_.grade(); }

  Result<Slot> new_leaf() override;
  Result<ledger::SealedPart> seal(Slot slot, const EventId& event, std::uint16_t part, ClassNo cls,
                                  const OwnerId& owner, std::uint16_t schema, ByteView body) override;
  ledger::SealedPart trace(Slot slot, ClassNo cls, const OwnerId& owner) override;
  Result<SecretBytes> open(const ledger::AccessReceipt& receipt, const Header& header, std::uint16_t part,
                           const StoredPart& stored) override;
  Result<SecretBytes> open(const ledger::SystemReceipt& receipt, const Header& header, std::uint16_t part,
                           const StoredPart& stored) override;
  Result<SecretBytes> open(const ledger::RegistryReceipt& receipt, const Header& header, std::uint16_t part,
                           const StoredPart& stored) override;
  Result<SecretBytes> open_registry_row(const ledger::RegistryReceipt& receipt, Slot slot, ByteView row,
                                        ByteView sealed) override;
  Result<Bytes> seal_row(Slot slot, std::string_view projection, ByteView row, ByteView body) override;
  Result<SecretBytes> open_row(const ledger::AccessReceipt& receipt, const OwnerId& owner, Slot slot,
                               std::string_view projection, ByteView row, ByteView sealed) override;
  Result<SecretBytes> open_row(const ledger::SystemReceipt& receipt, Slot slot, std::string_view projection,
                               ByteView row, ByteView sealed) override;
  Result<Hash> day_mac(Slot day, ByteView data) override;
  Result<Bytes> day_seal(Slot day, const ByteArray<12>& nonce, ByteView body) override;
  Result<SecretBytes> day_open(Slot day, const ByteArray<12>& nonce, ByteView sealed) override;
  bool living(Slot slot) override;

  using Vault::fence;
  Status fence(std::span<const Fence> fences) override;
  std::vector<Fence> fences() override;
  bool fenced(Slot slot) override { return leaf_keys_.fenced(slot); }
  bool fenced_ahead(Slot slot, TreeSize size) override;
  Status forget_fence(std::uint64_t request) override;
  Status lose(std::uint64_t request) override;
  Result<SlotSet> living_but(const SlotSet& named) override;
  Status give_up(const SlotSet& slots) override;
  Status adopt_ledger_size(TreeSize size) override;
  Result<EpochChange> erase(std::span<const Fence> fences) override;
  Status settle() override;
  std::vector<EpochChange> untold() override;
  Status told(Epoch epoch) override;

  Counters counters() const override;
  Status look() override { return keys_->store().look(); }
  Away away() const override;
  void close() override;

 private:
  // What stands between a fence and its certificate.
  struct Erasures {
    std::map<std::uint64_t, std::vector<Slot>> fences;  // by request, slots ascending
    std::vector<EpochChange> untold;
    std::optional<EpochChange>
        unfinished;  // its root is effective here, but not every member has destroyed the old one
    [[nodiscard]] bool destroyed(std::uint64_t request) const;
    [[nodiscard]] std::vector<EpochChange> changes() const;  // as they stand in the pending record
    void set_changes(std::vector<EpochChange> changes);
  };
  struct NextEpoch;

  Result<SecretKey> leaf_key(Slot slot);  // inside the gate
  Result<SecretBytes> open_part(const Header& header, std::uint16_t part, const StoredPart& stored);
  Result<SecretBytes> open_row_of(Slot slot, std::string_view projection, ByteView row, ByteView sealed);

  // Key thread, which also keeps the size of the ledger: all that may wait for a disk.
  void write_keys_ahead();
  Status write_leaf_nodes(std::uint32_t count);
  Status keep_ledger_size();
  void drop_idle_nodes();  // idle thread: no disk that hangs keeps a key in memory

  void step(int number) const {
    if (on_step) on_step(number);
  }
  // open.cc
  Status load_untold();
  Status finish_change(const RootsFound& roots, const LockedRoot& old_root);
  void destroy_old_roots(const RootEntry& living);
  Status drop_noise();
  // erase.cc; all but slots_of and let_go with epoch_mutex_ held.
  Result<std::vector<Slot>> slots_of(std::span<const std::uint64_t> requests);
  void let_go(std::span<const std::uint64_t> requests);
  std::optional<EpochChange> take_effective(std::vector<std::uint64_t>& requests);
  Result<NextEpoch> begin_epoch(std::vector<std::uint64_t> requests);
  Status write_nodes(NextEpoch& next);
  Status ship(NextEpoch& next);
  Status replace_root(NextEpoch& next);
  void take_back(const NextEpoch& next);
  void drop_nodes(const NextEpoch& next);
  void make_effective(NextEpoch& next, bool all_destroyed);
  Status finish_unfinished();
  Status places_there();
  Status look_at_roots();
  std::uint16_t heal_roots(const RootEntry& living);
  RootEntry living_root();
  Batch pending_batch(const NextEpoch& next);

  const Options options_;
  RootStore& root_store_;
  Clock& clock_;
  Random& random_;
  std::unique_ptr<KeysStore> keys_;
  KeyGate gate_;
  NodeCache nodes_;
  LeafKeys leaf_keys_;
  KeyTree tree_;
  LeafPool pool_;
  Guarded<Erasures> erasures_;
  std::mutex epoch_mutex_;  // one change of epoch, or its clean-up, at a time; held over all its steps
  std::atomic<std::uint64_t> epoch_;
  std::atomic<std::uint64_t> nodes_written_{0};
  std::atomic<std::uint64_t> erasures_aborted_{0};
  std::atomic<std::uint64_t> roots_healed_{0};
  Guarded<std::vector<std::filesystem::path>> roots_away_;  // at the last look
  std::atomic<bool> roots_refused_{false};                  // at the last change of epoch, one of them
  std::uint32_t own_leaf_nodes_ = 0;                        // those below are of processes before
  std::uint32_t next_leaf_node_ = 0;                        // key thread
  Guarded<bool> stop_{false};
  std::thread key_thread_;
  std::thread idle_thread_;
};

}  // namespace siegel::vault
