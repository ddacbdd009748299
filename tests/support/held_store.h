// A store in memory whose writes wait while it is held: read models that lag behind the ledger, for as long as a test
// wants.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "store/memory_store.h"

namespace siegel::test {

class HeldStore final : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  HeldStore& operator=(MemoryStore&& other) {
    MemoryStore::operator=(std::move(other));
    return *this;
  }

  class Hold {
   public:
    explicit Hold(HeldStore& store) : store_(store) { store_.set_held(true); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() { store_.set_held(false); }

   private:
    HeldStore& store_;
  };

  Status write(const Batch& batch, Sync sync) override {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !held_; });
    }
    return MemoryStore::write(batch, sync);
  }

 private:
  void set_held(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

}  // namespace siegel::test
