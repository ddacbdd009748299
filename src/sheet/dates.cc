#include "sheet/dates.h"

namespace siegel::sheet {
namespace {

struct Digits {
  unsigned value = 0;
  std::size_t size = 0;
};

Digits digits_of(std::string_view text, std::size_t at, std::size_t max) noexcept {
  Digits out;
  while (out.size < max && at + out.size < text.size() && text[at + out.size] >= '0' && text[at + out.size] <= '9')
    out.value = out.value * 10 + static_cast<unsigned>(text[at + out.size++] - '0');
  return out;
}

}  // namespace

std::optional<CivilDate> DateReading::in(DateOrder order) const noexcept {
  if (two_digit_year || year_leads != (order == DateOrder::year_month_day) || order == DateOrder::unknown)
    return std::nullopt;
  if (separator == '.' && order != DateOrder::day_month_year) return std::nullopt;
  const CivilDate out{year, order == DateOrder::day_month_year ? second : first,
                      order == DateOrder::day_month_year ? first : second};
  return is_valid(out) ? std::optional(out) : std::nullopt;
}

std::optional<DateReading> read_date(std::string_view text) noexcept {
  constexpr std::string_view kMidnights[] = {" 00:00:00", " 00:00", "T00:00:00"};
  DateReading out;
  if (text.size() > 10)
    for (const auto midnight : kMidnights)
      if (text.ends_with(midnight)) {
        out.midnight = text.substr(text.size() - midnight.size());
        text.remove_suffix(midnight.size());
        break;
      }
  if (text.size() < 6 || text.size() > 10) return std::nullopt;
  Digits parts[3];
  std::size_t at = 0;
  for (int i = 0; i < 3; ++i) {
    parts[i] = digits_of(text, at, 4);
    at += parts[i].size;
    if (parts[i].size == 0) return std::nullopt;
    if (i == 2) break;
    const char separator = at < text.size() ? text[at++] : '\0';
    if ((separator != '.' && separator != '/' && separator != '-') || (i == 1 && separator != out.separator))
      return std::nullopt;
    out.separator = separator;
  }
  if (at != text.size()) return std::nullopt;
  out.year_leads = parts[0].size == 4;
  const auto& year = out.year_leads ? parts[0] : parts[2];
  const auto& first = out.year_leads ? parts[1] : parts[0];
  const auto& second = out.year_leads ? parts[2] : parts[1];
  if (first.size > 2 || second.size > 2 || (year.size != 4 && (year.size != 2 || out.year_leads))) return std::nullopt;
  if (out.year_leads && out.separator == '.') return std::nullopt;
  out.first = first.value;
  out.second = second.value;
  out.year = static_cast<int>(year.value);
  out.two_digit_year = year.size == 2;
  out.first_padded = first.size == 2;
  out.second_padded = second.size == 2;
  return out;
}

}  // namespace siegel::sheet
