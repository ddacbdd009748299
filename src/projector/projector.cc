#include "projector/projector.h"

#include <atomic>
#include <thread>

#include "crypto/memory.h"
#include "projector/ahead.h"
#include "projector/digests.h"
#include "projector/folder.h"
#include "projector/idempotency_sweep.h"
#include "projector/source.h"

namespace siegel::projector {

namespace {

constexpr std::chrono::milliseconds kIdle{20};
constexpr std::chrono::milliseconds kRetry{1000};
// From so many events on it pays to open the next chunk while this one is folded.
constexpr std::size_t kAheadEventsMin = 256;
constexpr std::size_t kSweepRows = 10'000;

bool passes(const Error& error) { return error.category() == Errc::unavailable; }

// Takes chunks, one ahead where there is a lot to do.
class Feed {
 public:
  Feed(Source& source, Keys& keys) : source_(source), keys_(keys) {}
  ~Feed() { ahead_.wait(); }

  Result<Chunk> take() {
    ahead_.wait();
    if (!next_) return source_.take(keys_);
    auto chunk = std::move(*next_);
    next_.reset();
    return chunk;
  }
  void go_ahead() {
    ahead_.begin([this] { next_.emplace(source_.take(keys_)); });
  }
  void seek(TreeSize next) {
    ahead_.wait();
    next_.reset();
    source_.seek(next);
  }

 private:
  Source& source_;
  Keys& keys_;
  std::optional<Result<Chunk>> next_;
  Ahead ahead_;
};

class ProjectorImpl final : public Projector {
 public:
  ProjectorImpl(ledger::Ledger& ledger, vault::Vault& vault, views::Views& views, const Options& options)
      : ledger_(ledger),
        vault_(vault),
        views_(views),
        options_(options),
        source_(ledger, options.queue_bytes_max, options.batch_events_max) {}
  ~ProjectorImpl() override { stop(); }

  void committed(std::shared_ptr<const ledger::Group> group) noexcept override { source_.committed(std::move(group)); }

  Status start(ledger::SystemReceipt receipt) override {
    SIEGEL_CHECK(forget_dead_fences(ledger_, vault_));
    SIEGEL_TRY(position, views_.load_position());
    if (position > ledger_.size())
      return Error(Errc::corrupt, "views_ahead", "The read models show more than the ledger holds; rebuild them.");
    receipt_.emplace(std::move(receipt));
    source_.seek(position);
    source_.read_until(ledger_.size());
    thread_ = std::thread([this] { run(); });
    return Done{};
  }

  void stop() override {
    if (!thread_.joinable()) return;
    source_.stop();
    thread_.join();
    if (auto flushed = views_.store().flush(); !flushed) set_status(std::move(flushed));
  }

  Status status() const override {
    return status_.with([](const std::optional<Error>& error) { return error ? Status(*error) : Status(Done{}); });
  }

  Status rebuild(const ledger::SystemReceipt& receipt, const std::function<void(std::uint64_t)>& progress) override {
    SIEGEL_CHECK(forget_dead_fences(ledger_, vault_));
    SIEGEL_TRY(position, views_.load_position());
    if (position.get() != 0)
      return Error(Errc::conflict, "views_not_empty", "A rebuild begins with empty read models.");
    Keys keys(ledger_, vault_, receipt);
    Folder folder(views_, keys);
    const auto end = ledger_.size();
    source_.seek(TreeSize(0));
    source_.read_until(end);
    Feed feed(source_, keys);
    while (views_.position() < end) {
      SIEGEL_TRY(chunk, feed.take());
      if (chunk.empty()) return Error(Errc::corrupt, "ledger_damaged", "The ledger ends before its size.");
      if (chunk.end() < end) feed.go_ahead();
      SIEGEL_CHECK(folder.fold(chunk));
      if (progress) progress(views_.position().get());
    }
    IdempotencySweep sweep(views_.store(), vault_);
    for (sweep.begin(); sweep.running();) SIEGEL_CHECK(sweep.step(kSweepRows));
    return views_.store().flush();
  }

  Result<std::vector<Digest>> digests(const ledger::SystemReceipt& receipt, const SecretKey& key) override {
    Keys keys(ledger_, vault_, receipt);
    return make_digests(views_, vault_, keys, key);
  }

 private:
  void run() {
    if (!receipt_) return;  // start() brought it
    Keys keys(ledger_, vault_, *receipt_);
    Folder folder(views_, keys, options_.follower);
    IdempotencySweep sweep(views_.store(), vault_);
    sweep.begin();
    Feed feed(source_, keys);
    while (!source_.stopped()) {
      if (folder.new_day_seen()) sweep.begin();
      auto worked = fold_some(feed, folder);
      if (!worked && !recover(worked.error(), feed)) return expire_until_stopped();
      if (worked && !*worked) {
        if (sweep.running()) (void)sweep.step(kSweepRows);  // tried again with the next day
        source_.wait(kIdle);
      }
      views_.expire_waiters();
    }
    forget_thread_keys();
  }

  // False: there was nothing to do.
  Result<bool> fold_some(Feed& feed, Folder& folder) {
    SIEGEL_TRY(chunk, feed.take());
    if (chunk.empty()) return false;
    if (chunk.events.size() >= kAheadEventsMin) feed.go_ahead();
    SIEGEL_CHECK(folder.fold(chunk));
    set_status(Done{});
    return true;
  }

  // What passes by itself is tried again from the position: a fence on its way, room on the disk. A failed write may
  // have taken effect, so the position is that of the store.
  bool recover(const Error& error, Feed& feed) {
    if (!passes(error)) {
      set_status(Error(error));
      return false;
    }
    if (error.is("fence_undecided")) {
      feed.seek(views_.position());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return true;
    }
    set_status(Error(error));
    while (!source_.stopped()) {
      for (auto waited = kIdle; waited < kRetry && !source_.stopped(); waited += kIdle) {
        source_.wait_for_stop(kIdle);
        views_.expire_waiters();
      }
      if (auto resumed = views_.store().resume(); !resumed) continue;
      const auto position = views_.load_position();
      if (!position) continue;
      if (options_.follower != nullptr) options_.follower->missed();
      feed.seek(*position);
      break;
    }
    return true;
  }

  void expire_until_stopped() {
    while (!source_.stopped()) {
      source_.wait_for_stop(kIdle);
      views_.expire_waiters();
    }
  }

  void set_status(Status status) {
    status_.with([&](std::optional<Error>& error) {
      if (status)
        error.reset();
      else
        error = std::move(status).error();
    });
  }

  ledger::Ledger& ledger_;
  vault::Vault& vault_;
  views::Views& views_;
  Options options_;
  Source source_;
  std::optional<ledger::SystemReceipt> receipt_;
  Guarded<std::optional<Error>> status_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Projector> Projector::make(ledger::Ledger& ledger, vault::Vault& vault, views::Views& views,
                                           const Options& options) {
  return std::make_unique<ProjectorImpl>(ledger, vault, views, options);
}

}  // namespace siegel::projector
