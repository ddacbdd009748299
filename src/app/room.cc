#include "app/room.h"

#include <chrono>

#include "store/file.h"

namespace siegel::app {
namespace {

constexpr std::int64_t kLookEveryMs = 250;

}  // namespace

bool Room::is_short() const {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count();
  auto due = look_at_ms_.load(std::memory_order_relaxed);
  if (now < due || !look_at_ms_.compare_exchange_strong(due, now + kLookEveryMs)) return short_;
  const auto free = SystemFiles().free_bytes(dir_);
  short_ = free && *free < kRoomForChangesMin;
  return short_;
}

}  // namespace siegel::app
