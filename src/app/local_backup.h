// `siegel backup DIR`: the ledger with its payloads, with the server stopped, and never a key: neither a root, nor the
// signing key, nor a keys store, which lives in its replicas (docs/formats/keys.md). It ends with a dry restore: the
// copy is verified, and every part in it is opened with the present keys and root, or told to be erased.
//   ledger/       the store
//   FORMAT PLACES as in the data directory
//   checkpoint    the signed note of the copy's size
//   SHA256SUMS    of all files above, as sha256sum writes and checks them
//   BACKUP        what it holds; written last: without it the backup is not whole
#pragma once

#include <filesystem>

#include "app/config.h"
#include "app/report.h"

namespace siegel::app {

struct BackupRun {
  std::filesystem::path data;
  std::filesystem::path dir;
  Config config;
  Speech speech;
};
// 0; 1 if the dry restore fails: keys or root do not open what they should; 3 if the copy is damaged; 4 if there is
// something in dir, or it lies where keys are.
int run_backup(const BackupRun& run);

}  // namespace siegel::app
