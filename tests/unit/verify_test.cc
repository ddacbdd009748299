// Every kind of damage to a copy of a ledger is named: its cause and the first bad event.
#include "verify/verify.h"

#include <chrono>
#include <cstdlib>

#include "codec/header_codec.h"
#include "codec/parts.h"
#include "proof/checkpoint.h"
#include "support/catch.h"
#include "support/seeded_random.h"

using namespace siegel;
using siegel::test::SeededRandom;
using verify::Cause;

namespace {

constexpr const char* kName = "ledger.example/verify";

NoteSigner signer_of(const char* name, std::uint8_t seed) {
  return NoteSigner::make(name, KeyType::ed25519, SecretKey(Bytes(32, seed))).value();
}

struct Event {
  Bytes header;
  std::optional<Bytes> parts;
};
struct Made {
  std::uint64_t seq = 0;
  std::uint64_t time = 0;
  std::size_t bytes = 150;  // of each of two ciphertexts
};
Event make_event(SeededRandom& random, const Made& made) {
  Event out;
  out.parts.emplace();
  std::vector<Hash> hashes;
  for (std::uint64_t i = 0; i < 2; ++i) {
    Envelope envelope;
    envelope.cls = ClassNo(1);
    envelope.owner = OwnerId(random.array<16>());
    envelope.slot = Slot(random.below(1000));
    envelope.number = i;
    envelope.salt = random.array<16>();
    const auto bytes = codec::encode(envelope);
    const Bytes ciphertext = random.bytes(made.bytes);
    codec::append_part(*out.parts, bytes, ciphertext);
    hashes.push_back(codec::part_hash(bytes, codec::inner_hash(ciphertext)));
  }
  Header header;
  header.type = EventType::record_added;
  header.seq = Seq(made.seq);
  header.time = TimeMs(made.time);
  header.id = EventId(random.array<16>());
  header.purpose = PurposeNo(1);
  header.record_type = TypeNo(1);
  header.keys_mark = KeysMark(1);
  header.part_count = 2;
  header.parts_digest = codec::parts_digest(hashes);
  out.header = codec::encode(header).value();
  return out;
}

// A copy in memory, with or without its tiles; `unreadable` makes one event an error of the disk.
class Copy final : public verify::Source {
 public:
  explicit Copy(std::vector<Event> all) : events(std::move(all)) {
    for (const auto& event : events) leaves.push_back(leaf_hash(event.header));
  }
  Result<bool> next(verify::StoredEvent& event) override {
    if (at_ == unreadable) return Error(Errc::corrupt, "row_damaged", "A row cannot be read.");
    if (at_ >= events.size()) return false;
    event.header = events[at_].header;
    event.parts.reset();
    if (events[at_].parts) event.parts = ByteView(*events[at_].parts);
    ++at_;
    return true;
  }
  const Hash* leaf(std::uint64_t index) override { return tiles && index < leaves.size() ? &leaves[index] : nullptr; }
  void start(std::uint64_t at) { at_ = at; }

  std::vector<Event> events;
  std::vector<Hash> leaves;
  bool tiles = true;
  std::optional<std::uint64_t> unreadable;

 private:
  std::uint64_t at_ = 0;
};

class StillClock final : public Clock {
 public:
  TimeMs now() override { return TimeMs(0); }
  std::chrono::nanoseconds steady() override { return std::chrono::steady_clock::now().time_since_epoch(); }
};

Hash root_over(const std::vector<Event>& events, std::uint64_t size) {
  CompactRange tree;
  for (std::uint64_t i = 0; i < size; ++i) tree.append(leaf_hash(events[i].header));
  return tree.root();
}

struct World {
  explicit World(std::uint64_t size = 300, std::uint64_t seed = 1) : random(seed) {
    for (std::uint64_t i = 0; i < size; ++i) events.push_back(make_event(random, {.seq = i, .time = 1'000 + i / 3}));
  }
  [[nodiscard]] std::string note(std::uint64_t size) const { return note(size, root_over(events, size)); }
  [[nodiscard]] std::string note(std::uint64_t size, const Hash& root) const {
    return sign_checkpoint(signer, {kName, size, root});
  }
  [[nodiscard]] verify::Options options() const {
    verify::Options out;
    out.verifier_key = format_verifier_key(signer.verifier());
    out.checkpoints.push_back({"checkpoint", note(events.size())});
    return out;
  }
  verify::Report check(Copy& copy) { return check(copy, options()); }
  verify::Report check(Copy& copy, const verify::Options& with) {
    auto report = verify::verify(copy, with, clock);
    REQUIRE(report);
    return std::move(*report);
  }

  SeededRandom random;
  NoteSigner signer = signer_of(kName, 7);
  StillClock clock;
  std::vector<Event> events;
};

void flip(Bytes& bytes, std::uint64_t bit) { bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8)); }

struct Expected {
  Cause cause{};
  std::uint64_t index = 0;
};
void check_first(const verify::Report& report, const Expected& expected) {
  INFO(verify::to_text(report));
  REQUIRE_FALSE(report.findings.empty());
  CHECK(report.exit() == static_cast<int>(expected.cause));
  CHECK(report.findings.front().cause == expected.cause);
  CHECK(report.findings.front().index == expected.index);
}

}  // namespace

TEST_CASE("V1 a whole ledger is intact, at every size around tiles", "[unit][verify][V1]") {
  for (const std::uint64_t size : {0, 1, 2, 255, 256, 257, 300}) {
    World world(size);
    Copy copy(world.events);
    const auto report = world.check(copy);
    INFO(verify::to_text(report));
    CHECK(report.intact());
    CHECK(report.exit() == 0);
    CHECK(report.size == size);
    CHECK(report.checked == size);
    CHECK(report.signed_size == size);
    CHECK(report.not_committed() == 0);
    CHECK(report.origin == kName);
  }
}

TEST_CASE("V2 every single flipped bit is found, with its event where tiles stand", "[unit][verify][V2]") {
  const std::uint64_t rounds = std::getenv("SIEGEL_LONG") != nullptr ? 10'000 : 1'000;
  World world(40);
  const auto options = world.options();
  for (const bool tiles : {true, false}) {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      const auto index = world.random.below(world.events.size());
      const bool in_header = world.random.below(2) == 0;
      Copy copy(world.events);
      copy.tiles = tiles;
      auto& bytes = in_header ? copy.events[index].header : *copy.events[index].parts;
      const auto bit = world.random.below(bytes.size() * 8);
      flip(bytes, bit);
      const auto report = world.check(copy, options);
      CAPTURE(tiles, in_header, index, bit, verify::to_text(report));
      REQUIRE_FALSE(report.intact());
      if (!in_header) {
        REQUIRE(report.exit() == 18);
        REQUIRE(report.findings.front().index == index);
      } else if (tiles) {
        REQUIRE(report.exit() == 12);
        REQUIRE(report.findings.size() == 1);
        REQUIRE(report.findings.front().index == index);
      } else {
        REQUIRE(report.findings.front().index <= index);
      }
    }
  }
}

TEST_CASE("V2 a flipped bit of a checkpoint or of a stored hash is found", "[unit][verify][V2]") {
  World world(20);
  for (int round = 0; round < 500; ++round) {
    Copy copy(world.events);
    auto options = world.options();
    auto& note = options.checkpoints[0].note;
    Bytes bytes = to_bytes(as_bytes(note));
    flip(bytes, world.random.below(bytes.size() * 8));
    note = as_chars(bytes);
    const auto report = world.check(copy, options);
    REQUIRE((report.exit() == 10 || report.exit() == 11));
  }
  Copy copy(world.events);
  copy.leaves[5][3] ^= 1;
  const auto report = world.check(copy);
  check_first(report, {Cause::entry_changed, 5});
  CHECK(report.findings[0].detail.find("stored hash") != std::string::npos);
}

TEST_CASE("V1 dropped, swapped, doubled and late events are named", "[unit][verify][V1]") {
  World world;
  const bool tiles = GENERATE(true, false);
  CAPTURE(tiles);
  Copy copy(world.events);
  copy.tiles = tiles;
  SECTION("dropped") {
    copy.events.erase(copy.events.begin() + 17, copy.events.begin() + 20);
    const auto report = world.check(copy);
    check_first(report, {Cause::missing, 17});
    CHECK(report.findings[0].until == 20);
    CHECK(report.findings.size() == 1);
    CHECK(report.size == 300);
  }
  SECTION("swapped") {
    std::swap(copy.events[40], copy.events[41]);
    check_first(world.check(copy), {Cause::order, 40});
  }
  SECTION("doubled") {
    copy.events.insert(copy.events.begin() + 50, copy.events[30]);
    check_first(world.check(copy), {Cause::order, 50});
  }
  SECTION("truncated") {
    copy.events.resize(280);
    const auto report = world.check(copy);
    check_first(report, {Cause::missing, 280});
    CHECK(report.findings[0].until == 300);
  }
  SECTION("first one dropped") {
    copy.events.erase(copy.events.begin());
    check_first(world.check(copy), {Cause::missing, 0});
  }
  SECTION("parts gone") {
    copy.events[9].parts.reset();
    check_first(world.check(copy), {Cause::missing, 9});
  }
  SECTION("a part removed, and no event says so") {
    const auto stored = codec::decode_parts(*world.events[9].parts).value();
    Bytes record;
    codec::append_part(record, codec::encode(stored[0].envelope), stored[0].ciphertext);
    codec::append_removed_part(record, stored[1].hash);
    copy.events[9].parts = record;
    check_first(world.check(copy), {Cause::missing, 9});
  }
  SECTION("parts of another event") {
    std::swap(copy.events[9].parts, copy.events[10].parts);
    check_first(world.check(copy), {Cause::payload, 9});
  }
  SECTION("unreadable") {
    copy.unreadable = 100;
    check_first(world.check(copy), {Cause::unreadable, 100});
  }
}

TEST_CASE("V1 a forged event is found, exactly or between two checkpoints", "[unit][verify][V1]") {
  World world;
  auto options = world.options();
  options.checkpoints.push_back({"earlier", world.note(100)});
  Copy copy(world.events);
  copy.tiles = GENERATE(true, false);
  copy.events[150] = make_event(world.random, {.seq = 150, .time = 1'050});
  const auto report = world.check(copy, options);
  INFO(verify::to_text(report));
  CHECK(report.exit() == 12);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].index == (copy.tiles ? 150 : 100));
  CHECK(report.findings[0].until == (copy.tiles ? 151 : 300));
}

TEST_CASE("T1 time that goes back is named, though it was signed", "[unit][verify][T1]") {
  World world;
  world.events[77] = make_event(world.random, {.seq = 77, .time = 3});
  Copy copy(world.events);
  const auto report = world.check(copy);
  check_first(report, {Cause::order, 77});
  CHECK(report.findings.size() == 1);
  CHECK(report.signed_size == 300);
}

TEST_CASE("V1 a wrong key, another origin and no checkpoint at all are signature findings", "[unit][verify][V1]") {
  World world(10);
  Copy copy(world.events);
  auto options = world.options();
  SECTION("wrong key") { options.verifier_key = format_verifier_key(signer_of(kName, 8).verifier()); }
  SECTION("other name") { options.verifier_key = format_verifier_key(signer_of("ledger.example/other", 7).verifier()); }
  SECTION("none") { options.checkpoints.clear(); }
  SECTION("origin is not the key's name") {
    options.checkpoints[0].note =
        format_note({.text = format_checkpoint({"ledger.example/else", 10, root_over(world.events, 10)}),
                     .signatures = {sign_note(
                         world.signer, format_checkpoint({"ledger.example/else", 10, root_over(world.events, 10)}))}});
  }
  CHECK(world.check(copy, options).exit() == 11);
}

TEST_CASE("R4 an earlier checkpoint tells fork, roll-back and truncation apart", "[unit][verify][R4]") {
  World world;
  World other(300, 2);  // the same key, another history
  auto options = world.options();
  Copy copy(world.events);
  SECTION("a fork behind an older checkpoint") {
    options.checkpoints.push_back({"kept", other.note(200), verify::SignedHead::Kept::elsewhere});
    const auto report = world.check(copy, options);
    CHECK(report.exit() == 15);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].until == 200);
  }
  SECTION("a fork of the same size") {
    options.checkpoints.push_back({"kept", other.note(300), verify::SignedHead::Kept::elsewhere});
    CHECK(world.check(copy, options).exit() == 15);
  }
  SECTION("a roll-back: an older copy with its own checkpoint") {
    copy.events.resize(200);
    options.checkpoints[0].note = world.note(200);
    options.checkpoints.push_back({"kept", world.note(300), verify::SignedHead::Kept::elsewhere});
    check_first(world.check(copy, options), {Cause::roll_back, 200});
  }
  SECTION("a truncation: its own checkpoint is of more") {
    copy.events.resize(200);
    options.checkpoints.push_back({"kept", world.note(250), verify::SignedHead::Kept::elsewhere});
    check_first(world.check(copy, options), {Cause::missing, 200});
  }
  SECTION("an earlier one of the same history is fine") {
    options.checkpoints.push_back({"kept", world.note(123), verify::SignedHead::Kept::elsewhere});
    const auto report = world.check(copy, options);
    CHECK(report.intact());
    CHECK(report.checkpoints == 2);
  }
}

TEST_CASE("V2 what no signature covers is said, and held against the copy's own claim", "[unit][verify][V2]") {
  World world;
  auto options = world.options();
  options.checkpoints[0].note = world.note(250);
  options.claim = verify::Claim{300, root_over(world.events, 300)};
  Copy copy(world.events);
  SECTION("intact") {
    const auto report = world.check(copy, options);
    CHECK(report.intact());
    CHECK(report.not_committed() == 50);
    CHECK(verify::to_json(report).find("\"not_committed\":[{\"index\":250,\"until\":300}]") != std::string::npos);
    CHECK(verify::to_text(report).find("not yet signed here: events 250 to 299. Nothing is lost") != std::string::npos);
    CHECK(verify::to_json(report).find("lock_record") == std::string::npos);  // nobody looked for one
  }
  SECTION("a missing lock record is a note") {
    options.checkpoints[0].note = world.note(300);
    auto report = world.check(copy, options);
    report.lock_record = verify::Report::LockRecord::missing;
    CHECK(report.exit() == 0);
    CHECK(verify::to_json(report).find("\"lock_record\":\"missing\"") != std::string::npos);
    CHECK(verify::to_text(report).find("the lock record (DIR.outside/head) is missing") != std::string::npos);
  }
  SECTION("bytes of a file in which no event stands") {
    options.checkpoints[0].note = world.note(300);
    auto report = world.check(copy, options);
    report.unchecked = {{"000012.log", 4'711, 4'800}};
    CHECK(report.exit() == 0);
    CHECK(verify::to_json(report).find("\"not_committed\":[{\"file\":\"000012.log\",\"from\":4711,\"until\":4800}]") !=
          std::string::npos);
    CHECK(verify::to_text(report).find("not committed to: 000012.log, bytes 4711 to 4799") != std::string::npos);
  }
  SECTION("changed behind the signature") {
    copy.tiles = false;
    copy.events[280] = make_event(world.random, {.seq = 280, .time = 1'093});
    check_first(world.check(copy, options), {Cause::entry_changed, 250});
  }
}

TEST_CASE("V1 the check may begin at a later event", "[unit][verify][V1]") {
  World world(600);
  auto options = world.options();
  options.from = 512;
  Copy copy(world.events);
  copy.start(512);
  SECTION("intact") {
    const auto report = world.check(copy, options);
    CHECK(report.intact());
    CHECK(report.checked == 88);
  }
  SECTION("a stored hash before it is wrong") {
    copy.leaves[3][0] ^= 1;
    CHECK(world.check(copy, options).exit() == 12);
  }
}

TEST_CASE("S5 speed of the check", "[.][verify][S5]") {
  World world(100'000);
  Copy copy(world.events);
  const auto report = world.check(copy);
  CHECK(report.intact());
  WARN(report.events_per_second());
}
