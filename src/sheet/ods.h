// OpenDocument spreadsheets (ODF 1.2 and later) as a table.
#pragma once

#include "sheet/table.h"
#include "sheet/zip.h"

namespace siegel::sheet {

Result<std::unique_ptr<TableReader>> open_ods(std::unique_ptr<Zip> zip, const TableOptions& options);

}  // namespace siegel::sheet
