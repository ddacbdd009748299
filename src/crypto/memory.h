// Memory for keys, and what the process can do so that no key reaches a disk.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace siegel {

// A region of whole pages, zeroed, kept out of swap where the system allows it (locked() tells), out of core dumps
// and out of forked children; wiped and given back at the end. Move-only; a moved-from object is empty.
class LockedBytes {
 public:
  // unavailable/"memory_exhausted" if the system has none. A refused lock is no error: see locked().
  static Result<LockedBytes> allocate(std::size_t bytes);
  LockedBytes(LockedBytes&& other) noexcept;
  LockedBytes& operator=(LockedBytes&& other) noexcept;
  ~LockedBytes() { release(); }

  [[nodiscard]] bool locked() const noexcept { return locked_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] ByteView view() const noexcept { return {at_, size_}; }
  [[nodiscard]] MutableBytes mutable_view() noexcept { return {at_, size_}; }

 private:
  LockedBytes() = default;
  void release() noexcept;

  std::uint8_t* at_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;
  bool locked_ = false;
};

// Overwrites what the reused contexts (hmac.h, aead.h) still hold of the last keys: of the calling thread, or of every
// thread, also of those that sleep (formats of keys, section 5, step 1). Other threads may go on computing.
void forget_thread_keys() noexcept;
void forget_keys_of_all_threads() noexcept;

// No core dump and no reading of this process's memory by others of the same user. False if the system refused a part.
bool forbid_dumps() noexcept;

// Swap areas in use, by what they let out. Plain ones are named at start-up and on certificates.
struct SwapAreas {
  unsigned plain = 0;      // a partition or file whose medium is not seen to be encrypted
  unsigned encrypted = 0;  // on dm-crypt, with whatever lies between
  unsigned zram = 0;       // compressed memory, never on a disk
};
// Where the answer is read from; another root in tests.
struct KernelTables {
  std::string proc = "/proc";
  std::string sys = "/sys";
};
// unavailable/"swap_unknown" if /proc/swaps cannot be read.
Result<SwapAreas> swap_areas(const KernelTables& files = {});

}  // namespace siegel
