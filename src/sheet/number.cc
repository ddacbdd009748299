#include "sheet/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/time.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kPlainMax = 400;  // the smallest double has 1074 decimals, of which 17 digits mean something

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// digits x 10^-decimals
struct Decimal {
  std::string digits;
  std::int64_t decimals = 0;
  bool negative = false;
  bool plain_whole = true;  // written without point and exponent
};

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal out;
  out.negative = text.starts_with('-');
  if (out.negative || text.starts_with('+')) text.remove_prefix(1);
  auto at = digits_at(text, 0);
  out.digits = text.substr(0, at);
  if (at < text.size() && text[at] == '.') {
    const auto count = digits_at(text, at + 1);
    out.digits += text.substr(at + 1, count);
    out.decimals = static_cast<std::int64_t>(count);
    out.plain_whole = false;
    at += 1 + count;
  }
  if (out.digits.empty()) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    auto power = text.substr(at + 1);
    if (power.starts_with('+') && !power.starts_with("+-")) power.remove_prefix(1);
    int exponent = 0;
    const auto [end, failed] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (failed != std::errc() || end != power.data() + power.size() || std::abs(exponent) > 100'000)
      return std::nullopt;
    out.decimals -= exponent;
    out.plain_whole = false;
    at = text.size();
  }
  if (at != text.size()) return std::nullopt;
  return out;
}

std::optional<std::string> spell(Decimal number) {
  auto& digits = number.digits;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return "0";
  while (digits.back() == '0' && number.decimals > 0) {
    digits.pop_back();
    --number.decimals;
  }
  if (std::abs(number.decimals) + static_cast<std::int64_t>(digits.size()) > static_cast<std::int64_t>(kPlainMax))
    return std::nullopt;
  if (number.decimals <= 0) {
    digits.append(static_cast<std::size_t>(-number.decimals), '0');
  } else {
    const auto decimals = static_cast<std::size_t>(number.decimals);
    if (digits.size() <= decimals) digits.insert(0, decimals - digits.size() + 1, '0');
    digits.insert(digits.size() - decimals, 1, '.');
  }
  return number.negative ? "-" + digits : std::move(digits);
}

std::string two_digits(std::uint64_t value) {
  auto out = std::to_string(value);
  return out.size() < 2 ? "0" + out : out;
}

constexpr std::int64_t kDayMs = 86'400'000;

// 23:59:59, hours beyond 24 too, with the fraction that there is.
std::string clock_text(std::int64_t milliseconds) {
  const auto ms = static_cast<std::uint64_t>(milliseconds);
  auto out = two_digits(ms / 3'600'000) + ":" + two_digits(ms / 60'000 % 60) + ":" + two_digits(ms / 1000 % 60);
  if (const auto rest = ms % 1000; rest != 0) {
    auto fraction = std::to_string(1000 + rest).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
  return out;
}

struct Serial {
  std::int64_t day = 0;
  std::int64_t ms = 0;  // of the day
};

std::optional<Serial> parse_serial(std::string_view number) {
  double value = 0;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (failed != std::errc() || end != number.data() + number.size()) return std::nullopt;
  if (!(value >= 0) || value > 3'000'000) return std::nullopt;  // beyond the year 9999
  const double day = std::floor(value);
  Serial out{static_cast<std::int64_t>(day), std::llround((value - day) * static_cast<double>(kDayMs))};
  if (out.ms == kDayMs) out = {out.day + 1, 0};
  return out;
}

std::optional<std::string> day_text(std::int64_t day, Epoch epoch) {
  constexpr std::int64_t kLeapBugDay = 60;
  if (epoch == Epoch::year_1900 && day == kLeapBugDay) return "1900-02-29";
  static const auto kFirst1900 = days_from_civil({1899, 12, 30});  // of the days after the one that never was
  static const auto kFirst1904 = days_from_civil({1904, 1, 1});
  if (epoch == Epoch::year_1900 && day == 0) return std::nullopt;
  const auto before_bug = epoch == Epoch::year_1900 && day < kLeapBugDay ? 1 : 0;
  const auto date = civil_from_days((epoch == Epoch::year_1900 ? kFirst1900 : kFirst1904) + day + before_bug);
  if (!is_valid(date)) return std::nullopt;
  return to_iso(date);
}

// The first section of a format code without what is literal: text in quotes, escaped characters, fillers, colours and
// conditions. An elapsed unit ([h]) becomes its letter in upper case. Lower case otherwise.
std::string letters_of_format(std::string_view code) {
  std::string out;
  for (std::size_t i = 0; i < code.size() && code[i] != ';'; ++i) {
    const char c = code[i];
    if (c == '"') {
      i = std::min(code.find('"', i + 1), code.size() - 1);
    } else if (c == '\\' || c == '_' || c == '*') {
      ++i;
    } else if (c == '[') {
      const auto close = std::min(code.find(']', i), code.size());
      const auto inner = code.substr(i + 1, close - i - 1);
      const bool elapsed = !inner.empty() && std::ranges::all_of(inner, [&](char x) {
        return (x | 0x20) == (inner[0] | 0x20) && std::string_view("hmsHMS").find(x) != std::string_view::npos;
      });
      if (elapsed) out += static_cast<char>((inner[0] | 0x20) - 'a' + 'A');
      i = close;
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

// "m" is minutes after hours and before seconds, else months. `letters`: of date and time, in their order.
bool is_minute(std::string_view letters, std::size_t at) {
  auto before = at;
  while (before > 0 && letters[before - 1] == 'm') --before;
  if (before > 0 && (letters[before - 1] == 'h' || letters[before - 1] == 'H')) return true;
  const auto after = letters.find_first_not_of('m', at);
  return after != std::string_view::npos && (letters[after] == 's' || letters[after] == 'S');
}

}  // namespace

std::optional<std::string> plain_number(std::string_view text) {
  auto number = parse_decimal(text);
  if (!number) return std::nullopt;
  return spell(std::move(*number));
}

std::optional<std::string> shortest_number(std::string_view text) {
  constexpr std::size_t kDigitsOfDouble = 17;
  auto number = parse_decimal(text);
  if (!number) return std::nullopt;
  const auto first = number->digits.find_first_not_of('0');
  const auto last = number->digits.find_last_not_of('0');
  const auto significant = first == std::string::npos ? 0 : last - first + 1;
  if (number->plain_whole || significant < 16 || significant > kDigitsOfDouble) return spell(std::move(*number));
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return spell(std::move(*number));
  char shortest[64];
  const auto written = std::to_chars(std::begin(shortest), std::end(shortest), value, std::chars_format::scientific);
  return plain_number({shortest, static_cast<std::size_t>(written.ptr - shortest)});
}

FormatKind kind_of_builtin_format(unsigned id) noexcept {
  const auto within = [id](unsigned low, unsigned high) { return id >= low && id <= high; };
  if (within(14, 17) || within(27, 31) || id == 36 || within(50, 54) || within(57, 58) || within(71, 74) || id == 81)
    return FormatKind::date;
  if (within(18, 21) || within(32, 35) || id == 45 || id == 47 || within(55, 56) || within(75, 76) || id == 78 ||
      id == 80)
    return FormatKind::time;
  if (id == 22 || id == 77) return FormatKind::datetime;
  if (id == 46 || id == 79) return FormatKind::duration;
  return FormatKind::number;
}

FormatKind kind_of_format(std::string_view code) {
  auto section = letters_of_format(code);
  if (section.find("general") != std::string::npos || section.find("standard") != std::string::npos)
    return FormatKind::number;
  bool time = false, date = false, elapsed = false;
  for (const std::string_view half_day : {"am/pm", "a/p"}) {
    const auto at = section.find(half_day);
    if (at == std::string::npos) continue;
    time = true;
    section.erase(at, half_day.size());
  }
  std::string letters;
  for (std::size_t i = 0; i < section.size(); ++i) {
    const char c = section[i];
    if (c == '#' || c == '?') return FormatKind::number;
    const bool scientific = c == 'e' && i + 1 < section.size() && (section[i + 1] == '+' || section[i + 1] == '-');
    if (scientific) return FormatKind::number;
    if (std::string_view("ymdhsegbHMS").find(c) != std::string_view::npos) letters += c;
    if (c == '0' && (letters.empty() || (letters.back() != 's' && letters.back() != 'S'))) return FormatKind::number;
  }
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const char c = letters[i];
    elapsed = elapsed || c == 'H' || c == 'M' || c == 'S';
    const bool minute = c == 'm' && is_minute(letters, i);
    time = time || c == 'h' || c == 's' || minute;
    date = date || c == 'y' || c == 'd' || c == 'e' || c == 'g' || c == 'b' || (c == 'm' && !minute);
  }
  if (date) return time || elapsed ? FormatKind::datetime : FormatKind::date;
  if (elapsed) return FormatKind::duration;
  return time ? FormatKind::time : FormatKind::number;
}

unsigned digits_of_format(std::string_view code) noexcept {
  constexpr std::size_t kDigitsMax = 32;
  code = code.substr(0, code.find(';'));  // of positive numbers
  const bool only_zeros = code.find_first_not_of('0') == std::string_view::npos;
  return only_zeros && code.size() >= 2 && code.size() <= kDigitsMax ? static_cast<unsigned>(code.size()) : 0;
}

Cell with_digits(Cell cell, unsigned digits) {
  const bool whole = std::all_of(cell.text.begin(), cell.text.end(), is_digit);
  if (digits == 0 || cell.form != CellForm::number || !whole) return cell;
  if (cell.text.size() < digits) cell.text.insert(0, digits - cell.text.size(), '0');
  cell.form = CellForm::text;
  return cell;
}

Cell cell_of_serial(std::string_view number, FormatKind kind, Epoch epoch) {
  constexpr std::int64_t kDurationDaysMax = 61;
  const auto as_it_stands = [&] {
    const auto plain = shortest_number(number);
    return plain ? Cell{CellForm::number, *plain} : Cell{CellForm::text, std::string(number)};
  };
  const auto serial = kind == FormatKind::number ? std::nullopt : parse_serial(number);
  if (!serial) return as_it_stands();
  if (kind == FormatKind::duration || (kind == FormatKind::time && serial->day < kDurationDaysMax))
    return {CellForm::time, clock_text(serial->day * kDayMs + serial->ms)};
  const auto day = day_text(serial->day, epoch);
  if (!day) return as_it_stands();
  const bool is_date = kind == FormatKind::date && serial->ms == 0;
  const bool is_real = parse_iso_date(*day).has_value();
  if (is_date) return {is_real ? CellForm::date : CellForm::text, *day};
  return {is_real ? CellForm::datetime : CellForm::text, *day + "T" + clock_text(serial->ms)};
}

Cell cell_of_iso(std::string_view text) {
  const Cell as_it_stands{CellForm::text, std::string(text)};
  if (parse_iso_date(text.substr(0, 10)) == std::nullopt) return as_it_stands;
  if (text.size() == 10) return {CellForm::date, std::string(text)};
  auto time = text.substr(10);
  if (!time.starts_with('T') || time.size() < 9 || time[3] != ':' || time[6] != ':') return as_it_stands;
  time.remove_prefix(1);
  for (const auto at : {0, 1, 3, 4, 6, 7})
    if (!is_digit(time[static_cast<std::size_t>(at)])) return as_it_stands;
  if (time.substr(0, 2) > "23" || time.substr(3, 2) > "59" || time.substr(6, 2) > "59") return as_it_stands;
  auto fraction = time.substr(8);
  if (fraction.empty()) return {CellForm::datetime, std::string(text)};
  if (!fraction.starts_with('.') || fraction.size() < 2 || digits_at(fraction, 1) + 1 != fraction.size())
    return as_it_stands;  // a zone, say
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  if (fraction.size() > 4) return as_it_stands;
  const auto whole = text.substr(0, 19);
  return {CellForm::datetime, std::string(whole) + std::string(fraction == "." ? "" : fraction)};
}

Cell cell_of_iso_duration(std::string_view text) {
  const Cell as_it_stands{CellForm::text, std::string(text)};
  if (!text.starts_with("PT")) return as_it_stands;
  auto rest = text.substr(2);
  std::int64_t ms = 0;
  std::size_t parts = 0;
  for (const auto& [letter, unit] : {std::pair{'H', 3'600'000}, std::pair{'M', 60'000}, std::pair{'S', 1000}}) {
    const auto digits = digits_at(rest, 0);
    if (digits == 0) break;
    auto end = digits;
    std::string fraction;
    if (letter == 'S' && end < rest.size() && (rest[end] == '.' || rest[end] == ',')) {
      const auto decimals = digits_at(rest, end + 1);
      fraction = rest.substr(end + 1, decimals);
      end += 1 + decimals;
    }
    if (end >= rest.size() || rest[end] != letter) continue;
    std::int64_t value = 0;
    if (digits > 9 || std::from_chars(rest.data(), rest.data() + digits, value).ec != std::errc()) return as_it_stands;
    if (letter != 'H' && value > 59 && parts > 0) return as_it_stands;
    ms += value * unit;
    if (!fraction.empty()) {  // LibreOffice writes nine decimals of a binary fraction
      fraction.resize(9, '0');
      std::int64_t billionths = 0;
      std::from_chars(fraction.data(), fraction.data() + fraction.size(), billionths);
      ms += (billionths + 500'000) / 1'000'000;
    }
    rest.remove_prefix(end + 1);
    ++parts;
  }
  if (parts == 0 || !rest.empty()) return as_it_stands;
  return {CellForm::time, clock_text(ms)};
}

}  // namespace siegel::sheet
