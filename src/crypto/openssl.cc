#include "crypto/openssl.h"

#include "base/assert.h"

namespace siegel::openssl {

void must(bool worked) noexcept { SIEGEL_ASSERT(worked); }

// Fetched once and kept until the process ends: an implicit fetch costs 200 to 900 ns each call, and freeing at exit
// would race with other static destructors.
const EVP_MD* sha256_algorithm() noexcept {
  static const EVP_MD* const algorithm = [] {
    const EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    must(fetched != nullptr);
    return fetched;
  }();
  return algorithm;
}

const EVP_CIPHER* aes_256_gcm_algorithm() noexcept {
  static const EVP_CIPHER* const algorithm = [] {
    const EVP_CIPHER* fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    must(fetched != nullptr);
    return fetched;
  }();
  return algorithm;
}

MdContext new_md_context() {
  MdContext context(EVP_MD_CTX_new());
  must(context != nullptr);
  must(EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1);
  return context;
}

Hash finish(EVP_MD_CTX* context) noexcept {
  Hash out;
  unsigned size = 0;
  must(EVP_DigestFinal_ex(context, out.data(), &size) == 1 && size == out.size());
  return out;
}

}  // namespace siegel::openssl

namespace siegel {

void MdContextFree::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

}  // namespace siegel
