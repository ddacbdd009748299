// Numbers and times of spreadsheets as text, exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sheet/table.h"

namespace siegel::sheet {

// A decimal number as programs write it (1, -0.50, 1E-3), as digits, "-" and "." only, without needless zeros; the same
// number, digit by digit. Nothing if it is none, or longer than 400 characters.
std::optional<std::string> plain_number(std::string_view text);

// The same where the program calculates with binary numbers and writes up to 17 digits of them: a fraction is the
// shortest text of the number that it means (0.10000000000000001 is 0.1). Whole numbers, and what has more digits than
// such a program writes, stay as they stand.
std::optional<std::string> shortest_number(std::string_view text);

// What a number format of OOXML shows. Codes are those of ECMA-376 18.8.30 and 18.8.31, always in the English form.
enum class FormatKind : std::uint8_t { number, date, time, datetime, duration };
FormatKind kind_of_builtin_format(unsigned id) noexcept;
FormatKind kind_of_format(std::string_view code);
// How many digits a format of nothing but zeros shows at least (00000 of a postcode: 5); 0: it is another one.
unsigned digits_of_format(std::string_view code) noexcept;
// What such a format shows of a whole number: a text, for who keeps postcodes in numbers sees 01067. Else the cell as
// it is.
Cell with_digits(Cell cell, unsigned digits);

// Day 1 is 1900-01-01, or day 0 is 1904-01-01.
enum class Epoch : std::uint8_t { year_1900, year_1904 };

// The cell for a number that is shown as a date or time. A date with a time of day is a datetime even if the format
// hides it; a time of day of 61 days or more has a date. What is no day of the calendar stays the number. Excel's 29
// February 1900, which never was, is text.
Cell cell_of_serial(std::string_view number, FormatKind kind, Epoch epoch);

// 2025-12-31, 2025-12-31T23:59:59(.5), of OOXML and ODF: date or datetime; else text as it stands.
Cell cell_of_iso(std::string_view text);
// PT12H30M05.5S of ODF: time; else text as it stands.
Cell cell_of_iso_duration(std::string_view text);

}  // namespace siegel::sheet
