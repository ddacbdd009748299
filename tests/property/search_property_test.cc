// The index against a model that looks through everything: random histories of records over few letters, so that keys
// share, repeat and meet by umlauts; every answer is compared, also from pages.
#include <map>
#include <random>

#include "search/index.h"
#include "support/catch.h"

using namespace siegel;
using namespace siegel::search;

namespace {

constexpr TypeNo kType{1};
constexpr FieldNo kFields[] = {FieldNo(1), FieldNo(2), FieldNo(5)};
bool has_words(FieldNo field) { return field != kFields[1]; }
using Rng = std::mt19937;

std::size_t below(Rng& rng, std::size_t bound) { return rng() % bound; }

std::string text(Rng& rng, std::size_t size_max) {
  static const std::string_view kLetters[] = {"a", "e", "u", "ä", "ü", "m", "Ä", " ", "ß", "é", "0"};
  std::string out;
  for (auto size = below(rng, size_max + 1); size > 0; --size) out += kLetters[below(rng, std::size(kLetters))];
  return out;
}

struct Model {
  std::map<std::uint64_t, std::map<FieldNo, std::vector<std::string>>> records;  // folds

  std::vector<std::uint64_t> find(const std::vector<Condition>& conditions, std::uint64_t after, std::size_t limit) {
    std::vector<std::uint64_t> out;
    for (auto& [number, fields] : records) {
      if (number <= after || out.size() == limit) continue;
      const auto fits = [&fields = fields](const Condition& condition) {
        for (const auto& key : fields[condition.field])
          if (meets(view(condition.wanted), condition.op, key, has_words(condition.field))) return true;
        return false;
      };
      if (std::all_of(conditions.begin(), conditions.end(), fits)) out.push_back(number);
    }
    return out;
  }
};

RecordId record(std::uint64_t number) {
  Id16 id{};
  const auto high = be(number);
  const auto low = be(number * 0x9E3779B97F4A7C15u);  // as the random bytes of an id
  std::copy(high.begin(), high.end(), id.begin());
  std::copy(low.begin(), low.end(), id.begin() + 8);
  return RecordId(id);
}

Change random_change(Rng& rng, Model& model, std::uint64_t records) {
  const auto number = 1 + below(rng, records);
  Change out{record(number), below(rng, 6) == 0, {}};
  auto& fields = model.records[number];
  if (out.whole) fields.clear();
  if (out.whole && below(rng, 2) == 0) {
    model.records.erase(number);
    return out;
  }
  for (const auto field : kFields) {
    if (below(rng, 3) == 0) continue;
    fields[field].clear();
    out.values.push_back({field, {}});
    for (auto count = below(rng, 8) == 0 ? 3 : 1; count > 0; --count) {
      auto key = fold(FieldType::text, text(rng, below(rng, 9) == 0 ? 60 : 6));
      if (!key.empty()) fields[field].emplace_back(view(key));
      out.values.push_back({field, std::move(key)});
    }
  }
  return out;
}

void compare(Rng& rng, const Index& index, Model& model, std::uint64_t records) {
  std::vector<Condition> conditions;
  for (const auto field : kFields)
    if (below(rng, 2) == 0)
      if (auto key = fold(FieldType::text, below(rng, 3) == 0 ? "uem" : text(rng, 4)); !key.empty())
        conditions.push_back({field, static_cast<Op>(below(rng, 3)), std::move(key)});
  if (conditions.empty()) return;
  const auto after = below(rng, records);
  const auto limit = 1 + below(rng, 20);
  std::vector<RecordId> expected;
  for (const auto number : model.find(conditions, after, limit)) expected.push_back(record(number));
  CHECK(index.find(kType, conditions, record(after), limit) == expected);
}

}  // namespace

TEST_CASE("the index finds what a look through everything finds, whatever came before", "[property][search]") {
  const auto seed = GENERATE(range(0u, 12u));
  CAPTURE(seed);
  Rng rng{seed};
  Index index;
  std::vector<Index::Field> defined;
  for (const auto field : kFields) defined.push_back({field, has_words(field)});
  index.define(kType, defined);
  if (seed % 2 == 0) index.pack(kType);  // else it loads at first
  Model model;
  const std::uint64_t records = seed % 3 == 0 ? 40 : 3000;
  if (seed % 3 == 1) {  // one value that more have than are gathered one by one
    std::vector<Change> changes;
    for (std::uint64_t number = 1; number <= records; ++number) {
      changes.push_back({record(number), true, {}});
      for (const auto field : kFields) {
        auto key = fold(FieldType::text, field == kFields[2] ? "Um" : text(rng, 6) + "m");
        model.records[number][field] = {std::string(view(key))};
        changes.back().values.push_back({field, std::move(key)});
      }
    }
    index.change(kType, std::move(changes));
  }
  for (int step = 0; step < 30; ++step) {
    std::vector<Change> changes;
    for (auto count = below(rng, 300); count > 0; --count) changes.push_back(random_change(rng, model, records));
    index.change(kType, std::move(changes));
    if (below(rng, 15) == 0) index.pack(kType);
    for (int look = 0; look < 8; ++look) compare(rng, index, model, records);
  }
}

TEST_CASE("a fold of a fold is the same, and every text meets itself and its beginnings", "[property][search]") {
  Rng rng{7};
  for (int i = 0; i < 5'000; ++i) {
    const auto key = fold(FieldType::text, text(rng, 12));
    CHECK(fold(FieldType::text, view(key)) == key);
    CHECK(meets(view(key), Op::exact, view(key)));
    CHECK(meets(view(key).substr(0, below(rng, key.size() + 1)), Op::prefix, view(key)));
  }
}
