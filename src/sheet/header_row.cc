#include "sheet/header_row.h"

#include <algorithm>
#include <unordered_set>

#include "sheet/cells.h"
#include "sheet/dates.h"
#include "sheet/numbers.h"
#include "sheet/title_hints.h"
#include "sheet/words.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kFieldNameMax = 63;
constexpr std::size_t kTitleBytesMax = 120;

struct Fold {
  std::string_view from, to;
};
constexpr Fold kFolds[] = {
    {"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"Ä", "ae"}, {"Ö", "oe"}, {"Ü", "ue"}, {"ß", "ss"}, {"ẞ", "ss"}, {"æ", "ae"},
    {"Æ", "ae"}, {"ø", "o"},  {"Ø", "o"},  {"å", "a"},  {"Å", "a"},  {"à", "a"},  {"á", "a"},  {"â", "a"},  {"ã", "a"},
    {"À", "a"},  {"Á", "a"},  {"Â", "a"},  {"Ã", "a"},  {"è", "e"},  {"é", "e"},  {"ê", "e"},  {"ë", "e"},  {"È", "e"},
    {"É", "e"},  {"Ê", "e"},  {"Ë", "e"},  {"ì", "i"},  {"í", "i"},  {"î", "i"},  {"ï", "i"},  {"Ì", "i"},  {"Í", "i"},
    {"Î", "i"},  {"Ï", "i"},  {"ò", "o"},  {"ó", "o"},  {"ô", "o"},  {"õ", "o"},  {"Ò", "o"},  {"Ó", "o"},  {"Ô", "o"},
    {"Õ", "o"},  {"ù", "u"},  {"ú", "u"},  {"û", "u"},  {"Ù", "u"},  {"Ú", "u"},  {"Û", "u"},  {"ý", "y"},  {"Ý", "y"},
    {"ÿ", "y"},  {"ñ", "n"},  {"Ñ", "n"},  {"ç", "c"},  {"Ç", "c"},  {"ł", "l"},  {"Ł", "l"},  {"ś", "s"},  {"Ś", "s"},
    {"š", "s"},  {"Š", "s"},  {"ş", "s"},  {"ć", "c"},  {"č", "c"},  {"Č", "c"},  {"ž", "z"},  {"Ž", "z"},  {"ź", "z"},
    {"ż", "z"},  {"ą", "a"},  {"ę", "e"},  {"ě", "e"},  {"ń", "n"},  {"ň", "n"},  {"ř", "r"},  {"Ř", "r"},  {"ő", "o"},
    {"ű", "u"},  {"ů", "u"},  {"ğ", "g"},  {"ı", "i"},  {"œ", "oe"}, {"Œ", "oe"}, {"ð", "d"},  {"þ", "th"}};

std::string_view text_of(const Row& row, std::size_t column) {
  return column < row.cells.size() ? trimmed(row.cells[column].text) : std::string_view();
}

std::size_t filled(const Row& row) {
  return static_cast<std::size_t>(
      std::count_if(row.cells.begin(), row.cells.end(), [](const Cell& cell) { return !trimmed(cell.text).empty(); }));
}

bool reads_as_data(const Cell& cell) {
  if (cell.form != CellForm::text && cell.form != CellForm::empty) return true;
  const auto text = trimmed(cell.text);
  return read_number(text, DecimalSign::comma) || read_number(text, DecimalSign::point) || read_date(text) ||
         is_email(text) || is_url(text) || read_phone(text, "DE");
}

// Numbers alone can be titles: a column for each year.
bool is_year(const Cell& cell) {
  const auto text = trimmed(cell.text);
  return text.size() == 4 && (text.starts_with("19") || text.starts_with("20")) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool may_be_header(const Row& row) {
  std::unordered_set<std::string_view> seen;
  std::size_t texts = 0;
  for (const auto& cell : row.cells) {
    const auto text = trimmed(cell.text);
    if (text.empty() || is_year(cell)) continue;
    if (text.size() > kTitleBytesMax || reads_as_data(cell)) return false;
    ++texts;
    seen.insert(text);
  }
  // Titles repeat now and then ("Name", "Name"), values of a row more often.
  return texts > 0 && seen.size() * 2 >= texts;
}

// A year above years is a value like them.
bool has_years_below(std::span<const Row> rows, std::size_t header) {
  for (std::size_t column = 0; column < rows[header].cells.size(); ++column) {
    if (!is_year(rows[header].cells[column])) continue;
    for (std::size_t i = header + 1; i < rows.size(); ++i)
      if (column < rows[i].cells.size() && is_year(rows[i].cells[column])) return true;
  }
  return false;
}

bool has_known_titles(const Row& row) {
  std::size_t known = 0;
  for (const auto& cell : row.cells)
    if (!trimmed(cell.text).empty() && hints_of(field_name(cell.text)).is_known) ++known;
  return known > 0 && known * 3 >= filled(row);
}

bool is_above_data(std::span<const Row> rows, std::size_t header) {
  for (std::size_t i = header + 1; i < rows.size(); ++i)
    for (const auto& cell : rows[i].cells)
      if (!trimmed(cell.text).empty() && reads_as_data(cell)) return true;
  return false;
}

bool repeats_below(std::span<const Row> rows, std::size_t header) {
  for (std::size_t column = 0; column < rows[header].cells.size(); ++column) {
    const auto text = text_of(rows[header], column);
    for (std::size_t i = header + 1; i < rows.size() && !text.empty(); ++i)
      if (text_of(rows[i], column) == text) return true;
  }
  return false;
}

std::string letters_of(std::size_t column) {
  std::string out;
  for (std::size_t n = column + 1; n > 0; n = (n - 1) / 26)
    out.insert(out.begin(), static_cast<char>('A' + static_cast<char>((n - 1) % 26)));
  return out;
}

// With " (2)", "-2", … behind it if it is taken.
std::string unique(std::unordered_set<std::string>& taken, const std::string& wanted, std::string_view before,
                   std::string_view after, std::size_t size_max) {
  std::string out = wanted;
  for (std::size_t n = 2; !taken.insert(out).second; ++n) {
    const auto number = std::string(before) + std::to_string(n) + std::string(after);
    out = wanted.substr(0, size_max - std::min(size_max, number.size())) + number;
  }
  return out;
}

}  // namespace

HeaderGuess guess_header(std::span<const Row> first_rows) {
  const auto rows = first_rows.first(std::min(first_rows.size(), kHeaderRowsLookedAt));
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, filled(row));
  if (width == 0) return {};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (filled(rows[i]) * 2 <= width) continue;  // the title of the sheet, a note
    if (!may_be_header(rows[i]) || has_years_below(rows, i)) return {std::nullopt, "data_in_first_row"};
    if (has_known_titles(rows[i])) return {i, "known_titles"};
    if (repeats_below(rows, i)) return {std::nullopt, "value_repeats"};
    if (is_above_data(rows, i)) return {i, "titles_above_data"};
    return {i, "first_full_row"};
  }
  return {std::nullopt, "data_in_first_row"};
}

std::string field_name(std::string_view title) {
  std::string out;
  const auto dash = [&] {
    if (!out.empty() && out.back() != '-') out += '-';
  };
  while (!title.empty()) {
    const char c = title.front();
    const auto* fold = std::find_if(std::begin(kFolds), std::end(kFolds),
                                    [&](const Fold& one) { return title.starts_with(one.from); });
    if (static_cast<unsigned char>(c) >= 0x80 && fold != std::end(kFolds)) {
      out += fold->to;
      title.remove_prefix(fold->from.size());
      continue;
    }
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    } else if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      dash();
    }
    title.remove_prefix(1);
  }
  if (!out.empty() && out.front() >= '0' && out.front() <= '9') out.insert(0, "f-");
  out.resize(std::min(out.size(), kFieldNameMax));
  while (out.ends_with('-')) out.pop_back();
  return out;
}

namespace {

// People break the lines of a header so that a column stays narrow: "Kunden-\nnummer" is Kundennummer.
std::string on_one_line(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\n' && text[i] != '\r') {
      out.push_back(text[i]);
      continue;
    }
    const auto next = text.find_first_not_of("\r\n", i);
    const bool hyphen = out.size() > 1 && out.back() == '-' && out[out.size() - 2] != ' ';
    if (hyphen && next != std::string_view::npos && text[next] >= 'a' && text[next] <= 'z') {
      out.pop_back();
    } else if (!hyphen && next != std::string_view::npos && !out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
    i = (next == std::string_view::npos ? text.size() : next) - 1;
  }
  return out;
}

}  // namespace

std::vector<ColumnTitle> make_titles(const Row* header, std::size_t count, Language language) {
  constexpr std::size_t kAnyLength = 1'000'000;
  if (header != nullptr) count = std::max(count, header->cells.size());
  std::vector<ColumnTitle> out;
  std::unordered_set<std::string> titles, fields;
  for (std::size_t i = 0; i < count; ++i) {
    const auto numbered = (language == Language::de ? "Spalte " : "Column ") + std::to_string(i + 1);
    std::string title = header == nullptr ? letters_of(i) : on_one_line(text_of(*header, i));
    const bool untitled = title.empty();
    if (untitled) title = numbered;
    title = unique(titles, title, " (", ")", kAnyLength);
    auto field = field_name(title);
    if (field.empty()) field = field_name(numbered);
    out.push_back({std::move(title), unique(fields, field, "-", "", kFieldNameMax), untitled});
  }
  return out;
}

}  // namespace siegel::sheet
