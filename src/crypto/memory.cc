#include "crypto/memory.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "base/assert.h"
#include "base/secret.h"

namespace siegel {

Result<LockedBytes> LockedBytes::allocate(std::size_t bytes) {
  SIEGEL_ASSERT(bytes > 0);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  LockedBytes made;
  const std::size_t mapped = (bytes + page - 1) / page * page;
  void* const at =
      mapped < bytes ? MAP_FAILED : mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    return Error(Errc::unavailable, "memory_exhausted", "The system gives no memory for keys.").with("bytes", bytes);
  }
  made.at_ = static_cast<std::uint8_t*>(at);
  made.size_ = bytes;
  made.mapped_ = mapped;
  // mlock2 with no flag is mlock; the sanitizers turn mlock itself into nothing, which no test could tell.
  made.locked_ = mlock2(at, mapped, 0) == 0;
  (void)madvise(at, mapped, MADV_DONTDUMP);
  (void)madvise(at, mapped, MADV_DONTFORK);
  return made;
}

LockedBytes::LockedBytes(LockedBytes&& other) noexcept
    : at_(std::exchange(other.at_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)),
      locked_(std::exchange(other.locked_, false)) {}

LockedBytes& LockedBytes::operator=(LockedBytes&& other) noexcept {
  if (this != &other) {
    release();
    at_ = std::exchange(other.at_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
    locked_ = std::exchange(other.locked_, false);
  }
  return *this;
}

void LockedBytes::release() noexcept {
  if (at_ == nullptr) return;
  wipe(at_, mapped_);
  munmap(at_, mapped_);  // unlocks too
  at_ = nullptr;
}

bool forbid_dumps() noexcept {
  const rlimit none{0, 0};
  const bool no_core = setrlimit(RLIMIT_CORE, &none) == 0;
  const bool not_dumpable = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
  return no_core && not_dumpable;
}

}  // namespace siegel
