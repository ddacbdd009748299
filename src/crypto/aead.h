// AES-256-GCM, with the cipher fetched once and a context per thread. GCM does not commit to its key: what is stored
// goes through box.h, which does. One (key, nonce) pair seals once; who calls answers for that.
// From any thread. A thread's context holds the last key until the next call or forget_thread_keys() (memory.h).
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace siegel {

inline constexpr std::size_t kAeadTagBytes = 16;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadBytesMax = std::size_t{1} << 30;  // of one plaintext, and of its aad
using Nonce = ByteArray<kAeadNonceBytes>;

// out: exactly plaintext + kAeadTagBytes long; it may begin where the plaintext does, else they must not overlap.
void aes_gcm_seal(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView plaintext,
                  MutableBytes out) noexcept;

// out: exactly sealed - kAeadTagBytes long; it may begin where sealed does, else they must not overlap. The tag is
// compared in constant time; on a mismatch (or a size out of range) the answer is false and out holds zeros.
[[nodiscard]] bool aes_gcm_open(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView sealed,
                                MutableBytes out) noexcept;

}  // namespace siegel
