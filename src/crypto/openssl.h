// Inside of crypto only: fetched algorithms, this thread's contexts, and the one check of what OpenSSL answers.
#pragma once

#include <openssl/evp.h>

#include "crypto/sha256.h"

namespace siegel::openssl {

// OpenSSL calls that cannot fail on valid input stop the process if they do: a wrong hash must never be stored.
void must(bool worked) noexcept;

const EVP_MD* sha256_algorithm() noexcept;
const EVP_CIPHER* aes_256_gcm_algorithm() noexcept;

MdContext new_md_context();

Hash finish(EVP_MD_CTX* context) noexcept;

}  // namespace siegel::openssl
