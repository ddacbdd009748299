// Private: the way from any thread to one I/O thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "http/message.h"

namespace siegel::http {

class Connection;
class StreamState;

struct Delivery {
  std::weak_ptr<Connection> to;
  std::uint64_t serial = 0;             // of the request; an answer to one that is over goes nowhere
  std::optional<Response> answer;       // whole, or the head of stream
  std::shared_ptr<StreamState> stream;  // without answer: it has something to send
};

// Wakes its thread once for all that waits: the first delivery after take() does, the others only queue. What waits is
// bounded by the requests in flight: one answer each, and one nudge per stream.
class Inbox {
 public:
  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  void put(Delivery&& delivery);                    // any thread; after close() it is dropped
  void put_all(std::vector<Delivery>& deliveries);  // moves from all
  void take(std::vector<Delivery>& into);           // I/O thread; into is empty
  void close();

  void bind_to_this_thread() noexcept { thread_.store(std::this_thread::get_id()); }
  void unbind() noexcept { thread_.store({}); }  // its thread ends; another may get the same id
  [[nodiscard]] bool is_this_thread() const noexcept { return thread_.load() == std::this_thread::get_id(); }

 private:
  struct State {
    std::vector<Delivery> waiting;
    bool woken = false;
    bool closed = false;
  };
  Guarded<State> state_;
  const std::function<void()> wake_;
  std::atomic<std::thread::id> thread_{};
};

// Where answers go: straight to the connection on its own thread, into the open ReplyBatch, or into the inbox.
void hand_over(const std::shared_ptr<Inbox>& inbox, Delivery&& delivery);

}  // namespace siegel::http
