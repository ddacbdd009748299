#include "sheet/cells.h"

#include <algorithm>

#include "base/time.h"
#include "sheet/dates.h"
#include "sheet/formats.h"
#include "sheet/numbers.h"
#include "sheet/words.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kTextBytesMax = 32 * 1024;

Error invalid(const char* code, const char* what, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, code, what, at);
}

Error bad_date() { return invalid("bad_date", "A date is 31.12.1980 or 1980-12-31 and exists in the calendar."); }
Error bad_choice() { return invalid("bad_choice", "This is not one of the field's choices."); }

enum class Wanted : bool { decimal, integer };

Result<std::string> number_value(const std::optional<NumberReading>& found, Wanted wanted) {
  const bool is_integer = wanted == Wanted::integer;
  if (!found || (is_integer && !found->fraction.empty()) || (found->negative && found->is_zero()))
    return is_integer ? invalid("bad_integer", "This is not a whole number.")
                      : invalid("bad_decimal", "This is not a decimal number.");
  if (found->leading_zero)
    return invalid("leading_zero", "A number does not begin with zeros; a text field keeps them.");
  if (found->whole_digits + found->fraction.size() > kNumberDigitsMax)
    return invalid("too_long_number", "A number has at most 38 digits; a text field keeps more.");
  return found->value();
}

// Of two readings the one that there is, or an error if they differ.
Result<std::string> one_number(const std::optional<NumberReading>& comma, const std::optional<NumberReading>& point,
                               Wanted wanted) {
  if (comma && point && comma->value() != point->value())
    return invalid("ambiguous_number", "The point or comma can mark thousands or decimals; say which.");
  return number_value(comma ? comma : point, wanted);
}

Result<std::string> number_in(const NumberStyle& style, const Cell& cell, std::string_view text, Wanted wanted) {
  if (cell.form == CellForm::number) return number_value(read_number(text, DecimalSign::point), wanted);
  if (style.sign != DecimalSign::unknown) return number_value(read_number(text, style.sign), wanted);
  return one_number(read_number(text, DecimalSign::comma), read_number(text, DecimalSign::point), wanted);
}

// German (1.234,50) or ISO (1234.50), without a column to say which.
Result<std::string> number(Wanted wanted, std::string_view text, DecimalSign sign) {
  auto german = sign == DecimalSign::point ? std::nullopt : read_number(text, DecimalSign::comma);
  if (german && !german->group.empty() && german->group != ".") german.reset();
  auto iso = sign == DecimalSign::comma ? std::nullopt : read_number(text, DecimalSign::point);
  if (iso && !iso->group.empty()) iso.reset();
  return one_number(german, iso, wanted);
}

Result<std::string> date_in(DateOrder order, std::string_view text) {
  const auto found = read_date(text);
  if (!found) return bad_date();
  if (found->two_digit_year) return invalid("two_digit_year", "A year has four digits.");
  if (found->year_leads) order = DateOrder::year_month_day;
  if (found->separator == '.') order = DateOrder::day_month_year;
  const bool is_known = found->year_leads || order == DateOrder::day_month_year || order == DateOrder::month_day_year;
  const auto one = found->in(is_known ? order : DateOrder::day_month_year);
  const auto other = is_known ? one : found->in(DateOrder::month_day_year);
  if (one && other && *one != *other)
    return invalid("ambiguous_date", "Day and month can be either way round; say which comes first.");
  if (!one && !other) return bad_date();
  return to_iso(one ? *one : *other);
}

Result<std::string> date(std::string_view text) {
  const auto found = read_date(text);
  if (!found || !found->midnight.empty()) return bad_date();
  const bool is_iso = found->year_leads && found->separator == '-' && found->first_padded && found->second_padded;
  if (!is_iso && found->separator != '.') return bad_date();
  return date_in(DateOrder::unknown, text);
}

Result<std::string> datetime_in(std::string_view text) {
  if (const auto time = parse_rfc3339(text)) return to_rfc3339(*time);
  const auto end = text.find_first_of("T ");
  if (end != std::string_view::npos && read_date(text.substr(0, end)) && text.find(':', end) != std::string_view::npos)
    return invalid("time_without_zone", "A time says its zone: 2026-12-31T23:59:59+01:00.");
  return invalid("bad_datetime", "A time is RFC 3339 with its zone: 2026-12-31T23:59:59+01:00.");
}

Result<std::string> boolean(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  constexpr std::string_view kTrue[] = {"ja", "true", "1", "yes", "wahr"};
  constexpr std::string_view kFalse[] = {"nein", "false", "0", "no", "falsch"};
  if (std::find(std::begin(kTrue), std::end(kTrue), lower) != std::end(kTrue)) return std::string("true");
  if (std::find(std::begin(kFalse), std::end(kFalse), lower) != std::end(kFalse)) return std::string("false");
  return invalid("bad_boolean", "This is neither yes nor no: ja, nein, true, false, 1, 0.");
}

Result<std::string> boolean_in(const BooleanStyle& style, std::string_view text) {
  if (text == style.yes) return std::string("true");
  if (text == style.no) return std::string("false");
  return boolean(text);
}

Result<std::string> phone_in(const ColumnStyle& style, std::string_view text) {
  auto found = read_phone(text, style.country);
  if (!found) return invalid("bad_phone", "This is no phone number with its country, or of the configured one.");
  return style.phone == PhoneStyle::as_typed ? std::string(text) : std::move(found->e164);
}

Result<CellValue> list_in(const ColumnStyle& style, std::string_view text) {
  std::vector<std::string> out;
  for (;;) {
    const auto end = text.find(style.list_separator);
    const std::string item(trimmed(text.substr(0, end)));
    const bool is_twice = std::find(out.begin(), out.end(), item) != out.end();
    if (is_twice || std::find(style.choices.begin(), style.choices.end(), item) == style.choices.end())
      return bad_choice();
    out.push_back(item);
    if (end == std::string_view::npos) return CellValue(std::move(out));
    text.remove_prefix(end + 1);
  }
}

Result<CellValue> text_in(ColumnType type, const Cell& cell) {
  if (cell.text.size() > kTextBytesMax) return invalid("too_long", "A text has at most 32 KiB.");
  if (type == ColumnType::text && cell.text.find_first_of("\r\n") != std::string::npos)
    return invalid("line_break", "A text of one line holds a line break.");
  return CellValue(cell.text);
}

// Every type whose value is one text.
Result<std::string> word_in(ColumnType type, const ColumnStyle& style, const Cell& cell, std::string_view text) {
  switch (type) {
    case ColumnType::integer:
      return number_in(style.number, cell, text, Wanted::integer);
    case ColumnType::decimal:
      return number_in(style.number, cell, text, Wanted::decimal);
    case ColumnType::date:
      return date_in(style.date.order, text);
    case ColumnType::datetime:
      return datetime_in(text);
    case ColumnType::boolean:
      return boolean_in(style.boolean, text);
    case ColumnType::email:
      if (!is_email(text)) return invalid("bad_email", "This is no e-mail address.");
      return email_value(text);
    case ColumnType::phone:
      return phone_in(style, text);
    case ColumnType::url:
      if (!is_url(text)) return invalid("bad_url", "This is no link with http:// or https://.");
      break;
    case ColumnType::choice:
      if (std::find(style.choices.begin(), style.choices.end(), text) == style.choices.end()) return bad_choice();
      break;
    case ColumnType::text:
    case ColumnType::multiline:
    case ColumnType::multichoice:
      break;
  }
  return std::string(text);
}

Result<CellValue> value_of(ColumnType type, const ColumnStyle& style, const Cell& cell) {
  if (cell.form == CellForm::empty || cell.text.empty()) {
    if (type == ColumnType::boolean && style.boolean.no.empty()) return CellValue(std::string("false"));
    return CellValue();
  }
  if (type == ColumnType::text || type == ColumnType::multiline) return text_in(type, cell);
  if (cell.form == CellForm::error) return invalid("formula_error", "The formula of this cell has no result.");
  const auto text = trimmed(cell.text);
  if (text.empty()) return CellValue();
  if (type == ColumnType::multichoice) return list_in(style, text);
  SIEGEL_TRY(value, word_in(type, style, cell, text));
  return CellValue(std::move(value));
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

Result<CellValue> convert(ColumnType type, const ColumnStyle& style, const Cell& cell, Fit fit) {
  SIEGEL_TRY(value, value_of(type, style, cell));
  const bool is_same = type == ColumnType::text || type == ColumnType::multiline;  // whatever it is
  if (fit == Fit::exact && !is_same && !gives_back(type, style, value, cell))
    return invalid("other_spelling",
                   "This is written otherwise than the rest of the column; another value would show.");
  return value;
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
      return number(Wanted::integer, text, sign);
    case CellKind::decimal:
      return number(Wanted::decimal, text, sign);
    case CellKind::date:
      return date(text);
    case CellKind::datetime:
      if (!parse_rfc3339(text))
        return invalid(
            "bad_datetime",
            "A time has its zone beside it: 31.12.2026 13:30 is written 2026-12-31T13:30:00+01:00 (in summer "
            "+02:00), if it is that of Berlin.");
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
    if (!is_choice(item)) return bad_choice();
    out.emplace_back(item);
    if (end == std::string_view::npos) return out;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace siegel::sheet
