// The identity index against itself: whatever happens to people, records and imports, and in the middle of what, it
// knows what it would know if it were loaded anew.
#include <array>
#include <atomic>
#include <cstdlib>
#include <random>

#include "support/imports_world.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::service;

namespace {

constexpr std::array kMails{"a@example.org", "b@example.org", "c@example.org", "d@example.org", "e@example.org"};

class World : public ImportsWorld {
 public:
  explicit World(std::uint32_t seed) {
    facts_.with([&](Facts& facts) { facts.rng.seed(seed); });
    ClassDefinition cls;
    cls.name = "club";
    cls.period = "P1Y";
    cls.legal_ground = LegalGround::contract;
    must(write(admin, SetClass{cls}));
    auto members = service->registries()->type("people")->definition;
    members.name = "members";
    for (auto& field : members.fields)
      if (field.name == "e-mail") field.cls = "club";
    must(write(admin, SetType{members}));
  }

  // One thing, or one in the middle of another.
  void step() {
    const auto moment = 1 + roll(8);
    const auto what = roll(10), meanwhile = roll(10);
    if (roll(2) == 0) return happen(what);
    std::atomic<unsigned> calls{0};
    std::atomic<bool> under_way{false};
    wall.meanwhile([&] {
      if (++calls != moment) return;
      under_way = true;
      happen(meanwhile, false);
      under_way = false;
    });
    happen(what);
    wall.meanwhile(nullptr);
    until([&] { return !under_way; });
  }
  void end_import(bool counts) {
    const auto import = import_of();
    if (!import) return;
    ImportEvent event;
    event.type = counts ? EventType::import_finished : EventType::import_cancelled;
    event.import = *import;
    if (submit(event)) facts_.with([&](Facts& facts) { facts.import.reset(); });
  }
  // By each address: whom it is known of.
  std::vector<std::string> known() {
    std::vector<std::string> out;
    const auto& type = service->registries()->type("people")->definition;
    for (const auto* mail : kMails) {
      Values values;
      values.push_back({type.field("e-mail")->number, Personal<Value>(Value(std::string(mail)))});
      auto all = impl().identity.all(*impl().identity.key(type, values));
      std::ranges::sort(all);
      out.emplace_back(mail);
      for (const auto& one : all) out.back() += " " + short_of(one.get());
    }
    return out;
  }
  void restart() {
    catch_up();
    close();
    open();
    until([&] { return service->status().search_ready; });
  }
  std::string told() {  // what happened, for whoever has to find out why
    return facts_.with([](const Facts& facts) { return facts.told; });
  }

 private:
  struct Facts {
    std::mt19937 rng;
    std::string told;
    std::vector<RecordId> records;
    std::vector<SubjectId> people;
    std::optional<JobId> import;    // that is under way
    std::vector<RecordId> brought;  // by imports: none changes what it added itself
  };
  Impl& impl() { return static_cast<Impl&>(*service); }
  std::uint32_t roll(std::size_t below) {
    return facts_.with([&](Facts& facts) { return static_cast<std::uint32_t>(facts.rng() % below); });
  }
  std::optional<JobId> import_of() {
    return facts_.with([](const Facts& facts) { return facts.import; });
  }
  template <class T>
  std::optional<T> any_of(std::vector<T> Facts::*which) {
    return facts_.with([&](Facts& facts) -> std::optional<T> {
      const auto& all = facts.*which;
      return all.empty() ? std::nullopt : std::optional(all[facts.rng() % all.size()]);
    });
  }

  // now: an erasure is waited for, which whoever makes it effective must not do.
  void happen(std::uint32_t what, bool now = true) {
    if (what <= 1) return add(what == 0 ? "people" : "members", {});
    if (what == 2) return change({});
    if (what == 3) return remove();
    if (what == 4) return erase({roll(2) == 0 ? "customer" : "club"}, now);
    if (what == 5) return roll(2) == 0 ? erase({}, now) : merge();
    const auto import = import_of();
    if (!import) return begin_import();
    if (what <= 7) return change(OfImport{*import, 0, std::nullopt});
    if (what == 8) return add("members", OfImport{*import, 0, std::nullopt});
    end_import(roll(3) == 0);
  }
  void tell(const std::string& what, const auto& outcome) {
    const auto line = what + (outcome ? " ok\n" : std::string(" ") + outcome.error().code() + "\n");
    facts_.with([&](Facts& facts) { facts.told += line; });
  }
  static std::string short_of(const Id16& id) { return to_hex(ByteView(id).last(3)); }
  std::string mail() { return roll(5) == 0 ? std::string() : std::string(kMails[roll(kMails.size())]); }
  void add(const char* type, std::optional<OfImport> import) {
    const auto by = mail();
    auto command = person("Wer", by);
    if (by.empty()) std::erase_if(command.values, [](const auto& one) { return one.field == "e-mail"; });
    command.type = type;
    const bool by_import = import.has_value();
    command.import = std::move(import);
    const auto outcome = write(editor, std::move(command));
    tell(std::string(by_import ? "import adds " : "add ") + type + " " + by +
             (outcome ? " " + short_of(outcome->record->get()) + " of " + short_of(outcome->subject->get()) : ""),
         outcome);
    if (!outcome) return;
    facts_.with([&](Facts& facts) {
      if (by_import) facts.brought.push_back(*outcome->record);
      facts.records.push_back(*outcome->record);
      facts.people.push_back(*outcome->subject);
    });
  }
  void change(std::optional<OfImport> import) {
    const auto record = any_of(&Facts::records);
    if (!record) return;
    const auto by_itself = [&](const Facts& facts) { return std::ranges::count(facts.brought, *record) > 0; };
    if (import && facts_.with(by_itself)) return;
    ChangeRecord command;
    command.record = *record;
    const auto to = mail();
    if (to.empty()) command.values.push_back({"e-mail", Personal<RawValue>(RawValue(Null{}))});
    if (!to.empty()) command.values.push_back(value("e-mail", to));
    const bool by_import = import.has_value();
    command.import = std::move(import);
    tell((by_import ? "import changes " : "change ") + short_of(record->get()) + " to " + to,
         write(editor, std::move(command)));
  }
  void remove() {
    if (const auto record = any_of(&Facts::records)) {
      RemoveRecord command;
      command.record = *record;
      tell("remove " + short_of(record->get()), write(editor, std::move(command)));
    }
  }
  void erase(std::vector<std::string> classes, bool now) {
    if (const auto person = any_of(&Facts::people)) {
      const auto what = "erase " + short_of(person->get()) + (classes.empty() ? "" : " " + classes.front());
      tell(what, write(officer, RequestErasure{{*person}, std::move(classes), "art17-1-b", now}));
    }
  }
  void merge() {
    const auto into = any_of(&Facts::people), joins = any_of(&Facts::people);
    if (into && joins)
      tell("merge " + short_of(into->get()) + " " + short_of(joins->get()),
           write(officer, MergeSubjects{*into, {*joins}}));
  }
  void begin_import() {
    ImportEvent event;
    event.type = EventType::import_begun;
    event.record_type = "people";
    event.import = JobId(new_id(wall, random));
    if (submit(event)) facts_.with([&](Facts& facts) { facts.import = event.import; });
  }
  bool submit(const ImportEvent& event) {
    const auto outcome =
        answer<Written>([&](auto then) { impl().submit(make_import_event(impl(), editor, event, then)); });
    tell(std::string(name_of(event.type)), outcome);
    return outcome.has_value();
  }

  Guarded<Facts> facts_;
};

}  // namespace

TEST_CASE("ER-04 G8 after any history the identity index knows what it would know if it were loaded anew",
          "[property][ER-04][G8]") {
  const auto seed = GENERATE(range(1u, 601u));
  if (seed > 40 && std::getenv("SIEGEL_LONG") == nullptr) return;
  World world(seed);
  for (int i = 0; i < 60; ++i) world.step();
  world.end_import(seed % 2 == 0);
  const auto known = world.known();
  world.restart();
  CAPTURE(seed, world.told());
  CHECK(known == world.known());
}
