// The event: a header that can never be removed and holds nothing personal, and parts that can be removed.
// Bytes: docs/formats/header.md and docs/formats/parts.md.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "model/event_type.h"
#include "model/ids.h"

namespace siegel {

// Public facts: what a header says beyond its fixed fields. Counts, registry numbers, epochs, hashes; nothing personal.
struct NoFacts {
  bool operator==(const NoFacts&) const = default;
};
struct RegistryFacts {        // registry.*-set, token-*
  std::uint32_t number = 0;   // of the purpose, class, type; of the token in order of creation
  std::uint32_t version = 0;  // from 1
  bool operator==(const RegistryFacts&) const = default;
};
struct AccessFacts {  // access.read
  enum class Kind : std::uint8_t {
    record = 1,
    list = 2,
    history = 3,
    subject = 4,
    subject_export = 5,
    search = 6,
    parts = 7,
    import = 8,  // comparison with what is stored, and what an undo left
    bulk_export = 9
  };
  Kind kind = Kind::record;
  std::vector<std::uint16_t> fields;  // field numbers of the record type that were looked at; empty: no field values
  bool operator==(const AccessFacts&) const = default;
};
struct RefusalFacts {           // refusal.recorded
  std::uint16_t code = 0;       // RefusalCode
  std::uint16_t requested = 0;  // EventType that the command would have made
  bool operator==(const RefusalFacts&) const = default;
};
struct ErasureRequestedFacts {
  std::uint16_t ground = 0;  // ErasureGround
  std::uint64_t deadline_ms = 0;
  std::uint32_t leaves = 0;            // fenced with this event
  std::vector<std::uint32_t> classes;  // empty: all classes that an Art. 17 request ends
  bool operator==(const ErasureRequestedFacts&) const = default;
};
struct ErasureEffectiveFacts {
  std::uint64_t old_epoch = 0;
  std::uint64_t new_epoch = 0;
  Hash old_root{};
  Hash new_root{};
  std::uint64_t leaves = 0;
  std::uint16_t grade = 0;              // 0..3 for L0..L3
  std::uint16_t members = 0;            // root stores that destroyed the old key
  std::uint16_t replicas = 0;           // key replicas that hold the new nodes
  std::vector<std::uint64_t> requests;  // sequences of the erasure.requested events that this epoch carries out
  bool operator==(const ErasureEffectiveFacts&) const = default;
};
struct ErasureCompletedFacts {
  std::uint64_t request = 0;  // sequence of erasure.requested
  bool operator==(const ErasureCompletedFacts&) const = default;
};
struct JobFacts {
  enum class Kind : std::uint16_t {
    projector = 1,
    rebuild = 2,
    identity_index = 3,
    backup = 4,
    import = 5,
    bench = 6,
    terms = 7
  };
  Kind kind = Kind::projector;
  std::uint64_t count = 0;
  bool operator==(const JobFacts&) const = default;
};
struct ClockFacts {
  std::int64_t skew_ms = 0;  // system clock minus monotonic expectation
  bool operator==(const ClockFacts&) const = default;
};
struct ImportFacts {            // import.*; the header's job is the import
  std::uint32_t rows = 0;       // begun, finished: read from the file; undone: records that the import had written
  std::uint32_t added = 0;      // undone: taken out again
  std::uint32_t changed = 0;    // undone: restored
  std::uint32_t unchanged = 0;  // undone: kept, since somebody edited, removed or erased them
  std::uint32_t failed = 0;
  bool operator==(const ImportFacts&) const = default;
};
using Facts = std::variant<NoFacts, RegistryFacts, AccessFacts, RefusalFacts, ErasureRequestedFacts,
                           ErasureEffectiveFacts, ErasureCompletedFacts, JobFacts, ClockFacts, ImportFacts>;

struct Header {
  EventType type{};
  std::uint16_t schema = 1;  // version of the schema of the parts' bodies
  LegalGround ground = LegalGround::none;
  Source source = Source::system;
  Seq seq;
  TimeMs time;
  EventId id;
  PurposeNo purpose;
  TypeNo record_type;
  KeysMark keys_mark;
  std::uint16_t part_count = 0;
  Hash parts_digest{};
  std::optional<JobId> job;
  Facts facts;
  bool operator==(const Header&) const = default;
};

// What stands in clear before each ciphertext, 64 bytes.
struct Envelope {
  ClassNo cls;
  OwnerId owner;
  Slot slot;
  std::uint64_t number = 0;  // running number of this part under its leaf, from 0
  Id16 salt{};
  bool operator==(const Envelope&) const = default;
};

// A part as the ledger keeps it: present, or removed by a sweep (then only its hash stands).
struct StoredPart {
  Hash hash{};
  bool removed = false;
  Envelope envelope;    // meaningless when removed
  ByteView ciphertext;  // empty: a trace (somebody was looked at), or removed
};

// Limits of the format (F3).
inline constexpr std::size_t kHeaderBytesMax = 65'535;
inline constexpr std::size_t kPartsMax = 1'001;  // the actor's and 1,000 others
inline constexpr std::size_t kEnvelopeBytes = 64;

}  // namespace siegel
