#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "vault/root_slot.h"
#include "vault/root_store.h"

namespace siegel::vault {
namespace {

class MirrorRootStore final : public RootStore {
 public:
  explicit MirrorRootStore(std::vector<std::unique_ptr<RootStore>> members) : members_(std::move(members)) {
    SIEGEL_ASSERT(!members_.empty());
  }

  Result<std::vector<RootEntry>> read() override {
    std::vector<RootEntry> out;
    std::optional<Error> first_error;
    for (const auto& member : members_) {
      auto entries = member->read();
      if (!entries) {
        if (!first_error) first_error = std::move(entries).error();
        continue;
      }
      for (auto& entry : *entries) SIEGEL_CHECK(merge(out, std::move(entry)));
    }
    if (out.empty() && first_error) return Error(std::move(*first_error));
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
    return out;
  }

  Status create(const RootEntry& first) override {
    for (const auto& member : members_) {  // none is made if one is there
      const auto there = member->read();
      if (there || !there.error().is("root_store_missing")) {
        return Error(Errc::conflict, "exists", "There is a root store already.");
      }
    }
    for (const auto& member : members_) SIEGEL_CHECK(member->create(first));
    return Done{};
  }

  Status prepare(const RootEntry& next) override {
    return all([&](RootStore& member) { return member.prepare(next); });
  }

  Status commit(const RootEntry& next) override {
    return all([&](RootStore& member) { return member.commit(next); });
  }

  Status abort(Epoch next) override {
    return all([&](RootStore& member) { return member.abort(next); });
  }

  Healed heal(const RootEntry& living) override {
    Healed sum;
    for (const auto& member : members_) {
      const auto one = member->heal(living);
      sum.healed = static_cast<std::uint16_t>(sum.healed + one.healed);
      sum.away.insert(sum.away.end(), one.away.begin(), one.away.end());
      sum.other = static_cast<std::uint16_t>(sum.other + one.other);
    }
    return sum;
  }

  unsigned grade() const override {
    return (*std::min_element(members_.begin(), members_.end(),
                              [](const auto& a, const auto& b) { return a->grade() < b->grade(); }))
        ->grade();
  }
  std::uint16_t members() const override {
    std::uint16_t sum = 0;
    for (const auto& member : members_) sum = static_cast<std::uint16_t>(sum + member->members());
    return sum;
  }
  std::string kind() const override { return members_.front()->kind(); }

 private:
  static Status merge(std::vector<RootEntry>& into, RootEntry entry) {
    for (const auto& other : into) {
      if (other.ledger != entry.ledger || other.tree != entry.tree) {
        return Error(Errc::corrupt, "other_ledger", "The root stores belong to different ledgers.");
      }
      if (same(other, entry)) return Done{};
    }
    into.push_back(std::move(entry));
    return Done{};
  }

  // Every member is tried, also after one has failed: the more of them destroy the old key, the better.
  template <class Call>
  Status all(Call&& call) {
    std::size_t reached = 0;
    std::optional<Error> order;
    for (const auto& member : members_) {
      auto done = call(*member);
      if (done) {
        ++reached;
      } else if (done.error().is("root_order")) {
        order = std::move(done).error();
      }
    }
    if (reached == members_.size()) return Done{};
    if (order) return Error(std::move(*order));
    return Error(Errc::unavailable, "root_store_unavailable", "Not every root store answers.")
        .with("members_reached", reached)
        .with("members", members_.size());
  }

  std::vector<std::unique_ptr<RootStore>> members_;
};

}  // namespace

std::unique_ptr<RootStore> mirror(std::vector<std::unique_ptr<RootStore>> members) {
  return std::make_unique<MirrorRootStore>(std::move(members));
}

}  // namespace siegel::vault
