// What tests of the ledger need: a clock by hand, a counting signer, commands that wait for their answer, made-up
// events.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "ledger/ledger.h"
#include "proof/note_key.h"
#include "store/store.h"
#include "support/seeded_random.h"

namespace siegel::test {

class HandClock final : public Clock {
 public:
  explicit HandClock(std::uint64_t ms = 1'790'000'000'000) : ms_(ms) {}
  TimeMs now() override { return TimeMs(ms_.load()); }
  std::chrono::nanoseconds steady() override { return std::chrono::milliseconds(ms_.load()); }
  void set(std::uint64_t ms) { ms_ = ms; }
  void advance(std::uint64_t ms) { ms_ += ms; }

 private:
  std::atomic<std::uint64_t> ms_;
};

// Lends a store to a ledger, so that it stays when the ledger goes.
class LentStore final : public Store {
 public:
  explicit LentStore(Store& store) : store_(store) {}
  Status write(const Batch& batch, Sync sync) override {
    if (before_write) SIEGEL_CHECK(before_write(batch, sync));
    return store_.write(batch, sync);
  }
  Result<std::optional<Pinned>> get_pinned(Family family, ByteView key, const Snapshot* snapshot) override {
    return store_.get_pinned(family, key, snapshot);
  }
  std::unique_ptr<Snapshot> snapshot() override { return store_.snapshot(); }
  std::unique_ptr<Cursor> cursor(Family family, const CursorOptions& options) override {
    return store_.cursor(family, options);
  }
  Status flush() override { return store_.flush(); }
  Status compact(Family family) override { return store_.compact(family); }
  Status checkpoint(const std::filesystem::path& dir) override { return store_.checkpoint(dir); }
  Status resume() override { return store_.resume(); }
  Status catch_up() override { return store_.catch_up(); }
  StoreStats stats() override { return store_.stats(); }
  std::uint64_t rows_estimate(Family family) override { return store_.rows_estimate(family); }

  std::function<Status(const Batch&, Sync)> before_write;

 private:
  Store& store_;
};

// Every root that was ever signed, by size: outlives the ledgers that sign, so that crashes lie between.
class SignedHeads {
 public:
  void add(const ledger::TreeHead& head);
  [[nodiscard]] bool forked() const;  // some size was signed with two roots
  [[nodiscard]] std::size_t signatures() const;
  [[nodiscard]] std::optional<Hash> root_of(std::uint64_t size) const;

 private:
  struct State {
    std::map<std::uint64_t, Hash> roots;
    std::size_t signatures = 0;
    bool forked = false;
  };
  Guarded<State> state_;
};

class CountingSigner final : public ledger::Signer {
 public:
  explicit CountingSigner(std::string origin, SignedHeads* heads = nullptr);
  Result<std::string> sign(const ledger::TreeHead& head) override;
  Result<std::string> sign_text(std::string_view text) override;
  [[nodiscard]] std::string verifier_key() const override;
  [[nodiscard]] VerifierKey verifier() const { return signer_.verifier(); }

  std::function<Status()> before;  // may fail or crash

 private:
  std::string origin_;
  NoteSigner signer_;
  SignedHeads* heads_;
};

// A made-up event; `parts` of `bytes` random ciphertext each, part 0 among them.
struct DraftOptions {
  EventType type = EventType::record_added;
  Facts facts = NoFacts{};
  std::size_t parts = 2;
  std::size_t bytes = 40;
  bool prepared = false;
};
ledger::Draft make_draft(SeededRandom& random, const DraftOptions& options = {});
codec::IdempotencyRow make_idempotency(SeededRandom& random);

// A command whose verdict is given, and whose answer is waited for.
class TestCommand final : public ledger::Command {
 public:
  using Finish = std::function<ledger::Verdict(const ledger::Moment&)>;
  using Answer = std::promise<Result<ledger::Committed>>;

  TestCommand(Finish finish, Answer answer) : finish_(std::move(finish)), answer_(std::move(answer)) {}
  ledger::Verdict finish(const ledger::Moment& at) override { return finish_(at); }
  void done(Result<ledger::Committed> outcome) noexcept override { answer_.set_value(std::move(outcome)); }
  [[nodiscard]] KeysMark keys_mark() const override { return mark; }
  [[nodiscard]] std::size_t events() const override { return estimate; }

  KeysMark mark;
  std::size_t estimate = 1;

 private:
  Finish finish_;
  Answer answer_;
};

using Pending = std::future<Result<ledger::Committed>>;
struct SubmitOptions {
  std::uint64_t mark = 1;
  std::size_t estimate = 1;
};
Pending submit(ledger::Ledger& ledger, TestCommand::Finish finish, const SubmitOptions& options = {});
Pending submit(ledger::Ledger& ledger, std::vector<ledger::Draft> drafts, const SubmitOptions& options = {});
// `count` events, each a command of its own, one after the other. The last answer.
Result<ledger::Committed> append_each(ledger::Ledger& ledger, SeededRandom& random, std::size_t count);
// One command of `count` events.
Result<ledger::Committed> append_bulk(ledger::Ledger& ledger, SeededRandom& random, std::size_t count,
                                      const DraftOptions& options = {});

inline constexpr const char* kOrigin = "ledger.example/test";
LedgerId test_ledger_id();
ledger::Options test_options(Files& files, std::string lock_record_path = "/outside/head");

// Recomputes the tree from all events read, checks each event's parts against its header, sequence and time, and the
// checkpoint against the root. Empty: all good; else what is wrong.
std::string audit(const ledger::Ledger& ledger, const VerifierKey& key);

}  // namespace siegel::test
