// `siegel export-log DIR`: the ledger as files for auditors (C2SP tlog-tiles), also beside a running server.
//   tile/<L>/<N>[.p/<W>]          hashes
//   tile/entries/<N>[.p/<W>]      headers, each u16 BE length | bytes
//   payloads/<N>[.p/<W>]          parts records of the same events, each u32 BE length | bytes
//   verifier-key                  the ledger's key, one line
//   checkpoint                    the signed note of the exported size; written last: without it the export is not
//   whole
#pragma once

#include <filesystem>

#include "app/report.h"

namespace siegel::app {

struct ExportRun {
  std::filesystem::path data;
  std::filesystem::path dir;
  Speech speech;
};
// 0; 3 if the ledger is damaged; 4 if there is something in dir.
int run_export_log(const ExportRun& run);

}  // namespace siegel::app
