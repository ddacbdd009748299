// Keys of signed notes (C2SP signed-note; formats/ledger.md 5): names, ids, and their text forms
//   <name>+<8 hex of key id>+<base64(type | public key)>                 verifier key
//   PRIVATE+KEY+<name>+<8 hex of key id>+<base64(type | 32-byte seed)>   private key, as Go's note package writes it
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/secret_bytes.h"
#include "crypto/sign.h"

namespace siegel {

inline constexpr std::size_t kKeyNameBytesMax = 1024;

enum class KeyType : std::uint8_t {
  ed25519 = 0x01,
  cosignature = 0x04,  // Ed25519 over a checkpoint and a time, by a witness
};

using KeyId = std::uint32_t;

struct VerifierKey {
  std::string name;
  KeyType type = KeyType::ed25519;
  PublicKey key{};

  [[nodiscard]] KeyId id() const;
  bool operator==(const VerifierKey&) const = default;
};

bool is_key_name(std::string_view name) noexcept;  // not empty, UTF-8, no Unicode space, no '+', no control byte

// invalid/"verifier_key_malformed"; invalid/"key_type_unsupported" for a type that we cannot check.
Result<VerifierKey> parse_verifier_key(std::string_view text);
std::string format_verifier_key(const VerifierKey& key);

// A named key that signs notes. Move-only.
class NoteSigner {
 public:
  // invalid/"key_name_malformed".
  static Result<NoteSigner> make(std::string_view name, KeyType type, const SecretKey& seed);
  // invalid/"private_key_malformed"; invalid/"key_type_unsupported".
  static Result<NoteSigner> parse(std::string_view private_key);

  [[nodiscard]] const VerifierKey& verifier() const noexcept { return verifier_; }
  [[nodiscard]] const SigningKey& key() const noexcept { return key_; }

 private:
  NoteSigner(VerifierKey verifier, SigningKey key) : verifier_(std::move(verifier)), key_(std::move(key)) {}

  VerifierKey verifier_;
  SigningKey key_;
};

// The private form as text. The name must be a key name.
SecretBytes format_private_key(std::string_view name, KeyType type, const SecretKey& seed);

}  // namespace siegel
