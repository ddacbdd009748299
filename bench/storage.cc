#include "bench/storage.h"

#include "store/store.h"

namespace siegel::bench {
namespace {

constexpr unsigned kSamples = 300;
constexpr std::size_t kValueBytes = 700;

}  // namespace

Result<SyncLatency> sync_latency(const std::filesystem::path& dir) { return probe_sync_latency(dir, kSamples); }

Result<double> synced_puts_per_s(const std::filesystem::path& dir, std::chrono::milliseconds time) {
  RocksOptions rocks;
  rocks.dir = dir;
  rocks.families = {{.name = "rows"}};
  rocks.create = RocksOptions::Create::if_missing;
  SIEGEL_TRY(store, open_rocksdb(rocks));
  const Bytes value(kValueBytes, 0x5a);
  Batch batch;
  std::uint64_t puts = 0;
  const auto begin = std::chrono::steady_clock::now();
  auto now = begin;
  for (; now - begin < time; now = std::chrono::steady_clock::now()) {
    batch.clear();
    batch.put(Family(0), be(puts++), value);
    SIEGEL_CHECK(store->write(batch, Sync::yes));
  }
  return static_cast<double>(puts) / std::chrono::duration<double>(now - begin).count();
}

}  // namespace siegel::bench
