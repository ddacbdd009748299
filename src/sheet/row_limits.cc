#include "sheet/row_limits.h"

namespace siegel::sheet {

Error RowLimits::damaged(const char* what, std::uint64_t row, std::uint64_t column) const {
  return Error(Errc::invalid, "damaged_file", what).with("sheet", sheet_).with("row", row).with("column", column + 1);
}

Error RowLimits::limit(const char* what, const char* name, std::uint64_t max, std::uint64_t row) const {
  return Error(Errc::invalid, "too_large", what)
      .with("limit_name", name)
      .with("limit_value", max)
      .with("sheet", sheet_)
      .with("row", row);
}

Status RowLimits::put(Row& row, std::uint64_t column, Cell cell) const {
  if (cell.form == CellForm::empty) return Done{};
  if (column >= limits_.columns_max)
    return limit("A row has too many columns.", "columns_max", limits_.columns_max, row.number);
  if (cell.text.size() > limits_.cell_bytes_max)
    return limit("A cell is too long.", "cell_bytes_max", limits_.cell_bytes_max, row.number)
        .with("column", column + 1);
  const auto at = static_cast<std::size_t>(column);
  if (at >= row.cells.size()) row.cells.resize(at + 1);
  if (row.cells[at].form != CellForm::empty) return damaged("A cell of the sheet is there twice.", row.number, column);
  row.cells[at] = std::move(cell);
  return Done{};
}

Status RowLimits::give(const Row& row) {
  if (rows_++ > limits_.rows_max)
    return limit("The sheet has too many rows.", "rows_max", limits_.rows_max, row.number);
  for (const auto& cell : row.cells) bytes_ += cell.text.size();
  if (bytes_ <= limits_.unpacked_bytes_max) return Done{};
  return limit("Unpacked, the sheet is larger than this server takes.", "sheet_unpacked_bytes_max",
               limits_.unpacked_bytes_max, row.number);
}

}  // namespace siegel::sheet
