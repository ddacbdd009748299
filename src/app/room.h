// Room on the disk of the data directory. A look at a person must leave a trace, so looking ends where writing ends:
// what lies between the two marks, kRoomForChangesMin and the store's own (16 MiB), is kept for these traces.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

namespace siegel::app {

inline constexpr std::uint64_t kRoomForChangesMin = std::uint64_t{64} << 20;

class Room {
 public:
  explicit Room(std::filesystem::path dir) : dir_(std::move(dir)) {}
  // Fewer than kRoomForChangesMin bytes are free. Any thread; every command asks, so the disk is asked four times a
  // second only. A disk that does not answer is not short.
  bool is_short() const;

 private:
  std::filesystem::path dir_;
  mutable std::atomic<std::int64_t> look_at_ms_{0};  // steady clock
  mutable std::atomic<bool> short_{false};
};

}  // namespace siegel::app
