// Private to projector: folds chunks into the batch in memory and writes it with the position.
#pragma once

#include <memory>
#include <vector>

#include "projector/row_cache.h"
#include "projector/source.h"
#include "views/projection.h"

namespace siegel::projector {

class Folder {
 public:
  Folder(views::Views& views, Keys& keys, views::Follower* follower = nullptr);

  // Folds and writes the whole chunk and moves the views' position. After an error nothing of the batch in hand is
  // written; the position says from where to fold again. Fold errors name projection and sequence.
  Status fold(Chunk& chunk);
  // Days (slots) whose entries were indexed since the last call, each once in a while: time to look for dead ones.
  [[nodiscard]] bool new_day_seen();

  [[nodiscard]] const std::vector<std::unique_ptr<views::Projection>>& projections() const { return projections_; }

 private:
  Status fold(Event& event);
  Status index(const Chunk::Trailer& trailer, const Header& first);
  Status remember_day(Slot day, const Header& first);
  // The rows of all events before `end`; tells of those that were not stored before.
  Status write(Chunk& chunk, std::size_t end, TreeSize position);

  views::Views& views_;
  views::Follower* follower_;
  std::vector<std::unique_ptr<views::Projection>> projections_;
  RowCache rows_;
  std::vector<Slot> days_;
  std::size_t stored_ = 0;  // events of the chunk in hand
  bool written_ = true;     // the last chunk, to its end
  bool new_day_ = false;
};

}  // namespace siegel::projector
