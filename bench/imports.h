// What an import of a large file takes, against the program itself as a child process.
#pragma once

#include "bench/site.h"

namespace siegel::bench {

struct Imported {
  double preview_s = 0;   // from the first byte of the upload to the whole preview
  double commit_s = 0;    // until the answer that the import is finished: each row durable, sealed and shown
  double workbook_s = 0;  // both, of the same rows as XLSX
  double memory_mib = 0;  // peak above the server's memory before
};
// Rows of 20 columns: people by their e-mail address, dates, amounts and numbers among them, three searchable fields.
// The site is started and stopped.
Result<Imported> measure_imports(Site& site, std::uint64_t rows);

}  // namespace siegel::bench
