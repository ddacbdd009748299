// The vault: the key tree, sealing, opening against a receipt, erasing. Format: docs/formats/keys.md; protocol and its
// proof: the paper of Reardon, Ritzdorf, Basin, Capkun (CCS 2013), as docs/deletion.md tells.
//
// Guarantees: (1) keys never leave; (2) personal data is opened only for owners that a receipt covers; (3) a slot is
// given
//             out once, and only after its leaf node is synced here and on every required replica; (4) after erase() no
//             living key leads to an erased one, on any medium, whatever it kept; (5) every other leaf key is unchanged
//             (ER-02).
// Threads:    everything from any thread unless said otherwise. One thread of its own writes leaf nodes ahead (the
//             pool), one drops interior nodes 60 s after their last use, and each replica has one. No call waits for a
//             replica longer than a few replica_wait; the destructor waits for calls that hang in one.
// Memory:     leaf keys and node keys are kept in locked, undumped memory, at most key_cache_bytes_max; in use they are
// on the
//             stack, or on the heap for as long as one node is open, and are wiped after. Step 1 of an erasure also
//             wipes what OpenSSL's contexts of all threads, idle ones too, hold of the last keys.
// Errors:     gone "erased" (slot is a tombstone or fenced), unavailable "keys_replica_unavailable" (pool empty),
//             unavailable "root_store_unavailable", corrupt "keys_damaged", "box_damaged", denied "receipt_missing",
//             invalid "slot_unknown" (never given out), denied "keys_read_only" (opened without prefill).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "crypto/secret_bytes.h"
#include "ledger/ledger.h"
#include "model/event.h"
#include "store/store.h"
#include "vault/root_store.h"
#include "vault/slot_set.h"

namespace siegel::vault {

struct Options {
  std::filesystem::path keys_dir;
  std::vector<std::filesystem::path> replicas;  // required copies of the keys store: synced before a slot is used
  std::size_t key_cache_bytes_max = 64 * 1024 * 1024;
  std::size_t spare_leaves = 4096;  // kept ahead in the pool
  // A replica that does not acknowledge a write for so long is away.
  std::chrono::milliseconds replica_wait{3000};
  bool prefill = true;  // false: read-only use (verify, dry restore): gives no slots, changes nothing
  // How far the ledger is, durably. Asked each second by a thread of the vault, and by close(); the highest answer
  // is kept in the keys store (ledger_size()). Must not block. Left out: nothing is kept.
  std::function<TreeSize()> ledger_size;
  FileSystemHandle file_system;                        // of the keys store; null: the real one
  std::vector<FileSystemHandle> replica_file_systems;  // by replica; those missing: file_system
};

// What is written on a certificate and into erasure.effective.
struct EpochChange {
  Epoch from;
  Epoch to;
  Hash old_root{};
  Hash new_root{};
  std::uint64_t leaves = 0;
  unsigned grade = 0;         // of the lowest member
  std::uint16_t members = 0;  // root stores that destroyed the old root key
  std::uint16_t replicas = 0;
  std::vector<std::uint64_t> requests;  // sequences of the erasure.requested events, ascending
};

// As many requests as one change takes: their numbers stand in one header (header.md), eight bytes each.
inline constexpr std::size_t kRequestsPerEpochMax = 8'000;

struct Fence {
  std::uint64_t request = 0;  // sequence of the erasure.requested event that goes out with this fence
  std::vector<Slot> slots;
  bool destroyed = false;  // as fences() gives it: the leaves are dead, only their epoch is not told yet
};

// The request of such a fence was lost with the end of its ledger (siegel lock adopt): another event has, or will have,
// its sequence. Nothing but a service takes it away, once the leaves die with a request of another number, or their
// epoch is told (docs/adr/0013-erasures-whose-request-is-lost.md).
inline constexpr std::uint64_t kLostRequest = std::uint64_t{1} << 63;
constexpr bool is_lost(const Fence& fence) noexcept { return fence.request >= kLostRequest; }
// And this one never had a request: its leaves are not named by the ledger that was adopted (give_up()).
inline constexpr std::uint64_t kGivenUp = kLostRequest | kLostRequest >> 1;
constexpr bool is_given_up(const Fence& fence) noexcept { return fence.request >= kGivenUp; }
// The leaves of one such fence lie in no more leaf nodes than this: what one epoch has to write stays within 12 MiB.
inline constexpr std::size_t kLeafNodesGivenUpMax = 4096;

class Vault {
 public:
  // Makes an empty key tree at epoch 1: keys store, replicas, root. Errors: "exists".
  static Status create(const Options& options, RootStore& root, const KeyTreeId& tree, const LedgerId& ledger,
                       Random& random);
  // Opens with the checks of keys.md: the highest epoch whose root node opens and matches wins; a pending epoch is
  // rolled forward or back. `mark` and `epoch` are the ledger's: unavailable "keys_behind" (both numbers),
  // "root_behind" (both epochs), "other_ledger", "root_store_missing". `root`, clock and random must outlive the vault.
  static Result<std::unique_ptr<Vault>> open(const Options& options, RootStore& root, const LedgerId& ledger,
                                             KeysMark mark, Epoch epoch, Clock& clock, Random& random);
  // What the keys store at this place knows of the size of its ledger, as a rule a second old when its process
  // died, and older where its disk failed; 0: nothing. A ledger that is smaller has lost events, and with them the
  // names of leaves that live. Opens the store for a moment, for reading. not_found "store_missing"; corrupt
  // "keys_damaged"; those of open_rocksdb.
  static Result<TreeSize> ledger_size(const std::filesystem::path& keys_dir, const FileSystemHandle& file_system = {});
  // The same, and which ledger that is; of one opening.
  struct KnownLedger {
    LedgerId id;
    TreeSize size;
  };
  static Result<KnownLedger> known_ledger(const std::filesystem::path& keys_dir);
  // Reads every byte of a keys store or a replica of it, also beside its writer. Errors: those of siegel::check_files,
  // with place.
  static Status check_files(const std::filesystem::path& keys_dir);
  virtual ~Vault() = default;

  [[nodiscard]] virtual KeyTreeId tree() const = 0;
  [[nodiscard]] virtual Epoch epoch() const = 0;
  [[nodiscard]] virtual KeysMark mark() const = 0;  // newest synced key batch
  [[nodiscard]] virtual unsigned grade() const = 0;

  // A fresh leaf from the pool, at random; its key is in the cache.
  virtual Result<Slot> new_leaf() = 0;

  // Seals one part (keys.md 2) and makes salt and inner hash. The envelope's number is left 0 for the writer.
  virtual Result<ledger::SealedPart> seal(Slot slot, const EventId& event, std::uint16_t part, ClassNo cls,
                                          const OwnerId& owner, std::uint16_t schema, ByteView body) = 0;
  // An empty part that says: this owner was looked at. No key is used.
  virtual ledger::SealedPart trace(Slot slot, ClassNo cls, const OwnerId& owner) = 0;

  // Opens a stored part; its hash was checked against the header by codec::check_parts. gone "erased" if its key is
  // dead.
  virtual Result<SecretBytes> open(const ledger::AccessReceipt& receipt, const Header& header, std::uint16_t part,
                                   const StoredPart& stored) = 0;
  virtual Result<SecretBytes> open(const ledger::SystemReceipt& receipt, const Header& header, std::uint16_t part,
                                   const StoredPart& stored) = 0;

  // While the ledger is read-only: what the ledger itself owns in class registry, and rows made of it. Anything else is
  // denied "receipt_missing".
  virtual Result<SecretBytes> open(const ledger::RegistryReceipt& receipt, const Header& header, std::uint16_t part,
                                   const StoredPart& stored) = 0;
  virtual Result<SecretBytes> open_registry_row(const ledger::RegistryReceipt& receipt, Slot slot, ByteView row,
                                                ByteView sealed) = 0;

  // Rows of read models: sealed under a key derived from the leaf, random nonce in front; `row` goes into the
  // associated data.
  virtual Result<Bytes> seal_row(Slot slot, std::string_view projection, ByteView row, ByteView body) = 0;
  virtual Result<SecretBytes> open_row(const ledger::AccessReceipt& receipt, const OwnerId& owner, Slot slot,
                                       std::string_view projection, ByteView row, ByteView sealed) = 0;
  virtual Result<SecretBytes> open_row(const ledger::SystemReceipt& receipt, Slot slot, std::string_view projection,
                                       ByteView row, ByteView sealed) = 0;

  // Idempotency (keys.md 10): keyed hash and seal under a day's leaf.
  virtual Result<Hash> day_mac(Slot day, ByteView data) = 0;
  virtual Result<Bytes> day_seal(Slot day, const ByteArray<12>& nonce, ByteView body) = 0;
  virtual Result<SecretBytes> day_open(Slot day, const ByteArray<12>& nonce, ByteView sealed) = 0;

  [[nodiscard]] virtual bool living(Slot slot) = 0;  // neither fenced nor a tombstone (walks the tree if it must)

  // Erasure, keys.md 5. fence: step 0, writer thread, synced before it returns, together with the request's number;
  // from then on seal, open and row calls on these slots answer gone "erased". forget_fences drops fences whose request
  // is not in the ledger.
  // All of them in one synced batch: either every fence stands or none. Replicas that do not have it within
  // replica_wait are away; it stands all the same, and erase() waits for them.
  virtual Status fence(std::span<const Fence> fences) = 0;
  Status fence(const Fence& one) { return fence(std::span(&one, 1)); }
  [[nodiscard]] virtual std::vector<Fence> fences() = 0;  // a copy: for what happens seldom
  [[nodiscard]] virtual bool fenced(Slot slot) = 0;
  // By a fence whose request a ledger of this size does not hold yet, and has not lost.
  [[nodiscard]] virtual bool fenced_ahead(Slot slot, TreeSize size) = 0;
  virtual Status forget_fence(std::uint64_t request) = 0;
  // The ledger lost this request: its fence, and the change that destroyed its leaves if there is one, get a number
  // with kLostRequest that no other fence has. In one synced batch.
  virtual Status lose(std::uint64_t request) = 0;
  // A ledger that lost its end is adopted, and names only these. Every other leaf that lives, of those that were there
  // when this vault was opened: it was given out in what is lost, or is a spare one of a process that has ended. Which
  // of the two nothing tells, and nobody gets it any more.
  virtual Result<SlotSet> living_but(const SlotSet& named) = 0;
  // Fences them under numbers that are is_given_up(), each fence in a synced batch of its own. What of it a crash left
  // undone living_but() finds again.
  virtual Status give_up(const SlotSet& slots) = 0;
  // The smaller ledger is adopted: from here on this is its size. Synced.
  virtual Status adopt_ledger_size(TreeSize size) = 0;
  // Steps 1 to 4c for all given fences in one epoch; on return the slots are unreadable for ever. Any thread, one at a
  // time. On an error nothing is lost and the fences stand: call it again. If the last call failed while old roots were
  // being destroyed (a member of a mirror went away), the same fences get the change of that epoch as soon as the last
  // one is gone; asked for together with others, only these die now, and untold() has both changes. While a replica
  // or a root store is away nothing is written.
  // Errors: invalid "fence_unknown", "too_large" (more than kRequestsPerEpochMax requests: nothing is written),
  // unavailable "keys_replica_unavailable", "root_store_unavailable".
  virtual Result<EpochChange> erase(std::span<const Fence> fences) = 0;
  // Writes root stores anew that are damaged or hold another root, as an opening does, counts those that are away, and
  // finishes a change whose old root one of them still held: from then on it is untold. unavailable
  // "root_store_unavailable" while that cannot be.
  virtual Status settle() = 0;
  // An epoch that is effective but not yet told (a crash between 4c and 5): the facts from `pending`.
  [[nodiscard]] virtual std::vector<EpochChange> untold() = 0;
  // Step 6 after the event is durable: fences, pending record and old nodes go. not_found "epoch_unknown" if it is not
  // untold.
  virtual Status told(Epoch epoch) = 0;
  // Called after each step of erase (1, 2, 3, 41, 42, 43) and before the first (0), on its thread, without locks; null
  // by default.
  std::function<void(int step)> on_step;

  struct Counters {
    std::uint64_t sealed = 0, opened = 0, nodes_written = 0, pool = 0, cached_keys = 0, memory_locked = 0;
    std::uint64_t cached_nodes = 0, replicas_away = 0,
                  erasures_aborted = 0,  // the check of step 4b failed; alarm
        roots_healed = 0,                // members of the mirror that were damaged, and written anew; alarm
        roots_away = 0;                  // that cannot be read, written or healed; without them no erasure ends
  };
  [[nodiscard]] virtual Counters counters() const = 0;
  // Store::look() of the keys store; replicas look after themselves. Any thread.
  [[nodiscard]] virtual Status look() = 0;
  // Their places, for the operator. One that refused the last change of its root and is whole otherwise is not named.
  struct Away {
    std::vector<std::filesystem::path> roots, replicas;
  };
  [[nodiscard]] virtual Away away() const = 0;
  virtual void close() = 0;
};

}  // namespace siegel::vault
