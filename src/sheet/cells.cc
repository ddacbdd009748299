#include "sheet/cells.h"

#include <algorithm>

#include "base/time.h"

namespace siegel::sheet {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool are_digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

unsigned number_of(std::string_view digits) noexcept {  // at most four
  unsigned out = 0;
  for (const char c : digits) out = out * 10 + static_cast<unsigned>(c - '0');
  return out;
}

// 12 or 1.234.567 without its points; nothing if the groups are not of three.
std::optional<std::string> without_groups(std::string_view text) {
  if (text.find('.') == std::string_view::npos)
    return are_digits(text) ? std::optional(std::string(text)) : std::nullopt;
  std::string out;
  for (bool first = true;; first = false) {
    const auto point = text.find('.');
    const auto group = text.substr(0, point);
    if (!are_digits(group) || (first ? group.size() > 3 || group.front() == '0' : group.size() != 3)) return {};
    out += group;
    if (point == std::string_view::npos) return out;
    text.remove_prefix(point + 1);
  }
}

struct Number {
  std::string whole;
  std::string fraction;  // with its point, or empty
};

std::optional<Number> german(std::string_view text) {
  const auto comma = text.find(',');
  auto whole = without_groups(text.substr(0, comma));
  if (!whole) return {};
  if (comma == std::string_view::npos) return Number{std::move(*whole), ""};
  const auto fraction = text.substr(comma + 1);
  if (!are_digits(fraction)) return {};
  return Number{std::move(*whole), "." + std::string(fraction)};
}

std::optional<Number> iso(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  if (!are_digits(whole)) return {};
  if (point == std::string_view::npos) return Number{std::string(whole), ""};
  const auto fraction = text.substr(point + 1);
  if (!are_digits(fraction)) return {};
  return Number{std::string(whole), "." + std::string(fraction)};
}

Result<std::string> number(CellKind kind, std::string_view text, DecimalSign sign) {
  const bool is_integer = kind == CellKind::integer;
  const Error bad = is_integer ? Error(Errc::invalid, "bad_integer", "This is not a whole number.")
                               : Error(Errc::invalid, "bad_decimal", "This is not a decimal number.");
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  auto as_german = sign == DecimalSign::point ? std::nullopt : german(text);
  auto as_iso = sign == DecimalSign::comma ? std::nullopt : iso(text);
  if (as_german && as_iso && (as_german->whole != as_iso->whole || as_german->fraction != as_iso->fraction))
    return Error(Errc::invalid, "ambiguous_number",
                 "The point can mark thousands or decimals; say which with --decimal.");
  const auto& found = as_german ? as_german : as_iso;
  if (!found || (is_integer && !found->fraction.empty())) return bad;
  if (found->whole.size() > 1 && found->whole.front() == '0')
    return Error(Errc::invalid, "leading_zero", "A number does not begin with zeros; a text field keeps them.");
  return (negative ? "-" : "") + found->whole + found->fraction;
}

Result<std::string> date(std::string_view text) {
  if (const auto date = parse_iso_date(text)) return to_iso(*date);
  const Error bad(Errc::invalid, "bad_date", "A date is 31.12.1980 or 1980-12-31 and exists in the calendar.");
  const auto first = text.find('.');
  const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return bad;
  const auto day = text.substr(0, first), month = text.substr(first + 1, second - first - 1),
             year = text.substr(second + 1);
  if (!are_digits(day) || !are_digits(month) || !are_digits(year) || day.size() > 2 || month.size() > 2) return bad;
  if (year.size() == 2) return Error(Errc::invalid, "two_digit_year", "A year has four digits.");
  if (year.size() != 4) return bad;
  const CivilDate out{static_cast<int>(number_of(year)), number_of(month), number_of(day)};
  if (!is_valid(out)) return bad;
  return to_iso(out);
}

Result<std::string> boolean(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  constexpr std::string_view kTrue[] = {"ja", "true", "1", "yes", "wahr"};
  constexpr std::string_view kFalse[] = {"nein", "false", "0", "no", "falsch"};
  if (std::find(std::begin(kTrue), std::end(kTrue), lower) != std::end(kTrue)) return std::string("true");
  if (std::find(std::begin(kFalse), std::end(kFalse), lower) != std::end(kFalse)) return std::string("false");
  return Error(Errc::invalid, "bad_boolean", "This is neither yes nor no: ja, nein, true, false, 1, 0.");
}

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kNoBreak = "\xC2\xA0";
  for (;;) {
    if (text.starts_with(' ') || text.starts_with('\t')) {
      text.remove_prefix(1);
    } else if (text.ends_with(' ') || text.ends_with('\t')) {
      text.remove_suffix(1);
    } else if (text.starts_with(kNoBreak)) {
      text.remove_prefix(kNoBreak.size());
    } else if (text.ends_with(kNoBreak)) {
      text.remove_suffix(kNoBreak.size());
    } else {
      return text;
    }
  }
}

CellKind kind_of_type(std::string_view field_type) noexcept {
  if (field_type == "text" || field_type == "multiline") return CellKind::text;
  if (field_type == "integer") return CellKind::integer;
  if (field_type == "decimal") return CellKind::decimal;
  if (field_type == "date") return CellKind::date;
  if (field_type == "datetime") return CellKind::datetime;
  if (field_type == "boolean") return CellKind::boolean;
  if (field_type == "multichoice") return CellKind::list;
  return CellKind::word;
}

Result<std::string> cell_value(CellKind kind, std::string_view cell, DecimalSign sign) {
  if (kind == CellKind::text) return std::string(cell);
  const auto text = trimmed(cell);
  if (text.empty()) return std::string();
  switch (kind) {
    case CellKind::integer:
    case CellKind::decimal:
      return number(kind, text, sign);
    case CellKind::date:
      return date(text);
    case CellKind::datetime:
      if (!parse_rfc3339(text))
        return Error(
            Errc::invalid, "bad_datetime",
            "A time has its zone beside it: 31.12.2026 13:30 is written 2026-12-31T13:30:00+01:00 (in summer +02:00), "
            "if it is that of Berlin.");
      return std::string(text);
    case CellKind::boolean:
      return boolean(text);
    case CellKind::text:
    case CellKind::word:
    case CellKind::list:
      break;
  }
  return std::string(text);
}

Result<std::vector<std::string>> cell_list(const std::vector<std::string>& choices, std::string_view cell) {
  const auto is_choice = [&](std::string_view text) {
    return std::find(choices.begin(), choices.end(), text) != choices.end();
  };
  auto rest = trimmed(cell);
  std::vector<std::string> out;
  if (rest.empty()) return out;
  if (is_choice(rest)) return std::vector<std::string>{std::string(rest)};
  const char separator = rest.find(';') != std::string_view::npos ? ';' : ',';
  for (;;) {
    const auto end = rest.find(separator);
    const auto item = trimmed(rest.substr(0, end));
    if (!is_choice(item)) return Error(Errc::invalid, "bad_choice", "This is not one of the field's choices.");
    out.emplace_back(item);
    if (end == std::string_view::npos) return out;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace siegel::sheet
