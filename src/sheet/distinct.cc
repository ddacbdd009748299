#include "sheet/distinct.h"

#include <utility>

namespace siegel::sheet {
namespace {

constexpr std::size_t kSlotsFirst = 64;
constexpr std::size_t kProbesMax = 64;  // more come from texts that were made to collide

}  // namespace

void FewTexts::add(std::string_view text, std::uint64_t hash) {
  if (overflowed_) return;
  for (auto& entry : entries_)
    if (entry.hash == hash) {
      ++entry.count;
      return;
    }
  if (entries_.size() == max_) {
    give_up();
    return;
  }
  entries_.push_back({hash, 1, std::string(text)});
}

void FewTexts::give_up() noexcept {
  overflowed_ = true;
  entries_ = {};
}

void DistinctCount::stop() {
  stopped_ = true;
  slots_ = {};
}

bool DistinctCount::insert(std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (std::size_t probes = 0; slots_[at] != 0; ++probes, at = (at + 1) & mask) {
    if (slots_[at] == hash) return false;
    if (probes == kProbesMax) {
      stop();
      return true;
    }
  }
  slots_[at] = hash;
  return true;
}

void DistinctCount::grow() {
  const auto old = std::exchange(slots_, std::vector<std::uint64_t>(slots_.empty() ? kSlotsFirst : slots_.size() * 2));
  for (const auto hash : old) {
    if (hash != 0) insert(hash);
    if (stopped_) return;
  }
}

void DistinctCount::add(std::uint64_t hash) {
  if (stopped_) return;
  if (count_ * 2 >= slots_.size()) grow();
  if (stopped_) return;
  if (insert(hash)) {
    ++count_;
  } else {
    repeats_ = true;
  }
  if (!stopped_ && (count_ == max_ || (repeats_ && count_ > kMany))) stop();
}

}  // namespace siegel::sheet
