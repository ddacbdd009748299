#include "http/stream.h"

#include <utility>

#include "http/wire.h"

namespace siegel::http {
namespace {

class Handle final : public StreamSink {
 public:
  explicit Handle(std::shared_ptr<StreamState> state) noexcept : state_(std::move(state)) {}
  ~Handle() override { state_->abandon(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Flow write(std::string_view chunk) override { return state_->write(chunk); }
  void finish() override { state_->finish(); }

 private:
  std::shared_ptr<StreamState> state_;
};

}  // namespace

Stream make_stream(std::shared_ptr<StreamState> state) { return Stream(std::make_shared<Handle>(std::move(state))); }

StreamState::StreamState(std::weak_ptr<Connection> to, std::shared_ptr<Inbox> inbox, std::uint64_t serial,
                         std::size_t buffer_bytes_max, StreamOptions&& options)
    : to_(std::move(to)),
      inbox_(std::move(inbox)),
      serial_(serial),
      buffer_bytes_max_(buffer_bytes_max),
      options_(std::move(options)) {
  data_.with([&](Data& d) {
    d.on_writable = std::exchange(options_.on_writable, nullptr);
    d.on_closed = std::exchange(options_.on_closed, nullptr);
  });
}

void StreamState::nudge() { hand_over(inbox_, Delivery{to_, serial_, std::nullopt, shared_from_this()}); }

Flow StreamState::write(std::string_view chunk) {
  bool wake = false;
  const Flow flow = data_.with([&](Data& d) {
    if (d.closed || d.end != End::open) return Flow::closed;
    if (chunk.empty()) return Flow::taken;  // on the wire an empty chunk means the end
    if (!d.waiting.empty() && d.waiting.size() + chunk.size() > buffer_bytes_max_) {
      d.full_told = true;
      return Flow::full;
    }
    append_chunk(d.waiting, chunk);
    wake = !std::exchange(d.nudged, true);
    return Flow::taken;
  });
  if (wake) nudge();
  return flow;
}

void StreamState::finish() {
  const bool wake = data_.with([](Data& d) {
    if (d.closed || d.end != End::open) return false;
    d.end = End::finished;
    return !std::exchange(d.nudged, true);
  });
  if (wake) nudge();
}

void StreamState::abandon() {
  const bool wake = data_.with([](Data& d) {
    if (d.closed || d.end != End::open) return false;
    d.end = End::abandoned;
    return !std::exchange(d.nudged, true);
  });
  if (wake) nudge();
}

void StreamState::lose() {
  std::function<void()> on_writable, on_closed;  // go outside the lock: the handle in them locks too
  data_.with([&](Data& d) {
    d.closed = true;
    on_writable.swap(d.on_writable);
    on_closed.swap(d.on_closed);
  });
}

StreamState::Taken StreamState::take(std::string& out) {
  return data_.with([&](Data& d) {
    out.append(d.waiting);
    d.waiting.clear();
    d.nudged = false;
    return Taken{d.end, std::exchange(d.full_told, false) && d.end == End::open};
  });
}

void StreamState::tell_writable() {
  // A copy: the callback may end the stream, and with it the original.
  if (const auto on_writable = data_.with([](const Data& d) { return d.on_writable; })) on_writable();
}

void StreamState::end() { close_with(End::finished); }
void StreamState::close() { close_with(End::abandoned); }

void StreamState::close_with(End end) {
  // The callbacks may own the stream's handle: let go of them here, or the two keep each other alive.
  std::function<void()> on_writable, on_closed;
  const bool tell = data_.with([&](Data& d) {
    const bool was_open = !std::exchange(d.closed, true) && d.end == End::open;
    if (d.end == End::open) d.end = end;
    on_writable.swap(d.on_writable);
    on_closed.swap(d.on_closed);
    return was_open;
  });
  if (on_closed && tell) on_closed();
}

}  // namespace siegel::http
