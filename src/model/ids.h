// Ids and numbers of the domain. Ids made by the server are 16 bytes, time-ordered as UUIDv7 (RFC 9562), and are
// written as "<two letters>_<22 base64url>". Pseudonyms (subject, record, token) are not loggable.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/strong.h"

namespace siegel {

using Id16 = ByteArray<16>;

using Seq = Strong<struct SeqTag, std::uint64_t, Log::ok>;            // position of an event in the ledger, from 0
using TreeSize = Strong<struct TreeSizeTag, std::uint64_t, Log::ok>;  // number of events; seq + 1 of the last one
using KeysMark = Strong<struct KeysMarkTag, std::uint64_t, Log::ok>;  // number of the newest key batch relied upon
using Epoch = Strong<struct EpochTag, std::uint64_t, Log::ok>;        // of the root key
using Slot = Strong<struct SlotTag, std::uint64_t, Log::ok>;          // place of a leaf key in the key tree

// Registry numbers, given on the writer in order of registration, from 1; 0 = none.
using ClassNo = Strong<struct ClassNoTag, std::uint32_t, Log::ok>;
using PurposeNo = Strong<struct PurposeNoTag, std::uint32_t, Log::ok>;
using TypeNo = Strong<struct TypeNoTag, std::uint32_t, Log::ok>;
using FieldNo = Strong<struct FieldNoTag, std::uint16_t, Log::ok>;  // within a record type, by first appearance, from 1
using RecordVersion = Strong<struct RecordVersionTag, std::uint64_t, Log::ok>;  // from 1

using EventId = Strong<struct EventIdTag, Id16>;  // 16 random bytes; part keys derive from it
using OwnerId = Strong<struct OwnerIdTag, Id16>;  // of a leaf: subject, token, record type or the ledger
using SubjectId = Strong<struct SubjectIdTag, Id16>;
using RecordId = Strong<struct RecordIdTag, Id16>;
using TokenId = Strong<struct TokenIdTag, Id16>;
using ErasureId = Strong<struct ErasureIdTag, Id16>;
using JobId = Strong<struct JobIdTag, Id16>;  // import or job of the system
using LedgerId = Strong<struct LedgerIdTag, ByteArray<8>>;
using KeyTreeId = Strong<struct KeyTreeIdTag, Id16>;  // made at init, never changed

// For unordered containers: server-made ids end in random bytes.
struct IdHash {
  template <class Tag, Log kLog>
  std::size_t operator()(const Strong<Tag, Id16, kLog>& id) const noexcept {
    return static_cast<std::size_t>(get_be<std::uint64_t>(id.get().data() + 8));
  }
};

inline OwnerId owner_of(const SubjectId& id) { return OwnerId(id.get()); }
inline OwnerId owner_of(const TokenId& id) { return OwnerId(id.get()); }
OwnerId owner_of(TypeNo type);  // records that concern no person: "record-type" and the number
OwnerId owner_of_ledger();      // registries and jobs of the system: "ledger"

// Text forms. parse_id refuses another prefix, another length and a second spelling.
std::string id_text(std::string_view prefix, const Id16& id);
std::optional<Id16> parse_id(std::string_view prefix, std::string_view text);
inline std::string to_text(const SubjectId& id) { return id_text("su", id.get()); }
inline std::string to_text(const RecordId& id) { return id_text("re", id.get()); }
inline std::string to_text(const TokenId& id) { return id_text("tk", id.get()); }
inline std::string to_text(const ErasureId& id) { return id_text("er", id.get()); }
inline std::string to_text(const JobId& id) { return id_text("im", id.get()); }
inline std::string to_text(const LedgerId& id) { return to_hex(id.get()); }

Id16 new_id(Clock& clock, Random& random);  // UUIDv7
Id16 new_id(TimeMs made, Random& random);   // of things made together: their times are equal
EventId new_event_id(Random& random);       // 16 random bytes

// "<ledger id, 16 hex>:<tree size>"
struct Position {
  LedgerId ledger;
  TreeSize size;
};
std::string to_text(const Position& position);
std::optional<Position> parse_position(std::string_view text);

}  // namespace siegel
