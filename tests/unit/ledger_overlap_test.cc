// Under bulk load the next group is decided while this one is being written. What could go wrong between the two.
#include <latch>

#include "codec/header_codec.h"
#include "proof/checkpoint.h"
#include "support/ledger_world.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::ledger;

namespace {

constexpr std::size_t kBulk = 600;  // more than the writer asks for before it overlaps

std::string reason_of(const Result<Committed>& outcome) {
  if (outcome) return "committed";
  const auto* reason = outcome.error().find("reason");
  return std::string(outcome.error().code()) + (reason ? " " + *reason : "");
}

using Codes = std::vector<std::string>;

// Two groups: the write of the first does not begin to work before the second was decided, so a writer that does not
// overlap hangs here.
struct Overlap {
  explicit Overlap(std::uint64_t seed = 1) : world(seed) {
    world.options.group_events_max = kBulk;
    world.before_write = [this](const Batch& batch, Sync) -> Status {
      if (batch.empty()) return Done{};  // at open
      if (++writes == 1) {
        second_decided.wait();
        if (before_first_write) before_first_write();
        if (first_write_fails) return Error(Errc::unavailable, "disk_full", "No room.");
      }
      return Done{};
    };
    ledger = world.open(LedgerWorld::Start::no);
    signatures_before = world.heads.signatures();
  }

  struct Shape {
    std::size_t events = kBulk;
    std::uint64_t mark = 1;
    DraftOptions draft = {.parts = 1, .bytes = 8};
  };
  Pending first() { return first(Shape{}); }
  Pending first(const Shape& shape) { return add(shape, in_first); }
  Pending second() { return second(Shape{}); }
  Pending second(const Shape& shape) {
    return add(shape, [this](const Moment& at) {
      if (in_second) in_second(at);
      second_decided.count_down();
    });
  }

  LedgerWorld world;
  std::atomic<int> writes{0};
  std::latch second_decided{1};
  std::function<void(const Moment&)> in_first, in_second;  // in finish(), on the writer thread
  std::function<void()> before_first_write;
  bool first_write_fails = false;
  std::size_t signatures_before = 0;
  std::unique_ptr<Ledger> ledger;

 private:
  Pending add(const Shape& shape, std::function<void(const Moment&)> before) {
    auto drafts = std::make_shared<std::vector<Draft>>();
    for (std::size_t i = 0; i < shape.events; ++i) drafts->push_back(make_draft(world.random, shape.draft));
    return submit(*ledger,
                  [drafts, before = std::move(before)](const Moment& at) {
                    if (before) before(at);
                    return Verdict{std::move(*drafts), {}};
                  },
                  {.mark = shape.mark, .estimate = kBulk});
  }
};

}  // namespace

TEST_CASE("D1 a signature that fails while the next group is decided: the next one is never written nor answered well",
          "[unit][ledger][D1][D2]") {
  Overlap overlap;
  overlap.world.signer.before = []() -> Status { return Error(Errc::unavailable, "io_error", "No key."); };
  auto a = overlap.first();
  auto b = overlap.second();
  REQUIRE(overlap.ledger->start());
  CHECK(reason_of(a.get()) == "read_only sign_failed");
  CHECK(reason_of(b.get()) == "read_only sign_failed");
  CHECK(overlap.writes == 1);
  CHECK(overlap.world.heads.signatures() == overlap.signatures_before);
  CHECK(overlap.ledger->size() == TreeSize(0));
  overlap.ledger.reset();
  overlap.world.signer.before = {};
  auto ledger = overlap.world.open();
  CHECK(ledger->size() == TreeSize(kBulk));  // the first alone, now signed
  CHECK(audit(*ledger, overlap.world.signer.verifier()) == "");
  REQUIRE(append_bulk(*ledger, overlap.world.random, 1));
  CHECK(!overlap.world.heads.forked());
}

TEST_CASE("D1 nothing of a group is seen before its signature, by no way of reading", "[unit][ledger][D1]") {
  Overlap overlap;
  auto& ledger = *overlap.ledger;
  Codes seen;
  const auto at_open = ledger.checkpoint();
  overlap.world.signer.before = [&]() -> Status {  // the rows are in the store by now
    if (!seen.empty()) return Done{};
    seen.emplace_back("looked");
    if (ledger.size() != TreeSize(0)) seen.emplace_back("size");
    if (ledger.read(Seq(0))) seen.emplace_back("read");
    if (ledger.leaf(Seq(0))) seen.emplace_back("leaf");
    if (ledger.root(TreeSize(1))) seen.emplace_back("root");
    if (ledger.inclusion(Seq(0), TreeSize(1))) seen.emplace_back("inclusion");
    if (ledger.consistency(TreeSize(0), TreeSize(1))) seen.emplace_back("consistency");
    if (ledger.checkpoint_at(TreeSize(1))) seen.emplace_back("checkpoint_at");
    if (*ledger.tile(0, 0, 1)) seen.emplace_back("tile");
    if (ledger.checkpoint() != at_open) seen.emplace_back("checkpoint");
    auto events = ledger.cursor(Seq(0));
    Seq seq;
    ByteView header, parts;
    if (!events || *(*events)->next(seq, header, parts)) seen.emplace_back("cursor");
    return Done{};
  };
  auto a = overlap.first();
  auto b = overlap.second();
  REQUIRE(ledger.start());
  REQUIRE(a.get());
  REQUIRE(b.get());
  ledger.close();
  CHECK(seen == Codes{"looked"});
  CHECK(ledger.size() == TreeSize(2 * kBulk));
  CHECK(overlap.world.heads.signatures() == overlap.signatures_before + 2);
  CHECK(audit(ledger, overlap.world.signer.verifier()) == "");
}

TEST_CASE("D1 close() between the decision of one group and the write of the other answers both and locks the last",
          "[unit][ledger][D1]") {
  Overlap overlap;
  const bool fails = GENERATE(false, true);
  overlap.first_write_fails = fails;
  std::latch closing(1);
  overlap.before_first_write = [&] { closing.wait(); };
  auto a = overlap.first();
  auto b = overlap.second();
  REQUIRE(overlap.ledger->start());
  overlap.second_decided.wait();
  auto late = overlap.second();  // in the queue when it closes
  std::thread closer([&] {
    closing.count_down();
    overlap.ledger->close();
  });
  const auto ra = a.get(), rb = b.get(), rl = late.get();
  closer.join();
  const std::string expected = fails ? "read_only disk_full" : "committed";
  CHECK(reason_of(ra) == expected);
  CHECK(reason_of(rb) == expected);
  CHECK(reason_of(rl) == expected);
  CHECK(overlap.ledger->size() == TreeSize(fails ? 0 : 3 * kBulk));
  CHECK(overlap.world.lock_record() == overlap.ledger->checkpoint());
  CHECK(reason_of(append_bulk(*overlap.ledger, overlap.world.random, 1)) ==
        (fails ? "read_only disk_full" : "read_only closed"));
  CHECK(audit(*overlap.ledger, overlap.world.signer.verifier()) == "");
}

TEST_CASE("T1 a clock that steps back while a group is being written spoils the next one only", "[unit][ledger][T1]") {
  LedgerWorld world;
  world.options.group_events_max = kBulk;
  auto ledger = world.open(LedgerWorld::Start::no);
  const auto start = world.clock.now();
  std::vector<Pending> pending;
  for (int i = 0; i < 2; ++i) {
    auto drafts = std::make_shared<std::vector<Draft>>();
    for (std::size_t k = 0; k < kBulk; ++k) drafts->push_back(make_draft(world.random, {.parts = 1, .bytes = 8}));
    pending.push_back(submit(*ledger,
                             [&, drafts](const Moment&) {
                               world.clock.set(start.get() - 3'600'000);
                               return Verdict{std::move(*drafts), {}};
                             },
                             {.mark = 1, .estimate = kBulk}));
  }
  REQUIRE(ledger->start());
  const auto a = pending[0].get();
  REQUIRE(a);
  CHECK(a->time == start);
  CHECK(reason_of(pending[1].get()) == "read_only clock_stepped_back");
  CHECK(world.reasons(*ledger) == Codes{"clock_stepped_back"});
  CHECK(ledger->size() == TreeSize(kBulk));
  CHECK(audit(*ledger, world.signer.verifier()) == "");
}

TEST_CASE("D1 a command without events, decided during a write, is answered after it or refused with it",
          "[unit][ledger][D1]") {
  Overlap overlap;
  const bool fails = GENERATE(false, true);
  overlap.first_write_fails = fails;
  auto a = overlap.first();
  auto b = overlap.second({.events = 0});
  bool early = false;
  overlap.before_first_write = [&] { early = b.wait_for(std::chrono::seconds(0)) == std::future_status::ready; };
  REQUIRE(overlap.ledger->start());
  const auto ra = a.get(), rb = b.get();
  CHECK(!early);
  if (fails) {
    CHECK(reason_of(ra) == "read_only disk_full");
    CHECK(reason_of(rb) == "read_only disk_full");
  } else {
    REQUIRE(rb);
    CHECK(rb->size == TreeSize(kBulk));  // it decided over the first one's events
  }
  CHECK(overlap.writes == 1);
}

TEST_CASE("D3 a bit that flips in the next group leaves the one being written whole", "[unit][ledger][D3]") {
  Overlap overlap;
  bool flip = false;
  overlap.ledger.reset();
  overlap.world.seams.row_encoded = [&](MutableBytes headers, MutableBytes) {
    if (flip) headers[headers.size() / 2] ^= 4;
  };
  overlap.in_second = [&](const Moment&) { flip = true; };
  overlap.ledger = overlap.world.open(LedgerWorld::Start::no);
  overlap.signatures_before = overlap.world.heads.signatures();
  auto a = overlap.first();
  auto b = overlap.second();
  REQUIRE(overlap.ledger->start());
  CHECK(reason_of(a.get()) == "committed");
  CHECK(reason_of(b.get()) == "read_only row_mismatch");
  CHECK(overlap.writes == 1);
  CHECK(overlap.world.heads.signatures() == overlap.signatures_before + 1);
  CHECK(overlap.ledger->size() == TreeSize(kBulk));
  CHECK(audit(*overlap.ledger, overlap.world.signer.verifier()) == "");
}

TEST_CASE("A group decided during a write carries on its keys mark, epoch, time and sequence", "[unit][ledger][D1]") {
  Overlap overlap;
  overlap.world.clock.advance(7'000);
  const auto start = overlap.world.clock.now();
  overlap.in_first = [&](const Moment&) { overlap.world.clock.set(start.get() - 4'000); };  // within the limit
  ErasureEffectiveFacts facts;
  facts.old_epoch = 4;
  facts.new_epoch = 5;
  auto a = overlap.first(
      {.mark = 9, .draft = {.type = EventType::erasure_effective, .facts = facts, .parts = 1, .bytes = 8}});
  Moment second{};
  overlap.in_second = [&](const Moment& at) { second = at; };
  auto b = overlap.second({.mark = 3});  // relies on less
  REQUIRE(overlap.ledger->start());
  REQUIRE(a.get());
  const auto rb = b.get();
  REQUIRE(rb);
  CHECK(second.next == Seq(kBulk));
  CHECK(second.time == start);
  CHECK(rb->first == Seq(kBulk));
  CHECK(rb->time == start);
  CHECK(overlap.ledger->keys_mark() == KeysMark(9));
  CHECK(overlap.ledger->epoch() == Epoch(5));
  CHECK(codec::decode_header(overlap.ledger->read(Seq(2 * kBulk - 1))->header)->keys_mark == KeysMark(9));
  overlap.ledger.reset();
  auto ledger = overlap.world.open();
  CHECK(ledger->keys_mark() == KeysMark(9));
  CHECK(ledger->epoch() == Epoch(5));
  CHECK(audit(*ledger, overlap.world.signer.verifier()) == "");
}

TEST_CASE("D1 the note in the store is never of a tree that was not signed", "[unit][ledger][D1]") {
  LedgerWorld world;
  world.options.group_events_max = kBulk;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> notes;  // head's size, note's size
  world.before_write = [&](const Batch& batch, Sync) -> Status {
    for (std::size_t i = 0; i < batch.count(); ++i) {
      if (batch.entry(i).family != Family(4)) continue;
      const auto note = parse_note(as_chars(batch.entry(i).value));
      const auto size = note ? parse_checkpoint(note->text)->size : ~std::uint64_t{0};
      notes.emplace_back(world.heads.root_of(size) ? 1 : 0, size);
    }
    return Done{};
  };
  auto ledger = world.open(LedgerWorld::Start::no);
  std::vector<Pending> pending;
  for (int i = 0; i < 4; ++i) {
    auto drafts = std::make_shared<std::vector<Draft>>();
    for (std::size_t k = 0; k < kBulk; ++k) drafts->push_back(make_draft(world.random, {.parts = 1, .bytes = 8}));
    pending.push_back(submit(*ledger,
                             [drafts](const Moment&) {
                               return Verdict{std::move(*drafts), {}};
                             },
                             {.mark = 1, .estimate = kBulk}));
  }
  REQUIRE(ledger->start());
  for (auto& one : pending) REQUIRE(one.get());
  ledger->close();
  REQUIRE(notes.size() >= 2);
  for (const auto& [was_signed, size] : notes) {
    CAPTURE(size);
    CHECK(was_signed == 1);
  }
  ledger.reset();
  CHECK(audit(*world.open(), world.signer.verifier()) == "");
}
