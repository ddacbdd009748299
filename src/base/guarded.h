// Shared data with its lock in one: there is no way to the data without holding the lock (after kj/mutex.h).
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace siegel {

template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  // Runs f under the lock and returns what it returns. f must not block, call back or do I/O.
  template <class F>
  decltype(auto) with(F&& f) {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(value_);
  }
  template <class F>
  decltype(auto) with(F&& f) const {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(value_);
  }
  // Waits until ready(value) holds, then runs f under the lock.
  template <class Ready, class F>
  decltype(auto) when(Ready&& ready, F&& f) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ready(value_); });
    return std::forward<F>(f)(value_);
  }
  // As when(), at most for the duration; f gets whether ready held.
  template <class Duration, class Ready, class F>
  decltype(auto) when_for(Duration duration, Ready&& ready, F&& f) {
    std::unique_lock lock(mutex_);
    const bool held = changed_.wait_for(lock, duration, [&] { return ready(value_); });
    return std::forward<F>(f)(value_, held);
  }
  void notify_all() noexcept { changed_.notify_all(); }
  void notify_one() noexcept { changed_.notify_one(); }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  T value_;
};

}  // namespace siegel
