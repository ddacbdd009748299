#include "crypto/key_contexts.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "base/secret.h"
#include "crypto/memory.h"
#include "crypto/openssl.h"

namespace siegel::openssl {
namespace {

using All = Guarded<std::vector<KeyContexts*>>;

// Never destroyed: threads may end after static objects are gone.
All& all() {
  static All* const contexts = new All;
  return *contexts;
}

CipherContext make_cipher(Way way) {
  CipherContext context(EVP_CIPHER_CTX_new());
  must(context != nullptr);
  must(EVP_CipherInit_ex2(context.get(), aes_256_gcm_algorithm(), nullptr, nullptr, static_cast<int>(way), nullptr) ==
       1);
  return context;
}

// A block and a half replace the key stream and the partial block that the context keeps.
void overwrite_cipher(EVP_CIPHER_CTX* context, Way way) noexcept {
  const SecretKey zeros;
  const std::array<std::uint8_t, 12> nonce{};
  std::array<std::uint8_t, 24> block{};
  int written = 0;
  must(EVP_CipherInit_ex2(context, nullptr, zeros.view().data(), nonce.data(), static_cast<int>(way), nullptr) == 1 &&
       EVP_CipherUpdate(context, block.data(), &written, block.data(), static_cast<int>(block.size())) == 1);
}

// State and block buffer are overwritten by a digest of more than one block.
void overwrite_digest(EVP_MD_CTX* context) noexcept {
  constexpr std::array<std::uint8_t, 127> kZeros{};
  must(EVP_DigestInit_ex2(context, nullptr, nullptr) == 1 &&
       EVP_DigestUpdate(context, kZeros.data(), kZeros.size()) == 1);
  (void)finish(context);
}

}  // namespace

KeyContexts::KeyContexts() : digest_(new_md_context()), seal_(make_cipher(Way::seal)), open_(make_cipher(Way::open)) {
  all().with([&](auto& contexts) { contexts.push_back(this); });
}

KeyContexts::~KeyContexts() {
  all().with([&](auto& contexts) { std::erase(contexts, this); });
  overwrite();
}

KeyContexts& KeyContexts::of_this_thread() noexcept {
  thread_local KeyContexts own;
  return own;
}

void KeyContexts::lock() noexcept {
  while (busy_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
}

void KeyContexts::overwrite() noexcept {
  overwrite_digest(digest_.get());
  overwrite_cipher(seal_.get(), Way::seal);
  overwrite_cipher(open_.get(), Way::open);
}

}  // namespace siegel::openssl

namespace siegel {

void forget_keys_of_all_threads() noexcept {
  // The list stays locked meanwhile: no thread ends with its contexts in use here.
  openssl::all().with([](auto& contexts) {
    for (auto* const context : contexts) {
      const std::lock_guard lock(*context);
      context->overwrite();
    }
  });
}

void forget_thread_keys() noexcept {
  auto& own = openssl::KeyContexts::of_this_thread();
  const std::lock_guard lock(own);
  own.overwrite();
}

}  // namespace siegel
