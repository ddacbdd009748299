#include "bench/workbook.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <minizip/zip.h>

namespace siegel::bench {
namespace {

constexpr const char* kDate = " s=\"1\"";
constexpr std::pair<const char*, const char*> kFixed[] = {
    {"[Content_Types].xml",
     R"(<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">)"
     R"(<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>)"
     R"(<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>)"
     R"(<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>)"
     R"(<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>)"
     R"(<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>)"},
    {"_rels/.rels",
     R"(<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">)"
     R"(<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>)"},
    {"xl/workbook.xml",
     R"(<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" )"
     R"(xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Kunden" sheetId="1" r:id="rId1"/></sheets></workbook>)"},
    {"xl/_rels/workbook.xml.rels",
     R"(<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">)"
     R"(<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>)"
     R"(<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>)"
     R"(<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>)"},
    {"xl/styles.xml",
     R"(<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">)"
     R"(<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>)"}};
constexpr const char* kSheetBegin =
    R"(<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>)";
constexpr const char* kSheetEnd = "</sheetData></worksheet>";
constexpr const char* kStringsBegin =
    R"(<?xml version="1.0" encoding="UTF-8"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">)";
constexpr const char* kStringsEnd = "</sst>";

std::string letters_of(std::size_t column) {  // 0: A
  std::string out;
  for (++column; column > 0; column = (column - 1) / 26)
    out.insert(out.begin(), static_cast<char>('A' + (column - 1) % 26));
  return out;
}

bool add(zipFile zip, const char* name, const std::string& content) {
  constexpr int kFastest = 1;
  return zipOpenNewFileInZip(zip, name, nullptr, nullptr, 0, nullptr, 0, nullptr, Z_DEFLATED, kFastest) == ZIP_OK &&
         zipWriteInFileInZip(zip, content.data(), static_cast<unsigned>(content.size())) == ZIP_OK &&
         zipCloseFileInZip(zip) == ZIP_OK;
}

}  // namespace

void Workbook::begin_cell(const char* attributes) {
  row_ += "<c r=\"" + letters_of(column_++) + std::to_string(row_number_ + 1) + '"' + attributes + "><v>";
}

// The texts of the benchmark hold nothing that XML would mind.
void Workbook::text(const std::string& text) {
  const auto [known, is_new] = known_.try_emplace(text, known_.size());
  if (is_new) strings_ += "<si><t>" + text + "</t></si>";
  begin_cell(" t=\"s\"");
  row_ += std::to_string(known->second) + "</v></c>";
}

void Workbook::number(std::string_view digits) {
  begin_cell("");
  row_.append(digits).append("</v></c>");
}

void Workbook::date(int year, int month, int day) {
  using namespace std::chrono;
  const sys_days begin = 1899y / December / 30;
  const sys_days at = std::chrono::year(year) / month / day;
  begin_cell(kDate);
  row_ += std::to_string((at - begin).count()) + "</v></c>";
}

void Workbook::end_row() {
  rows_ += "<row r=\"" + std::to_string(++row_number_) + "\">" + row_ + "</row>";
  row_.clear();
  column_ = 0;
}

Result<std::string> Workbook::finish() const {
  const Error failed(Errc::unavailable, "workbook_failed", "The workbook of the benchmark cannot be written.");
  auto path = (std::filesystem::temp_directory_path() / "siegel-bench-XXXXXX").string();
  const int file = ::mkstemp(path.data());
  if (file < 0) return failed;
  ::close(file);
  const auto zip = zipOpen(path.c_str(), APPEND_STATUS_CREATE);
  bool good = zip != nullptr;
  for (const auto& [name, content] : kFixed) good = good && add(zip, name, content);
  good = good && add(zip, "xl/worksheets/sheet1.xml", kSheetBegin + rows_ + kSheetEnd);
  good = good && add(zip, "xl/sharedStrings.xml", kStringsBegin + strings_ + kStringsEnd);
  if (zip != nullptr) good = zipClose(zip, nullptr) == ZIP_OK && good;
  std::ifstream in(path, std::ios::binary);
  std::string out{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(path);
  if (!good) return failed;
  return out;
}

}  // namespace siegel::bench
