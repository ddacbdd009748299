#include "sheet/delimiter.h"

#include <algorithm>
#include <map>
#include <vector>

namespace siegel::sheet {
namespace {

constexpr std::string_view kCandidates = "\t;|,";  // of two that fit equally the earlier
constexpr std::size_t kRowsLookedAt = 200;

struct Shape {
  std::vector<std::size_t> cells;  // of each row that is not empty
  std::size_t between_digits = 0;
  std::size_t delimiters = 0;
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

Shape shape_of(std::string_view text, bool is_whole, char delimiter) {
  Shape out;
  std::size_t cells = 1;
  bool quoted = false, cell_begins = true, row_is_empty = true;
  const auto end_row = [&] {
    if (!row_is_empty) out.cells.push_back(cells);
    cells = 1;
    cell_begins = row_is_empty = true;
  };
  for (std::size_t i = 0; i < text.size() && out.cells.size() < kRowsLookedAt; ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '\n' || c == '\r') {
      end_row();
    } else if (c == delimiter) {
      ++cells;
      ++out.delimiters;
      if (i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1])) ++out.between_digits;
      cell_begins = true;
      row_is_empty = false;
    } else {
      quoted = cell_begins && c == '"';
      cell_begins = row_is_empty = false;
    }
  }
  if (is_whole || out.cells.empty()) end_row();
  return out;
}

struct Fit {
  double equal = 0;  // share of the rows that have the most frequent number of cells
  bool good = false;
};

Fit fit_of(const Shape& shape, char delimiter) {
  std::map<std::size_t, std::size_t> rows_by_cells;
  std::size_t separated = 0;
  for (const auto cells : shape.cells) {
    if (cells < 2) continue;
    ++rows_by_cells[cells];
    ++separated;
  }
  if (separated == 0) return {};
  const auto rows = static_cast<double>(shape.cells.size());
  std::size_t most = 0;
  for (const auto& [cells, count] : rows_by_cells) most = std::max(most, count);
  const bool first = shape.cells.front() >= 2;
  if (delimiter == ',' && !first && shape.between_digits * 10 >= shape.delimiters * 8) return {};  // 12,50
  Fit out;
  out.equal = static_cast<double>(most) / rows;
  // Without the first row, which may be a heading above the table, the others must agree.
  out.good = first ? static_cast<double>(separated) * 2 >= rows : out.equal >= 0.75;
  return out;
}

}  // namespace

std::optional<char> find_delimiter(std::string_view sample, bool is_whole) {
  std::optional<char> best;
  double best_equal = 0;
  for (const char candidate : kCandidates) {
    const auto fit = fit_of(shape_of(sample, is_whole, candidate), candidate);
    if (!fit.good || fit.equal <= best_equal) continue;
    best = candidate;
    best_equal = fit.equal;
  }
  return best;
}

char unused_delimiter(std::string_view text) noexcept {
  constexpr std::string_view kOrder = ";\t|,";
  for (const char candidate : kOrder)
    if (text.find(candidate) == std::string_view::npos) return candidate;
  return '\x1F';  // the unit separator: made for this, and in no text that people write
}

std::size_t instruction_bytes(std::string_view text) noexcept {
  if (text.size() < 5 || text[3] != '=') return 0;
  for (std::size_t i = 0; i < 3; ++i)
    if ((text[i] | 0x20) != "sep"[i]) return 0;
  if (text[4] == '\r' || text[4] == '\n') return 0;
  if (text.size() == 5) return 5;
  if (text[5] == '\n') return 6;
  if (text[5] != '\r') return 0;
  return text.size() > 6 && text[6] == '\n' ? 7 : 6;
}

}  // namespace siegel::sheet
