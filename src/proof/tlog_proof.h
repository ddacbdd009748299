// Offline proof files (C2SP tlog-proof; formats/ledger.md 9), extension .tlog-proof:
//   c2sp.org/tlog-proof@v1
//   extra <base64>          (optional; nothing vouches for it)
//   index <decimal>
//   <base64 hash> …         (inclusion path)
//                           (blank)
//   <checkpoint, verbatim>
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "proof/checkpoint.h"

namespace siegel {

struct TlogProof {
  std::optional<Bytes> extra;
  std::uint64_t index = 0;
  std::vector<Hash> path;
  std::string checkpoint;  // the signed note
};

std::string format_tlog_proof(const TlogProof& proof);
// invalid/"tlog_proof_malformed". The checkpoint inside is a note, but nothing is verified yet.
Result<TlogProof> parse_tlog_proof(std::string_view text);

// The checkpoint, if it is the log's and the leaf is at its index in that tree. Errors: those of open_checkpoint;
// invalid/"proof_wrong".
Result<OpenedCheckpoint> verify_tlog_proof(const TlogProof& proof, const Hash& leaf, const VerifierKey& log,
                                           std::span<const VerifierKey> witnesses = {});

}  // namespace siegel
