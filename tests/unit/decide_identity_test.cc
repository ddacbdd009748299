// The identity index while it loads: rows are opened by one thread, and erasures decided by another one meanwhile.
#include "crypto/random.h"
#include "decide/identity.h"
#include "support/catch.h"

using namespace siegel;
using namespace siegel::decide;

TEST_CASE("ER-04 who is erased between the opening of a row and its adding does not stay known",
          "[unit][decide][ER-04]") {
  SystemRandom random;
  const Merges merges;
  IdentityIndex index(random, merges);
  const SubjectId anna(Id16{1}), other(Id16{2});
  const auto key = index.key("crm", "1");
  const auto erase = [&] { index.forget({&key, 1}, anna); };
  const auto lives = [] { return true; };
  const auto dead = [] { return false; };
  SECTION("before the adding") {
    erase();
    index.load(key, anna, dead);
  }
  SECTION("after the adding, before the look at the keys") {
    index.load(key, anna, [&] {
      erase();
      return false;
    });
  }
  SECTION("after the look") {
    index.load(key, anna, lives);
    erase();
  }
  SECTION("fenced at the look, and taken back after it") {
    index.load(key, anna, dead);
    erase();
  }
  SECTION("of two rows") {
    index.load(key, anna, lives);
    erase();
    index.load(key, anna, dead);
  }
  CHECK_FALSE(index.find(key).subject);
  index.load(key, other, lives);
  index.set_loaded();
  CHECK(index.find(key).subject == other);
}

TEST_CASE("ER-04 an erasure of one class takes back its own row from an index that loads, and no other",
          "[unit][decide][ER-04]") {
  SystemRandom random;
  const Merges merges;
  IdentityIndex index(random, merges);
  const SubjectId anna(Id16{1});
  const auto key = index.key("crm", "1");
  const auto lives = [] { return true; };
  const auto dead = [] { return false; };
  const bool has_another = GENERATE(false, true);  // of a class that stays
  if (has_another) index.load(key, anna, lives);
  SECTION("before the adding") {
    index.take(key, anna);
    index.load(key, anna, dead);
  }
  SECTION("after it") {
    index.load(key, anna, dead);
    index.take(key, anna);
  }
  CHECK(index.find(key).subject.has_value() == has_another);
  // What had died before its row was opened is not waited for.
  index.load(key, anna, dead);
  CHECK(index.find(key).subject == anna);
}
