#include "ledger/ledger.h"

#include "base/assert.h"
#include "ledger/layout.h"
#include "ledger/ledger_impl.h"
#include "proof/checkpoint.h"

namespace siegel::ledger {

namespace {

GroupLimits limits_of(const Options& options) {
  GroupLimits out;
  out.commands_max = options.queue_commands_max;
  out.events_max = options.group_events_max;
  out.wait_max = std::chrono::microseconds(options.group_wait_us_max);
  out.in_flight = options.in_flight;
  return out;
}

bool clock_is_back(TimeMs newest, TimeMs now, std::uint64_t most) {
  return newest > now && newest.get() - now.get() > most;
}

}  // namespace

Status Ledger::create(Store& store, const Options& options) {
  if (!is_key_name(options.origin)) {
    return Error(Errc::invalid, "origin_malformed", "The ledger's origin must be a name without space and '+'.");
  }
  for (const auto family : {kHeaders, kPayloads, kTiles, kHead, kCheckpoints}) {
    const auto rows = store.cursor(family);
    rows->seek_to_first();
    SIEGEL_CHECK(rows->status());
    if (rows->valid()) return Error(Errc::conflict, "exists", "There is a ledger in the store already.");
  }
  Batch batch;
  Head head;
  head.id = options.id;
  head.origin = options.origin;
  batch.put(kHead, as_bytes(kHeadKey), encode(head));
  return store.write(batch, Sync::yes);
}

Result<std::unique_ptr<Ledger>> Ledger::open(std::unique_ptr<Store> store, const Options& options, Signer& signer,
                                             Clock& clock) {
  return open_ledger(std::move(store), options, signer, clock, {});
}

Result<std::unique_ptr<Ledger>> open_ledger(std::unique_ptr<Store> store, const Options& options, Signer& signer,
                                            Clock& clock, Seams seams) {
  auto ledger = std::make_unique<LedgerImpl>(std::move(store), options, signer, clock, std::move(seams));
  SIEGEL_CHECK(ledger->recover_state());
  return std::unique_ptr<Ledger>(std::move(ledger));
}

LedgerImpl::LedgerImpl(std::unique_ptr<Store> store, const Options& options, Signer& signer, Clock& clock, Seams seams)
    : store_(std::move(store)),
      options_(options),
      signer_(signer),
      clock_(clock),
      seams_(std::move(seams)),
      lock_record_(options.files ? *options.files : static_cast<Files&>(system_files_), options.lock_record_path),
      queue_(limits_of(options)),
      works_{Work(seams_), Work(seams_)},
      store_writer_(*store_) {}

Status LedgerImpl::recover_state() {
  SIEGEL_TRY(found, recover(*store_, options_));
  head_ = std::move(found.head);
  tree_ = std::move(found.tree);
  newest_tree_ = tree_.view(nullptr);
  Published first{.tree = newest_tree_, .keys_mark = head_.keys_mark, .epoch = head_.epoch, .noted = {}};
  if (found.newest) {
    note_in_store_ = true;
    noted_in_store_ = found.newest->size;
    first.noted = std::move(*found.newest);
  }

  TreeSize locked;
  Health health;
  auto reason = compare(lock_record_.read(), signer_, *store_, first.tree, locked);
  if (!reason && head_.size < options_.size_known) {
    reason = Reason{"behind_keys", "keys store size " + std::to_string(options_.size_known.get()) + ", ledger size " +
                                       std::to_string(head_.size.get())};
  }
  if (!reason && !options_.lost.empty()) reason = Reason{"log_damaged", options_.lost};
  if (reason) {
    if (!options_.evidence.empty()) reason->detail += ", damaged log kept in " + options_.evidence;
    health.of_lock.push_back(std::move(*reason));  // in doubt: nothing is signed, perhaps this size was once already
  } else {
    lock_record_.found(locked);
    SIEGEL_CHECK(sign_tail(first, health));
  }
  if (const auto now = clock_.now(); clock_is_back(head_.time, now, options_.clock_back_ms_max)) {
    health.of_writer.push_back(
        {"clock_stepped_back", "newest event " + to_rfc3339(head_.time) + ", clock " + to_rfc3339(now)});
  }
  writable_ = health.good();
  health_.with([&](Health& to) { to = std::move(health); });
  publish(std::move(first));
  return Done{};
}

// What is found may have been written by a process that died before its sync: it is made durable before it is signed.
Status LedgerImpl::sign_tail(Published& first, Health& health) {
  if (const auto synced = store_->write(Batch(), Sync::yes); !synced) {
    const bool full = synced.error().is("disk_full");
    health.of_writer.push_back({full ? "disk_full" : "write_failed", synced.error().text()});
    return Done{};
  }
  SIEGEL_TRY(note, sign(head_.size, tree_.range().root()));
  first.noted = {head_.size, std::move(note)};
  lock_record_.tell(head_.size, first.noted.note);
  return Done{};
}

Status LedgerImpl::start() {
  SIEGEL_ASSERT(!writer_.joinable());
  lock_record_.start();
  writer_ = std::thread([this] { run(); });
  return Done{};
}

void LedgerImpl::subscribe(Tail& tail) {
  SIEGEL_ASSERT(!writer_.joinable());
  tails_.push_back(&tail);
}

void LedgerImpl::submit(std::unique_ptr<Command> command) {
  SIEGEL_ASSERT(command);
  if (!writable_) return refuse(*command);
  switch (queue_.put(command)) {
    case CommandQueue::Put::queued:
      return;
    case CommandQueue::Put::closed:
      return refuse(*command);
    case CommandQueue::Put::full:
      return command->done(
          Error(Errc::overloaded, "overloaded", "Too many commands wait for the ledger; try again later.")
              .with("limit", options_.queue_commands_max));
  }
}

void LedgerImpl::close() {
  std::call_once(closed_, [this] {
    queue_.close();
    if (writer_.joinable()) {
      writer_.join();
    } else {
      for (const auto& command : queue_.take()) refuse(*command);
    }
    lock_record_.stop();
  });
}

Status LedgerImpl::adopt_lock_record() {
  // While the lock record is in doubt the writer writes nothing and the record's thread was told nothing.
  if (!in_doubt()) return Done{};
  auto next = *now();
  SIEGEL_CHECK(store_->write(Batch(), Sync::yes));
  TreeReader nodes(*store_, next.tree);
  SIEGEL_TRY(root, root_of(next.tree.size, nodes));
  SIEGEL_TRY(note, sign(TreeSize(next.tree.size), root));
  SIEGEL_CHECK(lock_record_.write(TreeSize(next.tree.size), note));
  next.noted = {TreeSize(next.tree.size), std::move(note)};
  publish(std::move(next));
  writable_ = health_.with([](Health& health) {
    health.of_lock.clear();
    return health.good();
  });
  return Done{};
}

// ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::shared_ptr<const LedgerImpl::Published> LedgerImpl::now() const {
  return published_.with([](const auto& published) { return published; });
}

void LedgerImpl::publish(Published next) {
  auto shared = std::make_shared<const Published>(std::move(next));
  published_.with([&](auto& published) { published.swap(shared); });  // the old one goes outside the lock
}

TreeSize LedgerImpl::size() const { return TreeSize(now()->tree.size); }
std::string LedgerImpl::checkpoint() const { return now()->noted.note; }
KeysMark LedgerImpl::keys_mark() const { return now()->keys_mark; }
Epoch LedgerImpl::epoch() const { return now()->epoch; }
std::size_t LedgerImpl::queued() const { return queue_.size(); }

std::vector<Reason> LedgerImpl::read_only() const {
  return health_.with([](const Health& health) {
    auto all = health.of_lock;
    all.insert(all.end(), health.of_writer.begin(), health.of_writer.end());
    return all;
  });
}

std::vector<Reason> LedgerImpl::doubts() const {
  return health_.with([](const Health& health) { return health.of_lock; });
}

Result<RegistryReceipt> Ledger::registry_receipt() const {
  if (read_only().empty())
    return Error(Errc::denied, "receipt_missing", "The ledger takes events: a job must stand behind this look.");
  return RegistryReceipt();
}

Error LedgerImpl::read_only_error() const {
  const auto reasons = read_only();
  return Error(Errc::unavailable, "read_only", "The ledger takes no writes at present.")
      .with("reason", reasons.empty() ? std::string("closed") : reasons.front().code);
}

Result<std::string> LedgerImpl::sign(TreeSize size, const Hash& root) const {
  ++totals_.signatures;
  return signer_.sign({size, root});
}

Ledger::Counters LedgerImpl::counters() const {
  Counters out;
  out.groups = totals_.groups;
  out.events = totals_.events;
  out.signatures = totals_.signatures;
  out.leaf_hashes = totals_.events;  // one for the tree; the second hash of each header is the check
  out.node_hashes = totals_.node_hashes;
  out.sync_ns_total = totals_.sync_ns_total;
  out.sync_ns_max = totals_.sync_ns_max;
  out.lock_record_size = lock_record_.durable().get();
  out.lock_record_failures = lock_record_.failures();
  return out;
}

}  // namespace siegel::ledger
