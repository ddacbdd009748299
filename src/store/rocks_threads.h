// Private to store: threads for one store's flushes and compactions. RocksDB has one pool for all stores of a process,
// with a single thread for flushes: a disk that hangs under one store would end the flushes, and soon the writes, of
// all.
#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace siegel {

// base: null for the default one.
std::shared_ptr<rocksdb::Env> with_own_threads(std::shared_ptr<rocksdb::Env> base);

}  // namespace siegel
