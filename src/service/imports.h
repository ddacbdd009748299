// The life of an import: a file in memory, compared with what is stored; then its rows as commands of their own, which
// show all at once when it is finished; then, if somebody wants, taken back.
//
//   upload ─▶ previewed ─▶ committing ─▶ finished ─▶ undoing ─▶ undone
//                 └▶ expired     └▶ cancelled, failed
//
// Before import.begun nothing is stored: file, samples, failures and differences live in memory only, bounded in number
// and bytes, and go when their time is over; samples are wiped when the preview ends. Every row is one command, some
// thousands in flight; nobody else changes what an import under way has changed. What broke off is cancelled at the
// next start: its file is gone, so it cannot go on. Threads: calls from any thread; one thread reads files, another one
// carries out commits and undos, one by one.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "service/impl.h"
#include "service/import_plan.h"

namespace siegel::service {

// One thread and what waits for it.
class Lane {
 public:
  Lane() : thread_([this] { run(); }) {}
  ~Lane() { stop(); }
  bool post(std::function<void()> work);  // false: too much waits
  void stop();                            // what waits is still done

 private:
  static constexpr std::size_t kWaitingMax = 64;
  struct State {
    std::deque<std::function<void()>> work;
    bool stop = false;
  };
  void run();
  Guarded<State> state_;
  std::thread thread_;
};

// Bytes of a file, wiped when they go.
class UploadBytes {
 public:
  explicit UploadBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  ~UploadBytes();
  UploadBytes(const UploadBytes&) = delete;
  UploadBytes& operator=(const UploadBytes&) = delete;
  [[nodiscard]] ByteView view() const { return as_bytes(bytes_); }

 private:
  std::string bytes_;
};

// Rows that fail though their cells are right, with the code of what speaks against them. A file of a million rows may
// have as many: eight bytes for each.
class FailedRows {
 public:
  void add(std::uint64_t row, std::string_view code);
  void sort();                                                     // once all are in
  [[nodiscard]] const std::string* find(std::uint64_t row) const;  // sorted
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::size_t bytes() const { return rows_.capacity() * sizeof(rows_[0]); }

 private:
  std::vector<std::pair<std::uint32_t, std::uint8_t>> rows_;
  std::vector<std::string> codes_;
};

// One import as long as it is in memory.
struct ImportInMemory {
  enum class State : std::uint8_t { previewed, committing, finished, cancelled, failed, undoing, undone };
  ImportInMemory() = default;
  ~ImportInMemory();
  ImportInMemory(const ImportInMemory&) = delete;
  ImportInMemory& operator=(const ImportInMemory&) = delete;

  // Set once.
  JobId id;
  TokenId token;
  ImportUpload upload;     // without the bytes
  bool with_file = false;  // else only its undo is known here
  sheet::TableInfo info;
  sheet::TableGuess guess;  // without samples
  ColumnWishes wishes;
  TimeMs at;
  std::shared_ptr<const decide::ErasedIdentities::Watch> watch;  // since the file came
  std::optional<Hash> key, request;  // of the upload: pins of the client's key and of all that was sent

  struct Progress {
    State state = State::previewed;
    TimeMs expires_at;
    std::string type;
    ImportCounts counts;
    std::vector<ColumnSamples> samples;  // by column, until the preview ends
    std::optional<ImportCommit> commit;
    std::map<std::string, FieldType> types_tried;  // by the commit that was refused last
    std::string type_made;                         // by a commit that did not get further
    FailedRows failed_rows;
    // Where rows are matched by values: the record that a row of the preview was about.
    std::unordered_map<decide::IdentityKey, RecordId, IdHash> met;
    std::shared_ptr<const UploadBytes> bytes;  // none: not needed any more, or gave way to another file
    std::optional<ImportCounts> undone;
    std::vector<ImportKept> kept;
    std::optional<Error> error;
    TreeSize position;
    std::vector<Callback<ImportAnswer>> waiting;  // for the end of what is under way
    bool runs = false;                            // a commit is taken up, no longer in the queue
    std::optional<Caller> cancelled_by;
    std::vector<Callback<ImportAnswer>> cancelling;  // wait until it has ended
    std::optional<TokenId> undone_by;                // who may see what was kept
  };
  Guarded<Progress> progress;
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> cancel{false};
};
using ImportPtr = std::shared_ptr<ImportInMemory>;
std::string_view name_of(ImportInMemory::State state) noexcept;

// What one row of a file would do, or why it cannot.
struct ImportOutcome {
  enum class Kind : std::uint8_t { added, changed, unchanged, failed } kind = Kind::failed;
  std::uint64_t row = 0;
  std::vector<NamedValue> values;             // to add, or those that differ
  std::optional<RecordId> record;             // changed
  RecordVersion version;                      // of it, as compared
  std::vector<ImportChange> changes;          // changed
  std::vector<ImportPlan::Failure> failures;  // failed
  bool by_match = false;                      // failed, though its cells are right
};

class Imports {
 public:
  explicit Imports(Impl& service) : s(service) {}
  ~Imports() { stop(); }

  Status start();  // what an earlier process left unfinished is cancelled
  void sweep();    // what has expired goes: every second, and before each look
  // Every second: an import whose end found no place in the ledger is told to be cancelled once there is one again.
  void tell_ends();
  // Whoever may not send a file, or has as many on their way as one token may have, gets no room for its bytes.
  Result<std::shared_ptr<const void>> admit(const Caller& caller, std::size_t bytes);
  void stop();  // what is under way is cancelled

  void preview(const Caller& caller, ImportUpload upload, const Callback<ImportAnswer>& done);
  void commit(const Caller& caller, const JobId& id, ImportCommit commit, bool wait,
              const Callback<ImportAnswer>& done);
  void cancel(const Caller& caller, const JobId& id, const ClientKey& client, const Callback<ImportAnswer>& done);
  void undo(const Caller& caller, const JobId& id, const ClientKey& client, bool wait,
            const Callback<ImportAnswer>& done);
  void rejects(const Caller& caller, const JobId& id, const Callback<std::string>& done);
  Result<ImportAnswer> get(const Caller& caller, const JobId& id);
  Result<std::vector<ImportAnswer>> list(const Caller& caller, const std::optional<JobId>& before, std::size_t limit);

 private:
  // ── imports.cc ──
  ImportPtr find(const JobId& id);
  Result<ImportPtr> find_own(const Caller& caller, const JobId& id);  // not_found, gone "expired"
  bool refused(const Caller& caller, const std::string& type, const std::vector<std::string>& fields,
               const std::function<void(Error)>& then);
  bool refused_new_type(const Caller& caller, const std::string& name, const std::function<void(Error)>& then);
  bool refused_use(const Caller& caller, const decide::Use& use, EventType requested,
                   const std::function<void(Error)>& then);
  using Watch = std::shared_ptr<const decide::ErasedIdentities::Watch>;
  Result<ImportPtr> read_file(const Caller& caller, ImportUpload upload, Watch watch);
  Result<ImportAnswer> make_preview(const Caller& caller, ImportUpload upload, Watch watch);
  Result<ImportAnswer> look(const Caller& caller, const ImportPtr& import);
  [[nodiscard]] TimeMs in_memory_until() const;
  struct Findings;
  ImportPtr find_upload(const Caller& caller, const Hash& key);
  // By a client's key that was used before: as then. Keys of commits and undos stand with import.begun and
  // import.undone.
  void answer_once(const Caller& caller, const JobId& id, const ClientKey& client, bool wait,
                   const Callback<ImportAnswer>& done, const std::function<void()>& otherwise);
  void answer_again(const Caller& caller, const JobId& id, bool wait, const Callback<ImportAnswer>& done);
  Result<std::unique_ptr<sheet::TableReader>> open(ImportInMemory& import) const;
  [[nodiscard]] sheet::TableOptions table_options(const ImportUpload& upload) const;
  ImportAnswer answer_of(ImportInMemory& import);                             // counts, for whoever may see the import
  ImportAnswer undo_answer_of(ImportInMemory& import, const Caller& caller);  // and what the caller's undo kept
  static std::string type_of(const ImportInMemory::Progress& progress);
  void answer_cancels(ImportInMemory& import);
  ImportAnswer answer_of(const JobId& id, const views::ImportRow& row);
  void add_columns(ImportInMemory& import, const ImportPlan& plan, bool is_there,
                   const std::vector<std::uint64_t>& cells, ImportPreview& preview) const;
  Result<std::string> make_rejects(const Caller& caller, ImportInMemory& import);

  // ── import_compare.cc, on the lanes ──
  struct Comparison {
    ImportInMemory& import;
    const Caller& caller;
    const ImportPlan& plan;
    bool is_there;  // the type
    bool trace_always = false;
    std::vector<std::uint64_t>* cells = nullptr;  // counted here, of each column
  };
  // Each row in the order of the file; stops at the first error, also of f.
  Status each_row(const Comparison& comparison, const std::function<Status(ImportOutcome&&)>& f);
  struct Row;  // of the file, with the records that it may be about
  struct Batch;
  Status match_by(const Comparison& comparison, Batch& batch) const;
  Status check_match(const Comparison& comparison) const;  // that rows can be matched as the caller wants
  ImportOutcome outcome_of(const Comparison& comparison, Row& row) const;
  Status finish_batch(const Comparison& comparison, Batch& batch, const std::function<Status(ImportOutcome&&)>& f);
  // Traces at all of them, also at people of whom no record is compared.
  Result<std::vector<ShownRecord>> compare(const Comparison& comparison, std::vector<RecordId> records,
                                           std::vector<SubjectId> people);
  // Who is erased since the file came, whatever else is wrong with the row.
  bool is_erased(const ImportInMemory& import, const ImportPlan& plan, const ImportPlan::Row& row) const;
  Result<std::vector<RecordId>> records_of_identity(TypeNo type, Row& row) const;
  Result<std::vector<RecordId>> records_of_values(TypeNo type, const Batch& batch, Row& row);
  Status find_records(const Comparison& comparison, Batch& batch);
  Result<std::size_t> compare_rows(const Comparison& comparison, Batch& batch, std::size_t begin);
  Status decide_same(const Comparison& comparison, Batch& batch, Row& row, std::map<RecordId, ShownRecord>& stored);
  Result<bool> is_gone(const TypeDefinition& matched, const RecordId& record) const;
  [[nodiscard]] std::optional<decide::IdentityKey> moves_to(const TypeDefinition& type, const Row& row) const;
  bool may_move(Batch& batch, Row& row, const decide::IdentityKey& key) const;
  Result<ImportPlan> plan_for(const ImportInMemory& import, const ImportCommit& commit, bool& is_there);
  // ── import_commit.cc, import_undo.cc ──
  struct CommitRun;
  struct UndoRun;
  void commit_once(const Caller& caller, const JobId& id, const ImportCommit& commit, bool wait,
                   const Callback<ImportAnswer>& done);
  void cancel_once(const Caller& caller, const JobId& id, const Callback<ImportAnswer>& done);
  void undo_once(const Caller& caller, const JobId& id, const ClientKey& client, bool wait,
                 const Callback<ImportAnswer>& done);
  static void forget_run(ImportInMemory& import, ImportInMemory::State state,
                         const Error& error);  // it could not begin
  void run_commit(const ImportPtr& import, const Caller& caller);
  Result<TreeSize> try_commit(const ImportPtr& import, const Caller& caller);
  void drop_unbegun(const ImportPtr& import);
  Status check_all(ImportInMemory& import, const ImportPlan& plan);
  Result<bool> check_type(ImportInMemory& import, const ImportCommit& commit);
  Status create_type(const Caller& caller, const TypeDefinition& type);
  void run_undo(const ImportPtr& import, const Caller& caller, const ClientKey& client);
  Result<TreeSize> try_undo(ImportInMemory& import, const Caller& caller, const ClientKey& client, ImportCounts& counts,
                            std::vector<ImportKept>& kept);
  Result<Written> tell(const Caller& caller, ImportEvent event);
  Status catch_up();
  void end(ImportInMemory& import, ImportInMemory::State state,
           const std::function<void(ImportInMemory::Progress&)>& f);
  Status cancel_broken_off();

  Impl& s;
  struct Kept {
    std::map<Id16, ImportPtr> imports;
    std::deque<Id16> expired;                     // the newest ones, to be told from unknown ones
    std::deque<std::pair<Hash, Id16>> cancelled;  // by pin of the client's key: the newest ones
  };
  // Files of imports that have ended go, the oldest first, until `held` and the wanted bytes fit.
  static std::vector<std::shared_ptr<const UploadBytes>> make_way(Kept& kept, std::size_t& held, std::size_t most);
  Guarded<Kept> kept_;
  // Files on their way and previews being made; outlives this where a connection still holds room.
  struct Reserved {
    struct OfToken {
      std::size_t files = 0, bytes = 0;
    };
    std::map<TokenId, OfToken> tokens;
    std::size_t files = 0, bytes = 0;
  };
  static std::optional<Error> reserve(const ImportLimits& limits, const TokenId& token, std::size_t bytes,
                                      Reserved::OfToken own, Reserved::OfToken held, Reserved& reserved);
  std::shared_ptr<Guarded<Reserved>> reserved_ = std::make_shared<Guarded<Reserved>>();
  std::unique_ptr<Lane> files_, runs_;
  std::atomic<bool> end_untold_{false};  // an import has ended here, and the ledger does not say so yet
  std::atomic<bool> stopping_{false};
};

}  // namespace siegel::service
