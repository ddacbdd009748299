// A Store in memory with the same meaning: for tests and the simulation. Every write is "durable" while the object
// lives; a subclass adds power loss and faults (tests/support/sim_store.h). checkpoint() is refused (there is no disk).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "store/store.h"

namespace siegel {

class MemoryStore : public Store {
 public:
  explicit MemoryStore(std::size_t families);
  ~MemoryStore() override;

  Status write(const Batch& batch, Sync sync) override;
  Result<std::optional<Pinned>> get_pinned(Family family, ByteView key, const Snapshot* snapshot = nullptr) override;
  std::unique_ptr<Snapshot> snapshot() override;
  std::unique_ptr<Cursor> cursor(Family family, const CursorOptions& options = {}) override;
  Status flush() override;
  Status compact(Family family) override;
  Status checkpoint(const std::filesystem::path& dir) override;
  Status resume() override;
  Status catch_up() override;
  StoreStats stats() override;
  std::uint64_t rows_estimate(Family family) override;

  struct State;  // shared with snapshots and cursors

 private:
  std::shared_ptr<State> state_;
};

}  // namespace siegel
