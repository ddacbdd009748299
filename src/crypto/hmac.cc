#include "crypto/hmac.h"

#include <mutex>

#include "crypto/key_contexts.h"
#include "crypto/stack_sha256.h"

namespace siegel {
namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

// The key as one block, first under the inner, then under the outer pad; wiped at the end.
class PaddedKey {
 public:
  explicit PaddedKey(ByteView key) noexcept : block_{} {
    if (key.size() > kBlockBytes) {
      Hash hashed = sha256(key);
      std::memcpy(block_.data(), hashed.data(), hashed.size());
      wipe(hashed.data(), hashed.size());
    } else if (!key.empty()) {
      std::memcpy(block_.data(), key.data(), key.size());
    }
    for (auto& byte : block_) byte ^= kInnerPad;
  }
  PaddedKey(const PaddedKey&) = delete;
  PaddedKey& operator=(const PaddedKey&) = delete;
  ~PaddedKey() { wipe(block_.data(), block_.size()); }

  [[nodiscard]] const std::uint8_t* inner() const noexcept { return block_.data(); }
  [[nodiscard]] const std::uint8_t* turn_to_outer() noexcept {
    for (auto& byte : block_) byte ^= kInnerPad ^ kOuterPad;
    return block_.data();
  }

 private:
  ByteArray<kBlockBytes> block_;
};

void add(EVP_MD_CTX* context, const std::uint8_t* at, std::size_t bytes) noexcept {
  openssl::must(EVP_DigestUpdate(context, at, bytes) == 1);
}

// By reference: a copy made for the call would stay on the stack.
SecretKey as_key(Hash&& hash) noexcept {
  SecretKey key(hash);
  wipe(hash.data(), hash.size());
  return key;
}

}  // namespace

Hash hmac_sha256(ByteView key, std::initializer_list<ByteView> pieces) noexcept {
  PaddedKey padded(key);
  openssl::StackSha256 digest;
  digest.add({padded.inner(), kBlockBytes});
  for (const ByteView piece : pieces) digest.add(piece);
  const Hash inner = digest.finish();
  digest.restart();
  digest.add({padded.turn_to_outer(), kBlockBytes});
  digest.add(inner);
  return digest.finish();
}

SecretKey hmac_derive(ByteView key, std::initializer_list<ByteView> pieces) noexcept {
  return as_key(hmac_sha256(key, pieces));
}

HmacKey::HmacKey(ByteView key) : inner_(openssl::new_md_context()), outer_(openssl::new_md_context()) {
  PaddedKey padded(key);
  add(inner_.get(), padded.inner(), kBlockBytes);
  add(outer_.get(), padded.turn_to_outer(), kBlockBytes);
}

Hash HmacKey::operator()(std::initializer_list<ByteView> pieces) const noexcept {
  auto& own = openssl::KeyContexts::of_this_thread();
  const std::lock_guard lock(own);
  EVP_MD_CTX* const context = own.digest();
  openssl::must(EVP_MD_CTX_copy_ex(context, inner_.get()) == 1);
  for (const ByteView piece : pieces) add(context, piece.data(), piece.size());
  const Hash inner = openssl::finish(context);
  openssl::must(EVP_MD_CTX_copy_ex(context, outer_.get()) == 1);
  add(context, inner.data(), inner.size());
  return openssl::finish(context);
}

SecretKey HmacKey::derive(std::initializer_list<ByteView> pieces) const noexcept { return as_key((*this)(pieces)); }

}  // namespace siegel
