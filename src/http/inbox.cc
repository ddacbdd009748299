#include "http/inbox.h"

#include <utility>

#include "http/connection.h"
#include "http/reply.h"
#include "http/stream.h"

namespace siegel::http {
namespace {

struct Batch {
  struct ForInbox {
    std::shared_ptr<Inbox> inbox;
    std::vector<Delivery> deliveries;
  };
  unsigned depth = 0;
  std::vector<ForInbox> inboxes;  // as many as there are I/O threads: one, mostly
};
thread_local Batch t_batch;

void drop(Delivery& delivery) {
  if (delivery.stream) delivery.stream->lose();
}

}  // namespace

void Inbox::put(Delivery&& delivery) {
  enum class Next : std::uint8_t { nothing, wake, drop };
  const Next next = state_.with([&](State& s) {
    if (s.closed) return Next::drop;
    s.waiting.push_back(std::move(delivery));
    return std::exchange(s.woken, true) ? Next::nothing : Next::wake;
  });
  if (next == Next::wake) wake_();
  if (next == Next::drop) drop(delivery);
}

void Inbox::put_all(std::vector<Delivery>& deliveries) {
  enum class Next : std::uint8_t { nothing, wake, drop };
  const Next next = state_.with([&](State& s) {
    if (s.closed) return Next::drop;
    for (auto& delivery : deliveries) s.waiting.push_back(std::move(delivery));
    return std::exchange(s.woken, true) ? Next::nothing : Next::wake;
  });
  if (next == Next::wake) wake_();
  if (next == Next::drop)
    for (auto& delivery : deliveries) drop(delivery);
  deliveries.clear();
}

void Inbox::take(std::vector<Delivery>& into) {
  state_.with([&](State& s) {
    s.waiting.swap(into);
    s.woken = false;
  });
}

void Inbox::close() {
  std::vector<Delivery> rest;
  state_.with([&](State& s) {
    s.waiting.swap(rest);
    s.closed = true;
  });
  for (auto& delivery : rest) drop(delivery);
}

void hand_over(const std::shared_ptr<Inbox>& inbox, Delivery&& delivery) {
  if (inbox->is_this_thread()) return Connection::deliver(std::move(delivery));
  if (t_batch.depth == 0) return inbox->put(std::move(delivery));
  for (auto& target : t_batch.inboxes)
    if (target.inbox == inbox) return target.deliveries.push_back(std::move(delivery));
  t_batch.inboxes.push_back({inbox, {}});
  t_batch.inboxes.back().deliveries.push_back(std::move(delivery));
}

ReplyBatch::ReplyBatch() noexcept { ++t_batch.depth; }
ReplyBatch::~ReplyBatch() {
  if (--t_batch.depth > 0) return;
  for (auto& target : t_batch.inboxes) target.inbox->put_all(target.deliveries);
  t_batch.inboxes.clear();
}

}  // namespace siegel::http
