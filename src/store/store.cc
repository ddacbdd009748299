#include "store/store.h"

namespace siegel {

Result<std::optional<Bytes>> Store::get(Family family, ByteView key, const Snapshot* snapshot) {
  SIEGEL_TRY(found, get_pinned(family, key, snapshot));
  if (!found) return std::optional<Bytes>();
  return std::optional<Bytes>(to_bytes(found->value()));
}

std::uint64_t Store::memory_bytes() {
  const auto now = stats();
  return now.memtable_bytes + now.reader_bytes + now.cache_bytes;
}

}  // namespace siegel
