#include "decide/state.h"

#include <algorithm>
#include <cstring>

namespace siegel::decide {

const LeafEntry* OwnerEntry::leaf(ClassNo cls) const {
  for (auto it = leaves.rbegin(); it != leaves.rend(); ++it)
    if (it->cls == cls) return &*it;
  return nullptr;
}

LeafEntry* OwnerEntry::leaf(Slot slot) {
  for (auto& entry : leaves)
    if (entry.slot == slot) return &entry;
  return nullptr;
}

bool OwnerEntry::is_fenced(ClassNo cls) const {
  return (fenced_all && dies_at_erasure(cls)) || std::find(fenced.begin(), fenced.end(), cls) != fenced.end();
}

std::shared_ptr<const Registries> State::registries() const {
  const std::lock_guard lock(registries_mutex_);
  return registries_;
}
void State::set_registries(std::shared_ptr<const Registries> registries) {
  const std::lock_guard lock(registries_mutex_);
  registries_ = std::move(registries);
}

std::optional<RecordEntry> State::find_record(const RecordId& id) const {
  const std::lock_guard lock(mutex_);
  const auto it = records_.find(id);
  if (it == records_.end()) return std::nullopt;
  return it->second;
}

std::optional<OwnerEntry> State::find_owner(const OwnerId& id) const {
  const std::lock_guard lock(mutex_);
  const auto it = owners_.find(id);
  if (it == owners_.end()) return std::nullopt;
  return it->second;
}

State::Record State::record(const RecordId& id, const std::optional<Snapshot<RecordEntry>>& snapshot) {
  const auto it = records_.find(id);
  if (it != records_.end()) return {true, &it->second};
  if (!snapshot || !trusted(snapshot->position)) return {};
  if (!snapshot->row) return {true, nullptr};
  adopted(Touched::Kind::record, id.get());
  return {true, &records_.emplace(id, *snapshot->row).first->second};
}

State::Owner State::owner(const OwnerId& id, const std::optional<Snapshot<OwnerEntry>>& snapshot) {
  const auto it = owners_.find(id);
  if (it != owners_.end()) return {true, &it->second};
  if (!snapshot || !trusted(snapshot->position)) return {};
  adopted(Touched::Kind::owner, id.get());
  return {true, &owners_.emplace(id, snapshot->row.value_or(OwnerEntry{})).first->second};
}

OwnerEntry& State::new_owner(const OwnerId& id) { return owners_[id]; }

RecordEntry& State::new_record(const RecordId& id, RecordEntry entry) {
  return records_.insert_or_assign(id, entry).first->second;
}

void State::adopted(Touched::Kind kind, const Id16& id) {
  Touched touched{kind, order_.empty() ? evicted_ : order_.back().seq, {}, true};
  std::memcpy(touched.key.data(), id.data(), 16);
  order_.push_back(touched);
}

void State::touched(const RecordId& id, Seq seq) {
  Touched touched{Touched::Kind::record, seq, {}, false};
  std::memcpy(touched.key.data(), id.get().data(), 16);
  order_.push_back(touched);
}
void State::touched(const OwnerId& id, Seq seq) {
  Touched touched{Touched::Kind::owner, seq, {}, false};
  std::memcpy(touched.key.data(), id.get().data(), 16);
  order_.push_back(touched);
}

std::optional<State::Answered> State::answered(const Hash& mac) const {
  const std::lock_guard lock(mutex_);
  const auto it = answers_.find(mac);
  if (it == answers_.end()) return std::nullopt;
  return it->second;
}

const State::Answered* State::answered_already(const Hash& mac) const {
  const auto it = answers_.find(mac);
  return it == answers_.end() ? nullptr : &it->second;
}

void State::start_at(TreeSize size) {
  const std::lock_guard lock(mutex_);
  if (size.get() == 0) return;
  evicted_ = Seq(size.get() - 1);
  nothing_evicted_ = false;
}

void State::answer(const Hash& mac, Answered answered) {
  order_.push_back({Touched::Kind::answer, answered.seq, mac, false});
  answers_.insert_or_assign(mac, std::move(answered));
}

void State::evict(TreeSize position) {
  const std::lock_guard lock(mutex_);
  while (order_.size() > entries_max_ && order_.front().seq.get() < position.get()) {
    const auto oldest = order_.front();
    order_.pop_front();
    const Id16 id = to_array<16>(ByteView(oldest.key).first(16));
    // An entry that was touched again later stays until that turn comes.
    const auto goes = [&](Seq modified) {
      return modified == oldest.seq || (oldest.adopted && modified.get() < position.get());
    };
    const auto drop = [&](auto& map, const auto& key, auto modified_of) {
      const auto it = map.find(key);
      if (it == map.end() || !goes(modified_of(it->second))) return;
      evicted_ = std::max(evicted_, modified_of(it->second));
      map.erase(it);
    };
    switch (oldest.kind) {
      case Touched::Kind::record:
        drop(records_, RecordId(id), [](const RecordEntry& e) { return e.modified; });
        break;
      case Touched::Kind::owner:
        drop(owners_, OwnerId(id), [](const OwnerEntry& e) { return e.modified; });
        break;
      case Touched::Kind::answer:
        drop(answers_, oldest.key, [](const Answered& e) { return e.seq; });
        break;
    }
    evicted_ = std::max(evicted_, oldest.seq);
    nothing_evicted_ = false;
  }
}

Seq State::evicted() const {
  const std::lock_guard lock(mutex_);
  return evicted_;
}
std::size_t State::entries() const {
  const std::lock_guard lock(mutex_);
  return records_.size() + owners_.size() + answers_.size();
}

}  // namespace siegel::decide
