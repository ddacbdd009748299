// Private to store: RocksDB 9 does not come to an end where a log or manifest holds a record of the types of recycled
// logs behind one of another type: it looks at the same record for ever (log::Reader::ReadPhysicalRecord gives it up
// without stepping over it). One flipped bit makes a record such a one. No log of ours is recycled, so RocksDB is shown
// a type that no version knows in its place: the record fails its checksum then, as after any other flipped bit.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>

namespace siegel {

std::shared_ptr<rocksdb::FileSystem> without_recycled_records(const std::shared_ptr<rocksdb::FileSystem>& files);

}  // namespace siegel
