// What stands around the sheets of an XLSX file: which there are, where they and the shared texts lie, the epoch, and
// what the cells' formats show.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "sheet/number.h"
#include "sheet/table.h"
#include "sheet/zip.h"

namespace siegel::sheet {

struct XlsxSheet {
  SheetInfo info;
  std::string part;
};

struct CellFormat {
  FormatKind kind = FormatKind::number;
  unsigned digits = 0;  // shown at least, of a format that has nothing else
};

struct XlsxBook {
  std::vector<XlsxSheet> sheets;  // those with cells: no charts, dialogues and macros
  Epoch epoch = Epoch::year_1900;
  std::vector<CellFormat> formats;  // by the number that a cell carries; empty: the file has no formats
  std::string strings_part;         // empty: it has no shared texts
};

// The part that the package says to begin with; empty if it says none.
Result<std::string> find_book_part(Zip& zip);
Result<XlsxBook> read_book(Zip& zip, const std::string& book_part);

}  // namespace siegel::sheet
