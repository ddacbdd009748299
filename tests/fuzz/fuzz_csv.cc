// CSV as people save it: refused with the row, or rows that come back unchanged when they are written and read again.
// The first cells are read as every kind of value besides.
#include <algorithm>
#include <set>
#include <sstream>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/text.h"
#include "sheet/cells.h"
#include "sheet/csv.h"

using namespace siegel;
using namespace siegel::sheet;

namespace {

constexpr std::size_t kCellsTried = 8;
constexpr CsvLimits kLimits{.cell_bytes_max = 300, .columns_max = 20, .rows_max = 100};

struct Sheet {
  std::vector<CsvRow> rows;
  char delimiter = ',';
  bool whole = false;
};

Sheet read(const std::string& text, const CsvLimits& limits) {
  std::istringstream in(text);
  CsvReader reader(in, limits);
  Sheet sheet;
  for (std::uint64_t last = 0;;) {
    auto row = reader.next();
    if (!row) {
      SIEGEL_ASSERT(row.error().category() == Errc::invalid);
      SIEGEL_ASSERT(row.error().find("row") != nullptr || row.error().is("unknown_format"));  // the file as a whole
      SIEGEL_ASSERT(!*reader.next());  // after an error there are no more rows
      break;
    }
    if (!*row) {
      sheet.whole = true;
      break;
    }
    SIEGEL_ASSERT(!(*row)->empty() && (*row)->size() <= limits.columns_max && reader.row() > last);
    last = reader.row();
    for (const auto& cell : **row) SIEGEL_ASSERT(cell.size() <= limits.cell_bytes_max && is_utf8(cell));
    sheet.rows.push_back(std::move(**row));
  }
  SIEGEL_ASSERT(sheet.rows.size() <= limits.rows_max + 1);
  sheet.delimiter = reader.delimiter();
  return sheet;
}

void write_and_read(const Sheet& sheet) {
  CsvRow header(21, "h");  // so many that the delimiter is found again
  std::string text = csv_line(header, sheet.delimiter);
  std::vector<const CsvRow*> expected;
  for (const auto& row : sheet.rows) {
    text += csv_line(row, sheet.delimiter);
    expected.push_back(&row);
  }
  const auto again = read(text, {.cell_bytes_max = kLimits.cell_bytes_max, .columns_max = 21, .rows_max = 102});
  SIEGEL_ASSERT(again.whole && again.delimiter == sheet.delimiter && again.rows.size() == expected.size() + 1);
  for (std::size_t i = 0; i < expected.size(); ++i) SIEGEL_ASSERT(again.rows[i + 1] == *expected[i]);
}

void try_cell(const std::string& cell) {
  for (const auto kind : {CellKind::text, CellKind::word, CellKind::integer, CellKind::decimal, CellKind::date,
                          CellKind::datetime, CellKind::boolean, CellKind::list}) {
    const bool is_number = kind == CellKind::integer || kind == CellKind::decimal;
    for (const auto sign : {DecimalSign::unknown, DecimalSign::comma, DecimalSign::point}) {
      if (!is_number && sign != DecimalSign::unknown) continue;
      const auto value = cell_value(kind, cell, sign);
      if (!value) {
        SIEGEL_ASSERT(value.error().category() == Errc::invalid);
        continue;
      }
      if (kind == CellKind::text) SIEGEL_ASSERT(*value == cell);
      // What the API takes is read as itself: a value never becomes another one on its second way in.
      if (kind == CellKind::integer || kind == CellKind::date || kind == CellKind::datetime ||
          kind == CellKind::boolean) {
        const auto again = cell_value(kind, *value, sign);
        SIEGEL_ASSERT(again && *again == *value);
      }
    }
  }
  const std::vector<std::string> choices{"a", "b", "a, b"};
  if (const auto list = cell_list(choices, cell)) {
    for (const auto& one : *list) SIEGEL_ASSERT(std::ranges::find(choices, one) != choices.end());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_chars({data, size}));
  (void)read(text, {});
  const auto sheet = read(text, kLimits);
  write_and_read(sheet);
  // Some are enough: each is an error with its text for most kinds, and those cost more than all the reading.
  std::set<std::string_view> tried;
  for (const auto& row : sheet.rows) {
    for (const auto& cell : row) {
      if (tried.size() < kCellsTried && tried.insert(cell).second) try_cell(cell);
    }
  }
  return 0;
}
