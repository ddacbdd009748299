// The cells of an export: what the reader of sheets makes of them again, and what no spreadsheet may run.
#include "http/csv.h"

#include <sstream>
#include <vector>

#include "sheet/csv.h"
#include "support/catch.h"

namespace {

using namespace siegel;

std::string cell(FieldType type, const Value& value) {
  std::string out;
  http::append_csv_value(out, type, value);
  return out;
}

TEST_CASE("a table of any texts is read again as it was", "[unit][http]") {
  const std::vector<std::string> texts{
      "Änne \"Anna\" Müller", "eins\nzwei\r\ndrei", "a;b,c\td", "", " ", "007", "'x", "ß"};
  std::string table(http::kCsvMark);
  for (int line = 0; line < 2; ++line) {
    for (const auto& text : texts) {
      if (&text != &texts.front()) table += ',';
      http::append_csv_value(table, FieldType::multiline, Value(text));
    }
    table += "\r\n";
  }
  std::istringstream in(table);
  sheet::CsvReader reader(in);
  for (int line = 0; line < 2; ++line) {
    const auto row = reader.next();
    REQUIRE(row);
    REQUIRE(*row);
    CHECK(**row == texts);
  }
}

TEST_CASE("what a spreadsheet would run has an apostrophe in front", "[unit][http]") {
  for (const std::string text : {"=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"}) {
    for (const auto type : {FieldType::text, FieldType::multiline, FieldType::email, FieldType::choice}) {
      const auto shown = cell(type, Value(text));
      CHECK(shown.starts_with("\"'"));
      CHECK(shown.size() == text.size() + 3);
    }
    CHECK(cell(FieldType::multichoice, Value(std::vector<std::string>{text, "b"})).starts_with("\"'"));
  }
  CHECK(cell(FieldType::text, Value(std::string("a=b"))) == "\"a=b\"");
}

TEST_CASE("numbers and telephone numbers stand as they are, lists with semicolons", "[unit][http]") {
  CHECK(cell(FieldType::integer, Value(std::string("-7"))) == "\"-7\"");
  CHECK(cell(FieldType::decimal, Value(std::string("-35.01"))) == "\"-35.01\"");
  CHECK(cell(FieldType::phone, Value(std::string("+49 30 23125001"))) == "\"+49 30 23125001\"");
  CHECK(cell(FieldType::geo, Value(std::string("-33,151.2"))) == "\"-33,151.2\"");
  CHECK(cell(FieldType::multichoice, Value(std::vector<std::string>{"Turnen", "Schach"})) == "\"Turnen; Schach\"");
  CHECK(cell(FieldType::text, Value(Null{})) == "\"\"");
}

}  // namespace
