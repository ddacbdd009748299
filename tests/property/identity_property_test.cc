// The identity index against a model: random histories of few people who share few identities, so that people come,
// share, leave one of two records and go, and numbers of keys are given again.
#include <atomic>
#include <map>
#include <random>
#include <thread>

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
  const Merges merges;
  IdentityIndex index(random, merges);
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

// While the index loads, its thread adds what the decisions of others take.
TEST_CASE("a person who is added while another record of hers goes stays known", "[property][decide]") {
  SystemRandom random;
  const Merges merges;
  IdentityIndex index(random, merges);
  constexpr int kRounds = 100'000;
  const auto key_of = [&](int round) { return index.key("crm", std::to_string(round)); };
  for (int round = 0; round < kRounds; ++round) index.add(key_of(round), subject(1));
  std::atomic<int> taken{0};
  std::thread loads([&] {
    for (int round = 0; round < kRounds; ++round) {
      const auto key = key_of(round);
      while (taken < round) continue;
      index.add(key, subject(1));
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    const auto key = key_of(round);
    taken = round;
    index.take(key, subject(1));
  }
  loads.join();
  for (int round = 0; round < kRounds; ++round)
    if (index.find(key_of(round)).subject != subject(1)) FAIL("round " << round);
}

// Ids that hash to the last places of the table, so that their runs go over its end and on at its beginning.
TEST_CASE("a table of ids keeps runs that go over its end", "[property][model]") {
  const auto seed = GENERATE(range(0u, 8u));
  CAPTURE(seed);
  std::mt19937 rng{seed};
  IdTable<SubjectId> table;
  std::map<int, std::uint32_t> known;
  std::vector<SubjectId> ids;
  for (std::uint8_t n = 0; n < 40; ++n) {
    Id16 id{};
    id[0] = n;
    id[14] = 0xFF;
    id[15] = static_cast<std::uint8_t>(0xFA + n % 6);  // the last six places of 2^16, and of any fewer
    ids.emplace_back(id);
  }
  for (int step = 0; step < 4'000; ++step) {
    const auto n = static_cast<int>(rng() % ids.size());
    const auto it = known.find(n);
    if (it == known.end()) {
      known[n] = table.add(ids[static_cast<std::size_t>(n)]);
    } else if (rng() % 2 == 0) {
      table.remove(it->second);
      known.erase(it);
    }
    for (int i = 0; i < static_cast<int>(ids.size()); ++i) {
      const auto found = table.find(ids[static_cast<std::size_t>(i)]);
      const auto wanted = known.find(i);
      if (found.has_value() != (wanted != known.end()) || (found && *found != wanted->second)) FAIL("step " << step);
    }
  }
  CHECK(table.size() == known.size());
}
