#include <cmath>
#include <cstdio>

#include "sheet/number.h"
#include "sheet/shared_strings.h"
#include "support/catch.h"
#include "support/seeded_random.h"

using namespace siegel;
using namespace siegel::sheet;

TEST_CASE("a number is spelled with digits only and stays the same", "[unit][sheet]") {
  const auto is = [](std::string_view text, std::optional<std::string> plain) {
    CAPTURE(text);
    CHECK(plain_number(text) == plain);
  };
  is("0", "0");
  is("-0.00", "0");
  is("007", "7");
  is("1.50", "1.5");
  is("100", "100");
  is("-1.5E-3", "-0.0015");
  is("1.5e+3", "1500");
  is("12E-1", "1.2");
  is(".5", "0.5");
  is("5.", "5");
  is("123456789012345678901234567890.10", "123456789012345678901234567890.1");
  is("0.10000000000000001", "0.10000000000000001");
  for (const char* none :
       {"", "-", "+", ".", "1,5", "1e", "1e+-2", "0x1", "1 ", "nan", "inf", "1e999", "--1", "1e99999999999"})
    is(none, std::nullopt);
}

TEST_CASE("a binary fraction is the shortest text that means it", "[unit][sheet]") {
  CHECK(shortest_number("0.10000000000000001") == "0.1");
  CHECK(shortest_number("0.30000000000000004") == "0.30000000000000004");
  CHECK(shortest_number("8000.0100000000002") == "8000.01");
  CHECK(shortest_number("1E-3") == "0.001");
  CHECK(shortest_number("12345678901234567") == "12345678901234567");          // whole: as it stands
  CHECK(shortest_number("0.1234567890123456789") == "0.1234567890123456789");  // more than such a program writes
}

TEST_CASE("any double comes back from its shortest spelling", "[unit][sheet]") {
  test::SeededRandom random(4);
  for (int i = 0; i < 20'000; ++i) {
    const double value =
        static_cast<double>(random.next() >> 11) * std::pow(10.0, static_cast<double>(random.below(60)) - 40.0);
    char written[64];
    std::snprintf(written, sizeof written, "%.17g", value);
    CAPTURE(std::string(written));
    const auto text = shortest_number(written);
    REQUIRE(text);
    CHECK(std::stod(*text) == value);
    CHECK(text->find_first_not_of("0123456789.") == std::string::npos);
  }
}

TEST_CASE("a format of zeros keeps the digits of a whole number", "[unit][sheet]") {
  CHECK(digits_of_format("00000") == 5);
  CHECK(digits_of_format("000;-000") == 3);
  for (const char* code : {"0", "", "0.00", "#00", "00000\"x\"", "General", "00 000"}) {
    CAPTURE(code);
    CHECK(digits_of_format(code) == 0);
  }
  CHECK(digits_of_format(std::string(33, '0')) == 0);
  CHECK(with_digits({CellForm::number, "1067"}, 5) == Cell{CellForm::text, "01067"});
  CHECK(with_digits({CellForm::number, "123456"}, 5) == Cell{CellForm::text, "123456"});
  CHECK(with_digits({CellForm::number, "0"}, 3) == Cell{CellForm::text, "000"});
  CHECK(with_digits({CellForm::number, "1067"}, 0) == Cell{CellForm::number, "1067"});
  CHECK(with_digits({CellForm::number, "-7"}, 3) == Cell{CellForm::number, "-7"});
  CHECK(with_digits({CellForm::number, "1.5"}, 3) == Cell{CellForm::number, "1.5"});
  CHECK(with_digits({CellForm::date, "1900-01-01"}, 3) == Cell{CellForm::date, "1900-01-01"});
}

TEST_CASE("a format code says whether a number is a date", "[unit][sheet]") {
  const auto is = [](std::string_view code, FormatKind kind) {
    CAPTURE(code);
    CHECK(kind_of_format(code) == kind);
  };
  for (const char* code :
       {"General", "0", "#,##0.00", "0.00\" Tage\"", "0.00E+00", "@", "[Red]0", "\"d.m.y\"0", "\\d0", "_d0_)", "*d0",
        "# ?/?", "", "[$€-407] 0.00", "[>100]0", "0;dd", "\"unclosed d", "[unclosed"})
    is(code, FormatKind::number);
  for (const char* code :
       {"dd.mm.yyyy", "yyyy-mm-dd;@", "mmm yy", "d", "[$-407]d\\. mmmm yyyy;@", "[Blue]m/d/yy", "MMMM"})
    is(code, FormatKind::date);
  for (const char* code : {"h:mm", "mm:ss", "mm:ss.0", "h:mm:ss AM/PM", "hh\"h\"mm", "s"}) is(code, FormatKind::time);
  for (const char* code : {"d.m.yyyy h:mm", "yyyy-mm-dd\\Thh:mm:ss.000", "m/d/yy h:mm a/p"})
    is(code, FormatKind::datetime);
  for (const char* code : {"[h]:mm", "[hh]:mm:ss", "[mm]:ss", "[ss].00", "[H]:MM"}) is(code, FormatKind::duration);
}

TEST_CASE("a day number is the day of its calendar, or stays a number", "[unit][sheet]") {
  const auto is = [](std::string_view number, FormatKind kind, Epoch epoch, const Cell& wanted) {
    CAPTURE(number, wanted.text);
    CHECK(cell_of_serial(number, kind, epoch) == wanted);
  };
  is("60", FormatKind::date, Epoch::year_1900, {CellForm::text, "1900-02-29"});
  is("61", FormatKind::date, Epoch::year_1900, {CellForm::date, "1900-03-01"});
  is("60", FormatKind::date, Epoch::year_1904, {CellForm::date, "1904-03-01"});
  is("46022.9999999999", FormatKind::datetime, Epoch::year_1900, {CellForm::datetime, "2026-01-01T00:00:00"});
  is("2958465.99999999999", FormatKind::datetime, Epoch::year_1900, {CellForm::number, "2958465.99999999999"});
  is("1e400", FormatKind::date, Epoch::year_1900, {CellForm::text, "1e400"});
  is("x", FormatKind::date, Epoch::year_1900, {CellForm::text, "x"});
  is("100.25", FormatKind::duration, Epoch::year_1900, {CellForm::time, "2406:00:00"});
  is("0.0000057870370370", FormatKind::time, Epoch::year_1904, {CellForm::time, "00:00:00.5"});
}

TEST_CASE("times of ODF and OOXML are taken as they stand or as text", "[unit][sheet]") {
  CHECK(cell_of_iso("2025-12-31").form == CellForm::date);
  CHECK(cell_of_iso("2025-12-31T10:00:00.500000000") == Cell{CellForm::datetime, "2025-12-31T10:00:00.5"});
  for (const char* text : {"2025-02-29", "2025-12-31T24:00:00", "2025-12-31T10:00:00Z", "2025-12-31T10:00",
                           "2025-12-31x", "-0044-03-15", "", "2025-12-31T10:00:00.", "2025-12-31T10:00:00.1234"})
    CHECK(cell_of_iso(text) == Cell{CellForm::text, text});
  CHECK(cell_of_iso_duration("PT12H30M05S") == Cell{CellForm::time, "12:30:05"});
  CHECK(cell_of_iso_duration("PT00H00M59.999999999S") == Cell{CellForm::time, "00:01:00"});
  CHECK(cell_of_iso_duration("PT90M") == Cell{CellForm::time, "01:30:00"});
  for (const char* text : {"PT", "P1D", "-PT1H", "PT1H99M", "PT1X", "PT1S1H", ""})
    CHECK(cell_of_iso_duration(text) == Cell{CellForm::text, text});
}

TEST_CASE("escaped characters are decoded where they are characters", "[unit][sheet]") {
  CHECK(decoded_text("a_x000D__x000A_b") == "a\r\nb");
  CHECK(decoded_text("_x005F_x000D_") == "_x000D_");
  CHECK(decoded_text("_x0000__xD800__xDC00") == "_x0000__xD800__xDC00");
  CHECK(decoded_text("_xD83E__xDDAD_") == "\xF0\x9F\xA6\xAD");
  CHECK(decoded_text("_x00g0_ _x12_ __x0041_") == "_x00g0_ _x12_ _A");
}

TEST_CASE("shared texts are held up to a limit", "[unit][sheet]") {
  SharedStrings strings(1'000'000);
  REQUIRE(strings.add(""));
  REQUIRE(strings.add(std::string(300'000, 'x')));
  REQUIRE(strings.add("abc"));
  CHECK(strings.size() == 3);
  CHECK(strings.at(0).empty());
  CHECK(strings.at(1).size() == 300'000);
  CHECK(strings.at(2) == "abc");
  const auto full = strings.add(std::string(800'000, 'y'));
  REQUIRE_FALSE(full);
  CHECK(full.error().is("too_large"));
}
