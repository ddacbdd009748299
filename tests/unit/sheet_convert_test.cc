#include "sheet/formats.h"
#include "support/catch.h"
#include "support/sheet_columns.h"

using namespace siegel;
using namespace siegel::sheet;
using test::cell_of;

namespace {

// The value, "null", "!" and the code of the refusal, or the items between bars.
std::string read(ColumnType type, const ColumnStyle& style, std::string_view cell, Fit fit = Fit::readable) {
  const auto value = convert(type, style, cell_of(cell), fit);
  if (!value) return "!" + std::string(value.error().code());
  if (const auto* text = std::get_if<std::string>(&*value)) return *text;
  const auto* items = std::get_if<std::vector<std::string>>(&*value);
  if (items == nullptr) return "null";
  std::string out = "|";
  for (const auto& item : *items) out += item + "|";
  return out;
}

struct Case {
  ColumnType type;
  const char* cell;
  const char* value;
};

}  // namespace

TEST_CASE("G5 a type that the user chose takes what fits and refuses the rest", "[unit][sheet][G5]") {
  using enum ColumnType;
  const ColumnStyle unknown;
  for (const auto& [type, cell, value] : {Case{integer, "12", "12"},
                                          Case{integer, "zwölf", "!bad_integer"},
                                          Case{integer, "007", "!leading_zero"},
                                          Case{integer, "1,5", "!bad_integer"},
                                          Case{integer, "1.234", "!ambiguous_number"},
                                          Case{integer, "1.234.567", "1234567"},
                                          Case{integer, "-0", "!bad_integer"},
                                          Case{integer, "", "null"},
                                          Case{integer, " ", "null"},
                                          Case{integer, "12345678901234567890", "12345678901234567890"},
                                          Case{integer, "123456789012345678901234567890123456789", "!too_long_number"},
                                          Case{decimal, "-35,01", "-35.01"},
                                          Case{decimal, "8.000,01", "8000.01"},
                                          Case{decimal, "1,234", "!ambiguous_number"},
                                          Case{decimal, "1/2", "!bad_decimal"},
                                          Case{decimal, "=number:1.234", "1.234"},
                                          Case{decimal, "=error:#DIV/0!", "!formula_error"},
                                          Case{decimal, "=date:2025-12-31", "!bad_decimal"},
                                          Case{date, "31.12.2025", "2025-12-31"},
                                          Case{date, "12/31/2025", "2025-12-31"},
                                          Case{date, "31/12/2025", "2025-12-31"},
                                          Case{date, "01/02/2025", "!ambiguous_date"},
                                          Case{date, "05/05/2025", "2025-05-05"},
                                          Case{date, "30.02.2025", "!bad_date"},
                                          Case{date, "31.12.80", "!two_digit_year"},
                                          Case{date, "45000", "!bad_date"},
                                          Case{date, "=number:45000", "!bad_date"},
                                          Case{date, "=date:2025-12-31", "2025-12-31"},
                                          Case{date, "=datetime:2025-12-31T00:00:00", "2025-12-31"},
                                          Case{date, "=datetime:2025-12-31T10:00:00", "!bad_date"},
                                          Case{date, "1.2.2025", "2025-02-01"},
                                          Case{datetime, "31.12.2025 10:30", "!time_without_zone"},
                                          Case{datetime, "2025-12-31T23:59:59+01:00", "2025-12-31T22:59:59Z"},
                                          Case{datetime, "gestern", "!bad_datetime"},
                                          Case{datetime, "=datetime:2025-12-31T10:00:00", "!time_without_zone"},
                                          Case{boolean, "Ja", "true"},
                                          Case{boolean, "0", "false"},
                                          Case{boolean, "=boolean:true", "true"},
                                          Case{boolean, "vielleicht", "!bad_boolean"},
                                          Case{boolean, "", "null"},
                                          Case{email, "Anna@Example.ORG", "Anna@example.org"},
                                          Case{email, "anna", "!bad_email"},
                                          Case{phone, "0521/12345", "0521/12345"},
                                          Case{phone, "anrufen", "!bad_phone"},
                                          Case{phone, "12", "!bad_phone"},
                                          Case{url, "https://example.org", "https://example.org"},
                                          Case{url, "example.org", "!bad_url"},
                                          Case{choice, "rot", "!bad_choice"},
                                          Case{multichoice, "rot", "!bad_choice"},
                                          Case{text, "007", "007"},
                                          Case{text, " 1/2 ", " 1/2 "},
                                          Case{text, "=number:0.1", "0.1"},
                                          Case{text, "=error:#N/A", "#N/A"},
                                          Case{text, "a\nb", "!line_break"},
                                          Case{multiline, "a\nb", "a\nb"}}) {
    CAPTURE(name_of(type), cell);
    CHECK(read(type, unknown, cell) == value);
  }
  CHECK(read(text, unknown, std::string(40'000, 'a')) == "!too_long");
}

TEST_CASE("the style says which of two readings is meant", "[unit][sheet]") {
  ColumnStyle german, english;
  german.number = {DecimalSign::comma, "."};
  german.date = {DateOrder::day_month_year, '/', true, true, ""};
  english.number = {DecimalSign::point, ","};
  english.date = {DateOrder::month_day_year, '/', true, true, ""};
  CHECK(read(ColumnType::decimal, german, "1.234") == "1234");
  CHECK(read(ColumnType::decimal, english, "1.234") == "1.234");
  CHECK(read(ColumnType::decimal, german, "1,234") == "1.234");
  CHECK(read(ColumnType::decimal, english, "1,234") == "1234");
  CHECK(read(ColumnType::decimal, german, "1.5") == "!bad_decimal");
  CHECK(read(ColumnType::date, german, "01/02/2025") == "2025-02-01");
  CHECK(read(ColumnType::date, english, "01/02/2025") == "2025-01-02");
  CHECK(read(ColumnType::date, german, "12/31/2025") == "!bad_date");
  CHECK(read(ColumnType::date, english, "01.02.2025") == "2025-02-01");
}

TEST_CASE("what a proposal takes is given back, or refused", "[unit][sheet][G2]") {
  ColumnStyle style;
  style.date = {DateOrder::day_month_year, '.', true, true, ""};
  style.number = {DecimalSign::comma, "."};
  CHECK(read(ColumnType::date, style, "01.02.2025", Fit::exact) == "2025-02-01");
  CHECK(read(ColumnType::date, style, "1.2.2025", Fit::exact) == "!other_spelling");
  CHECK(read(ColumnType::date, style, "2025-02-01", Fit::exact) == "!other_spelling");
  CHECK(read(ColumnType::decimal, style, "1234,5", Fit::exact) == "!other_spelling");
  CHECK(read(ColumnType::decimal, style, "1.234,5", Fit::exact) == "1234.5");
  CHECK(read(ColumnType::email, style, "a@EXAMPLE.org", Fit::exact) == "!other_spelling");
  CHECK(read(ColumnType::boolean, style, "ja", Fit::exact) == "!other_spelling");
}

TEST_CASE("phone numbers are E.164 with the country of the configuration", "[unit][sheet]") {
  ColumnStyle style;
  style.phone = PhoneStyle::international;
  for (const auto& [cell, value] :
       {std::pair("+49 521 12345", "+4952112345"), std::pair("0521/12345", "+4952112345"),
        std::pair("0049 521 12345", "+4952112345"), std::pair("+49 (0) 521 - 123.45", "+4952112345"),
        std::pair("+49 0521 12345", "!bad_phone"), std::pair("521 12345", "!bad_phone"),
        std::pair("0123", "!bad_phone"), std::pair("+1 202 555 0100", "+12025550100"), std::pair("+", "!bad_phone"),
        std::pair("+1234567890123456", "!bad_phone"), std::pair("0521 12345 ab", "!bad_phone")}) {
    CAPTURE(cell);
    CHECK(read(ColumnType::phone, style, cell) == value);
  }
  style.country = "AT";
  CHECK(read(ColumnType::phone, style, "01 5123456") == "+4315123456");
  style.country = "US";
  CHECK(read(ColumnType::phone, style, "0521 12345") == "!bad_phone");
  style.country = "DE";
  style.phone = PhoneStyle::national;
  CHECK(format(ColumnType::phone, style, CellValue("+4952112345")) == "052112345");
  CHECK(read(ColumnType::phone, style, "0521 12345", Fit::exact) == "+4952112345");
  CHECK(read(ColumnType::phone, style, "+49 521 12345", Fit::exact) == "!other_spelling");
}

TEST_CASE("values are written in the style of their column", "[unit][sheet]") {
  ColumnStyle style;
  style.number = {DecimalSign::comma, "."};
  CHECK(format(ColumnType::decimal, style, CellValue("-1234567.50")) == "-1.234.567,50");
  CHECK(format(ColumnType::integer, style, CellValue("123")) == "123");
  style.number = {DecimalSign::point, "'"};
  CHECK(format(ColumnType::decimal, style, CellValue("1234.5")) == "1'234.5");
  style.date = {DateOrder::day_month_year, '.', false, false, ""};
  CHECK(format(ColumnType::date, style, CellValue("2025-02-01")) == "1.2.2025");
  style.date = {DateOrder::month_day_year, '/', true, true, " 00:00"};
  CHECK(format(ColumnType::date, style, CellValue("2025-02-01")) == "02/01/2025 00:00");
  style.offset_is_z = false;
  style.offset_minutes = -210;
  CHECK(format(ColumnType::datetime, style, CellValue("2025-12-31T22:59:59Z")) == "2025-12-31T19:29:59-03:30");
  style.boolean = {"x", ""};
  CHECK(format(ColumnType::boolean, style, CellValue("true")) == "x");
  CHECK(format(ColumnType::boolean, style, CellValue("false")).empty());
  CHECK(format(ColumnType::multichoice, style, CellValue(std::vector<std::string>{"a", "b"})) == "a; b");
  CHECK(format(ColumnType::text, style, CellValue()).empty());
}

TEST_CASE("an empty cell in a column of crosses is a no", "[unit][sheet]") {
  ColumnStyle style;
  style.boolean = {"x", ""};
  CHECK(read(ColumnType::boolean, style, "x") == "true");
  CHECK(read(ColumnType::boolean, style, "") == "false");
  CHECK(read(ColumnType::boolean, style, "y") == "!bad_boolean");
}

TEST_CASE("lists name each choice once", "[unit][sheet]") {
  ColumnStyle style;
  style.choices = {"Post", "E-Mail"};
  CHECK(read(ColumnType::multichoice, style, "Post; E-Mail") == "|Post|E-Mail|");
  CHECK(read(ColumnType::multichoice, style, "Post") == "|Post|");
  CHECK(read(ColumnType::multichoice, style, "") == "null");
  CHECK(read(ColumnType::multichoice, style, "Post; Post") == "!bad_choice");
  CHECK(read(ColumnType::multichoice, style, "Post;") == "!bad_choice");
  CHECK(read(ColumnType::choice, style, " Post ") == "Post");
}

TEST_CASE("types have the names of the contract", "[unit][sheet]") {
  for (const char* name : {"text", "multiline", "email", "phone", "url", "integer", "decimal", "date", "datetime",
                           "boolean", "choice", "multichoice"}) {
    REQUIRE(parse_column_type(name));
    CHECK(name_of(*parse_column_type(name)) == name);
  }
  CHECK_FALSE(parse_column_type("geo"));
}
