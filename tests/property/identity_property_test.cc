// The identity index against a model: random histories of few people who share few identities, so that people come,
// share, leave one of two records and go, and numbers of keys are given again.
#include <map>
#include <random>

#include "crypto/random.h"
#include "decide/identity.h"
#include "support/catch.h"

using namespace siegel;
using namespace siegel::decide;

namespace {

SubjectId subject(std::uint8_t number) {
  Id16 id{};
  id[15] = number;
  return SubjectId(id);
}

}  // namespace

TEST_CASE("the identity index says what counting says, whatever came before", "[property][decide]") {
  const auto seed = GENERATE(range(0u, 8u));
  CAPTURE(seed);
  std::mt19937 rng{seed};
  SystemRandom random;
  IdentityIndex index(random);
  const std::size_t identities = seed % 2 == 0 ? 12 : 5000;  // the table grows, or its places are used again and again
  std::map<std::size_t, std::map<std::uint8_t, int>> records;
  const auto key_of = [&](std::size_t identity) { return index.key("crm", std::to_string(identity)); };

  for (int step = 0; step < 30'000; ++step) {
    const auto identity = rng() % identities;
    const auto who = static_cast<std::uint8_t>(rng() % 4);
    auto& counts = records[identity];
    switch (rng() % 8) {
      case 0:  // erased: of several identities at once
        index.forget(std::array{key_of(identity), key_of((identity + 1) % identities)}, subject(who));
        counts.erase(who);
        records[(identity + 1) % identities].erase(who);
        break;
      case 1:
      case 2:
      case 3:
        if (!counts.contains(who)) break;
        index.take(key_of(identity), subject(who));
        if (--counts[who] == 0) counts.erase(who);
        break;
      default:
        index.add(key_of(identity), subject(who));
        ++counts[who];
    }
    const auto looked = rng() % 2 == 0 ? identity : rng() % identities;
    const auto& expected = records[looked];
    const auto found = index.find(key_of(looked));
    if (found.ambiguous != (expected.size() > 1)) FAIL("step " << step);
    if (found.subject != (expected.size() == 1 ? std::optional(subject(expected.begin()->first)) : std::nullopt))
      FAIL("step " << step);
  }
  CHECK(index.size() == static_cast<std::size_t>(
                            std::ranges::count_if(records, [](const auto& entry) { return !entry.second.empty(); })));
}
