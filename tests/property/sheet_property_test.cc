#include <rapidcheck.h>

#include <set>

#include "model/field.h"
#include "sheet/formats.h"
#include "support/catch.h"
#include "support/sheet_columns.h"

using namespace siegel;
using namespace siegel::sheet;

namespace {

// Text that is nearly something: pieces of numbers, dates, addresses and answers, put together at random.
rc::Gen<std::string> near_miss() {
  return rc::gen::map(
      rc::gen::resize(8, rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
                             "0", "1", "12", "007", "31", "2025",      "1234",     ".",        ",",
                             "-", "/", ":",  "+49", " ",  "'",         "\xC2\xA0", "@",        "example.org",
                             "a", "X", "ü",  "ja",  ";",  "T00:00:00", "Z",        "https://", "\n"}))),
      [](const std::vector<std::string>& pieces) {
        std::string out;
        for (const auto& piece : pieces) out += piece;
        return out;
      });
}

std::string padded(int number, std::size_t size) {
  auto out = std::to_string(number);
  while (out.size() < size) out.insert(out.begin(), '0');
  return out;
}

// Cells as a person would write them, of one kind each.
constexpr int kDateKinds = 8, kNumberKinds = 7;

rc::Gen<std::string> date_text(int kind) {
  return rc::gen::map(rc::gen::tuple(rc::gen::inRange(1, 32), rc::gen::inRange(1, 13), rc::gen::inRange(1, 3000)),
                      [kind](const std::tuple<int, int, int>& parts) {
                        const auto& [day, month, year] = parts;
                        const auto y = padded(year, 4);
                        const auto d2 = padded(day, 2), m2 = padded(month, 2);
                        const auto d = std::to_string(day), m = std::to_string(month);
                        const std::string all[kDateKinds] = {
                            d2 + "." + m2 + "." + y, d + "." + m + "." + y,
                            y + "-" + m2 + "-" + d2, d2 + "/" + m2 + "/" + y,
                            m2 + "/" + d2 + "/" + y, m + "/" + d + "/" + y,
                            d + "-" + m + "-" + y,   y + "-" + m2 + "-" + d2 + " 00:00:00"};
                        return all[kind];
                      });
}

rc::Gen<std::string> number_text(int kind) {
  return rc::gen::map(
      rc::gen::pair(rc::gen::resize(1000, rc::gen::inRange(-2'000'000, 2'000'000)), rc::gen::inRange(0, 1000)),
      [kind](const std::pair<int, int>& parts) {
        const auto& [whole, fraction] = parts;
        const auto value = std::to_string(whole) + (fraction % 2 == 0 ? "." + std::to_string(fraction) : "");
        ColumnStyle style;
        const NumberStyle styles[kNumberKinds] = {{DecimalSign::comma, "."},           {DecimalSign::comma, ""},
                                                  {DecimalSign::point, ","},           {DecimalSign::point, ""},
                                                  {DecimalSign::comma, " "},           {DecimalSign::point, "'"},
                                                  {DecimalSign::comma, "\xE2\x80\xAF"}};
        style.number = styles[kind];
        return format(ColumnType::decimal, style, CellValue(value));
      });
}

using Words = std::vector<std::string>;
// Cells that stand together in a column; the last family holds what does not.
const std::vector<Words>& words() {
  static const std::vector<Words> kWords = {
      {"ja", "nein"},
      {"Ja", "NEIN"},
      {"x", ""},
      {"0", "1"},
      {"true", "false"},
      {"rot", "blau", "gelb"},
      {"rot; blau", "rot", "gelb;blau", "gelb"},
      {"anna@example.org", "b@example.org"},
      {"+49 521 12345", "+49 30 98765"},
      {"0521 12345", "030 98765"},
      {"0521/12345", "+49 30 98765"},
      {"https://example.org", "http://example.org/a"},
      {"2025-12-31T10:00:00Z", "2025-12-31T10:00:00.120Z"},
      {"2025-12-31T10:00:00+01:00", "2024-02-29T23:59:59+01:00"},
      {"Ja", "nein", "b@Example.org", "2025-12-31T10:00:00.5Z", " ", "01067", "a\nb", "0521 12345"}};
  return kWords;
}

rc::Gen<Cell> typed_cell() {
  return rc::gen::elementOf(std::vector<Cell>{{CellForm::number, "0.1"},
                                              {CellForm::number, "1.234"},
                                              {CellForm::number, "-12345678901234567890"},
                                              {CellForm::date, "2025-12-31"},
                                              {CellForm::datetime, "2025-12-31T00:00:00"},
                                              {CellForm::datetime, "2025-12-31T10:30:00.5"},
                                              {CellForm::time, "23:59:59"},
                                              {CellForm::boolean, "true"},
                                              {CellForm::boolean, "false"},
                                              {CellForm::error, "#N/A"},
                                              {CellForm::empty, ""}});
}

rc::Gen<Cell> as_cell(const rc::Gen<std::string>& text) {
  return rc::gen::map(text, [](const std::string& one) { return test::text_cell(one); });
}

rc::Gen<Cell> own_cell(int family, int kind) {
  switch (family) {
    case 0:
      return as_cell(date_text(kind % kDateKinds));
    case 1:
      return as_cell(number_text(kind % kNumberKinds));
    case 2:
    case 3:
      return as_cell(rc::gen::elementOf(words()[static_cast<std::size_t>(kind) % words().size()]));
    case 4:
      return typed_cell();
    default:
      return as_cell(near_miss());
  }
}

// A column of mostly one kind, so that a type is found at all, with strangers in between.
rc::Gen<std::vector<Cell>> column() {
  return rc::gen::mapcat(
      rc::gen::tuple(rc::gen::inRange(0, 6), rc::gen::inRange(0, 1000), rc::gen::inRange(0, 3)),
      [](const std::tuple<int, int, int>& parts) {
        const auto& [family, kind, strangeness] = parts;
        const auto own = own_cell(family, kind);
        const auto stranger = rc::gen::oneOf(own_cell(0, kind / 7), own_cell(1, kind / 7), typed_cell(),
                                             as_cell(near_miss()), as_cell(rc::gen::elementOf(words().back())));
        // Few different cells, repeated, make choices and lists.
        return rc::gen::map(rc::gen::pair(rc::gen::container<std::vector<Cell>>(rc::gen::weightedOneOf<Cell>(
                                              {{40, own}, {static_cast<std::size_t>(strangeness), stranger}})),
                                          rc::gen::element(1, 12)),
                            [](const std::pair<std::vector<Cell>, int>& drawn) {
                              std::vector<Cell> out;
                              for (int i = 0; i < drawn.second; ++i)
                                out.insert(out.end(), drawn.first.begin(), drawn.first.end());
                              return out;
                            });
      });
}

FieldType field_type(ColumnType type) { return *parse_field_type(name_of(type)); }

// Whether the API takes the value, and keeps it as it is.
bool is_canonical(ColumnType type, const ColumnStyle& style, const CellValue& value) {
  if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    const auto kept = canonical_values(style.choices, *items);
    return kept && *kept == Value(*items);
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return true;
  const auto kept = canonical_value(field_type(type), style.choices, *text);
  return kept && *kept == Value(*text);
}

constexpr int kColumnsPerRun = 20;
const char* const kTitles[] = {"Spalte", "Telefon", "Newsletter", "PLZ", "E-Mail", "Nummer"};

void check_column(const std::vector<Cell>& cells, const ColumnProposal& column) {
  std::uint64_t refused = 0;
  for (const auto& cell : cells) {
    const auto value = convert(column.type, column.style, cell, Fit::exact);
    if (!value) {
      RC_ASSERT(std::string(value.error().code()) != "other_spelling");
      ++refused;
      continue;
    }
    RC_ASSERT(gives_back(column.type, column.style, *value, cell));
    RC_ASSERT(is_canonical(column.type, column.style, *value));
    if (cell.form == CellForm::text) RC_ASSERT(equal_up_to_space(format(column.type, column.style, *value), cell.text));
  }
  RC_ASSERT(refused == column.exceptions);
  RC_ASSERT(refused * 100 <= column.cells * kExceptionsPerCentMax);
}

}  // namespace

TEST_CASE("G2 guess, convert and format give the cell", "[property][sheet][G2][G3]") {
  std::set<std::string_view> types;
  const bool ok = rc::check([&] {
    for (int i = 0; i < kColumnsPerRun; ++i) {
      const auto cells = *column();
      const auto title = *rc::gen::elementOf(Words(std::begin(kTitles), std::end(kTitles)));
      const auto proposal = test::guess_column(title, cells);
      types.insert(name_of(proposal.type));
      check_column(cells, proposal);
    }
  });
  CHECK(ok);
  CHECK(types.size() >= 10);  // of 12: the columns drawn are of all kinds
}

TEST_CASE("G5 whatever type is chosen, a value is what was written, or there is none", "[property][sheet][G3][G5]") {
  const bool ok = rc::check([] {
    const auto cells = *column();
    const auto proposal = test::guess_column("Spalte", cells);
    const auto type = static_cast<ColumnType>(*rc::gen::inRange(0, 12));
    for (const auto& cell : cells) {
      const auto value = convert(type, proposal.style, cell, Fit::readable);
      if (!value) continue;
      RC_ASSERT(is_canonical(type, proposal.style, *value));
      const auto* text = std::get_if<std::string>(&*value);
      const bool is_nothing = std::holds_alternative<std::monostate>(*value);
      // Nothing comes of nothing only.
      RC_ASSERT(is_nothing == trimmed(cell.text).empty() || (text != nullptr && trimmed(cell.text).empty()));
      if (type != ColumnType::integer && type != ColumnType::decimal) continue;
      if (text == nullptr) continue;
      // The digits of a number are the digits of its cell, in their order.
      const auto digits = [](std::string_view from) {
        std::string out;
        for (const char c : from)
          if (c >= '0' && c <= '9') out += c;
        return out;
      };
      RC_ASSERT(digits(*text) == digits(cell.text));
      RC_ASSERT(text->starts_with('-') == trimmed(cell.text).starts_with('-'));
    }
  });
  CHECK(ok);
}
