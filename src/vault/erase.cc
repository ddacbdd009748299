// Erasure: fences, and the change of epoch in the steps of formats of keys, section 5.
#include <algorithm>
#include <map>
#include <utility>

#include "vault/vault_impl.h"

namespace siegel::vault {
namespace {

ByteView attempt_key() { return as_bytes("attempt"); }

std::vector<Slot> ascending(std::vector<Slot> slots) {
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return slots;
}

Error read_only() { return Error(Errc::denied, "keys_read_only", "The keys are open for reading only."); }

Error replica_away() {
  return Error(Errc::unavailable, "keys_replica_unavailable", "A required copy of the keys store does not answer.");
}

// What is effective cannot be taken back, and has to be told.
Error too_many(std::size_t requests) {
  return Error(Errc::invalid, "too_large", "One change of epoch cannot name so many requests.")
      .with("limit", kRequestsPerEpochMax)
      .with("requests", requests);
}

// The requests of a change are ascending.
bool names(const EpochChange& change, std::uint64_t request) {
  return std::binary_search(change.requests.begin(), change.requests.end(), request);
}

}  // namespace

// ── fences ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Status VaultImpl::fence(std::span<const Fence> fences) {
  if (!options_.prefill) return read_only();
  std::map<std::uint64_t, std::vector<Slot>> now;  // by request
  for (const auto& fence : fences) {
    for (const auto slot : fence.slots) {
      if (slot.get() >= kSlots) {
        return Error(Errc::invalid, "slot_unknown", "This slot of the key tree was never given out.");
      }
    }
    auto& slots = now[fence.request];
    slots.insert(slots.end(), fence.slots.begin(), fence.slots.end());
  }
  SIEGEL_CHECK(keys_->ready());
  std::vector<Slot> before;
  std::vector<Slot> dead;
  Batch batch;
  for (auto& [request, slots] : now) {
    erasures_.with([&](const Erasures& e) {
      const auto at = e.fences.find(request);
      if (at == e.fences.end()) return;
      before.insert(before.end(), at->second.begin(), at->second.end());
      slots.insert(slots.end(), at->second.begin(), at->second.end());
    });
    slots = ascending(std::move(slots));
    batch.put(kFences, be(request), encode_slots(slots));
    dead.insert(dead.end(), slots.begin(), slots.end());
  }
  SIEGEL_CHECK(keys_->commit(std::move(batch), KeysStore::Need::tried));
  erasures_.with([&](Erasures& e) {
    for (auto& [request, slots] : now) e.fences[request] = std::move(slots);
  });
  pool_.block(dead);
  pool_.unblock(before);
  leaf_keys_.fence(dead);
  return Done{};
}

std::vector<Fence> VaultImpl::fences() {
  return erasures_.with([](const Erasures& e) {
    std::vector<Fence> out;
    out.reserve(e.fences.size());
    for (const auto& [request, slots] : e.fences) out.push_back({request, slots, e.destroyed(request)});
    return out;
  });
}

bool VaultImpl::fenced_ahead(Slot slot, TreeSize size) {
  if (!leaf_keys_.fenced(slot)) return false;
  return erasures_.with([&](const Erasures& e) {
    const auto holds = [&](const auto& fence) {
      return std::binary_search(fence.second.begin(), fence.second.end(), slot);
    };
    return std::any_of(e.fences.lower_bound(size.get()), e.fences.lower_bound(kLostRequest), holds);
  });
}

Result<std::vector<Slot>> VaultImpl::slots_of(std::span<const std::uint64_t> requests) {
  return erasures_.with([&](const Erasures& e) -> Result<std::vector<Slot>> {
    std::vector<Slot> out;
    for (const auto request : requests) {
      const auto at = e.fences.find(request);
      if (at == e.fences.end()) {
        return Error(Errc::invalid, "fence_unknown", "No fence is set for this request.").with("request", request);
      }
      out.insert(out.end(), at->second.begin(), at->second.end());
    }
    return ascending(std::move(out));
  });
}

// Takes the fences away, in memory; their rows are gone already.
void VaultImpl::let_go(std::span<const std::uint64_t> requests) {
  std::vector<Slot> blocked;
  const auto free = erasures_.with([&](Erasures& e) {
    for (const auto request : requests) {
      const auto at = e.fences.find(request);
      if (at == e.fences.end()) continue;
      blocked.insert(blocked.end(), at->second.begin(), at->second.end());
      e.fences.erase(at);
    }
    auto out = ascending(blocked);
    for (const auto& fence : e.fences) {  // another request may hold the same leaf
      const auto& slots = fence.second;
      if (out.empty() || slots.empty() || slots.back() < out.front() || out.back() < slots.front()) continue;
      std::erase_if(out, [&slots](Slot slot) { return std::binary_search(slots.begin(), slots.end(), slot); });
    }
    return out;
  });
  leaf_keys_.unfence(free);
  pool_.unblock(blocked);
}

Status VaultImpl::forget_fence(std::uint64_t request) {
  if (!options_.prefill) return read_only();
  const std::lock_guard lock(epoch_mutex_);
  SIEGEL_CHECK(keys_->ready());
  const auto [known, effective] =
      erasures_.with([&](const Erasures& e) { return std::pair(e.fences.contains(request), e.destroyed(request)); });
  if (!known) return Done{};
  if (effective) return Error(Errc::conflict, "erasure_effective", "The leaves of this request are destroyed already.");
  Batch batch;
  batch.erase(kFences, be(request));
  SIEGEL_CHECK(keys_->commit(std::move(batch), KeysStore::Need::tried));
  let_go({&request, 1});
  return Done{};
}

Status VaultImpl::lose(std::uint64_t request) {
  if (!options_.prefill) return read_only();
  const std::lock_guard lock(epoch_mutex_);
  SIEGEL_CHECK(keys_->ready());
  struct Renamed {
    std::uint64_t lost = 0;
    std::vector<Slot> slots;
    std::vector<EpochChange> changes;
  };
  auto now = erasures_.with([&](const Erasures& e) -> std::optional<Renamed> {
    const auto at = e.fences.find(request);
    if (at == e.fences.end()) return std::nullopt;
    Renamed out{request | kLostRequest, at->second, e.changes()};
    while (e.fences.contains(out.lost)) ++out.lost;  // of an earlier adoption
    return out;
  });
  if (!now) return Done{};
  bool renamed = false;
  for (auto& change : now->changes) {
    if (!names(change, request)) continue;
    std::replace(change.requests.begin(), change.requests.end(), request, now->lost);
    std::sort(change.requests.begin(), change.requests.end());
    renamed = true;
  }
  Batch batch;
  batch.erase(kFences, be(request));
  batch.put(kFences, be(now->lost), encode_slots(now->slots));
  if (renamed) {
    const auto& root = tree_.root();
    batch.put(kPending, pending_key(root.version()),
              seal_pending(root.key(), tree(), root.version(), now->changes, random_));
  }
  SIEGEL_CHECK(keys_->commit(std::move(batch), KeysStore::Need::tried));
  erasures_.with([&](Erasures& e) {
    e.fences.erase(request);
    e.fences.emplace(now->lost, std::move(now->slots));
    e.set_changes(std::move(now->changes));
  });
  return Done{};
}

Result<SlotSet> VaultImpl::living_but(const SlotSet& named) {
  if (!options_.prefill) return read_only();
  const std::lock_guard lock(epoch_mutex_);
  SlotSet out;
  for (std::uint32_t node = 0; node < own_leaf_nodes_; ++node) {
    const auto known = named.of_node(node);
    if (known == ~std::uint64_t{0}) continue;
    const KeyGate::Inside inside(gate_);
    SIEGEL_TRY(content, tree_.leaf_node(node));
    if (!content) continue;
    std::uint64_t living = 0;
    for (unsigned child = 0; child < kFanOut; ++child) {
      const auto bit = std::uint64_t{1} << child;
      const Slot slot(std::uint64_t{node} * kFanOut + child);
      if ((known & bit) == 0 && !is_tombstone(version_of(content->view(), child)) && !leaf_keys_.fenced(slot))
        living |= bit;
    }
    if (living != 0) out.add_of_node(node, living);
  }
  return out;
}

Status VaultImpl::give_up(const SlotSet& slots) {
  Fence fence;
  std::size_t nodes = 0;
  const auto put = [&]() -> Status {
    if (fence.slots.empty()) return Done{};
    fence.request = erasures_.with([](const Erasures& e) {
      return e.fences.empty() ? kGivenUp : std::max(kGivenUp, e.fences.rbegin()->first + 1);
    });
    SIEGEL_CHECK(this->fence(fence));
    fence.slots.clear();
    nodes = 0;
    return Done{};
  };
  for (std::uint32_t node = 0; node < slots.nodes(); ++node) {
    const auto children = slots.of_node(node);
    if (children == 0) continue;
    for (unsigned child = 0; child < kFanOut; ++child)
      if ((children >> child & 1) != 0) fence.slots.emplace_back(std::uint64_t{node} * kFanOut + child);
    if (++nodes == kLeafNodesGivenUpMax) SIEGEL_CHECK(put());
  }
  return put();
}

bool VaultImpl::Erasures::destroyed(std::uint64_t request) const {
  const auto concerns = [&](const EpochChange& change) { return names(change, request); };
  return std::any_of(untold.begin(), untold.end(), concerns) || (unfinished && concerns(*unfinished));
}

std::vector<EpochChange> VaultImpl::Erasures::changes() const {
  auto out = untold;
  if (unfinished) out.push_back(*unfinished);
  return out;
}

void VaultImpl::Erasures::set_changes(std::vector<EpochChange> changes) {
  if (unfinished) {
    unfinished = std::move(changes.back());
    changes.pop_back();
  }
  untold = std::move(changes);
}

// ── the change of epoch ──────────────────────────────────────────────────────────────────────────────────────────────

struct VaultImpl::NextEpoch {
  LockedRoot root;
  EpochChange change;
  std::vector<EpochChange>
      untold;  // of earlier epochs: their pending record dies with their root, so they move into this one
  std::vector<Slot> dead;
};

Result<EpochChange> VaultImpl::erase(std::span<const Fence> fences) {
  if (!options_.prefill) return read_only();
  const std::lock_guard lock(epoch_mutex_);
  SIEGEL_CHECK(keys_->ready());
  SIEGEL_CHECK(look_at_roots());
  std::vector<std::uint64_t> requests;
  for (const auto& fence : fences) requests.push_back(fence.request);
  std::sort(requests.begin(), requests.end());
  requests.erase(std::unique(requests.begin(), requests.end()), requests.end());
  if (auto change = take_effective(requests); change && requests.empty()) return std::move(*change);
  if (requests.size() > kRequestsPerEpochMax) return too_many(requests.size());
  SIEGEL_CHECK(places_there());
  SIEGEL_TRY(next, begin_epoch(std::move(requests)));
  step(0);
  gate_.alone([&] { leaf_keys_.fence(next.dead); });  // on return no thread holds a key of these
  step(1);
  SIEGEL_CHECK(write_nodes(next));
  step(2);
  if (auto shipped = ship(next); !shipped) {
    drop_nodes(next);
    return Error(std::move(shipped).error());
  }
  step(3);
  SIEGEL_CHECK(replace_root(next));
  step(43);
  auto told_later = erasures_.with([&](const Erasures& e) { return e.untold.back(); });
  return told_later;
}

// Takes out the requests whose leaves an epoch that is not told yet has destroyed: no request stands in two epochs. The
// newest change that one of them was part of.
std::optional<EpochChange> VaultImpl::take_effective(std::vector<std::uint64_t>& requests) {
  return erasures_.with([&](const Erasures& e) {
    std::optional<EpochChange> newest;
    for (const auto& change : e.untold) {
      const auto taken = std::erase_if(requests, [&](auto request) { return names(change, request); });
      if (taken > 0) newest = change;
    }
    return newest;
  });
}

// Without its replicas and root stores no change gets through: nothing is written then, however often it is tried.
Status VaultImpl::places_there() {
  if (!keys_->replicas_there_or_stale()) keys_->retry_replicas();
  if (!keys_->replicas_there_or_stale()) return replica_away();
  if (counters().roots_away == 0) return Done{};
  return Error(Errc::unavailable, "root_store_unavailable", "Not every root store answers.");
}

Result<VaultImpl::NextEpoch> VaultImpl::begin_epoch(std::vector<std::uint64_t> requests) {
  SIEGEL_TRY(dead, slots_of(requests));
  // Never used before, also by attempts that failed: a node's name says which attempt wrote it.
  SIEGEL_TRY(row, keys_->store().get(kMeta, attempt_key()));
  const auto attempt = (row && row->size() == 4 ? get_be<std::uint32_t>(row->data()) : 0) + 1;
  const auto& present = tree_.root();
  SecretKey key;
  random_.fill(key.mutable_view());
  SIEGEL_TRY(root, LockedRoot::make(key, {present.version().epoch + 1, attempt}, Hash{}));
  NextEpoch next{.root = std::move(root), .change = {}, .untold = untold(), .dead = std::move(dead)};
  next.change.from = Epoch(present.version().epoch);
  next.change.to = Epoch(next.root.version().epoch);
  next.change.old_root = present.hash();
  next.change.grade = root_store_.grade();
  next.change.members = root_store_.members();
  next.change.requests = std::move(requests);
  return next;
}

Batch VaultImpl::pending_batch(const NextEpoch& next) {
  auto changes = next.untold;
  changes.push_back(next.change);
  Batch batch;
  batch.put(kPending, pending_key(next.root.version()),
            seal_pending(next.root.key(), tree(), next.root.version(), changes, random_));
  return batch;
}

// Step 2.
Status VaultImpl::write_nodes(NextEpoch& next) {
  Batch batch;
  SIEGEL_TRY(leaves, tree_.build_next(next.dead, next.root, batch));
  next.change.leaves = leaves;
  next.change.new_root = next.root.hash();
  const auto rows = batch.count();
  batch.append(pending_batch(next));
  batch.put(kMeta, attempt_key(), be(next.root.version().attempt));
  SIEGEL_TRY(acknowledged, keys_->commit(std::move(batch), KeysStore::Need::tried));
  next.change.replicas = acknowledged;
  nodes_written_ += rows;
  return Done{};
}

// Step 3. The replicas have the nodes already (a batch goes to all of them in order); what is left is to see that none
// is missing, and to note it.
Status VaultImpl::ship(NextEpoch& next) {
  for (;;) {
    if (!keys_->replicas_there_or_stale()) keys_->retry_replicas();
    if (!keys_->replicas_there_or_stale()) return replica_away();
    SIEGEL_TRY(acknowledged, keys_->commit(pending_batch(next), KeysStore::Need::tried));
    if (acknowledged == next.change.replicas) return Done{};
    next.change.replicas = acknowledged;
  }
}

// Step 4.
Status VaultImpl::replace_root(NextEpoch& next) {
  const RootEntry entry{.epoch = next.change.to,
                        .key = next.root.key(),
                        .root_node = next.root.hash(),
                        .ledger = keys_->head().ledger,
                        .tree = tree()};
  auto prepared = root_store_.prepare(entry);
  roots_refused_ = !prepared;
  if (!prepared) {
    take_back(next);
    return prepared;
  }
  step(41);
  if (!tree_.verify(next.dead, tree_.root(), next.root)) {
    ++erasures_aborted_;
    take_back(next);
    // A log that is damaged in its middle hides all that is written behind: what memory knows becomes tables, and the
    // next attempt has a new log.
    (void)keys_->store().flush();
    return keys_damaged();
  }
  step(42);
  auto destroyed = root_store_.commit(entry);
  roots_refused_ = !destroyed;
  // After prepare the way is forward only: some member may have destroyed the old root, and a restart would take the
  // new one.
  make_effective(next, destroyed.has_value());
  return destroyed;
}

void VaultImpl::make_effective(NextEpoch& next, bool all_destroyed) {
  gate_.alone([&] { tree_.adopt(std::move(next.root)); });
  epoch_.store(next.change.to.get(), std::memory_order_release);
  erasures_.with([&](Erasures& e) {
    if (all_destroyed) {
      e.untold.push_back(std::move(next.change));
    } else {
      e.unfinished = std::move(next.change);
    }
  });
}

// A member that was away at the commit is back, or not.
Status VaultImpl::finish_unfinished() {
  if (!erasures_.with([](const Erasures& e) { return e.unfinished.has_value(); })) return Done{};
  auto destroyed = root_store_.commit(living_root());
  roots_refused_ = !destroyed;
  SIEGEL_CHECK(destroyed);
  erasures_.with([](Erasures& e) {
    e.untold.push_back(std::move(*e.unfinished));
    e.unfinished.reset();
  });
  return Done{};
}

// The new root and its nodes go; the fences stand. What cannot be cleaned up now is, by the next open or by told().
void VaultImpl::take_back(const NextEpoch& next) {
  (void)root_store_.abort(next.change.to);
  drop_nodes(next);
}

void VaultImpl::drop_nodes(const NextEpoch& next) {
  Batch batch;
  batch.erase(kPending, pending_key(next.root.version()));
  if (!tree_.erase_stale_rows(next.dead, KeyTree::Which::newer_than_root, batch)) return;
  (void)keys_->commit(std::move(batch), KeysStore::Need::tried);
}

// ── afterwards ───────────────────────────────────────────────────────────────────────────────────────────────────────

Status VaultImpl::settle() {
  if (!options_.prefill) return Done{};
  const std::lock_guard lock(epoch_mutex_);
  return look_at_roots();
}

// Finishes what a member that was away held up. One that is whole but holds another root gets the living one, and one
// that refused a change is asked again: overwriting the dead slot once more harms nothing.
Status VaultImpl::look_at_roots() {
  const auto living = living_root();
  const bool other = heal_roots(living) > 0;
  if (erasures_.with([](const Erasures& e) { return e.unfinished.has_value(); })) return finish_unfinished();
  if (other || roots_refused_) roots_refused_ = !root_store_.commit(living);
  return Done{};
}

// What cannot be healed stays away, and no epoch changes without it. How many are whole but have another root.
std::uint16_t VaultImpl::heal_roots(const RootEntry& living) {
  auto seen = root_store_.heal(living);
  roots_healed_ += seen.healed;
  roots_away_.with([&](auto& away) { away = std::move(seen.away); });
  return seen.other;
}

RootEntry VaultImpl::living_root() {
  const auto& root = tree_.root();
  return {
      .epoch = epoch(), .key = root.key(), .root_node = root.hash(), .ledger = keys_->head().ledger, .tree = tree()};
}

std::vector<EpochChange> VaultImpl::untold() {
  return erasures_.with([](const Erasures& e) { return e.untold; });
}

Status VaultImpl::told(Epoch epoch) {
  if (!options_.prefill) return read_only();
  const std::lock_guard lock(epoch_mutex_);
  SIEGEL_CHECK(keys_->ready());
  SIEGEL_CHECK(finish_unfinished());  // old nodes stay while a member still holds an old root
  auto rest = untold();
  const auto at = std::find_if(rest.begin(), rest.end(), [&](const EpochChange& c) { return c.to == epoch; });
  if (at == rest.end()) return Error(Errc::not_found, "epoch_unknown", "No change to this epoch waits to be told.");
  const auto requests = at->requests;
  rest.erase(at);

  Batch batch;
  for (const auto request : requests) batch.erase(kFences, be(request));
  SIEGEL_TRY(slots, slots_of(requests));
  SIEGEL_CHECK(tree_.erase_stale_rows(slots, KeyTree::Which::all, batch));
  const auto cursor = keys_->store().cursor(kPending);
  for (cursor->seek_to_first(); cursor->valid(); cursor->next()) batch.erase(kPending, cursor->key());
  SIEGEL_CHECK(cursor->status());
  const auto& root = tree_.root();
  if (!rest.empty()) {
    batch.put(kPending, pending_key(root.version()), seal_pending(root.key(), tree(), root.version(), rest, random_));
  }
  SIEGEL_CHECK(keys_->commit(std::move(batch), KeysStore::Need::tried));
  erasures_.with([&](Erasures& e) { e.untold = std::move(rest); });
  let_go(requests);
  return Done{};
}

}  // namespace siegel::vault
