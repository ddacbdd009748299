// Containers whose bytes are overwritten before they go back to the heap: what is searched for and what is found are
// personal values.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace siegel::search {

template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT: allocators convert into each other
  T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
  void deallocate(T* at, std::size_t n) noexcept {
    wipe(at, n * sizeof(T));
    std::allocator<T>().deallocate(at, n);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) noexcept { return true; }
};

using Key = std::vector<char, WipingAllocator<char>>;  // no std::string: a short one would stay in the object itself
inline std::string_view view(const Key& key) noexcept { return {key.data(), key.size()}; }

}  // namespace siegel::search
