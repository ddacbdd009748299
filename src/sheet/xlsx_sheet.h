// The rows of one sheet of an XLSX file, one at a time.
#pragma once

#include <optional>

#include "sheet/row_limits.h"
#include "sheet/shared_strings.h"
#include "sheet/xlsx_book.h"
#include "sheet/xml.h"

namespace siegel::sheet {

class XlsxRows {
 public:
  // Zip, book and strings outlive it; nothing else may be read from the zip meanwhile.
  static Result<std::unique_ptr<XlsxRows>> open(Zip& zip, const XlsxBook& book, const SharedStrings& strings,
                                                const XlsxSheet& sheet, const TableLimits& limits);
  virtual ~XlsxRows() = default;
  virtual Result<std::optional<Row>> next() = 0;  // after an error there are no more
};

// How many regions of merged cells the sheet has. The whole of it is read for that.
Result<std::uint64_t> count_merged(Zip& zip, const XlsxSheet& sheet);

}  // namespace siegel::sheet
