#include "projector/folder.h"

#include <algorithm>
#include <utility>

#include "idempotency/idempotency.h"
#include "projector/all_projections.h"
#include "views/rows.h"

namespace siegel::projector {

namespace {

// A batch ends here at the latest, whatever the size of the chunk.
constexpr std::size_t kRowsMax = 64 * 1024;
constexpr std::size_t kBytesMax = std::size_t{32} << 20;
constexpr std::size_t kDaysKept = 32;

}  // namespace

Folder::Folder(views::Views& views, Keys& keys, views::Follower* follower)
    : views_(views), follower_(follower), projections_(all_projections()), rows_(views.store(), keys) {}

Status Folder::fold(Chunk& chunk) {
  rows_.clear();
  stored_ = 0;
  // What a fold that failed has remembered is not written: it is looked up again.
  if (!std::exchange(written_, false)) days_.clear();
  auto trailer = chunk.trailers.begin();
  for (std::size_t i = 0; i < chunk.events.size(); ++i) {
    auto& event = chunk.events[i];
    if (rows_.rows() > kRowsMax || rows_.bytes() > kBytesMax)
      SIEGEL_CHECK(write(chunk, i, TreeSize(event.header().seq.get())));
    for (; trailer != chunk.trailers.end() && trailer->before == i; ++trailer)
      SIEGEL_CHECK(index(*trailer, event.header()));
    SIEGEL_CHECK(fold(event));
  }
  SIEGEL_CHECK(write(chunk, chunk.events.size(), chunk.end()));
  written_ = true;
  return Done{};
}

Status Folder::fold(Event& event) {
  for (const auto& projection : projections_) {
    auto folded = projection->fold(event, rows_);
    if (folded) continue;
    return std::move(folded).error().with("projection", projection->name()).with("seq", event.header().seq);
  }
  return Done{};
}

Status Folder::index(const Chunk::Trailer& trailer, const Header& first) {
  // A row that was cut by the position of before is indexed, under its own first sequence.
  if (trailer.doubtful) {
    SIEGEL_TRY(indexed, views::is_indexed(trailer.bytes, rows_));
    if (indexed) return Done{};
  }
  SIEGEL_TRY(entries, views::index_idempotency(trailer.row, trailer.bytes, rows_));
  for (const auto day : entries.days) {
    if (views::contains(days_, day)) continue;
    if (days_.size() == kDaysKept) days_.erase(days_.begin());
    days_.push_back(day);
    new_day_ = true;
    SIEGEL_CHECK(remember_day(day, first));
  }
  return Done{};
}

// The day's leaf has no part, so nothing else tells the service of the next start where it is. Written once, by the
// first row that uses it, whatever was folded before in this process.
Status Folder::remember_day(Slot day, const Header& first) {
  const auto owner = owner_of_ledger();
  views::OwnerRow row;
  SIEGEL_TRY(value, rows_.get(views::Rows::owners, owner.get()));
  if (value) {
    SIEGEL_TRY(stored, views::decode_owner(*value));
    row = std::move(stored);
  }
  for (const auto& leaf : row.leaves)
    if (leaf.slot == day) return Done{};
  row.leaves.push_back({built_in::day_keys, day, 0, first.time, first.seq});
  rows_.put(views::Rows::owners, owner.get(), views::encode(row));
  return Done{};
}

Status Folder::write(Chunk& chunk, std::size_t end, TreeSize position) {
  SIEGEL_CHECK(rows_.write(position));
  for (; stored_ < end; ++stored_)
    if (follower_ != nullptr) follower_->folded(chunk.events[stored_]);
  views_.advance(position);
  return Done{};
}

bool Folder::new_day_seen() { return std::exchange(new_day_, false); }

}  // namespace siegel::projector
