#include "store/rocks_threads.h"

#include <rocksdb/threadpool.h>

#include <utility>

namespace siegel {

namespace {

class OwnThreads final : public rocksdb::EnvWrapper {
 public:
  explicit OwnThreads(const std::shared_ptr<rocksdb::Env>& base) : EnvWrapper(base) {
    file_system_ = target()->GetFileSystem();
    system_clock_ = target()->GetSystemClock();
  }
  ~OwnThreads() override {
    flushes_->JoinAllThreads();
    others_->JoinAllThreads();
  }
  OwnThreads(const OwnThreads&) = delete;
  OwnThreads& operator=(const OwnThreads&) = delete;
  const char* Name() const override { return "OwnThreads"; }

  void Schedule(void (*function)(void*), void* argument, Priority priority, void*, void (*)(void*)) override {
    pool(priority).SubmitJob([function, argument] { function(argument); });
  }
  // What waits runs all the same, finds its store closing and returns at once.
  int UnSchedule(void*, Priority) override { return 0; }
  unsigned int GetThreadPoolQueueLen(Priority priority) const override { return pool(priority).GetQueueLen(); }
  int ReserveThreads(int, Priority) override { return 0; }
  int ReleaseThreads(int, Priority) override { return 0; }
  void SetBackgroundThreads(int, Priority) override {}
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}
  int GetBackgroundThreads(Priority priority) override { return priority == BOTTOM ? 0 : 1; }
  void LowerThreadPoolIOPriority(Priority) override {}
  void LowerThreadPoolCPUPriority(Priority) override {}
  rocksdb::Status LowerThreadPoolCPUPriority(Priority, rocksdb::CpuPriority) override { return rocksdb::Status::OK(); }

 private:
  [[nodiscard]] rocksdb::ThreadPool& pool(Priority priority) const { return priority == HIGH ? *flushes_ : *others_; }

  std::unique_ptr<rocksdb::ThreadPool> flushes_{rocksdb::NewThreadPool(1)};
  std::unique_ptr<rocksdb::ThreadPool> others_{rocksdb::NewThreadPool(1)};
};

}  // namespace

std::shared_ptr<rocksdb::Env> with_own_threads(std::shared_ptr<rocksdb::Env> base) {
  if (!base) base = std::shared_ptr<rocksdb::Env>(rocksdb::Env::Default(), [](rocksdb::Env*) {});  // nobody's
  return std::make_shared<OwnThreads>(base);
}

}  // namespace siegel
