#include "sheet/csv.h"

#include <algorithm>

#include "sheet/delimiter.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kHeaderBytesMax = 1024 * 1024;  // looked at to find the delimiter
constexpr std::string_view kNamed = ";,\t|";          // by an instruction
constexpr std::string_view kMark = "\xEF\xBB\xBF";

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

bool is_header_whole(std::string_view text) {
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) return true;
  }
  return false;
}

}  // namespace

CsvReader::CsvReader(std::istream& in, CsvLimits limits)
    : stream_(in),
      reader_(
          stream_,
          {.cell_bytes_max = limits.cell_bytes_max, .columns_max = limits.columns_max, .rows_max = limits.rows_max}) {}

Result<bool> CsvReader::Stream::more(std::string& to) {
  if (at_end_) return false;  // the end is asked for several times
  const auto had = to.size();
  to.resize(had + kReadBytes);
  in_.read(to.data() + had, static_cast<std::streamsize>(kReadBytes));
  const auto read = static_cast<std::size_t>(in_.gcount());
  at_end_ = read < kReadBytes;
  to.resize(had + read);
  return read > 0;
}

Status CsvReader::begin() {
  begun_ = true;
  SIEGEL_TRY(text, reader_.peek(kReadBytes));
  for (bool grew = true; grew && text.size() < kHeaderBytesMax && !is_header_whole(text);) {
    const auto had = text.size();
    SIEGEL_TRY(longer, reader_.peek(had + 1));
    text = longer;  // what was shown before is gone
    grew = text.size() > had;
  }
  if (text.starts_with("PK\x03\x04") || text.starts_with("\xD0\xCF\x11\xE0"))
    return Error(Errc::invalid, "unknown_format",
                 "This is a spreadsheet file (XLSX, ODS, XLS); save the sheet as \"CSV UTF-8\".");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return Error(Errc::invalid, "bad_encoding", "The file is UTF-16; save it as \"CSV UTF-8\".").with("row", 1);
  if (text.starts_with(kMark)) {
    text.remove_prefix(kMark.size());
    reader_.skip(kMark.size());
  }
  const auto instruction = instruction_bytes(text);
  if (instruction != 0 && kNamed.find(text[kInstructionAt]) != std::string_view::npos) {
    delimiter_ = text[kInstructionAt];
    reader_.drop(instruction);
  } else {
    delimiter_ = delimiter_of(text);
  }
  reader_.set_delimiter(delimiter_);
  return Done{};
}

Result<std::optional<CsvRow>> CsvReader::next() {
  if (!begun_) {
    if (auto begun = begin(); !begun) {
      reader_.end();
      return Error(std::move(begun).error());
    }
  }
  CsvRow row;
  SIEGEL_TRY(found, reader_.next(row));
  if (!found) return std::optional<CsvRow>{};
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
