#include "crypto/sha256.h"

#include "crypto/stack_sha256.h"

namespace siegel {

Hash sha256(ByteView bytes) noexcept {
  openssl::StackSha256 digest;
  digest.add(bytes);
  return digest.finish();
}

Hash sha256(std::initializer_list<ByteView> pieces) noexcept {
  openssl::StackSha256 digest;
  for (const ByteView piece : pieces) digest.add(piece);
  return digest.finish();
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
