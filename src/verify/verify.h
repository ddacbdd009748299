// The auditor's check of a ledger: needs the events in order and one verifier key, trusts nothing else, and opens
// nothing.
//
// Checked: each header is canonical and stands at its sequence (contiguous from 0); time and keys mark never decrease;
//          the parts are those that the header commits to; the root over all headers is the one of each signed
//          checkpoint.
// Named:   cause and first bad index of each damage. Exact where the copy brings its leaf hashes (tiles); otherwise a
//          range, between two checkpoints that hold.
// Not here: reading a copy (Source), keys and cleartext, who was allowed to write what.
// Threads: none; one call, one thread. About 2 us an event with two parts of 300 bytes together.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"

namespace siegel::verify {

// The exit codes of siegel-verify (contract section 3).
enum class Cause : std::uint8_t {
  unreadable = 10,  // the copy, not the ledger: a file or row cannot be read
  signature = 11,   // no checkpoint is signed by the key
  entry_changed = 12,
  missing = 13,    // events or their parts, or the ledger ends too early
  order = 14,      // sequence or time
  fork = 15,       // two signed heads that exclude each other
  roll_back = 16,  // the copy is whole and signed, but an older state than one that is known
  payload = 18,    // parts that are not those that were committed to
};
std::string_view name_of(Cause cause) noexcept;  // "entry_changed"

struct StoredEvent {
  ByteView header;
  std::optional<ByteView> parts;  // nothing: the copy has none
};

// A copy of a ledger: its store, an export. The views hold until the next call.
class Source {
 public:
  virtual ~Source() = default;
  virtual Result<bool> next(StoredEvent& event) = 0;  // false at the end; an error ends the walk
  // The leaf hash that the copy holds beside the event (its tile), if any. Only used to find where damage lies, and for
  // what is before Options::from.
  virtual const Hash* leaf(std::uint64_t /*index*/) { return nullptr; }
};

struct SignedHead {
  std::string name;  // for the report: "checkpoint", a file's name
  std::string note;
  enum class Kept : bool { with_copy, elsewhere } kept = Kept::with_copy;
};
struct Claim {  // size and root that a copy names without a signature
  std::uint64_t size = 0;
  Hash root{};
};

inline constexpr std::size_t kFindingsMax = 1'000;

struct Options {
  std::string verifier_key;
  std::vector<SignedHead> checkpoints;
  std::optional<Claim> claim;
  // The first event that the source gives; those before it count by their stored leaf hashes alone.
  std::uint64_t from = 0;
  // A file of the copy ends in what does not hold: where events are missing they were lost, it is no older state.
  bool cut_off = false;
  std::function<void(std::uint64_t events)> progress;  // every 65,536 events
};

struct Finding {
  Cause cause{};
  std::uint64_t index = 0;  // first bad event
  std::uint64_t until = 0;  // the damage lies in [index, until); index + 1: exactly there
  std::string detail;
};

struct FileRange {
  std::string file;
  std::uint64_t from = 0;
  std::uint64_t until = 0;
};

struct Report {
  std::string origin;
  std::uint64_t size = 0;         // events, or one behind the last one's sequence
  std::uint64_t from = 0;         // the first event read; those before count by their stored hashes
  std::uint64_t checked = 0;      // events read and checked
  std::uint64_t signed_size = 0;  // the largest checkpoint that holds; what lies behind it is not committed to
  std::uint64_t checkpoints = 0;  // that hold
  std::uint64_t parts = 0;
  std::uint64_t unreadable_by_design = 0;  // parts removed as an event says; this format has no such event yet
  std::uint64_t keys_destroyed = 0;        // as erasure.effective events say: their parts stand here and open no more
  std::uint64_t unknown_types = 0;         // events of a newer version: hashed, their meaning is not checked
  std::vector<Finding> findings;           // by index, then cause
  std::uint64_t findings_more = 0;         // beyond kFindingsMax
  // The guard against a roll-back that is kept beside the ledger; said by who read the copy, it is no damage.
  enum class LockRecord : std::uint8_t { not_looked_for, held, missing, unreadable } lock_record{};
  std::vector<FileRange> unchecked;  // bytes of the copy's files that nothing commits to: no event was read from them
  std::chrono::nanoseconds took{};

  [[nodiscard]] bool intact() const noexcept { return findings.empty(); }
  [[nodiscard]] int exit() const noexcept;  // 0, or the lowest cause
  [[nodiscard]] std::uint64_t not_committed() const noexcept { return size > signed_size ? size - signed_size : 0; }
  [[nodiscard]] double events_per_second() const noexcept;
};

// Errors: invalid "verifier_key_malformed", "key_type_unsupported". Everything else is a finding.
Result<Report> verify(Source& source, const Options& options, Clock& clock);

std::string to_json(const Report& report);  // one line, contract section 3
std::string to_text(const Report& report);  // lines for people

}  // namespace siegel::verify
