// Ed25519 (RFC 8032): deterministic, so that signing the same bytes again gives the same signature.
// From any thread; one key may be used by several at once.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/secret.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace siegel {

using PublicKey = ByteArray<32>;
using Signature = ByteArray<64>;

// Move-only; the key is wiped when it goes. A moved-from key may only be destroyed or assigned.
class SigningKey {
 public:
  explicit SigningKey(const SecretKey& seed);
  [[nodiscard]] Signature sign(ByteView message) const noexcept;
  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
  PublicKey public_key_;
};

[[nodiscard]] bool ed25519_verify(const PublicKey& key, ByteView message, const Signature& signature) noexcept;

}  // namespace siegel
