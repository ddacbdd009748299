// Numbers as people write them. A text can have one reading, two (1.234) or none; which one is meant is the column's
// matter. Digits are never computed with: the value is made of the digits that were written.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "sheet/column_style.h"

namespace siegel::sheet {

inline constexpr std::size_t kNumberDigitsMax = 38;  // of a value, with its fraction

struct NumberReading {
  bool negative = false;
  bool leading_zero = false;  // 007: digits that a number would lose
  std::string_view whole;     // with its groups
  std::string_view fraction;  // without its sign
  std::string_view group;     // "" where there is none
  std::size_t whole_digits = 0;

  [[nodiscard]] bool is_zero() const noexcept;
  [[nodiscard]] std::string value() const;  // -1234.50
};

// The reading under one decimal sign (not unknown): "-1.234,50" under comma, "-1,234.50" under point. Groups of three,
// all with the same sign, may be marked by the other sign, an apostrophe or a space. No exponent, no plus, no unit.
std::optional<NumberReading> read_number(std::string_view text, DecimalSign sign) noexcept;

}  // namespace siegel::sheet
