#include "base/time.h"

#include <cstdio>

namespace siegel {
namespace {

bool digits(std::string_view text, std::size_t at, std::size_t count, unsigned& out) {
  if (at + count > text.size()) return false;
  out = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return true;
}

unsigned days_in_month(int year, unsigned month) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

}  // namespace

bool is_valid(const CivilDate& date) noexcept {
  return date.year >= 1 && date.year <= 9999 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
         date.day <= days_in_month(date.year, date.month);
}

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int64_t days_from_civil(const CivilDate& date) noexcept {
  const std::int64_t y = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (date.month + (date.month > 2 ? -3u : 9u)) + 2) / 5 + date.day - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

CivilDate civil_from_days(std::int64_t days) noexcept {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto doe = static_cast<unsigned>(days - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned day = doy - (153 * mp + 2) / 5 + 1;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  return {static_cast<int>(static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2 ? 1 : 0)), month, day};
}

std::string to_iso(const CivilDate& date) {
  char out[32];
  std::snprintf(out, sizeof out, "%04d-%02u-%02u", date.year, date.month, date.day);
  return out;
}

std::optional<CivilDate> parse_iso_date(std::string_view text) {
  unsigned year = 0;
  CivilDate date;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !digits(text, 0, 4, year) ||
      !digits(text, 5, 2, date.month) || !digits(text, 8, 2, date.day))
    return std::nullopt;
  date.year = static_cast<int>(year);
  if (!is_valid(date)) return std::nullopt;
  return date;
}

std::string to_rfc3339(TimeMs time) {
  const auto ms = time.get();
  const auto date = civil_from_days(static_cast<std::int64_t>(ms / 86'400'000));
  const auto of_day = static_cast<unsigned>(ms % 86'400'000);
  char out[48];
  const int n = std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02u:%02u:%02u", date.year, date.month, date.day,
                              of_day / 3'600'000, of_day / 60'000 % 60, of_day / 1000 % 60);
  std::string text(out, static_cast<std::size_t>(n));
  if (of_day % 1000 != 0) {
    std::snprintf(out, sizeof out, ".%03u", of_day % 1000);
    text += out;
  }
  return text + "Z";
}

std::optional<TimeMs> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
  const auto date = parse_iso_date(text.substr(0, 10));
  unsigned hour = 0, minute = 0, second = 0;
  if (!date || text[13] != ':' || text[16] != ':' || !digits(text, 11, 2, hour) || !digits(text, 14, 2, minute) ||
      !digits(text, 17, 2, second) || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  std::size_t at = 19;
  unsigned micros = 0;
  if (text[at] == '.') {
    unsigned count = 0;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++count) {
      if (count == 6) return std::nullopt;
      micros = micros * 10 + static_cast<unsigned>(text[at] - '0');
    }
    if (count == 0) return std::nullopt;
    for (; count < 6; ++count) micros *= 10;
  }
  std::int64_t offset_minutes = 0;
  const auto zone = text.substr(at);
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    unsigned oh = 0, om = 0;
    if (!digits(zone, 1, 2, oh) || !digits(zone, 4, 2, om) || oh > 23 || om > 59) return std::nullopt;
    offset_minutes = static_cast<std::int64_t>(oh * 60 + om) * (zone[0] == '-' ? -1 : 1);
  } else if (zone != "Z" && zone != "z") {
    return std::nullopt;
  }
  const std::int64_t of_day = std::int64_t{hour} * 3600 + std::int64_t{minute} * 60 + second;
  const std::int64_t seconds = days_from_civil(*date) * 86'400 + of_day - offset_minutes * 60;
  if (seconds < 0) return std::nullopt;
  return TimeMs(static_cast<std::uint64_t>(seconds) * 1000 + micros / 1000);
}

}  // namespace siegel
