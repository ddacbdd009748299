#include "vault/leaf_pool.h"

#include <algorithm>
#include <span>

#include "base/assert.h"

namespace siegel::vault {
namespace {

constexpr std::size_t kGrowthMax = 16;
constexpr std::uint32_t kNodesPerBatchMax = 1024;

std::uint32_t node_of(std::uint32_t slot) { return slot / kFanOut; }
std::uint32_t node_of(Slot slot) { return static_cast<std::uint32_t>(slot.get() / kFanOut); }

Error closed_error() { return Error(Errc::unavailable, "closing", "The vault is being closed."); }

Error hanging_error() {
  return Error(Errc::unavailable, "keys_replica_unavailable",
               "The keys store or a required copy of it does not answer.");
}

}  // namespace

std::optional<Slot> LeafPool::draw(State& state) {
  while (!state.free.empty()) {
    ByteArray<8> bytes;
    random_.fill(bytes);
    const auto at = static_cast<std::size_t>(get_be<std::uint64_t>(bytes.data()) % state.free.size());
    const auto slot = std::exchange(state.free[at], state.free.back());
    state.free.pop_back();
    if (!state.blocked.contains(node_of(slot))) return Slot(slot);
    state.aside.push_back(slot);
  }
  return std::nullopt;
}

Result<Slot> LeafPool::take() {
  const auto give_up = std::chrono::steady_clock::now() + take_wait_max_;
  for (;;) {
    std::optional<Slot> slot;
    bool wake = false;
    const auto error = state_.with([&](State& s) -> std::optional<Error> {
      if (s.closed) return closed_error();
      slot = draw(s);
      wake = wanted(s) > 0;
      if (slot) return std::nullopt;
      if (!s.failure) s.ahead = std::min(s.ahead * 2, spare_ * kGrowthMax);
      return s.failure;
    });
    if (wake) state_.notify_all();
    if (slot) return *slot;
    if (error) return Error(*error);
    state_.when_for(
        give_up - std::chrono::steady_clock::now(),
        [](const State& s) { return s.closed || s.failure || !s.free.empty(); },
        [](State& s, bool ready) {
          if (!ready) s.failure = hanging_error();
        });
  }
}

void LeafPool::add(std::uint32_t first_node, std::uint32_t nodes) {
  state_.with([&](State& s) {
    s.failure.reset();
    for (std::uint32_t slot = first_node * kFanOut; slot < (first_node + nodes) * kFanOut; ++slot)
      s.free.push_back(slot);
  });
  state_.notify_all();
}

void LeafPool::fail(Error error) {
  state_.with([&](State& s) { s.failure = std::move(error); });
  state_.notify_all();
}

void LeafPool::block(std::span<const Slot> slots) {
  state_.with([&](State& s) {
    for (const auto slot : slots) ++s.blocked[node_of(slot)];
  });
}

void LeafPool::unblock(std::span<const Slot> slots) {
  state_.with([&](State& s) {
    for (const auto slot : slots) {
      const auto at = s.blocked.find(node_of(slot));
      if (at != s.blocked.end() && --at->second == 0) s.blocked.erase(at);
    }
    const auto free = std::partition(s.aside.begin(), s.aside.end(),
                                     [&](std::uint32_t slot) { return s.blocked.contains(node_of(slot)); });
    s.free.insert(s.free.end(), free, s.aside.end());
    s.aside.erase(free, s.aside.end());
  });
  state_.notify_all();
}

std::uint32_t LeafPool::wanted(const State& state) {
  if (state.free.size() >= state.ahead) return 0;
  const auto missing = state.ahead * 2 - state.free.size();
  return static_cast<std::uint32_t>(std::min<std::size_t>((missing + kFanOut - 1) / kFanOut, kNodesPerBatchMax));
}

std::uint32_t LeafPool::wait_wanted(std::chrono::milliseconds longest) {
  return state_.when_for(
      longest, [](const State& s) { return s.closed || (!s.failure && wanted(s) > 0); },
      [](State& s, bool) { return s.closed ? 0 : wanted(s); });
}

void LeafPool::close() {
  state_.with([](State& s) { s.closed = true; });
  state_.notify_all();
}

bool LeafPool::closed() const {
  return state_.with([](const State& s) { return s.closed; });
}

std::size_t LeafPool::size() const {
  return state_.with([](const State& s) { return s.free.size(); });
}

}  // namespace siegel::vault
