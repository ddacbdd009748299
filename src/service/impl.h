// Inside the service: what its commands share. Not for doors.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>

#include "base/guarded.h"
#include "crypto/hmac.h"
#include "decide/identity.h"
#include "decide/merges.h"
#include "decide/state.h"
#include "service/search_feed.h"
#include "service/service.h"

namespace siegel::service {

class Imports;
class Task;

using OwnerSnapshot = decide::Snapshot<decide::OwnerEntry>;
using RecordSnapshot = decide::Snapshot<decide::RecordEntry>;

// An erasure on its way from the fence to its certificate.
struct OpenErasure {
  ErasureId id;
  std::vector<SubjectId> subjects;  // one for each fence; none: leaves that no request of this ledger names
  std::vector<vault::Fence> fences;
  std::vector<RecordId> records;  // that the notices name; none once the search index has forgotten them
  bool now = false;
  TimeMs requested_at;
  Written written;         // what the request's answer was
  Callback<Written> done;  // null: nobody waits (any more)
};

class Impl final : public Service {
 public:
  Impl(ledger::Ledger& ledger, vault::Vault& vault, views::Views& views, Executor& executor, Clock& clock,
       Random& random, const Options& options);
  ~Impl() override;

  Status start() override;
  void stop() override;
  Result<ledger::SystemReceipt> begin_job(JobFacts::Kind kind) override;
  void end_job(JobFacts::Kind kind, std::uint64_t count) override;
  Status configured(std::vector<std::pair<std::string, std::string>> settings) override;
  Result<Written> create_local_token(TokenGrant grant) override;
  Result<Caller> authenticate(std::string_view token) override;
  std::shared_ptr<const Registries> registries() override { return state.registries(); }
  void write(Caller caller, Write command, WriteOptions options, Callback<Written> done) override;
  void read_record(Caller caller, RecordId id, Callback<RecordAnswer> done) override;
  void list_records(Caller caller, ListQuery query, Callback<ListAnswer> done) override;
  void search(Caller caller, SearchQuery query, Callback<ListAnswer> done) override;
  void search_subjects(Caller caller, SearchQuery query, Callback<SubjectsAnswer> done) override;
  void export_records(Caller caller, ExportQuery query, Callback<ExportAnswer> done) override;
  void record_history(Caller caller, RecordId id, std::optional<Seq> after, std::size_t limit,
                      Callback<HistoryAnswer> done) override;
  void subject_history(Caller caller, SubjectId id, std::optional<Seq> after, std::size_t limit,
                       Callback<HistoryAnswer> done) override;
  void read_subject(Caller caller, SubjectId id, Callback<SubjectAnswer> done) override;
  void export_subject(Caller caller, SubjectId id, Callback<SubjectAnswer> done) override;
  Result<std::shared_ptr<const void>> admit_upload(const Caller& caller, std::size_t bytes) override;
  void preview_import(Caller caller, ImportUpload upload, Callback<ImportAnswer> done) override;
  void commit_import(Caller caller, JobId id, ImportCommit commit, bool wait, Callback<ImportAnswer> done) override;
  void cancel_import(const Caller& caller, JobId id, ClientKey client, Callback<ImportAnswer> done) override;
  void undo_import(Caller caller, JobId id, ClientKey client, bool wait, Callback<ImportAnswer> done) override;
  void import_rejects(Caller caller, JobId id, Callback<std::string> done) override;
  Result<ImportAnswer> import(const Caller& caller, JobId id) override;
  Result<std::vector<ImportAnswer>> imports(const Caller& caller, std::optional<JobId> before,
                                            std::size_t limit) override;
  Status may(const Caller& caller, decide::Action action) override { return may(caller, action, {}); }
  Status may(const Caller& caller, decide::Action action, std::string_view type);
  Result<ErasureAnswer> erasure(const Caller& caller, ErasureId id) override;
  Result<std::vector<ErasureAnswer>> erasures(const Caller& caller, std::optional<ErasureId> after,
                                              std::size_t limit) override;
  Result<CertificateAnswer> certificate(const Caller& caller, ErasureId id) override;
  Result<std::vector<EventLine>> events(const Caller& caller, Seq from, std::size_t limit) override;
  Result<InclusionAnswer> inclusion(const Caller& caller, Seq index, TreeSize size) override;
  Result<ConsistencyAnswer> consistency(const Caller& caller, TreeSize from, TreeSize to) override;
  Result<std::string> checkpoint(const Caller& caller) override;
  views::Follower& follower() override { return search_feed; }
  LedgerId ledger_id() const override { return options.id; }
  TreeSize position() const override { return views.position(); }
  StatusAnswer status() override;
  Counters counters() override;
  void at_least(const Position& position, std::chrono::milliseconds wait, std::function<void(Status)> then) override;

  // ── for tasks: prepare.cc ──
  // The leaf under which part 0 of a token's events is sealed this month.
  Result<Slot> actor_leaf(const TokenId& token);
  // Of the ledger itself, one per class and process; one of an earlier process while a replica of the keys is away, so
  // that a start and all that needs no leaf of its own go on.
  Result<Slot> ledger_leaf(ClassNo cls);
  // What the views say of an owner or record, unless the decision state knows better.
  Result<std::optional<OwnerSnapshot>> snapshot(const OwnerId& owner);
  Result<std::optional<RecordSnapshot>> snapshot(const RecordId& record);
  // Newest of both: for choosing leaves ahead of the writer. Without a snapshot where the state forgets the owner
  // meanwhile, it takes one.
  Result<decide::OwnerEntry> look(const OwnerId& owner, std::optional<OwnerSnapshot>& snapshot);
  Result<std::optional<decide::RecordEntry>> look(const RecordId& record, std::optional<RecordSnapshot>& snapshot);
  // What a record event says in those of its parts that are wanted and still open.
  using Wanted = std::function<bool(std::uint16_t part, const StoredPart& stored)>;
  Result<std::vector<RecordBody>> open_event(const ledger::SystemReceipt& receipt, const Header& header,
                                             ByteView stored, const Wanted& wanted);
  // Leaf of the class to seal under: the owner's newest, or a fresh one.
  Result<Slot> leaf_for(const decide::OwnerEntry& owner, ClassNo cls);
  // A draft with its actor's part.
  Result<ledger::Draft> draft(EventType type, const Caller& caller, const decide::Permit& permit);
  Result<ledger::Draft> system_draft(EventType type);
  Status add_part(ledger::Draft& draft, Slot slot, ClassNo cls, const OwnerId& owner, ByteView body);
  void add_trace(ledger::Draft& draft, Slot slot, const OwnerId& owner);
  // How many an event that has none yet can take.
  [[nodiscard]] std::size_t traces_left(const ledger::Draft& draft) const;
  [[nodiscard]] bool fits(const ledger::Draft& draft) const;  // into an event, with what it has
  // bytes_max of the parts: options.event_bytes_max if none.
  Status encode_ahead(ledger::Draft& draft, std::optional<std::size_t> bytes_max = {});

  // ── for tasks, on the writer with the state locked ──
  enum class Placed : std::uint8_t { yes, again, erased };
  // Whether all parts may go where they are sealed. Gives nothing yet: what can still fail comes between it and
  // number().
  struct Places {
    Placed outcome = Placed::again;
    std::map<OwnerId, decide::OwnerEntry*> entries;  // of all owners, if `yes`
  };
  Places look_for_places(const std::vector<ledger::Draft>& drafts,
                         const std::map<OwnerId, std::optional<OwnerSnapshot>>& owners,
                         const std::optional<SubjectId>& fresh);
  // Gives the parts their running numbers. They have no gap (keys.md 3): it is for parts that are written for certain.
  void number(std::vector<ledger::Draft>& drafts, const ledger::Moment& at, const Places& places);
  // Both, for commands that nothing can stop any more.
  Placed place(std::vector<ledger::Draft>& drafts, const ledger::Moment& at,
               const std::map<OwnerId, std::optional<OwnerSnapshot>>& owners, const std::optional<SubjectId>& fresh);

  void submit(const std::shared_ptr<Task>& task);
  void refuse(const Caller& caller, const Error& error, EventType requested, std::function<void(Error)> then);

  // ── identity ──
  // What a subject's records and links lose with these leaves (ascending); opened under the index's own receipt.
  struct LostIdentities {
    std::vector<decide::IdentityKey> known;  // to the index: once for each record or link that carries it
    std::vector<RecordId> given, replaced;   // by an import that is under way: whose new one, or one of before, goes
  };
  Result<LostIdentities> identities_of(const SubjectId& subject, const std::vector<Slot>& dying);
  // Each that the person's records ever had by values under these leaves (ascending), removed records too: by the
  // events.
  Result<std::vector<decide::IdentityKey>> identities_ever(const SubjectId& subject, const std::vector<Slot>& dying);
  // What the index knows a record by: all its values.
  Result<Values> current_values(const RecordId& record, const TypeDefinition& type, TypeNo number);
  // Of the row at hand; without those under these leaves (ascending).
  Result<Values> open_sections(const RecordId& record, const TypeDefinition& type, TypeNo number,
                               const std::vector<views::Section>& sections, const std::vector<Slot>& without = {});

  // ── idempotency.cc ──
  struct IdempotencyClaim {
    Slot day;
    Hash mac{};
    Hash request{};
    // The same under a key of the process, whatever the day: what the writer knows a key by, so that two requests of
    // which one came before midnight and one after it are one.
    Hash pin{};
    Hash pinned_request{};
    std::int64_t today = 0;
    std::int64_t oldest = 0;  // day of the window: what was answered before is forgotten
    TreeSize looked_at;       // position of the views when nothing was found
  };
  // The stored answer, a conflict (idempotency_conflict), or a claim to store one.
  Result<std::variant<Written, IdempotencyClaim>> claim(const Caller& caller, const WriteOptions& options);
  // Under a key of the process: for what is known in memory only.
  [[nodiscard]] Hash pin(std::initializer_list<ByteView> pieces) const { return pins_(pieces); }
  Result<codec::IdempotencyRow> row_for(const IdempotencyClaim& claim, const Written& written);

  Result<std::shared_ptr<const void>> room_for_export(const TokenId& token);  // bulk_export.cc
  [[nodiscard]] Error not_reached() const;  // the read models do not show in time what they must

  // read_only.cc: for what writes more than looks at people.
  Status room_for_more() const;
  [[nodiscard]] static Error room_error();

  // ── eraser.cc ──
  void enqueue(OpenErasure erasure);
  void eraser_loop();
  // One epoch for what waits, after all earlier ones are told. False: something failed, try again later.
  bool carry_out();
  bool wait_for_window();
  void forget_in_search();  // keys.md 5, step 1
  std::vector<vault::Fence> next_batch();
  // Tells every epoch that is effective, in order (steps 5 and 6), and answers whoever waited for it.
  Status tell_untold();
  // Writes erasure.effective and waits until it is durable; more than one if it names more than requests_per_epoch_max.
  Status tell_effective(const vault::EpochChange& change);
  void answer_effective(const vault::EpochChange& change, const ledger::Committed& told);
  // The erasures stay open. Null: that they are requested is all there is to say.
  void answer_waiting(const Error* error);

  // ── terms.cc, on the eraser's thread ──
  Result<std::vector<vault::Fence>> past_term();
  Status end_now(std::span<const vault::Fence> fences);
  Status end_terms();

  // ── eraser.cc, at the start ──
  Status carry_on_erasures();
  Status carry_on(const views::Views::OpenRequest& request, std::optional<vault::Fence> fence);
  void carry_on(vault::Fence job);
  Status carry_on_lost(std::vector<vault::Fence> lost);
  Status carry_on_job(std::span<const vault::Fence> lost);
  Result<vault::Fence> fence_again(const views::Views::OpenRequest& request, const std::vector<std::uint32_t>& classes);

  // Of an erasure that was requested: its effect, once the read models show it.
  Status show_effect(Written& written);
  Result<CertifiedEvent> certified(const views::ErasureEffect& effect, TreeSize size);

  ledger::Ledger& ledger;
  vault::Vault& vault;
  views::Views& views;
  Executor& executor;
  Clock& clock;
  Random& random;
  const Options options;
  decide::State state;
  decide::Merges merges;
  decide::IdentityIndex identity;
  decide::ErasedIdentities erased_identities;
  SearchFeed search_feed;
  using ExportsRunning = Guarded<std::map<TokenId, std::size_t>>;  // by token; none has zero
  const std::shared_ptr<ExportsRunning> exports_running = std::make_shared<ExportsRunning>();

 private:
  friend class Task;
  using OpenRow = std::function<Result<SecretBytes>(const views::Views::RegistryRow&)>;
  Status await_views(TreeSize size);
  Status load_registries(const OpenRow& open);
  // read_only.cc
  Status start_read_only();
  Status add_newer_registries(const ledger::RegistryReceipt& receipt);
  [[nodiscard]] Error read_only_error() const;
  [[nodiscard]] std::vector<ledger::Reason> read_only() const override;
  Status load_days();
  Result<Slot> earlier_leaf(ClassNo cls, const Error& why);
  Result<decide::OwnerEntry> own_leaves_at_start(const OwnerSnapshot& shown);
  bool died_unseen(const decide::OwnerEntry& owner, const decide::LeafEntry& leaf);
  void evict();
  bool tells_expiry(const TokenId& token);  // true: this refusal of an expired token becomes an event
  void load_identities();
  void watch_clock();

  struct ActorLeaf {
    std::int64_t month = 0;
    Slot slot;
  };
  struct IdHash16 {
    std::size_t operator()(const Id16& id) const noexcept {
      return static_cast<std::size_t>(get_be<std::uint64_t>(id.data() + 8));
    }
  };
  Guarded<std::unordered_map<Id16, ActorLeaf, IdHash16>> actor_leaves_;
  Guarded<std::map<ClassNo, Slot>> ledger_leaves_;
  Guarded<std::map<Id16, std::chrono::nanoseconds>> expiry_told_;  // by token, when last
  struct DayKey {
    std::int64_t day = 0;
    Slot slot;
  };
  Guarded<std::vector<DayKey>> day_keys_;
  const HmacKey pins_;
  Result<std::vector<DayKey>> living_days();

  std::unique_ptr<Imports> imports_;                      // null until started, and while read-only
  std::shared_ptr<ledger::SystemReceipt> index_receipt_;  // job identity_index, for its whole life
  std::thread loader_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> commands_{0};
  std::atomic<bool> started_{false};
  bool read_only_ = false;  // from the start: the ledger takes no events, and there is no projector

  struct EraserState {
    std::deque<OpenErasure> queue;  // until their epoch is told; oldest first
    bool stop = false;
    ErasureFailure failure, terms_failure;  // Counters::erasure_failure
  };
  static bool has_to_forget(const EraserState& e);
  void note_failure(ErasureFailure EraserState::*of, const Status& outcome);
  Guarded<EraserState> eraser_;
  std::thread eraser_thread_;
  std::thread clock_thread_;
  Guarded<bool> clock_stop_{false};
};

// One command: prepared on a worker, decided on the writer, answered. Shared because it may be prepared again.
class Task : public std::enable_shared_from_this<Task> {
 public:
  Task(Impl& service, Caller who) : s(service), caller(std::move(who)) {}
  virtual ~Task() = default;
  void run();

 protected:
  struct Again {};
  using Decision = std::variant<std::vector<ledger::Draft>, Error, Again>;

  virtual Status prepare() = 0;                               // worker
  virtual Decision decide(const ledger::Moment& at) = 0;      // writer; the state is locked
  virtual void committed(ledger::Committed&& committed) = 0;  // writer
  virtual void failed(const Error& error) = 0;                // any thread
  [[nodiscard]] virtual EventType wanted() const = 0;         // for refusals
  virtual std::optional<codec::IdempotencyRow> idempotency(const ledger::Moment&, std::size_t /*events*/) { return {}; }
  // True: prepare only after the views show everything that was durable when the command came.
  [[nodiscard]] virtual bool needs_fresh_views() const { return false; }
  [[nodiscard]] virtual std::size_t events() const { return 1; }

  // Checks the permit again with the registries of this moment; the type must not have changed since prepare().
  std::optional<Decision> still_permitted(const ledger::Moment& at);
  // Again, but without hurry, and it does not count: another command has its turn.
  Again let_pass() {
    lets_pass_ = true;
    return {};
  }
  [[nodiscard]] bool overtaken_often() const;
  // Impl::place() for all drafts; what the command ends with if it may not go on.
  std::optional<Decision> place(const ledger::Moment& at, const std::optional<SubjectId>& fresh_subject = {});
  decide::Use use(decide::Action what) const {
    return {what, caller.token, caller.purpose, type_name, fields(), type_may_be_new};
  }
  // Named fields mean something with a record type only: a record that is not there has none (404 or 410, not 400).
  [[nodiscard]] std::vector<std::string_view> fields() const {
    if (type_name.empty()) return {};
    return {named_fields.begin(), named_fields.end()};
  }
  // failed(), but "erased" names its erasure as soon as the views know it.
  void fail(const Error& error);
  Status permit_now(decide::Action what);  // fills registries, permit; remembers the action

  Impl& s;
  Caller caller;
  std::string type_name;
  bool type_may_be_new = false;
  std::vector<std::string> named_fields;
  std::shared_ptr<const Registries> registries;
  decide::Permit permit;
  decide::Action action{};
  std::map<OwnerId, std::optional<OwnerSnapshot>> owners;  // of all parts, gathered in prepare()
  std::optional<SubjectId> fresh;                          // drawn by this command: nothing can be known of it
  std::optional<Id16> about;                               // record or subject that an erasure would have named
  std::optional<OfImport> of_import;                       // whose events these are
  // Not there yet for anybody but the import that adds it.
  [[nodiscard]] bool hidden(const decide::RecordEntry& record) const {
    return !record.there_before && s.state.held(record) && !(of_import && record.import == of_import->id);
  }
  // The living record a command or read is about, and the permit for its type; else why not: gone "erased", not_found.
  Status find_record(const RecordId& id, decide::Action what);
  Status find_subject(const SubjectId& id);           // known and living; else gone "erased", not_found
  Status know(const OwnerId& owner);                  // adds its snapshot to `owners`
  void rely_on(KeysMark mark) { keys_mark_ = mark; }  // a key batch that decide() wrote
  std::vector<ledger::Draft> drafts;
  // By find_record():
  decide::RecordEntry record_entry;
  OwnerId record_owner;  // whom its parts belong to: the subject, or the type
  std::optional<RecordSnapshot> record_seen;

 private:
  friend class Submitted;
  friend class Impl;
  void again();
  unsigned attempts_ = 0;
  bool waited_ = false;
  KeysMark keys_mark_;
  std::optional<Error> refused_;
  bool again_ = false;
  bool lets_pass_ = false;
};

// A write: its answer is stored under the client's key.
class WriteTask : public Task {
 public:
  WriteTask(Impl& service, Caller who, WriteOptions write_options, Callback<Written> then)
      : Task(service, std::move(who)), options(std::move(write_options)), done(std::move(then)) {}

 protected:
  Status prepare() final;
  virtual Status prepare_write() = 0;
  Decision decide(const ledger::Moment& at) final;
  virtual Decision decide_write(const ledger::Moment& at) = 0;  // fills `written` (but hashes)
  void committed(ledger::Committed&& committed) override;
  void failed(const Error& error) override {
    if (done) done(Error(error));
  }
  std::optional<codec::IdempotencyRow> idempotency(const ledger::Moment& at, std::size_t events) final;
  // The answer is kept when its command is decided; what was waited for before it was given is put in again here.
  virtual Status complete(Written&) { return Done{}; }
  [[nodiscard]] bool is_replay() const noexcept { return replay_.has_value(); }

  WriteOptions options;
  Callback<Written> done;
  Written written;

 private:
  std::optional<Impl::IdempotencyClaim> claim_;
  std::optional<Written> replay_;
};

std::shared_ptr<Task> make_add_record(Impl& s, Caller caller, AddRecord command, WriteOptions options,
                                      Callback<Written> done);
std::shared_ptr<Task> make_change_record(Impl& s, Caller caller, ChangeRecord command, WriteOptions options,
                                         Callback<Written> done);
std::shared_ptr<Task> make_remove_record(Impl& s, Caller caller, RemoveRecord command, WriteOptions options,
                                         Callback<Written> done);
// What a token may carry: names that are registered, an end that is to come. 422 schema_invalid with its pointer.
Status check_grant(const TokenGrant& grant, const Registries& registries, TimeMs now);
std::shared_ptr<Task> make_set(Impl& s, Caller caller, Write command, WriteOptions options, Callback<Written> done);
std::shared_ptr<Task> make_merge(Impl& s, Caller caller, MergeSubjects command, WriteOptions options,
                                 Callback<Written> done);
std::shared_ptr<Task> make_erasure(Impl& s, Caller caller, RequestErasure command, WriteOptions options,
                                   Callback<Written> done);

// What an import compares its rows with, and who is told of besides.
struct Compared {
  std::vector<RecordId> records;
  std::vector<SubjectId> people;
};
std::shared_ptr<Task> make_compare(Impl& s, Caller caller, std::string type, std::vector<std::string> fields,
                                   Compared compared, Callback<std::vector<ShownRecord>> done);
// import.begun, finished, cancelled, undone: import_events.cc.
struct ImportEvent {
  EventType type = EventType::import_begun;
  JobId import;
  std::string record_type;
  ImportFacts facts;
  bool by_system = false;  // broken off: the process that began it is gone, or stops
  ClientKey client{};      // what this event answers
  // Of the commit: an end stands for it, whoever caused it.
  PurposeNo purpose{};
  LegalGround ground = LegalGround::none;
};
std::shared_ptr<Task> make_import_event(Impl& s, Caller caller, ImportEvent event, Callback<Written> done);
// A system event without anybody behind it but the ledger itself.
std::shared_ptr<Task> make_system(Impl& s, EventType type, Facts facts, Bytes body, ClassNo cls,
                                  std::function<void(Result<ledger::Committed>)> done);
// Several, an event for each of the facts: all of them or none.
std::shared_ptr<Task> make_system(Impl& s, EventType type, std::vector<Facts> facts,
                                  std::function<void(Result<ledger::Committed>)> done);

Error erased_error(const std::optional<ErasureId>& erasure = {});
// certificate.cc: what the ledger says of an erasure, in words and in all that an offline check needs.
// For certain: a leaf whose key cannot be read is not living() either.
bool is_dead(vault::Vault& vault, Slot slot);
std::string_view unencrypted_swap();
std::string certificate_text(const CertificateAnswer& certificate, const std::string& origin, const Hash& root);

Bytes encode(const Written& written);  // answers.cc: the stored result
Result<Written> decode_written(ByteView bytes);

}  // namespace siegel::service
