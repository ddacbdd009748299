// Private to ledger: the lock record (DESIGN I12), a file outside the data directory that holds the newest checkpoint
// note and nothing else. A thread of its own writes it after each group, but at most every kPause: whole, synced and
// renamed, so that a power loss leaves the old note or the new one. Nobody waits for it, and it is told of a note only
// after the note's tree is durable, so it is never ahead of the ledger.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/guarded.h"
#include "model/ids.h"
#include "store/file.h"

namespace siegel::ledger {

class LockRecord {
 public:
  static constexpr std::chrono::milliseconds kPause{500};   // synced within a second, whatever the disk does beside
  static constexpr std::chrono::milliseconds kRetry{1000};  // after a write that failed

  LockRecord(Files& files, std::filesystem::path path) : files_(files), path_(std::move(path)) {}
  LockRecord(const LockRecord&) = delete;
  LockRecord& operator=(const LockRecord&) = delete;
  ~LockRecord() { stop(); }

  Result<std::optional<std::string>> read();           // nothing: the file is missing
  Status write(TreeSize size, std::string_view note);  // at once, by the caller
  void found(TreeSize size);                           // by read(), and good
  void start();
  void tell(TreeSize size, const std::string& note);  // never blocks on the disk
  void stop();                                        // writes what is newest; idempotent

  [[nodiscard]] TreeSize durable() const;
  [[nodiscard]] std::uint64_t failures() const;

 private:
  struct State {
    TreeSize newest;
    std::string note;
    TreeSize durable;
    std::uint64_t failures = 0;
    bool stopping = false;
  };
  void run();
  Status write_file(std::string_view note);
  bool pause(std::chrono::milliseconds time);  // false: stopping

  Files& files_;
  std::filesystem::path path_;
  Guarded<State> state_;
  std::thread thread_;
};

}  // namespace siegel::ledger
