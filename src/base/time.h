// Time as the ledger counts it: milliseconds since 1970-01-01T00:00:00Z, and civil dates (proleptic Gregorian).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong.h"

namespace siegel {

using TimeMs = Strong<struct TimeMsTag, std::uint64_t, Log::ok>;  // an operator's claim, never decreasing in a ledger

struct CivilDate {
  int year = 1970;
  unsigned month = 1;
  unsigned day = 1;
  auto operator<=>(const CivilDate&) const = default;
};

bool is_valid(const CivilDate& date) noexcept;                 // year 1..9999
std::int64_t days_from_civil(const CivilDate& date) noexcept;  // days since 1970-01-01
CivilDate civil_from_days(std::int64_t days) noexcept;
std::string to_iso(const CivilDate& date);  // 2025-12-31
std::optional<CivilDate> parse_iso_date(std::string_view text);

// RFC 3339 in UTC with 'Z'; milliseconds only where they are not zero.
std::string to_rfc3339(TimeMs time);
// Any RFC 3339 date-time with offset, fraction of 0 to 6 digits; years 1970 to 9999.
std::optional<TimeMs> parse_rfc3339(std::string_view text);

}  // namespace siegel
