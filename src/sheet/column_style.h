// What a column is (its type) and how its cells are written (its style). Type and style together read a cell
// (cells.h) and write the value back as the same text (formats.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace siegel::sheet {

// The field types of contract section 2 that a cell can become.
enum class ColumnType : std::uint8_t {
  text,
  multiline,
  email,
  phone,
  url,
  integer,
  decimal,
  date,
  datetime,
  boolean,
  choice,
  multichoice
};
std::string_view name_of(ColumnType type) noexcept;
std::optional<ColumnType> parse_column_type(std::string_view text) noexcept;

enum class DecimalSign : std::uint8_t { unknown, comma, point };

struct NumberStyle {
  DecimalSign sign = DecimalSign::unknown;
  std::string group;  // between three digits: ".", ",", "'", " ", U+00A0, U+202F; empty: none
  bool operator==(const NumberStyle&) const = default;
};

// unknown: of "01/02/2025" nobody can tell. Dates with points are always day first, those that begin with the year
// always go on with the month.
enum class DateOrder : std::uint8_t { unknown, day_month_year, month_day_year, year_month_day };

struct DateStyle {
  DateOrder order = DateOrder::year_month_day;
  char separator = '-';
  bool first_padded = true;   // day or month, whichever comes first: 01.2.2025
  bool second_padded = true;  // the other one: 1.02.2025
  std::string midnight;       // after the date: "", " 00:00", " 00:00:00", "T00:00:00"
  bool operator==(const DateStyle&) const = default;
};

struct BooleanStyle {
  std::string yes = "true";
  std::string no = "false";  // may be empty: a column of crosses
  bool operator==(const BooleanStyle&) const = default;
};

// as_typed: the value is the text of the cell. The others make E.164, which only formats back if nothing but digits and
// white space was written.
enum class PhoneStyle : std::uint8_t { as_typed, international, national };

struct ColumnStyle {
  NumberStyle number;
  DateStyle date;
  BooleanStyle boolean;
  PhoneStyle phone = PhoneStyle::as_typed;
  std::string country = "DE";        // ISO 3166-1 alpha-2, of national phone numbers
  int offset_minutes = 0;            // of a datetime's zone
  bool offset_is_z = true;           // written as Z
  char list_separator = ';';         // of a multichoice
  std::vector<std::string> choices;  // of choice and multichoice
  bool operator==(const ColumnStyle&) const = default;
};

}  // namespace siegel::sheet
