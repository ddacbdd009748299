// What a file is, by its content: the name and the content type of an upload say little. What is no table of ours is
// refused with a word on what to do instead.
#include "sheet/table.h"

#include <algorithm>

#include "sheet/ndjson.h"
#include "sheet/ods.h"
#include "sheet/text_table.h"
#include "sheet/xlsx.h"
#include "sheet/xlsx_book.h"
#include "sheet/zip.h"

namespace siegel::sheet {
namespace {

constexpr std::string_view kZip("PK\x03\x04", 4);
constexpr std::string_view kCompound("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8);
constexpr std::size_t kSampleBytes = 64 * 1024;

Error unknown(const char* what, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "unknown_format", what, at);
}

struct Signature {
  std::string_view begins;
  const char* what;
};
constexpr Signature kForeign[] = {
    {"%PDF-", "The file is a PDF; copy the table from it and paste it, or get the spreadsheet that it was made from."},
    {{"PK\x05\x06", 4}, "The file is an empty zip archive, no spreadsheet."},
    {"\x89PNG", "The file is a picture, no spreadsheet."},
    {"\xFF\xD8\xFF", "The file is a picture, no spreadsheet."},
    {"GIF8", "The file is a picture, no spreadsheet."},
    {"\x1F\x8B", "The file is packed (gzip); unpack it and send the spreadsheet within."},
    {"7z\xBC\xAF\x27\x1C", "The file is packed (7z); unpack it and send the spreadsheet within."},
    {"Rar!", "The file is packed (rar); unpack it and send the spreadsheet within."},
    {"{\\rtf", "The file is a text document (RTF); save the table as XLSX or CSV."},
    {"SQLite format 3", "The file is a database; export its table as CSV."},
    {{"\x09\x08\x10\x00", 4}, "The file is in the old Excel format (.xls); open it and save it as .xlsx."},
    {{"\x09\x08\x08\x00", 4}, "The file is in the old Excel format (.xls); open it and save it as .xlsx."},
};

// An entry of the directory of a compound file (MS-CFB 2.6.1) of this name, wherever the directory lies.
bool has_entry(std::string_view file, std::string_view name) {
  constexpr std::size_t kEntryBytes = 128, kNameLengthAt = 64, kTypeAt = 66;
  std::string wide;
  for (const char c : name) {
    wide += c;
    wide += '\0';
  }
  for (std::size_t at = 0; at + kEntryBytes <= file.size(); at += kEntryBytes) {
    const auto entry = file.substr(at, kEntryBytes);
    if (static_cast<std::size_t>(static_cast<unsigned char>(entry[kNameLengthAt])) != wide.size() + 2) continue;
    if (entry[kTypeAt] != 0 && entry.starts_with(wide)) return true;
  }
  return false;
}

Error refuse_compound(std::string_view file) {
  if (has_entry(file, "EncryptedPackage"))
    return Error(Errc::invalid, "encrypted_file", "The file is protected by a password; save it without one.");
  if (has_entry(file, "Workbook") || has_entry(file, "Book"))
    return unknown("The file is in the old Excel format (.xls); open it and save it as .xlsx.");
  return unknown("The file is an old Office document, no spreadsheet; save the table as .xlsx or CSV.");
}

Result<std::unique_ptr<TableReader>> open_zip(ByteView bytes, const TableOptions& options) {
  constexpr std::string_view kSpreadsheet = "application/vnd.oasis.opendocument.spreadsheet";  // also -template
  SIEGEL_TRY(zip, Zip::open(bytes, options.limits.unpacked_bytes_max));
  if (zip->has("mimetype")) {
    SIEGEL_TRY(type, zip->read_small("mimetype", 128));
    if (type.starts_with(kSpreadsheet)) return open_ods(std::move(zip), options);
    return unknown("The file is a document, but no spreadsheet; save the table as ODS, XLSX or CSV.");
  }
  SIEGEL_TRY(book_part, find_book_part(*zip));
  if (book_part.empty() && zip->has("xl/workbook.xml")) book_part = "xl/workbook.xml";
  if (book_part.ends_with(".bin") || zip->has("xl/workbook.bin"))
    return unknown("The file is a binary Excel workbook (.xlsb); open it and save it as .xlsx.");
  if (!book_part.empty()) return open_xlsx(std::move(zip), book_part, options);
  if (zip->has("content.xml")) return open_ods(std::move(zip), options);
  if (zip->has("Index/Document.iwa"))
    return unknown("The file is a Numbers document; export it as Excel (.xlsx) or CSV.");
  return unknown("The file is a zip archive; unpack it and send the spreadsheet within.");
}

bool begins_with_markup(std::string_view text) {
  text = text.substr(0, kSampleBytes);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  std::string begin(text.substr(0, 14));
  std::ranges::transform(begin, begin.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  for (const std::string_view tag : {"<!doctype", "<html", "<head", "<body", "<table", "<?xml", "<meta", "<style"})
    if (begin.starts_with(tag)) return true;
  return false;
}

// Text has hardly any control characters besides those of white space; zero bytes are the encoding's to judge.
bool is_binary(std::string_view text) {
  const auto sample = text.substr(0, kSampleBytes);
  const auto controls = std::ranges::count_if(sample, [](char c) {
    return (c > 0 && c < 0x20 && (c < '\t' || c > '\r') && c != 0x1A && c != 0x1F) || c == 0x7F;
  });
  return static_cast<std::size_t>(controls) * 50 > sample.size();
}

// One value over several lines, or an array of them.
bool is_json_document(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  const auto second = text.find_first_not_of(" \t\r\n", first + 1);
  if (second == std::string_view::npos) return false;
  if (text[first] == '[') return text[second] == '{';
  return text[first] == '{' && text[second] == '"' &&
         text.substr(first, second - first).find('\n') != std::string_view::npos;
}

}  // namespace

std::string_view name_of(Format format) noexcept {
  switch (format) {
    case Format::tsv:
      return "tsv";
    case Format::csv:
      return "csv";
    case Format::xlsx:
      return "xlsx";
    case Format::ods:
      return "ods";
    case Format::ndjson:
      return "ndjson";
  }
  return "";
}

Result<std::unique_ptr<TableReader>> open_table(ByteView bytes, const TableOptions& options) {
  const auto text = as_chars(bytes);
  if (text.starts_with(kZip)) return open_zip(bytes, options);
  if (text.starts_with(kCompound)) return refuse_compound(text);
  for (const auto& [begins, what] : kForeign)
    if (text.starts_with(begins)) return unknown(what);
  if (begins_with_markup(text))
    return unknown("The file is a web page or XML, whatever its name says; open it and save it as .xlsx or CSV.");
  if (is_binary(text)) return unknown("The file is no spreadsheet; send CSV, TSV, XLSX, ODS or NDJSON.");
  if (options.sheet)
    return Error(Errc::invalid, "sheet_unknown", "The file is no workbook, so it has no sheet of any name.");
  const bool begins_with_object = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF") != std::string_view::npos &&
                                  text[text.find_first_not_of(" \t\r\n\xEF\xBB\xBF")] == '{';
  if (is_json_document(text))
    return unknown("The file is a JSON document; send one object a line, without commas between them (NDJSON).");
  if (looks_like_ndjson(text) || (options.format == Format::ndjson && begins_with_object))
    return open_ndjson(bytes, options);
  return open_text(bytes, options);
}

}  // namespace siegel::sheet
