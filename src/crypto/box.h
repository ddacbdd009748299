// The box in which everything sealed is stored (formats/keys.md 2): AES-256-GCM over a padded plaintext that begins
// with a commitment block, so that a box opens under one key only and tells little of its content's length.
//
//   plaintext = 32 zero bytes | u32 BE body length | body | zero bytes, padded in all to 64-byte steps up to 1,024
//               bytes, then by Padmé (at most 12 % more, falling with the size)
//   box       = AES-256-GCM(key, nonce, aad, plaintext) | 16-byte tag
//
// The nonce is not part of the box. From any thread.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/secret_bytes.h"

namespace siegel {

inline constexpr std::size_t kBoxBodyBytesMax = std::size_t{1} << 28;

// Length of the box of a body: padding and tag included.
[[nodiscard]] std::size_t box_size(std::size_t body_bytes) noexcept;

// Appends the box of the body. The body must not lie inside append_to, and be at most kBoxBodyBytesMax long.
void seal_box(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView body, Bytes& append_to);

// The body; corrupt/"box_damaged" if anything differs from what seal_box makes: another key, nonce or aad, a changed
// bit, a commitment block or padding that is not zero, a size that is not the one of this body.
Result<Bytes> open_box(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView box);
// The same for key material: the body is wiped when it goes.
Result<SecretBytes> open_secret_box(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView box);

}  // namespace siegel
