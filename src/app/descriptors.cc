#include "app/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

#include "store/store.h"

namespace siegel::app {
namespace {

constexpr std::size_t kStores = 3;
constexpr std::size_t kOthers = 128;   // logs, locks, root store, replicas, the listener, clients that get their 503
constexpr std::size_t kFewest = 1024;  // assumed where the limit cannot be read

}  // namespace

std::size_t raise_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kFewest;
  const auto soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = soft;
  return limit.rlim_cur == RLIM_INFINITY ? kStores * kFewest : static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t connections_for(std::size_t descriptors) {
  const auto stores = kStores * static_cast<std::size_t>(RocksOptions().open_files_max) + kOthers;
  const auto left = descriptors > stores ? descriptors - stores : 0;
  // Where there are few, the stores are small: an eighth for clients, an eighth for those that are turned away.
  return std::clamp(std::max(left, descriptors / 8), std::size_t{1}, kConnectionsMax);
}

}  // namespace siegel::app
