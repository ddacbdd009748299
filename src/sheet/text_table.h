// Pasted text and CSV as a table.
#pragma once

#include "sheet/table.h"

namespace siegel::sheet {

Result<std::unique_ptr<TableReader>> open_text(ByteView bytes, const TableOptions& options);

}  // namespace siegel::sheet
