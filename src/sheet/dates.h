// Dates as people write them: three numbers and the sign between them. Which number is the day is not decided here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "sheet/column_style.h"

namespace siegel::sheet {

struct DateReading {
  unsigned first = 0;  // day or month; of a date that begins with its year: the month
  unsigned second = 0;
  int year = 0;
  bool year_leads = false;
  bool two_digit_year = false;
  char separator = '.';  // '.', '/' or '-'
  bool first_padded = false;
  bool second_padded = false;
  std::string_view midnight;  // as in DateStyle

  // Whether the numbers were written with or without a zero before them, as far as one can see: 12 shows nothing.
  [[nodiscard]] bool first_shows() const noexcept { return first < 10; }
  [[nodiscard]] bool second_shows() const noexcept { return second < 10; }
  // The date in that order, if the separator allows the order and the calendar has the date.
  [[nodiscard]] std::optional<CivilDate> in(DateOrder order) const noexcept;
};

// 31.12.2025 1/2/2025 31-12-2025 2025-12-31 2025/12/31, also 31.12.25 (two_digit_year); a time of day only if midnight.
std::optional<DateReading> read_date(std::string_view text) noexcept;

}  // namespace siegel::sheet
