// Private to store: RocksDB's own log, the file LOG beside the data. RocksDB 7.8 writes it through the machinery of its
// tables, and aborts at the next line after one that met a full disk. This one lets a line go instead.
#pragma once

#include <rocksdb/env.h>

#include <filesystem>
#include <memory>

namespace siegel {

// The one of before becomes LOG.old. Never fails: where no file can be made, lines go nowhere.
std::shared_ptr<rocksdb::Logger> open_rocks_log(const std::filesystem::path& dir, rocksdb::InfoLogLevel level);

}  // namespace siegel
