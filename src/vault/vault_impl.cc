#include "vault/vault_impl.h"

#include <algorithm>
#include <chrono>

namespace siegel::vault {
namespace {

constexpr std::chrono::milliseconds kIdleEvery{500};
constexpr std::chrono::milliseconds kRetry{1'000};  // of a replica, or a look at it; how often the size is kept
constexpr std::chrono::milliseconds kRetryAfterFailure{
    5'000};                                 // of the size: a disk that is full is not asked each second
constexpr std::size_t kNodeCacheShare = 8;  // of key_cache_bytes_max, to interior nodes

Error read_only() { return Error(Errc::denied, "keys_read_only", "The keys are open for reading only."); }

}  // namespace

VaultImpl::VaultImpl(const Options& options, RootStore& root_store, Opened opened, Clock& clock, Random& random)
    : options_(options),
      root_store_(root_store),
      clock_(clock),
      random_(random),
      keys_(std::move(opened.keys)),
      nodes_(options.key_cache_bytes_max / kNodeCacheShare),
      leaf_keys_(options.key_cache_bytes_max - options.key_cache_bytes_max / kNodeCacheShare),
      tree_(*keys_, nodes_, clock, random, std::move(opened.root)),
      pool_(options.spare_leaves, random),
      epoch_(tree_.root().version().epoch) {
  for (const auto& [request, slots] : opened.fences) {
    leaf_keys_.fence(slots);
    pool_.block(slots);
  }
  erasures_.with([&](Erasures& e) { e.fences = std::move(opened.fences); });
}

void VaultImpl::start() {
  if (!options_.prefill) return;
  // Slots of nodes that another process wrote are never given out: it may have given them out itself.
  const auto cursor = keys_->store().cursor(kNodes);
  cursor->seek_for_prev(row_key({kLeafLevel, kLeafNodes, {}}));
  if (cursor->valid()) {
    const auto last = parse_row_key(cursor->key());
    if (last && last->level == kLeafLevel) next_leaf_node_ = own_leaf_nodes_ = last->index + 1;
  }
  key_thread_ = std::thread([this] { write_keys_ahead(); });
  idle_thread_ = std::thread([this] { drop_idle_nodes(); });
}

void VaultImpl::close() {
  pool_.close();
  stop_.with([](bool& stop) { stop = true; });
  stop_.notify_all();
  if (idle_thread_.joinable()) idle_thread_.join();
  if (key_thread_.joinable()) {
    key_thread_.join();
    (void)keep_ledger_size();  // the lock record knows it too; what is kept is older then
  }
  gate_.alone([&] {
    leaf_keys_.clear();
    nodes_.clear();
  });
}

// ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void VaultImpl::write_keys_ahead() {
  auto size_due = std::chrono::steady_clock::now();
  while (!pool_.closed()) {
    const auto wanted = pool_.wait_wanted(kRetry);
    if (const auto now = std::chrono::steady_clock::now(); now >= size_due)
      size_due = now + (keep_ledger_size() ? kRetry : kRetryAfterFailure);
    keys_->look_at_replicas();
    if (!keys_->replicas_away().empty()) keys_->retry_replicas();
    if (wanted == 0) continue;
    auto done = write_leaf_nodes(wanted);
    if (!done) pool_.fail(std::move(done).error());
  }
}

Status VaultImpl::write_leaf_nodes(std::uint32_t count) {
  if (next_leaf_node_ > kLeafNodes - count) {
    return Error(Errc::unavailable, "key_tree_full", "All slots of the key tree have been given out.");
  }
  SIEGEL_CHECK(keys_->ready());
  const auto first = next_leaf_node_;
  auto made = [&] {
    const KeyGate::Inside inside(gate_);
    return tree_.make_leaf_nodes(first, count);
  }();
  if (!made) return Error(std::move(made).error());
  const auto rows = made->batch.count();
  // If this fails the nodes may be there all the same. Nobody got a slot of them: the next try writes over them.
  SIEGEL_CHECK(keys_->commit(std::move(made->batch), KeysStore::Need::all_replicas));
  next_leaf_node_ += count;
  nodes_written_ += rows;
  const KeyGate::Inside inside(gate_);
  tree_.keep(*made);
  for (std::uint32_t i = 0; i < count; ++i) {
    for (unsigned child = 0; child < kFanOut; ++child) {
      leaf_keys_.put(Slot((std::uint64_t{first} + i) * kFanOut + child), child_of(made->contents[i].view(), child).key,
                     LeafKeys::Why::ahead);
    }
  }
  pool_.add(first, count);
  return Done{};
}

void VaultImpl::drop_idle_nodes() {
  const auto stopping = [](bool stop) { return stop; };
  while (!stop_.when_for(kIdleEvery, stopping, [](bool stop, bool) { return stop; })) nodes_.drop_idle(clock_.steady());
}

Status VaultImpl::keep_ledger_size() {
  if (!options_.ledger_size) return Done{};
  const auto size = options_.ledger_size();
  return size > keys_->ledger_size() ? adopt_ledger_size(size) : Status(Done{});
}

Status VaultImpl::adopt_ledger_size(TreeSize size) { return keys_->keep_ledger_size(size); }

// ── small answers ────────────────────────────────────────────────────────────────────────────────────────────────────

Result<Slot> VaultImpl::new_leaf() {
  if (!options_.prefill) return read_only();
  SIEGEL_TRY(slot, pool_.take());
  const KeyGate::Inside inside(gate_);
  SIEGEL_CHECK(leaf_key(slot));
  return slot;
}

bool VaultImpl::living(Slot slot) {
  const KeyGate::Inside inside(gate_);
  return leaf_key(slot).has_value();
}

Vault::Counters VaultImpl::counters() const {
  Counters out;
  out.sealed = gate_.sealed();
  out.opened = gate_.opened();
  out.nodes_written = nodes_written_;
  out.pool = pool_.size();
  out.cached_keys = leaf_keys_.keys();
  out.cached_nodes = nodes_.nodes();
  out.memory_locked = leaf_keys_.bytes_locked() + nodes_.bytes_locked();
  out.replicas_away = keys_->replicas_away().size();
  out.erasures_aborted = erasures_aborted_;
  out.roots_healed = roots_healed_;
  const auto roots = roots_away_.with([](const auto& away) { return away.size(); });
  out.roots_away = std::max<std::uint64_t>(roots, roots_refused_ ? 1 : 0);
  return out;
}

Vault::Away VaultImpl::away() const {
  return {roots_away_.with([](const auto& away) { return away; }), keys_->replicas_away()};
}

}  // namespace siegel::vault
