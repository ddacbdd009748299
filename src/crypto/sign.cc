#include "crypto/sign.h"

#include "crypto/openssl.h"

namespace siegel {
namespace {

// A context of its own for signatures: it is emptied after each use, so that it keeps no reference to a key.
EVP_MD_CTX* thread_signature_context() noexcept {
  thread_local const MdContext context = [] {
    MdContext made(EVP_MD_CTX_new());
    openssl::must(made != nullptr);
    return made;
  }();
  return context.get();
}

}  // namespace

void SigningKey::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

SigningKey::SigningKey(const SecretKey& seed)
    : key_(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.view().data(), seed.view().size())) {
  openssl::must(key_ != nullptr);
  std::size_t size = public_key_.size();
  openssl::must(EVP_PKEY_get_raw_public_key(key_.get(), public_key_.data(), &size) == 1 && size == public_key_.size());
}

Signature SigningKey::sign(ByteView message) const noexcept {
  EVP_MD_CTX* const context = thread_signature_context();
  Signature out;
  std::size_t size = out.size();
  openssl::must(EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key_.get()) == 1 &&
                EVP_DigestSign(context, out.data(), &size, message.data(), message.size()) == 1 && size == out.size());
  EVP_MD_CTX_reset(context);
  return out;
}

bool ed25519_verify(const PublicKey& key, ByteView message, const Signature& signature) noexcept {
  EVP_PKEY* const loaded = EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, key.data(), key.size());
  if (loaded == nullptr) return false;
  EVP_MD_CTX* const context = thread_signature_context();
  const bool good = EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, loaded) == 1 &&
                    EVP_DigestVerify(context, signature.data(), signature.size(), message.data(), message.size()) == 1;
  EVP_MD_CTX_reset(context);
  EVP_PKEY_free(loaded);
  return good;
}

}  // namespace siegel
