// The ledger's own signing key: a file outside the data directory that holds one line, the private key in note form
//   PRIVATE+KEY+<origin>+<8 hex of key id>+<base64(type | 32-byte seed)>
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "ledger/ledger.h"

namespace siegel::ledger {

// Makes the key for an origin and writes it (mode 0600, durable). Errors: conflict "exists"; invalid
// "key_name_malformed"; those of Files.
Status make_signer_key(Files& files, const std::filesystem::path& path, const std::string& origin, Random& random);

// From any thread. Ed25519 is deterministic: the same head gives the same note.
class FileSigner final : public Signer {
 public:
  // Errors: not_found "file_missing"; invalid "private_key_malformed", "key_type_unsupported"; those of Files.
  static Result<std::unique_ptr<FileSigner>> load(Files& files, const std::filesystem::path& path);
  ~FileSigner() override;

  Result<std::string> sign(const TreeHead& head) override;
  Result<std::string> sign_text(std::string_view text) override;
  [[nodiscard]] std::string verifier_key() const override;
  [[nodiscard]] const std::string& origin() const noexcept;

 private:
  struct Key;
  explicit FileSigner(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

}  // namespace siegel::ledger
