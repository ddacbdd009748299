#include "crypto/box.h"

#include <bit>

#include "base/assert.h"

namespace siegel {
namespace {

constexpr std::size_t kCommitmentBytes = 32;
constexpr std::size_t kFrontBytes = kCommitmentBytes + 4;
constexpr std::size_t kStepBytes = 64;
constexpr std::size_t kStepsUpTo = 1024;

// Padmé (Nikitin et al., "Reducing metadata leakage from encrypted files", PETS 2019, section 4): the length keeps as
// many significant bits as its own exponent needs, so that at most O(log log) bits of it show.
std::size_t padme(std::size_t length) noexcept {
  const auto exponent = static_cast<unsigned>(std::bit_width(length) - 1);
  const auto kept = static_cast<unsigned>(std::bit_width(exponent));
  const std::size_t mask = (std::size_t{1} << (exponent - kept)) - 1;
  return (length + mask) & ~mask;
}

std::size_t padded(std::size_t length) noexcept {
  if (length <= kStepsUpTo) return (length + kStepBytes - 1) / kStepBytes * kStepBytes;
  return padme(length);
}

Error damaged() { return Error(Errc::corrupt, "box_damaged", "A sealed value is not what was written."); }

bool all_zero(ByteView bytes) noexcept {
  std::uint8_t seen = 0;
  for (const auto byte : bytes) seen |= byte;
  return seen == 0;
}

// Length of the body if the plaintext is exactly as seal_box makes it.
std::optional<std::size_t> body_length(ByteView plaintext) noexcept {
  if (!all_zero(plaintext.first(kCommitmentBytes))) return std::nullopt;
  const std::size_t length = get_be<std::uint32_t>(plaintext.data() + kCommitmentBytes);
  if (length > plaintext.size() - kFrontBytes) return std::nullopt;
  if (padded(kFrontBytes + length) != plaintext.size()) return std::nullopt;
  if (!all_zero(plaintext.subspan(kFrontBytes + length))) return std::nullopt;
  return length;
}

}  // namespace

std::size_t box_size(std::size_t body_bytes) noexcept {
  SIEGEL_ASSERT(body_bytes <= kBoxBodyBytesMax);
  return padded(kFrontBytes + body_bytes) + kAeadTagBytes;
}

void seal_box(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView body, Bytes& append_to) {
  const std::size_t old = append_to.size();
  append_to.resize(old + box_size(body.size()));  // zeroed: commitment block and padding are there
  const MutableBytes box = MutableBytes(append_to).subspan(old);
  put_be(box.data() + kCommitmentBytes, static_cast<std::uint32_t>(body.size()));
  if (!body.empty()) std::memcpy(box.data() + kFrontBytes, body.data(), body.size());
  aes_gcm_seal(key, nonce, aad, box.first(box.size() - kAeadTagBytes), box);
}

Result<Bytes> open_box(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView box) {
  if (box.size() < kStepBytes + kAeadTagBytes || box.size() > box_size(kBoxBodyBytesMax)) return damaged();
  Bytes plaintext(box.size() - kAeadTagBytes);
  if (!aes_gcm_open(key, nonce, aad, box, plaintext)) return damaged();
  const auto length = body_length(plaintext);
  if (!length) {
    wipe(plaintext.data(), plaintext.size());
    return damaged();
  }
  if (*length > 0) std::memmove(plaintext.data(), plaintext.data() + kFrontBytes, *length);
  // What lies behind the body still holds its last bytes; nobody could wipe them after the vector has shrunk.
  wipe(plaintext.data() + *length, plaintext.size() - *length);
  plaintext.resize(*length);
  return plaintext;
}

Result<SecretBytes> open_secret_box(const SecretKey& key, const Nonce& nonce, ByteView aad, ByteView box) {
  auto body = open_box(key, nonce, aad, box);
  if (!body) return Error(std::move(body).error());
  return SecretBytes(std::move(*body));
}

}  // namespace siegel
