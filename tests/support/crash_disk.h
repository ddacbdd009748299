// CrashDisk: a disk in memory on which the power fails, syncs fail and space ends where a test wants it. RocksDB runs
// on it through file_system(), our small files through files(); both see one tree and one count of calls.
//
// What survives a power loss, by the seed:
//   bytes of a file since its last sync   all, none, a prefix, or any mix of old and new 512-byte sectors
//   creates, renames, links, removals     those since the last sync of their directory: all, none, a prefix of them in
//                                         time, or all and none by directory; a rename is never half
//   a file whose sync failed              the bytes of that sync stay doubtful even if a later sync succeeds (Linux)
// What was synced survives, always. Syncing a file does not sync its directory entry.
//
// A call at which the power fails takes effect or not, by the seed, and reports an error like every call after it.
// Faults count calls that change something; RocksDB's LOG is written but not counted. RocksDB's background threads make
// the order of calls vary a little from run to run: a seed gives the same faults, not always the same history.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "store/file.h"
#include "store/store.h"

namespace siegel::test {

namespace crash {
class Disk;
}

// Counts begin with 1 at the call of plan().
struct CrashPlan {
  std::optional<std::uint64_t> power_loss_at_sync{};
  std::optional<std::uint64_t> power_loss_at_call{};
  // The program goes on and notices nothing, but nothing of what it does from then on is there after the restart. For
  // programs that a failing disk makes abort: when the power goes they are gone anyway.
  bool unnoticed = false;
  std::optional<std::uint64_t> io_error_at_call{};  // once
  std::optional<std::uint64_t> sync_failure_at{};   // once
  std::optional<std::uint64_t> space_bytes{};       // what may still be written; the write that meets the end is cut
};

class CrashDisk {
 public:
  enum class Keep : bool { current_bytes, every_byte };

  explicit CrashDisk(std::uint64_t seed, Keep keep = Keep::current_bytes);
  ~CrashDisk();
  CrashDisk(CrashDisk&&) noexcept;
  CrashDisk& operator=(CrashDisk&&) noexcept;

  void plan(const CrashPlan& plan);  // replaces the one before
  // As a dead network mount does: a call that changes something does not return until hang(false). Looking goes on.
  void hang(bool hangs);
  [[nodiscard]] bool hung() const;               // a call does hang
  [[nodiscard]] FileSystemHandle file_system();  // for RocksOptions; valid until kill, power loss
  [[nodiscard]] std::unique_ptr<Files> files();

  [[nodiscard]] bool power_lost() const;
  [[nodiscard]] std::uint64_t calls() const;  // since plan()
  [[nodiscard]] std::uint64_t syncs() const;

  // kill -9: what was written stays, synced or not; whatever still holds the disk open gets errors from now on.
  void kill();
  // Takes the power now, if it has not failed yet, and returns the disk as it comes up again: another seed, another
  // fate of what was not synced. This one stays dead.
  [[nodiscard]] CrashDisk after_restart(std::uint64_t seed);

  // Damage from outside, and looks at what is there. Paths as given to the file system; `part` = any part of the path.
  [[nodiscard]] std::vector<std::string> paths(std::string_view part = {}) const;  // of files, sorted
  [[nodiscard]] std::string content(const std::string& path) const;
  void set_content(const std::string& path, std::string bytes);  // of an existing file
  bool flip(const std::string& path, std::uint64_t offset);      // inverts one byte; false if there is none
  void remove(const std::string& path);
  // With Keep::every_byte: each file that ever was, and every range that was overwritten or cut, over all restarts.
  [[nodiscard]] std::vector<std::string> every_byte() const;

 private:
  explicit CrashDisk(std::shared_ptr<crash::Disk> disk);
  std::shared_ptr<crash::Disk> disk_;
};

// A disk that hangs for as long as this lives. Declared after what uses the disk, so that it ends before that.
class Hanging {
 public:
  explicit Hanging(CrashDisk& disk) : disk_(disk) { disk_.hang(true); }
  ~Hanging() { disk_.hang(false); }
  Hanging(const Hanging&) = delete;
  Hanging& operator=(const Hanging&) = delete;

 private:
  CrashDisk& disk_;
};

}  // namespace siegel::test
