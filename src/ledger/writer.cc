// The writer thread: takes what waits, lets each command decide, and writes, syncs, signs, answers (DESIGN 2). Under
// bulk load the next group is decided while this one is being written: never signed, answered or followed by a write
// before.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "ledger/layout.h"
#include "ledger/ledger_impl.h"

namespace siegel::ledger {

namespace {

// While so many events wait, the next group is decided and hashed during the sync of this one. Single commands do not
// gain by it: they would only be split into smaller groups.
constexpr std::size_t kOverlapEventsMin = 500;

}  // namespace

void LedgerImpl::run() {
  for (;;) {
    if (being_written_ && queue_.events() < kOverlapEventsMin) finish_written();
    auto commands = queue_.take();
    if (commands.empty()) break;
    write_groups(std::move(commands));
  }
  finish_written();
}

// Usually one group; more if the commands have more events or bytes than they said.
void LedgerImpl::write_groups(std::vector<std::unique_ptr<Command>> commands) {
  for (std::size_t i = 0; i < commands.size();) {
    const auto time = next_time();
    if (!time && writable_) {
      finish_written();
      stop_writing(time.error());
    }
    if (!writable_) {
      refuse(*commands[i++]);
      continue;
    }
    auto& work = works_[turn_];
    work.commands.clear();
    work.events.begin({Seq(head_.size.get()), *time, head_.keys_mark, head_.epoch});
    while (i < commands.size() && work.events.events() < options_.group_events_max &&
           work.events.bytes() < options_.group_bytes_max) {
      decide(std::move(commands[i++]), {work.events.next(), *time}, work);
    }
    write(work);
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

void LedgerImpl::decide(std::unique_ptr<Command> command, const Moment& at, Work& work) {
  auto verdict = command->finish(at);
  auto added = work.events.add(std::move(verdict), command->keys_mark());
  if (!added) return command->done(Error(std::move(added).error()));
  work.commands.push_back({std::move(command), std::move(*added), TreeSize(work.events.next().get())});
}

// From events to a batch that may be written: rows, tiles, head row, the newest note.
Status LedgerImpl::prepare(Work& work) {
  auto& batch = work.batch;
  batch.clear();
  work.events.put_rows(batch);
  const auto nodes_before = tree_.range().counts().nodes;
  const auto full = [&](unsigned level, std::uint64_t index, const std::vector<Hash>& hashes) {
    batch.put(kTiles, tile_key(level, index), encode_tile(hashes));
  };
  for (std::size_t i = 0; i < work.events.events(); ++i) tree_.append(work.events.leaf(i), full);
  totals_.node_hashes += tree_.range().counts().nodes - nodes_before;

  head_.size = TreeSize(tree_.range().size());
  head_.time = work.events.before().time;
  head_.keys_mark = work.events.keys_mark();
  head_.epoch = work.events.epoch();
  head_.frontier.assign(tree_.range().frontier().begin(), tree_.range().frontier().end());
  batch.put(kHead, as_bytes(kHeadKey), encode(head_));
  const auto state = now();
  if (!note_in_store_ || noted_in_store_ != state->noted.size) {
    batch.put(kCheckpoints, as_bytes(kNewestKey), as_bytes(state->noted.note));
    noted_in_store_ = state->noted.size;
    note_in_store_ = true;
  }
  newest_tree_ = tree_.view(&newest_tree_);
  work.head = head_;
  work.tree = newest_tree_;
  work.root = tree_.range().root();
  if (!work.events.rows_match(batch)) {
    return Error(Errc::corrupt, "row_mismatch", "A row of the group is not what was hashed; nothing was written.");
  }
  return Done{};
}

// The group before is finished first: its answers come before this one's, and it fails before this one is written.
void LedgerImpl::write(Work& work) {
  if (work.events.events() == 0) {
    if (!finish_written()) return refuse_all(work);
    return answer(work);
  }
  const auto prepared = prepare(work);
  if (!finish_written()) return refuse_all(work);
  if (!prepared) {
    stop_writing(prepared.error());
    return refuse_all(work);
  }
  turn_ = 1 - turn_;
  if (queue_.events() < kOverlapEventsMin) return finish(work, write_synced(*store_, work.batch));
  being_written_ = &work;
  store_writer_.begin(work.batch);
}

// False: the ledger takes no writes any more.
bool LedgerImpl::finish_written() {
  if (being_written_) finish(*std::exchange(being_written_, nullptr), store_writer_.finish());
  return writable_;
}

void LedgerImpl::finish(Work& work, const Written& written) {
  if (const auto published = publish_written(work, written); !published) {
    stop_writing(published.error());
    return refuse_all(work);
  }
  answer(work);
  hand_on(work);
}

Status LedgerImpl::publish_written(Work& work, const Written& written) {
  if (!written.status) {
    if (written.status.error().is("disk_full")) return written.status;
    return Error(Errc::unavailable, "write_failed", "The store did not take the group.")
        .with("cause", written.status.error().code());
  }
  const auto ns = static_cast<std::uint64_t>(written.took.count());
  totals_.groups += 1;
  totals_.events += work.events.events();
  totals_.sync_ns_total += ns;
  totals_.sync_ns_max = std::max(totals_.sync_ns_max.load(), ns);
  if (on_group) on_group(work.events.events(), written.took);

  auto note = sign(work.head.size, work.root);
  if (!note) {
    return Error(Errc::unavailable, "sign_failed", "The group was written, but its tree was not signed.")
        .with("cause", note.error().code());
  }
  publish({.tree = work.tree,
           .keys_mark = work.head.keys_mark,
           .epoch = work.head.epoch,
           .noted = {work.head.size, std::move(*note)}});
  return Done{};
}

void LedgerImpl::answer(Work& work) {
  for (auto& decided : work.commands) {
    decided.command->done(committed(work, decided));
    decided.command.reset();
  }
}

Committed LedgerImpl::committed(const Work& work, const Decided& decided) const {
  const auto& added = decided.added;
  Committed out;
  out.first = added.first;
  out.events = static_cast<std::uint32_t>(added.events);
  out.size = decided.size;
  out.time = work.events.before().time;
  const auto begin = added.first.get() - work.events.before().next.get();
  out.leaf_hashes.reserve(added.events);
  for (std::size_t i = 0; i < added.events; ++i) out.leaf_hashes.push_back(work.events.leaf(begin + i));
  if (added.access) out.access = access_receipt(added.access->seq, added.access->purpose, added.access->owners);
  if (added.job) out.system = system_receipt(added.job->seq, added.job->kind);
  return out;
}

// To the tails and to the lock record's thread: neither is waited for.
void LedgerImpl::hand_on(const Work& work) {
  if (!tails_.empty()) {
    auto group = std::make_shared<Group>();
    group->first = work.events.before().next;
    group->events = work.events.events();
    group->time = work.events.before().time;
    group->rows = work.events.copy_rows(work.batch);
    for (auto* tail : tails_) tail->committed(group);
  }
  lock_record_.tell(work.head.size, now()->noted.note);
}

void LedgerImpl::stop_writing(const Error& cause) {
  health_.with([&](Health& health) { health.of_writer.push_back({cause.code(), cause.text()}); });
  writable_ = false;
}

void LedgerImpl::refuse_all(Work& work) {
  for (auto& decided : work.commands) refuse(*decided.command);
  work.commands.clear();
}

void LedgerImpl::refuse(Command& command) const { command.done(read_only_error()); }

}  // namespace siegel::ledger
