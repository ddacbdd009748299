#include "decide/merges.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace siegel::decide {

std::vector<SubjectId> Merges::ids_of(const SubjectId& subject) const {
  const auto name = names_.find(subject);
  return name == names_.end() ? std::vector{subject} : people_.at(name->second);
}

SubjectId Merges::name_of(const SubjectId& subject) const {
  const std::shared_lock lock(mutex_);
  const auto name = names_.find(subject);
  return name == names_.end() ? subject : name->second;
}

std::vector<SubjectId> Merges::all(const SubjectId& subject) const {
  const std::shared_lock lock(mutex_);
  return ids_of(subject);
}

std::vector<SubjectId> Merges::all(const std::vector<SubjectId>& subjects) const {
  std::vector<SubjectId> out;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& subject : subjects) {
      const auto ids = ids_of(subject);
      out.insert(out.end(), ids.begin(), ids.end());
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void Merges::merge(const SubjectId& into, const SubjectId& other) {
  const std::unique_lock lock(mutex_);
  auto person = ids_of(into);
  const auto joining = ids_of(other);
  if (person.front() == joining.front()) return;
  people_.erase(joining.front());
  person.insert(person.end(), joining.begin(), joining.end());
  std::sort(std::next(person.begin()), person.end());
  for (const auto& id : person) names_[id] = person.front();
  const auto name = person.front();
  people_[name] = std::move(person);
}

void Merges::forget(const SubjectId& subject) {
  const std::unique_lock lock(mutex_);
  const auto name = names_.find(subject);
  if (name == names_.end()) return;
  const auto person = people_.extract(name->second);
  for (const auto& id : person.mapped()) names_.erase(id);
}

}  // namespace siegel::decide
