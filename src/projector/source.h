// Private to projector: where events come from. Groups come through a bounded queue; what was not queued (before the
// start, and while the queue was full) is read from the ledger. Either way each event comes once, in order.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/guarded.h"
#include "ledger/ledger.h"
#include "projector/event.h"

namespace siegel::projector {

// Events that are folded in one go, opened as far as that can be done ahead.
struct Chunk {
  struct Trailer {       // idempotency entries of a payload row
    std::size_t before;  // index of the event that it comes with
    Seq row;
    ByteView bytes;
    bool doubtful = false;  // the row may have begun earlier: then it is indexed already
  };
  Seq first;
  std::vector<Event> events;
  std::vector<Trailer> trailers;
  std::vector<std::shared_ptr<const ledger::Group>> groups;  // what the views point into
  std::vector<Bytes> blocks;

  [[nodiscard]] bool empty() const { return events.empty(); }
  [[nodiscard]] TreeSize end() const { return TreeSize(first.get() + events.size()); }
};

class Source {
 public:
  Source(ledger::Ledger& ledger, std::size_t queue_bytes_max, std::size_t chunk_events_max)
      : ledger_(ledger), queue_bytes_max_(queue_bytes_max), chunk_events_max_(chunk_events_max) {}

  // From any thread; never blocks longer than a push.
  void committed(std::shared_ptr<const ledger::Group> group) noexcept;
  void stop();
  [[nodiscard]] bool stopped() const;
  // Until there may be something to take, or stop(), or the time is over.
  void wait(std::chrono::milliseconds time);
  void wait_for_stop(std::chrono::milliseconds time);

  // One thread at a time:
  void seek(TreeSize next);        // the next event to come; also back, to fold again
  void read_until(TreeSize end);   // at least so far, from the ledger where the queue has it not
  Result<Chunk> take(Keys& keys);  // empty: nothing there now

 private:
  struct Queue {
    std::deque<std::shared_ptr<const ledger::Group>> groups;
    std::size_t bytes = 0;
    std::uint64_t known_end = 0;  // of everything that was committed
    std::uint64_t next = 0;       // wanted next, for wait()
    bool stop = false;
    bool stirred = false;  // something came since the last wait()
  };
  Status from_queue(Keys& keys, Chunk& chunk);
  Status from_ledger(Keys& keys, Chunk& chunk, std::uint64_t end);
  Status add_row(const ledger::Group::Row& row, Keys& keys, Chunk& chunk);

  ledger::Ledger& ledger_;
  std::size_t queue_bytes_max_;
  std::size_t chunk_events_max_;
  Guarded<Queue> queue_;
  std::uint64_t next_ = 0;
  std::unique_ptr<ledger::EventCursor> cursor_;
  std::uint64_t cursor_next_ = 0;
  bool cursor_fresh_ = false;
  Bytes last_trailer_;  // its beginning: tells one row from the next
};

}  // namespace siegel::projector
