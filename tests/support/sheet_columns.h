// Columns and tables of cells for the tests of src/sheet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sheet/guess.h"

namespace siegel::test {

inline sheet::Cell text_cell(std::string_view text) {
  return {text.empty() ? sheet::CellForm::empty : sheet::CellForm::text, std::string(text)};
}

// "=number:1.5", "=date:2025-12-31", "=datetime:…", "=time:…", "=boolean:true", "=error:#N/A"; all else is text.
inline sheet::Cell cell_of(std::string_view text) {
  struct Form {
    std::string_view prefix;
    sheet::CellForm form;
  };
  constexpr Form kForms[] = {{"=number:", sheet::CellForm::number},     {"=date:", sheet::CellForm::date},
                             {"=datetime:", sheet::CellForm::datetime}, {"=time:", sheet::CellForm::time},
                             {"=boolean:", sheet::CellForm::boolean},   {"=error:", sheet::CellForm::error}};
  for (const auto& form : kForms)
    if (text.starts_with(form.prefix)) return {form.form, std::string(text.substr(form.prefix.size()))};
  return text_cell(text);
}

inline sheet::Row row_of(std::uint64_t number, const std::vector<std::string>& texts) {
  sheet::Row row;
  row.number = number;
  for (const auto& text : texts) row.cells.push_back(cell_of(text));
  while (!row.cells.empty() && row.cells.back().form == sheet::CellForm::empty) row.cells.pop_back();
  return row;
}

inline sheet::ColumnProposal guess_column(const std::string& title, const std::vector<sheet::Cell>& cells,
                                          const sheet::GuessOptions& options = {}) {
  sheet::Row header;
  header.cells.push_back(text_cell(title));
  sheet::Guesser guesser(sheet::make_titles(&header, 1, options.language), options);
  std::uint64_t number = 1;
  for (const auto& cell : cells) {
    sheet::Row row;
    row.number = ++number;
    row.cells.push_back(cell);
    guesser.add(row);
  }
  return guesser.propose().columns.at(0);
}

}  // namespace siegel::test
