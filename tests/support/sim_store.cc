#include "support/sim_store.h"

#include "base/assert.h"

namespace siegel::test {

namespace {

Error power_is_off() { return Error(Errc::unavailable, "io_error", "The disk refused to read or write."); }

void must(const Status& status) { SIEGEL_ASSERT(status.has_value()); }

}  // namespace

SimStore::SimStore(std::size_t families, std::uint64_t seed)
    : MemoryStore(families), families_(families), random_(seed), durable_(families) {}

void SimStore::plan(const SimStorePlan& plan) {
  const std::lock_guard lock(mutex_);
  plan_ = plan;
  writes_ = 0;
}

std::uint64_t SimStore::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

bool SimStore::power_lost() const {
  const std::lock_guard lock(mutex_);
  return power_lost_;
}

void SimStore::make_durable() {
  for (const auto& batch : unsynced_) must(durable_.write(batch, Sync::no));
  unsynced_.clear();
}

// It is unknown whether a failed batch reached the disk: it stands among the unsynced ones, last, because no other
// follows it.
Status SimStore::fail(const Batch& batch, Error error) {
  unsynced_.push_back(batch.copy());
  failure_ = error;
  return error;
}

Status SimStore::write(const Batch& batch, Sync sync) {
  const std::lock_guard lock(mutex_);
  if (failure_) return Error(*failure_);
  ++writes_;
  if (plan_.power_loss_at_write == writes_) {
    power_lost_ = true;
    return fail(batch, power_is_off());
  }
  if (plan_.disk_full_at_write == writes_) {
    return fail(batch, Error(Errc::unavailable, "disk_full", "There is no room left on the disk of the store."));
  }
  if (plan_.io_error_at_write == writes_) return fail(batch, power_is_off());
  must(MemoryStore::write(batch, sync));
  unsynced_.push_back(batch.copy());
  if (sync == Sync::yes) make_durable();
  return Done{};
}

Status SimStore::flush() {
  const std::lock_guard lock(mutex_);
  if (failure_) return Error(*failure_);
  make_durable();
  return Done{};
}

Status SimStore::resume() {
  const std::lock_guard lock(mutex_);
  if (power_lost_) return Error(*failure_);
  if (failure_) {  // as after a restart: the failed batch is there or not
    if (random_() % 2 == 0) {
      unsynced_.pop_back();
    } else {
      must(MemoryStore::write(unsynced_.back(), Sync::no));
    }
  }
  failure_.reset();
  return Done{};
}

std::unique_ptr<SimStore> SimStore::after_restart(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  power_lost_ = true;
  if (!failure_) failure_ = power_is_off();
  std::mt19937_64 random(seed);
  const auto survivors = random() % (unsynced_.size() + 1);
  Batch all;
  for (std::size_t i = 0; i < families_; ++i) {
    const Family family(static_cast<std::uint8_t>(i));
    const auto row = durable_.cursor(family);
    for (row->seek_to_first(); row->valid(); row->next()) all.put(family, row->key(), row->value());
  }
  for (std::size_t i = 0; i < survivors; ++i) all.append(unsynced_[i]);
  auto out = std::make_unique<SimStore>(families_, seed);
  must(out->write(all, Sync::yes));
  out->plan({});
  return out;
}

}  // namespace siegel::test
