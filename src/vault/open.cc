// Making a vault, opening it, and recovery: which root lives, and what a crash left half done (the table of formats of
// keys, section 5, last column).
#include <algorithm>

#include "vault/vault_impl.h"

namespace siegel::vault {
namespace {

// The root node that this entry means, if the keys store holds it.
Result<std::optional<LockedRoot>> match(KeysStore& keys, const RootEntry& entry) {
  const auto cursor = keys.store().cursor(kNodes);
  const auto prefix = row_prefix(0, 0);
  for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
    const auto name = parse_row_key(cursor->key());
    if (!name || name->level != 0) break;
    if (name->version.epoch != entry.epoch.get() || row_hash(cursor->value()) != entry.root_node) continue;
    if (!open_node(entry.key, keys.head().tree, *name, cursor->value())) return keys_damaged();
    SIEGEL_TRY(root, LockedRoot::make(entry.key, name->version, entry.root_node));
    return std::optional<LockedRoot>(std::move(root));
  }
  SIEGEL_CHECK(cursor->status());
  return std::optional<LockedRoot>();
}

std::uint64_t newest_root_node(KeysStore& keys) {
  const auto cursor = keys.store().cursor(kNodes);
  cursor->seek_for_prev(row_prefix(0, 1));
  const auto name = cursor->valid() ? parse_row_key(cursor->key()) : std::nullopt;
  return name ? name->version.epoch : 0;
}

Error keys_behind_root(KeysStore& keys, Epoch root) {
  return Error(Errc::unavailable, "keys_behind", "The keys store is of an older epoch than the root store.")
      .with("keys", newest_root_node(keys))
      .with("root_store", root);
}

Error root_behind(Epoch ledger, Epoch root) {
  return Error(Errc::unavailable, "root_behind", "The root store is behind the epoch in the ledger.")
      .with("ledger", ledger)
      .with("root_store", root);
}

Status check_head(const KeysStore& keys, const LedgerId& ledger, KeysMark mark) {
  if (keys.head().ledger != ledger) {
    return Error(Errc::unavailable, "other_ledger", "The keys store belongs to another ledger.");
  }
  if (keys.mark() < mark.get()) {
    return Error(Errc::unavailable, "keys_behind", "The keys store is behind the ledger.")
        .with("keys", keys.mark())
        .with("ledger", mark);
  }
  return Done{};
}

struct RootChoice {
  RootsFound found;
  LockedRoot root;
};

Result<RootChoice> choose_root(KeysStore& keys, std::vector<RootEntry> entries, Epoch ledger_epoch) {
  for (const auto& entry : entries) {
    if (entry.ledger != keys.head().ledger || entry.tree != keys.head().tree) {
      return Error(Errc::unavailable, "other_ledger", "The root store belongs to another ledger.");
    }
  }
  const Epoch newest = entries.back().epoch;
  if (newest < ledger_epoch) return root_behind(ledger_epoch, newest);
  for (std::size_t i = entries.size(); i-- > 0;) {
    SIEGEL_TRY(root, match(keys, entries[i]));
    if (!root) continue;
    if (entries[i].epoch < ledger_epoch) return keys_behind_root(keys, newest);
    RootChoice out{.found = {}, .root = std::move(*root)};
    if (entries[i].epoch < newest) out.found.unusable = newest;
    for (std::size_t older = i; older-- > 0 && !out.found.old_root;) {
      if (entries[older].epoch == entries[i].epoch) continue;
      SIEGEL_TRY(old_root, match(keys, entries[older]));
      out.found.old_root = std::move(old_root);
    }
    out.found.living = std::move(entries[i]);
    return out;
  }
  if (newest_root_node(keys) < newest.get()) return keys_behind_root(keys, newest);
  return keys_damaged();
}

Result<std::map<std::uint64_t, std::vector<Slot>>> load_fences(Store& store) {
  std::map<std::uint64_t, std::vector<Slot>> out;
  const auto cursor = store.cursor(kFences);
  for (cursor->seek_to_first(); cursor->valid(); cursor->next()) {
    if (cursor->key().size() != 8) return keys_damaged();
    SIEGEL_TRY(slots, decode_slots(cursor->value()));
    out.emplace(get_be<std::uint64_t>(cursor->key().data()), std::move(slots));
  }
  SIEGEL_CHECK(cursor->status());
  return out;
}

}  // namespace

Status Vault::create(const Options& options, RootStore& root, const KeyTreeId& tree, const LedgerId& ledger,
                     Random& random) {
  const auto there = root.read();
  if (there) return Error(Errc::conflict, "exists", "There is a root store already.");
  if (there.error().is("root_store_unavailable")) return Error(there.error());
  auto first = make_first_root(tree, ledger, random);
  // The root comes last: while it is missing nothing opens, and nothing was ever sealed.
  SIEGEL_CHECK(KeysStore::create(options, {tree, ledger}, std::move(first.batch)));
  return root.create(first.entry);
}

Result<std::unique_ptr<Vault>> Vault::open(const Options& options, RootStore& root, const LedgerId& ledger,
                                           KeysMark mark, Epoch epoch, Clock& clock, Random& random) {
  SIEGEL_TRY(keys, KeysStore::open(options, options.prefill ? &clock : nullptr));
  SIEGEL_CHECK(check_head(*keys, ledger, mark));
  SIEGEL_TRY(entries, root.read());
  SIEGEL_TRY(choice, choose_root(*keys, std::move(entries), epoch));
  SIEGEL_TRY(fences, load_fences(keys->store()));
  auto vault = std::make_unique<VaultImpl>(
      options, root, Opened{std::move(keys), std::move(choice.root), std::move(fences)}, clock, random);
  SIEGEL_CHECK(vault->recover(std::move(choice.found)));
  vault->start();
  return std::unique_ptr<Vault>(std::move(vault));
}

namespace {

Result<std::unique_ptr<Store>> open_to_look(const std::filesystem::path& keys_dir,
                                            const FileSystemHandle& file_system) {
  auto rocks = keys_options(keys_dir, file_system);
  rocks.mode = RocksOptions::Mode::read_only;
  return open_rocksdb(rocks);
}

}  // namespace

Result<TreeSize> Vault::ledger_size(const std::filesystem::path& keys_dir, const FileSystemHandle& file_system) {
  SIEGEL_TRY(store, open_to_look(keys_dir, file_system));
  return read_ledger_size(*store);
}

Result<Vault::KnownLedger> Vault::known_ledger(const std::filesystem::path& keys_dir) {
  SIEGEL_TRY(store, open_to_look(keys_dir, {}));
  SIEGEL_TRY(size, read_ledger_size(*store));
  SIEGEL_TRY(head, read_head(*store));
  return KnownLedger{head.ledger, size};
}

Status Vault::check_files(const std::filesystem::path& keys_dir) {
  auto rocks = keys_options(keys_dir, {});
  rocks.mode = RocksOptions::Mode::secondary;
  const auto checked = siegel::check_files(rocks);
  return checked ? Status(Done{}) : Status(Error(checked.error()).with("place", keys_dir.string()));
}

// ── recovery ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// Changes that are effective under the present root but not told: they stand in its pending record.
Status VaultImpl::load_untold() {
  const auto& root = tree_.root();
  SIEGEL_TRY(row, keys_->store().get(kPending, pending_key(root.version())));
  std::vector<EpochChange> changes;
  if (row) {
    SIEGEL_TRY(opened, open_pending(root.key(), tree(), root.version(), *row));
    changes = std::move(opened);
  }
  erasures_.with([&](Erasures& e) { e.untold = std::move(changes); });
  return Done{};
}

Status VaultImpl::recover(RootsFound roots) {
  SIEGEL_CHECK(load_untold());
  if (!options_.prefill) return Done{};
  if (roots.unusable) {
    if (!roots.old_root) (void)heal_roots(roots.living);
    // A root whose nodes are gone. Where it is the only one that a member holds, this keys store is an old copy.
    const auto done = root_store_.abort(*roots.unusable);
    if (!done && done.error().is("root_order")) return keys_behind_root(*keys_, *roots.unusable);
    SIEGEL_CHECK(done);
  }
  if (roots.old_root) {
    SIEGEL_CHECK(finish_change(roots, *roots.old_root));
  } else if (!roots.unusable) {
    destroy_old_roots(roots.living);
  }
  return drop_noise();
}

// Steps 4b and 4c of a change whose root was prepared when the process ended, or whose old root is still in a member
// that was away.
Status VaultImpl::finish_change(const RootsFound& roots, const LockedRoot& old_root) {
  const auto change = erasures_.with([&](const Erasures& e) {
    const bool there = !e.untold.empty() && e.untold.back().to == roots.living.epoch;
    return there ? std::optional(e.untold.back()) : std::nullopt;
  });
  if (change) {
    SIEGEL_TRY(dead, slots_of(change->requests));
    if (!tree_.verify(dead, old_root, tree_.root())) {
      ++erasures_aborted_;
      if (!root_store_.abort(roots.living.epoch)) return keys_damaged();
      SIEGEL_TRY(back, LockedRoot::make(old_root.key(), old_root.version(), old_root.hash()));
      tree_.adopt(std::move(back));
      epoch_ = old_root.version().epoch;
      return load_untold();
    }
  }
  // A member that was away takes the entry over; that another one stays away must not keep the vault closed.
  (void)root_store_.prepare(roots.living);
  destroy_old_roots(roots.living);
  return Done{};
}

// Also where only one root is left: a crash may have left half of the old key in the dead slot. A member that is
// damaged gets the living one back first; which that is, the keys store has said.
void VaultImpl::destroy_old_roots(const RootEntry& living) {
  (void)heal_roots(living);
  const auto effective = living.epoch;
  if (root_store_.commit(living)) return;
  erasures_.with([&](Erasures& e) {
    if (e.untold.empty() || e.untold.back().to != effective) return;
    e.unfinished = std::move(e.untold.back());
    e.untold.pop_back();
  });
}

// Rows of attempts whose root died with the process, and pending records under roots that are gone.
Status VaultImpl::drop_noise() {
  Batch batch;
  const auto living = pending_key(tree_.root().version());
  const auto cursor = keys_->store().cursor(kPending);
  for (cursor->seek_to_first(); cursor->valid(); cursor->next()) {
    if (!equal(cursor->key(), living)) batch.erase(kPending, cursor->key());
  }
  SIEGEL_CHECK(cursor->status());
  const auto requests = erasures_.with([](const Erasures& e) {
    std::vector<std::uint64_t> out;
    out.reserve(e.fences.size());
    for (const auto& fence : e.fences) out.push_back(fence.first);
    return out;
  });
  SIEGEL_TRY(slots, slots_of(requests));
  SIEGEL_CHECK(tree_.erase_stale_rows(slots, KeyTree::Which::newer_than_root, batch));
  if (batch.empty()) return Done{};
  SIEGEL_CHECK(keys_->commit(std::move(batch), KeysStore::Need::tried));
  return Done{};
}

}  // namespace siegel::vault
