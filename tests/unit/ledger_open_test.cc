// Opening: what is found is checked, the tail is signed again, and the lock record decides whether anything is written.
#include "codec/header_codec.h"
#include "ledger/layout.h"
#include "ledger/signer.h"
#include "proof/checkpoint.h"
#include "store/file.h"
#include "support/ledger_world.h"
#include "support/temp_dir.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::ledger;

namespace {

using Codes = std::vector<std::string>;

void erase_row(Store& store, Family family, ByteView key) {
  Batch batch;
  batch.erase(family, key);
  REQUIRE(store.write(batch, Sync::yes));
}
void put_row(Store& store, Family family, ByteView key, ByteView value) {
  Batch batch;
  batch.put(family, key, value);
  REQUIRE(store.write(batch, Sync::yes));
}

Head head_of(Store& store) { return *decode_head(**store.get(kHead, as_bytes(kHeadKey))); }

}  // namespace

TEST_CASE("A ledger is made once, by name, and needs its first lock record", "[unit][ledger][R1]") {
  LedgerWorld world;
  CHECK(Ledger::create(world.store, world.options).error().is("exists"));
  MemoryStore empty(Ledger::families().size());
  auto options = world.options;
  options.origin = "two words";
  CHECK(Ledger::create(empty, options).error().is("origin_malformed"));
  CHECK(Ledger::open(std::make_unique<LentStore>(empty), world.options, world.signer, world.clock)
            .error()
            .is("ledger_missing"));
  options = world.options;
  options.id = LedgerId({1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(Ledger::open(std::make_unique<LentStore>(world.store), options, world.signer, world.clock)
            .error()
            .is("other_ledger"));

  auto ledger = world.open();
  CHECK(ledger->read_only().empty());
  CHECK(ledger->size() == TreeSize(0));
  CHECK(ledger->epoch() == Epoch(0));
  CHECK(world.lock_record() == ledger->checkpoint());
}

TEST_CASE("Epoch, keys mark, time and checkpoint are there again after a new start", "[unit][ledger][open]") {
  LedgerWorld world;
  auto ledger = world.open();
  ErasureEffectiveFacts facts;
  facts.old_epoch = 41;
  facts.new_epoch = 42;
  const auto prepared = GENERATE(false, true);
  REQUIRE(append_bulk(*ledger, world.random, 1,
                      {.type = EventType::erasure_effective, .facts = facts, .prepared = prepared}));
  CHECK(ledger->epoch() == Epoch(42));
  std::vector<Draft> drafts;
  drafts.push_back(make_draft(world.random));
  REQUIRE(submit(*ledger, std::move(drafts), {.mark = 9, .estimate = 1}).get());
  REQUIRE(append_bulk(*ledger, world.random, 1));  // relies on batch 1 only: the mark stays
  CHECK(ledger->keys_mark() == KeysMark(9));
  const auto note = ledger->checkpoint();
  ledger.reset();
  ledger = world.open();
  CHECK(ledger->epoch() == Epoch(42));
  CHECK(ledger->keys_mark() == KeysMark(9));
  CHECK(ledger->checkpoint() == note);
  CHECK(codec::decode_header(ledger->read(Seq(2))->header)->keys_mark == KeysMark(9));
}

TEST_CASE("I1 a tail that was written but not signed is signed at open to the same bytes", "[unit][ledger][D2]") {
  LedgerWorld world, twin;  // the same seeds: the same events
  auto ledger = world.open();
  auto other = twin.open();
  world.signer.before = []() -> Status { return Error(Errc::unavailable, "io_error", "Killed before signing."); };
  CHECK(!append_bulk(*ledger, world.random, 5));
  REQUIRE(append_bulk(*other, twin.random, 5));
  ledger.reset();
  CHECK(world.lock_record() != other->checkpoint());  // never ahead
  world.signer.before = {};
  ledger = world.open();
  CHECK(ledger->size() == TreeSize(5));
  CHECK(ledger->checkpoint() == other->checkpoint());
  ledger->close();
  CHECK(world.lock_record() == other->checkpoint());
}

TEST_CASE("I1 what is found at open is synced before it is signed, and if that fails it opens read-only",
          "[unit][ledger][D1]") {
  LedgerWorld world;
  REQUIRE(append_each(*world.open(), world.random, 2));
  std::vector<std::string> steps;
  bool fails = false;
  world.before_write = [&](const Batch& batch, Sync sync) -> Status {
    steps.push_back(batch.empty() && sync == Sync::yes ? "sync" : "write");
    if (fails) return Error(Errc::unavailable, "disk_full", "No room.");
    return Done{};
  };
  world.signer.before = [&]() -> Status {
    steps.push_back("sign");
    return Done{};
  };
  CHECK(world.open(LedgerWorld::Start::no)->read_only().empty());
  CHECK(steps == Codes{"sync", "sign"});
  steps.clear();
  fails = true;
  auto ledger = world.open();
  CHECK(world.reasons(*ledger) == Codes{"disk_full"});
  CHECK(steps == Codes{"sync"});
  CHECK(!append_bulk(*ledger, world.random, 1));
  CHECK(ledger->read(Seq(1)));
}

TEST_CASE("Damage at the edge refuses to open, whatever it is", "[unit][ledger][open]") {
  LedgerWorld world;
  {
    auto ledger = world.open();
    REQUIRE(append_bulk(*ledger, world.random, 700));
    REQUIRE(append_each(*ledger, world.random, 3));
  }
  auto& store = world.store;
  const auto head = head_of(store);
  REQUIRE(head.size == TreeSize(703));
  const auto rewrite = [&](auto&& change) {
    auto other = head;
    change(other);
    put_row(store, kHead, as_bytes(kHeadKey), encode(other));
  };
  const auto flip = [&](Family family, ByteView key, std::size_t from_end) {
    auto row = **store.get(family, key);
    row[row.size() - from_end] ^= 1;
    put_row(store, family, key, row);
  };
  std::string what = "ledger_damaged";
  SECTION("no head row") { erase_row(store, kHead, as_bytes(kHeadKey)); }
  SECTION("a head row cut short") { put_row(store, kHead, as_bytes(kHeadKey), ByteView(encode(head)).first(60)); }
  SECTION("a head row of a newer format") {
    auto bytes = encode(head);
    bytes[1] = 2;
    put_row(store, kHead, as_bytes(kHeadKey), bytes);
    what = "format_newer";
  }
  SECTION("another frontier") {
    rewrite([](Head& h) { h.frontier.back()[0] ^= 1; });
  }
  SECTION("another time") {
    rewrite([](Head& h) { h.time = TimeMs(1); });
  }
  SECTION("another keys mark") {
    rewrite([](Head& h) { h.keys_mark = KeysMark(0); });
  }
  SECTION("the newest event is gone") { erase_row(store, kHeaders, row_key(Seq(702))); }
  SECTION("an event of the open tile is gone") { erase_row(store, kHeaders, row_key(Seq(701))); }
  SECTION("the row at the edge of the open tile is gone") { erase_row(store, kHeaders, row_key(Seq(512))); }
  SECTION("the newest parts are gone") { erase_row(store, kPayloads, row_key(Seq(702))); }
  SECTION("a header more than the head row says") {
    put_row(store, kHeaders, row_key(Seq(703)), **store.get(kHeaders, row_key(Seq(702))));
  }
  SECTION("parts without a header") {
    put_row(store, kPayloads, row_key(Seq(703)), **store.get(kPayloads, row_key(Seq(702))));
  }
  SECTION("a bit of the newest header") { flip(kHeaders, row_key(Seq(702)), 1); }
  SECTION("a bit of a header in the open tile") { flip(kHeaders, row_key(Seq(512)), 40); }
  SECTION("a full tile is gone") { erase_row(store, kTiles, tile_key(0, 1)); }
  SECTION("a bit of a full tile") { flip(kTiles, tile_key(0, 0), 1); }
  SECTION("the newest note is of another tree") {
    const auto note = world.signer.sign({TreeSize(702), Hash{}});
    put_row(store, kCheckpoints, as_bytes(kNewestKey), as_bytes(*note));
  }
  SECTION("the newest note is no note") { put_row(store, kCheckpoints, as_bytes(kNewestKey), as_bytes("x")); }
  const auto opened = world.try_open();
  REQUIRE(!opened);
  INFO(opened.error().text());
  CHECK(opened.error().is(what));
  CHECK(opened.error().category() == Errc::corrupt);
}

TEST_CASE("R1 a lock record missing, damaged, ahead or of another tree opens read-only, signs nothing, and is adopted",
          "[unit][ledger][R1]") {
  LedgerWorld world;
  LedgerWorld longer;  // the same seeds: the same ledger, two events longer
  LedgerWorld forked(99);
  for (auto* one : {&world, &longer, &forked}) REQUIRE(append_each(*one->open(), one->random, 4));
  REQUIRE(append_each(*longer.open(), longer.random, 2));
  REQUIRE(append_each(*world.open(), world.random, 1));  // the fork lies at 4 of 5
  const auto good = world.lock_record();

  std::string reason;
  std::vector<std::string> values;
  SECTION("missing") {
    REQUIRE(world.files->remove("/outside/head"));
    reason = "lock_record_missing";
    values = {"ledger size 5"};
  }
  SECTION("ahead of the ledger") {
    world.put_lock_record(longer.lock_record());
    reason = "behind_lock_record";
    values = {"lock record size 6", "ledger size 5"};
  }
  SECTION("equal size, other root") {
    REQUIRE(append_each(*forked.open(), forked.random, 1));
    world.put_lock_record(forked.lock_record());
    reason = "fork";
    values = {"lock record size 5", "ledger size 5"};
  }
  SECTION("smaller size, other root there") {
    world.put_lock_record(forked.lock_record());
    reason = "fork";
    values = {"lock record size 4", "ledger size 5"};
  }
  SECTION("a bit of its signature") {
    auto damaged = good;
    damaged[damaged.size() - 20] = damaged[damaged.size() - 20] == 'A' ? 'B' : 'A';
    world.put_lock_record(damaged);
    reason = "lock_record_damaged";
  }
  SECTION("empty") {
    world.put_lock_record("");
    reason = "lock_record_damaged";
  }
  SECTION("of the same old copy as the ledger, when another place has seen a larger one") {
    world.options.size_known = TreeSize(6);
    reason = "behind_keys";
    values = {"keys store size 6", "ledger size 5"};
  }
  SECTION("of another signer") {
    CountingSigner other("ledger.example/other");
    world.put_lock_record(*other.sign({TreeSize(5), Hash{}}));
    reason = "lock_record_damaged";
  }

  const auto found = world.files->read_file("/outside/head", 4096);
  const auto signatures = world.heads.signatures();
  auto ledger = world.open();
  REQUIRE(world.reasons(*ledger) == Codes{reason});
  CHECK(ledger->doubts().size() == 1);
  for (const auto& value : values) CHECK_THAT(ledger->read_only()[0].detail, contains(value));
  const auto refused = append_bulk(*ledger, world.random, 1);
  REQUIRE(!refused);
  CHECK(refused.error().is("read_only"));
  CHECK(*refused.error().find("reason") == reason);
  CHECK(ledger->size() == TreeSize(5));
  CHECK(ledger->read(Seq(4)));
  CHECK(ledger->inclusion(Seq(0), TreeSize(5)));
  CHECK(ledger->checkpoint_at(TreeSize(3)).error().is("read_only"));
  CHECK(ledger->statement("A word of a ledger in doubt\n").error().is("read_only"));
  CHECK(open_checkpoint(ledger->checkpoint(), world.signer.verifier()));  // the one in the store
  CHECK(world.heads.signatures() == signatures);
  ledger.reset();
  CHECK(world.files->read_file("/outside/head", 4096).has_value() == found.has_value());
  if (found) CHECK(*world.files->read_file("/outside/head", 4096) == *found);  // nothing touched it

  ledger = world.open(LedgerWorld::Start::no);
  REQUIRE(ledger->adopt_lock_record());
  CHECK(ledger->read_only().empty());
  CHECK(world.lock_record() == ledger->checkpoint());
  REQUIRE(ledger->start());
  REQUIRE(append_bulk(*ledger, world.random, 1));
  CHECK(audit(*ledger, world.signer.verifier()) == "");
}

TEST_CASE("R1 a running ledger takes writes again after adoption", "[unit][ledger][R1]") {
  LedgerWorld world;
  REQUIRE(world.files->remove("/outside/head"));
  auto ledger = world.open();
  CHECK(!append_bulk(*ledger, world.random, 1));
  REQUIRE(ledger->adopt_lock_record());
  CHECK(append_bulk(*ledger, world.random, 1));
  REQUIRE(ledger->adopt_lock_record());  // nothing to do
}

TEST_CASE("I12 the lock record follows within a second, and a failing disk outside stops nobody",
          "[unit][ledger][R1]") {
  LedgerWorld world;
  auto ledger = world.open();
  REQUIRE(append_each(*ledger, world.random, 5));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (ledger->counters().lock_record_size < 5 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(world.lock_record() == ledger->checkpoint());
  world.disk.plan({.io_error_at_call = 1});
  REQUIRE(append_each(*ledger, world.random, 1));
  while (ledger->counters().lock_record_failures == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(ledger->counters().lock_record_failures == 1);
  REQUIRE(append_each(*ledger, world.random, 1));
  ledger->close();  // tries once more
  CHECK(world.lock_record() == ledger->checkpoint());
  CHECK(ledger->counters().lock_record_size == 7);
}

TEST_CASE("The signing key is a file in note form, made once, for its owner alone", "[unit][ledger][F5]") {
  TempDir dir;
  SystemFiles files;
  SeededRandom random(5);
  const auto path = dir.path() / "signer";
  CHECK(FileSigner::load(files, path).error().is("file_missing"));
  CHECK(make_signer_key(files, path, "bad name", random).error().is("key_name_malformed"));
  REQUIRE(make_signer_key(files, path, kOrigin, random));
  CHECK(make_signer_key(files, path, kOrigin, random).error().is("exists"));
  const auto mode = std::filesystem::status(path).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  const auto text = std::string(as_chars(*files.read_file(path, 4096)));
  CHECK(text.starts_with(std::string("PRIVATE+KEY+") + kOrigin + "+"));
  CHECK(text.ends_with("\n"));

  auto signer = FileSigner::load(files, path);
  REQUIRE(signer);
  CHECK((*signer)->origin() == kOrigin);
  const ledger::TreeHead head{TreeSize(5), Hash{7}};
  const auto note = (*signer)->sign(head);
  REQUIRE(note);
  CHECK(*note == *(*FileSigner::load(files, path))->sign(head));
  const auto opened = open_checkpoint(*note, *parse_verifier_key((*signer)->verifier_key()));
  REQUIRE(opened);
  CHECK(opened->checkpoint.size == 5);
  CHECK(opened->checkpoint.root == head.root);

  REQUIRE(files.write_file_durably(path, as_bytes("PRIVATE+KEY+x+00000000+AAAA\n"), 0600));
  CHECK(!FileSigner::load(files, path));
}
