// Cells of the CSV that this server gives out: RFC 4180, comma, CRLF, each cell in quotes, with a byte order mark so
// that Excel takes it for UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "model/field.h"

namespace siegel::http {

inline constexpr std::string_view kCsvContentType = "text/csv; charset=utf-8";
inline constexpr std::string_view kCsvMark = "\xEF\xBB\xBF";

// A text that a spreadsheet would run as a formula (= + - @, tab, carriage return in front) gets an apostrophe before
// it: what strangers wrote into a form must not run on a clerk's desk.
void append_csv_text(std::string& out, std::string_view text);
// A value as it is, where its type leaves no room for a formula: -7, +49 30 23125001. Lists with semicolons.
void append_csv_value(std::string& out, FieldType type, const Value& value);

}  // namespace siegel::http
