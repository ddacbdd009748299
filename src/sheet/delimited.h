// The one parser of delimited text (RFC 4180): rows of cells in UTF-8 from a source of chunks. Cells in quotes hold
// delimiters, quotes ("" is one) and line breaks; lines end with LF, CRLF or CR; a quote inside a cell that does not
// begin with one is an ordinary character. Nothing is trimmed, guessed or repaired.
// Errors: Errc::invalid bad_csv, bad_encoding, too_large; with the row, never with a cell's content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace siegel::sheet {

class TextSource {
 public:
  virtual ~TextSource() = default;
  // Appends the next bytes in UTF-8; false: there are none left.
  virtual Result<bool> more(std::string& to) = 0;
};

// A cell that begins with a quote, but does not end as a cell in quotes does. Spreadsheets put quotes around a cell
// only where they need them when it is copied: "Anna" Maier then is a cell as it stands. In a file it is an error.
enum class Quotes : std::uint8_t { strict, as_they_stand };
enum class Numbering : std::uint8_t { rows, lines };  // a cell of three lines counts once, or three times

struct DelimitedOptions {
  char delimiter = ',';
  Quotes quotes = Quotes::strict;
  Numbering numbering = Numbering::rows;
  std::size_t cell_bytes_max = 0;
  std::size_t columns_max = 0;
  std::uint64_t rows_max = 0;  // without the header
};

class DelimitedReader {
 public:
  DelimitedReader(TextSource& source, const DelimitedOptions& options);

  // Before the first next(): the text's beginning, of at least so many bytes if there are.
  Result<std::string_view> peek(std::size_t bytes);
  void skip(std::size_t bytes);                            // of what peek() showed; whole lines count
  void drop(std::size_t bytes) noexcept { at_ += bytes; }  // the same, and nothing counts
  void set_delimiter(char delimiter);
  void set_quotes(Quotes quotes) noexcept { options_.quotes = quotes; }
  void end() noexcept { ended_ = true; }  // there are no more rows

  // The next row into `cells`; false at the end. Lines without any character are passed over, but count. After an
  // error there are no more rows.
  Result<bool> next(std::vector<std::string>& cells);
  [[nodiscard]] std::uint64_t number() const noexcept;  // of the row last given, from 1

 private:
  enum class Quoted : std::uint8_t { cell, open, followed, too_long };
  Result<bool> fill();
  Result<bool> at_end();
  bool is_plain(char c) const noexcept { return plain_[static_cast<unsigned char>(c)]; }
  Result<Quoted> find_quoted_end(std::size_t& end);
  Status cell(std::string& out);
  Status plain_cell(std::string& out);
  Status quoted_cell(std::string& out, std::size_t end);
  Status check(const std::string& cell) const;
  Result<bool> end_of_cell();  // true: and of the row
  Status end_of_line();
  void count_lines(std::string_view text) noexcept;
  Error broken(const char* what) const;
  Error limit(const char* what, const char* name, std::uint64_t max) const;

  TextSource& source_;
  DelimitedOptions options_;
  bool plain_[256] = {};  // neither delimiter nor line end
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t row_ = 0;
  std::uint64_t line_ = 1;      // of what comes next
  std::uint64_t row_line_ = 1;  // of the beginning of the row last given
  std::uint64_t rows_given_ = 0;
  bool ended_ = false;
};

}  // namespace siegel::sheet
