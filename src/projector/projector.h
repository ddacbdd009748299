// Feeds events to the projections and stores rows and position together; rebuilds; digests.
//
// Guarantees: rows and position are one atomic batch, so a crash anywhere neither applies twice nor skips (PJ-02); a
//             rebuild over erased people needs no key of theirs and ends like live (PJ-05). Personal columns are sealed
//             (PJ-04).
// Threads:    one of its own, and one that opens parts ahead of it while there is much to do. committed() only
// enqueues;
//             when the queue is full the projector falls back to reading the ledger, so that memory is bounded and the
//             writer never waits.
// Errors:     a fold that fails on an event stops the projector: status() names projection and sequence, never a value.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "vault/vault.h"
#include "views/views.h"

namespace siegel::views {
class Follower;
}

namespace siegel::projector {

struct Options {
  std::size_t queue_bytes_max = 32 * 1024 * 1024;
  std::size_t batch_events_max = 4096;
  views::Follower* follower = nullptr;  // lives until stop() has returned; null: nobody follows
};

// As digests() names them.
std::vector<std::string> projection_names();

// Before a ledger that lost its end is adopted: fences whose request went with it are kept, under numbers that no event
// has (vault::kLostRequest), and the next service carries them out. Whether a request of the last moments was answered
// cannot be told any more; whoever asked might, and was not to wait for nothing. Nobody may write meanwhile.
Status keep_lost_fences(const ledger::Ledger& ledger, vault::Vault& vault);

// And the leaves that the lost part was sealed under: those that this ledger does not name. While one of them lives,
// whoever puts the lost part back can read it, and no erasure reaches it, as nothing knows whose it is. progress is
// called with events done, now and then.
Result<vault::SlotSet> lost_leaves(const ledger::Ledger& ledger, vault::Vault& vault,
                                   const std::function<void(std::uint64_t)>& progress);

class Projector : public ledger::Tail {
 public:
  static std::unique_ptr<Projector> make(ledger::Ledger& ledger, vault::Vault& vault, views::Views& views,
                                         const Options& options);

  // Folds from the views' position to the ledger's end, then follows the tail. The receipt names the job. Before it:
  // subscribe(). Drops fences whose request never became durable: call it before anybody erases. Errors: corrupt
  // "views_ahead", "views_damaged".
  virtual Status start(ledger::SystemReceipt receipt) = 0;
  virtual void stop() = 0;                          // after the group in hand; flushes
  [[nodiscard]] virtual Status status() const = 0;  // an error that passes (no room on the disk) goes away by itself

  // All rows anew into an empty views store, without starting; progress is called with events done. conflict
  // "views_not_empty".
  virtual Status rebuild(const ledger::SystemReceipt& receipt, const std::function<void(std::uint64_t)>& progress) = 0;
  // Order-independent digest of one projection's logical rows, keyed by a fresh random key that both sides must share.
  struct Digest {
    std::string projection;
    std::uint64_t rows = 0;
    Hash value{};
  };
  virtual Result<std::vector<Digest>> digests(const ledger::SystemReceipt& receipt, const SecretKey& key) = 0;
};

}  // namespace siegel::projector
