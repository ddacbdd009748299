// Which people are one: two who turned out to be the same go by one id from then on. Nothing of theirs moves: each
// keeps the id, the records and the leaves it has, and what is asked about one of them is asked about all. In memory,
// loaded at open from the read models, changed by the writer. Cost: about 150 bytes for each id that was merged, none
// for anybody else. Threads: any; a worker that relied on all() asks again on the writer.
#pragma once

#include <cstddef>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "model/ids.h"

namespace siegel::decide {

class Merges {
 public:
  static constexpr std::size_t kIdsMax = 1'000;  // of one person

  // The id that the person goes by: itself, if it was never merged into another.
  [[nodiscard]] SubjectId name_of(const SubjectId& subject) const;
  // Every id of the person; the one it goes by comes first, the others ascend. Itself alone, if never merged.
  [[nodiscard]] std::vector<SubjectId> all(const SubjectId& subject) const;
  // All ids of these, ascending, each once.
  [[nodiscard]] std::vector<SubjectId> all(const std::vector<SubjectId>& subjects) const;

  // `other`, with all its ids, goes by the id of `into` from now on. Nothing where they are one already.
  void merge(const SubjectId& into, const SubjectId& other);
  void forget(const SubjectId& subject);  // erased, with all its ids

 private:
  [[nodiscard]] std::vector<SubjectId> ids_of(const SubjectId& subject) const;  // with the lock held

  mutable std::shared_mutex mutex_;
  std::unordered_map<SubjectId, SubjectId, IdHash> names_;                // by each id of a merged person
  std::unordered_map<SubjectId, std::vector<SubjectId>, IdHash> people_;  // by the id it goes by, which comes first
};

}  // namespace siegel::decide
