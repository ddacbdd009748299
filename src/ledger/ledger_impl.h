// Private to ledger: the object behind Ledger. ledger.cc opens, closes and knows the state; writer.cc is the writer
// thread; read.cc answers readers.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "base/guarded.h"
#include "ledger/group.h"
#include "ledger/lock_record.h"
#include "ledger/queue.h"
#include "ledger/recover.h"
#include "ledger/store_writer.h"
#include "store/file.h"

namespace siegel::ledger {

class LedgerImpl final : public Ledger {
 public:
  LedgerImpl(std::unique_ptr<Store> store, const Options& options, Signer& signer, Clock& clock, Seams seams);
  LedgerImpl(const LedgerImpl&) = delete;
  LedgerImpl& operator=(const LedgerImpl&) = delete;
  ~LedgerImpl() override { close(); }
  Status recover_state();

  Status start() override;
  void submit(std::unique_ptr<Command> command) override;
  void subscribe(Tail& tail) override;
  void close() override;

  TreeSize size() const override;
  std::string checkpoint() const override;
  KeysMark keys_mark() const override;
  Epoch epoch() const override;
  std::vector<Reason> read_only() const override;
  std::vector<Reason> doubts() const override;
  std::size_t queued() const override;
  Status adopt_lock_record() override;

  Result<StoredEvent> read(Seq seq) const override;
  Result<std::unique_ptr<EventCursor>> cursor(Seq from, std::uint64_t events_wanted) const override;
  Result<Hash> root(TreeSize size) const override;
  Result<Hash> leaf(Seq seq) const override;
  Result<std::vector<Hash>> inclusion(Seq index, TreeSize size) const override;
  Result<std::vector<Hash>> consistency(TreeSize from, TreeSize to) const override;
  Result<std::optional<Bytes>> tile(unsigned level, std::uint64_t index, unsigned width) const override;
  Result<std::string> checkpoint_at(TreeSize size) const override;
  Result<std::string> statement(std::string_view text) const override;
  Counters counters() const override;
  Status look() override { return store_->look(); }

 private:
  // What readers see: durable and, but for a ledger in doubt, signed. Replaced whole after each group.
  struct Published {
    TreeView tree;
    KeysMark keys_mark;
    Epoch epoch;
    Noted noted;
  };
  // Why nothing is written. The lock's reasons end by adoption, the writer's by opening again.
  struct Health {
    std::vector<Reason> of_lock;
    std::vector<Reason> of_writer;
    [[nodiscard]] bool good() const { return of_lock.empty() && of_writer.empty(); }
  };
  // A command whose events are in the group at hand.
  struct Decided {
    std::unique_ptr<Command> command;
    GroupBuilder::Added added;
    TreeSize size;
  };
  // A group from its first decision to its answers. Two take turns: while one is being written, the next is decided.
  struct Work {
    explicit Work(const Seams& seams) : events(seams) {}
    GroupBuilder events;
    std::vector<Decided> commands;
    Batch batch;
    Head head;      // after it
    TreeView tree;  // after it
    Hash root{};
  };
  struct Totals {
    std::atomic<std::uint64_t> groups{0}, events{0}, signatures{0}, node_hashes{0}, sync_ns_total{0}, sync_ns_max{0};
  };

  // writer.cc, writer thread
  void run();
  void write_groups(std::vector<std::unique_ptr<Command>> commands);
  Result<TimeMs> next_time();
  void decide(std::unique_ptr<Command> command, const Moment& at, Work& work);
  Status prepare(Work& work);
  void write(Work& work);
  bool finish_written();
  void finish(Work& work, const Written& written);
  Status publish_written(Work& work, const Written& written);
  void answer(Work& work);
  Committed committed(const Work& work, const Decided& decided) const;
  void hand_on(const Work& work);
  void stop_writing(const Error& cause);
  void refuse_all(Work& work);
  void refuse(Command& command) const;

  Status sign_tail(Published& first, Health& health);
  [[nodiscard]] bool in_doubt() const;  // about the lock record: another ledger of these sizes may have been signed
  Error read_only_error() const;
  Result<std::string> sign(TreeSize size, const Hash& root) const;
  std::shared_ptr<const Published> now() const;
  void publish(Published next);

  const std::unique_ptr<Store> store_;
  const Options options_;
  Signer& signer_;
  Clock& clock_;
  const Seams seams_;
  SystemFiles system_files_;
  LockRecord lock_record_;
  CommandQueue queue_;
  std::vector<Tail*> tails_;

  Guarded<std::shared_ptr<const Published>> published_;
  Guarded<Health> health_;
  std::atomic<bool> writable_{false};
  mutable Totals totals_;

  // Of the writer thread, once it runs.
  Head head_;  // after the newest group that was prepared
  TreeWriter tree_;
  TreeView newest_tree_;     // the same, as readers will see it
  TreeSize noted_in_store_;  // size of the note in kCheckpoints
  bool note_in_store_ = false;
  Work works_[2];
  unsigned turn_ = 0;
  Work* being_written_ = nullptr;
  StoreWriter store_writer_;

  std::thread writer_;
  std::once_flag closed_;
};

}  // namespace siegel::ledger
