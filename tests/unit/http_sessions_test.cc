// Sessions of the pages: they end by themselves, and their number has an end.
#include <string>

#include "http/sessions.h"
#include "http/sign_in_limit.h"
#include "support/catch.h"
#include "support/seeded_random.h"

namespace {

using namespace siegel;
using namespace siegel::http;
using std::chrono::seconds;
using test::SeededRandom;

std::string token(char c) { return "sgl_" + std::string(43, c); }
constexpr Sessions::Instant kStart{std::chrono::hours(1)};

}  // namespace

TEST_CASE("a session gives its token until it is idle too long or too old", "[unit][http]") {
  SeededRandom random(1);
  Sessions sessions({seconds(10), seconds(25)}, random);
  const auto cookie = sessions.begin(token('a'), kStart);
  CHECK(cookie.size() == 43);
  CHECK(sessions.token_of(cookie, kStart + seconds(9)) == token('a'));
  CHECK(sessions.token_of(cookie, kStart + seconds(18)) == token('a'));  // its idle time began anew
  CHECK(sessions.token_of(cookie, kStart + seconds(24)) == token('a'));
  CHECK_FALSE(sessions.token_of(cookie, kStart + seconds(25)));
  CHECK(sessions.size() == 0);
  const auto other = sessions.begin(token('b'), kStart);
  CHECK_FALSE(sessions.token_of(other, kStart + seconds(10)));
  CHECK_FALSE(sessions.token_of("", kStart));
  CHECK_FALSE(sessions.token_of(token('a'), kStart));
}

TEST_CASE("signing out ends one session only", "[unit][http]") {
  SeededRandom random(2);
  Sessions sessions({}, random);
  const auto one = sessions.begin(token('a'), kStart);
  const auto two = sessions.begin(token('a'), kStart);
  CHECK(one != two);
  sessions.end(one);
  sessions.end("never was");
  CHECK_FALSE(sessions.token_of(one, kStart));
  CHECK(sessions.token_of(two, kStart));
}

TEST_CASE("the session that was used longest ago makes room", "[unit][http]") {
  SeededRandom random(3);
  SessionOptions options;
  options.sessions_max = 4;
  options.sessions_per_token_max = 2;
  Sessions sessions(options, random);
  const auto a1 = sessions.begin(token('a'), kStart);
  const auto a2 = sessions.begin(token('a'), kStart + seconds(1));
  REQUIRE(sessions.token_of(a1, kStart + seconds(2)));
  const auto a3 = sessions.begin(token('a'), kStart + seconds(3));  // of this token a2 is the oldest
  CHECK_FALSE(sessions.token_of(a2, kStart + seconds(3)));
  const auto b = sessions.begin(token('b'), kStart + seconds(4));
  const auto c = sessions.begin(token('c'), kStart + seconds(5));
  const auto d = sessions.begin(token('d'), kStart + seconds(6));  // the fifth: a1 goes
  CHECK(sessions.size() == 4);
  CHECK_FALSE(sessions.token_of(a1, kStart + seconds(6)));
  for (const auto& cookie : {a3, b, c, d}) CHECK(sessions.token_of(cookie, kStart + seconds(6)));
}

TEST_CASE("of each session that is over it is told once which token was made for it", "[unit][http]") {
  SeededRandom random(4);
  SessionOptions options;
  options.idle = seconds(10);
  options.sessions_per_token_max = 1;
  Sessions sessions(options, random);
  const auto made = [](unsigned char n) { return Sessions::Made{TokenId(Id16{n}), TokenId(Id16{200})}; };
  const auto ended = sessions.begin(token('a'), kStart, made(1));
  const auto plain = sessions.begin(token('b'), kStart);
  CHECK(sessions.take_over(kStart).empty());
  sessions.end(ended);
  sessions.end(ended);
  sessions.end(plain);
  CHECK(sessions.take_over(kStart) == std::vector{made(1)});
  CHECK(sessions.take_over(kStart).empty());
  sessions.put_back(made(1));
  CHECK(sessions.take_over(kStart) == std::vector{made(1)});
  CHECK(sessions.take_over(kStart).empty());
  sessions.begin(token('c'), kStart, made(2));  // left alone
  const auto used = sessions.begin(token('d'), kStart, made(3));
  CHECK(sessions.token_of(used, kStart + seconds(9)));
  CHECK(sessions.take_over(kStart + seconds(10)) == std::vector{made(2)});
  sessions.begin(token('d'), kStart + seconds(10), made(4));  // makes room for itself
  CHECK(sessions.take_over(kStart + seconds(10)) == std::vector{made(3)});
}

TEST_CASE("an address has ten wrong sign-ins a minute", "[unit][http]") {
  SignInLimit limit;
  for (std::uint64_t i = 0; i < SignInLimit::kWrongMax; ++i) CHECK(limit.count_wrong("192.0.2.1", kStart));
  CHECK_FALSE(limit.count_wrong("192.0.2.1", kStart + seconds(59)));
  CHECK_FALSE(limit.count_wrong("::ffff:192.0.2.1", kStart + seconds(59)));  // the same line
  CHECK(limit.count_wrong("192.0.2.2", kStart + seconds(59)));
  CHECK(limit.count_wrong("::ffff:192.0.2.3", kStart + seconds(59)));
  CHECK(limit.count_wrong("192.0.2.1", kStart + seconds(60)));
}

TEST_CASE("a network of IPv6 counts as one address", "[unit][http]") {
  SignInLimit limit;
  for (std::uint64_t i = 0; i < SignInLimit::kWrongMax; ++i)
    CHECK(limit.count_wrong("2001:db8:0:1::" + std::to_string(i), kStart));
  CHECK_FALSE(limit.count_wrong("2001:db8:0:1:ffff::1", kStart));
  CHECK(limit.count_wrong("2001:db8:0:2::1", kStart));
}

TEST_CASE("many addresses at once fill no memory", "[unit][http]") {
  SignInLimit limit;
  for (std::size_t i = 0; i < SignInLimit::kLinesMax; ++i) CHECK(limit.count_wrong(std::to_string(i), kStart));
  CHECK_FALSE(limit.count_wrong("192.0.2.1", kStart));
  CHECK(limit.count_wrong("7", kStart));
  CHECK(limit.count_wrong("192.0.2.1", kStart + seconds(60)));
}
