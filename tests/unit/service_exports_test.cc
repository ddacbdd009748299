// Bulk exports at the service: chunk by chunk, a permit and a trace for each, and nobody in it who is erased by then.
#include <algorithm>
#include <array>
#include <set>

#include "codec/header_codec.h"
#include "codec/parts.h"
#include "service/impl.h"
#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;
using service::ExportAnswer;
using service::ExportQuery;

namespace {

constexpr std::uint64_t kHour = 60 * 60 * 1000;

struct World : ContactsWorld {
  explicit World(std::uint64_t seed, std::size_t chunk = 3, std::size_t exports_max = 8) : ContactsWorld(seed) {
    service_options.export_chunk_records_max = chunk;
    service_options.exports_max = exports_max;
    close();
    open();
    catch_up();
    exporter = bulk_token(kHour);
  }
  service::Caller bulk_token(std::uint64_t ms, const std::string& purpose = {}) {
    TokenGrant grant;
    grant.role = Role::editor;
    grant.all_purposes = purpose.empty();
    if (!purpose.empty()) grant.purposes = {purpose};
    grant.all_types = true;
    grant.bulk_until = TimeMs(wall.now().get() + ms);
    auto caller = must(service->authenticate(must(write(admin, service::CreateToken{grant})).token));
    caller.purpose = purpose.empty() ? "care" : purpose;
    return caller;
  }
  Result<ExportAnswer> ask(const service::Caller& caller, ExportQuery query) {
    return answer<ExportAnswer>([&](auto then) { service->export_records(caller, std::move(query), then); });
  }
  Result<ExportAnswer> first(std::vector<std::string> fields = {}) {
    return ask(exporter, ExportQuery{"contacts", std::move(fields)});
  }
  std::vector<service::Written> people(int count) {
    std::vector<service::Written> out;
    for (int i = 0; i < count; ++i) out.push_back(must(add("Person " + std::to_string(i))));
    catch_up();
    return out;
  }
  // Of the access events from there on: whom each names.
  struct Look {
    AccessFacts facts;
    PurposeNo purpose;
    TypeNo type;
    std::set<OwnerId> seen;
  };
  std::vector<Look> looks(Seq from) {
    std::vector<Look> out;
    for (auto seq = from; seq.get() < ledger->size().get(); seq = Seq(seq.get() + 1)) {
      const auto stored = must(ledger->read(seq));
      const auto header = must(codec::decode_header(stored.header));
      if (header.type != EventType::access_read) continue;
      auto& look = out.emplace_back(Look{std::get<AccessFacts>(header.facts), header.purpose, header.record_type, {}});
      for (const auto& part : must(codec::decode_parts(stored.parts)))
        if (part.envelope.cls == built_in::access_log) look.seen.insert(part.envelope.owner);
    }
    return out;
  }
  Seq now() { return Seq(ledger->size().get()); }

  service::Caller exporter;
};

std::set<RecordId> ids(const ExportAnswer& answer) {
  std::set<RecordId> out;
  for (const auto& item : answer.records.items) out.insert(item.id);
  return out;
}

}  // namespace

TEST_CASE("G22 a bulk export needs a grant of its own, which ends by itself", "[unit][service][G22]") {
  World w(1);
  w.people(4);
  const auto before = w.now();
  CHECK(code(w.ask(w.editor, ExportQuery{"contacts", {}})) == "bulk_denied");
  const auto refusal = must(codec::decode_header(must(w.ledger->read(before)).header));
  CHECK(refusal.type == EventType::refusal_recorded);
  CHECK(std::get<RefusalFacts>(refusal.facts).code == static_cast<std::uint16_t>(decide::RefusalCode::bulk_denied));

  const auto chunk = must(w.first());
  REQUIRE(chunk.next);
  w.wall.set_skew(2 * kHour);  // in the middle of the export
  CHECK(code(w.ask(w.exporter, *chunk.next)) == "bulk_denied");
  CHECK(code(w.first()) == "bulk_denied");
}

TEST_CASE("G22 each chunk of a bulk export names everybody in it before it is shown", "[unit][service][G22]") {
  World w(2);
  const auto people = w.people(7);
  const auto before = w.now();
  std::set<RecordId> exported;
  std::vector<std::size_t> sizes;
  ExportQuery query{"contacts", {}};
  for (std::optional<ExportQuery> next = query; next;) {
    auto chunk = must(w.ask(w.exporter, *next));
    CHECK(chunk.fields == std::vector<std::string>{"name", "account"});
    sizes.push_back(chunk.records.items.size());
    exported.merge(ids(chunk));
    std::set<OwnerId> named;
    for (const auto& look : w.looks(before)) named.insert(look.seen.begin(), look.seen.end());
    for (const auto& item : chunk.records.items) CHECK(named.contains(owner_of(*item.subject)));
    next = std::move(chunk.next);
  }
  CHECK(sizes == std::vector<std::size_t>{3, 3, 1});
  CHECK(exported.size() == people.size());
  const auto looks = w.looks(before);
  REQUIRE(looks.size() == 3);
  for (const auto& look : looks) {
    CHECK(look.facts.kind == AccessFacts::Kind::bulk_export);
    CHECK(look.facts.fields.size() == 2);
    CHECK(look.purpose.get() == w.service->registries()->purpose("care")->number);
    CHECK(look.type.get() == w.service->registries()->type("contacts")->number);
  }
  // The history of one of them tells of it.
  const auto history = must(w.answer<service::HistoryAnswer>(
      [&](auto then) { w.service->subject_history(w.officer, *people[5].subject, {}, 50, then); }));
  CHECK(std::ranges::count(history.items, EventType::access_read, &service::HistoryItem::type) >= 1);
}

TEST_CASE("a bulk export of more people than an event names is several events", "[unit][service]") {
  World w(3, 5);
  w.service_options.subjects_per_event_max = 2;
  w.close();
  w.open();
  w.catch_up();
  w.people(5);
  const auto before = w.now();
  CHECK(must(w.first()).records.items.size() == 5);
  const auto looks = w.looks(before);
  CHECK(looks.size() == 3);
  for (const auto& look : looks) CHECK(look.facts.kind == AccessFacts::Kind::bulk_export);
}

TEST_CASE("who is erased in the middle of a bulk export is left out from then on", "[unit][service]") {
  World w(4);
  const auto people = w.people(9);
  const auto chunk = must(w.first());
  REQUIRE(chunk.next);
  must(w.erase(*people[4].subject));
  const auto second = must(w.ask(w.exporter, *chunk.next));  // not waited for: the row may still be there
  CHECK_FALSE(ids(second).contains(*people[4].record));
  REQUIRE(second.next);
}

TEST_CASE("who is erased between the trace and the opening of a chunk is left out of it", "[unit][service]") {
  World w(8);
  const auto people = w.people(3);
  std::promise<void> release;
  const auto gate = release.get_future().share();
  std::atomic<bool> holds{false}, held{false};
  w.close();
  w.world.before_write = [&](const Batch&, Sync) -> Status {
    if (!holds.exchange(false)) return Done{};
    // The event is decided; what would open the rows waits behind these.
    for (int i = 0; i < 8; ++i) static_cast<service::Impl&>(*w.service).executor.post([gate] { gate.wait(); });
    held = true;
    return Done{};
  };
  w.open();
  w.catch_up();
  const auto epoch = w.vault->epoch().get();
  holds = true;
  auto chunk = std::async(std::launch::async, [&] { return w.first(); });
  w.until([&] { return held.load(); });
  // As Service::write() does, but for the workers, who are all held.
  std::promise<Result<service::Written>> answered;
  auto& impl = static_cast<service::Impl&>(*w.service);
  impl.submit(service::make_erasure(impl, w.officer, {{*people[1].subject}, {}, "art17-1-b", true}, {},
                                    [&](Result<service::Written> answer) { answered.set_value(std::move(answer)); }));
  w.until([&] { return w.vault->epoch().get() > epoch; });
  release.set_value();
  must(answered.get_future().get());
  const auto shown = must(chunk.get());
  CHECK(ids(shown) == std::set<RecordId>{*people[0].record, *people[2].record});
  w.close();
  w.world.before_write = {};
}

TEST_CASE("an erased class leaves a bulk export without its values, and the rest of the record in it",
          "[unit][service]") {
  World w(5);
  service::AddRecord both;
  both.type = "contacts";
  both.values.push_back(w.value("name", "Hanna Half"));
  both.values.push_back(w.value("account", "DE02"));
  const auto half = must(w.write(w.editor, both));
  must(w.erase(*half.subject, {"billing"}));
  w.catch_up();
  const auto chunk = must(w.first());
  REQUIRE(chunk.records.items.size() == 1);
  CHECK(chunk.records.items[0].values.expose().size() == 1);
}

TEST_CASE("a bulk export shows the fields that were named, in all chunks the same", "[unit][service]") {
  World w(6);
  w.people(5);
  const auto chunk = must(w.first({"account", "name"}));
  CHECK(chunk.fields == std::vector<std::string>{"account", "name"});
  CHECK(code(w.first({"nothing"})) == "unknown_field");
  CHECK(code(w.ask(w.exporter, ExportQuery{"nothing", {}})) == "not_found");

  PurposeDefinition narrow;
  narrow.name = "narrow";
  narrow.legal_ground = LegalGround::contract;
  narrow.title = {{"de", "Eng"}};
  narrow.fields_limited = true;
  narrow.fields = {{"contacts", {"name"}}, {"people", {}}};
  must(w.write(w.admin, service::SetPurpose{narrow}));
  const auto clerk = w.bulk_token(kHour, "narrow");
  CHECK(code(w.ask(clerk, ExportQuery{"contacts", {"name", "account"}})) == "field_denied");
  CHECK(code(w.ask(clerk, ExportQuery{"people", {}})) == "field_denied");  // it covers none
  const auto covered = must(w.ask(clerk, ExportQuery{"contacts", {}}));
  CHECK(covered.fields == std::vector<std::string>{"name"});
  // The purpose covers another field by the time of the second chunk: that is refused, not shown in other columns.
  REQUIRE(covered.next);
  narrow.fields = {{"contacts", {"account"}}};
  must(w.write(w.admin, service::SetPurpose{narrow}));
  CHECK(code(w.ask(clerk, *covered.next)) == "field_denied");
}

TEST_CASE("as many bulk exports run at one time as may", "[unit][service][I13]") {
  World w(7, 3, 4);
  w.people(4);
  const auto another = w.bulk_token(kHour), third = w.bulk_token(kHour);
  auto one = must(w.first());
  auto two = must(w.first());
  // One token leaves half of the places to others.
  const auto own = w.first();
  CHECK(code(own) == "overloaded");
  CHECK(*own.error().find("limit_name") == "exports_per_token_max");
  CHECK(*own.error().find("limit_value") == "2");
  const auto others = std::array{must(w.ask(another, {"contacts", {}})), must(w.ask(another, {"contacts", {}}))};
  const auto full = w.ask(third, {"contacts", {}});
  CHECK(code(full) == "overloaded");
  CHECK(*full.error().find("limit_name") == "exports_max");
  CHECK(w.ask(w.exporter, *one.next));  // those that run go on
  one = ExportAnswer{one.records, {}, {}, {}};
  w.until([&] { return w.first().has_value(); });
  w.close();  // an answer may outlive the service
}
