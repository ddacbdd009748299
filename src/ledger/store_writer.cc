#include "ledger/store_writer.h"

#include "base/assert.h"

namespace siegel::ledger {

Written write_synced(Store& store, const Batch& batch) {
  const auto begin = std::chrono::steady_clock::now();
  auto status = store.write(batch, Sync::yes);
  return {std::move(status), std::chrono::steady_clock::now() - begin};
}

StoreWriter::~StoreWriter() {
  if (!thread_.joinable()) return;
  state_.with([](State& state) { state.stopping = true; });
  state_.notify_all();
  thread_.join();
}

void StoreWriter::begin(const Batch& batch) {
  state_.with([&](State& state) {
    SIEGEL_ASSERT(!state.batch && !state.written);
    state.batch = &batch;
  });
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  state_.notify_all();
}

Written StoreWriter::finish() {
  return state_.when([](const State& state) { return state.written.has_value(); },
                     [](State& state) {
                       auto written = std::move(*state.written);
                       state.written.reset();
                       return written;
                     });
}

void StoreWriter::run() {
  for (;;) {
    const auto* batch = state_.when([](const State& state) { return state.batch || state.stopping; },
                                    [](State& state) { return state.batch; });
    if (!batch) return;
    auto written = write_synced(store_, *batch);
    state_.with([&](State& state) {
      state.batch = nullptr;
      state.written.emplace(std::move(written));
    });
    state_.notify_all();
  }
}

}  // namespace siegel::ledger
