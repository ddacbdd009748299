// Inside of crypto only: SHA-256 on the stack. Its includers are named in CMakeLists.txt.
// SHA256_* are deprecated for the sake of other providers; but they look up no parameters and need no context, which is
// a quarter of what an event costs before it is stored (docs/performance.md).
#pragma once

#include <openssl/sha.h>

#include "base/secret.h"
#include "crypto/openssl.h"

namespace siegel::openssl {

// SHA-256 on the stack; wiped when it goes, because it may have seen a key.
class StackSha256 {
 public:
  StackSha256() noexcept { restart(); }
  StackSha256(const StackSha256&) = delete;
  StackSha256& operator=(const StackSha256&) = delete;
  ~StackSha256() { wipe(&state_, sizeof state_); }
  void restart() noexcept { must(SHA256_Init(&state_) == 1); }
  void add(ByteView bytes) noexcept { must(SHA256_Update(&state_, bytes.data(), bytes.size()) == 1); }
  [[nodiscard]] Hash finish() noexcept {
    Hash out;
    must(SHA256_Final(out.data(), &state_) == 1);
    return out;
  }

 private:
  SHA256_CTX state_;
};

}  // namespace siegel::openssl
