// Private to store: a file system that changes nothing any more once its store is known to stand elsewhere. RocksDB
// knows its files by name: a store whose directory was moved away would sweep what has been put in its place, and when
// it is closed writes a manifest of its own there (VersionSet::Close), after which nobody can open that any more.
// Files that are open already stay so, wherever they stand now; reading goes on.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>

namespace siegel {

using StandsElsewhere = std::shared_ptr<std::atomic<bool>>;  // set by whoever finds out, from any thread
std::shared_ptr<rocksdb::FileSystem> at_its_place(const std::shared_ptr<rocksdb::FileSystem>& files,
                                                  StandsElsewhere elsewhere);

}  // namespace siegel
