// The writer thread: takes what waits, lets each command decide, and writes, syncs, signs, answers (DESIGN 2).
#include <algorithm>

#include "base/assert.h"
#include "ledger/layout.h"
#include "ledger/ledger_impl.h"

namespace siegel::ledger {

void LedgerImpl::run() {
  for (;;) {
    auto commands = queue_.take();
    if (commands.empty()) return;
    write_groups(std::move(commands));
  }
}

// Usually one group; more if the commands have more events or bytes than they said.
void LedgerImpl::write_groups(std::vector<std::unique_ptr<Command>> commands) {
  std::vector<Decided> group;
  for (std::size_t i = 0; i < commands.size();) {
    if (!writable_) {
      refuse(*commands[i++]);
      continue;
    }
    const auto time = next_time();
    if (!time) {
      stop_writing(time.error());
      continue;
    }
    group_.begin({Seq(head_.size.get()), *time, head_.keys_mark, head_.epoch});
    group.clear();
    while (i < commands.size() && group_.events() < options_.group_events_max &&
           group_.bytes() < options_.group_bytes_max) {
      decide(std::move(commands[i++]), {group_.next(), *time}, group);
    }
    if (group_.events() > 0) {
      if (const auto written = write_group(); !written) {
        stop_writing(written.error());
        for (auto& decided : group) refuse(*decided.command);
        continue;
      }
    }
    answer(group);
    if (group_.events() > 0) hand_on();
  }
}

Result<TimeMs> LedgerImpl::next_time() {
  const auto now = clock_.now();
  if (now < head_.time && head_.time.get() - now.get() > options_.clock_back_ms_max) {
    return Error(Errc::unavailable, "clock_stepped_back", "The clock stepped back behind the newest event.")
        .with("newest", to_rfc3339(head_.time))
        .with("clock", to_rfc3339(now));
  }
  return std::max(now, head_.time);
}

void LedgerImpl::decide(std::unique_ptr<Command> command, const Moment& at, std::vector<Decided>& group) {
  auto verdict = command->finish(at);
  auto added = group_.add(std::move(verdict), command->keys_mark());
  if (!added) return command->done(Error(std::move(added).error()));
  group.push_back({std::move(command), std::move(*added), TreeSize(group_.next().get())});
}

Status LedgerImpl::write_group() {
  fill_batch();
  if (!group_.rows_match(batch_)) {
    return Error(Errc::corrupt, "row_mismatch", "A row of the group is not what was hashed; nothing was written.");
  }
  SIEGEL_CHECK(write_synced());
  return sign_and_publish(head_after());
}

void LedgerImpl::fill_batch() {
  batch_.clear();
  group_.put_rows(batch_);
  const auto nodes_before = tree_.range().counts().nodes;
  const auto full = [&](unsigned level, std::uint64_t index, const std::vector<Hash>& hashes) {
    batch_.put(kTiles, tile_key(level, index), encode_tile(hashes));
  };
  for (std::size_t i = 0; i < group_.events(); ++i) tree_.append(group_.leaf(i), full);
  totals_.node_hashes += tree_.range().counts().nodes - nodes_before;
  batch_.put(kHead, as_bytes(kHeadKey), encode(head_after()));
  const auto& noted = now()->noted;
  if (!note_in_store_ || noted_in_store_ != noted.size) {
    batch_.put(kCheckpoints, as_bytes(kNewestKey), as_bytes(noted.note));
    noted_in_store_ = noted.size;
    note_in_store_ = true;
  }
}

Head LedgerImpl::head_after() const {
  const auto frontier = tree_.range().frontier();
  return {.id = head_.id,
          .origin = head_.origin,
          .size = TreeSize(tree_.range().size()),
          .time = group_.before().time,
          .keys_mark = group_.keys_mark(),
          .epoch = group_.epoch(),
          .frontier = {frontier.begin(), frontier.end()}};
}

Status LedgerImpl::write_synced() {
  const auto begin = std::chrono::steady_clock::now();
  auto written = store_->write(batch_, Sync::yes);
  const auto took = std::chrono::steady_clock::now() - begin;
  if (!written) {
    if (written.error().is("disk_full")) return written;
    return Error(Errc::unavailable, "write_failed", "The store did not take the group.")
        .with("cause", written.error().code());
  }
  const auto ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count());
  totals_.groups += 1;
  totals_.events += group_.events();
  totals_.sync_ns_total += ns;
  totals_.sync_ns_max = std::max(totals_.sync_ns_max.load(), ns);
  if (on_group) on_group(group_.events(), took);
  return Done{};
}

Status LedgerImpl::sign_and_publish(Head head) {
  auto note = sign(head.size, tree_.range().root());
  if (!note) {
    return Error(Errc::unavailable, "sign_failed", "The group was written, but its tree was not signed.")
        .with("cause", note.error().code());
  }
  const auto last = now();
  publish({.tree = tree_.view(&last->tree),
           .keys_mark = head.keys_mark,
           .epoch = head.epoch,
           .noted = {head.size, std::move(*note)}});
  head_ = std::move(head);
  return Done{};
}

void LedgerImpl::answer(std::vector<Decided>& group) {
  for (auto& decided : group) {
    decided.command->done(committed(decided));
    decided.command.reset();
  }
}

Committed LedgerImpl::committed(const Decided& decided) const {
  const auto& added = decided.added;
  Committed out;
  out.first = added.first;
  out.events = static_cast<std::uint32_t>(added.events);
  out.size = decided.size;
  out.time = group_.before().time;
  const auto begin = added.first.get() - group_.before().next.get();
  out.leaf_hashes.reserve(added.events);
  for (std::size_t i = 0; i < added.events; ++i) out.leaf_hashes.push_back(group_.leaf(begin + i));
  if (added.access) out.access = access_receipt(added.access->seq, added.access->purpose, added.access->owners);
  if (added.job) out.system = system_receipt(added.job->seq, added.job->kind);
  return out;
}

// To the tails and to the lock record's thread: neither is waited for.
void LedgerImpl::hand_on() {
  if (!tails_.empty()) {
    auto group = std::make_shared<Group>();
    group->first = group_.before().next;
    group->events = group_.events();
    group->time = group_.before().time;
    group->rows = group_.copy_rows(batch_);
    for (auto* tail : tails_) tail->committed(group);
  }
  lock_record_.tell(head_.size, now()->noted.note);
}

void LedgerImpl::stop_writing(const Error& cause) {
  health_.with([&](Health& health) { health.of_writer.push_back({cause.code(), cause.text()}); });
  writable_ = false;
}

void LedgerImpl::refuse(Command& command) const { command.done(read_only_error()); }

}  // namespace siegel::ledger
