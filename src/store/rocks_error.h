// Private to store: what RocksDB reports, as our errors.
#pragma once

#include <rocksdb/status.h>

#include "base/error.h"

namespace siegel {

Error error_of(const rocksdb::Status& status);
// While opening: a held lock is data_in_use, and a file that the store names but is not there is damage.
Error open_error_of(const rocksdb::Status& status);

inline Status status_of(const rocksdb::Status& status) {
  if (status.ok()) return Done{};
  return error_of(status);
}

}  // namespace siegel
