// Notes, checkpoints, proofs and keys as text: refused, or exactly what is written for them; and nobody makes a note
// that opens but who holds the key.
#include <algorithm>
#include <array>

#include "base/assert.h"
#include "proof/tlog_proof.h"

using namespace siegel;

namespace {

// Both keys of formats/ledger.md 11; what they signed in the corpus.
const VerifierKey& log_key() {
  static const auto key =
      parse_verifier_key("ledger.example/kat1+d29fab9c+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").value();
  return key;
}
const VerifierKey& witness_key() {
  static const auto key =
      parse_verifier_key("witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4").value();
  return key;
}
const VerifierKey& text_key() {
  static const auto key =
      parse_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").value();
  return key;
}
constexpr std::array<std::string_view, 2> kSigned = {
    "ledger.example/kat1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n",
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"};

void try_note(std::string_view text) {
  const auto note = parse_note(text);
  if (note) {
    SIEGEL_ASSERT(is_note_text(note->text) && !note->signatures.empty());
    SIEGEL_ASSERT(note->signatures.size() <= kNoteSignaturesMax);
    SIEGEL_ASSERT(format_note(*note) == text);
  }
  const std::array known{log_key(), witness_key(), text_key()};
  if (const auto opened = open_note(text, known)) {
    SIEGEL_ASSERT(note && opened->text == note->text && !opened->signatures.empty());
    SIEGEL_ASSERT(std::ranges::find(kSigned, opened->text) != kSigned.end());
  }
  const std::array witnesses{witness_key()};
  if (const auto opened = open_checkpoint(text, log_key(), witnesses)) {
    SIEGEL_ASSERT(format_checkpoint(opened->checkpoint) == kSigned[0]);
    SIEGEL_ASSERT(opened->cosignatures.size() <= 1);
  }
}

void try_checkpoint(std::string_view text) {
  const auto checkpoint = parse_checkpoint(text);  // also of a log whose name we would not give
  if (checkpoint && is_key_name(checkpoint->origin)) SIEGEL_ASSERT(format_checkpoint(*checkpoint) == text);
}

void try_proof(std::string_view text) {
  const auto proof = parse_tlog_proof(text);
  if (!proof) return;
  SIEGEL_ASSERT(format_tlog_proof(*proof) == text);
  // No leaf of ours is in that tree.
  SIEGEL_ASSERT(!verify_tlog_proof(*proof, Hash{1}, log_key()));
  try_note(proof->checkpoint);
}

void try_keys(std::string_view text) {
  if (const auto key = parse_verifier_key(text)) SIEGEL_ASSERT(format_verifier_key(*key) == text);
  if (const auto signer = NoteSigner::parse(text)) {
    const auto signature = sign_note(*signer, kSigned[0]);
    SIEGEL_ASSERT(signature.name == signer->verifier().name && signature.id == signer->verifier().id());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_chars({data, size});
  try_note(text);
  try_checkpoint(text);
  try_proof(text);
  try_keys(text);
  return 0;
}
