// The one place where a cell becomes a value that the API takes. A cell has exactly one reading, or it is refused with
// a reason: it never becomes another value, and what does not fit is an error, never empty and never zero.
//
// Two doors: convert() for a column whose type and style are known (guess.h finds them, the user may choose others),
// and cell_value() for a cell about whose column nothing is known, German or ISO (`siegel import`). "007" is text in a
// text field and refused as a number; "1.234" can be a German thousand or an ISO fraction, so it is refused unless the
// style or the caller says what the point means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "sheet/column_style.h"
#include "sheet/table.h"

namespace siegel::sheet {

// Nothing; exact text in the API's spelling (boolean: true, false); the choices of a multichoice.
using CellValue = std::variant<std::monostate, std::string, std::vector<std::string>>;

// exact: formatting the value back gives the cell, else other_spelling: what a proposal promises, for all rows, also
// those that it was not made from. readable: the user chose the type; a cell needs one meaning, however it was spelled.
enum class Fit : std::uint8_t { exact, readable };

// Errors are Errc::invalid; none holds the cell's content:
//   bad_integer bad_decimal leading_zero ambiguous_number too_long_number   (38 digits)
//   bad_date two_digit_year ambiguous_date   bad_datetime time_without_zone   bad_boolean   bad_email bad_phone bad_url
//   bad_choice   line_break (in a text of one line) too_long (32 KiB)   formula_error   other_spelling
// Text stays as it stands; all else is taken without the white space around it. Typed cells are read by their form.
Result<CellValue> convert(ColumnType type, const ColumnStyle& style, const Cell& cell, Fit fit);

enum class CellKind { text, word, integer, decimal, date, datetime, boolean, list };
// For the name of a field type (contract section 2); a type without a form of its own is a word.
CellKind kind_of_type(std::string_view field_type) noexcept;

// The value; empty: there is none. Errors are Errc::invalid with one of the codes below; none holds the cell's content.
//   text      as it stands             word      without spaces around (e-mail, phone, choice, …)
//   integer   1234 -7 1.234.567        bad_integer, leading_zero, ambiguous_number, too_long_number
//   decimal   1.234,50 -35,01 12.50    bad_decimal, and as integer; as many decimals as were written
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
