#include "base/text.h"
#include "sheet/header_row.h"
#include "sheet/title_hints.h"
#include "support/catch.h"
#include "support/sheet_columns.h"

using namespace siegel;
using namespace siegel::sheet;
using test::row_of;

namespace {

struct Case {
  std::vector<std::vector<std::string>> rows;
  int index;  // -1: none
  const char* reason;
};

}  // namespace

TEST_CASE("the row of titles is found, or that there is none", "[unit][sheet]") {
  const std::vector<Case> cases = {
      {{{"Name", "E-Mail"}, {"Anna", "a@example.org"}}, 0, "known_titles"},
      {{{"Kundenliste 2025"}, {"Name", "Ort", "PLZ"}, {"Anna", "Bonn", "53111"}}, 1, "known_titles"},
      {{{"Stand: 1.2.2025", "intern"}, {"Name", "Ort", "PLZ", "Tel"}, {"A", "B", "1", "2"}}, 1, "known_titles"},
      {{{"Farbe", "Gewicht"}, {"rot", "12"}, {"blau", "13"}}, 0, "titles_above_data"},
      {{{"Farbe", "Form"}, {"rot", "rund"}, {"blau", "eckig"}}, 0, "first_full_row"},
      {{{"Anna", "Bonn"}, {"Bernd", "Bonn"}}, -1, "value_repeats"},
      {{{"Anna", "a@example.org"}, {"Bernd", "b@example.org"}}, -1, "data_in_first_row"},
      {{{"1", "2"}, {"3", "4"}}, -1, "data_in_first_row"},
      {{{"31.12.2025", "rot"}, {"30.12.2025", "blau"}}, -1, "data_in_first_row"},
      {{{"=number:17", "rot"}}, -1, "data_in_first_row"},
      {{{"Land", "2024", "2025"}, {"DE", "12", "13"}}, 0, "known_titles"},
      {{{"Anna", "1980", "Bonn"}, {"Bernd", "1981", "Köln"}}, -1, "data_in_first_row"},
      {{{"Name", "Name", ""}, {"Anna", "Schmidt", "x"}}, 0, "known_titles"},
      {{{std::string(200, 'x'), "rot"}, {"a", "b"}}, -1, "data_in_first_row"},
      {{}, -1, "no_rows"},
  };
  for (const auto& one : cases) {
    std::vector<Row> rows;
    for (const auto& texts : one.rows) rows.push_back(row_of(rows.size() + 1, texts));
    CAPTURE(one.rows);
    const auto header = guess_header(rows);
    CHECK((header.index ? static_cast<int>(*header.index) : -1) == one.index);
    CHECK(std::string(header.reason) == one.reason);
  }
}

TEST_CASE("titles become names by the rule of the contract", "[unit][sheet]") {
  for (const auto& [title, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"Name", "name"},
                                                                  {"E-Mail", "e-mail"},
                                                                  {"Straße & Nr.", "strasse-nr"},
                                                                  {"Größe (cm)", "groesse-cm"},
                                                                  {"ÄÖÜ", "aeoeue"},
                                                                  {"Prénom", "prenom"},
                                                                  {"  Vor  name ", "vor-name"},
                                                                  {"2. Vorname", "f-2-vorname"},
                                                                  {"№", ""},
                                                                  {"Имя", ""},
                                                                  {"--", ""}}) {
    CAPTURE(title);
    CHECK(field_name(title) == name);
  }
  CHECK(field_name(std::string(100, 'a')).size() == 63);
  CHECK(field_name(std::string(62, 'a') + "-b") == std::string(62, 'a'));
}

TEST_CASE("titles and names are unique, also where the header is empty or missing", "[unit][sheet]") {
  const auto header = row_of(1, {"Name", "", "Name", "name", "Name (2)", "Имя"});
  const auto titles = make_titles(&header, 7, Language::de);
  CHECK(titles == std::vector<ColumnTitle>{{"Name", "name"},
                                           {"Spalte 2", "spalte-2", true},
                                           {"Name (2)", "name-2"},
                                           {"name", "name-3"},
                                           {"Name (2) (2)", "name-2-2"},
                                           {"Имя", "spalte-6"},
                                           {"Spalte 7", "spalte-7", true}});
  const auto letters = make_titles(nullptr, 28, Language::en);
  CHECK(letters[0] == ColumnTitle{"A", "a"});
  CHECK(letters[25] == ColumnTitle{"Z", "z"});
  CHECK(letters[26] == ColumnTitle{"AA", "aa"});
  CHECK(letters[27] == ColumnTitle{"AB", "ab"});
  Row wide;
  for (int i = 0; i < 40; ++i) wide.cells.push_back(test::text_cell(std::string(70, 'a')));
  for (const auto& title : make_titles(&wide, 0, Language::en)) CHECK(is_name(title.field));
}

TEST_CASE("a title is one line, and what was hyphenated is whole", "[unit][sheet]") {
  const auto header =
      row_of(1, {"Kunden-\nnummer", "E-\r\nMail", "Ort und\nPLZ", "von \n- bis", "Preis -\nnetto", "\n", "A\n\nB\n"});
  const auto titles = make_titles(&header, 7, Language::de);
  CHECK(titles == std::vector<ColumnTitle>{{"Kundennummer", "kundennummer"},
                                           {"E-Mail", "e-mail"},
                                           {"Ort und PLZ", "ort-und-plz"},
                                           {"von - bis", "von-bis"},
                                           {"Preis - netto", "preis-netto"},
                                           {"Spalte 6", "spalte-6", true},
                                           {"A B", "a-b"}});
}

TEST_CASE("titles tell what cells leave open", "[unit][sheet]") {
  CHECK(hints_of("kundennummer").key);
  CHECK(hints_of("id").key);
  CHECK_FALSE(hints_of("idee").key);
  CHECK(hints_of("plz").identifier);
  CHECK_FALSE(hints_of("hausnummer").key);
  CHECK(hints_of("mobilnummer").phone);
  CHECK_FALSE(hints_of("mobilnummer").key);
  CHECK(hints_of("geburtsdatum").birth);
  CHECK(hints_of("name-2").person_name);
  CHECK_FALSE(hints_of("dateiname").person_name);
  CHECK(hints_of("umsatz").is_known);
  CHECK_FALSE(hints_of("farbe").is_known);
}
