#include "proof/note.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"

namespace siegel {
namespace {

constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // em dash, space
constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kCosignatureBytes = 8 + kSignatureBytes;

Error malformed() { return Error(Errc::invalid, "note_malformed", "The text is not a signed note."); }

bool has_note_characters(std::string_view text) noexcept {
  return is_utf8(text) && std::none_of(text.begin(), text.end(),
                                       [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

// — <name> <base64(id | signature)>
std::optional<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kSignaturePrefix)) return std::nullopt;
  line.remove_prefix(kSignaturePrefix.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) return std::nullopt;
  const auto raw = from_base64(line.substr(space + 1));
  if (!raw || raw->size() <= kIdBytes) return std::nullopt;
  return NoteSignature{std::string(line.substr(0, space)), get_be<KeyId>(raw->data()),
                       to_bytes(ByteView(*raw).subspan(kIdBytes))};
}

std::string cosigned_message(std::string_view text, std::uint64_t seconds) {
  std::string message = "cosignature/v1\ntime " + std::to_string(seconds) + "\n";
  message += text;
  return message;
}

std::optional<VerifiedSignature> check(const VerifierKey& key, std::string_view text, ByteView signature) {
  switch (key.type) {
    case KeyType::ed25519:
      if (signature.size() != kSignatureBytes) return std::nullopt;
      if (!ed25519_verify(key.key, as_bytes(text), to_array<kSignatureBytes>(signature))) return std::nullopt;
      return VerifiedSignature{key, std::nullopt};
    case KeyType::cosignature: {
      if (signature.size() != kCosignatureBytes) return std::nullopt;
      const auto seconds = get_be<std::uint64_t>(signature.data());
      const std::string message = cosigned_message(text, seconds);
      if (!ed25519_verify(key.key, as_bytes(message), to_array<kSignatureBytes>(signature.subspan(8)))) {
        return std::nullopt;
      }
      return VerifiedSignature{key, seconds};
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_note_text(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kNoteBytesMax && text.back() == '\n' && has_note_characters(text);
}

Result<Note> parse_note(std::string_view note) {
  if (note.size() > kNoteBytesMax || !has_note_characters(note)) return malformed();
  const auto blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return malformed();
  Note parsed{std::string(note.substr(0, blank + 1)), {}};
  std::string_view lines = note.substr(blank + 2);
  if (lines.empty() || lines.back() != '\n') return malformed();
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    auto signature = parse_signature(lines.substr(0, end));
    if (!signature || parsed.signatures.size() == kNoteSignaturesMax) return malformed();
    parsed.signatures.push_back(std::move(*signature));
    lines.remove_prefix(end + 1);
  }
  return parsed;
}

std::string format_note(const Note& note) {
  std::string out = note.text + "\n";
  for (const auto& signature : note.signatures) {
    Bytes raw = to_bytes(be(signature.id));
    append(raw, signature.signature);
    out.append(kSignaturePrefix).append(signature.name).append(" ").append(to_base64(raw)).append("\n");
  }
  return out;
}

NoteSignature sign_note(const NoteSigner& signer, std::string_view text) {
  SIEGEL_ASSERT(signer.verifier().type == KeyType::ed25519 && is_note_text(text));
  const Signature signature = signer.key().sign(as_bytes(text));
  return {signer.verifier().name, signer.verifier().id(), to_bytes(signature)};
}

NoteSignature cosign_note(const NoteSigner& signer, std::string_view text, std::uint64_t seconds) {
  SIEGEL_ASSERT(signer.verifier().type == KeyType::cosignature && is_note_text(text));
  Bytes signature = to_bytes(be(seconds));
  append(signature, signer.key().sign(as_bytes(cosigned_message(text, seconds))));
  return {signer.verifier().name, signer.verifier().id(), std::move(signature)};
}

Result<OpenedNote> open_note(std::string_view note, std::span<const VerifierKey> known) {
  SIEGEL_TRY(parsed, parse_note(note));
  const auto wrong = [] {
    return Error(Errc::invalid, "note_signature_wrong", "A signature under a known key does not hold.");
  };
  std::vector<KeyId> ids;
  for (const auto& key : known) ids.push_back(key.id());
  OpenedNote opened{std::move(parsed.text), {}};
  for (const auto& line : parsed.signatures) {
    const VerifierKey* match = nullptr;
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (ids[i] != line.id || known[i].name != line.name) continue;
      if (match != nullptr && *match != known[i]) return wrong();
      match = &known[i];
    }
    if (match == nullptr) continue;
    auto verified = check(*match, opened.text, line.signature);
    if (!verified) return wrong();
    const bool repeated = std::any_of(opened.signatures.begin(), opened.signatures.end(),
                                      [&](const VerifiedSignature& earlier) { return earlier.key == *match; });
    if (!repeated) opened.signatures.push_back(std::move(*verified));
  }
  if (opened.signatures.empty()) {
    return Error(Errc::invalid, "note_unsigned", "The note carries no signature under a known key.");
  }
  return opened;
}

}  // namespace siegel
