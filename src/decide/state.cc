#include "decide/state.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace siegel::decide {

const LeafEntry* OwnerEntry::leaf(ClassNo cls) const {
  for (auto it = leaves.rbegin(); it != leaves.rend(); ++it)
    if (it->cls == cls) return &*it;
  return nullptr;
}

void OwnerEntry::remember(const RecentRecord& record) {
  if (recent.size() == kRecentMax) {
    recent_from = TreeSize(recent.front().seq.get() + 1);
    recent.erase(recent.begin());
  }
  recent.push_back(record);
}

LeafEntry* OwnerEntry::leaf(Slot slot) {
  for (auto& entry : leaves)
    if (entry.slot == slot) return &entry;
  return nullptr;
}

bool OwnerEntry::is_fenced(ClassNo cls) const {
  return std::any_of(fences.begin(), fences.end(), [&](const FenceEntry& fence) {
    return fence.classes.empty() ? dies_at_erasure(cls)
                                 : std::find(fence.classes.begin(), fence.classes.end(), cls) != fence.classes.end();
  });
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
  if (it == records_.end() || it->second.stale) return std::nullopt;
  const auto* import = import_of(it->second);
  if (import != nullptr && import->cancelled) return std::nullopt;
  return it->second;
}

std::optional<OwnerEntry> State::find_owner(const OwnerId& id) const {
  const std::lock_guard lock(mutex_);
  const auto it = owners_.find(id);
  if (it == owners_.end() || it->second.stale) return std::nullopt;
  return it->second;
}

// The entry of the map, or the snapshot's taken over where the map has none and the snapshot can be trusted.
template <class Map, class Id, class Entry>
typename Map::mapped_type* State::look(Map& map, Touched::Kind kind, const Id& id, const Snapshot<Entry>* snapshot,
                                       bool& known) {
  const auto it = map.find(id);
  known = true;
  if (it != map.end() && !it->second.stale) return &it->second;
  const bool shows_it = it == map.end()
                            ? snapshot != nullptr && trusted(snapshot->position)
                            : snapshot != nullptr && snapshot->position > TreeSize(it->second.modified.get());
  if (!shows_it) {
    known = false;
    return nullptr;
  }
  if (!snapshot->row) return nullptr;
  adopted(kind, id.get());
  auto entry = *snapshot->row;
  if constexpr (requires { entry.fences; }) {
    if (it != map.end()) entry.fences = std::move(it->second.fences);  // of other erasures, still open
    entry.recent_from = snapshot->position;
  }
  if constexpr (requires { entry.adopted_from; }) entry.adopted_from = snapshot->position;
  return &map.insert_or_assign(id, std::move(entry)).first->second;
}

State::Record State::record(const RecordId& id, const std::optional<Snapshot<RecordEntry>>& snapshot) {
  Record out;
  if (const auto it = records_.find(id); it != records_.end()) {
    auto& entry = it->second;
    const auto* import = import_of(entry);
    if (import != nullptr && import->cancelled) {  // only the views know what it was before
      entry.stale = true;
      entry.modified = std::max(entry.modified, *import->cancelled);  // an erasure since counts on
      entry.import.reset();
      adopted(Touched::Kind::record, id.get());
    }
  }
  // A look at the views from before the import's end: what it says of the record may be wrong by now.
  if (snapshot && snapshot->row && snapshot->row->import && !import_runs(*snapshot->row->import)) {
    const auto it = records_.find(id);
    if (it == records_.end() || it->second.stale) return out;
  }
  out.entry = look(records_, Touched::Kind::record, id, snapshot ? &*snapshot : nullptr, out.known);
  return out;
}

State::Owner State::owner(const OwnerId& id, const std::optional<Snapshot<OwnerEntry>>& snapshot) {
  Owner out;
  out.entry = look(owners_, Touched::Kind::owner, id, snapshot ? &*snapshot : nullptr, out.known);
  if (!out.known || out.entry != nullptr || !snapshot) return out;  // without a snapshot only what is here is known
  adopted(Touched::Kind::owner, id.get());
  auto& entry = owners_[id];
  entry.stale = false;
  entry.recent_from = snapshot->position;
  out.entry = &entry;
  return out;
}

void State::left_to_views(const RecordId& id, Seq seq) {
  auto& entry = records_[id];
  entry.stale = true;
  entry.modified = seq;
  touched(id, seq);
}
void State::left_to_views(const OwnerId& id, Seq seq, Seq request) {
  auto& entry = owners_[id];
  std::erase_if(entry.fences, [&](const FenceEntry& fence) { return fence.request == request; });
  entry.leaves.clear();
  entry.recent.clear();
  entry.stale = true;
  // A command decided since, while this one was being written, may have counted on.
  entry.modified = std::max(entry.modified, seq);
  touched(id, entry.modified);
}

// ── imports ──

const State::Import* State::import_of(const RecordEntry& record) const {
  if (!record.import) return nullptr;
  const auto it = imports_.find(*record.import);
  return it == imports_.end() ? nullptr : &it->second;
}

void State::begin_import(const JobId& import) { imports_[import]; }

bool State::import_runs(const JobId& import) const {
  const auto it = imports_.find(import);
  return it != imports_.end() && it->second.runs;
}

bool State::held(const RecordEntry& record) const {
  if (!record.import) return false;
  const std::lock_guard lock(mutex_);
  return import_runs(*record.import);
}

void State::finish_import(const JobId& import) {
  auto& entry = imports_[import];
  entry = Import();
  entry.runs = false;
}

std::vector<IdentityMove> State::cancel_import(const JobId& import, Seq seq) {
  auto& entry = imports_[import];
  std::vector<IdentityMove> out;
  out.reserve(entry.moves.size());
  for (const auto& [record, move] : entry.moves) {
    out.push_back(move);
    moved_back_[move.subject] = newest_moved_back_ = TreeSize(seq.get() + 1);
  }
  entry = Import();
  entry.runs = false;
  entry.cancelled = seq;
  return out;
}

void State::moved(const JobId& import, const IdentityMove& move) {
  const auto [known, first] = imports_[import].moves.try_emplace(move.record, move);
  if (!first) known->second.after = move.after;  // what it had before the import is to come back
}

bool State::saw_moves_back(const SubjectId& person, TreeSize position) const {
  const auto moved = moved_back_.find(person);
  return moved == moved_back_.end() || position >= moved->second;
}

void State::forget_moves(std::span<const RecordId> before, std::span<const RecordId> after) {
  for (auto& [id, import] : imports_) {
    if (import.moves.empty()) continue;
    const auto forget = [&](const RecordId& record, std::optional<IdentityKey> IdentityMove::*which) {
      if (const auto move = import.moves.find(record); move != import.moves.end()) (move->second.*which).reset();
    };
    for (const auto& record : before) forget(record, &IdentityMove::before);
    for (const auto& record : after) forget(record, &IdentityMove::after);
  }
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

std::optional<State::Answered> State::answered(const Hash& pin) const {
  const std::lock_guard lock(mutex_);
  const auto it = answers_.find(pin);
  if (it == answers_.end()) return std::nullopt;
  return it->second;
}

const State::Answered* State::answered_already(const Hash& pin) const {
  const auto it = answers_.find(pin);
  return it == answers_.end() ? nullptr : &it->second;
}

void State::start_at(TreeSize size) {
  const std::lock_guard lock(mutex_);
  if (size.get() == 0) return;
  evicted_ = Seq(size.get() - 1);
  nothing_evicted_ = false;
}

void State::answer(const Hash& pin, Answered answered) {
  order_.push_back({Touched::Kind::answer, answered.seq, pin, false});
  answers_.insert_or_assign(pin, std::move(answered));
}

void State::evict(TreeSize position) {
  const std::lock_guard lock(mutex_);
  if (position >= newest_moved_back_) moved_back_.clear();
  while (order_.size() > entries_max_ && order_.front().seq.get() < position.get()) {
    const auto oldest = order_.front();
    order_.pop_front();
    const Id16 id = to_array<16>(ByteView(oldest.key).first(16));
    // An entry that was touched again later stays until that turn comes.
    const auto goes = [&](Seq modified) {
      return modified == oldest.seq || (oldest.adopted && modified.get() < position.get());
    };
    const auto drop = [&](auto& map, const auto& key, auto modified_of, auto stays) {
      const auto it = map.find(key);
      if (it == map.end() || stays(it->second) || !goes(modified_of(it->second))) return;
      evicted_ = std::max(evicted_, modified_of(it->second));
      map.erase(it);
    };
    switch (oldest.kind) {
      case Touched::Kind::record:
        drop(
            records_, RecordId(id), [](const RecordEntry& e) { return e.modified; },
            [](const RecordEntry&) { return false; });
        break;
      case Touched::Kind::owner:
        // A fence is nowhere else: it stays until the erasure is effective.
        drop(
            owners_, OwnerId(id), [](const OwnerEntry& e) { return e.modified; },
            [](const OwnerEntry& e) { return !e.fences.empty(); });
        break;
      case Touched::Kind::answer:
        drop(
            answers_, oldest.key, [](const Answered& e) { return e.seq; }, [](const Answered&) { return false; });
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
