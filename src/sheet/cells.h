// A cell as people write it, German or ISO, as the value that the API takes. A cell has exactly one reading, or it is
// refused with a reason: it never becomes another value. "007" is text in a text field and refused as a number; "1.234"
// can be a German thousand or an ISO fraction, so it is refused unless the caller says what the point means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace siegel::sheet {

enum class CellKind { text, word, integer, decimal, date, datetime, boolean, list };
// For the name of a field type (contract section 2); a type without a form of its own is a word.
CellKind kind_of_type(std::string_view field_type) noexcept;

enum class DecimalSign { unknown, comma, point };

// The value; empty: there is none. Errors are Errc::invalid with one of the codes below; none holds the cell's content.
//   text      as it stands             word      without spaces around (e-mail, phone, choice, …)
//   integer   1234 -7 1.234.567        bad_integer, leading_zero, ambiguous_number
//   decimal   1.234,50 -35,01 12.50    bad_decimal, leading_zero, ambiguous_number; as many decimals as were written
//   date      31.12.1980 1980-12-31    bad_date, two_digit_year      → 1980-12-31
//   datetime  RFC 3339 with its zone   bad_datetime
//   boolean   ja nein true false 1 0 … bad_boolean                   → true, false
Result<std::string> cell_value(CellKind kind, std::string_view cell, DecimalSign sign = DecimalSign::unknown);

// A list of choices: the cell is one of them, or names several, separated by semicolons or else by commas.
// "bad_choice".
Result<std::vector<std::string>> cell_list(const std::vector<std::string>& choices, std::string_view cell);

// Without spaces, tabs and no-break spaces around it.
std::string_view trimmed(std::string_view text) noexcept;

}  // namespace siegel::sheet
