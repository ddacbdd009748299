#include "proof/tlog_proof.h"

#include "base/text.h"
#include "proof/proofs.h"

namespace siegel {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kPathMax = 63;

Error malformed() { return Error(Errc::invalid, "tlog_proof_malformed", "The text is not an offline proof."); }

}  // namespace

std::string format_tlog_proof(const TlogProof& proof) {
  std::string text = std::string(kFirstLine) + "\n";
  if (proof.extra) text.append(kExtra).append(to_base64(*proof.extra)).append("\n");
  text.append(kIndex).append(std::to_string(proof.index)).append("\n");
  for (const Hash& hash : proof.path) text.append(to_base64(hash)).append("\n");
  return text.append("\n").append(proof.checkpoint);
}

Result<TlogProof> parse_tlog_proof(std::string_view text) {
  const auto blank = text.find("\n\n");
  if (blank == std::string_view::npos) return malformed();
  std::string_view lines = text.substr(0, blank + 1);
  const auto take_line = [&lines] {
    const auto end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    return line;
  };
  TlogProof proof;
  proof.checkpoint = std::string(text.substr(blank + 2));
  if (take_line() != kFirstLine || !parse_note(proof.checkpoint)) return malformed();
  if (lines.starts_with(kExtra)) {
    proof.extra = from_base64(take_line().substr(kExtra.size()));
    if (!proof.extra) return malformed();
  }
  if (!lines.starts_with(kIndex)) return malformed();
  const auto index = parse_u64(take_line().substr(kIndex.size()));
  if (!index || *index >= kTreeSizeMax) return malformed();
  proof.index = *index;
  while (!lines.empty()) {
    const auto hash = from_base64(take_line());
    if (!hash || hash->size() != sizeof(Hash) || proof.path.size() == kPathMax) return malformed();
    proof.path.push_back(to_array<sizeof(Hash)>(*hash));
  }
  return proof;
}

Result<OpenedCheckpoint> verify_tlog_proof(const TlogProof& proof, const Hash& leaf, const VerifierKey& log,
                                           std::span<const VerifierKey> witnesses) {
  SIEGEL_TRY(opened, open_checkpoint(proof.checkpoint, log, witnesses));
  // The size is the checkpoint's: the file has none of its own.
  const InclusionProof inclusion{proof.index, opened.checkpoint.size, proof.path};
  if (!verify_inclusion(leaf, inclusion, opened.checkpoint.head())) {
    return Error(Errc::invalid, "proof_wrong", "The proof does not show that the entry is in this checkpoint.");
  }
  return opened;
}

}  // namespace siegel
