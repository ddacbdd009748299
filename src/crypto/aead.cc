#include "crypto/aead.h"

#include <mutex>

#include "base/assert.h"
#include "crypto/key_contexts.h"
#include "crypto/openssl.h"

namespace siegel {
namespace {

using openssl::KeyContexts;
using openssl::Way;

void begin(EVP_CIPHER_CTX* context, Way way, const SecretKey& key, const Nonce& nonce, ByteView aad) noexcept {
  openssl::must(EVP_CipherInit_ex2(context, nullptr, key.view().data(), nonce.data(), static_cast<int>(way), nullptr) ==
                1);
  int written = 0;
  if (!aad.empty()) {
    openssl::must(EVP_CipherUpdate(context, nullptr, &written, aad.data(), static_cast<int>(aad.size())) == 1);
  }
}

void run(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) noexcept {
  if (in.empty()) return;
  int written = 0;
  openssl::must(EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) == 1 &&
                static_cast<std::size_t>(written) == in.size());
}

}  // namespace

void aes_gcm_seal(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView plaintext,
                  MutableBytes out) noexcept {
  SIEGEL_ASSERT(plaintext.size() <= kAeadBytesMax && aad.size() <= kAeadBytesMax);
  SIEGEL_ASSERT(out.size() == plaintext.size() + kAeadTagBytes);
  auto& own = KeyContexts::of_this_thread();
  const std::lock_guard lock(own);
  EVP_CIPHER_CTX* const context = own.cipher(Way::seal);
  begin(context, Way::seal, key, nonce, aad);
  run(context, plaintext, out.data());
  std::uint8_t* const tag = out.data() + plaintext.size();
  int written = 0;
  openssl::must(EVP_CipherFinal_ex(context, tag, &written) == 1 && written == 0 &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) == 1);
}

bool aes_gcm_open(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView sealed, MutableBytes out) noexcept {
  if (sealed.size() < kAeadTagBytes || sealed.size() > kAeadBytesMax + kAeadTagBytes || aad.size() > kAeadBytesMax) {
    if (!out.empty()) std::memset(out.data(), 0, out.size());
    return false;
  }
  const ByteView ciphertext = sealed.first(sealed.size() - kAeadTagBytes);
  SIEGEL_ASSERT(out.size() == ciphertext.size());
  ByteArray<kAeadTagBytes> tag = to_array<kAeadTagBytes>(sealed.last(kAeadTagBytes));
  auto& own = KeyContexts::of_this_thread();
  const std::lock_guard lock(own);
  EVP_CIPHER_CTX* const context = own.cipher(Way::open);
  begin(context, Way::open, key, nonce, aad);
  run(context, ciphertext, out.data());
  ByteArray<kAeadTagBytes> rest{};  // GCM leaves nothing for the end; Final wants a place all the same
  int written = 0;
  openssl::must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1);
  if (EVP_CipherFinal_ex(context, rest.data(), &written) == 1) return true;
  wipe(out.data(), out.size());
  return false;
}

}  // namespace siegel
