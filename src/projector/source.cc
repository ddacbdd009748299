#include "projector/source.h"

#include <algorithm>

#include "codec/rows.h"

namespace siegel::projector {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

std::size_t bytes_of(const ledger::Group& group) {
  std::size_t bytes = sizeof(group);
  for (const auto& row : group.rows) bytes += row.headers.size() + row.payloads.size() + sizeof(row);
  return bytes;
}

// Count, slot and keyed hash of the first entry: no two rows begin alike, since an entry is written once.
ByteView beginning(ByteView trailer) { return trailer.first(std::min<std::size_t>(trailer.size(), 2 + 8 + 32)); }

// A copy that stays where it is; grows by blocks.
ByteView keep(std::vector<Bytes>& blocks, ByteView bytes) {
  if (blocks.empty() || blocks.back().capacity() - blocks.back().size() < bytes.size()) {
    blocks.emplace_back();
    blocks.back().reserve(std::max(kBlockBytes, bytes.size()));
  }
  auto& block = blocks.back();
  const auto at = block.size();
  append(block, bytes);
  return ByteView(block).subspan(at);
}

}  // namespace

void Source::committed(std::shared_ptr<const ledger::Group> group) noexcept {
  const auto bytes = bytes_of(*group);
  queue_.with([&](Queue& queue) {
    queue.known_end = group->first.get() + group->events;
    queue.stirred = true;
    if (queue.bytes + bytes > queue_bytes_max_) return;  // the ledger has it
    queue.bytes += bytes;
    queue.groups.push_back(std::move(group));
  });
  queue_.notify_one();
}

void Source::stop() {
  queue_.with([](Queue& queue) { queue.stop = true; });
  queue_.notify_all();
}

bool Source::stopped() const {
  return queue_.with([](const Queue& queue) { return queue.stop; });
}

void Source::wait(std::chrono::milliseconds time) {
  queue_.when_for(
      time, [](const Queue& queue) { return queue.stop || queue.stirred || queue.next < queue.known_end; },
      [](Queue& queue, bool) { queue.stirred = false; });
}

void Source::wait_for_stop(std::chrono::milliseconds time) {
  queue_.when_for(
      time, [](const Queue& queue) { return queue.stop; }, [](Queue&, bool) {});
}

void Source::seek(TreeSize next) {
  next_ = next.get();
  cursor_.reset();
  queue_.with([&](Queue& queue) { queue.next = next_; });
}

void Source::read_until(TreeSize end) {
  queue_.with([&](Queue& queue) { queue.known_end = std::max(queue.known_end, end.get()); });
}

Result<Chunk> Source::take(Keys& keys) {
  Chunk chunk;
  chunk.first = Seq(next_);
  std::uint64_t gap_end = 0;
  queue_.with([&](Queue& queue) {
    while (!queue.groups.empty() && queue.groups.front()->first.get() + queue.groups.front()->events <= next_) {
      queue.bytes -= bytes_of(*queue.groups.front());
      queue.groups.pop_front();
    }
    gap_end = queue.groups.empty() ? queue.known_end : queue.groups.front()->first.get();
    std::size_t events = 0;
    for (auto next = next_;
         !queue.groups.empty() && events < chunk_events_max_ && queue.groups.front()->first.get() <= next;) {
      auto& group = queue.groups.front();
      events += group->events;
      next = group->first.get() + group->events;
      queue.bytes -= bytes_of(*group);
      chunk.groups.push_back(std::move(group));
      queue.groups.pop_front();
    }
  });
  if (!chunk.groups.empty()) {
    cursor_.reset();
    SIEGEL_CHECK(from_queue(keys, chunk));
  } else if (next_ < gap_end) {
    SIEGEL_CHECK(from_ledger(keys, chunk, gap_end));
  }
  next_ = chunk.end().get();
  queue_.with([&](Queue& queue) { queue.next = next_; });
  for (auto& event : chunk.events) SIEGEL_CHECK(event.prepare());
  return chunk;
}

Status Source::add_row(const ledger::Group::Row& row, Keys& keys, Chunk& chunk) {
  SIEGEL_TRY(headers, codec::RowView::parse(row.headers));
  SIEGEL_TRY(payloads, codec::RowView::parse(row.payloads));
  if (headers.events() != payloads.events())
    return Error(Errc::corrupt, "row_damaged", "A row of headers and its row of parts differ.");
  const auto next = chunk.end().get();
  if (row.first.get() >= next && !payloads.trailer().empty())
    chunk.trailers.push_back({chunk.events.size(), row.first, payloads.trailer()});
  for (std::size_t i = 0; i < headers.events(); ++i) {
    const Seq seq(row.first.get() + i);
    if (seq.get() < next) continue;
    SIEGEL_TRY(event, Event::decode(seq, headers.event(i), payloads.event(i), keys));
    chunk.events.push_back(std::move(event));
  }
  return Done{};
}

Status Source::from_queue(Keys& keys, Chunk& chunk) {
  std::size_t events = 0;
  for (const auto& group : chunk.groups) events += group->events;
  chunk.events.reserve(events);
  for (const auto& group : chunk.groups)
    for (const auto& row : group->rows) SIEGEL_CHECK(add_row(row, keys, chunk));
  return Done{};
}

Status Source::from_ledger(Keys& keys, Chunk& chunk, std::uint64_t end) {
  const auto events = std::min<std::uint64_t>(end - next_, chunk_events_max_);
  chunk.events.reserve(events);
  for (std::uint64_t i = 0; i < events; ++i) {
    if (!cursor_ || cursor_next_ != next_ + i) {
      SIEGEL_TRY(cursor, ledger_.cursor(Seq(next_ + i)));
      cursor_ = std::move(cursor);
      cursor_next_ = next_ + i;
      cursor_fresh_ = true;
      last_trailer_.clear();
    }
    Seq seq;
    ByteView header;
    ByteView parts;
    SIEGEL_TRY(more, cursor_->next(seq, header, parts));
    if (!more) {
      // The cursor sees the ledger of when it was made.
      if (i == 0 && cursor_fresh_) return Error(Errc::corrupt, "ledger_damaged", "The ledger ends before its size.");
      cursor_.reset();
      if (i > 0) break;
      --i;
      continue;
    }
    const auto trailer = beginning(cursor_->idempotency());
    if (!equal(trailer, last_trailer_)) {
      last_trailer_ = to_bytes(trailer);
      if (!trailer.empty())
        chunk.trailers.push_back({chunk.events.size(), seq, keep(chunk.blocks, cursor_->idempotency()), cursor_fresh_});
    }
    cursor_fresh_ = false;
    cursor_next_ = seq.get() + 1;
    SIEGEL_TRY(event, Event::decode(seq, keep(chunk.blocks, header), keep(chunk.blocks, parts), keys));
    chunk.events.push_back(std::move(event));
  }
  if (next_ + chunk.events.size() >= end) cursor_.reset();  // a snapshot must not be held for long
  return Done{};
}

}  // namespace siegel::projector
