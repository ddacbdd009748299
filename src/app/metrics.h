// The metrics of contract section 7, in the text format of Prometheus.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "http/server.h"
#include "service/service.h"
#include "vault/vault.h"

namespace siegel::app {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  void finished(const http::Finished& request);                   // I/O threads
  void group(std::size_t events, std::chrono::nanoseconds sync);  // writer thread
  void event(EventType type);                                     // writer thread
  void erased(double seconds);                                    // from request to unreadable
  // Values that are asked for when somebody scrapes.
  struct Now {
    std::uint64_t queued = 0, size = 0, projected = 0;
    bool read_only = false;
    double erasure_open_seconds = 0;
    bool erasures_fail = false;
    std::uint64_t lock_record_behind = 0;
    bool store_damaged = false;
    std::size_t evidence_copies = 0;
    double evidence_oldest_seconds = 0;
    vault::Vault::Counters keys;
  };
  [[nodiscard]] std::string text(const Now& now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace siegel::app
