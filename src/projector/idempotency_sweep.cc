#include "projector/idempotency_sweep.h"

namespace siegel::projector {

void IdempotencySweep::begin() {
  running_ = true;
  from_.clear();
  living_.clear();
}

Status IdempotencySweep::step(std::size_t rows_max) {
  constexpr auto kRows = views::Rows::idempotency;
  Batch batch;
  const auto cursor = store_.cursor(views::family(kRows));
  std::size_t seen = 0;
  for (cursor->seek(from_); cursor->valid() && seen < rows_max; cursor->next(), ++seen) {
    SIEGEL_TRY(place, views::decode_idempotency(cursor->value()));
    const auto [at, fresh] = living_.try_emplace(place.day, true);
    if (fresh) at->second = vault_.living(place.day);
    if (!at->second) batch.erase(views::family(kRows), cursor->key());
  }
  SIEGEL_CHECK(cursor->status());
  running_ = cursor->valid();
  if (running_) from_ = to_bytes(cursor->key());
  return batch.empty() ? Status(Done{}) : store_.write(batch, Sync::no);
}

}  // namespace siegel::projector
