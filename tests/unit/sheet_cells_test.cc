#include "sheet/cells.h"

#include "support/catch.h"

using namespace siegel;
using namespace siegel::sheet;

namespace {

// The value, or "!" and the code of the refusal.
std::string read(CellKind kind, std::string_view cell, DecimalSign sign = DecimalSign::unknown) {
  const auto value = cell_value(kind, cell, sign);
  return value ? *value : "!" + std::string(value.error().code());
}

struct Case {
  const char* cell;
  const char* value;
};

}  // namespace

TEST_CASE("dates, German or ISO, become ISO or are refused", "[unit][sheet]") {
  for (const auto& [cell, value] :
       {Case{"31.12.1980", "1980-12-31"}, Case{"1.2.2003", "2003-02-01"}, Case{" 1980-12-31 ", "1980-12-31"},
        Case{"29.02.2024", "2024-02-29"}, Case{"29.02.2023", "!bad_date"}, Case{"31.12.80", "!two_digit_year"},
        Case{"12/31/1980", "!bad_date"}, Case{"31.12.", "!bad_date"}, Case{"0.1.2020", "!bad_date"},
        Case{"031.1.2020", "!bad_date"}, Case{"29585", "!bad_date"}, Case{"", ""}}) {
    CAPTURE(cell);
    CHECK(read(CellKind::date, cell) == value);
  }
}

TEST_CASE("decimals keep each digit that was written", "[unit][sheet]") {
  for (const auto& [cell, value] :
       {Case{"1.234,50", "1234.50"}, Case{"-35,01", "-35.01"}, Case{"8.000,01", "8000.01"},
        Case{"25.934,84", "25934.84"}, Case{"12.50", "12.50"}, Case{"1234.5", "1234.5"}, Case{"0,10", "0.10"},
        Case{"0.123", "0.123"}, Case{"1.234.567", "1234567"}, Case{"7", "7"},
        Case{"12345678901234567890123456,7", "12345678901234567890123456.7"},
        Case{"\xC2\xA0"
             "5,0 ",
             "5.0"}}) {
    CAPTURE(cell);
    CHECK(read(CellKind::decimal, cell) == value);
  }
}

TEST_CASE("a number with two readings, or none, is refused", "[unit][sheet]") {
  for (const auto& [cell, value] :
       {Case{"1.234", "!ambiguous_number"}, Case{"-12.000", "!ambiguous_number"}, Case{"1,234.50", "!bad_decimal"},
        Case{"1.23,4", "!bad_decimal"}, Case{"1.2345,6", "!bad_decimal"}, Case{",5", "!bad_decimal"},
        Case{"5,", "!bad_decimal"}, Case{"1e3", "!bad_decimal"}, Case{"12 \xE2\x82\xAC", "!bad_decimal"},
        Case{"--1", "!bad_decimal"}, Case{"-", "!bad_decimal"}, Case{"007,5", "!leading_zero"},
        Case{"1 234,5", "!bad_decimal"}, Case{"NaN", "!bad_decimal"}}) {
    CAPTURE(cell);
    CHECK(read(CellKind::decimal, cell) == value);
  }
}

TEST_CASE("who says what the point means gets that reading", "[unit][sheet]") {
  CHECK(read(CellKind::decimal, "1.234", DecimalSign::comma) == "1234");
  CHECK(read(CellKind::decimal, "1.234", DecimalSign::point) == "1.234");
  CHECK(read(CellKind::decimal, "1,5", DecimalSign::point) == "!bad_decimal");
  CHECK(read(CellKind::decimal, "1.5", DecimalSign::comma) == "!bad_decimal");
  CHECK(read(CellKind::integer, "1.234", DecimalSign::comma) == "1234");
}

TEST_CASE("whole numbers are whole", "[unit][sheet]") {
  for (const auto& [cell, value] :
       {Case{"42", "42"}, Case{"-7", "-7"}, Case{"0", "0"}, Case{"1.234.567", "1234567"},
        Case{"1.234", "!ambiguous_number"}, Case{"007", "!leading_zero"}, Case{"1,0", "!bad_integer"},
        Case{"1.5", "!bad_integer"}, Case{"zwölf", "!bad_integer"}}) {
    CAPTURE(cell);
    CHECK(read(CellKind::integer, cell) == value);
  }
}

TEST_CASE("yes and no in both languages", "[unit][sheet]") {
  for (const char* cell : {"ja", "JA", "true", "1", "Wahr", "yes"}) CHECK(read(CellKind::boolean, cell) == "true");
  for (const char* cell : {"nein", "Nein", "false", "0", "FALSCH", "no"})
    CHECK(read(CellKind::boolean, cell) == "false");
  for (const char* cell : {"x", "2", "jaja", "j"}) CHECK(read(CellKind::boolean, cell) == "!bad_boolean");
}

TEST_CASE("text stays as it stands", "[unit][sheet]") {
  for (const char* cell : {"007", " 12,50 ", "31.12.1980", "ja", "a\nb", "1.234"})
    CHECK(read(CellKind::text, cell) == cell);
  CHECK(read(CellKind::word, " aenne@example.org ") == "aenne@example.org");
  CHECK(kind_of_type("text") == CellKind::text);
  CHECK(kind_of_type("email") == CellKind::word);
  CHECK(kind_of_type("multichoice") == CellKind::list);
}

TEST_CASE("a time has its zone", "[unit][sheet]") {
  CHECK(read(CellKind::datetime, "2026-01-02T03:04:05+01:00") == "2026-01-02T03:04:05+01:00");
  CHECK(read(CellKind::datetime, "02.01.2026 03:04") == "!bad_datetime");
}

TEST_CASE("a list names choices only", "[unit][sheet]") {
  const std::vector<std::string> choices{"Post", "E-Mail", "Bonn, Köln"};
  const auto list = [&](std::string_view cell) {
    const auto items = cell_list(choices, cell);
    return items ? *items : std::vector<std::string>{"!" + std::string(items.error().code())};
  };
  using List = std::vector<std::string>;
  CHECK(list("Post, E-Mail") == List{"Post", "E-Mail"});
  CHECK(list("Bonn, Köln") == List{"Bonn, Köln"});
  CHECK(list("Bonn, Köln; Post") == List{"Bonn, Köln", "Post"});
  CHECK(list("") == List{});
  CHECK(list("Post, Fax") == List{"!bad_choice"});
}
