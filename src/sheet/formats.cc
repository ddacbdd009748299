#include "sheet/formats.h"

#include <cstdio>
#include <cstdlib>

#include "base/time.h"
#include "sheet/words.h"

namespace siegel::sheet {
namespace {

std::string number_text(const NumberStyle& style, std::string_view value) {
  std::string out;
  if (value.starts_with('-')) {
    out = "-";
    value.remove_prefix(1);
  }
  const auto point = value.find('.');
  const auto whole = value.substr(0, point);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (i != 0 && (whole.size() - i) % 3 == 0) out += style.group;
    out += whole[i];
  }
  if (point == std::string_view::npos) return out;
  out += style.sign == DecimalSign::comma ? ',' : '.';
  return out.append(value.substr(point + 1));
}

std::string date_text(const DateStyle& style, const std::string& value) {
  const auto date = parse_iso_date(value);
  if (!date) return value;
  const auto two = [](unsigned number, bool padded) {
    return (padded && number < 10 ? "0" : "") + std::to_string(number);
  };
  char year[16];
  std::snprintf(year, sizeof year, "%04d", date->year);
  const bool day_first = style.order == DateOrder::day_month_year;
  const auto first = two(day_first ? date->day : date->month, style.first_padded);
  const auto second = two(day_first ? date->month : date->day, style.second_padded);
  const std::string between(1, style.separator);
  const bool year_last = day_first || style.order == DateOrder::month_day_year;
  return (year_last ? first + between + second + between + year : year + between + first + between + second) +
         style.midnight;
}

std::string datetime_text(const ColumnStyle& style, const std::string& value) {
  const auto time = parse_rfc3339(value);
  if (!time || style.offset_is_z) return value;
  const auto local = static_cast<std::int64_t>(time->get()) + std::int64_t{style.offset_minutes} * 60'000;
  if (local < 0) return value;
  auto out = to_rfc3339(TimeMs(static_cast<std::uint64_t>(local)));
  const int minutes = std::abs(style.offset_minutes);
  char offset[16];
  std::snprintf(offset, sizeof offset, "%c%02d:%02d", style.offset_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
  out.pop_back();
  return out + offset;
}

std::string list_text(const ColumnStyle& style, const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) (out += style.list_separator) += ' ';
    out += item;
  }
  return out;
}

// Past white space at the beginning.
std::string_view past_space(std::string_view text) noexcept {
  constexpr std::string_view kSpaces[] = {" ", "\t", "\xC2\xA0", "\xE2\x80\xAF", "\r", "\n"};
  for (std::size_t i = 0; i < std::size(kSpaces);) {
    if (text.starts_with(kSpaces[i])) {
      text.remove_prefix(kSpaces[i].size());
      i = 0;
    } else {
      ++i;
    }
  }
  return text;
}

}  // namespace

std::string format(ColumnType type, const ColumnStyle& style, const CellValue& value) {
  if (const auto* items = std::get_if<std::vector<std::string>>(&value)) return list_text(style, *items);
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return {};
  switch (type) {
    case ColumnType::integer:
    case ColumnType::decimal:
      return number_text(style.number, *text);
    case ColumnType::date:
      return date_text(style.date, *text);
    case ColumnType::datetime:
      return datetime_text(style, *text);
    case ColumnType::boolean:
      return *text == "true" ? style.boolean.yes : style.boolean.no;
    case ColumnType::phone:
      if (style.phone == PhoneStyle::national)
        if (auto national = national_phone(*text, style.country)) return std::move(*national);
      return *text;
    case ColumnType::text:
    case ColumnType::multiline:
    case ColumnType::email:
    case ColumnType::url:
    case ColumnType::choice:
    case ColumnType::multichoice:
      break;
  }
  return *text;
}

bool gives_back(ColumnType type, const ColumnStyle& style, const CellValue& value, const Cell& cell) {
  const bool is_number = type == ColumnType::integer || type == ColumnType::decimal;
  const bool is_own_form =
      (is_number && cell.form == CellForm::number) || (type == ColumnType::boolean && cell.form == CellForm::boolean) ||
      (type == ColumnType::date && (cell.form == CellForm::date || cell.form == CellForm::datetime));
  if (!is_own_form) return equal_up_to_space(format(type, style, value), cell.text);
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && (cell.form == CellForm::datetime ? *text + "T00:00:00" : *text) == cell.text;
}

bool equal_up_to_space(std::string_view a, std::string_view b) noexcept {
  for (;;) {
    a = past_space(a);
    b = past_space(b);
    if (a.empty() || b.empty()) return a.empty() && b.empty();
    if (a.front() != b.front()) return false;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

}  // namespace siegel::sheet
