// The read models on disk: families, rows and queries. Rows are written by the projections (one folder each) through
// `projector`; here is what service and projections share. Nothing in a row key but server-made ids, registry numbers
// and sequences; personal columns are sealed under row keys of the leaf that the values came from (vault::seal_row).
// Format: docs/formats/views.md. Threads: queries from any thread. Errors: corrupt "views_damaged" (delete, rebuild).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "model/event.h"
#include "model/event_type.h"
#include "model/ids.h"
#include "store/store.h"

namespace siegel::views {

// Families of the views store, in this order; all ascending keys.
enum class Rows : std::uint8_t {
  position,         // "position" -> u64 size: own family, written with every fold in one atomic batch
  registries,       // kind u8 | number u32: purposes, classes, tokens (body sealed under the ledger's registry leaf)
  record_types,     // number u32 (sealed likewise)
  record_heads,     // record id -> RecordHead (clear: numbers and ids only)
  records,          // type u32 | record id -> RecordRow (sections sealed)
  owners,           // owner id -> OwnerRow (leaves with slots and counts)
  subject_records,  // subject id | record id -> empty
  subject_links,    // subject id | seq u64 -> slot, sealed ExternalReference
  history,  // record id | seq u64 -> time, parts: every event of the record but the one that added it (RecordHead)
  subject_history,   // subject id | seq u64 -> parts
  erasures,          // erasure id -> ErasureRow
  erasure_requests,  // seq u64 of erasure.requested -> RequestRow (rows.h), while the notice lives
  erased,            // subject or record id | seq u64 of erasure.requested -> erasure id, while the notice lives
  idempotency,  // HMAC of the client's key (32) -> first sequence of the ledger row that holds the entry, slot of its
                // day
  imports,      // import id -> ImportRow (clear: states, times and counts only)
  subject_merges,  // subject id -> MergeRow: whom he was merged into
  count_
};
std::vector<FamilyOptions> families();
inline Family family(Rows rows) { return Family(static_cast<std::uint8_t>(rows)); }

struct PartRef {
  std::uint16_t part = 0;
  Slot slot;
  bool operator==(const PartRef&) const = default;
};

enum class ImportState : std::uint8_t { begun = 1, finished, cancelled, undone };
std::string_view name_of(ImportState state) noexcept;
// Whether what an import wrote is shown. One row says so for all of it: that makes an import one visible step.
inline bool counts(ImportState state) {
  return state == ImportState::finished || state == ImportState::undone;  // an undo has events of its own
}
struct ImportRow {
  ImportState state = ImportState::begun;
  TypeNo type;
  PurposeNo purpose;
  Seq begun_seq;
  TimeMs begun_at;
  std::optional<Seq> ended_seq;  // of import.finished or import.cancelled
  TimeMs ended_at;
  ImportFacts counts;
  std::optional<Seq> undone_seq;
  TimeMs undone_at;
  ImportFacts undone;
};

// Counts what is left of a record's events: an erased class takes its events out of version, created and modified,
// since a rebuild cannot know any more whom they concerned.
struct RecordHead {
  TypeNo type;
  std::optional<SubjectId> subject;
  RecordVersion version;
  Seq created;
  Seq modified;
  bool removed = false;
  TimeMs added_at;                // with `added`: the record.added event, which has no row in `history`
  std::vector<PartRef> added;     // empty: erased
  std::optional<JobId> added_by;  // the import that brought it
  // What holds once this import is finished; all else is as without it. Version 0: nothing is there without it.
  struct Pending {
    JobId import;
    RecordVersion version;
    Seq modified;
  };
  std::optional<Pending> pending;
};

struct Section {  // the values of one class
  ClassNo cls;
  Slot slot;
  Bytes sealed;  // codec::encode_values under vault::seal_row(slot, "records", row key, …)
};
struct RecordRow {
  RecordVersion version;
  TimeMs updated_at;
  std::optional<SubjectId> subject;
  std::vector<Section> sections;
  struct Pending {  // as in RecordHead
    JobId import;
    RecordVersion version;
    TimeMs updated_at;
    std::vector<Section> sections;  // all of them
  };
  std::optional<Pending> pending;
};
Bytes record_row_key(TypeNo type, const RecordId& record);  // also the `row` of seal_row

struct Leaf {
  ClassNo cls;
  Slot slot;
  std::uint64_t next = 0;  // running number of the next part
  TimeMs since;            // time of its first part
  Seq last;                // event of its newest part
};
struct OwnerRow {
  std::vector<Leaf> leaves;
  Seq modified;  // the highest `last`
};

struct EventRef {
  Seq seq;
  std::vector<std::uint16_t> parts;
};

enum class ErasureState : std::uint8_t {
  requested = 1,
  fenced,
  effective,
  removed,
  completed,
  overdue,
  refused,
  recalled
};
std::string_view name_of(ErasureState state) noexcept;
// A class that an erasure did not end, as it was registered when the erasure became effective. No name: a number has
// the same one for ever, and names are sealed with the registries.
struct KeptClass {
  ClassNo cls;
  LegalGround ground = LegalGround::none;
  std::string period;
  bool operator==(const KeptClass&) const = default;
};
// One erasure.effective that carried out requests of an erasure. Its header names them, and those of other erasures.
struct ErasureEffect {
  Seq seq;
  TimeMs at;
  std::uint64_t old_epoch = 0;
  std::uint64_t new_epoch = 0;
  Hash old_root{};
  Hash new_root{};
  std::uint16_t grade = 0;
  std::uint16_t members = 0;
  std::uint16_t replicas = 0;
  std::uint32_t requests = 0;   // of this erasure
  std::vector<KeptClass> kept;  // of the classes that people registered; the built-in ones never change
  bool operator==(const ErasureEffect&) const = default;
};
struct ErasureRow {
  ErasureState state = ErasureState::requested;
  std::uint16_t ground = 0;
  std::vector<std::uint32_t> classes;  // as asked; empty: all
  std::vector<Seq> requests;           // erasure.requested events (one per person, or several), ascending
  std::uint32_t requests_effective = 0;
  std::uint32_t requests_completed = 0;
  std::uint32_t subjects = 0;
  std::uint64_t leaves = 0;
  TimeMs requested_at;
  TimeMs deadline;
  std::vector<ErasureEffect> effects;  // ascending; more than one if one epoch could not take them all

  // The last one, once every request is carried out.
  [[nodiscard]] const ErasureEffect* effective() const {
    return effects.empty() || requests_effective < requests.size() ? nullptr : &effects.back();
  }
};

class Views {
 public:
  // passed_over_max: rows that a list passes over at most, since nobody sees them.
  explicit Views(Store& store, std::size_t passed_over_max = 10'000)
      : store_(store), passed_over_max_(passed_over_max) {}
  [[nodiscard]] Store& store() noexcept { return store_; }

  // Size of the ledger that the rows show. advance() is the projector's; waiters run on its thread.
  [[nodiscard]] TreeSize position() const { return TreeSize(position_.load(std::memory_order_acquire)); }
  void advance(TreeSize position);
  // Calls back once the rows show at least `size` (at once if they do), or with false after the deadline passed. Errors
  // never. No lock is held during a call.
  void when(TreeSize size, std::chrono::milliseconds wait, std::function<void(bool reached)> then);
  void expire_waiters();  // every 20 ms, by the projector's thread: there is no timer
  void end_waiting();     // nothing advances any more: all that wait are called with false, later ones at once
  Result<TreeSize> load_position();  // from the store, at open; 0 in an empty one

  // As everybody sees it: what an import wrote counts from the moment it is finished, all at once.
  Result<std::optional<RecordHead>> head(const RecordId& record);
  Result<std::optional<RecordRow>> record(TypeNo type, const RecordId& record);
  // With what an unfinished import wrote apart in `pending`: for who decides, and for the identity index.
  Result<std::optional<RecordHead>> newest_head(const RecordId& record);
  Result<std::optional<RecordRow>> newest_record(TypeNo type, const RecordId& record);
  // As newest_…, and what a cancelled import wrote of a record that nobody sees: whom it registered stays known by it.
  Result<std::optional<RecordHead>> known_head(const RecordId& record);
  Result<std::optional<RecordRow>> known_record(TypeNo type, const RecordId& record);
  // What this import found, as long as nothing came after it; none: something did, or it made the record.
  Result<std::optional<RecordRow>> before_import(TypeNo type, const RecordId& record, const JobId& import);
  struct Listed {
    RecordId id;
    RecordRow row;
  };
  struct List {
    std::vector<Listed> rows;  // up to the limit
    // Fewer, though there may be more: so many rows were passed over that a cancelled import left, or that an
    // unfinished one would show. Go on behind this one.
    std::optional<RecordId> rest;
  };
  Result<List> list(TypeNo type, const std::optional<RecordId>& after, std::size_t limit);
  // Over all rows of a type, as everybody sees them; stops when f returns false.
  Status each_record(TypeNo type, const std::function<bool(const RecordId&, const RecordRow&)>& f);
  // For the identity index: also rows that only known_record() tells of.
  Status each_known(TypeNo type, const std::function<bool(const RecordId&, const RecordRow&)>& f);
  Result<std::optional<OwnerRow>> owner(const OwnerId& owner);
  Result<std::vector<RecordId>> records_of(const SubjectId& subject);
  struct Link {
    Seq seq;
    Slot slot;
    Bytes sealed;  // external reference, vault::seal_row(slot, "subject_links", row key, "system NUL id")
    Bytes row;     // the row key
  };
  Result<std::vector<Link>> links_of(const SubjectId& subject);
  Status each_link(const std::function<bool(const SubjectId&, const Link&)>& f);
  Status each_merge(const std::function<void(const SubjectId& into, const SubjectId& merged)>& f);
  Result<std::vector<EventRef>> history(const RecordId& record, std::optional<Seq> after, std::size_t limit);
  Result<std::vector<EventRef>> subject_history(const SubjectId& subject, std::optional<Seq> after, std::size_t limit);
  Result<std::optional<ImportRow>> import(const JobId& id);
  Result<std::vector<std::pair<JobId, ImportRow>>> imports(const std::optional<JobId>& before,
                                                           std::size_t limit);  // newest first
  Result<std::vector<JobId>> unfinished_imports();
  Result<std::optional<ErasureRow>> erasure(const ErasureId& id);
  Result<std::vector<std::pair<ErasureId, ErasureRow>>> erasures(const std::optional<ErasureId>& after,
                                                                 std::size_t limit);
  struct OpenRequest {
    Seq seq;
    ErasureId erasure;
    SubjectId subject;
  };
  // erasure.requested without erasure.effective, one entry per person. What was derived from the parts of the people
  // named is gone from the rows with erasure.requested; their leaves stay in owner() until erasure.effective.
  Result<std::vector<OpenRequest>> open_erasure_requests();
  // Notices of requests that are effective, with the deadline that the request named.
  struct Notice {
    Seq request;
    TimeMs deadline;
    std::vector<Slot> slots;
  };
  Result<std::vector<Notice>> notices();
  // The newest erasure of all of a person, or one that named this record. A record that keeps another class is named
  // too: look for the record first.
  Result<std::optional<ErasureId>> erased(const Id16& subject_or_record);
  // Classes that erasures of this record named, ascending, while their notices live. Empty if they took all.
  Result<std::vector<ClassNo>> erased_classes(const RecordId& record);
  Result<std::optional<Seq>> idempotency(const Hash& mac);
  struct RegistryRow {
    EventType type{};  // of the event whose body is sealed here (a revoked token keeps that of its creation)
    std::uint32_t number = 0;
    std::uint32_t version = 0;
    TimeMs at;             // of the first version
    bool revoked = false;  // tokens
    Slot slot;
    Bytes sealed;  // RegistryBody, vault::seal_row(slot, "registries", row key, …)
    Bytes row;     // the row key
  };
  Result<std::vector<RegistryRow>> registries();  // with record types, ascending by kind and number

 private:
  struct Waiter {
    TreeSize size;
    std::chrono::steady_clock::time_point deadline;
    std::function<void(bool)> then;
  };
  enum class Left : std::uint8_t { hidden, told };  // by cancelled imports
  // What nobody sees is passed over; `passed` is told of it, and ends the walk by false.
  Status walk_records(ByteView prefix, ByteView from, Left left,
                      const std::function<bool(const RecordId&, RecordRow&&)>& f,
                      const std::function<bool(const RecordId&)>& passed = nullptr);
  Store& store_;
  const std::size_t passed_over_max_;
  std::atomic<std::uint64_t> position_ = 0;
  Guarded<std::vector<Waiter>> waiters_;
  std::atomic<bool> waiting_ended_ = false;  // set with waiters_ locked
};

}  // namespace siegel::views
