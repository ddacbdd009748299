// Private to ledger: a thread that writes and syncs one batch while the writer thread prepares the next group.
#pragma once

#include <chrono>
#include <optional>
#include <thread>

#include "base/guarded.h"
#include "store/store.h"

namespace siegel::ledger {

struct Written {
  Status status;
  std::chrono::nanoseconds took{};
};

Written write_synced(Store& store, const Batch& batch);

// One batch at a time: begin(), then finish(). Both from one thread; the batch must stay as it is between them.
class StoreWriter {
 public:
  explicit StoreWriter(Store& store) : store_(store) {}
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;
  ~StoreWriter();

  void begin(const Batch& batch);  // the first call starts the thread
  Written finish();                // waits

 private:
  struct State {
    const Batch* batch = nullptr;
    std::optional<Written> written;
    bool stopping = false;
  };
  void run();

  Store& store_;
  Guarded<State> state_;
  std::thread thread_;
};

}  // namespace siegel::ledger
