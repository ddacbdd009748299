// What can be done with the data: one call per command and query. A door parses, calls, renders; it has no rule of its
// own.
//
// Flow:    prepare (caller's thread, of erasures and searches the executor: check, validate, seal) -> submit -> decide
// on the writer -> synced group -> answer. Answers: through the callback, exactly once, from any thread, never before
// the call returned what it must keep. Writes answer on the
//          writer thread, so a callback must be short; reads answer on the executor.
// Errors:  the codes of contract section 1. A refusal by permit is itself an event before it is answered (I6).
// Threads: all calls from any thread after start(). Lifetime: outlives every callback; stop() waits for them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "decide/erased_identities.h"
#include "decide/permit.h"
#include "ledger/ledger.h"
#include "model/bodies.h"
#include "search/fold.h"
#include "service/import_api.h"
#include "vault/vault.h"
#include "views/views.h"

namespace siegel::views {
class Follower;
}

namespace siegel::service {

// Who calls, for what. Made by authenticate(); the door adds purpose, request id and source.
struct Caller {
  TokenId token;
  std::string purpose;  // as given in Siegel-Purpose; empty: not given
  std::string request_id;
  Source source = Source::api;
};

// A value as a door got it: JSON string, true/false, null, array of strings.
using RawValue = std::variant<Null, bool, std::string, std::vector<std::string>>;
struct NamedValue {
  std::string field;
  Personal<RawValue> value;
};

// ── commands ──
// A record event of an import, or of its undo. Doors leave it out.
struct OfImport {
  JobId id;
  std::uint32_t row = 0;         // of the file, as its program numbers it
  std::optional<Seq> untouched;  // undo: only if this is the record's newest event
  // Who was erased since the file came does not come back out of it.
  std::shared_ptr<const decide::ErasedIdentities::Watch> watch{};
};
struct SetPurpose {
  PurposeDefinition definition;
};
struct SetClass {
  ClassDefinition definition;
};
struct SetType {
  TypeDefinition definition;  // field numbers are given here
};
struct CreateToken {
  TokenGrant grant;
};
struct RevokeToken {
  TokenId id;
};
struct AddRecord {
  std::string type;
  std::vector<NamedValue> values;
  std::optional<SubjectId> subject;                     // given by the caller: must exist
  std::optional<Personal<ExternalReference>> external;  // found by it, or linked to it
  std::optional<OfImport> import{};
};
struct ChangeRecord {
  RecordId record;
  std::vector<NamedValue> values;  // null empties a field
  std::optional<OfImport> import{};
};
struct RemoveRecord {
  RecordId record;
  std::optional<OfImport> import{};
};
struct RequestErasure {
  std::vector<SubjectId> subjects;   // 1 to 10,000 with all their ids, each with at most 250,000 records (too_large)
  std::vector<std::string> classes;  // empty: all
  std::string ground;                // "art17-1-b"
  bool now = false;                  // answer when effective; else gathered for erase_window_ms
};
// They are one person, who goes by the id of `into`. Errors: conflict "state_conflict" (one already), invalid
// "too_large".
struct MergeSubjects {
  SubjectId into;
  std::vector<SubjectId> others;  // 1 to 100
};
using Write = std::variant<SetPurpose, SetClass, SetType, CreateToken, RevokeToken, AddRecord, ChangeRecord,
                           RemoveRecord, MergeSubjects, RequestErasure>;

struct WriteOptions {
  std::optional<std::uint64_t> expected_version;  // If-Match
  bool create_only = false;                       // If-None-Match: *
  std::string idempotency_key;                    // empty: none
  std::string request;  // what "the same request" means: method, route, headers that matter, body
  Personal<std::string> reason;
};

// The stored result of a write. Holds no personal value but pseudonyms.
struct Written {
  enum class Kind : std::uint8_t { created = 1, changed, removed, unchanged, erasure_requested, erasure_effective };
  Kind kind = Kind::created;
  std::uint64_t version = 0;
  TreeSize size;      // position
  Seq seq;            // of the command's main event
  Hash event_hash{};  // its leaf hash
  std::optional<RecordId> record;
  std::optional<SubjectId> subject;
  bool ambiguous = false;  // added: two people had this identity, none was chosen; changed: another one has it too
  std::optional<TokenId> token_id;
  std::string token;  // shown once: empty in a replayed answer
  std::optional<ErasureId> erasure;
  Epoch old_epoch, new_epoch;  // erasure_effective
  unsigned grade = 0;
  bool replayed = false;
};
template <class T>
using Callback = std::function<void(Result<T>)>;

// ── queries ──
struct ShownRecord {
  RecordId id;
  TypeNo type;
  std::optional<SubjectId> subject;
  RecordVersion version;
  TimeMs updated_at;
  Personal<Values> values;      // covered by the purpose; fields without a value are left out
  std::vector<ClassNo> erased;  // classes whose values are gone
};
struct RecordAnswer {
  std::shared_ptr<const Registries> registries;
  ShownRecord record;
  TreeSize position;
};
struct ListAnswer {
  std::shared_ptr<const Registries> registries;
  TypeNo type;
  std::vector<ShownRecord> items;
  std::optional<RecordId> next;  // cursor: the last one looked at, if there may be more
  TreeSize position;
};
struct SubjectsAnswer {
  struct Item {
    SubjectId subject;
    std::vector<ShownRecord> records;  // those that were found
  };
  std::shared_ptr<const Registries> registries;
  std::vector<TypeNo> types;                        // that all its pages look in
  std::vector<Item> items;                          // a person may come again on the next page
  std::optional<std::pair<TypeNo, RecordId>> next;  // cursor: the last one looked at, if there may be more
  TreeSize position;
};
struct ExportQuery {
  std::string type;
  std::vector<std::string> fields;  // each once, in this order; empty: all that the purpose covers
  std::optional<RecordId> after{};
  std::shared_ptr<const void> room{};  // of the whole export, taken for its first chunk
};
struct ExportAnswer {
  ListAnswer records;                // one chunk; its `next` is not used
  std::vector<std::string> fields;   // of all chunks, in their order
  std::optional<ExportQuery> next;   // what asks for the rest, if there may be more
  std::shared_ptr<const void> room;  // to be kept until the chunk is sent
};
struct Change {
  FieldNo field;
  Personal<Value> before;
  Personal<Value> after;
};
struct HistoryItem {
  Seq seq;
  TimeMs at;
  EventType type{};
  std::string actor;  // "tk_…", "su_…", "system"
  PurposeNo purpose;
  LegalGround ground = LegalGround::none;
  TypeNo record_type;
  std::optional<RecordId> record;
  std::vector<Change> changes;
  Personal<std::string> reason;             // given with the change; empty: none, or not all of the change can be read
  std::vector<ClassNo> erased;              // parts that cannot be read any more
  std::optional<JobId> import;              // that wrote it, or whose undo did
  bool cancelled = false;                   // the import was: none of it ever counted
  bool unfinished = false;                  // the import is under way: not shown
  std::optional<AccessFacts::Kind> access;  // of access.read: what was looked at
};
struct HistoryAnswer {
  std::shared_ptr<const Registries> registries;
  std::vector<HistoryItem> items;
  std::optional<Seq> next;
  TreeSize position;
};
struct SubjectAnswer {
  std::shared_ptr<const Registries> registries;
  SubjectId subject;                     // the id that the person goes by, whichever was asked for
  std::vector<SubjectId> merged;         // his other ones, ascending
  std::vector<ExportBody::Leaf> leaves;  // of an export: as its access event lists them
  std::vector<Personal<ExternalReference>> external;
  std::vector<ShownRecord> records;
  std::vector<HistoryItem> history;  // export only
  TreeSize position;
};
struct ErasureAnswer {
  ErasureId id;
  views::ErasureRow row;
  TreeSize position;
};
// One erasure.effective, and its way to the root.
struct CertifiedEvent {
  views::ErasureEffect effect;
  Bytes header;  // its canonical bytes
  std::vector<Hash> inclusion;
};
struct CertificateAnswer {
  ErasureId id;
  views::ErasureRow row;
  CertifiedEvent last;                  // with it the erasure became effective
  std::vector<CertifiedEvent> earlier;  // ascending; of an erasure that one epoch could not take
  std::string checkpoint;               // note that the proofs lead to
  std::string note;  // the certificate for people to read, signed by the ledger's key (certificate.cc)
  TreeSize size;
  std::vector<std::string> erased_classes;  // by name; empty: all that an erasure ends
  std::vector<std::string> kept_classes;    // with ground, as "name (ground)"
  std::string_view unencrypted_swap;        // of this machine now: yes, no, unknown
};
struct EventLine {
  Seq seq;
  Header header;
  Hash leaf{};
};
struct InclusionAnswer {
  Seq index;
  TreeSize size;
  Hash leaf{};
  std::vector<Hash> hashes;
  std::string checkpoint;
};
struct ConsistencyAnswer {
  TreeSize from, to;
  std::vector<Hash> hashes;
  std::string checkpoint;
};
struct StatusAnswer {
  LedgerId ledger;
  std::string origin;
  std::string verifier_key;
  TreeSize size;
  TimeMs checkpoint_at;
  std::vector<ledger::Reason> read_only;
  Epoch epoch;
  std::string root_store_kind;
  unsigned grade = 0;
  TreeSize projected;
  bool search_ready = false;
  std::size_t erasures_open = 0;
};

// Where reads go on after their access event is durable, and where commands are prepared again.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> work) = 0;
};

struct Options {
  std::string origin;
  LedgerId id;
  std::string timezone = "Europe/Berlin";
  std::size_t decision_entries_max = 200'000;
  std::size_t event_bytes_max = 256 * 1024;
  std::size_t subjects_per_event_max = 1'000;
  std::size_t requests_per_epoch_max = 4'000;  // in one header too; not above vault::kRequestsPerEpochMax
  std::chrono::milliseconds erase_window{1000};
  std::size_t search_bytes_max = 256 * 1024 * 1024;  // of the search index; a type that does not fit is not searched
  std::size_t search_results_max = 1'000;            // in one answer
  std::size_t export_chunk_records_max = 1'000;      // read, opened and sent at once
  std::size_t exports_max = 8;                       // at one time: each holds a chunk in memory
  unsigned idempotency_days = 7;
  std::chrono::milliseconds catch_up_wait{10'000};        // of a look for read models that show what it must show
  std::chrono::milliseconds erase_retry{5000};            // of an erasure that could not be carried out or told
  std::chrono::milliseconds terms_every{60 * 60 * 1000};  // how often to look for what ends by itself
  std::chrono::milliseconds roots_every{60 * 1000};       // and whether every root store is whole
  std::string root_store_kind = "file";
  std::string verifier_key;
  std::string version;
  std::string country = "DE";  // of national phone numbers in files
  ImportLimits imports;
  // How the fold of the read models goes: while start() waits for them, an error of it ends the start.
  std::function<Status()> views_status = [] { return Status(Done{}); };
  // Asked by each command: true, and only looks at people are still taken, with their traces. Any thread; cheap.
  std::function<bool()> room_is_short = [] { return false; };
};

// What keeps erasures, or the end of what is past its term, from succeeding.
struct ErasureFailure {
  std::string code;        // empty: nothing, or a place that is away or a ledger that takes nothing
  bool destroyed = false;  // the keys are gone; only to record it fails
  bool operator==(const ErasureFailure&) const = default;
};

// Filled by the service, read by metrics.
struct Counters {
  std::size_t erasures_open = 0;
  double oldest_erasure_seconds = 0;
  ErasureFailure erasure_failure;
};

class Service {
 public:
  // The parts must outlive the service. start() loads registries and open erasures, starts jobs of the system (identity
  // index), and carries on with what a crash interrupted. Needs a started ledger and a projector that has caught up or
  // is catching up. With a ledger that is read-only from the start (not started, no projector) only the registries are
  // loaded: whatever needs an event answers unavailable "read_only", the rest is served.
  static std::unique_ptr<Service> make(ledger::Ledger& ledger, vault::Vault& vault, views::Views& views,
                                       Executor& executor, Clock& clock, Random& random, const Options& options);
  virtual ~Service() = default;
  // The ledger's reasons; without one, disk_full while room_is_short().
  [[nodiscard]] virtual std::vector<ledger::Reason> read_only() const = 0;
  virtual Status start() = 0;
  virtual void stop() = 0;

  // For jobs that need a receipt of their own (projector, rebuild, backup): writes job.started, waits for it.
  virtual Result<ledger::SystemReceipt> begin_job(JobFacts::Kind kind) = 0;
  virtual void end_job(JobFacts::Kind kind, std::uint64_t count) = 0;
  // Writes ledger.configured and waits for it: what somebody changed of the ledger itself, from outside. Sealed under a
  // key of the ledger's own, for as long as the ledger.
  virtual Status configured(std::vector<std::pair<std::string, std::string>> settings) = 0;
  // The first admin token, made by `siegel token create --local` with the server stopped.
  virtual Result<Written> create_local_token(TokenGrant grant) = 0;

  // 401 token_missing, token_wrong, token_expired (context: token, its id; one refusal event a minute and token).
  // Cheap: one hash and a look-up.
  virtual Result<Caller> authenticate(std::string_view token) = 0;
  virtual std::shared_ptr<const Registries> registries() = 0;

  virtual void write(Caller caller, Write command, WriteOptions options, Callback<Written> done) = 0;

  virtual void read_record(Caller caller, RecordId id, Callback<RecordAnswer> done) = 0;
  struct ListQuery {
    std::string type;
    std::optional<RecordId> after;
    std::size_t limit = 50;
    std::vector<std::string> fields;  // empty: all that the purpose covers
  };
  virtual void list_records(Caller caller, ListQuery query, Callback<ListAnswer> done) = 0;
  // By values of searchable fields, all of which must be met (what meets what: search/fold.h). In order of ids, or of
  // the values of a field (search/order.h). Also a search that finds nobody is an access event before it is answered.
  // Errors: invalid "bad_value" with a pointer (no condition, a field that is not searchable, a value that cannot be
  // searched by, limit), unavailable "starting" while the index loads, overloaded "overloaded" with its limit where it
  // has no room.
  struct SearchQuery {
    struct Where {
      std::string field;
      search::Op op = search::Op::exact;  // the value, its beginning, or that of one of its words
      Personal<RawValue> value;
    };
    std::string type;
    std::vector<Where> where;         // 1 to kConditionsMax
    std::vector<std::string> fields;  // shown; empty: all that the purpose covers
    // search() alone, and then in one answer: whoever is found is looked at for the order. More than `limit`,
    // or than 8 MiB, is refused, after the access event: invalid "bad_value" (reason too_many_to_sort). Without a value
    // there comes last.
    struct Sort {
      std::string field;
      bool descending = false;
    };
    std::optional<Sort> sort;
    std::optional<RecordId> after;
    std::optional<TypeNo> after_type;  // search_subjects(): of `after`
    // None: 50, or with `sort` as many as one answer may have.
    std::optional<std::size_t> limit;
  };
  static constexpr std::size_t kConditionsMax = 16;
  virtual void search(Caller caller, SearchQuery query, Callback<ListAnswer> done) = 0;
  // People by their records, in each type that concerns people, that caller and purpose may read, and whose fields of
  // these names are searchable; query.type is not used, fields that a type does not have are passed over. One event
  // names all who are found. Errors: as search() where no type is left, with the reason of the first.
  virtual void search_subjects(Caller caller, SearchQuery query, Callback<SubjectsAnswer> done) = 0;
  // One chunk of a bulk export, in order of ids; `next` of its answer asks for the rest, until there is none. Records
  // are shown as they are when their chunk is read: whoever is erased meanwhile is left out, what is added comes at the
  // end. Each chunk needs the permit anew (bulk_denied: bulk_until is over) and is an event before it is answered.
  // Errors: denied "field_denied" also where the purpose covers no field, overloaded "overloaded" with exports_max
  // or exports_per_token_max (half of it).
  virtual void export_records(Caller caller, ExportQuery query, Callback<ExportAnswer> done) = 0;
  virtual void record_history(Caller caller, RecordId id, std::optional<Seq> after, std::size_t limit,
                              Callback<HistoryAnswer> done) = 0;
  virtual void subject_history(Caller caller, SubjectId id, std::optional<Seq> after, std::size_t limit,
                               Callback<HistoryAnswer> done) = 0;
  virtual void read_subject(Caller caller, SubjectId id, Callback<SubjectAnswer> done) = 0;
  virtual void export_subject(Caller caller, SubjectId id, Callback<SubjectAnswer> done) = 0;

  // Imports (imports.h). wait: answered when what was asked for has ended, else at once. Own previews only: not_found
  // for those of other tokens, gone "expired" when their time is over.
  // Before the file is read: holds room for so many bytes as long as the answer lives. overloaded "overloaded" with its
  // limit.
  virtual Result<std::shared_ptr<const void>> admit_upload(const Caller& caller, std::size_t bytes) = 0;
  virtual void preview_import(Caller caller, ImportUpload upload, Callback<ImportAnswer> done) = 0;
  virtual void commit_import(Caller caller, JobId id, ImportCommit commit, bool wait, Callback<ImportAnswer> done) = 0;
  virtual void cancel_import(const Caller& caller, JobId id, ClientKey client, Callback<ImportAnswer> done) = 0;
  virtual void undo_import(Caller caller, JobId id, ClientKey client, bool wait, Callback<ImportAnswer> done) = 0;
  virtual void import_rejects(Caller caller, JobId id, Callback<std::string> done) = 0;  // CSV
  virtual Result<ImportAnswer> import(const Caller& caller, JobId id) = 0;
  virtual Result<std::vector<ImportAnswer>> imports(const Caller& caller, std::optional<JobId> before,
                                                    std::size_t limit) = 0;

  // Without personal data: answered at once, on the caller's thread. A refusal is still an event (written, not waited
  // for).
  virtual Status may(const Caller& caller, decide::Action action) = 0;
  virtual Result<ErasureAnswer> erasure(const Caller& caller, ErasureId id) = 0;
  virtual Result<std::vector<ErasureAnswer>> erasures(const Caller& caller, std::optional<ErasureId> after,
                                                      std::size_t limit) = 0;
  virtual Result<CertificateAnswer> certificate(const Caller& caller, ErasureId id) = 0;
  virtual Result<std::vector<EventLine>> events(const Caller& caller, Seq from, std::size_t limit) = 0;
  virtual Result<InclusionAnswer> inclusion(const Caller& caller, Seq index, TreeSize size) = 0;
  virtual Result<ConsistencyAnswer> consistency(const Caller& caller, TreeSize from, TreeSize to) = 0;
  virtual Result<std::string> checkpoint(const Caller& caller) = 0;
  // What must be told of the events that the read models show: the projector's Options.
  virtual views::Follower& follower() = 0;
  [[nodiscard]] virtual LedgerId ledger_id() const = 0;
  [[nodiscard]] virtual TreeSize position() const = 0;  // what the read models show
  virtual StatusAnswer status() = 0;
  virtual Counters counters() = 0;

  // Siegel-At-Least: runs `then` once the read models show that position, or with an error (position_not_reached,
  // other_ledger).
  virtual void at_least(const Position& position, std::chrono::milliseconds wait, std::function<void(Status)> then) = 0;
};

std::string_view name_of(std::uint16_t ground);  // erasure ground number -> "art17-1-b"; 0: unknown
std::optional<std::uint16_t> parse_erasure_ground(std::string_view text);

}  // namespace siegel::service
