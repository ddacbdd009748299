// Excel workbooks (ECMA-376, transitional and strict) as a table.
#pragma once

#include "sheet/table.h"
#include "sheet/zip.h"

namespace siegel::sheet {

Result<std::unique_ptr<TableReader>> open_xlsx(std::unique_ptr<Zip> zip, const std::string& book_part,
                                               const TableOptions& options);

}  // namespace siegel::sheet
