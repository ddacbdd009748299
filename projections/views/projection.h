// What a projection is: a fold over (header, parts) into rows. Service and doors never see this; projector runs it.
//
// A fold sees events in order, may be cut anywhere between two events, and must come to the same rows whether it saw a
// person's parts before they were erased or not (PJ-05). How:
//   what is known only from inside a part     makes rows only while the part opens; goes with erasure.requested, since
//   (records, sections, links, history)       its fence closes the parts for a rebuild at that moment
//   what stands in an envelope, in clear      is folded whether the part opens or not; subject_history goes with
//   (owners, subject_history)                 erasure.requested, the leaves themselves with erasure.effective
//   what stands in the notice                 goes when the notice's leaf dies (end_of_notice)
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "crypto/secret_bytes.h"
#include "model/bodies.h"
#include "model/event.h"
#include "views/rows.h"
#include "views/views.h"

namespace siegel::views {

// A part or column whose key is dead. Never an empty value.
struct Erased {
  ClassNo cls;
};
using OpenedPart = std::variant<Erased, SecretBytes>;

// One event as folds see it. Parts are opened on demand, once; part 0 (the actor's) is never opened.
class Recorded {
 public:
  virtual ~Recorded() = default;
  [[nodiscard]] virtual const Header& header() const = 0;
  [[nodiscard]] virtual std::span<const StoredPart> parts() const = 0;
  virtual Result<const OpenedPart*> open(std::uint16_t part) = 0;
  // The body of a part of record.*, decoded once for all projections; null: erased or removed.
  virtual Result<const RecordBody*> record(std::uint16_t part) = 0;
};

// The rows that a fold reads and writes: folded in memory first, written per group with the position in one batch.
// A view or pointer holds until the next call.
class RowAccess {
 public:
  virtual ~RowAccess() = default;
  virtual Result<std::optional<ByteView>> get(Rows rows, ByteView key) = 0;  // the newest, also of this group
  // The newest value to change in place, which counts as a put; null if there is no row.
  virtual Result<Bytes*> edit(Rows rows, ByteView key) = 0;
  virtual void put(Rows rows, ByteView key, Bytes value) = 0;
  virtual void erase(Rows rows, ByteView key) = 0;
  virtual Result<std::vector<Bytes>> keys_with_prefix(Rows rows, ByteView prefix) = 0;  // ascending
  // gone "erased": the slot's key is dead; the values must not become a row.
  virtual Result<Bytes> seal(Slot slot, std::string_view projection, ByteView row, ByteView body) = 0;
  virtual Result<OpenedPart> unseal(Slot slot, ClassNo cls, std::string_view projection, ByteView row,
                                    ByteView sealed) = 0;
};

// Pure and total: no clock, no I/O but RowAccess, no randomness (but the seal's nonce).
class Projection {
 public:
  virtual ~Projection() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::span<const Rows> rows() const = 0;  // the families it writes, nobody else's
  virtual Status fold(Recorded& event, RowAccess& rows) = 0;
  // The row without its nonces, for digests: sealed columns opened (an erased one counts as "erased").
  virtual Result<Bytes> logical(Rows rows, ByteView key, ByteView value, RowAccess& access) = 0;
};

// Told of each event once its rows are stored, and before anybody can see its position; in order, on the projector's
// thread, which waits. For what is kept in memory beside the rows.
class Follower {
 public:
  virtual ~Follower() = default;
  virtual void folded(Recorded& event) = 0;
  virtual void missed() = 0;  // events may have been stored without being told of: a write failed and took effect
};

// ── what several folds ask ───────────────────────────────────────────────────────────────────────────────────────────

// The person whose part this is; none for parts of staff, of the system, of registries and record types.
std::optional<SubjectId> person_of(const StoredPart& part);
// The parts of a record.* event that open: they alone make rows.
struct LivingPart {
  std::uint16_t number;
  const Envelope* envelope;
  const RecordBody* body;
};
Result<std::vector<LivingPart>> living_parts(Recorded& event);
// The import's state by now; none: no import of that id has begun.
Result<std::optional<ImportState>> state_of(const JobId& import, RowAccess& rows);
// The import that this record event belongs to, if it is still under way: what it says does not count yet.
Result<std::optional<JobId>> unfinished_import(const Header& header, RowAccess& rows);
// Does class `cls` end with a request for `classes` (empty: all that an Art. 17 request ends)?
bool ends_with(std::span<const std::uint32_t> classes, ClassNo cls);
bool contains(std::span<const Slot> slots, Slot slot);

// A person named by erasure.requested, and those of his leaves that the request ends, as they stand at this event.
struct Erasing {
  SubjectId subject;
  std::vector<Slot> dead;
  std::vector<Slot> living;
};
// For erasure.requested: one entry for each notice whose envelope is still there.
Result<std::vector<Erasing>> erasing(const Recorded& event, RowAccess& rows);
// Leaves of one person, split by the classes of a request.
Result<Erasing> leaves_of(const SubjectId& subject, std::span<const std::uint32_t> classes, RowAccess& rows);

// A request named by erasure.effective. The first time its leaves die; the second time its notice does.
struct Carried {
  Seq seq;
  RequestRow row;
  [[nodiscard]] bool end_of_notice() const { return row.effective.has_value(); }
};
Result<std::vector<Carried>> carried(const ErasureEffectiveFacts& facts, RowAccess& rows);

// Seals again under the row's key; none: the leaf is dead.
Result<std::optional<Bytes>> seal_living(RowAccess& rows, Slot slot, std::string_view projection, ByteView row,
                                         ByteView body);
// For logical(): the opened column with its length in front, or "erased".
void append_column(Bytes& to, const OpenedPart& column);

}  // namespace siegel::views
