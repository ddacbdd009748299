#include "decide/merges.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace siegel::decide {

const std::vector<SubjectId>* Merges::find(const SubjectId& subject) const {
  const auto name = names_.find(subject);
  return name == names_.end() ? nullptr : &people_.at(name->second);
}

SubjectId Merges::name_of(const SubjectId& subject) const {
  const std::shared_lock lock(mutex_);
  const auto* person = find(subject);
  return person == nullptr ? subject : person->front();
}

std::vector<SubjectId> Merges::all(const SubjectId& subject) const {
  const std::shared_lock lock(mutex_);
  const auto* person = find(subject);
  return person == nullptr ? std::vector{subject} : *person;
}

std::vector<SubjectId> Merges::all(const std::vector<SubjectId>& subjects) const {
  std::vector<SubjectId> out;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& subject : subjects) {
      const auto* person = find(subject);
      if (person == nullptr)
        out.push_back(subject);
      else
        out.insert(out.end(), person->begin(), person->end());
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void Merges::merge(const SubjectId& into, const SubjectId& other) {
  const std::unique_lock lock(mutex_);
  const auto known = [&](const SubjectId& subject) {
    const auto* person = find(subject);
    return person == nullptr ? std::vector{subject} : *person;
  };
  auto person = known(into);
  const auto joining = known(other);
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
