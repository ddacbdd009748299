#include "vault/keys_replica.h"

#include <algorithm>

namespace siegel::vault {
namespace {

constexpr std::size_t kCopyBatchBytes = std::size_t{4} << 20;
// What is kept for a replica while it is made equal. More comes only where that takes very long: then it begins anew.
constexpr std::size_t kQueueBytesMax = std::size_t{64} << 20;

Error given_up() {
  return Error(Errc::unavailable, "keys_replica_unavailable", "A required copy of the keys store does not answer.");
}

bool less(ByteView a, ByteView b) { return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

KeysReplica::KeysReplica(Place place, Source& source, Clock& clock)
    : place_(std::move(place)), source_(source), clock_(clock) {
  state_.with([&](State& s) { s.away_since = place_.away_since ? *place_.away_since : clock_.now(); });
  thread_ = std::thread([this] { run(); });
}

KeysReplica::~KeysReplica() {
  state_.with([](State& s) { s.closing = true; });
  state_.notify_all();
  thread_.join();
}

bool KeysReplica::there() const {
  return state_.with([](const State& s) { return s.now == Now::there; });
}

std::optional<TimeMs> KeysReplica::away_since() const {
  return state_.with([](const State& s) { return s.away_since; });
}

std::optional<Error> KeysReplica::failure() const {
  return state_.with([](const State& s) { return s.failure; });
}

void KeysReplica::leave(State& state) {
  state.now = Now::away;
  ++state.life;
  state.queue.clear();
  state.queue_bytes = 0;
  if (!state.away_since) state.away_since = clock_.now();
}

void KeysReplica::send(std::uint64_t mark, std::shared_ptr<const Batch> batch) {
  state_.with([&](State& s) {
    if (s.now == Now::away) return;
    s.queue_bytes += batch->bytes();
    s.queue.push_back({mark, std::move(batch)});
    if (s.queue_bytes > kQueueBytesMax) leave(s);
  });
  state_.notify_all();
}

void KeysReplica::look(std::chrono::milliseconds patience) {
  state_.with([&](State& s) {
    if (s.now != Now::there || s.wanted) return;
    if (!s.busy_since) {
      if (s.queue.empty()) s.queue.push_back({s.acknowledged, nullptr});
    } else if (std::chrono::steady_clock::now() - *s.busy_since > patience) {
      leave(s);
    }
  });
  state_.notify_all();
}

bool KeysReplica::wait_for(std::uint64_t mark, Deadline until) {
  const bool done = state_.when_for(
      until - std::chrono::steady_clock::now(),
      [&](const State& s) { return s.acknowledged >= mark || s.now != Now::there; },
      [&](State& s, bool) {
        if (s.acknowledged >= mark) return true;
        if (s.now == Now::there) leave(s);
        return false;
      });
  if (!done) state_.notify_all();  // others need not wait either
  return done;
}

void KeysReplica::try_again() {
  state_.with([](State& s) {
    if (s.now == Now::away) s.wanted = true;
  });
  state_.notify_all();
}

void KeysReplica::wait_tried(std::chrono::milliseconds patience) {
  const auto now = std::chrono::steady_clock::now();
  const auto since = state_.with([&](const State& s) { return s.busy_since.value_or(now); });
  state_.when_for(
      since + patience - now, [](const State& s) { return !s.wanted; }, [](const State&, bool) {});
}

void KeysReplica::begin_joining() {
  state_.with([](State& s) { s.now = Now::joining; });
}

// ── its thread ───────────────────────────────────────────────────────────────────────────────────────────────────────

void KeysReplica::run() {
  while (auto work = next_work()) {
    if (const auto& next = work->batch) {
      write(work->life, *next);
    } else {
      bring_up(work->life);
    }
    state_.notify_all();
  }
  close_store();
}

std::optional<KeysReplica::Work> KeysReplica::next_work() {
  return state_.when([](const State& s) { return s.closing || s.wanted || (s.now == Now::there && !s.queue.empty()); },
                     [](State& s) -> std::optional<Work> {
                       if (s.closing) return std::nullopt;
                       s.busy_since = std::chrono::steady_clock::now();
                       Work work{s.life, std::nullopt};
                       if (s.wanted) return work;
                       work.batch = std::move(s.queue.front());
                       s.queue.pop_front();
                       if (work.batch->batch) s.queue_bytes -= work.batch->batch->bytes();
                       return work;
                     });
}

void KeysReplica::write(std::uint64_t life, const Waiting& next) {
  auto done = next.batch ? store_->write(*next.batch, Sync::yes) : Status(Done{});
  // Behind the sync: only so it is sure that the batch went to the files at that place.
  if (done) done = store_->at_place();
  state_.with([&](State& s) {
    s.busy_since.reset();
    if (s.life != life) return;  // nobody waits for it any more
    if (done) {
      s.acknowledged = next.mark;
    } else {
      s.failure = std::move(done).error();
      leave(s);
    }
  });
}

void KeysReplica::bring_up(std::uint64_t life) {
  auto done = open_and_join(life);
  if (!done) close_store();
  state_.with([&](State& s) {
    s.busy_since.reset();
    s.wanted = false;
    s.failure.reset();
    if (done) return;
    s.failure = std::move(done).error();
    if (s.now == Now::joining) leave(s);
  });
}

// Looked for first, so that the end of one that is not at its place touches nothing of what stands there now.
void KeysReplica::close_store() {
  if (store_) (void)store_->at_place();
  store_.reset();
}

Status KeysReplica::open_and_join(std::uint64_t life) {
  close_store();
  auto options = keys_options(place_.dir, place_.file_system);
  options.threads = RocksOptions::Threads::own;
  SIEGEL_TRY(store, open_rocksdb(options));
  store_ = std::move(store);
  SIEGEL_TRY(head, read_head(*store_));
  if (head.tree != source_.head().tree || head.ledger != source_.head().ledger) {
    return Error(Errc::invalid, "other_ledger", "A key replica belongs to another ledger.");
  }
  SIEGEL_TRY(mark_there, read_mark(*store_));
  SIEGEL_TRY(mark, source_.join(*this));
  if (mark_there > mark) {
    return Error(Errc::unavailable, "keys_behind", "The keys store is behind its replica.")
        .with("keys", mark)
        .with("replica", mark_there);
  }
  if (mark_there < mark) {
    for (const auto family : {kNodes, kFences, kPending, kMeta}) SIEGEL_CHECK(copy(family, *store_));
  }
  return finish_joining(life, mark_there, mark);
}

// Makes one family equal to that of the source, but for the mark. Rows that change meanwhile come again in a batch.
Status KeysReplica::copy(Family family, Store& to) {
  const auto target = to.cursor(family, {.reading = CursorOptions::Reading::all});
  target->seek_to_first();
  const auto is_mark = [&](ByteView key) { return family == kMeta && equal(key, mark_key()); };
  Batch batch;
  const auto erase_below = [&](const Bytes* end) {
    for (; target->valid() && (end == nullptr || less(target->key(), *end)); target->next())
      if (!is_mark(target->key())) batch.erase(family, target->key());
  };
  Bytes from;
  for (bool last = false; !last;) {
    if (state_.with([](const State& s) { return s.closing; })) return given_up();
    SIEGEL_TRY(some, source_.rows(family, from));
    for (const auto& [key, value] : some.rows) {
      erase_below(&key);
      const bool known = target->valid() && equal(target->key(), key);
      if (!is_mark(key) && !(known && equal(target->value(), value))) batch.put(family, key, value);
      if (known) target->next();
    }
    last = some.last;
    if (last) erase_below(nullptr);
    if (!some.rows.empty()) {
      from = some.rows.back().first;
      from.push_back(0);
    }
    if (batch.bytes() >= kCopyBatchBytes || last) {
      SIEGEL_CHECK(to.write(batch, Sync::no));
      batch.clear();
    }
  }
  return target->status();
}

// What came meanwhile makes the copy whole: one batch, synced, with its mark.
Status KeysReplica::finish_joining(std::uint64_t life, std::uint64_t mark_there, std::uint64_t mark) {
  const auto kept = state_.with([&](State& s) -> std::optional<std::deque<Waiting>> {
    if (s.life != life) return std::nullopt;
    s.queue_bytes = 0;
    return std::exchange(s.queue, {});
  });
  if (!kept) return given_up();
  Batch batch;
  if (mark_there < mark) batch.put(kMeta, mark_key(), be(mark));
  for (const auto& one : *kept) batch.append(*one.batch);
  if (!batch.empty()) SIEGEL_CHECK(store_->write(batch, Sync::yes));
  SIEGEL_CHECK(store_->at_place());
  return state_.with([&](State& s) -> Status {
    if (s.life != life) return given_up();
    s.now = Now::there;
    s.acknowledged = kept->empty() ? mark : kept->back().mark;
    s.away_since.reset();
    return Done{};
  });
}

}  // namespace siegel::vault
