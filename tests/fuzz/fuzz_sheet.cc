#include "fuzz/fuzz_sheet.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "base/time.h"

namespace siegel::test {
namespace {

using namespace sheet;

void check_error(const Error& error) {
  constexpr std::string_view kCodes[] = {"unknown_format", "encrypted_file", "damaged_file", "bad_csv",
                                         "bad_encoding",   "too_large",      "sheet_unknown"};
  SIEGEL_ASSERT(error.category() == Errc::invalid);
  SIEGEL_ASSERT(std::ranges::find(kCodes, std::string_view(error.code())) != std::end(kCodes));
  SIEGEL_ASSERT(!error.is("too_large") || error.find("limit_name") != nullptr);
}

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto is_digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!is_digits(whole) || (whole.size() > 1 && whole[0] == '0')) return false;
  return point == std::string_view::npos || (is_digits(text.substr(point + 1)) && !text.ends_with('0'));
}

bool is_clock(std::string_view text) {
  const auto first = text.find(':');
  return first != std::string_view::npos && first >= 2 && text.size() >= first + 6 && text[first + 3] == ':';
}

void check_cell(const Cell& cell) {
  SIEGEL_ASSERT(is_utf8(cell.text) && cell.text.find('\0') == std::string::npos);
  SIEGEL_ASSERT((cell.form == CellForm::empty) == cell.text.empty());
  switch (cell.form) {
    case CellForm::empty:
    case CellForm::text:
    case CellForm::error:
      break;
    case CellForm::number:
      SIEGEL_ASSERT(is_number(cell.text));
      break;
    case CellForm::date:
      SIEGEL_ASSERT(parse_iso_date(cell.text).has_value());
      break;
    case CellForm::datetime:
      SIEGEL_ASSERT(cell.text.size() >= 19 && cell.text.size() <= 23 && cell.text[10] == 'T' &&
                    parse_iso_date(cell.text.substr(0, 10)).has_value() && is_clock(cell.text.substr(11)));
      break;
    case CellForm::time:
      SIEGEL_ASSERT(is_clock(cell.text));
      break;
    case CellForm::boolean:
      SIEGEL_ASSERT(cell.text == "true" || cell.text == "false");
      break;
  }
}

std::vector<Row> read(ByteView bytes, const TableOptions& options) {
  std::vector<Row> rows;
  const auto table = open_table(bytes, options);
  if (!table) {
    check_error(table.error());
    return rows;
  }
  for (;;) {
    auto row = (*table)->next();
    if (!row) {
      check_error(row.error());
      row = (*table)->next();
      SIEGEL_ASSERT(row && !*row);  // after an error there are no more rows
      break;
    }
    if (!*row) break;
    const bool header_of_json = rows.empty() && (*table)->info().format == Format::ndjson;
    SIEGEL_ASSERT(header_of_json || (*row)->number > (rows.empty() ? 0 : rows.back().number));
    SIEGEL_ASSERT(!(*row)->cells.empty() && (*row)->cells.back().form != CellForm::empty);
    SIEGEL_ASSERT((*row)->cells.size() <= options.limits.columns_max);
    for (const auto& cell : (*row)->cells) {
      check_cell(cell);
      SIEGEL_ASSERT(cell.text.size() <= options.limits.cell_bytes_max);
    }
    rows.push_back(std::move(**row));
  }
  SIEGEL_ASSERT(rows.size() <= options.limits.rows_max + 1);
  return rows;
}

}  // namespace

TableOptions small_limits() {
  TableOptions options;
  options.limits = {.cell_bytes_max = 300, .columns_max = 20, .rows_max = 100, .unpacked_bytes_max = 1 << 20};
  return options;
}

std::vector<Row> check_table(ByteView bytes, const TableOptions& options) {
  auto rows = read(bytes, options);
  SIEGEL_ASSERT(read(bytes, options) == rows);
  return rows;
}

}  // namespace siegel::test
