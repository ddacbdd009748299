// Private to ledger: the bounded queue in front of the writer, and how a group is formed from what waits in it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "ledger/ledger.h"

namespace siegel::ledger {

struct GroupLimits {
  std::size_t commands_max = 0;  // of the queue
  std::size_t events_max = 0;
  std::size_t events_max_beside_singles = 1'000;  // while single commands wait behind bulk ones
  std::chrono::microseconds wait_max{};
  std::function<std::size_t()> in_flight;
};

// Any thread puts, one takes. Order is kept.
class CommandQueue {
 public:
  explicit CommandQueue(GroupLimits limits) : limits_(std::move(limits)) {}

  enum class Put : std::uint8_t { queued, full, closed };
  Put put(std::unique_ptr<Command>& command);  // takes it only if queued

  // The next group's commands: blocks while there are none, then takes at once, but waits up to wait_max while more
  // commands are in flight than wait here. Empty: closed, and everything was taken.
  std::vector<std::unique_ptr<Command>> take();
  void close();  // what is in the queue can still be taken
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t events() const;  // of all that wait

 private:
  struct Waiting {
    std::unique_ptr<Command> command;
    std::size_t events;
  };
  void wait_for_company(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::size_t events_max() const;

  const GroupLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::size_t events_ = 0;      // of all that wait
  std::size_t singles_ = 0;     // commands of one event among them
  std::size_t wake_at_ = 0;     // the taker sleeps until so many commands wait; 0: it does not sleep
  std::size_t last_group_ = 0;  // commands
  bool closed_ = false;
};

}  // namespace siegel::ledger
