// The decision state (DESIGN 2): what the writer needs to decide at the sequence number of the use. It already includes
// the earlier commands of the same group. Bounded: entries newer than the views' position stay; older ones are evicted,
// oldest first. A worker that finds nothing here reads the views and hands its snapshot along; evicted() says whether
// that snapshot can still be trusted. Threads: one mutex inside; the writer changes, workers look. Each call is short.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "decide/identity.h"
#include "model/definitions.h"
#include "model/event.h"

namespace siegel::decide {

struct RecordEntry {
  TypeNo type;
  std::optional<SubjectId> subject;
  RecordVersion version;  // of the newest event
  Seq modified;
  bool removed = false;
  bool stale = false;       // an erasure changed it: the views know, once they show `modified`
  TreeSize adopted_from{};  // as the views showed it then: nothing is known of how it was before
  // A command that others have overtaken again and again: as long as it lives they let it go first.
  std::weak_ptr<const void> turn{};
  // The import that wrote it last. While that is under way nobody else changes the record, and it is not there for
  // anybody else if it was not before.
  std::optional<JobId> import{};
  bool there_before = true;
};

struct LeafEntry {
  ClassNo cls;
  Slot slot;
  std::uint64_t next = 0;  // running number of the next part
  TimeMs since;
};
// An erasure that is open: no part and no new leaf in these classes.
struct FenceEntry {
  Seq request;                   // of its erasure.requested
  std::vector<ClassNo> classes;  // empty: every class that dies at an erasure
};
// A record that a person got, or another identity of one of his records: an erasure must name what its worker could not
// see in the views yet.
struct RecentRecord {
  Seq seq;
  std::optional<RecordId> record;
  bool moves_identity = false;          // the index knows the person by more, less or something else since
  std::optional<IdentityKey> identity;  // that came
};
struct OwnerEntry {
  std::vector<LeafEntry> leaves;
  Seq modified;
  std::vector<RecentRecord> recent;  // the newest, at most kRecentMax
  TreeSize recent_from;              // what came from here on is in `recent`
  static constexpr std::size_t kRecentMax = 32;
  void remember(const RecentRecord& record);
  std::vector<FenceEntry> fences;
  bool stale = false;  // an erasure became effective: the views know the leaves, once they show `modified`
  [[nodiscard]] const LeafEntry* leaf(ClassNo cls) const;  // the newest of the class
  [[nodiscard]] LeafEntry* leaf(Slot slot);
  [[nodiscard]] bool is_fenced(ClassNo cls) const;
};

// What a worker read from the views: the row, or that there is none, as of a position.
template <class T>
struct Snapshot {
  std::optional<T> row;
  TreeSize position;
};

// The identity that an import gave to a record in place of another one.
struct IdentityMove {
  RecordId record;
  SubjectId subject;
  std::optional<IdentityKey> before, after;
};

class State {
 public:
  explicit State(std::size_t entries_max) : entries_max_(entries_max) {}

  // ── registries: one immutable value, replaced by the writer ──
  [[nodiscard]] std::shared_ptr<const Registries> registries() const;
  void set_registries(std::shared_ptr<const Registries> registries);

  // ── workers: copies of what is known here, if it is ──
  [[nodiscard]] std::optional<RecordEntry> find_record(const RecordId& id) const;
  [[nodiscard]] std::optional<OwnerEntry> find_owner(const OwnerId& id) const;

  // ── writer ──
  // The entry, taken over from the snapshot if it is not here. `known` false: cannot tell (the snapshot is older than
  // what was evicted, or there is none): the command must be prepared again.
  struct Record {
    bool known = false;
    RecordEntry* entry = nullptr;  // null and known: does not exist
  };
  Record record(const RecordId& id, const std::optional<Snapshot<RecordEntry>>& snapshot);
  struct Owner {
    bool known = false;
    OwnerEntry* entry = nullptr;  // never null when known: an owner without leaves is an empty entry
  };
  Owner owner(const OwnerId& id, const std::optional<Snapshot<OwnerEntry>>& snapshot);
  OwnerEntry& known_owner(const OwnerId& id) { return owners_.at(id); }  // by the group at hand: it is here
  OwnerEntry& new_owner(const OwnerId& id);  // id was drawn by this command: nothing can be known of it
  RecordEntry& new_record(const RecordId& id, RecordEntry entry);
  void touched(const RecordId& id, Seq seq);
  void touched(const OwnerId& id, Seq seq);
  // The event at `seq` changed them in a way that only the fold knows: version and classes left of a record (with
  // erasure.requested), leaves left of an owner (with erasure.effective). Until the views show it nothing is known
  // here.
  void left_to_views(const RecordId& id, Seq seq);
  void left_to_views(const OwnerId& id, Seq seq, Seq request);  // ends the fence of that request

  // ── imports of this process: writer, but for the second ──
  void begin_import(const JobId& import);
  [[nodiscard]] bool import_runs(const JobId& import) const;  // with the lock held
  // Who holds the record; none: nobody. Any thread.
  [[nodiscard]] bool held(const RecordEntry& record) const;
  void finish_import(const JobId& import);
  // What it wrote never counts: the views know what does, once they show `seq`. The identities that it moved are to be
  // moved back.
  std::vector<IdentityMove> cancel_import(const JobId& import, Seq seq);
  void moved(const JobId& import, const IdentityMove& move);  // by one that runs
  // An erasure ends what such records had before, or were given: it is not moved back.
  void forget_moves(std::span<const RecordId> before, std::span<const RecordId> after);
  // Whether who asked the views at this position saw the identities of this person that were moved back.
  [[nodiscard]] bool saw_moves_back(const SubjectId& person, TreeSize position) const;

  // Idempotency: what is not indexed by the views yet, by keyed hashes of this process.
  struct Answered {
    Hash request{};
    Bytes outcome;
    Seq seq;
    std::int64_t day = 0;  // whose key it is stored under
  };
  [[nodiscard]] std::optional<Answered> answered(const Hash& pin) const;  // workers
  [[nodiscard]] const Answered* answered_already(const Hash& pin) const;  // writer
  void answer(const Hash& pin, Answered answered);

  // Writer: whether what the views showed at this position is still the whole truth about what is not here.
  [[nodiscard]] bool trusted(TreeSize position) const { return nothing_evicted_ || position.get() > evicted_.get(); }
  // At open: nothing is here, so only views that show all `size` events can be trusted.
  void start_at(TreeSize size);

  // Drops the oldest entries that the views (at `position`) hold too. After it, evicted() tells the newest sequence
  // dropped.
  void evict(TreeSize position);
  [[nodiscard]] Seq evicted() const;
  [[nodiscard]] std::size_t entries() const;

  // The lock, for a decision of several steps on the writer.
  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }

 private:
  struct Touched {
    enum class Kind : std::uint8_t { record, owner, answer } kind;
    Seq seq;
    Hash key{};
    bool adopted = false;  // taken over from a snapshot, not changed
  };
  struct Import {
    bool runs = true;
    std::optional<Seq> cancelled;
    std::unordered_map<RecordId, IdentityMove, IdHash> moves;
  };
  [[nodiscard]] const Import* import_of(const RecordEntry& record) const;
  void adopted(Touched::Kind kind, const Id16& id);
  template <class Map, class Id, class Entry>
  typename Map::mapped_type* look(Map& map, Touched::Kind kind, const Id& id, const Snapshot<Entry>* snapshot,
                                  bool& known);

  const std::size_t entries_max_;
  mutable std::mutex mutex_;
  mutable std::mutex registries_mutex_;
  std::shared_ptr<const Registries> registries_ = std::make_shared<Registries>();
  std::unordered_map<RecordId, RecordEntry, IdHash> records_;
  std::unordered_map<OwnerId, OwnerEntry, IdHash> owners_;
  std::unordered_map<JobId, Import, IdHash> imports_;  // one entry for each of this process: few
  struct HashHash {
    std::size_t operator()(const Hash& h) const noexcept {
      return static_cast<std::size_t>(get_be<std::uint64_t>(h.data()));
    }
  };
  std::unordered_map<Hash, Answered, HashHash> answers_;
  std::deque<Touched> order_;                                   // ascending by sequence
  std::unordered_map<SubjectId, TreeSize, IdHash> moved_back_;  // until the views show it
  TreeSize newest_moved_back_;
  Seq evicted_;
  bool nothing_evicted_ = true;
};

}  // namespace siegel::decide
