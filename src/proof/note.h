// Signed notes (C2SP signed-note; formats/ledger.md 5 and 7): a text, a blank line, signature lines.
// Unknown signatures are ignored, so that anybody may add one; a known key that fails spoils the note. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "proof/note_key.h"

namespace siegel {

inline constexpr std::size_t kNoteBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kNoteSignaturesMax = 100;

struct NoteSignature {
  std::string name;
  KeyId id = 0;
  Bytes signature;  // what follows the key id
  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  std::string text;  // ends with LF
  std::vector<NoteSignature> signatures;
};

// invalid/"note_malformed". Says nothing about whether a signature holds.
Result<Note> parse_note(std::string_view note);
std::string format_note(const Note& note);
bool is_note_text(std::string_view text) noexcept;  // UTF-8, ends with LF, no other control byte, not too long

// A signature under the signer's type: Ed25519 over the text. The text must be a note text.
NoteSignature sign_note(const NoteSigner& signer, std::string_view text);
// By a witness's key (type cosignature): Ed25519 over the text and the time, in POSIX seconds.
NoteSignature cosign_note(const NoteSigner& signer, std::string_view text, std::uint64_t seconds);

struct VerifiedSignature {
  VerifierKey key;
  std::optional<std::uint64_t> seconds;  // when a witness saw it
};

struct OpenedNote {
  std::string text;
  std::vector<VerifiedSignature> signatures;  // at least one; each key once, in the order of the lines
};

// Errors, all invalid: "note_malformed"; "note_signature_wrong" (a line of a known key does not hold, or two known keys
// share name and id); "note_unsigned" (no line of a known key).
Result<OpenedNote> open_note(std::string_view note, std::span<const VerifierKey> known);

}  // namespace siegel
