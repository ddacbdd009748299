#include "base/bytes.h"
#include "base/error.h"
#include "base/personal.h"
#include "base/text.h"
#include "base/time.h"
#include "support/catch.h"

using namespace siegel;

static_assert(!Loggable<Personal<std::string>>);
static_assert(!std::equality_comparable<Personal<std::string>>);
static_assert(!std::convertible_to<Personal<std::string>, std::string>);

TEST_CASE("base64 has one spelling per value", "[unit][base]") {
  for (std::size_t n = 0; n < 70; ++n) {
    Bytes bytes;
    for (std::size_t i = 0; i < n; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 37 + n));
    CHECK(from_base64(to_base64(bytes)) == bytes);
    CHECK(from_base64url(to_base64url(bytes)) == bytes);
    CHECK(from_hex(to_hex(bytes)) == bytes);
  }
  CHECK(to_base64(as_bytes("foob")) == "Zm9vYg==");
  CHECK_FALSE(from_base64("Zm9vYh=="));  // stray bits
  CHECK_FALSE(from_base64("Zm9vYg"));    // padding is missing
  CHECK_FALSE(from_base64("Zm9v Yg="));
  CHECK_FALSE(from_base64url("Zm9vYg=="));
}

TEST_CASE("times and dates go there and back", "[unit][base]") {
  CHECK(to_rfc3339(TimeMs(0)) == "1970-01-01T00:00:00Z");
  CHECK(parse_rfc3339("2025-12-31T23:59:59.5+01:00") == TimeMs(1767221999500));
  CHECK(to_rfc3339(TimeMs(1767221999500)) == "2025-12-31T22:59:59.500Z");
  CHECK_FALSE(parse_rfc3339("2025-02-29T00:00:00Z"));
  CHECK_FALSE(parse_rfc3339("2025-02-28T00:00:00"));
  CHECK_FALSE(parse_rfc3339("2025-02-28T00:00:00.1234567Z"));
  CHECK(parse_iso_date("2024-02-29"));
  CHECK_FALSE(parse_iso_date("2024-2-29"));
  for (std::int64_t day = -300000; day < 300000; day += 97) CHECK(days_from_civil(civil_from_days(day)) == day);
}

TEST_CASE("text checks", "[unit][base]") {
  CHECK(is_utf8("Änne Müller"));
  CHECK_FALSE(is_utf8("\xC0\xAF"));
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));
  CHECK_FALSE(is_utf8("\xE2\x82"));
  CHECK(is_name("e-mail"));
  CHECK_FALSE(is_name("E-Mail"));
  CHECK_FALSE(is_name("-x"));
  CHECK(parse_u64("18446744073709551615"));
  CHECK_FALSE(parse_u64("18446744073709551616"));
  CHECK_FALSE(parse_u64("007"));
}

TEST_CASE("an error carries a stable code and safe context", "[unit][base]") {
  const Error error = Error(Errc::invalid, "too_large", "The batch is too large").with("limit", 7);
  CHECK(error.text() == "The batch is too large (limit=7)");
  CHECK(error.is("too_large"));
}
