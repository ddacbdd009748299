// SimStore: a store in memory that loses power and fails, for the simulation. Cheap: thousands of histories a second.
// Unsynced batches survive a power loss as a prefix of their order, by the seed; a failed one may be among them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include "store/memory_store.h"

namespace siegel::test {

// Counts begin with 1 at the call of plan().
struct SimStorePlan {
  std::optional<std::uint64_t> power_loss_at_write{};  // it and all after it fail; whether it took effect: the seed
  std::optional<std::uint64_t> disk_full_at_write{};   // it and all after it fail, until resume() or a restart
  std::optional<std::uint64_t> io_error_at_write{};    // the same
};

class SimStore final : public MemoryStore {
 public:
  SimStore(std::size_t families, std::uint64_t seed);

  void plan(const SimStorePlan& plan);
  [[nodiscard]] std::uint64_t writes() const;  // since plan()
  [[nodiscard]] bool power_lost() const;
  // The store as it opens after the power came back; this one stays dead.
  std::unique_ptr<SimStore> after_restart(std::uint64_t seed);

  Status write(const Batch& batch, Sync sync) override;
  Status flush() override;  // what came before is durable then
  Status resume() override;

 private:
  Status fail(const Batch& batch, Error error);
  void make_durable();

  mutable std::mutex mutex_;
  std::size_t families_;
  std::mt19937_64 random_;
  SimStorePlan plan_;
  std::uint64_t writes_ = 0;
  bool power_lost_ = false;
  std::optional<Error> failure_;
  MemoryStore durable_;
  std::vector<Batch> unsynced_;
};

}  // namespace siegel::test
