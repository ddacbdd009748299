#include "sheet/guess.h"

#include "sheet/formats.h"
#include "support/catch.h"
#include "support/sheet_columns.h"

using namespace siegel;
using namespace siegel::sheet;
using test::cell_of;
using test::guess_column;
using test::row_of;

namespace {

using Texts = std::vector<std::string>;

Texts times(std::size_t n, const Texts& texts) {
  Texts out;
  for (std::size_t i = 0; i < n; ++i) out.insert(out.end(), texts.begin(), texts.end());
  return out;
}
Texts with(Texts texts, const Texts& more) {
  texts.insert(texts.end(), more.begin(), more.end());
  return texts;
}

std::vector<Cell> cells_of(const Texts& texts) {
  std::vector<Cell> out;
  for (const auto& text : texts) out.push_back(cell_of(text));
  return out;
}

struct Awkward {
  const char* title;
  Texts cells;
  const char* type;
  const char* reason;
  std::uint64_t exceptions = 0;
};

const std::vector<Awkward>& awkward_numbers() {
  static const std::vector<Awkward> kCases = {
      {"Wert", {"007"}, "text", "leading_zero"},
      {"Wert", {"1", "2", "007"}, "text", "leading_zero"},
      {"PLZ", {"01067", "33602"}, "text", "leading_zero"},
      {"PLZ", {"33602", "33615"}, "text", "identifier"},
      {"Postleitzahl", {"=number:33602", "=number:1067"}, "text", "identifier"},
      {"Wert", {"1/2"}, "text", "free_text"},
      {"Wert", {"1/2", "3/4", "7"}, "text", "free_text"},
      {"Wert", {"vmx-15"}, "text", "free_text"},
      {"Wert", {"12345678901234567890"}, "text", "too_long_number"},
      {"Wert", {"1", "123456789012345678901234567890"}, "text", "too_long_number"},
      {"Wert", {"123456789012345678901234567890123456789012"}, "text", "too_long_number"},
      {"Wert", {"123456789012345678"}, "integer", "all_integers"},
      {"Wert", {"-35,01"}, "decimal", "all_decimals"},
      {"Wert", {"8.000,01"}, "decimal", "all_decimals"},
      {"Wert", {"8.000,01", "8000,01"}, "text", "mixed_number_spelling"},
      {"Wert", {"1.234"}, "text", "ambiguous_numbers"},
      {"Wert", {"1.234", "5", "17"}, "text", "ambiguous_numbers"},
      {"Wert", {"1,234", "2,500"}, "text", "ambiguous_numbers"},
      {"Wert", {"1.234", "5,5"}, "decimal", "all_decimals"},
      {"Wert", {"1.234", "5.5"}, "decimal", "all_decimals"},
      {"Wert", {"1.234", "5,5", "5.5"}, "text", "contradictory_numbers"},
      {"Wert", {"1.234", "1.234.567"}, "integer", "all_integers"},
      {"Wert", {"1,234.50", "12.00"}, "decimal", "all_decimals"},
      {"Wert", {"1'234.50", "12.00"}, "decimal", "all_decimals"},
      {"Wert", {"1 234,50", "12,00"}, "decimal", "all_decimals"},
      {"Wert",
       {"1\xC2\xA0"
        "234,50",
        "12,00"},
       "decimal",
       "all_decimals"},
      {"Wert", {"12 34"}, "text", "free_text"},
      {"Wert", {"0.123", "0.5"}, "decimal", "all_decimals"},
      {"Wert", {"0,10", "0,20"}, "decimal", "all_decimals"},
      {"Wert", {"00,5", "1,5"}, "text", "leading_zero"},
      {"Wert", {"-0", "1", "2"}, "text", "mixed"},
      {"Wert", {"+5", "7"}, "text", "free_text"},
      {"Wert", {"1e3", "7", "8"}, "text", "mixed"},
      {"Wert", {"12 \xE2\x82\xAC", "13 \xE2\x82\xAC"}, "text", "free_text"},
      {"Wert", {"10 %"}, "text", "free_text"},
      {"Wert", {"NaN", "1", "2"}, "text", "mixed"},
      {"Wert", {"35,01-"}, "text", "free_text"},
      {"Wert", with(times(20, {"4", "5"}), {"zwölf"}), "integer", "mostly_integers", 1},
      {"Wert", with(times(4, {"4"}), {"zwölf"}), "text", "mixed"},
      {"Wert", with(times(20, {"4", "5"}), {"007"}), "text", "leading_zero"},
      {"Wert", {"=number:0.1", "=number:1000000"}, "decimal", "all_decimals"},
      {"Wert", {"=number:5", "=number:1234"}, "integer", "all_integers"},
      {"Wert", {"=number:1.234"}, "decimal", "all_decimals"},
      {"Wert", {"=number:1234.5", "1.234,50"}, "decimal", "all_decimals"},
      {"Wert", {"=number:12345678901234567890"}, "text", "too_long_number"},
      {"Wert", with(times(12, {"=number:5"}), {"=error:#DIV/0!"}), "integer", "mostly_integers", 1},
      {"Wert", {" 5", "7 "}, "integer", "all_integers"},
      {"IBAN", {"DE02120300000000202051"}, "text", "free_text"},
      {"Kontonummer", {"202051", "202052"}, "text", "identifier"},
      {"Kundennummer", {"10001", "10002"}, "integer", "all_integers"},
      {"Jahr", {"2024", "2025"}, "integer", "all_integers"},
  };
  return kCases;
}

const std::vector<Awkward>& awkward_dates() {
  static const std::vector<Awkward> kCases = {
      {"Tag", {"31.12.2025"}, "date", "all_dates_german"},
      {"Tag", {"1.2.2025", "31.12.2025"}, "date", "all_dates_german"},
      {"Tag", {"01.02.2025", "31.12.2025"}, "date", "all_dates_german"},
      {"Tag", {"01.02.2025", "1.2.2025"}, "text", "mixed_date_spelling"},
      {"Tag", {"1.02.2025", "03.02.2025"}, "text", "mixed_date_spelling"},
      {"Tag", {"12/31/2025"}, "date", "all_dates_month_first"},
      {"Tag", {"31/12/2025"}, "date", "all_dates_day_first"},
      {"Tag", {"01/02/2025"}, "text", "ambiguous_dates"},
      {"Tag", times(30, {"01/02/2025", "03/04/2025"}), "text", "ambiguous_dates"},
      {"Tag", {"01/02/2025", "31/12/2025"}, "date", "all_dates_day_first"},
      {"Tag", {"01/02/2025", "12/31/2025"}, "date", "all_dates_month_first"},
      {"Tag", {"01/02/2025", "31/12/2025", "12/31/2025"}, "text", "contradictory_dates"},
      {"Tag", {"1-2-2025", "31-12-2025"}, "date", "all_dates_day_first"},
      {"Tag", {"2025-12-31", "2024-02-29"}, "date", "all_dates_iso"},
      {"Tag", {"2025/12/31"}, "date", "all_dates_year_first"},
      {"Tag", {"2025-12-31", "31.12.2025"}, "text", "mixed_date_spelling"},
      {"Tag", {"31.12.80", "01.02.81"}, "text", "two_digit_year"},
      {"Tag", {"31.12.1899", "01.01.0001"}, "date", "all_dates_german"},
      {"Tag", with(times(10, {"31.12.2025"}), {"30.02.2025"}), "date", "mostly_dates_german", 1},
      {"Tag", with(times(10, {"31.12.2025"}), {"unbekannt"}), "date", "mostly_dates_german", 1},
      {"Tag", {"31.12.2025", "unbekannt"}, "text", "free_text"},
      {"Tag", {"31. Dezember 2025"}, "text", "free_text"},
      {"Tag", {"20251231"}, "integer", "all_integers"},
      {"Tag", {"=date:2025-12-31", "=date:1999-01-01"}, "date", "all_dates"},
      {"Tag", {"=date:2025-12-31", "31.12.2024"}, "date", "all_dates_german"},
      {"Tag", {"=datetime:2025-12-31T00:00:00"}, "date", "all_dates"},
      {"Tag", {"=datetime:2025-12-31T00:00:00", "=datetime:2025-12-31T10:30:00"}, "text", "time_without_zone"},
      {"Tag", {"2025-12-31 00:00:00", "2024-01-01 00:00:00"}, "date", "all_dates_iso"},
      {"Tag", {"2025-12-31 00:00:00", "2024-01-01"}, "text", "mixed_date_spelling"},
      {"Zeit", {"31.12.2025 10:30"}, "text", "time_without_zone"},
      {"Zeit", {"=time:23:59:59"}, "text", "time_of_day"},
      {"Zeit", {"10:30", "11:45"}, "text", "free_text"},
      {"Zeit", {"2025-12-31T23:59:59Z"}, "datetime", "all_times"},
      {"Zeit", {"2025-12-31T23:59:59+01:00", "2025-12-30T00:00:00+01:00"}, "datetime", "all_times"},
      {"Zeit", {"2025-12-31T23:59:59.120+01:00"}, "datetime", "all_times"},
      {"Zeit", {"2025-12-31T23:59:59+01:00", "2025-06-30T00:00:00+02:00"}, "text", "mixed_time_zones"},
      {"Zeit", {"2025-12-31T23:59:59.5Z"}, "text", "mixed_time_zones"},
  };
  return kCases;
}

const std::vector<Awkward>& awkward_words() {
  static const std::vector<Awkward> kCases = {
      {"Aktiv", {"ja", "nein", "ja"}, "boolean", "yes_no"},
      {"Aktiv", {"Ja", "Nein"}, "boolean", "yes_no"},
      {"Aktiv", {"Ja", "nein"}, "boolean", "yes_no"},
      {"Aktiv", {"ja", "Ja", "nein"}, "text", "mixed_yes_no_spelling"},
      {"Aktiv", {"wahr", "falsch"}, "boolean", "yes_no"},
      {"Aktiv", {"=boolean:true", "=boolean:false"}, "boolean", "yes_no"},
      {"Active", {"yes", "no"}, "boolean", "yes_no"},
      {"Aktiv", {"ja", "nein", "vielleicht"}, "text", "free_text"},
      {"Aktiv", {"ja"}, "boolean", "yes_no"},
      {"Aktiv", {"j", "n"}, "boolean", "yes_no"},
      {"Kürzel", {"n", "n"}, "text", "free_text"},
      {"Newsletter", {"x", "", "x", ""}, "boolean", "crosses"},
      {"Newsletter", {"X", "X", ""}, "boolean", "crosses"},
      {"Newsletter", {"x", "x"}, "text", "free_text"},
      {"Newsletter", {"0", "1", "1"}, "boolean", "yes_no"},
      {"Anzahl", {"0", "1", "1"}, "integer", "all_integers"},
      {"E-Mail", {"a@example.org", "b@example.org"}, "email", "all_email"},
      {"Kontakt", {"a@example.org", "Anna", "Bernd"}, "text", "free_text"},
      {"Kontakt", with(times(9, {"a@example.org"}), {"unbekannt"}), "email", "mostly_email", 1},
      {"Kontakt", with(times(8, {"a@example.org"}), {"unbekannt"}), "text", "mixed"},
      {"E-Mail", {"Anna@Example.ORG"}, "text", "capital_domain"},
      {"E-Mail", {" anna@example.org "}, "email", "all_email"},
      {"E-Mail", {"anna@example"}, "text", "free_text"},
      {"E-Mail", {"Anna <anna@example.org>"}, "text", "free_text"},
      {"Web", {"https://example.org/a?b=1"}, "url", "all_url"},
      {"Web", {"www.example.org"}, "text", "free_text"},
      {"Web", {"javascript://example.org"}, "text", "free_text"},
      {"Telefon", {"+49 521 12345", "+49 30 987654"}, "phone", "all_phone"},
      {"Telefon", {"0521 12345", "030 987654"}, "phone", "all_phone"},
      {"Telefon", {"0521/12345", "+49 (0)30 98 76-54"}, "phone", "all_phone"},
      {"Spalte", {"0521 12345", "0521 12346"}, "text", "maybe_phone"},
      {"Spalte", {"+4952112345"}, "phone", "all_phone"},
      {"Telefon", {"52112345", "30987654"}, "text", "identifier"},
      {"Telefon", {"+49 0521 12345"}, "text", "free_text"},
      {"Land", times(10, {"DE", "AT", "CH"}), "choice", "few_distinct_values"},
      {"Land", {"DE", "AT", "CH"}, "text", "free_text"},
      {"Land", with(times(10, {"DE", "AT"}), {"CH"}), "text", "free_text"},
      {"Nachname", times(10, {"Müller", "Schmidt"}), "text", "free_text"},
      {"Ort", times(10, {"Bielefeld", "Herford"}), "text", "free_text"},
      {"Thema", times(10, {"Post; E-Mail", "Post", "E-Mail; Fax", "Fax;Post", "Fax"}), "multichoice",
       "few_distinct_lists"},
      {"Thema", times(10, {"Post, E-Mail", "Post", "E-Mail, Fax", "Fax,Post", "Fax"}), "multichoice",
       "few_distinct_lists"},
      {"Notiz", {"eine\nzwei"}, "multiline", "line_breaks"},
      {"Notiz", {std::string(300, 'a')}, "multiline", "long_text"},
      {"Notiz", {"=error:#N/A", "=error:#REF!"}, "text", "free_text"},
      {"Notiz", {}, "text", "empty"},
      {"Notiz", {"", "  "}, "text", "empty"},
      {"Notiz", {"=SUMME(A1)", "-", "?"}, "text", "free_text"},
  };
  return kCases;
}

// What G2 demands of any proposal: a cell is given back or is one of the exceptions, never anything between.
void check_lossless(const ColumnProposal& column, const std::vector<Cell>& cells) {
  std::uint64_t refused = 0;
  for (const auto& cell : cells) {
    CAPTURE(cell.text);
    const auto value = convert(column.type, column.style, cell, Fit::readable);
    if (!value) ++refused;
    if (value) CHECK(gives_back(column.type, column.style, *value, cell));
    CHECK(bool(convert(column.type, column.style, cell, Fit::exact)) == bool(value));
  }
  CHECK(refused == column.exceptions);
}

void check_all(const std::vector<Awkward>& cases) {
  for (const auto& one : cases) {
    CAPTURE(one.title, one.cells);
    const auto cells = cells_of(one.cells);
    const auto column = guess_column(one.title, cells);
    CHECK(name_of(column.type) == one.type);
    CHECK(std::string(column.reason) == one.reason);
    CHECK(column.exceptions == one.exceptions);
    CHECK(column.exception_samples.empty() == (one.exceptions == 0));
    check_lossless(column, cells);
  }
}

}  // namespace

TEST_CASE("G3 numbers are exact or text, with the reason", "[unit][sheet][G2][G3]") { check_all(awkward_numbers()); }

TEST_CASE("G3 dates are exact or text, with the reason", "[unit][sheet][G2][G3]") { check_all(awkward_dates()); }

TEST_CASE("G2 words, addresses and answers are exact or text, with the reason", "[unit][sheet][G2][G3]") {
  check_all(awkward_words());
  CHECK(awkward_numbers().size() + awkward_dates().size() + awkward_words().size() >= 130);
}

TEST_CASE("G4 one e-mail in a text column does not make it an e-mail column", "[unit][sheet][G4]") {
  auto texts = times(20, {"Anna", "Bernd"});
  texts.push_back("carla@example.org");
  CHECK(guess_column("Kontakt", cells_of(texts)).type == ColumnType::text);
  // A column that is mostly addresses says how many are none, and shows up to five of each.
  texts = times(100, {"anna@example.org", "bernd@example.org"});
  for (int i = 0; i < 7; ++i) texts.push_back("kein " + std::to_string(i));
  const auto column = guess_column("Kontakt", cells_of(texts));
  CHECK(column.type == ColumnType::email);
  CHECK(column.exceptions == 7);
  REQUIRE(column.exception_samples.size() == 5);
  CHECK(column.exception_samples[0] == Sample{202, "kein 0"});
  CHECK(column.samples.size() == 5);
  CHECK(column.samples[1].text == "bernd@example.org");
}

TEST_CASE("G4 the threshold is one in ten, and what spoke against a type is told", "[unit][sheet][G4]") {
  auto texts = times(90, {"anna@example.org"});
  for (int i = 0; i < 10; ++i) texts.push_back("kein");
  CHECK(guess_column("Kontakt", cells_of(texts)).type == ColumnType::email);
  texts.push_back("noch einer");
  const auto column = guess_column("Kontakt", cells_of(texts));
  CHECK(column.type == ColumnType::text);
  CHECK(column.exceptions == 0);
  REQUIRE(column.nearest);
  CHECK(column.nearest->type == ColumnType::email);
  CHECK(column.nearest->cells == 11);
  CHECK(column.nearest->samples == Samples{{92, "kein"}, {102, "noch einer"}});
}

TEST_CASE("what a column looks like is counted", "[unit][sheet]") {
  const auto column = guess_column("Ort", cells_of({"Köln", "", "Bonn", "Köln", " "}));
  CHECK(column.cells == 3);
  CHECK(column.empty == 2);
  CHECK(column.distinct == 2);
  CHECK_FALSE(column.distinct_is_least);
  CHECK_FALSE(column.all_different);
  CHECK(column.length_max == 4);
  CHECK_FALSE(column.required);
  CHECK(guess_column("Ort", cells_of({"Köln", "Bonn"})).required);
}

TEST_CASE("counting stops at its cap and says so", "[unit][sheet]") {
  GuessOptions options;
  options.distinct_max = 2'000;
  std::vector<Cell> cells;
  for (int i = 0; i < 5'000; ++i) cells.push_back(cell_of("Wert " + std::to_string(i)));
  const auto column = guess_column("Notiz", cells, options);
  CHECK(column.distinct == 2'000);
  CHECK(column.distinct_is_least);
  CHECK_FALSE(column.all_different);
}

TEST_CASE("a sample of a cell is cut between characters", "[unit][sheet]") {
  std::string text = "x";
  while (text.size() < 300) text += "ü";
  const auto column = guess_column("Notiz", cells_of({text}));
  REQUIRE(column.samples.size() == 1);
  CHECK(column.samples[0].text == text.substr(0, 199));
}

TEST_CASE("whose rows are one person, and what is personal, is proposed", "[unit][sheet]") {
  const auto header = row_of(1, {"Nr", "Vorname", "E-Mail", "Geboren", "Umsatz", "Kürzel"});
  Guesser guesser(make_titles(&header, 0, Language::de), {});
  guesser.add(row_of(2, {"1", "Änne", "a@example.org", "1.2.1980", "10,50", "AM"}));
  guesser.add(row_of(3, {"2", "Bernd", "b@example.org", "3.4.1981", "11,50", "BS"}));
  guesser.add(row_of(4, {"3", "Bernd", "c@example.org", "", "11,50", "CT"}));
  const auto table = guesser.propose();
  CHECK(table.rows == 3);
  REQUIRE(table.identity.size() == 3);
  CHECK(table.identity[0].column == 2);
  CHECK(std::string(table.identity[0].reason) == "email_different");
  CHECK(table.identity[1].column == 0);
  CHECK(std::string(table.identity[1].reason) == "key_different");
  std::vector<std::string> reasons;
  for (const auto& column : table.columns) {
    CHECK(column.personal);
    reasons.emplace_back(column.personal_reason);
  }
  CHECK(reasons == std::vector<std::string>{"identifier", "name", "email", "birth", "about_a_person", "free_text"});
  CHECK(table.columns[0].searchable);
  CHECK(table.columns[1].searchable);
  CHECK_FALSE(table.columns[4].searchable);
  CHECK(table.columns[0].required);
  CHECK_FALSE(table.columns[3].required);
}

TEST_CASE("a table about no person has nothing personal but free text", "[unit][sheet]") {
  const auto header = row_of(1, {"Artikel", "Preis", "Menge"});
  Guesser guesser(make_titles(&header, 0, Language::de), {});
  guesser.add(row_of(2, {"Schraube", "1,50", "10"}));
  guesser.add(row_of(3, {"Mutter", "2,50", "20"}));
  const auto table = guesser.propose();
  CHECK(table.columns[0].personal);
  CHECK_FALSE(table.columns[1].personal);
  CHECK(std::string(table.columns[1].personal_reason) == "no_person");
  CHECK(table.identity.empty());
}

namespace {

class Rows final : public TableReader {
 public:
  explicit Rows(std::vector<Row> rows) : rows_(std::move(rows)) {}
  [[nodiscard]] const TableInfo& info() const noexcept override { return info_; }
  Result<std::optional<Row>> next() override {
    if (at_ == rows_.size()) return std::optional<Row>{};
    return std::optional(rows_[at_++]);
  }

 private:
  TableInfo info_;
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

}  // namespace

TEST_CASE("a pass over a sample counts all rows, a full one sees all cells", "[unit][sheet]") {
  std::vector<Row> rows{row_of(1, {"Kundenliste"}), row_of(3, {"Name", "Zahl"})};
  for (std::uint64_t i = 0; i < 3'000; ++i) rows.push_back(row_of(4 + i, {"Anna", i == 2'999 ? "zwei" : "17"}));
  rows.push_back(row_of(4'000, {"Bernd", "18", "mehr"}));
  Rows sample_rows(rows), full_rows(rows);
  const auto sample = guess_table(sample_rows, {}, Pass::sample);
  const auto full = guess_table(full_rows, {}, Pass::full);
  REQUIRE(sample);
  REQUIRE(full);
  CHECK(sample->header_row == 3);
  CHECK(sample->rows_read == 3'001);
  CHECK(sample->proposal.rows == 1'020);
  CHECK(sample->proposal.columns[1].exceptions == 0);
  CHECK(full->proposal.rows == 3'001);
  CHECK(full->proposal.columns[1].exceptions == 1);
  CHECK(full->proposal.columns[1].exception_samples == Samples{{3'003, "zwei"}});
  REQUIRE(full->proposal.columns.size() == 3);
  CHECK(full->proposal.columns[2].title == ColumnTitle{"Spalte 3", "spalte-3", true});
  CHECK(full->proposal.columns[2].empty == 3'000);
}

TEST_CASE("a table without rows has a guess too", "[unit][sheet]") {
  Rows none({});
  const auto guess = guess_table(none, {}, Pass::full);
  REQUIRE(guess);
  CHECK(guess->rows_read == 0);
  CHECK(guess->proposal.columns.empty());
  CHECK(std::string(guess->header_reason) == "no_rows");
}
