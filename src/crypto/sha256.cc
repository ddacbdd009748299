#include "crypto/sha256.h"

#include "crypto/openssl.h"

namespace siegel {

Hash sha256(ByteView bytes) noexcept {
  EVP_MD_CTX* const context = openssl::thread_md_context();
  openssl::must(EVP_DigestInit_ex2(context, nullptr, nullptr) == 1 &&
                EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
  return openssl::finish(context);
}

Hash sha256(std::initializer_list<ByteView> pieces) noexcept {
  EVP_MD_CTX* const context = openssl::thread_md_context();
  openssl::must(EVP_DigestInit_ex2(context, nullptr, nullptr) == 1);
  for (const ByteView piece : pieces) openssl::must(EVP_DigestUpdate(context, piece.data(), piece.size()) == 1);
  return openssl::finish(context);
}

Sha256::Sha256() : context_(openssl::new_md_context()) {}

void Sha256::update(ByteView bytes) noexcept {
  openssl::must(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Hash Sha256::finish() noexcept {
  const Hash out = openssl::finish(context_.get());
  openssl::must(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) == 1);
  return out;
}

}  // namespace siegel
