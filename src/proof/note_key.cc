#include "proof/note_key.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/assert.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace siegel {
namespace {

constexpr std::string_view kPrivatePrefix = "PRIVATE+KEY+";
constexpr std::size_t kIdDigits = 8;
constexpr std::size_t kTypedKeyBytes = 33;

// White_Space of Unicode, beyond ASCII, as UTF-8.
constexpr std::array<std::string_view, 19> kUnicodeSpaces = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

std::string hex_of(KeyId id) { return to_hex(be(id)); }

std::optional<KeyType> known_type(std::uint8_t type) noexcept {
  if (type == static_cast<std::uint8_t>(KeyType::ed25519)) return KeyType::ed25519;
  if (type == static_cast<std::uint8_t>(KeyType::cosignature)) return KeyType::cosignature;
  return std::nullopt;
}

// <name>+<hex>+<base64>: the name holds no '+', the id has its length, and base64 may hold '+'.
struct KeyText {
  std::string_view name;
  std::string_view id;
  std::string_view key;
};
std::optional<KeyText> split(std::string_view text) noexcept {
  const auto first = text.find('+');
  if (first == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(first + 1);
  if (rest.size() < kIdDigits + 1 || rest[kIdDigits] != '+') return std::nullopt;
  const KeyText parts{text.substr(0, first), rest.substr(0, kIdDigits), rest.substr(kIdDigits + 1)};
  if (!is_key_name(parts.name)) return std::nullopt;
  return parts;
}

Error unsupported() {
  return Error(Errc::invalid, "key_type_unsupported", "Keys of this type cannot be checked by this version.");
}

}  // namespace

KeyId VerifierKey::id() const {
  const ByteArray<2> separator_and_type{0x0A, static_cast<std::uint8_t>(type)};
  return get_be<KeyId>(sha256({as_bytes(name), separator_and_type, key}).data());
}

bool is_key_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > kKeyNameBytesMax || !is_utf8(name)) return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '+') return false;
  }
  return std::none_of(kUnicodeSpaces.begin(), kUnicodeSpaces.end(),
                      [&](std::string_view space) { return name.find(space) != std::string_view::npos; });
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  const auto malformed = [] {
    return Error(Errc::invalid, "verifier_key_malformed", "The text is not a verifier key of a signed note.");
  };
  const auto parts = split(text);
  if (!parts) return malformed();
  const auto typed = from_base64(parts->key);
  if (!typed || typed->empty()) return malformed();
  const auto type = known_type(typed->front());
  if (!type) return unsupported();
  if (typed->size() != kTypedKeyBytes) return malformed();
  VerifierKey key{std::string(parts->name), *type, to_array<32>(ByteView(*typed).subspan(1))};
  if (hex_of(key.id()) != parts->id) return malformed();
  return key;
}

std::string format_verifier_key(const VerifierKey& key) {
  Bytes typed{static_cast<std::uint8_t>(key.type)};
  append(typed, key.key);
  return key.name + "+" + hex_of(key.id()) + "+" + to_base64(typed);
}

Result<NoteSigner> NoteSigner::make(std::string_view name, KeyType type, const SecretKey& seed) {
  if (!is_key_name(name)) {
    return Error(Errc::invalid, "key_name_malformed",
                 "A key name must have no space, no '+' and no control character.");
  }
  SigningKey key(seed);
  VerifierKey verifier{std::string(name), type, key.public_key()};
  return NoteSigner(std::move(verifier), std::move(key));
}

Result<NoteSigner> NoteSigner::parse(std::string_view private_key) {
  const auto malformed = [] {
    return Error(Errc::invalid, "private_key_malformed", "The text is not a private key of a signed note.");
  };
  if (!private_key.starts_with(kPrivatePrefix)) return malformed();
  const auto parts = split(private_key.substr(kPrivatePrefix.size()));
  if (!parts) return malformed();
  auto decoded = from_base64(parts->key);
  if (!decoded) return malformed();
  const SecretBytes typed(std::move(*decoded));
  if (typed.size() == 0) return malformed();
  const auto type = known_type(typed.view().front());
  if (!type) return unsupported();
  if (typed.size() != kTypedKeyBytes) return malformed();
  auto signer = make(parts->name, *type, SecretKey(typed.view().subspan(1)));
  if (!signer || hex_of(signer->verifier().id()) != parts->id) return malformed();
  return signer;
}

SecretBytes format_private_key(std::string_view name, KeyType type, const SecretKey& seed) {
  SIEGEL_ASSERT(is_key_name(name));
  const VerifierKey verifier{std::string(name), type, SigningKey(seed).public_key()};
  SecretArray<kTypedKeyBytes> typed;
  typed.mutable_view()[0] = static_cast<std::uint8_t>(type);
  std::memcpy(typed.mutable_view().data() + 1, seed.view().data(), seed.view().size());
  const std::string front = std::string(kPrivatePrefix) + verifier.name + "+" + hex_of(verifier.id()) + "+";
  std::string spelled = to_base64(typed.view());
  SecretBytes text(front.size() + spelled.size());
  std::memcpy(text.mutable_view().data(), front.data(), front.size());
  std::memcpy(text.mutable_view().data() + front.size(), spelled.data(), spelled.size());
  wipe(spelled.data(), spelled.size());
  return text;
}

}  // namespace siegel
