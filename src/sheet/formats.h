// Values back as the text of a column: German, international or ISO, as the style says. What guess.h calls lossless is
// this: format(convert(cell)) is the cell, up to white space.
#pragma once

#include <string>
#include <string_view>

#include "sheet/cells.h"

namespace siegel::sheet {

// Nothing gives "". A value that does not fit the type (which convert() never makes) is given as it is.
std::string format(ColumnType type, const ColumnStyle& style, const CellValue& value);

// Whether the value shows what stood in the cell. A typed cell of a workbook (number, date, boolean) is compared in the
// form in which the file kept it, since how it was shown is not the cell's but the program's matter.
bool gives_back(ColumnType type, const ColumnStyle& style, const CellValue& value, const Cell& cell);

// Equal once all white space is left out, that between words too.
bool equal_up_to_space(std::string_view a, std::string_view b) noexcept;

}  // namespace siegel::sheet
