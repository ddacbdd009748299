// Rows of a CSV file from a stream, one at a time, as delimited.h parses them, strictly. UTF-8 with or without a byte
// order mark; comma, semicolon or tab, found from the header, or named by a line "sep=;" above it, which is no row and
// does not count. What can find out more about a file is table.h. Errors: Errc::invalid "bad_csv", "bad_encoding",
// "unknown_format" (a spreadsheet's own), "too_large"; the row is in the context, a cell's content never is.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sheet/delimited.h"

namespace siegel::sheet {

struct CsvLimits {  // contract section 4, [limits]
  std::size_t cell_bytes_max = 32 * 1024;
  std::size_t columns_max = 1000;
  std::uint64_t rows_max = 1'000'000;  // without the header
};

using CsvRow = std::vector<std::string>;

class CsvReader {
 public:
  explicit CsvReader(std::istream& in, CsvLimits limits = {});

  // The next row, the header first; nothing at the end of the file. Lines without any character are passed over, but
  // count. After an error there are no more rows.
  Result<std::optional<CsvRow>> next();

  [[nodiscard]] char delimiter() const noexcept { return delimiter_; }  // known after the first next()
  // Of the row last given; the header is row 1.
  [[nodiscard]] std::uint64_t row() const noexcept { return reader_.number(); }

 private:
  class Stream final : public TextSource {
   public:
    explicit Stream(std::istream& in) : in_(in) {}
    Result<bool> more(std::string& to) override;

   private:
    std::istream& in_;
    bool at_end_ = false;
  };
  Status begin();

  Stream stream_;
  DelimitedReader reader_;
  char delimiter_ = ',';
  bool begun_ = false;
};

// The row as one line with CRLF; quotes only where they are needed.
std::string csv_line(const CsvRow& row, char delimiter);

}  // namespace siegel::sheet
