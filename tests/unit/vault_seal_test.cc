#include <array>
#include <chrono>
#include <future>
#include <set>
#include <thread>

#include "crypto/aead.h"
#include "crypto/hmac.h"
#include "support/catch.h"
#include "support/vault_world.h"
#include "vault/leaf_pool.h"

using namespace siegel;
using namespace siegel::test;

namespace {

VaultWorld& opened(VaultWorld& world) {
  REQUIRE(world.create());
  REQUIRE(world.open());
  return world;
}

}  // namespace

TEST_CASE("a sealed part opens for the owner that a receipt covers, and for a job", "[unit][vault]") {
  VaultWorld world(1);
  opened(world);
  const auto person = world.add();
  CHECK(world.readable(person));
  const auto body = world.vault->open(Receipts::system(), person.header, 1, person.stored());
  REQUIRE(body);
  CHECK(as_chars(body->view()) == person.text);
  CHECK(world.vault->counters().sealed == 1);
  CHECK(world.vault->counters().opened == 2);
}

TEST_CASE("an owner that no receipt covers is denied", "[unit][vault]") {
  VaultWorld world(2);
  opened(world);
  const auto person = world.add();
  const auto other = world.add();
  const auto refused = world.vault->open(Receipts::access({other.owner}), person.header, 1, person.stored());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().category() == Errc::denied);
  CHECK(refused.error().is("receipt_missing"));
  CHECK_FALSE(world.vault->open(Receipts::access({}), person.header, 1, person.stored()));
  const auto row = world.vault->seal_row(person.slot, "records", as_bytes("row 1"), as_bytes(person.text));
  REQUIRE(row);
  CHECK(world.vault
            ->open_row(Receipts::access({other.owner}), person.owner, person.slot, "records", as_bytes("row 1"), *row)
            .error()
            .is("receipt_missing"));
}

TEST_CASE("a part opens at its own place only", "[unit][vault]") {
  VaultWorld world(3);
  opened(world);
  const auto person = world.add();
  const auto receipt = Receipts::system();
  const auto damaged = [&](const Header& header, std::uint16_t part, const StoredPart& stored) {
    const auto body = world.vault->open(receipt, header, part, stored);
    return !body && body.error().is("box_damaged");
  };
  CHECK(damaged(person.header, 2, person.stored()));
  auto header = person.header;
  header.id = new_event_id(world.random);
  CHECK(damaged(header, 1, person.stored()));
  header = person.header;
  header.schema = 4;
  CHECK(damaged(header, 1, person.stored()));
  auto stored = person.stored();
  stored.envelope.cls = ClassNo(8);
  CHECK(damaged(person.header, 1, stored));
  stored = person.stored();
  stored.envelope.slot = world.add().slot;
  CHECK(damaged(person.header, 1, stored));
  Bytes changed = person.part.ciphertext;
  changed[changed.size() / 2] ^= 1;
  stored = person.stored();
  stored.ciphertext = changed;
  CHECK(damaged(person.header, 1, stored));
}

TEST_CASE("a slot that was never given out is refused", "[unit][vault]") {
  VaultWorld world(4);
  opened(world);
  for (const std::uint64_t slot : {std::uint64_t{1} << 29, std::uint64_t{1} << 30, ~std::uint64_t{0}}) {
    CHECK(world.vault->seal_row(Slot(slot), "x", {}, {}).error().is("slot_unknown"));
    CHECK_FALSE(world.vault->living(Slot(slot)));
  }
}

TEST_CASE("rows open under their projection, row and slot only", "[unit][vault]") {
  VaultWorld world(5);
  opened(world);
  const auto person = world.add();
  const auto row = as_bytes("row 17");
  const auto body = as_bytes("made-up value");
  const auto first = world.vault->seal_row(person.slot, "records", row, body).value();
  const auto second = world.vault->seal_row(person.slot, "records", row, body).value();
  CHECK(first != second);
  const auto open = [&](Slot slot, std::string_view projection, ByteView at, ByteView sealed) {
    return world.vault->open_row(Receipts::system(), slot, projection, at, sealed);
  };
  REQUIRE(open(person.slot, "records", row, first));
  CHECK(equal(open(person.slot, "records", row, second)->view(), body));
  CHECK(open(person.slot, "subjects", row, first).error().is("box_damaged"));
  CHECK(open(person.slot, "records", as_bytes("row 18"), first).error().is("box_damaged"));
  CHECK(open(world.add().slot, "records", row, first).error().is("box_damaged"));
  CHECK(open(person.slot, "records", row, ByteView(first).first(5)).error().is("box_damaged"));
  CHECK(world.vault->open_row(Receipts::access({person.owner}), person.owner, person.slot, "records", row, first));
}

TEST_CASE("a day's keys: same MAC all day, sealed values, nothing after its end", "[unit][vault]") {
  VaultWorld world(6);
  opened(world);
  const auto day = world.vault->new_leaf().value();
  const auto other = world.vault->new_leaf().value();
  CHECK(world.vault->day_mac(day, as_bytes("key")).value() == world.vault->day_mac(day, as_bytes("key")).value());
  CHECK(world.vault->day_mac(day, as_bytes("key")).value() != world.vault->day_mac(other, as_bytes("key")).value());
  const auto nonce = SeededRandom(6).array<12>();
  const auto sealed = world.vault->day_seal(day, nonce, as_bytes("answer")).value();
  CHECK(as_chars(world.vault->day_open(day, nonce, sealed)->view()) == "answer");
  CHECK(world.vault->day_open(other, nonce, sealed).error().is("box_damaged"));
  const vault::Fence fence{.request = 1, .slots = {day}};
  REQUIRE(world.vault->fence(fence));
  REQUIRE(world.vault->erase({&fence, 1}));
  CHECK(world.vault->day_mac(day, as_bytes("key")).error().is("erased"));
  CHECK(world.vault->day_open(day, nonce, sealed).error().is("erased"));
}

TEST_CASE("a trace holds nothing, and a removed part is erased", "[unit][vault]") {
  VaultWorld world(7);
  opened(world);
  const auto person = world.add();
  const auto trace = world.vault->trace(person.slot, ClassNo(9), person.owner);
  CHECK(trace.ciphertext.empty());
  CHECK(trace.envelope.slot == person.slot);
  CHECK(trace.envelope.salt != world.vault->trace(person.slot, ClassNo(9), person.owner).envelope.salt);
  const StoredPart looked{.hash = {}, .removed = false, .envelope = trace.envelope, .ciphertext = {}};
  CHECK(world.vault->open(Receipts::access({person.owner}), person.header, 1, looked)->size() == 0);
  const StoredPart removed{.hash = {}, .removed = true, .envelope = {}, .ciphertext = {}};
  CHECK(world.vault->open(Receipts::access({}), person.header, 1, removed).error().is("erased"));
}

TEST_CASE("slots are given out once, at random, and not again after a restart", "[unit][vault]") {
  VaultWorld world(8);
  opened(world);
  std::set<std::uint64_t> given;
  std::uint64_t ascending = 0;
  std::uint64_t last = 0;
  std::uint64_t highest = 0;
  for (int life = 0; life < 3; ++life) {
    const auto from = highest;
    for (int i = 0; i < 300; ++i) {
      const auto slot = world.vault->new_leaf().value().get();
      REQUIRE(given.insert(slot).second);
      REQUIRE((life == 0 || slot > from));
      ascending += slot > last ? 1 : 0;
      last = slot;
      highest = std::max(highest, slot);
    }
    world.close();
    REQUIRE(world.open());
  }
  CHECK(ascending < 700);  // 900 in order, 450 by chance
}

TEST_CASE("whoever draws a slot does not wait for a replica that hangs", "[unit][vault]") {
  SystemRandom random;
  vault::LeafPool pool(64, random, std::chrono::milliseconds(50));  // nobody fills it
  std::vector<std::future<Result<Slot>>> takers;
  for (int i = 0; i < 3; ++i) takers.push_back(std::async(std::launch::async, [&] { return pool.take(); }));
  for (auto& taker : takers) CHECK(taker.get().error().is("keys_replica_unavailable"));
  vault::LeafPool patient(64, random, std::chrono::hours(1));
  patient.fail(pool.take().error());  // known to hang: nobody else waits
  CHECK(patient.take().error().is("keys_replica_unavailable"));
  // The disk answers again.
  pool.add(7, 1);
  const auto slot = pool.take();
  REQUIRE(slot);
  CHECK(slot->get() / vault::kFanOut == 7);
}

TEST_CASE("keys come from the tree when the cache is too small for them", "[unit][vault]") {
  VaultWorld world(9, {.spare_leaves = 256, .key_cache_bytes_max = 16 * 1024});
  opened(world);
  std::vector<Person> people;
  for (int i = 0; i < 600; ++i) people.push_back(world.add());
  CHECK(world.vault->counters().cached_keys < 600);
  CHECK(world.vault->counters().cached_keys > 0);
  for (const auto& person : people) REQUIRE(world.readable(person));
  world.close();
  REQUIRE(world.open());
  for (const auto& person : people) REQUIRE(world.readable(person));
}

TEST_CASE("interior nodes go from memory 60 s after their last use", "[unit][vault]") {
  VaultWorld world(10);
  opened(world);
  const auto person = world.add();
  REQUIRE(world.vault->counters().cached_nodes > 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (world.vault->counters().cached_nodes > 0 && std::chrono::steady_clock::now() < deadline) {
    world.clock.advance(61'000);  // again and again: the pool may have been filled meanwhile, which is a use
    std::this_thread::yield();
  }
  CHECK(world.vault->counters().cached_nodes == 0);
  CHECK(world.readable(person));
}

TEST_CASE("G33 leaf keys are 256 random bits, and no key seals twice under one nonce", "[unit][proof][G33]") {
  VaultWorld world(11, {.keep_every_byte = true});
  opened(world);
  std::vector<Person> people;
  for (int i = 0; i < 200; ++i) people.push_back(world.add());
  // Three more parts under one leaf, so that part keys of one leaf are compared too.
  for (std::uint16_t part = 2; part < 5; ++part) {
    auto more = people.front();
    more.part =
        world.vault->seal(more.slot, more.header.id, part, ClassNo(7), more.owner, 3, as_bytes(more.text)).value();
    people.push_back(more);
  }
  REQUIRE(world.erase(1, {people[1], people[2]}));
  const auto roots = world.present_roots();
  REQUIRE(roots.size() == 1);
  const auto thief = world.thief();

  std::set<Hash> leaf_keys;
  const auto reach = thief.reach(roots[0].key);
  REQUIRE(reach.size() >= 256 - 2);
  for (const auto& [slot, keys] : reach) {
    for (const auto& key : keys) CHECK(leaf_keys.insert(key).second);
  }
  std::array<unsigned, 256> ones{};
  for (const auto& key : leaf_keys) {
    for (unsigned bit = 0; bit < 256; ++bit) ones[bit] += (key[bit / 8] >> (bit % 8)) & 1;
  }
  for (const auto count : ones) CHECK((count > leaf_keys.size() / 4 && count < leaf_keys.size() * 3 / 4));

  // Parts: the derivation as the format says it, the nonce zeros. Each derived key opens its part, and none comes
  // twice.
  std::set<Hash> part_keys;
  std::uint16_t number = 1;
  for (std::size_t i = 0; i < people.size(); ++i) {
    if (i == 1 || i == 2) continue;
    number = i < 200 ? 1 : static_cast<std::uint16_t>(i - 198);
    const auto& person = people[i];
    const auto& leaf = *reach.at(person.slot.get()).begin();
    const auto key = hmac_sha256(leaf, {as_bytes("part"), person.header.id.get(), be(number)});
    REQUIRE(part_keys.insert(key).second);
    Bytes aad = to_bytes(as_bytes("siegel/part/1"));
    append(aad, world.tree.get());
    append(aad, person.header.id.get());
    append_be(aad, number);
    append_be(aad, std::uint32_t{7});
    append_be(aad, std::uint16_t{3});
    Bytes plain(person.part.ciphertext.size() - 16);
    REQUIRE(aes_gcm_open(SecretKey(key), Nonce{}, aad, person.part.ciphertext, plain));
    CHECK(as_chars(ByteView(plain).subspan(36, person.text.size())) == person.text);
  }
  // Nodes: random nonces.
  for (const auto& [pair, rows] : thief.seals(roots[0].key)) CHECK(rows.size() == 1);
  // Rows: random nonces.
  std::set<Bytes> nonces;
  for (int i = 0; i < 1000; ++i) {
    auto row = world.vault->seal_row(people[0].slot, "records", {}, {}).value();
    row.resize(12);
    CHECK(nonces.insert(row).second);
  }
}
