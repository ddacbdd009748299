#include "search/order.h"

#include <algorithm>
#include <random>

#include "support/catch.h"

using namespace siegel;
using search::Order;

namespace {

// Shuffled and sorted again, the values stand as they are given; each has a key of its own unless it is said to be
// equal.
void check_order(FieldType type, const std::vector<std::string>& ascending) {
  const Order order(type);
  std::vector<std::size_t> at(ascending.size());
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = i;
  std::mt19937 random(7);
  std::shuffle(at.begin(), at.end(), random);
  const auto key = [&](std::size_t i) { return order.key(Value(ascending[i])); };
  std::ranges::sort(at, [&](auto one, auto other) { return search::view(key(one)) < search::view(key(other)); });
  for (std::size_t i = 0; i < at.size(); ++i) {
    CAPTURE(ascending[i], ascending[at[i]]);
    CHECK(at[i] == i);
  }
}

}  // namespace

TEST_CASE("words stand as in a dictionary", "[unit][search]") {
  check_order(FieldType::text, {"Aal", "Ärger", "Arm", "arm und reich", "Müller", "Muller B", "Mustafa", "Österreich",
                                "Otto", "Straße", "Zebra", "Žižek"});
  check_order(FieldType::email, {"anna@example.org", "Bert@example.org", "zoe@example.org"});
}

TEST_CASE("numbers stand by their size, however they are written", "[unit][search]") {
  check_order(FieldType::decimal,
              {"-12345678901234567890123456789012345678", "-100", "-99.5", "-1.55", "-1.5", "-1", "-0.5", "-0.05", "0",
               "0.05", "0.5", "1", "1.05", "1.5", "9", "10", "99.99", "100", "12345678901234567890123456789012345678"});
  check_order(FieldType::integer, {"-20", "-3", "0", "3", "20", "100"});
  const Order order(FieldType::decimal);
  CHECK(search::view(order.key(Value(std::string("1.50")))) == search::view(order.key(Value(std::string("1.5")))));
  CHECK(search::view(order.key(Value(std::string("0.00")))) == search::view(order.key(Value(std::string("0")))));
}

TEST_CASE("numbers in a random order agree with what a double makes of them", "[unit][search]") {
  const Order order(FieldType::decimal);
  std::mt19937 random(11);
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    const auto cents = static_cast<int>(random() % 2'000'001) - 1'000'000;
    auto text = std::to_string(std::abs(cents) / 100) + "." + std::to_string(100 + std::abs(cents) % 100).substr(1);
    texts.push_back((cents < 0 ? "-" : "") + text);
  }
  for (const auto& one : texts)
    for (const auto& other : texts) {
      const bool less = search::view(order.key(Value(one))) < search::view(order.key(Value(other)));
      if (less != (std::stod(one) < std::stod(other))) FAIL_CHECK(one << " and " << other);
    }
}

TEST_CASE("dates stand by time, and nothing has no key", "[unit][search]") {
  check_order(FieldType::date, {"0999-12-31", "1999-12-31", "2000-01-01", "2026-11-30"});
  check_order(FieldType::datetime,
              {"2026-11-30T09:59:59.999Z", "2026-11-30T10:00:00Z", "2026-11-30T10:00:00.500Z", "2026-11-30T10:00:01Z"});
  CHECK(Order(FieldType::text).key(Value(Null{})).empty());
  CHECK(Order(FieldType::multichoice).key(Value(std::vector<std::string>{})).empty());
  CHECK_FALSE(Order(FieldType::multichoice).key(Value(std::vector<std::string>{"eins", "zwei"})).empty());
}
