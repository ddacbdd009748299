// Rows and their bytes: what projections write and views read. Every value begins with a version byte; numbers are
// varints, ids raw, keys big-endian. Format: docs/formats/views.md. Pure; decoding never reads past the end.
// Errors: corrupt "views_damaged".
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "views/views.h"

namespace siegel::views {

// ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

Bytes key_of(const Id16& id);
Bytes key_of(const Id16& first, const Id16& second);  // subject | record
Bytes key_of(const Id16& id, Seq seq);                // history, subject_history, subject_links, erased
Bytes key_of(Seq seq);                                // erasure_requests
Bytes key_of(TypeNo type);                            // record_types
enum class RegistryKind : std::uint8_t {
  purposes = 1,
  classes = 2,
  types = 3,
  tokens = 4
};  // types: a family of their own
Bytes key_of(RegistryKind kind, std::uint32_t number);
ByteView position_key();
// The smallest key behind all keys that begin with this one: none if there is no such key.
Bytes after_prefix(ByteView prefix);
// The last 16 bytes, or the last 8 as a sequence, of a key that is long enough.
Id16 id_at_end(ByteView key);
Seq seq_at_end(ByteView key);
Id16 id_at_start(ByteView key);

// ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Bytes encode(const RecordHead& row);
Bytes encode(const RecordRow& row);
Result<RecordHead> decode_head(ByteView value);
Result<RecordRow> decode_record(ByteView value);

// Brings in, or drops, what an import wrote, now that it has ended. Nothing to do while it has not.
void settle(RecordHead& row, std::optional<ImportState> state);
void settle(RecordRow& row, std::optional<ImportState> state);
// As settle(), but what a cancelled import wrote of a record that it added is brought in too. Of a row the head knows
// who added it: a row is asked for only where the head is there.
void settle_known(RecordHead& row, std::optional<ImportState> state);
void settle_known(RecordRow& row, std::optional<ImportState> state);

struct HistoryRow {
  TimeMs time;
  std::vector<PartRef> parts;
  std::optional<JobId> import;  // that was under way: the event counts if the import does
};
Bytes encode(const HistoryRow& row);
Bytes encode_parts(std::span<const PartRef> parts);  // subject_history
Result<HistoryRow> decode_history(ByteView value);
Result<std::vector<PartRef>> decode_parts(ByteView value);

struct LinkRow {
  Slot slot;
  Bytes sealed;
};
Bytes encode(const LinkRow& row);
Result<LinkRow> decode_link(ByteView value);

struct MergeRow {
  Slot slot;  // of the part that says so
  SubjectId into;
};
Bytes encode(const MergeRow& row);
Result<MergeRow> decode_merge(ByteView value);

Bytes encode(const Views::RegistryRow& row);  // number and row come from the key
Result<Views::RegistryRow> decode_registry(ByteView value);

// Of fixed width, so that a fold changes one leaf in place: version u8, per leaf
// class u32 | slot u64 | next u64 | since u64 | last u64.
Bytes encode(const OwnerRow& row);
Result<OwnerRow> decode_owner(ByteView value);
// Counts one more part under a leaf: adds the leaf or raises next and last.
Status count_part(Bytes& owner_row, const Envelope& envelope, Seq seq, TimeMs time);
// Takes leaves out; false if none is left.
bool drop_leaves(OwnerRow& row, std::span<const Slot> slots);

Bytes encode(const ErasureRow& row);
Result<ErasureRow> decode_erasure(ByteView value);

// What one erasure.requested asked for; holds until the notice dies.
struct RequestRow {
  struct Person {
    SubjectId subject;
    Slot notice;
  };
  std::optional<ErasureId> erasure;  // none: the notice was unreadable when the event was folded
  bool id_in_header = false;         // the erasure's row outlives the notice
  std::optional<Seq> effective;      // the erasure.effective that carried it out
  bool completed = false;
  std::uint32_t leaves = 0;
  std::uint16_t notices = 0;  // parts of the event but the actor's, also removed ones
  std::vector<std::uint32_t> classes;
  std::vector<Person> people;  // owners and slots of the notices, from the envelopes
  std::vector<Id16> marked;    // people and records that this request has rows of in `erased`
};
Bytes encode(const RequestRow& row);
Result<RequestRow> decode_request(ByteView value);

Bytes encode(const ImportRow& row);
Result<ImportRow> decode_import(ByteView value);

Bytes encode(const ErasureId& erasure);  // erased
Result<ErasureId> decode_erased(ByteView value);

struct IdempotencyPlace {
  Seq row;
  Slot day;
};
Bytes encode(const IdempotencyPlace& place);
Result<IdempotencyPlace> decode_idempotency(ByteView value);

Bytes encode_position(TreeSize position);
Result<TreeSize> decode_position(ByteView value);

}  // namespace siegel::views
