// Private to CrashDisk: the disk as a rocksdb::Env.
#pragma once

#include <memory>

#include "store/store.h"
#include "support/crash_disk_model.h"

namespace siegel::test::crash {

FileSystemHandle rocksdb_file_system(std::shared_ptr<Disk> disk);

}  // namespace siegel::test::crash
