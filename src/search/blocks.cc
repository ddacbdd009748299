#include "search/blocks.h"

#include <sys/mman.h>

#include <new>

#include "base/secret.h"

namespace siegel::search {

Blocks::~Blocks() {
  for (auto* region : regions_) {
    wipe(region, kPerRegion * kBlockBytes);
    munmap(region, kPerRegion * kBlockBytes);
  }
}

std::uint32_t Blocks::take() {
  if (!free_.empty()) {
    const auto block = free_.back();
    free_.pop_back();
    return block;
  }
  if (next_ == regions_.size() * kPerRegion) {
    constexpr std::size_t bytes = kPerRegion * kBlockBytes;
    regions_.reserve(regions_.size() + 1);
    free_.reserve((regions_.size() + 1) * kPerRegion);  // giving back must not fail
    void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    (void)madvise(at, bytes, MADV_DONTDUMP);
    (void)madvise(at, bytes, MADV_DONTFORK);
    regions_.push_back(static_cast<std::uint8_t*>(at));
  }
  return next_++;
}

void Blocks::give_back(std::uint32_t block) noexcept {
  wipe(at(block), kBlockBytes);
  free_.push_back(block);
}

}  // namespace siegel::search
