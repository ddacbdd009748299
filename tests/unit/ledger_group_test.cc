// How groups and rows are formed, and what tails and cursors see of them.
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "ledger/group.h"
#include "ledger/layout.h"
#include "ledger/queue.h"
#include "support/ledger_world.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::ledger;

namespace {

class KeepingTail final : public Tail {
 public:
  void committed(std::shared_ptr<const Group> group) noexcept override {
    groups.with([&](auto& all) { all.push_back(std::move(group)); });
  }
  [[nodiscard]] std::vector<std::shared_ptr<const Group>> all() const {
    return groups.with([](const auto& a) { return a; });
  }
  Guarded<std::vector<std::shared_ptr<const Group>>> groups;
};

std::unique_ptr<Command> sized_command(std::size_t events) {
  auto command = std::make_unique<TestCommand>([](const Moment&) { return Verdict{}; }, TestCommand::Answer());
  command->estimate = events;
  return command;
}

void put(CommandQueue& queue, std::size_t events) {
  auto command = sized_command(events);
  REQUIRE(queue.put(command) == CommandQueue::Put::queued);
}

std::vector<std::size_t> sizes(const std::vector<std::unique_ptr<Command>>& commands) {
  std::vector<std::size_t> out;
  for (const auto& command : commands) out.push_back(command->events());
  return out;
}

}  // namespace

TEST_CASE("Groups keep the order, and bulk groups are short while single commands wait", "[unit][ledger][queue]") {
  CommandQueue queue({.commands_max = 100, .events_max = 5'000, .wait_max = {}, .in_flight = {}});
  using Sizes = std::vector<std::size_t>;
  SECTION("bulk alone fills a group") {
    for (int i = 0; i < 12; ++i) put(queue, 500);
    CHECK(queue.take().size() == 10);
    CHECK(queue.take().size() == 2);
  }
  SECTION("one single command behind bulk makes groups of 1,000") {
    for (int i = 0; i < 4; ++i) put(queue, 500);
    put(queue, 1);
    CHECK(sizes(queue.take()) == Sizes{500, 500});
    CHECK(sizes(queue.take()) == Sizes{500, 500});
    CHECK(sizes(queue.take()) == Sizes{1});
  }
  SECTION("single commands alone are one group") {
    for (int i = 0; i < 100; ++i) put(queue, 1);
    CHECK(queue.take().size() == 100);
  }
  SECTION("a command larger than a group goes alone") {
    put(queue, 1);
    put(queue, 9'000);
    put(queue, 1);
    CHECK(sizes(queue.take()) == Sizes{1});
    CHECK(sizes(queue.take()) == Sizes{9'000});
    CHECK(sizes(queue.take()) == Sizes{1});
  }
  SECTION("closed, it gives what is left and then nothing") {
    put(queue, 3);
    queue.close();
    auto late = sized_command(1);
    CHECK(queue.put(late) == CommandQueue::Put::closed);
    CHECK(late);
    CHECK(queue.take().size() == 1);
    CHECK(queue.take().empty());
  }
}

TEST_CASE("The writer waits for company only while more commands are in flight than wait", "[unit][ledger][queue]") {
  std::atomic<std::size_t> in_flight{0};
  CommandQueue queue({.commands_max = 100,
                      .events_max = 5'000,
                      .wait_max = std::chrono::minutes(10),  // a wait that is not ended would hang
                      .in_flight = [&] { return in_flight.load(); }});
  in_flight = 1;
  put(queue, 1);
  CHECK(queue.take().size() == 1);  // a single client never waits
  in_flight = 3;
  put(queue, 1);
  std::vector<std::unique_ptr<Command>> taken;
  std::thread taker([&] { taken = queue.take(); });
  put(queue, 1);
  put(queue, 1);
  taker.join();
  CHECK(taken.size() == 3);
}

TEST_CASE("Rows in the store are what codec's builders make, of at most 64 events and 256 KiB",
          "[unit][ledger][rows]") {
  LedgerWorld world;
  KeepingTail tail;
  auto ledger = world.open(LedgerWorld::Start::no);
  ledger->subscribe(tail);
  std::vector<Pending> pending;
  std::vector<Draft> originals;
  const auto add = [&](std::size_t count, const DraftOptions& options) {
    for (std::size_t i = 0; i < count; ++i) {
      auto draft = make_draft(world.random, options);
      Draft copy;
      copy.header = draft.header;
      copy.parts = draft.parts;
      originals.push_back(std::move(copy));
      std::vector<Draft> one;
      one.push_back(std::move(draft));
      pending.push_back(submit(*ledger, std::move(one)));
    }
  };
  add(70, {});                             // 64 + 6 …
  add(3, {.parts = 2, .bytes = 60'000});   // … two of 120 KB fit beside them
  add(1, {.parts = 2, .bytes = 200'000});  // larger than a row may be: alone
  add(2, {.parts = 1, .bytes = 0});
  REQUIRE(ledger->start());
  for (auto& one : pending) REQUIRE(one.get());
  ledger->close();

  std::vector<std::size_t> counts;
  std::uint64_t next = 0;
  const auto rows = world.store.cursor(kHeaders);
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    CHECK(equal(rows->key(), row_key(Seq(next))));
    const auto stored = codec::RowView::parse(rows->value());
    REQUIRE(stored);
    counts.push_back(stored->events());
    codec::RowBuilder headers, payloads;
    for (std::size_t i = 0; i < stored->events(); ++i) {
      CHECK(headers.add(stored->event(i)));
      const auto& original = originals[next + i];
      Bytes record;
      for (const auto& part : original.parts) codec::append_part(record, codec::encode(part.envelope), part.ciphertext);
      CHECK(payloads.add(record));
    }
    CHECK(equal(headers.finish(), rows->value()));
    CHECK(equal(payloads.finish(), **world.store.get(kPayloads, rows->key())));
    next += stored->events();
  }
  CHECK(counts == std::vector<std::size_t>{64, 8, 1, 1, 2});
  CHECK(next == 76);

  // Tails saw the same rows, in one group.
  const auto groups = tail.all();
  REQUIRE(groups.size() == 1);
  CHECK(groups[0]->first == Seq(0));
  CHECK(groups[0]->events == 76);
  CHECK(groups[0]->rows.size() == 5);
  for (const auto& row : groups[0]->rows) {
    CHECK(row.headers == **world.store.get(kHeaders, row_key(row.first)));
    CHECK(row.payloads == **world.store.get(kPayloads, row_key(row.first)));
  }
}

TEST_CASE("A group ends at its limits of events and bytes, whatever the commands had said", "[unit][ledger][rows]") {
  LedgerWorld world;
  world.options.group_events_max = 10;
  world.options.group_bytes_max = 100'000;
  auto ledger = world.open(LedgerWorld::Start::no);
  std::vector<std::size_t> groups;
  ledger->on_group = [&](std::size_t events, std::chrono::nanoseconds) { groups.push_back(events); };
  std::vector<Pending> pending;
  const auto add = [&](std::size_t count, const DraftOptions& options) {
    std::vector<Draft> drafts;
    for (std::size_t i = 0; i < count; ++i) drafts.push_back(make_draft(world.random, options));
    pending.push_back(submit(*ledger, std::move(drafts), {.mark = 1, .estimate = 1}));
  };
  for (int i = 0; i < 4; ++i) add(4, {});  // 12 and 4: a command is never split
  for (int i = 0; i < 3; ++i) add(1, {.parts = 1, .bytes = 60'000});
  REQUIRE(ledger->start());
  for (auto& one : pending) REQUIRE(one.get());
  ledger->close();
  CHECK(groups == std::vector<std::size_t>{12, 6, 1});
  CHECK(audit(*ledger, world.signer.verifier()) == "");
}

TEST_CASE("EV-03 idempotency entries stand behind the row of their events and come back through cursor and tail",
          "[unit][ledger][EV-03]") {
  LedgerWorld world;
  KeepingTail tail;
  auto ledger = world.open(LedgerWorld::Start::no);
  ledger->subscribe(tail);
  std::vector<codec::IdempotencyRow> entries;
  std::vector<Pending> pending;
  for (int i = 0; i < 100; ++i) {
    entries.push_back(make_idempotency(world.random));
    auto draft = std::make_shared<Draft>(make_draft(world.random));
    pending.push_back(submit(*ledger, [draft, entry = entries.back(), i](const Moment&) {
      Verdict verdict;
      verdict.events.push_back(std::move(*draft));
      if (i % 3 == 0) verdict.idempotency = entry;
      return verdict;
    }));
  }
  pending.push_back(submit(*ledger, [&](const Moment&) {  // nothing to stand beside: not kept
    return Verdict{{}, make_idempotency(world.random)};
  }));
  REQUIRE(ledger->start());
  for (auto& one : pending) REQUIRE(one.get());
  ledger->close();

  auto events = ledger->cursor(Seq(0));
  REQUIRE(events);
  CHECK((*events)->idempotency().empty());
  Seq seq;
  ByteView header, parts;
  for (std::uint64_t i = 0; i < 100; ++i) {
    REQUIRE(*(*events)->next(seq, header, parts));
    const auto found = codec::decode_idempotency((*events)->idempotency());
    REQUIRE(found);
    const bool first_row = i < 64;
    CHECK(found->size() == (first_row ? 22u : 12u));
    for (std::size_t k = 0; k < found->size(); ++k) {
      const auto& expected = entries[(first_row ? 0 : 66) + 3 * k];
      CHECK((*found)[k].mac == expected.mac);
      CHECK((*found)[k].sealed == expected.sealed);
      CHECK((*found)[k].day_slot == expected.day_slot);
      CHECK((*found)[k].nonce == expected.nonce);
    }
  }
  CHECK(!*(*events)->next(seq, header, parts));
  const auto group = tail.all().at(0);
  CHECK(codec::decode_idempotency(codec::RowView::parse(group->rows[1].payloads)->trailer())->size() == 12);
}

TEST_CASE("D3 every single bit of the rows of headers and of parts is checked against what was hashed",
          "[unit][ledger][D3]") {
  SeededRandom random(3);
  Seams seams;
  MutableBytes headers, payloads;
  std::size_t pairs = 0;
  seams.row_encoded = [&](MutableBytes h, MutableBytes p) {
    headers = h;
    payloads = p;
    ++pairs;
  };
  GroupBuilder group(seams);
  group.begin({Seq(41), TimeMs(1'790'000'000'000), KeysMark(2), Epoch(0)});
  const DraftOptions shapes[] = {{},
                                 {.parts = 3, .bytes = 17, .prepared = true},
                                 {.type = EventType::access_read, .facts = AccessFacts{}, .parts = 2, .bytes = 0}};
  for (const auto& shape : shapes) {
    Verdict verdict;
    verdict.events.push_back(make_draft(random, shape));
    verdict.idempotency = make_idempotency(random);
    REQUIRE(group.add(std::move(verdict), KeysMark(2)));
  }
  Batch batch;
  group.put_rows(batch);
  REQUIRE(pairs == 1);  // one row of each: nothing moved since
  REQUIRE(group.rows_match(batch));
  std::size_t missed = 0, bits = 0;
  for (const auto row : {headers, payloads}) {
    for (std::size_t at = 0; at < row.size(); ++at) {
      for (unsigned bit = 0; bit < 8; ++bit, ++bits) {
        row[at] ^= static_cast<std::uint8_t>(1u << bit);
        if (group.rows_match(batch)) ++missed;
        row[at] ^= static_cast<std::uint8_t>(1u << bit);
      }
    }
  }
  CHECK(missed == 0);
  CHECK(bits > 5'000);
  CHECK(group.rows_match(batch));
}
