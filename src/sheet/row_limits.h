// Puts the cells of a workbook's rows where they belong, within the limits. What a row holds is counted over all rows
// as it is given, not as the file keeps it: a text that thousands of cells share, or a row that is repeated, counts
// each time.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "sheet/table.h"

namespace siegel::sheet {

class RowLimits {
 public:
  RowLimits(const TableLimits& limits, std::string sheet) : limits_(limits), sheet_(std::move(sheet)) {}

  // column: from 0. Twice the same one is damaged_file; an empty cell only takes its place.
  Status put(Row& row, std::uint64_t column, Cell cell) const;
  Status give(const Row& row);  // each time that a row goes out

  [[nodiscard]] Error damaged(const char* what, std::uint64_t row, std::uint64_t column) const;
  [[nodiscard]] const TableLimits& limits() const noexcept { return limits_; }
  [[nodiscard]] const std::string& sheet() const noexcept { return sheet_; }

 private:
  [[nodiscard]] Error limit(const char* what, const char* name, std::uint64_t max, std::uint64_t row) const;

  TableLimits limits_;
  std::string sheet_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
};

// A formula whose result the program that wrote the file did not keep, as a cell of form error: not to be taken for an
// empty one.
inline constexpr const char* kNoResult = "#NO_RESULT!";

}  // namespace siegel::sheet
