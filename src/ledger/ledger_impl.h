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
  std::size_t queued() const override;
  Status adopt_lock_record() override;

  Result<StoredEvent> read(Seq seq) const override;
  Result<std::unique_ptr<EventCursor>> cursor(Seq from) const override;
  Result<Hash> root(TreeSize size) const override;
  Result<Hash> leaf(Seq seq) const override;
  Result<std::vector<Hash>> inclusion(Seq index, TreeSize size) const override;
  Result<std::vector<Hash>> consistency(TreeSize from, TreeSize to) const override;
  Result<std::optional<Bytes>> tile(unsigned level, std::uint64_t index, unsigned width) const override;
  Result<std::string> checkpoint_at(TreeSize size) const override;
  Counters counters() const override;

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
  struct Totals {
    std::atomic<std::uint64_t> groups{0}, events{0}, signatures{0}, node_hashes{0}, sync_ns_total{0}, sync_ns_max{0};
  };

  // writer.cc, writer thread
  void run();
  void write_groups(std::vector<std::unique_ptr<Command>> commands);
  Result<TimeMs> next_time();
  void decide(std::unique_ptr<Command> command, const Moment& at, std::vector<Decided>& group);
  Status write_group();
  void fill_batch();
  Head head_after() const;
  Status write_synced();
  Status sign_and_publish(Head head);
  void answer(std::vector<Decided>& group);
  Committed committed(const Decided& decided) const;
  void hand_on();
  void stop_writing(const Error& cause);
  void refuse(Command& command) const;

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
  Head head_;
  TreeWriter tree_;
  TreeSize noted_in_store_;  // size of the note in kCheckpoints
  bool note_in_store_ = false;
  Batch batch_;
  GroupBuilder group_;

  std::thread writer_;
  std::once_flag closed_;
};

}  // namespace siegel::ledger
