#include "decide/erased_identities.h"

#include <utility>

namespace siegel::decide {

ErasedIdentities::Watch::Watch(std::shared_ptr<Guarded<State>> state) : state_(std::move(state)) {
  since_ = state_->with([](State& s) { return *s.watches.insert(s.erasures); });
}

ErasedIdentities::Watch::~Watch() {
  state_->with([&](State& s) {
    s.watches.erase(s.watches.find(since_));
    if (s.watches.empty()) return s.keys.clear();
    std::erase_if(s.keys, [&](const auto& one) { return one.second <= *s.watches.begin(); });  // nobody asks for it
  });
}

bool ErasedIdentities::Watch::erased(const IdentityKey& key) const {
  return state_->with([&](const State& s) {
    const auto it = s.keys.find(key);
    return it != s.keys.end() && it->second > since_;
  });
}

bool ErasedIdentities::is_watched() const {
  return state_->with([](const State& s) { return !s.watches.empty(); });
}

void ErasedIdentities::note(std::span<const IdentityKey> keys) {
  state_->with([&](State& s) {
    ++s.erasures;
    if (s.watches.empty()) return;
    for (const auto& key : keys) s.keys[key] = s.erasures;
  });
}

}  // namespace siegel::decide
