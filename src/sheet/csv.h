// Rows of a CSV file, one at a time (RFC 4180). UTF-8 with or without a byte order mark; comma, semicolon or tab, found
// from the header, or named by a line "sep=;" above it, which is no row and does not count; cells in quotes may hold
// delimiters, quotes ("" is one) and line breaks; lines end with LF, CRLF or CR. A quote inside a cell that does not
// begin with one is an ordinary character. Nothing is trimmed, guessed or repaired. Errors: Errc::invalid "bad_csv",
// "bad_encoding", "unknown_format" (a spreadsheet's own), "too_large"; the row is in the context, a cell's content
// never is.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace siegel::sheet {

struct CsvLimits {  // contract section 4, [limits]
  std::size_t cell_bytes_max = 32 * 1024;
  std::size_t columns_max = 1000;
  std::uint64_t rows_max = 1'000'000;  // without the header
};

using CsvRow = std::vector<std::string>;

class CsvReader {
 public:
  explicit CsvReader(std::istream& in, CsvLimits limits = {}) : in_(in), limits_(limits) {}

  // The next row, the header first; nothing at the end of the file. Lines without any character are passed over, but
  // count. After an error there are no more rows.
  Result<std::optional<CsvRow>> next();

  [[nodiscard]] char delimiter() const noexcept { return delimiter_; }  // known after the first next()
  [[nodiscard]] std::uint64_t row() const noexcept { return row_; }     // of the row last given; the header is row 1

 private:
  int peek();
  int take();
  bool fill();
  Status begin();
  Result<bool> cell(std::string& out);  // true: it was the last of its row
  Result<bool> end_of_cell();
  Error broken(const char* what) const;
  Error limit(const char* what, std::uint64_t max) const;

  std::istream& in_;
  CsvLimits limits_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t row_ = 0;
  std::uint64_t rows_given_ = 0;
  char delimiter_ = ',';
  bool at_end_ = false;  // of the stream, not of the buffer
  bool begun_ = false;
  bool ended_ = false;
};

// The row as one line with CRLF; quotes only where they are needed.
std::string csv_line(const CsvRow& row, char delimiter);

}  // namespace siegel::sheet
