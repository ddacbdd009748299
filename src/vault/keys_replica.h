// Private to vault: a required copy of the keys store. The disk under it may hang in any call without an error (a dead
// network mount), so a thread of its own does all that touches it; others put batches into its queue, and wait for the
// acknowledgement no longer than they choose to.
//
// there:   gets every batch, in order, so it holds a prefix of what stands in the keys store.
// away:    gets nothing. It failed, did not answer in time, or its files are not at their place any more; try_again()
//          asks its thread to bring it up.
// joining: is made equal to the keys store, row by row, while that goes on. The batches of meanwhile are kept, and are
//          written at the end as one with the mark: until then its old mark says that it is behind.
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "store/store.h"
#include "vault/keys_layout.h"

namespace siegel::vault {

class KeysReplica {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  struct Rows {
    std::vector<std::pair<Bytes, Bytes>> rows;  // ascending
    bool last = false;                          // none behind them
  };
  // The keys store that it is a copy of, as its thread sees it. Outlives it.
  class Source {
   public:
    virtual ~Source() = default;
    [[nodiscard]] virtual const KeysHead& head() const noexcept = 0;
    // Calls begin_joining(), and says up to which mark the rows are: of later batches none is missed.
    virtual Result<std::uint64_t> join(KeysReplica& replica) = 0;
    virtual Result<Rows> rows(Family family, ByteView from) = 0;  // some of those whose key is not below
  };
  struct Place {
    std::filesystem::path dir;
    FileSystemHandle file_system;
    std::optional<TimeMs> away_since;  // before this process
  };

  KeysReplica(Place place, Source& source, Clock& clock);  // away, until it is tried
  ~KeysReplica();                                          // waits for the call that its thread is in
  KeysReplica(const KeysReplica&) = delete;
  KeysReplica& operator=(const KeysReplica&) = delete;

  [[nodiscard]] const std::filesystem::path& dir() const noexcept { return place_.dir; }
  [[nodiscard]] bool there() const;
  [[nodiscard]] std::optional<TimeMs> away_since() const;  // none while it is there

  // The next batch, by whoever holds the order of batches. Never waits.
  void send(std::uint64_t mark, std::shared_ptr<const Batch> batch);
  // Its thread looks whether its files are still at their place, as it does after each batch: RocksDB writes on into
  // files that have been deleted. Never waits; a thread that is in one call for longer than `patience` is away.
  void look(std::chrono::milliseconds patience);
  // Whether this batch is synced there. One that does not answer until then is away.
  bool wait_for(std::uint64_t mark, Deadline until);

  void try_again();
  // Until that has ended, one way or the other. One that has not answered for `patience` is not waited for.
  void wait_tried(std::chrono::milliseconds patience);
  [[nodiscard]] std::optional<Error> failure() const;  // with which it failed, or the last try ended

  void begin_joining();  // for Source::join

 private:
  enum class Now : std::uint8_t { away, joining, there };
  struct Waiting {
    std::uint64_t mark;
    std::shared_ptr<const Batch> batch;  // null: only a look
  };
  struct State {
    Now now = Now::away;
    std::uint64_t life = 0;     // another one each time it goes away: what was begun before does not count
    std::deque<Waiting> queue;  // while there or joining
    std::size_t queue_bytes = 0;
    std::uint64_t acknowledged = 0;  // newest mark that is synced there
    std::optional<TimeMs> away_since;
    bool wanted = false;                 // to be tried, or being tried
    std::optional<Deadline> busy_since;  // in what the thread does now
    std::optional<Error> failure;
    bool closing = false;
  };
  struct Work {
    std::uint64_t life = 0;
    std::optional<Waiting> batch;  // none: bring it up
  };

  void run();
  void leave(State& state);
  std::optional<Work> next_work();
  void write(std::uint64_t life, const Waiting& next);
  void bring_up(std::uint64_t life);
  void close_store();
  Status open_and_join(std::uint64_t life);
  Status copy(Family family, Store& to);
  Status finish_joining(std::uint64_t life, std::uint64_t mark_there, std::uint64_t mark);

  const Place place_;
  Source& source_;
  Clock& clock_;
  std::unique_ptr<Store> store_;  // of the thread
  Guarded<State> state_;
  std::thread thread_;
};

}  // namespace siegel::vault
