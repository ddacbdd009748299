#include "ledger/lock_record.h"

#include "base/assert.h"

namespace siegel::ledger {

namespace {

constexpr std::size_t kBytesMax = std::size_t{64} << 10;
constexpr unsigned kMode = 0600;

}  // namespace

Result<std::optional<std::string>> LockRecord::read() {
  auto bytes = files_.read_file(path_, kBytesMax);
  if (bytes) return std::optional(std::string(as_chars(*bytes)));
  if (bytes.error().is("file_missing")) return std::optional<std::string>();
  return Error(std::move(bytes).error());
}

Status LockRecord::write_file(std::string_view note) { return files_.write_file_durably(path_, as_bytes(note), kMode); }

Status LockRecord::write(TreeSize size, std::string_view note) {
  SIEGEL_CHECK(write_file(note));
  state_.with([&](State& state) {
    state.durable = size;
    if (state.newest < size) state.newest = size;
  });
  return Done{};
}

void LockRecord::found(TreeSize size) {
  state_.with([&](State& state) { state.durable = state.newest = size; });
}

void LockRecord::start() {
  SIEGEL_ASSERT(!thread_.joinable());
  thread_ = std::thread([this] { run(); });
}

void LockRecord::tell(TreeSize size, const std::string& note) {
  state_.with([&](State& state) {
    state.newest = size;
    state.note = note;
  });
  state_.notify_all();
}

void LockRecord::stop() {
  if (!thread_.joinable()) return;
  state_.with([](State& state) { state.stopping = true; });
  state_.notify_all();
  thread_.join();
}

bool LockRecord::pause(std::chrono::milliseconds time) {
  return state_.when_for(
      time, [](const State& state) { return state.stopping; }, [](State&, bool stopping) { return !stopping; });
}

void LockRecord::run() {
  for (bool go_on = true; go_on;) {
    State work = state_.when([](const State& state) { return state.stopping || state.newest > state.durable; },
                             [](State& state) { return State(state); });
    if (work.newest <= work.durable) return;  // stopping, and nothing left to do
    const auto written = write_file(work.note);
    state_.with([&](State& state) {
      if (written) {
        state.durable = work.newest;
      } else {
        ++state.failures;
      }
    });
    go_on = pause(written ? kPause : kRetry) || !work.stopping;  // told to stop: once more
  }
}

TreeSize LockRecord::durable() const {
  return state_.with([](const State& state) { return state.durable; });
}

std::uint64_t LockRecord::failures() const {
  return state_.with([](const State& state) { return state.failures; });
}

}  // namespace siegel::ledger
