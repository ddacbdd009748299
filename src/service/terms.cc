// What ends by itself, without anybody asking: the keys of idempotency entries after their window (keys.md 10) and the
// notices of erasures 30 days after their deadline (keys.md 5, step 0). A job of the system, on the eraser's thread.
#include <algorithm>
#include <span>
#include <utility>

#include "model/definitions.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

constexpr std::uint64_t kDayMs = 86'400'000;
constexpr std::uint64_t kNoticeMs = 30 * kDayMs;  // after the deadline

}  // namespace

// Leaves that are past their term. The fences of notices carry the number of their request: the read models take the
// end of a leaf whose request is effective already for the end of its notice.
Result<std::vector<vault::Fence>> Impl::past_term() {
  const auto now = clock.now().get();
  std::vector<vault::Fence> out;
  SIEGEL_TRY(own, views.owner(owner_of_ledger()));
  if (own) {
    const auto window = (std::uint64_t{options.idempotency_days} + 1) * kDayMs;  // a day is looked at as a whole
    vault::Fence days{0, {}};
    for (const auto& leaf : own->leaves)
      if (leaf.cls == built_in::day_keys && leaf.since.get() + window <= now && vault.living(leaf.slot))
        days.slots.push_back(leaf.slot);
    if (!days.slots.empty()) out.push_back(std::move(days));
  }
  SIEGEL_TRY(notices, views.notices());
  for (const auto& notice : notices) {
    if (notice.deadline.get() + kNoticeMs > now) continue;
    vault::Fence fence{notice.request.get(), {}};
    for (const auto slot : notice.slots)
      if (vault.living(slot)) fence.slots.push_back(slot);
    if (!fence.slots.empty()) out.push_back(std::move(fence));
  }
  return out;
}

// One epoch, told.
Status Impl::end_now(std::span<const vault::Fence> fences) {
  SIEGEL_CHECK(vault.fence(fences));
  const auto change = vault.erase(fences);
  if (!change) {  // the fences go, so that the next look finds the leaves again
    for (const auto& fence : fences) (void)vault.forget_fence(fence.request);
    return Error(change.error());
  }
  return tell_untold();
}

// As many epochs as it takes: all of a large erasure's notices end on one day.
Status Impl::end_terms() {
  SIEGEL_CHECK(vault.settle());  // epochs are told in their order
  SIEGEL_CHECK(tell_untold());
  SIEGEL_TRY(fences, past_term());
  if (fences.empty()) return Done{};
  SIEGEL_TRY(receipt, begin_job(JobFacts::Kind::terms));
  std::uint64_t leaves = 0;
  for (auto& fence : fences)
    if (fence.request == 0) fence.request = receipt.seq().get();
  for (std::span rest(std::as_const(fences)); !rest.empty();) {
    if (eraser_.with([](const EraserState& e) { return e.stop; })) break;  // the rest at the next start
    const auto now = rest.first(std::min(rest.size(), options.requests_per_epoch_max));
    SIEGEL_CHECK(end_now(now));
    for (const auto& fence : now) leaves += fence.slots.size();
    rest = rest.subspan(now.size());
  }
  end_job(JobFacts::Kind::terms, leaves);
  return Done{};
}

}  // namespace siegel::service
