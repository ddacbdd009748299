// Checkpoints (C2SP tlog-checkpoint; formats/ledger.md 6): a signed note of exactly three lines, origin, size and
// base64 root; we write no extension lines and accept none. Pure. That a log never signs two roots for one size is its
// writer's promise, not checked here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proof/merkle.h"
#include "proof/note.h"

namespace siegel {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};

  [[nodiscard]] TreeHead head() const noexcept { return {size, root}; }
  bool operator==(const Checkpoint&) const = default;
};

std::string format_checkpoint(const Checkpoint& checkpoint);  // the origin must be a key name
// invalid/"checkpoint_malformed": another number of lines, a size with leading zeros or above kTreeSizeMax, a root that
// is not 32 bytes, or not the empty tree's at size 0.
Result<Checkpoint> parse_checkpoint(std::string_view text);

// The signed note. The origin must be the signer's name.
std::string sign_checkpoint(const NoteSigner& signer, const Checkpoint& checkpoint);

struct OpenedCheckpoint {
  Checkpoint checkpoint;
  std::vector<VerifiedSignature> cosignatures;  // of the given witnesses
};
// Holds only if the log itself signed, under its own name as origin. Errors: those of open_note and parse_checkpoint;
// invalid/"checkpoint_origin_wrong"; "note_unsigned" also where only witnesses signed.
Result<OpenedCheckpoint> open_checkpoint(std::string_view note, const VerifierKey& log,
                                         std::span<const VerifierKey> witnesses = {});

}  // namespace siegel
