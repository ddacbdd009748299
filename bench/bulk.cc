#include "bench/bulk.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "base/guarded.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "proof/checkpoint.h"
#include "proof/merkle.h"
#include "proof/note_key.h"

namespace siegel::bench {
namespace {

constexpr std::size_t kRowsPerCommand = 250;
constexpr std::size_t kEventsPerCommand = kRowsPerCommand * kEventsPerRow;
constexpr std::size_t kCommandsInFlightMax = 40;
constexpr unsigned kSealers = 2;
constexpr std::size_t kGroupEvents = 5'000;
constexpr std::chrono::milliseconds kPoll{1};

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Commands on their way; bounds what the sealers do ahead.
struct InFlight {
  std::size_t commands = 0;
  std::optional<Error> error;
};

class BulkCommand final : public ledger::Command {
 public:
  BulkCommand(std::vector<ledger::Draft> drafts, KeysMark mark, std::uint64_t& actor_number,
              Guarded<InFlight>& in_flight)
      : drafts_(std::move(drafts)), mark_(mark), actor_number_(actor_number), in_flight_(in_flight) {}

  ledger::Verdict finish(const ledger::Moment&) override {
    std::uint64_t number = 0;
    for (auto& draft : drafts_) {
      draft.parts[0].envelope.number = actor_number_++;
      draft.parts[1].envelope.number = number++ % kEventsPerRow;
    }
    return {std::move(drafts_), {}};
  }
  void done(Result<ledger::Committed> outcome) noexcept override {
    in_flight_.with([&](InFlight& state) {
      --state.commands;
      if (!outcome && !state.error) state.error = outcome.error();
      in_flight_.notify_all();  // under the lock: whoever waits may end both
    });
  }
  [[nodiscard]] KeysMark keys_mark() const override { return mark_; }
  [[nodiscard]] std::size_t events() const override { return kEventsPerCommand; }

 private:
  std::vector<ledger::Draft> drafts_;
  KeysMark mark_;
  std::uint64_t& actor_number_;  // of the writer thread
  Guarded<InFlight>& in_flight_;
};

// One sealing thread.
class Feeder {
 public:
  Feeder(Stores& stores, const Actor& actor, std::atomic<std::int64_t>& left, std::uint64_t& actor_number,
         Guarded<InFlight>& in_flight)
      : stores_(stores),
        left_(left),
        actor_number_(actor_number),
        in_flight_(in_flight),
        sealer_(stores.vault()),
        rows_(sealer_, actor, clock_, random_) {}

  void run() {
    while (left_.fetch_sub(1) > 0) {
      auto drafts = rows_.make(kRowsPerCommand);
      const bool go_on =
          in_flight_.when([](const InFlight& state) { return state.error || state.commands < kCommandsInFlightMax; },
                          [&](InFlight& state) {
                            if (!drafts && !state.error) state.error = drafts.error();
                            if (state.error) return false;
                            ++state.commands;
                            return true;
                          });
      if (!go_on) return;
      stores_.ledger().submit(
          std::make_unique<BulkCommand>(std::move(*drafts), stores_.vault().mark(), actor_number_, in_flight_));
    }
  }
  [[nodiscard]] const RecordId& last_record() const { return rows_.last_record(); }

 private:
  Stores& stores_;
  std::atomic<std::int64_t>& left_;
  std::uint64_t& actor_number_;
  Guarded<InFlight>& in_flight_;
  SystemClock clock_;
  SystemRandom random_;
  VaultSealer sealer_;
  Rows rows_;
};

Status wait_for_projections(Stores& stores) {
  while (stores.projected() < stores.ledger().size()) {
    SIEGEL_CHECK(stores.projector_status());
    std::this_thread::sleep_for(kPoll);
  }
  return Done{};
}

Hash complete(ledger::Draft& draft, std::uint64_t seq, TimeMs time) {
  std::array<Hash, 2> hashes;
  for (std::size_t i = 0; i < hashes.size(); ++i)
    hashes[i] = codec::part_hash(codec::encode(draft.parts[i].envelope), draft.parts[i].inner);
  codec::complete(*draft.prepared, Seq(seq), time, KeysMark(1), codec::parts_digest(hashes));
  return leaf_hash(draft.prepared->bytes);
}

}  // namespace

Result<double> bare_loop(std::uint64_t events) {
  SystemClock clock;
  SystemRandom random;
  BareSealer sealer(random);
  SIEGEL_TRY(leaf, sealer.new_leaf());
  Rows rows(sealer, {TokenId(new_id(clock, random)), leaf}, clock, random);
  SecretKey seed;
  random.fill(seed.mutable_view());
  SIEGEL_TRY(signer, NoteSigner::make("bench.example/bare", KeyType::ed25519, seed));
  CompactRange tree;
  const auto begin = std::chrono::steady_clock::now();
  while (tree.size() < events) {
    const auto time = clock.now();
    for (std::size_t done = 0; done < kGroupEvents; done += kEventsPerCommand) {
      SIEGEL_TRY(drafts, rows.make(kRowsPerCommand));
      for (auto& draft : drafts) tree.append(complete(draft, tree.size(), time));
    }
    const auto note = sign_checkpoint(signer, {"bench.example/bare", tree.size(), tree.root()});
    if (note.empty()) return Error(Errc::corrupt, "sign_failed", "The signer of the benchmark does not sign.");
  }
  return static_cast<double>(tree.size()) / seconds_since(begin);
}

Result<BulkRun> bulk(Stores& stores, Stores::With with, const Actor& actor, std::uint64_t events) {
  const auto commands = static_cast<std::int64_t>((events + kEventsPerCommand - 1) / kEventsPerCommand);
  std::atomic<std::int64_t> left{commands};
  std::uint64_t actor_number = 0;
  Guarded<InFlight> in_flight;
  std::vector<std::unique_ptr<Feeder>> feeders;
  for (unsigned i = 0; i < kSealers; ++i)
    feeders.push_back(std::make_unique<Feeder>(stores, actor, left, actor_number, in_flight));

  BulkRun out;
  out.events = static_cast<std::uint64_t>(commands) * kEventsPerCommand;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (auto& feeder : feeders) threads.emplace_back([&feeder] { feeder->run(); });
  for (auto& thread : threads) thread.join();
  const auto error = in_flight.when([](const InFlight& state) { return state.commands == 0; },
                                    [](InFlight& state) { return state.error; });
  if (error) return Error(*error);
  out.appended_seconds = seconds_since(begin);
  if (with == Stores::With::projections) {
    SIEGEL_CHECK(wait_for_projections(stores));
    out.projected_seconds = seconds_since(begin);
  }
  for (const auto& feeder : feeders)
    if (feeder->last_record() != RecordId()) out.record = feeder->last_record();
  return out;
}

}  // namespace siegel::bench
