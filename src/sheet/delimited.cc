#include "sheet/delimited.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace siegel::sheet {

DelimitedReader::DelimitedReader(TextSource& source, const DelimitedOptions& options)
    : source_(source), options_(options) {
  set_delimiter(options.delimiter);
}

void DelimitedReader::set_delimiter(char delimiter) {
  options_.delimiter = delimiter;
  std::fill(std::begin(plain_), std::end(plain_), true);
  for (const char c : {delimiter, '\n', '\r'}) plain_[static_cast<unsigned char>(c)] = false;
}

std::uint64_t DelimitedReader::number() const noexcept {
  return options_.numbering == Numbering::rows ? row_ : row_line_;
}

Error DelimitedReader::broken(const char* what) const {
  return Error(Errc::invalid, "bad_csv", what).with("row", number());
}

Error DelimitedReader::limit(const char* what, const char* name, std::uint64_t max) const {
  return Error(Errc::invalid, "too_large", what)
      .with("row", number())
      .with("limit_name", name)
      .with("limit_value", max);
}

// What was read stays valid from at_ on.
Result<bool> DelimitedReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  auto more = source_.more(buffer_);
  if (!more) return std::move(more).error().with("row", number());
  return *more;
}

Result<bool> DelimitedReader::at_end() {
  while (at_ == buffer_.size()) {
    SIEGEL_TRY(more, fill());
    if (!more) return true;
  }
  return false;
}

Result<std::string_view> DelimitedReader::peek(std::size_t bytes) {
  row_line_ = line_;
  while (buffer_.size() - at_ < bytes) {
    SIEGEL_TRY(more, fill());
    if (!more) break;
  }
  return std::string_view(buffer_).substr(at_);
}

void DelimitedReader::skip(std::size_t bytes) {
  count_lines(std::string_view(buffer_).substr(at_, bytes));
  at_ += bytes;
}

void DelimitedReader::count_lines(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'))) ++line_;
}

Status DelimitedReader::end_of_line() {
  const bool is_return = buffer_[at_++] == '\r';
  ++line_;
  if (!is_return) return Done{};
  SIEGEL_TRY(end, at_end());
  if (!end && buffer_[at_] == '\n') ++at_;
  return Done{};
}

// Past the delimiter or the line end that follows a cell.
Result<bool> DelimitedReader::end_of_cell() {
  SIEGEL_TRY(end, at_end());
  if (end) return true;
  if (buffer_[at_] == options_.delimiter) {
    ++at_;
    return false;
  }
  if (is_plain(buffer_[at_])) return broken("Characters follow the closing quote of a cell.");
  SIEGEL_CHECK(end_of_line());
  return true;
}

// `end`: of the cell that begins with a quote at at_, past its closing quote. It is in the buffer then.
Result<DelimitedReader::Quoted> DelimitedReader::find_quoted_end(std::size_t& end) {
  const auto raw_bytes_max = 2 * options_.cell_bytes_max + 2;  // every character may be a quote
  std::size_t seen = 1;                                        // from at_, which fill() moves
  for (;;) {
    const auto quote = buffer_.find('"', at_ + seen);
    seen = (quote == std::string::npos ? buffer_.size() : quote) - at_;
    if (seen > raw_bytes_max) return Quoted::too_long;
    if (quote == std::string::npos) {
      SIEGEL_TRY(more, fill());
      if (!more) return Quoted::open;
      continue;
    }
    if (at_ + seen + 1 == buffer_.size()) {  // what follows decides
      SIEGEL_TRY(more, fill());
      if (!more) break;
    }
    const char next = buffer_[at_ + seen + 1];
    if (next != '"') {
      end = at_ + seen + 1;
      return is_plain(next) ? Quoted::followed : Quoted::cell;
    }
    seen += 2;
  }
  end = buffer_.size();
  return Quoted::cell;
}

Status DelimitedReader::quoted_cell(std::string& out, std::size_t end) {
  const auto raw = std::string_view(buffer_).substr(at_, end - at_);
  count_lines(raw);
  const auto inner = raw.substr(1, raw.size() - 2);
  for (std::size_t i = 0; i < inner.size();) {
    const auto quote = std::min(inner.find('"', i), inner.size());
    out.append(inner, i, quote - i);
    if (quote < inner.size()) out += '"';
    i = quote + 2;  // of two quotes
  }
  at_ = end;
  if (out.size() > options_.cell_bytes_max)
    return limit("A cell is too long.", "cell_bytes_max", options_.cell_bytes_max);
  return Done{};
}

Status DelimitedReader::plain_cell(std::string& out) {
  for (;;) {
    auto end = at_;
    while (end < buffer_.size() && is_plain(buffer_[end])) ++end;
    out.append(buffer_, at_, end - at_);
    at_ = end;
    if (out.size() > options_.cell_bytes_max)
      return limit("A cell is too long.", "cell_bytes_max", options_.cell_bytes_max);
    if (at_ < buffer_.size()) return Done{};
    SIEGEL_TRY(done, at_end());
    if (done) return Done{};
  }
}

Status DelimitedReader::check(const std::string& cell) const {
  if (std::memchr(cell.data(), 0, cell.size()) != nullptr)
    return Error(Errc::invalid, "bad_encoding", "A cell holds a NUL byte; the file is no text.").with("row", number());
  if (!is_utf8(cell))
    return Error(Errc::invalid, "bad_encoding", "A cell is not UTF-8; in Excel, save the file as \"CSV UTF-8\".")
        .with("row", number());
  return Done{};
}

Status DelimitedReader::cell(std::string& out) {
  SIEGEL_TRY(end_of_text, at_end());
  if (end_of_text) return Done{};
  if (buffer_[at_] != '"') {
    SIEGEL_CHECK(plain_cell(out));
    return check(out);
  }
  std::size_t end = 0;
  SIEGEL_TRY(quoted, find_quoted_end(end));
  if (quoted == Quoted::cell) {
    SIEGEL_CHECK(quoted_cell(out, end));
  } else if (options_.quotes == Quotes::as_they_stand) {
    SIEGEL_CHECK(plain_cell(out));
  } else if (quoted == Quoted::open) {
    return broken("A quote is opened and never closed.");
  } else if (quoted == Quoted::followed) {
    return broken("Characters follow the closing quote of a cell.");
  } else {
    return limit("A cell is too long.", "cell_bytes_max", options_.cell_bytes_max);
  }
  return check(out);
}

Result<bool> DelimitedReader::next(std::vector<std::string>& cells) {
  cells.clear();
  if (ended_) return false;
  ended_ = true;  // until this row is whole
  for (++row_;; ++row_) {
    row_line_ = line_;
    SIEGEL_TRY(end, at_end());
    if (end) return false;
    if (buffer_[at_] != '\n' && buffer_[at_] != '\r') break;
    SIEGEL_CHECK(end_of_line());
  }
  if (rows_given_++ > options_.rows_max) return limit("The file has too many rows.", "rows_max", options_.rows_max);
  for (bool last = false; !last;) {
    if (cells.size() == options_.columns_max)
      return limit("A row has too many columns.", "columns_max", options_.columns_max);
    SIEGEL_CHECK(cell(cells.emplace_back()));
    SIEGEL_TRY(is_last, end_of_cell());
    last = is_last;
  }
  ended_ = false;
  return true;
}

}  // namespace siegel::sheet
