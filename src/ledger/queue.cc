#include "ledger/queue.h"

#include <algorithm>

namespace siegel::ledger {

CommandQueue::Put CommandQueue::put(std::unique_ptr<Command>& command) {
  const auto events = std::max<std::size_t>(command->events(), 1);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Put::closed;
    if (waiting_.size() >= limits_.commands_max) return Put::full;
    waiting_.push_back({std::move(command), events});
    events_ += events;
    if (events == 1) ++singles_;
    wake = wake_at_ != 0 && (waiting_.size() >= wake_at_ || events_ >= limits_.events_max);
  }
  if (wake) changed_.notify_one();
  return Put::queued;
}

std::vector<std::unique_ptr<Command>> CommandQueue::take() {
  std::vector<std::unique_ptr<Command>> out;
  std::unique_lock lock(mutex_);
  wake_at_ = 1;
  changed_.wait(lock, [&] { return !waiting_.empty() || closed_; });
  if (!closed_) wait_for_company(lock);
  wake_at_ = 0;
  const auto most = events_max();
  for (std::size_t events = 0; !waiting_.empty() && (out.empty() || events + waiting_.front().events <= most);) {
    auto& next = waiting_.front();
    events += next.events;
    events_ -= next.events;
    if (next.events == 1) --singles_;
    out.push_back(std::move(next.command));
    waiting_.pop_front();
  }
  last_group_ = out.size();
  return out;
}

void CommandQueue::wait_for_company(std::unique_lock<std::mutex>& lock) {
  if (limits_.wait_max.count() == 0) return;
  std::size_t expected = last_group_;
  if (limits_.in_flight) {
    lock.unlock();  // it is somebody else's code
    expected = limits_.in_flight();
    lock.lock();
  }
  wake_at_ = std::min(expected, limits_.commands_max);
  changed_.wait_for(lock, limits_.wait_max,
                    [&] { return closed_ || waiting_.size() >= wake_at_ || events_ >= limits_.events_max; });
}

std::size_t CommandQueue::events_max() const {
  const bool mixed = singles_ != 0 && singles_ != waiting_.size();
  return mixed ? std::min(limits_.events_max, limits_.events_max_beside_singles) : limits_.events_max;
}

void CommandQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

std::size_t CommandQueue::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::size_t CommandQueue::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace siegel::ledger
