// Private to store: an Env that knows how far each manifest was synced (docs/adr/0010-torn-manifests.md).
//
// RocksDB takes a record of a manifest that does not hold for damage and refuses the store, also where a power loss has
// left it: its bytes may be gone though the file is as long as it was to be. Whether such a record had ever been synced
// does not stand in the manifest. So each sync of MANIFEST-n is followed by one of SYNCED-n, beside it: marks of 12
// bytes, the size that is synced now (u64 big-endian) and its crc32c (u32 big-endian); the largest counts.
//
// A manifest whose whole records end before its mark is damaged. One that goes on behind its last whole record is shown
// up to there: nobody was ever told of the rest. One without a mark is shown as it is.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <string>

#include "store/rocks_place.h"
#include "store/store.h"

namespace siegel {

// It changes nothing any more once the store stands elsewhere (rocks_place.h).
std::shared_ptr<rocksdb::Env> with_marks(const std::shared_ptr<rocksdb::Env>& base, RocksOptions::Mode mode,
                                         StandsElsewhere elsewhere);
// Of manifests that are gone.
void drop_old_marks(rocksdb::FileSystem& files, const std::string& dir);

}  // namespace siegel
