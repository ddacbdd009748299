// The one place where history is written. Format: docs/formats/stores.md; flow: docs/architecture.md.
//
// Guarantees: (1) a command is answered only after its events are synced; (2) a group is visible whole or not at all;
//             (3) sequence numbers have no gap; (4) no size is ever signed with two roots; (5) time never decreases.
// Order:      write -> sync -> sign -> answer -> tail, lock record. Only durable trees are signed.
// Threads:    submit() from any thread; finish() and done() of commands run on the writer thread, owned here, which
// does
//             every write. Only a command that is not even queued is done() within submit(). Reads from any thread.
//             Lifetime: outlives its cursors; tails, signer, clock and files outlive it; close() drains the queue.
// Failure:    after a failed write, sync or signature the group's commands and all later ones get "read_only", whatever
//             the disk made of the batch: the owner closes this ledger and opens the store again, with all checks.
// Errors:     overloaded "overloaded" (queue full), unavailable "read_only" (context "reason": see Reason), corrupt
//             "ledger_damaged" (open() refuses, or a row read is not what was written), not_found "event_missing",
//             invalid "proof_out_of_range" (index or size beyond the tree).
// Not here:   who may write and what it means (service, decide), cleartext and keys (vault).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "codec/header_codec.h"
#include "codec/rows.h"
#include "ledger/receipt.h"
#include "model/event.h"
#include "store/store.h"

namespace siegel {
class Files;
}

namespace siegel::ledger {

// A part ready for the ledger. Workers make ciphertext, salt and inner hash; finish() gives owner and running number.
struct SealedPart {
  Envelope envelope;
  Hash inner{};
  Bytes ciphertext;  // empty: a trace
};

// An event ready but for what only the writer knows (seq, time, keys mark, parts digest).
struct Draft {
  Header header;  // facts may be completed by finish()
  std::optional<codec::HeaderTemplate>
      prepared;                   // encoded ahead by a worker; reset it when finish() changes the header
  std::vector<SealedPart> parts;  // part 0 is the actor's
};

// When and where a group is being decided.
struct Moment {
  Seq next;     // sequence of the next event
  TimeMs time;  // of all events of the group
};

struct Verdict {
  std::vector<Draft> events;  // empty: nothing is written, done() still comes after the group's sync
  std::optional<codec::IdempotencyRow> idempotency;  // stands beside the last event; without events it is not kept
};

struct Committed {
  Seq first;  // of this command's events; meaningless if it wrote none
  std::uint32_t events = 0;
  TreeSize size;  // behind this command's last event: its position
  TimeMs time;
  std::vector<Hash> leaf_hashes;        // of this command's events
  std::optional<AccessReceipt> access;  // if one of them is access.read
  std::optional<SystemReceipt> system;  // if one of them is job.started
};

// One command on its way through the writer. The service derives from it.
class Command {
 public:
  virtual ~Command() = default;
  // Writer thread, once, in order: decide against the state that includes all earlier commands, of this group and of
  // the one before, which under bulk load is still being written (if it fails, this one is refused too); give owners,
  // running numbers and registry numbers. Must not block or do I/O but for a synced fence of an erasure.
  virtual Verdict finish(const Moment& at) = 0;
  // Writer thread, once: after sync and signature, or with the error that kept the group from being written.
  // Events that break a limit of the format (invalid "too_large", "header_invalid") are told at once, before the next
  // command's finish(): what finish() changed can be taken back. The other commands of the group go on.
  virtual void done(Result<Committed> outcome) noexcept = 0;
  // Newest key batch that the command's parts rely on. Headers carry the highest so far: it never falls.
  [[nodiscard]] virtual KeysMark keys_mark() const = 0;
  // Estimated events, for the size of groups.
  [[nodiscard]] virtual std::size_t events() const { return 1; }
};

// What was just committed, as it stands in the store: for the projector, the bus and event streams.
struct Group {
  struct Row {
    Seq first;
    Bytes headers;   // codec::RowView
    Bytes payloads;  // codec::RowView, idempotency entries as trailer
  };
  Seq first;
  std::uint64_t events = 0;
  TimeMs time;
  std::vector<Row> rows;
};
class Tail {
 public:
  virtual ~Tail() = default;
  virtual void committed(std::shared_ptr<const Group> group) noexcept = 0;  // writer thread, in order; must not block
};

struct TreeHead {
  TreeSize size;
  Hash root{};
};

// Signs tree heads as C2SP checkpoints. The real one holds the Ed25519 key (signer.h); tests count and crash.
// From any thread: the writer signs new heads, readers past ones.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual Result<std::string> sign(const TreeHead& head) = 0;  // the whole signed note, three lines and the signature
  // A signed note over another text. Never one that could be read as a checkpoint: the ledger sees to that.
  virtual Result<std::string> sign_text(std::string_view text) = 0;
  [[nodiscard]] virtual std::string verifier_key() const = 0;
};

// Of the parts record of one event; more is refused: invalid "too_large".
inline constexpr std::size_t kEventPartsBytesMax = std::size_t{8} << 20;

struct Options {
  std::string origin;
  LedgerId id;
  std::string lock_record_path;  // outside the data directory (I12)
  std::size_t queue_commands_max = 65'536;
  std::size_t group_events_max = 5'000;  // 1,000 while single commands wait
  std::size_t group_bytes_max = 8 * 1024 * 1024;
  std::uint32_t group_wait_us_max = 200;    // only while more commands are in flight than wait; never for one client
  std::uint64_t clock_back_ms_max = 5'000;  // a larger step back stops writing: "clock_stepped_back" (T1)
  // Commands begun and not yet answered, those in the queue among them; asked by the writer, must not block. Left out:
  // as many as the last group had, since their clients are likely to come back.
  std::function<std::size_t()> in_flight;
  Files* files = nullptr;  // for the lock record; null: the system's
  // Where the owner has kept damaged logs, for the detail of a reason that speaks of lost events; empty: nowhere.
  std::string evidence;
  // What the owner found to be gone though the lock record is reached: the detail of "log_damaged"; empty: nothing.
  std::string lost;
  // What the owner knows this ledger to have held, from another place than the lock record: the keys store. A smaller
  // one has lost events, though it agrees with its lock record: both may be of one old copy. 0: nothing is known.
  TreeSize size_known;
};

struct Reason {
  // lock_record_missing, lock_record_damaged, behind_lock_record, fork, behind_keys, log_damaged: adopt_lock_record()
  // ends them.
  // disk_full, write_failed, sign_failed, row_mismatch (D3), clock_stepped_back: opening again does.
  std::string code;
  std::string detail;  // both values, for status
};

struct StoredEvent {
  Bytes header;  // canonical header bytes
  Bytes parts;   // codec::decode_parts
};

// Walks events in order over one consistent view. Not thread-safe; must not outlive the ledger.
class EventCursor {
 public:
  virtual ~EventCursor() = default;
  // False at the end. The views hold until the next call.
  virtual Result<bool> next(Seq& seq, ByteView& header, ByteView& parts) = 0;
  virtual ByteView idempotency() const = 0;  // trailer of the row just left or being read; empty if none
};

class Ledger {
 public:
  // The families of the ledger's store, for whoever opens or copies it.
  static std::vector<FamilyOptions> families();
  // Makes an empty ledger in an empty store; never called by serve. Its first lock record is made by open() and
  // adopt_lock_record(). Errors: conflict "exists".
  static Status create(Store& store, const Options& options);
  // Recovers: reads size and edge, recomputes the open tile from headers, compares the edge, re-signs the tail,
  // compares with the lock record. Damage refuses (corrupt "ledger_damaged", "other_ledger", "format_newer"; not_found
  // "ledger_missing"); a lock record missing, damaged, ahead or of another root opens read-only and signs nothing: the
  // newest note of the store is shown, which may be of a smaller size. The store must be writable: what is found is
  // synced before it is signed.
  static Result<std::unique_ptr<Ledger>> open(std::unique_ptr<Store> store, const Options& options, Signer& signer,
                                              Clock& clock);
  virtual ~Ledger() = default;

  virtual Status start() = 0;                                 // starts the writer thread; before it, reads only
  virtual void submit(std::unique_ptr<Command> command) = 0;  // errors come through done(), also "overloaded"
  virtual void subscribe(Tail& tail) = 0;                     // before start()
  virtual void close() = 0;                                   // drains, stops, syncs the lock record; idempotent

  [[nodiscard]] virtual TreeSize size() const = 0;           // durable and signed
  [[nodiscard]] virtual std::string checkpoint() const = 0;  // newest signed note
  [[nodiscard]] virtual KeysMark keys_mark() const = 0;      // of the newest event
  [[nodiscard]] virtual Epoch epoch() const = 0;             // newest erasure.effective, from the head row; 0: none
  [[nodiscard]] virtual std::vector<Reason> read_only() const = 0;  // empty: writable
  [[nodiscard]] virtual std::vector<Reason> doubts() const = 0;     // those of them that adopt_lock_record() ends
  [[nodiscard]] virtual std::size_t queued() const = 0;
  // Only while it is read-only; else denied "receipt_missing": a job.started can and must stand behind the look.
  Result<RegistryReceipt> registry_receipt() const;
  // Adopts the ledger as it is: signs its head, writes a new lock record (the ceremony of `siegel lock adopt`, and
  // init).
  virtual Status adopt_lock_record() = 0;

  virtual Result<StoredEvent> read(Seq seq) const = 0;  // not_found past the end
  // From `from` to the end. events_wanted: about how many will be taken; many are read ahead and past the block cache.
  static constexpr std::uint64_t kAllEvents = UINT64_MAX;
  virtual Result<std::unique_ptr<EventCursor>> cursor(Seq from, std::uint64_t events_wanted = kAllEvents) const = 0;
  virtual Result<Hash> root(TreeSize size) const = 0;
  virtual Result<Hash> leaf(Seq seq) const = 0;
  virtual Result<std::vector<Hash>> inclusion(Seq index, TreeSize size) const = 0;
  virtual Result<std::vector<Hash>> consistency(TreeSize from, TreeSize to) const = 0;
  virtual Result<std::optional<Bytes>> tile(unsigned level, std::uint64_t index, unsigned width) const = 0;
  // Checkpoint note for any past size: re-signs the same bytes (Ed25519 is deterministic).
  virtual Result<std::string> checkpoint_at(TreeSize size) const = 0;
  // The text as a note of the ledger's own key: what it tells is the ledger's word. Its first line must not be the
  // origin, so that no reader takes it for a checkpoint: invalid "statement_malformed", also for what is no note text.
  // unavailable "read_only" while the lock record is in doubt.
  virtual Result<std::string> statement(std::string_view text) const = 0;

  struct Counters {  // since open, for metrics and test F2
    std::uint64_t groups = 0, events = 0, signatures = 0, leaf_hashes = 0, node_hashes = 0;
    std::uint64_t sync_ns_total = 0, sync_ns_max = 0;
    std::uint64_t lock_record_size = 0;      // tree size that the lock record durably holds
    std::uint64_t lock_record_failures = 0;  // writes of it that failed; tried again every second
  };
  [[nodiscard]] virtual Counters counters() const = 0;
  // Store::look() of its store. Any thread.
  [[nodiscard]] virtual Status look() = 0;
  std::function<void(std::size_t events, std::chrono::nanoseconds sync)> on_group;  // metrics; set before start()

 protected:
  // Receipts are made here and nowhere else.
  static AccessReceipt access_receipt(Seq seq, PurposeNo purpose, std::vector<OwnerId> owners) {
    return {seq, purpose, std::move(owners)};
  }
  static SystemReceipt system_receipt(Seq seq, JobFacts::Kind kind) { return {seq, kind}; }
};

}  // namespace siegel::ledger
