#include "proof/checkpoint.h"

#include "base/assert.h"
#include "base/text.h"

namespace siegel {
namespace {

// The next line without its LF.
std::optional<std::string_view> take_line(std::string_view& text) noexcept {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string format_checkpoint(const Checkpoint& checkpoint) {
  SIEGEL_ASSERT(is_key_name(checkpoint.origin) && checkpoint.size <= kTreeSizeMax);
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" + to_base64(checkpoint.root) + "\n";
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  const auto malformed = [] {
    return Error(Errc::invalid, "checkpoint_malformed", "The text is not a checkpoint of three lines.");
  };
  const auto origin = take_line(text);
  const auto size_line = take_line(text);
  const auto root_line = take_line(text);
  if (!origin || !size_line || !root_line || !text.empty() || origin->empty()) return malformed();
  const auto size = parse_u64(*size_line);
  const auto root = from_base64(*root_line);
  if (!size || *size > kTreeSizeMax || !root || root->size() != sizeof(Hash)) return malformed();
  Checkpoint checkpoint{std::string(*origin), *size, to_array<32>(*root)};
  if (checkpoint.size == 0 && checkpoint.root != empty_root()) return malformed();
  return checkpoint;
}

std::string sign_checkpoint(const NoteSigner& signer, const Checkpoint& checkpoint) {
  SIEGEL_ASSERT(signer.verifier().name == checkpoint.origin);
  Note note{format_checkpoint(checkpoint), {}};
  note.signatures.push_back(sign_note(signer, note.text));
  return format_note(note);
}

Result<OpenedCheckpoint> open_checkpoint(std::string_view note, const VerifierKey& log,
                                         std::span<const VerifierKey> witnesses) {
  std::vector<VerifierKey> known{log};
  known.insert(known.end(), witnesses.begin(), witnesses.end());
  SIEGEL_TRY(opened, open_note(note, known));
  OpenedCheckpoint out;
  bool signed_by_log = false;
  for (auto& signature : opened.signatures) {
    if (signature.key == log) {
      signed_by_log = true;
    } else {
      out.cosignatures.push_back(std::move(signature));
    }
  }
  if (!signed_by_log) return Error(Errc::invalid, "note_unsigned", "The checkpoint is not signed by its log.");
  SIEGEL_TRY(checkpoint, parse_checkpoint(opened.text));
  if (checkpoint.origin != log.name) {
    return Error(Errc::invalid, "checkpoint_origin_wrong", "The checkpoint is of another log than its signature.");
  }
  out.checkpoint = std::move(checkpoint);
  return out;
}

}  // namespace siegel
