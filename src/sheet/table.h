// A slice of a spreadsheet as rows of cells, whatever the file was: pasted text, CSV, XLSX, ODS, NDJSON. The reader
// keeps one row in memory and what the format forces on it (shared strings, formats of cells), within TableLimits.
//
// A cell is what the file says, never what it might mean: its text, and the form under which the program that wrote the
// file kept it. Meaning (types, header, identity) is guess.h; values for the API are cells.h.
// Errors: Errc::invalid; the place (sheet, row, column) is in the context, a cell's content never is.
//   unknown_format   no spreadsheet, or one that this version does not read; the text names the fix
//   encrypted_file   protected by a password        damaged_file   a spreadsheet that cannot be read to its end
//   bad_csv bad_encoding   too_large (with limit_name, limit_value)   sheet_unknown
// Threads: one at a time. Lifetime: the bytes given to open_table() outlive the reader.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace siegel::sheet {

enum class Format : std::uint8_t { tsv, csv, xlsx, ods, ndjson };
std::string_view name_of(Format format) noexcept;

enum class CellForm : std::uint8_t {
  empty,
  text,      // as it stands, also every cell of pasted text, CSV and of JSON strings
  number,    // decimal digits, "-" and "." only: shortest text that is the number of the file ("0.1", "1000000")
  date,      // 2025-12-31
  datetime,  // 2025-12-31T23:59:59, local, without zone; fraction of at most three digits where there is one
  time,      // 23:59:59, or hours beyond 24 of a duration
  boolean,   // true | false
  error      // of a formula: #DIV/0!, #N/A, …; #NO_RESULT! where the file holds a formula without its result
};

struct Cell {
  CellForm form = CellForm::empty;
  std::string text;
  bool operator==(const Cell&) const = default;
};

struct Row {
  // As the program that wrote the file numbers it, from 1; of text and NDJSON: line of its beginning. The header that
  // stands for the member names of NDJSON has 0.
  std::uint64_t number = 0;
  bool hidden = false;      // by the user or a filter
  std::vector<Cell> cells;  // from the first column; trailing empty cells are left out
  bool operator==(const Row&) const = default;
};

struct SheetInfo {
  std::string name;
  bool hidden = false;
};

struct TableLimits {  // contract section 4, [limits]
  std::size_t cell_bytes_max = 32 * 1024;
  std::size_t columns_max = 1'000;
  std::uint64_t rows_max = 1'000'000;
  std::uint64_t unpacked_bytes_max = std::uint64_t{1} << 30;  // of all parts of a zip that are read
};

struct TableOptions {
  std::optional<Format> format;         // from Content-Type or file name; checked against the content, which wins
  std::optional<std::string> sheet;     // by name; else the first visible one that has cells
  std::optional<char> delimiter;        // of text
  std::optional<std::string> encoding;  // of text: "utf-8", "utf-16le", "utf-16be", "windows-1252"
  TableLimits limits;
};

// What is known once the file is open.
struct TableInfo {
  Format format = Format::csv;
  std::string encoding;            // of text, else empty
  char delimiter = '\0';           // of text; where there is one column only, a character that the text does not hold
  std::vector<SheetInfo> sheets;   // of workbooks
  std::string sheet;               // the one that is read
  std::uint64_t merged_cells = 0;  // regions in the sheet: only their first cell holds a value
};

class TableReader {
 public:
  virtual ~TableReader() = default;
  [[nodiscard]] virtual const TableInfo& info() const noexcept = 0;
  // The next row that has a cell; nothing at the end. After an error there are no more rows.
  virtual Result<std::optional<Row>> next() = 0;
};

Result<std::unique_ptr<TableReader>> open_table(ByteView bytes, const TableOptions& options);

}  // namespace siegel::sheet
