// A job of the system on a data directory whose server is stopped: ledger and keys, and events at its start and end.
// Threads: one. Errors: those of Core::open; unavailable "read_only" with the reason.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/config.h"
#include "app/stores.h"
#include "crypto/random.h"
#include "service/service.h"

namespace siegel::app {

// unavailable "read_only" with the ledger's reasons.
Error read_only_error(const ledger::Ledger& ledger);

class StoppedJob {
 public:
  StoppedJob(std::filesystem::path data, const Config& config);
  ~StoppedJob();

  Status open();
  [[nodiscard]] Core& core() { return core_; }
  // job.started is durable when it returns.
  Result<ledger::SystemReceipt> begin(JobFacts::Kind kind);
  void end(JobFacts::Kind kind, std::uint64_t count);
  // ledger.configured is durable when it returns without an error.
  Status configured(std::vector<std::pair<std::string, std::string>> settings);
  // Closes the stores, not the lock: open() may follow.
  void close();

  SystemClock clock;
  SystemRandom random;

 private:
  std::filesystem::path data_;
  Config config_;
  Core core_;
  struct Writing;  // what it takes to write an event
  std::unique_ptr<Writing> writing_;
};

}  // namespace siegel::app
