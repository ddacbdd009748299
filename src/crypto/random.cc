#include "crypto/random.h"

#include <openssl/rand.h>
#include <sys/mman.h>

#include <algorithm>

#include "base/secret.h"
#include "crypto/openssl.h"

namespace siegel {
namespace {

constexpr std::size_t kBufferBytes = 4096;
constexpr std::size_t kDirectBytes = kBufferBytes / 4;  // requests from here on gain nothing by the buffer

void draw(std::uint8_t* at, std::size_t bytes) noexcept { openssl::must(RAND_bytes(at, static_cast<int>(bytes)) == 1); }

// Lies in pages that the kernel zeroes in a forked child, so the child finds left == 0 and draws its own bytes.
struct Pool {
  std::size_t left;
  std::uint8_t bytes[kBufferBytes];
};

class ThreadPool {
 public:
  ThreadPool() noexcept {
    void* const at = mmap(nullptr, sizeof(Pool), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return;
    if (madvise(at, sizeof(Pool), MADV_WIPEONFORK) != 0) {  // no promise, no buffer
      munmap(at, sizeof(Pool));
      return;
    }
    (void)madvise(at, sizeof(Pool), MADV_DONTDUMP);
    pool_ = static_cast<Pool*>(at);
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() {
    if (pool_ == nullptr) return;
    wipe(pool_, sizeof(Pool));
    munmap(pool_, sizeof(Pool));
  }

  void take(MutableBytes out) noexcept {
    if (pool_ == nullptr || out.size() >= kDirectBytes) return draw(out.data(), out.size());
    if (pool_->left < out.size()) {
      draw(pool_->bytes, kBufferBytes);
      pool_->left = kBufferBytes;
    }
    std::uint8_t* const from = pool_->bytes + (kBufferBytes - pool_->left);
    std::memcpy(out.data(), from, out.size());
    wipe(from, out.size());
    pool_->left -= out.size();
  }

 private:
  Pool* pool_ = nullptr;
};

}  // namespace

void SystemRandom::fill(MutableBytes out) {
  constexpr std::size_t kDrawMax = std::size_t{1} << 20;  // OpenSSL counts in int
  thread_local ThreadPool pool;
  while (!out.empty()) {
    const auto now = std::min(out.size(), kDrawMax);
    pool.take(out.first(now));
    out = out.subspan(now);
  }
}

}  // namespace siegel
