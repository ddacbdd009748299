#include "base/secret.h"

namespace siegel {

void wipe(void* at, std::size_t bytes) noexcept {
  if (bytes == 0) return;  // memset wants a place even then
  std::memset(at, 0, bytes);
  __asm__ __volatile__("" : : "r"(at) : "memory");  // the store above is observed, so it is kept
}

}  // namespace siegel
