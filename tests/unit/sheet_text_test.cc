#include "sheet/csv.h"
#include "sheet/delimiter.h"
#include "sheet/encoding.h"
#include "sheet/table.h"
#include "support/catch.h"
#include "support/seeded_random.h"

using namespace siegel;
using namespace siegel::sheet;

namespace {

struct Outcome {
  std::vector<Row> rows;
  TableInfo info;
  std::string code;
};

Outcome read(std::string_view text, const TableOptions& options = {}) {
  Outcome out;
  const auto table = open_table(as_bytes(text), options);
  if (!table) {
    out.code = table.error().code();
    return out;
  }
  for (;;) {
    const auto row = (*table)->next();
    if (!row) out.code = row.error().code();
    if (!row || !*row) break;
    out.rows.push_back(**row);
  }
  out.info = (*table)->info();
  return out;
}

std::string whole(std::string_view bytes) {
  const auto found = find_encoding(as_bytes(bytes), std::nullopt);
  REQUIRE(found);
  const auto source = text_source(as_bytes(bytes), *found);
  std::string out;
  for (;;) {
    const auto more = source->more(out);
    REQUIRE(more);
    if (!*more) return out;
  }
}

}  // namespace

TEST_CASE("a text is converted whole, wherever the chunks end", "[unit][sheet]") {
  std::string wanted, utf16 = "\xFF\xFE";
  for (int i = 0; i < 40'000; ++i) {
    wanted += i % 3 == 0 ? "a" : i % 3 == 1 ? "\xE2\x82\xAC" : "\xF0\x9F\xA6\xAD";
    utf16 += i % 3 == 0   ? std::string("a\0", 2)
             : i % 3 == 1 ? std::string("\xAC\x20", 2)
                          : std::string("\x3E\xD8\xAD\xDD", 4);
  }
  CHECK(whole(utf16) == wanted);
  CHECK(whole("\xEF\xBB\xBF" + wanted) == wanted);
  std::string western, western_wanted;
  for (int i = 0; i < 200'000; ++i) {
    western += "\xFC\x80";
    western_wanted += "\xC3\xBC\xE2\x82\xAC";
  }
  CHECK(whole(western) == western_wanted);
}

TEST_CASE("what separates cells is found over several rows", "[unit][sheet]") {
  const auto find = [](std::string_view text) { return find_delimiter(text, true); };
  CHECK(find("a;b\n1,5;2\n") == ';');
  CHECK(find("a,b\n1;2,3\n4,5\n") == ',');
  CHECK(find("a\tb;c\n1\t2\n") == '\t');
  CHECK(find("a|b\n1|2\n") == '|');
  CHECK(find("Preis\n1,50\n2,75\n") == std::nullopt);
  CHECK(find("1,2,3\n4,5,6\n") == ',');
  CHECK(find("Notiz\nja, gern\nnein\n") == std::nullopt);
  CHECK(find("\"a;b\",c\n\"d;e\",f\n") == ',');
  CHECK(find("Titel\n\na;b\n1;2\n3;4\n5;6\n") == ';');
  CHECK(find("") == std::nullopt);
  // The row that the sample cuts off does not count.
  CHECK(find_delimiter("a;b;c\n1;2;3\n4", false) == ';');
  CHECK(unused_delimiter("a;b\tc") == '|');
}

TEST_CASE("one column of text with every delimiter stays one column", "[unit][sheet]") {
  const auto out = read("Notiz\na; b | c, d\te\nf\ng\nh\n");
  REQUIRE(out.rows.size() == 5);
  CHECK(out.rows[1].cells == std::vector<Cell>{{CellForm::text, "a; b | c, d\te"}});
}

TEST_CASE("any rows that our CSV writer wrote are read back equal", "[unit][sheet]") {
  constexpr std::string_view kPieces[] = {"a", "ß", ";", ",", "\t", "|", "\"", "\n", "\r\n", " ", "1", "\xE2\x82\xAC"};
  test::SeededRandom random(7);
  for (int round = 0; round < 300; ++round) {
    const char delimiter = ";,\t|"[random.below(4)];
    TableOptions options;
    options.delimiter = delimiter;
    std::string text;
    std::vector<CsvRow> rows(1 + random.below(6));
    for (auto& row : rows) {
      row.resize(2 + random.below(4));
      for (auto& cell : row)
        for (auto pieces = 1 + random.below(6); pieces > 0; --pieces) cell += kPieces[random.below(std::size(kPieces))];
      text += csv_line(row, delimiter);
    }
    CAPTURE(round, text);
    const auto out = read(text, options);
    REQUIRE(out.rows.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      REQUIRE(out.rows[i].cells.size() == rows[i].size());
      for (std::size_t k = 0; k < rows[i].size(); ++k) CHECK(out.rows[i].cells[k].text == rows[i][k]);
    }
  }
}

TEST_CASE("a delimiter that cannot be one is refused", "[unit][sheet]") {
  TableOptions options;
  for (const char delimiter : {'"', '\n', '\r', '\xE4', '\0'}) {
    options.delimiter = delimiter;
    CHECK(read("a;b\n", options).code == "bad_csv");
  }
}

TEST_CASE("a quoted cell is whole wherever the reader's buffer ends", "[unit][sheet]") {
  for (std::size_t length = 65'536 - 8; length < 65'536 + 4; ++length) {
    CAPTURE(length);
    const std::string padding(17'000, 'y'), rest(length - 34'000, 'x');
    const auto first = rest.substr(0, 31'000), second = rest.substr(31'000);
    const auto out = read(padding + ";" + padding + "\n\"" + first + "\"\"\r\n" + second + "\";2\nend;3\n");
    REQUIRE(out.code.empty());
    REQUIRE(out.rows.size() == 3);
    CHECK(out.rows[1].cells[0].text == first + "\"\r\n" + second);
    CHECK(out.rows[2].number == 4);
    CHECK(out.rows[2].cells[0].text == "end");
  }
}

TEST_CASE("an error of a text names its line and nothing of the cell", "[unit][sheet]") {
  const std::string text = "a;b\n\"x\ny\";1\n\"Geheim\"nis;2\n";
  const auto table = open_table(as_bytes(text), {});
  REQUIRE(table);
  REQUIRE((*table)->next());
  REQUIRE((*table)->next());
  const auto row = (*table)->next();
  REQUIRE_FALSE(row);
  CHECK(*row.error().find("row") == "4");
  CHECK(row.error().text().find("Geheim") == std::string::npos);
  const auto after = (*table)->next();
  CHECK((after && !*after));
}

TEST_CASE("the names of formats and encodings are those of the contract", "[unit][sheet]") {
  CHECK(name_of(Format::tsv) == "tsv");
  CHECK(name_of(Format::ndjson) == "ndjson");
  CHECK(name_of(Encoding::windows1252) == "windows-1252");
}
