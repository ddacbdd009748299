// What an import shows of itself: how far it is, what came of it, and the rows that were refused.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "ctl/import_run.h"
#include "ctl/output_file.h"
#include "ctl/session.h"

namespace siegel::ctl {

// The file as it is read.
struct ImportFile {
  sheet::CsvRow header;
  char delimiter = ',';
  RecordType type;
  Columns columns;  // point into the type
  std::uint64_t rows = 0;
  std::uint64_t rows_empty = 0;  // of them: passed over
  std::uint64_t rows_all = 0;    // 0: not known, the rows come from a pipe
};

// One running line on a terminal, else one every ten seconds. Of a long file first the run, which a broken-off import
// goes on with.
class Progress {
 public:
  Progress(const Session& session, std::string run);
  void show(const ImportFile& file);  // after each row
  void end() const;

 private:
  void line(const ImportFile& file) const;

  const Session& session_;
  const std::string run_;
  std::chrono::steady_clock::time_point next_;
  bool named_ = false;
};

void report(const Session& session, const ImportFile& file, const ImportOutcome& outcome, const std::string& run,
            std::uint64_t taken_back = 0);
Status write_rejects(const Session& session, OutputFile& to, const ImportFile& file, const ImportOutcome& outcome);

}  // namespace siegel::ctl
