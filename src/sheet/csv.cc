#include "sheet/csv.h"

#include <algorithm>

#include "base/text.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kHeaderBytesMax = 1024 * 1024;  // looked at to find the delimiter
constexpr int kEnd = -1;

// What stands most often outside of quotes in the first line; the earlier of two that stand equally often.
char delimiter_of(std::string_view text) {
  constexpr std::string_view kDelimiters = ";\t,";
  std::size_t counts[kDelimiters.size()] = {};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    if (const auto which = kDelimiters.find(c); which != std::string_view::npos) ++counts[which];
  }
  const auto* most = std::max_element(std::begin(counts), std::end(counts));
  return *most == 0 ? ',' : kDelimiters[static_cast<std::size_t>(most - std::begin(counts))];
}

bool is_line_end(int c) noexcept { return c == kEnd || c == '\n' || c == '\r'; }

// "sep=;" on a line of its own, as spreadsheets write and read it.
std::optional<char> named_delimiter(std::string_view text) {
  constexpr std::string_view kWord = "sep=";
  if (text.size() <= kWord.size()) return {};
  for (std::size_t i = 0; i < kWord.size(); ++i)
    if ((text[i] | 0x20) != kWord[i]) return {};
  const char named = text[kWord.size()];
  const auto rest = text.substr(kWord.size() + 1);
  const bool is_alone = rest.empty() || is_line_end(static_cast<unsigned char>(rest.front()));
  return is_alone && std::string_view(";,\t|").find(named) != std::string_view::npos ? std::optional(named)
                                                                                     : std::nullopt;
}

bool is_header_whole(std::string_view text) {
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) return true;
  }
  return false;
}

}  // namespace

Error CsvReader::broken(const char* what) const { return Error(Errc::invalid, "bad_csv", what).with("row", row_); }

Error CsvReader::limit(const char* what, std::uint64_t max) const {
  return Error(Errc::invalid, "too_large", what).with("row", row_).with("limit", max);
}

bool CsvReader::fill() {
  if (at_end_) return false;  // the end is asked for several times
  buffer_.erase(0, at_);
  at_ = 0;
  const auto had = buffer_.size();
  buffer_.resize(had + kReadBytes);
  in_.read(buffer_.data() + had, static_cast<std::streamsize>(kReadBytes));
  const auto read = static_cast<std::size_t>(in_.gcount());
  at_end_ = read < kReadBytes;
  buffer_.resize(had + read);
  return buffer_.size() > had;
}

int CsvReader::peek() {
  if (at_ == buffer_.size() && !fill()) return kEnd;
  return static_cast<unsigned char>(buffer_[at_]);
}

int CsvReader::take() {
  const int c = peek();
  if (c != kEnd) ++at_;
  return c;
}

Status CsvReader::begin() {
  begun_ = true;
  bool more = fill();
  while (more && buffer_.size() < kHeaderBytesMax && !is_header_whole(buffer_)) more = fill();
  const std::string_view text = buffer_;
  const auto has_magic = [&](std::string_view magic) { return text.starts_with(magic); };
  if (has_magic("PK\x03\x04") || has_magic("\xD0\xCF\x11\xE0"))
    return Error(Errc::invalid, "unknown_format",
                 "This is a spreadsheet file (XLSX, ODS, XLS); save the sheet as \"CSV UTF-8\".");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return Error(Errc::invalid, "bad_encoding", "The file is UTF-16; save it as \"CSV UTF-8\".").with("row", 1);
  if (text.starts_with("\xEF\xBB\xBF")) at_ = 3;
  if (const auto named = named_delimiter(text.substr(at_))) {
    delimiter_ = *named;
    while (!is_line_end(peek())) take();
    static_cast<void>(end_of_cell());
  } else {
    delimiter_ = delimiter_of(text.substr(at_));
  }
  return Done{};
}

// Past the delimiter or the line end that follows a cell.
Result<bool> CsvReader::end_of_cell() {
  const int c = take();
  if (c == static_cast<unsigned char>(delimiter_)) return false;
  if (c == '\r' && peek() == '\n') take();
  if (c == kEnd || c == '\n' || c == '\r') return true;
  return broken("Characters follow the closing quote of a cell.");
}

Result<bool> CsvReader::cell(std::string& out) {
  const bool quoted = peek() == '"';
  if (quoted) take();
  for (;;) {
    const int c = peek();
    if (quoted) {
      if (c == kEnd) return broken("A quote is opened and never closed.");
      take();
      if (c == '"' && peek() != '"') break;
      if (c == '"') take();
    } else {
      if (c == kEnd || c == '\n' || c == '\r' || c == static_cast<unsigned char>(delimiter_)) break;
      take();
    }
    if (out.size() == limits_.cell_bytes_max) return limit("A cell is too long.", limits_.cell_bytes_max);
    out.push_back(static_cast<char>(c));
  }
  if (out.find('\0') != std::string::npos)
    return Error(Errc::invalid, "bad_encoding", "A cell holds a NUL byte; the file is no text in UTF-8.")
        .with("row", row_);
  if (!is_utf8(out))
    return Error(Errc::invalid, "bad_encoding", "A cell is not UTF-8; in Excel, save the file as \"CSV UTF-8\".")
        .with("row", row_);
  return end_of_cell();
}

Result<std::optional<CsvRow>> CsvReader::next() {
  if (ended_) return std::optional<CsvRow>{};
  ended_ = true;  // until this row is whole
  if (!begun_) SIEGEL_CHECK(begin());
  ++row_;
  for (;; ++row_) {
    const int c = peek();
    if (c == kEnd) return std::optional<CsvRow>{};
    if (c != '\n' && c != '\r') break;
    SIEGEL_CHECK(end_of_cell());
  }
  if (rows_given_++ > limits_.rows_max) return limit("The file has too many rows.", limits_.rows_max);
  CsvRow row;
  for (bool last = false; !last;) {
    if (row.size() == limits_.columns_max) return limit("A row has too many columns.", limits_.columns_max);
    SIEGEL_TRY(is_last, cell(row.emplace_back()));
    last = is_last;
  }
  ended_ = false;
  return std::optional<CsvRow>(std::move(row));
}

std::string csv_line(const CsvRow& row, char delimiter) {
  const std::string special = std::string("\"\r\n") + delimiter;
  if (row.size() == 1 && row[0].empty()) return "\"\"\r\n";  // an empty line would be passed over
  std::string out;
  for (const auto& cell : row) {
    if (&cell != &row.front()) out += delimiter;
    if (cell.find_first_of(special) == std::string::npos) {
      out += cell;
      continue;
    }
    out += '"';
    for (const char c : cell) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  return out += "\r\n";
}

}  // namespace siegel::sheet
