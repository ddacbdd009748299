// What the service does with time: windows and terms, under a clock that goes by hand.
#include <atomic>
#include <future>
#include <numeric>
#include <thread>

#include "codec/header_codec.h"
#include "model/definitions.h"
#include "support/contacts_world.h"
#include "vault/keys_layout.h"
#include "vault/records.h"

using namespace siegel;
using namespace siegel::test;

namespace {

constexpr auto kOften = std::chrono::milliseconds(20);
constexpr std::uint64_t kDay = 86'400'000;

std::vector<Slot> leaves(ContactsWorld& w, const OwnerId& owner, ClassNo cls) {
  w.catch_up();
  std::vector<Slot> out;
  const auto row = w.views->owner(owner).value();
  if (!row) return out;
  for (const auto& leaf : row->leaves)
    if (leaf.cls == cls) out.push_back(leaf.slot);
  return out;
}

std::vector<service::Written> erase_people(ContactsWorld& w, int count) {
  std::vector<service::Written> out;
  for (int i = 0; i < count; ++i) out.push_back(must(w.add("Person " + std::to_string(i))));
  for (const auto& person : out) must(w.erase(*person.subject));
  return out;
}

// The erasure.effective events from here on.
std::vector<ErasureEffectiveFacts> effects(ContactsWorld& w, TreeSize from) {
  std::vector<ErasureEffectiveFacts> out;
  for (auto seq = from.get(); seq < w.ledger->size().get(); ++seq) {
    const auto header = must(codec::decode_header(must(w.ledger->read(Seq(seq))).header));
    if (const auto* facts = std::get_if<ErasureEffectiveFacts>(&header.facts)) out.push_back(*facts);
  }
  return out;
}

// Ends the notices in one epoch, whatever their number, and does not tell it: as the server once did.
void end_notices_at_once(ContactsWorld& w) {
  w.until([&] { return w.vault->untold().empty(); });
  std::vector<vault::Fence> fences;
  const auto notices = w.views->notices().value();
  for (const auto& notice : notices) fences.push_back({notice.request.get(), notice.slots});
  must(w.vault->fence(fences));
  must(w.vault->erase(fences));
}

// Nothing is left over, and erasures go on.
void check_ended(ContactsWorld& w, const std::vector<service::Written>& gone) {
  w.until([&] { return w.views->notices().value().empty(); });
  w.until([&] { return w.vault->untold().empty() && w.vault->fences().empty(); });
  CHECK(w.ledger->epoch() == w.vault->epoch());
  w.catch_up();
  for (const auto& person : gone) CHECK(code(w.read(*person.subject)) == "not_found");
  const auto next = must(w.add("Nora Beispiel"));
  CHECK(must(w.erase(*next.subject)).kind == service::Written::Kind::erasure_effective);
}

}  // namespace

TEST_CASE("EV-03 an idempotency key holds for seven days, then its key of the day is destroyed",
          "[unit][service][EV-03]") {
  ContactsWorld w(1, kOften);
  const auto first = must(w.add("Änne Beispiel", {}, "key-1"));
  const auto days = leaves(w, owner_of_ledger(), built_in::day_keys);
  REQUIRE(days.size() == 1);

  w.world.clock.advance(7 * kDay);
  const auto again = must(w.add("Änne Beispiel", {}, "key-1"));
  CHECK(again.replayed);
  CHECK(again.record == first.record);
  CHECK(w.vault->living(days.front()));

  w.world.clock.advance(kDay);
  w.until([&] { return !w.vault->living(days.front()); });
  const auto later = must(w.add("Änne Beispiel", {}, "key-1"));
  CHECK_FALSE(later.replayed);
  CHECK(later.record != first.record);
  CHECK(w.read(*first.record));  // no one's data went with it
}

TEST_CASE("what cannot end because the disk of the keys fails is told", "[unit][service]") {
  ContactsWorld w(12, kOften);
  const auto gone = must(w.add("Bert Beispiel"));
  must(w.erase(*gone.subject));
  w.catch_up();
  w.until([&] { return w.vault->untold().empty(); });  // the answer comes before the keys know that it was told
  const auto failure = [&] { return w.service->counters().erasure_failure; };
  CHECK(failure().code.empty());
  w.world.disk.plan({.space_bytes = 0});
  w.world.clock.advance(61 * kDay);
  w.until([&] { return failure() == service::ErasureFailure{"disk_full", false}; });
  w.world.disk.plan({});
  w.until([&] { return w.views->notices().value().empty() && failure().code.empty(); });
}

TEST_CASE("an erasure that a ledger without room cannot record is none that fails", "[unit][service]") {
  ContactsWorld w(13);
  std::atomic<bool> full{false};
  w.world.before_write = [&](const Batch&, Sync) -> Status {
    if (full) return Error(Errc::unavailable, "disk_full", "There is no room left.");
    return Done{};
  };
  w.service_options.erase_retry = kOften;
  w.close();
  w.open();
  w.until([&] { return w.service->status().search_ready; });
  const auto gone = must(w.add("Bert Beispiel"));
  w.vault->on_step = [&](int step) {
    if (step == 43) full = true;
  };
  CHECK_FALSE(w.erase(*gone.subject));
  w.until([&] { return !w.service->read_only().empty(); });
  CHECK(w.vault->untold().size() == 1);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(kOften);
    CHECK(w.service->counters().erasure_failure.code.empty());
  }
  w.vault->on_step = nullptr;
}

TEST_CASE("G36 an erasure answers the same while its notice lives, and nothing afterwards", "[unit][service][G36]") {
  ContactsWorld w(2, kOften);
  const auto gone = must(w.add("Bert Beispiel"));
  const auto stays = must(w.add("Cleo Beispiel"));
  const auto erased = must(w.erase(*gone.subject));
  CHECK(erased.kind == service::Written::Kind::erasure_effective);
  w.catch_up();
  CHECK(code(w.read(*gone.record)) == "erased");
  CHECK(code(w.read(*gone.subject)) == "erased");
  CHECK(must(w.erase(*gone.subject)).erasure == erased.erasure);
  const auto notices = leaves(w, owner_of(*gone.subject), built_in::erasure_notice);
  REQUIRE(notices.size() == 1);

  w.world.clock.advance(59 * kDay);
  std::this_thread::sleep_for(5 * kOften);
  CHECK(w.vault->living(notices.front()));

  w.world.clock.advance(2 * kDay);
  w.until([&] { return !w.vault->living(notices.front()); });
  w.until([&] { return w.views->notices().value().empty(); });
  w.catch_up();
  CHECK(code(w.read(*gone.record)) == "not_found");
  CHECK(code(w.read(*gone.subject)) == "not_found");
  CHECK(code(w.erase(*gone.subject)) == "not_found");
  CHECK(code(w.service->erasure(w.officer, *erased.erasure)) == "not_found");
  CHECK(w.read(*stays.record));
}

TEST_CASE("ER-04 an erasure takes every leaf, also one that comes while it is prepared", "[unit][service][ER-04]") {
  ContactsWorld w(3);
  for (int i = 0; i < 60; ++i) {
    CAPTURE(i);
    const auto first = must(w.add("Dora Beispiel"));
    auto other = std::async(std::launch::async, [&] { return w.add("DE00 1234", *first.subject, {}, "account"); });
    must(w.erase(*first.subject));
    const auto second = other.get();
    if (!second) CHECK(code(second) == "erased");
    w.catch_up();
    CHECK(code(w.read(*first.record)) == "erased");
    if (second) CHECK(code(w.read(*second->record)) == "erased");
    w.catch_up();
    const auto row = w.views->owner(owner_of(*first.subject)).value();
    REQUIRE(row);
    for (const auto& leaf : row->leaves) CHECK_FALSE((dies_at_erasure(leaf.cls) && w.vault->living(leaf.slot)));
  }
}

TEST_CASE("ER-04 nothing is taken for an erased person, also after a restart and without the notice",
          "[unit][service][ER-04]") {
  ContactsWorld w(4, kOften);
  const auto gone = must(w.add("Emil Beispiel"));
  const auto partly = must(w.add("Frida Beispiel"));
  must(w.add("DE00 1234", *partly.subject, {}, "account"));
  must(w.erase(*gone.subject));
  must(w.erase(*partly.subject, {"billing"}));
  const auto refused = [&](const char* wanted) {
    CHECK(code(w.add("Emil Beispiel", *gone.subject)) == wanted);
    CHECK(code(w.add("Emil Beispiel", *gone.subject, {}, "account")) == wanted);
    CHECK(w.add("Frida Neu", *partly.subject));
    CHECK(code(w.read(*gone.subject)) == wanted);
    CHECK(w.read(*partly.subject));
  };
  refused("erased");
  w.close();
  w.open();
  refused("erased");
  w.world.clock.advance(70 * kDay);
  w.until([&] { return w.views->notices().value().empty(); });
  w.catch_up();
  refused("not_found");
}

TEST_CASE("ER-03 an epoch of leaves past their term that was not told before a restart is told after it",
          "[unit][service][ER-03]") {
  ContactsWorld w(9, kOften);
  must(w.add("Änne Beispiel", {}, "key-1"));
  const auto days = leaves(w, owner_of_ledger(), built_in::day_keys);
  REQUIRE(days.size() == 1);
  // After step 4c the ledger takes nothing any more: as if the process had died there.
  std::atomic<bool> effective{false};
  w.vault->on_step = [&](int step) {
    if (step != 43) return;
    w.ledger->close();
    effective = true;
  };
  w.world.clock.advance(8 * kDay);
  w.until([&] { return effective.load(); });
  w.close();
  w.open();
  CHECK_FALSE(w.vault->living(days.front()));
  CHECK(w.vault->untold().empty());
  CHECK(w.vault->fences().empty());
  CHECK(w.ledger->epoch() == w.vault->epoch());
  must(w.add("Bert Beispiel", {}, "key-1"));
}

TEST_CASE("ER-03 more notices than one event can name end in several epochs", "[unit][service][ER-03]") {
  ContactsWorld w(11, kOften);
  w.close();
  w.service_options.requests_per_epoch_max = 3;
  w.open();
  const auto gone = erase_people(w, 7);
  w.catch_up();
  w.close();
  w.world.clock.advance(61 * kDay);
  w.open();
  const auto before = w.ledger->size();
  w.until([&] { return w.views->notices().value().empty(); });
  w.catch_up();
  std::vector<std::size_t> named;
  for (const auto& effect : effects(w, TreeSize(0)))
    if (effect.requests.size() > 1) named.push_back(effect.requests.size());
  CHECK(named == std::vector<std::size_t>{3, 3});  // and the seventh by itself
  w.close();
  w.open();
  CHECK(effects(w, before).size() <= 3);
  check_ended(w, gone);
}

TEST_CASE("ER-03 an epoch with more requests than one event may name is told by several", "[unit][service][ER-03]") {
  ContactsWorld w(12);
  const auto gone = erase_people(w, 7);
  w.catch_up();
  end_notices_at_once(w);
  w.close();
  w.service_options.requests_per_epoch_max = 3;
  w.open();
  const auto all = effects(w, TreeSize(0));
  REQUIRE(all.size() == 7 + 3);
  std::vector<std::uint64_t> requests;
  std::uint64_t leaves = 0;
  for (const auto& effect : std::span(all).last(3)) {
    CHECK(effect.requests.size() <= 3);
    CHECK(effect.new_epoch == w.vault->epoch().get());
    requests.insert(requests.end(), effect.requests.begin(), effect.requests.end());
    leaves += effect.leaves;
  }
  CHECK(requests.size() == 7);
  CHECK(std::is_sorted(requests.begin(), requests.end()));
  CHECK(leaves == 7);
  check_ended(w, gone);
}

// 60 days after an erasure of 9,000 people: the state that a server was found in which did not start any more.
TEST_CASE("ER-03 a vault with an untold epoch of more requests than a header can name opens, and it is told",
          "[unit][service][ER-03]") {
  ContactsWorld w(13);
  const auto gone = erase_people(w, 2);
  w.catch_up();
  end_notices_at_once(w);
  w.close();
  {
    RocksOptions raw;
    raw.dir = "/keys";
    for (const auto* name : {"nodes", "fences", "meta", "pending"}) raw.families.push_back({.name = name});
    raw.file_system = w.world.disk.file_system();
    const auto store = must(open_rocksdb(raw));
    const auto roots = must(w.root->read());
    REQUIRE(roots.size() == 1);
    const auto cursor = store->cursor(vault::kPending);
    cursor->seek_to_first();
    REQUIRE(cursor->valid());
    const auto version = vault::parse_pending_key(cursor->key()).value();
    auto changes = must(vault::open_pending(roots[0].key, roots[0].tree, version, cursor->value()));
    auto& requests = changes.back().requests;
    REQUIRE(requests.size() == 2);
    requests.resize(9'000);
    std::iota(requests.begin() + 2, requests.end(), std::uint64_t{1'000'000});
    Batch batch;
    for (const auto request : std::span(requests).subspan(2))
      batch.put(vault::kFences, be(request), vault::encode_slots({}));
    batch.put(vault::kPending, cursor->key(),
              vault::seal_pending(roots[0].key, roots[0].tree, version, changes, w.random));
    REQUIRE(store->write(batch, Sync::yes));
  }
  w.open();
  // The ledger knows two of the requests; the others are lost, and a job stands for them all.
  const auto told = effects(w, TreeSize(0));
  REQUIRE(told.size() == 2 + 1);
  CHECK(told.back().requests.size() == 2 + 1);
  check_ended(w, gone);
}

TEST_CASE("the header takes as many requests as the vault lets die in one epoch", "[unit][service]") {
  Header header;
  header.type = EventType::erasure_effective;
  header.schema = 1;
  header.part_count = 1;
  ErasureEffectiveFacts facts;
  facts.requests.assign(vault::kRequestsPerEpochMax, ~std::uint64_t{0});
  header.facts = facts;
  header.job = JobId(Id16{1});
  CHECK(codec::encode(header));
  CHECK(service::Options().requests_per_epoch_max <= vault::kRequestsPerEpochMax);
}
