#include <sstream>

#include "sheet/csv.h"
#include "support/catch.h"

using namespace siegel;
using sheet::CsvRow;

namespace {

struct Outcome {
  std::vector<CsvRow> rows;
  std::vector<std::uint64_t> numbers;
  std::string code;  // of the error that ended it
  std::string error_row;
  char delimiter = 0;
};

Outcome read(const std::string& text, sheet::CsvLimits limits = {}) {
  std::istringstream in(text);
  sheet::CsvReader reader(in, limits);
  Outcome out;
  for (;;) {
    auto row = reader.next();
    if (!row) {
      out.code = row.error().code();
      if (const auto* number = row.error().find("row")) out.error_row = *number;
      CHECK((reader.next() && !*reader.next()));  // nothing follows an error
      break;
    }
    if (!*row) break;
    out.numbers.push_back(reader.row());
    out.rows.push_back(std::move(**row));
  }
  out.delimiter = reader.delimiter();
  return out;
}

// Counts how often it is asked for bytes.
class CountingBuffer final : public std::stringbuf {
 public:
  using std::stringbuf::stringbuf;
  int asked = 0;

 protected:
  std::streamsize xsgetn(char* to, std::streamsize count) override {
    ++asked;
    return std::stringbuf::xsgetn(to, count);
  }
};

}  // namespace

TEST_CASE("the end of a file is asked for once", "[unit][sheet]") {
  CountingBuffer buffer("a;b\n1;2\n3;4");
  std::istream in(&buffer);
  sheet::CsvReader reader(in, {});
  while (*reader.next()) {
  }
  CHECK(reader.row() == 4);  // the header is row 1; behind the last
  CHECK(buffer.asked == 1);
}

TEST_CASE("the delimiter is what stands most often in the header, outside of quotes", "[unit][sheet]") {
  CHECK(read("a;b;c\n1;2;3\n").delimiter == ';');
  CHECK(read("a,b\n1;2;3;4,5\n").delimiter == ',');
  CHECK(read("a\tb\n").delimiter == '\t');
  CHECK(read("\"a,b,c\";d\n").rows.front() == CsvRow{"a,b,c", "d"});
  CHECK(read("alone\n1,5\n").rows.back() == CsvRow{"1", "5"});
}

TEST_CASE("a line above the header may name the delimiter, and is no row", "[unit][sheet]") {
  for (const char* text : {"sep=;\na,b,c;d\n1;2\n", "\xEF\xBB\xBFSEP=;\r\na,b,c;d\r\n1;2\r\n", "sep=;\ra,b,c;d\r1;2"}) {
    CAPTURE(text);
    const auto out = read(text);
    CHECK(out.rows == std::vector<CsvRow>{{"a,b,c", "d"}, {"1", "2"}});
    CHECK(out.numbers == std::vector<std::uint64_t>{1, 2});
  }
  CHECK(read("sep=|\na|b,c\n").rows.front() == CsvRow{"a", "b,c"});
  CHECK(read("sep=;").rows.empty());
  CHECK(read("sep=;a\n1;2\n").rows.front() == CsvRow{"sep=", "a"});  // a header
  CHECK(read("sep=x\n1\n").rows.front() == CsvRow{"sep=x"});
}

TEST_CASE("a spreadsheet's own file is told from text", "[unit][sheet]") {
  CHECK(read(std::string("PK\x03\x04\x14\0\x06", 7)).code == "unknown_format");
  CHECK(read("\xD0\xCF\x11\xE0\xA1\xB1").code == "unknown_format");
  CHECK(read("PK;Name\n1;2\n").code.empty());
}

TEST_CASE("cells in quotes hold delimiters, quotes and line breaks", "[unit][sheet]") {
  const auto out = read("name;note\r\n\"Müller; Änne\";\"a \"\"b\"\"\r\nc\"\r\n;\"\"\r\n");
  REQUIRE(out.code.empty());
  CHECK(out.rows == std::vector<CsvRow>{{"name", "note"}, {"Müller; Änne", "a \"b\"\r\nc"}, {"", ""}});
}

TEST_CASE("a byte order mark is no part of the first cell, nothing else is trimmed", "[unit][sheet]") {
  CHECK(read("\xEF\xBB\xBFname;x\n 007 ;5\" pipe").rows == std::vector<CsvRow>{{"name", "x"}, {" 007 ", "5\" pipe"}});
}

TEST_CASE("lines end with LF, CRLF or CR, and the last may have no end", "[unit][sheet]") {
  const std::vector<CsvRow> wanted{{"a", "b"}, {"1", "2"}, {"3", "4"}};
  for (const char* text : {"a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r"}) {
    CAPTURE(text);
    CHECK(read(text).rows == wanted);
  }
}

TEST_CASE("empty lines are passed over and counted", "[unit][sheet]") {
  const auto out = read("a,b\n\n1,2\n\n\n3,4\n\n");
  CHECK(out.rows.size() == 3);
  CHECK(out.numbers == std::vector<std::uint64_t>{1, 3, 6});
  CHECK(read("").rows.empty());
}

TEST_CASE("a row is given whole wherever the reader's buffer ends", "[unit][sheet]") {
  for (std::size_t length = 65'536 - 12; length < 65'536 + 4; ++length) {
    CAPTURE(length);
    const std::string cell(length / 4, 'x');
    const auto out =
        read("a;b\r\n\"" + cell + "\";" + cell + "\r\n\"" + cell + "\"\"\";" + cell + "\r\nend;\"e\"\"nd\"\r\n");
    REQUIRE(out.code.empty());
    REQUIRE(out.rows.size() == 4);
    CHECK(out.rows[1] == CsvRow{cell, cell});
    CHECK(out.rows[2] == CsvRow{cell + "\"", cell});
    CHECK(out.rows[3] == CsvRow{"end", "e\"nd"});
  }
}

TEST_CASE("broken quotes, foreign encodings and limits are errors with their row", "[unit][sheet]") {
  const auto is = [](const std::string& text, const char* code, const char* row, sheet::CsvLimits limits = {}) {
    CAPTURE(text, code);
    const auto out = read(text, limits);
    CHECK(out.code == code);
    CHECK(out.error_row == row);
  };
  is("a,b\n1,\"open\n", "bad_csv", "2");
  is("a,b\n1,2\n\"x\"y,2\n", "bad_csv", "3");
  is("a,b\n1,M\xFCller\n", "bad_encoding", "2");
  is(std::string("\xFF\xFE\x61\x00", 4), "bad_encoding", "1");
  is("a\n12345\n123456\n", "too_large", "3", {5, 10, 10});
  is("a,b\n1,2\n1,2,3\n", "too_large", "3", {10, 2, 10});
  is("a\n1\n2\n3\n", "too_large", "4", {10, 10, 2});
  CHECK(read("a\n1\n2\n", {10, 10, 2}).rows.size() == 3);
}

TEST_CASE("an error holds nothing of the cell", "[unit][sheet]") {
  std::istringstream in("a\n\"Geheim\"nis\n");
  sheet::CsvReader reader(in);
  REQUIRE(reader.next());
  const auto row = reader.next();
  REQUIRE_FALSE(row);
  CHECK(row.error().text().find("Geheim") == std::string::npos);
}

TEST_CASE("a line written is read as the same row", "[unit][sheet]") {
  const CsvRow row{"plain", "a;b", "say \"x\"", "two\nlines", " ", "", "7,50"};
  for (const char delimiter : {';', ',', '\t'}) {
    const auto header = sheet::csv_line({"1", "2", "3", "4", "5", "6", "7"}, delimiter);
    const auto out = read(header + sheet::csv_line(row, delimiter));
    REQUIRE(out.rows.size() == 2);
    CHECK(out.rows[1] == row);
  }
  // One empty cell would be an empty line, which is passed over.
  CHECK(read("a\r\n" + sheet::csv_line({""}, ';')).rows == std::vector<CsvRow>{{"a"}, {""}});
}
