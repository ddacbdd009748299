// Writing: order, answers, receipts, limits, failures.
#include <bit>
#include <latch>

#include "codec/header_codec.h"
#include "codec/parts.h"
#include "proof/checkpoint.h"
#include "proof/merkle.h"
#include "support/ledger_world.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::ledger;

namespace {

// Notes in order what happens around one group.
struct Trace {
  void add(std::string what) {
    steps.with([&](auto& all) { all.push_back(std::move(what)); });
  }
  [[nodiscard]] std::vector<std::string> all() const {
    return steps.with([](const auto& all) { return all; });
  }
  Guarded<std::vector<std::string>> steps;
};

class TracingTail final : public Tail {
 public:
  explicit TracingTail(Trace& trace) : trace_(trace) {}
  void committed(std::shared_ptr<const Group> group) noexcept override {
    trace_.add("tail");
    groups.with([&](auto& all) { all.push_back(std::move(group)); });
  }
  Guarded<std::vector<std::shared_ptr<const Group>>> groups;

 private:
  Trace& trace_;
};

class TracingFiles final : public Files {
 public:
  TracingFiles(Files& files, Trace& trace) : files_(files), trace_(trace) {}
  Result<Bytes> read_file(const std::filesystem::path& path, std::size_t most) override {
    return files_.read_file(path, most);
  }
  Status write_file_durably(const std::filesystem::path& path, ByteView bytes, unsigned mode) override {
    auto done = files_.write_file_durably(path, bytes, mode);
    trace_.add("lock record");
    return done;
  }
  Status sync_dir(const std::filesystem::path& dir) override { return files_.sync_dir(dir); }
  Status overwrite_in_place(const std::filesystem::path& path, std::uint64_t at, ByteView bytes) override {
    return files_.overwrite_in_place(path, at, bytes);
  }
  Status remove(const std::filesystem::path& path) override { return files_.remove(path); }
  Result<bool> exists(const std::filesystem::path& path) override { return files_.exists(path); }
  Status make_dir(const std::filesystem::path& path, unsigned mode) override { return files_.make_dir(path, mode); }
  Result<std::uint64_t> free_bytes(const std::filesystem::path& path) override { return files_.free_bytes(path); }

 private:
  Files& files_;
  Trace& trace_;
};

class TracedCommand final : public Command {
 public:
  TracedCommand(Trace& trace, SeededRandom& random, std::latch& answered)
      : trace_(trace), random_(random), answered_(answered) {}
  Verdict finish(const Moment&) override {
    trace_.add("finish");
    Verdict verdict;
    verdict.events.push_back(make_draft(random_));
    return verdict;
  }
  void done(Result<Committed> outcome) noexcept override {
    trace_.add(outcome ? "done" : "refused");
    answered_.count_down();
  }
  KeysMark keys_mark() const override { return KeysMark(1); }

 private:
  Trace& trace_;
  SeededRandom& random_;
  std::latch& answered_;
};

std::string reason_of(const Result<Committed>& outcome) {
  if (outcome) return "committed";
  const auto* reason = outcome.error().find("reason");
  return std::string(outcome.error().code()) + (reason ? " " + *reason : "");
}

}  // namespace

TEST_CASE("D1 one batch and one sync per group, in the order write, sign, answer, tail, lock record",
          "[unit][ledger][D1][F2]") {
  LedgerWorld world;
  Trace trace;
  TracingFiles files(*world.files, trace);
  world.options.files = &files;
  TracingTail tail(trace);
  std::latch answered(2);
  bool families_in_one_batch = false;
  world.before_write = [&](const Batch& batch, Sync sync) -> Status {
    if (batch.empty()) return Done{};  // at open
    trace.add(sync == Sync::yes ? "write and sync" : "write");
    bool headers = false, payloads = false, head = false;
    for (std::size_t i = 0; i < batch.count(); ++i) {
      headers |= batch.entry(i).family == Family(0);
      payloads |= batch.entry(i).family == Family(1);
      head |= batch.entry(i).family == Family(3);
    }
    families_in_one_batch = headers && payloads && head;
    return Done{};
  };
  auto ledger = world.open(LedgerWorld::Start::no);
  world.signer.before = [&]() -> Status {
    trace.add("sign");
    return Done{};
  };
  ledger->subscribe(tail);
  ledger->submit(std::make_unique<TracedCommand>(trace, world.random, answered));
  ledger->submit(std::make_unique<TracedCommand>(trace, world.random, answered));
  REQUIRE(ledger->start());
  answered.wait();
  ledger->close();
  // The record's thread may also have written the note that was signed at open.
  auto steps = trace.all();
  CHECK(steps.back() == "lock record");
  std::erase(steps, "lock record");
  CHECK(steps == std::vector<std::string>{"finish", "finish", "write and sync", "sign", "done", "done", "tail"});
  CHECK(families_in_one_batch);
  CHECK(world.lock_record() == ledger->checkpoint());
}

TEST_CASE("EV-01 an answer names sequence, position, time and hash of events that can be read back",
          "[unit][ledger][EV-01]") {
  LedgerWorld world;
  auto ledger = world.open();
  const auto first = append_bulk(*ledger, world.random, 3);
  const auto second = append_bulk(*ledger, world.random, 2, {.prepared = true});
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->first == Seq(0));
  CHECK(first->size == TreeSize(3));
  CHECK(second->first == Seq(3));
  CHECK(second->events == 2);
  CHECK(second->size == TreeSize(5));
  CHECK(second->time == world.clock.now());
  REQUIRE(second->leaf_hashes.size() == 2);
  for (std::uint64_t seq = 3; seq < 5; ++seq) {
    const auto event = ledger->read(Seq(seq));
    REQUIRE(event);
    CHECK(leaf_hash(event->header) == second->leaf_hashes[seq - 3]);
    CHECK(*ledger->leaf(Seq(seq)) == second->leaf_hashes[seq - 3]);
    const auto header = codec::decode_header(event->header);
    REQUIRE(header);
    CHECK(header->seq == Seq(seq));
    CHECK(header->keys_mark == KeysMark(1));
    CHECK(codec::check_parts(*header, *codec::decode_parts(event->parts)));
  }
  CHECK(ledger->read(Seq(5)).error().is("event_missing"));
  CHECK(audit(*ledger, world.signer.verifier()) == "");
}

TEST_CASE("F2 appending n leaves costs n leaf hashes, n - popcount(n) node hashes and one signature per group",
          "[unit][ledger][F2]") {
  LedgerWorld world;
  auto ledger = world.open();
  const auto at_open = ledger->counters().signatures;
  REQUIRE(append_each(*ledger, world.random, 7));
  REQUIRE(append_bulk(*ledger, world.random, 600));
  const auto counters = ledger->counters();
  CHECK(counters.events == 607);
  CHECK(counters.leaf_hashes == 607);
  CHECK(counters.node_hashes == 607 - std::popcount(607u));
  CHECK(counters.groups == 8);
  CHECK(counters.signatures - at_open == 8);
}

TEST_CASE("F3 an event over a limit refuses its command alone, by name, before the next one decides",
          "[unit][ledger][F3]") {
  LedgerWorld world;
  auto ledger = world.open(LedgerWorld::Start::no);
  AccessFacts facts;
  facts.fields.assign(33'000, 7);
  auto huge_header = make_draft(world.random, {.type = EventType::access_read, .facts = facts});
  auto no_parts = make_draft(world.random, {.parts = 0});
  auto wrong_count = make_draft(world.random);
  wrong_count.header.part_count = 9;
  auto huge_parts = make_draft(world.random, {.parts = 2, .bytes = kEventPartsBytesMax / 2});

  const auto two = [&](Draft bad) {
    std::vector<Draft> drafts;
    drafts.push_back(make_draft(world.random));
    drafts.push_back(std::move(bad));
    return drafts;
  };
  auto a = submit(*ledger, two(std::move(huge_header)));
  auto b = submit(*ledger, two(std::move(no_parts)));
  auto c = submit(*ledger, two(std::move(wrong_count)));
  auto d = submit(*ledger, two(std::move(huge_parts)));
  bool told_before = false;
  Seq next(99);
  auto good = submit(*ledger, [&](const Moment& at) {
    told_before = d.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    next = at.next;
    Verdict verdict;
    verdict.events.push_back(make_draft(world.random));
    return verdict;
  });
  REQUIRE(ledger->start());
  const auto rg = good.get();  // first: until then the writer looks at d
  const auto ra = a.get(), rb = b.get(), rc = c.get(), rd = d.get();
  CHECK(next == Seq(0));
  CHECK(ra.error().is("too_large"));
  CHECK(*ra.error().find("limit") == "65535");
  CHECK(rb.error().is("header_invalid"));
  CHECK(rc.error().is("header_invalid"));
  CHECK(rd.error().is("too_large"));
  CHECK(told_before);
  REQUIRE(rg);
  CHECK(rg->first == Seq(0));
  CHECK(ledger->size() == TreeSize(1));
  CHECK(audit(*ledger, world.signer.verifier()) == "");
}

TEST_CASE("I5 receipts cover exactly the owners that an access event names, and name the job that began",
          "[unit][ledger][G20]") {
  LedgerWorld world;
  auto ledger = world.open();
  const auto prepared = GENERATE(false, true);
  std::vector<Draft> drafts;
  std::vector<OwnerId> looked_at, actors;
  for (int i = 0; i < 2; ++i) {
    drafts.push_back(make_draft(
        world.random,
        {.type = EventType::access_read, .facts = AccessFacts{}, .parts = 4, .bytes = 0, .prepared = prepared}));
    actors.push_back(drafts.back().parts[0].envelope.owner);
    for (std::size_t part = 1; part < 4; ++part) looked_at.push_back(drafts.back().parts[part].envelope.owner);
  }
  auto outcome = submit(*ledger, std::move(drafts)).get();
  REQUIRE(outcome);
  REQUIRE(outcome->access);
  CHECK(!outcome->system);
  CHECK(outcome->access->seq() == outcome->first);
  CHECK(outcome->access->purpose() == PurposeNo(3));
  for (const auto& owner : looked_at) CHECK(outcome->access->covers(owner));
  for (const auto& owner : actors) CHECK(!outcome->access->covers(owner));
  CHECK(!outcome->access->covers(OwnerId(world.random.array<16>())));

  const auto job = append_bulk(*ledger, world.random, 1,
                               {.type = EventType::job_started,
                                .facts = JobFacts{JobFacts::Kind::rebuild, 0},
                                .parts = 1,
                                .prepared = prepared});
  REQUIRE(job);
  REQUIRE(job->system);
  CHECK(job->system->kind() == JobFacts::Kind::rebuild);
  CHECK(job->system->seq() == job->first);
  CHECK(!append_bulk(*ledger, world.random, 1)->access);
}

TEST_CASE("A command without events writes nothing and is answered with the position it decided at", "[unit][ledger]") {
  LedgerWorld world;
  auto ledger = world.open(LedgerWorld::Start::no);
  std::vector<Draft> one;
  one.push_back(make_draft(world.random));
  auto writes = submit(*ledger, std::move(one));
  auto nothing = submit(*ledger, std::vector<Draft>());
  REQUIRE(ledger->start());
  REQUIRE(writes.get());
  const auto after = nothing.get();
  REQUIRE(after);
  CHECK(after->events == 0);
  CHECK(after->size == TreeSize(1));
  const auto groups = ledger->counters().groups;
  const auto alone = submit(*ledger, std::vector<Draft>()).get();
  REQUIRE(alone);
  CHECK(alone->size == TreeSize(1));
  CHECK(ledger->counters().groups == groups);
}

TEST_CASE("T1 time never falls, and a clock far back stops writing by name", "[unit][ledger][T1]") {
  LedgerWorld world;
  auto ledger = world.open();
  const auto start = world.clock.now().get();
  REQUIRE(append_bulk(*ledger, world.random, 1));
  world.clock.set(start - world.options.clock_back_ms_max);
  const auto small_step = append_bulk(*ledger, world.random, 1);
  REQUIRE(small_step);
  CHECK(small_step->time == TimeMs(start));
  world.clock.set(start - world.options.clock_back_ms_max - 1);
  CHECK(reason_of(append_bulk(*ledger, world.random, 1)) == "read_only clock_stepped_back");
  CHECK(world.reasons(*ledger) == std::vector<std::string>{"clock_stepped_back"});
  CHECK(ledger->doubts().empty());  // adopting the lock record would not end it
  world.clock.set(start + 1);
  CHECK(reason_of(append_bulk(*ledger, world.random, 1)) == "read_only clock_stepped_back");  // until opened again
  CHECK(audit(*ledger, world.signer.verifier()) == "");
  ledger.reset();

  world.clock.set(start - 3'600'000);
  CHECK(world.reasons(*world.open()) == std::vector<std::string>{"clock_stepped_back"});
  world.clock.set(start + 1);
  ledger = world.open();
  CHECK(ledger->read_only().empty());
  CHECK(append_bulk(*ledger, world.random, 1)->time == TimeMs(start + 1));
}

TEST_CASE("D3 any bit flipped between encode and commit stops the ledger before anything is written or signed",
          "[unit][ledger][D3]") {
  LedgerWorld world;
  SeededRandom where(GENERATE(range(0u, 40u)));
  {
    auto before = world.open();
    REQUIRE(append_each(*before, world.random, 2));
  }
  bool flip = false;
  const auto in_headers = where.below(2) == 0;
  world.seams.row_encoded = [&](MutableBytes headers, MutableBytes payloads) {
    if (!flip) return;
    const auto row = in_headers ? headers : payloads;
    row[where.below(row.size())] ^= static_cast<std::uint8_t>(1u << where.below(8));
  };
  std::size_t writes = 0;
  world.before_write = [&](const Batch& batch, Sync) -> Status {
    if (!batch.empty()) ++writes;
    return Done{};
  };
  auto ledger = world.open();
  REQUIRE(append_bulk(*ledger, world.random, 5));
  const auto signatures = world.heads.signatures();
  flip = true;
  const auto outcome = append_bulk(*ledger, world.random, 5);
  CHECK(reason_of(outcome) == "read_only row_mismatch");
  CHECK(writes == 1);
  CHECK(world.heads.signatures() == signatures);
  CHECK(ledger->size() == TreeSize(7));
  CHECK(world.reasons(*ledger) == std::vector<std::string>{"row_mismatch"});
  CHECK(audit(*ledger, world.signer.verifier()) == "");
  flip = false;
  CHECK(reason_of(append_bulk(*ledger, world.random, 1)) == "read_only row_mismatch");
  ledger.reset();
  ledger = world.open();
  CHECK(append_bulk(*ledger, world.random, 1));
}

TEST_CASE(
    "D2 a failed write or signature refuses the group and all after it - reads go on - and opening again recovers",
    "[unit][ledger][D2]") {
  LedgerWorld world;
  const std::string kind = GENERATE("disk_full", "write_failed", "sign_failed");
  auto fail = std::make_shared<std::atomic<bool>>(false);
  world.before_write = [=](const Batch&, Sync) -> Status {
    if (!*fail || kind == "sign_failed") return Done{};
    if (kind == "disk_full") return Error(Errc::unavailable, "disk_full", "No room.");
    return Error(Errc::unavailable, "io_error", "Refused.");
  };
  auto ledger = world.open();
  world.signer.before = [=]() -> Status {
    if (*fail && kind == "sign_failed") return Error(Errc::unavailable, "io_error", "No key.");
    return Done{};
  };
  REQUIRE(append_each(*ledger, world.random, 3));
  *fail = true;
  const auto outcome = append_bulk(*ledger, world.random, 2);
  CHECK(reason_of(outcome) == "read_only " + kind);
  CHECK(outcome.error().category() == Errc::unavailable);
  CHECK(ledger->size() == TreeSize(3));
  CHECK(ledger->read(Seq(2)));
  CHECK(audit(*ledger, world.signer.verifier()) == "");
  *fail = false;
  CHECK(reason_of(append_bulk(*ledger, world.random, 1)) == "read_only " + kind);
  ledger.reset();
  ledger = world.open();
  CHECK(ledger->read_only().empty());
  CHECK(ledger->size() == TreeSize(kind == "sign_failed" ? 5 : 3));  // written but not signed is signed at open
  REQUIRE(append_bulk(*ledger, world.random, 1));
  CHECK(audit(*ledger, world.signer.verifier()) == "");
  CHECK(!world.heads.forked());
}

TEST_CASE("Under bulk load the next group is decided during the write, and written only after the answers before it",
          "[unit][ledger][D1]") {
  LedgerWorld world;
  const bool fails = GENERATE(false, true);
  world.options.group_events_max = 600;
  Trace trace;
  std::latch second_decided(1);
  std::atomic<int> writes{0};
  world.before_write = [&](const Batch& batch, Sync) -> Status {
    if (batch.empty()) return Done{};  // at open
    trace.add("write begins");
    if (++writes == 1) second_decided.wait();  // would hang if the writer waited for this write
    if (fails) return Error(Errc::unavailable, "disk_full", "No room.");
    return Done{};
  };
  auto ledger = world.open(LedgerWorld::Start::no);
  world.signer.before = [&]() -> Status {
    trace.add("sign");
    return Done{};
  };
  std::vector<Pending> pending;
  for (int i = 0; i < 2; ++i) {
    auto drafts = std::make_shared<std::vector<Draft>>();
    for (int k = 0; k < 600; ++k) drafts->push_back(make_draft(world.random, {.parts = 1, .bytes = 10}));
    pending.push_back(submit(*ledger,
                             [&, drafts, i](const Moment& at) {
                               trace.add("decide at " + std::to_string(at.next.get()));
                               if (i == 1) second_decided.count_down();
                               return Verdict{std::move(*drafts), {}};
                             },
                             {.mark = 1, .estimate = 600}));
  }
  REQUIRE(ledger->start());
  std::vector<std::string> outcomes;
  for (auto& one : pending) outcomes.push_back(reason_of(one.get()));
  ledger->close();
  auto steps = trace.all();
  REQUIRE(steps.size() >= 3);
  std::ranges::sort(steps.begin(), steps.begin() + 3);  // the write may begin before or after the second decision
  if (fails) {
    CHECK(steps == std::vector<std::string>{"decide at 0", "decide at 600", "write begins"});
    CHECK(outcomes == std::vector<std::string>(2, "read_only disk_full"));
    CHECK(ledger->size() == TreeSize(0));
  } else {
    CHECK(steps ==
          std::vector<std::string>{"decide at 0", "decide at 600", "write begins", "sign", "write begins", "sign"});
    CHECK(outcomes == std::vector<std::string>(2, "committed"));
    CHECK(ledger->size() == TreeSize(1'200));
    CHECK(audit(*ledger, world.signer.verifier()) == "");
  }
}

TEST_CASE("I13 a full queue answers overloaded and a closed ledger read_only, and close() drains",
          "[unit][ledger][I13]") {
  LedgerWorld world;
  world.options.queue_commands_max = 3;
  auto ledger = world.open(LedgerWorld::Start::no);
  const auto one = [&] {
    std::vector<Draft> drafts;
    drafts.push_back(make_draft(world.random));
    return drafts;
  };
  std::vector<Pending> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(submit(*ledger, one()));
  CHECK(ledger->queued() == 3);
  const auto refused = submit(*ledger, one()).get();
  CHECK(refused.error().is("overloaded"));
  CHECK(refused.error().category() == Errc::overloaded);
  REQUIRE(ledger->start());
  ledger->close();
  for (auto& pending : waiting) CHECK(pending.get());
  CHECK(reason_of(submit(*ledger, one()).get()) == "read_only closed");
  ledger->close();
  CHECK(ledger->size() == TreeSize(3));

  auto never_started = world.open(LedgerWorld::Start::no);
  auto pending = submit(*never_started, one());
  never_started->close();
  CHECK(reason_of(pending.get()) == "read_only closed");
}

TEST_CASE("Many threads: every answer is in the ledger at its place, once", "[unit][ledger][EV-01]") {
  LedgerWorld world;
  auto ledger = world.open();
  constexpr int kThreads = 4, kEach = 60;
  Guarded<std::vector<std::pair<Seq, Hash>>> answers;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(static_cast<std::uint64_t>(t) + 100);
      for (int i = 0; i < kEach; ++i) {
        const auto outcome = append_bulk(*ledger, random, 1 + random.below(3));
        if (!outcome) continue;
        answers.with([&](auto& all) {
          for (std::size_t k = 0; k < outcome->events; ++k) {
            all.emplace_back(Seq(outcome->first.get() + k), outcome->leaf_hashes[k]);
          }
        });
        (void)ledger->checkpoint();
        (void)ledger->inclusion(outcome->first, outcome->size);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  auto all = answers.with([](const auto& a) { return a; });
  std::ranges::sort(all, {}, [](const auto& a) { return a.first; });
  REQUIRE(all.size() == ledger->size().get());
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i].first == Seq(i));
    REQUIRE(*ledger->leaf(Seq(i)) == all[i].second);
  }
  CHECK(audit(*ledger, world.signer.verifier()) == "");
}
