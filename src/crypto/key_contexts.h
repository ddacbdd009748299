// Inside of crypto only: the OpenSSL contexts in which a thread computes with keys. They are reused from call to call
// (making one costs more than a whole seal) and so hold what the last key left in them, also while the thread sleeps
// for hours. Each thread's are therefore known here and under a lock, and can be wiped by another thread: an erasure
// must not leave a key in a thread that has nothing to do.
#pragma once

#include <openssl/evp.h>

#include <atomic>
#include <memory>

#include "crypto/sha256.h"

namespace siegel::openssl {

enum class Way : int { open = 0, seal = 1 };

struct CipherContextFree {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree>;

class KeyContexts {
 public:
  KeyContexts();  // by the thread that uses them, which also ends them
  KeyContexts(const KeyContexts&) = delete;
  KeyContexts& operator=(const KeyContexts&) = delete;
  ~KeyContexts();
  static KeyContexts& of_this_thread() noexcept;

  // BasicLockable. It spins: the owner never meets anybody but an erasure, which stays for about a microsecond.
  void lock() noexcept;
  void unlock() noexcept { busy_.clear(std::memory_order_release); }

  // Only while locked.
  [[nodiscard]] EVP_MD_CTX* digest() noexcept { return digest_.get(); }
  [[nodiscard]] EVP_CIPHER_CTX* cipher(Way way) noexcept { return way == Way::seal ? seal_.get() : open_.get(); }
  void overwrite() noexcept;  // with what a computation over zeros leaves

 private:
  std::atomic_flag busy_;
  MdContext digest_;
  CipherContext seal_;
  CipherContext open_;
};

}  // namespace siegel::openssl
