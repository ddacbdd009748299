// Who was erased while somebody holds a file: what stands in the file must not bring the person back. Keyed hashes
// only, and only as long as a file is held. Threads: all from any thread; the writer notes, so that whatever it decides
// later sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>

#include "base/guarded.h"
#include "decide/identity.h"

namespace siegel::decide {

class ErasedIdentities {
  struct State {
    std::uint64_t erasures = 0;
    std::multiset<std::uint64_t> watches;                           // since which erasure
    std::unordered_map<IdentityKey, std::uint64_t, IdHash> keys{};  // by which erasure; none without a watch
  };

 public:
  class Watch {
   public:
    explicit Watch(std::shared_ptr<Guarded<State>> state);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    [[nodiscard]] bool erased(const IdentityKey& key) const;  // since the watch began

   private:
    std::shared_ptr<Guarded<State>> state_;
    std::uint64_t since_;
  };

  [[nodiscard]] std::shared_ptr<const Watch> watch() { return std::make_shared<const Watch>(state_); }
  [[nodiscard]] bool is_watched() const;
  void note(std::span<const IdentityKey> keys);

 private:
  std::shared_ptr<Guarded<State>> state_ = std::make_shared<Guarded<State>>();
};

}  // namespace siegel::decide
