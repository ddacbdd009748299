// The identity index against itself: whatever happens to people, records and imports, and in the middle of what, it
// knows what it would know if it were loaded anew.
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>

#include "support/imports_world.h"

using namespace siegel;
using namespace siegel::test;
using namespace siegel::service;

namespace {

constexpr std::array kMails{"a@example.org", "b@example.org", "c@example.org", "d@example.org", "e@example.org"};
constexpr std::array kNames{"Anna", "Bert"};
constexpr std::array kClasses{"customer", "club", "vendor"};
constexpr std::array kTypes{"people", "members", "vendors", "couples"};

class World : public ImportsWorld {
 public:
  explicit World(std::uint32_t seed) {
    facts_.with([&](Facts& facts) { facts.rng.seed(seed); });
    for (const auto* name : {"club", "vendor"}) {
      ClassDefinition cls;
      cls.name = name;
      cls.period = "P1Y";
      cls.legal_ground = LegalGround::contract;
      must(write(admin, SetClass{cls}));
    }
    for (const auto& [name, cls] : {std::pair("members", "club"), {"vendors", "vendor"}, {"couples", "club"}}) {
      auto type = service->registries()->type("people")->definition;
      type.name = name;
      for (auto& field : type.fields)
        if (field.name == "e-mail") field.cls = cls;
      if (type.name == "couples") type.match_fields = {"name", "e-mail"};  // of two classes
      must(write(admin, SetType{type}));
    }
  }

  // One thing, or others in the middle of it.
  void step() {
    const auto first = 1 + roll(8), second = roll(4) == 0 ? first + 1 + roll(4) : 0;
    const auto what = roll(kThings), meanwhile = roll(kThings), later = roll(kThings);
    if (roll(2) == 0) return happen(what);
    struct Middle {
      std::atomic<unsigned> calls{0};
      std::atomic<int> under_way{0};
    };
    const auto middle = std::make_shared<Middle>();  // a thread of the service may still look
    wall.meanwhile([this, middle, first, second, meanwhile, later] {
      const auto call = ++middle->calls;
      if (call != first && call != second) return;
      // One after the other: each waits for a worker of the service, and there are two.
      if (middle->under_way.fetch_add(1) == 0) happen(call == first ? meanwhile : later, false);
      --middle->under_way;
    });
    happen(what);
    wall.meanwhile(nullptr);
    until([&] { return middle->under_way == 0; });
  }
  void end_import(bool counts) {
    const auto import = import_of();
    if (!import) return;
    ImportEvent event;
    event.type = counts ? EventType::import_finished : EventType::import_cancelled;
    event.import = *import;
    if (!submit(event)) return;
    facts_.with([&](Facts& facts) {
      facts.import.reset();
      if (!counts) facts.moves += facts.moves_of_import;
    });
  }
  // By each identity: whom it is known of, and by how many records. Takes them out.
  std::vector<std::string> known() {
    std::vector<std::string> out;
    for (const auto* mail : kMails) {
      out.push_back(known_by("people", "", mail));
      for (const auto* name : kNames) out.push_back(known_by("couples", name, mail));
    }
    return out;
  }
  void restart() {
    catch_up();
    close();
    open();
    until([&] { return service->status().search_ready; });
  }
  // Of those whose erasure was asked for: who was written about after it, or is still known.
  std::string wrong() {
    return facts_.with([](const Facts& facts) { return facts.wrong; });
  }
  [[nodiscard]] unsigned moves() {
    return facts_.with([](const Facts& facts) { return facts.moves; });
  }
  std::string told() {  // what happened, for whoever has to find out why
    return facts_.with([](const Facts& facts) { return facts.told; });
  }

 private:
  struct Facts {
    std::mt19937 rng;
    std::string told, wrong;
    unsigned moves = 0;  // of identities, by imports that were cancelled
    unsigned moves_of_import = 0;
    std::map<SubjectId, Seq> erased;
    std::vector<RecordId> records;
    std::vector<SubjectId> people;
    std::optional<JobId> import;    // that is under way
    std::vector<RecordId> written;  // by it: no import writes a record twice
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

  std::string known_by(const char* type_name, const std::string& name, const std::string& mail) {
    const auto& type = service->registries()->type(type_name)->definition;
    Values values;
    for (const auto& [field, text] : {std::pair("name", name), std::pair("e-mail", mail)})
      if (!text.empty()) values.push_back({type.field(field)->number, Personal<Value>(Value(text))});
    const auto key = *impl().identity.key(type, values);
    auto all = impl().identity.all(key);
    std::ranges::sort(all);
    auto out = name + " " + mail;
    for (const auto& one : all) {
      out += " " + short_of(one.get());
      const auto knows = [&] { return std::ranges::count(impl().identity.all(key), one) > 0; };
      for (; knows(); impl().identity.take(key, one)) out += "|";
      facts_.with([&](Facts& facts) {
        if (facts.erased.contains(one)) facts.wrong += "known: " + short_of(one.get()) + "\n";
      });
    }
    return out;
  }

  static constexpr std::size_t kThings = 12;
  // now: an erasure is waited for, which whoever makes it effective must not do.
  void happen(std::uint32_t what, bool now = true) {
    if (what <= 1) return add({});
    if (what == 2) return change({});
    if (what == 3) return remove();
    if (what == 4 || what == 5) return erase(some_classes(), now);
    if (what == 6) return roll(2) == 0 ? erase({}, now) : merge();
    if (what == 7) return look();
    const auto import = import_of();
    if (!import) return begin_import();
    if (what <= 9) return change(OfImport{*import, 0, std::nullopt});
    if (what == 10) return add(OfImport{*import, 0, std::nullopt});
    end_import(roll(3) == 0);
  }
  std::vector<std::string> some_classes() {
    std::vector<std::string> out;
    for (const auto* cls : kClasses)
      if (roll(2) == 0) out.emplace_back(cls);
    if (out.empty()) out.emplace_back(kClasses[roll(kClasses.size())]);
    return out;
  }
  void note(const Result<Written>& outcome) {
    if (!outcome || !outcome->subject) return;
    facts_.with([&](Facts& facts) {
      const auto erased = facts.erased.find(*outcome->subject);
      if (erased != facts.erased.end() && erased->second < outcome->seq)
        facts.wrong += "written: " + short_of(outcome->subject->get()) + "\n";
    });
  }
  void tell(const std::string& what, const auto& outcome) {
    const auto line = what + (outcome ? " ok\n" : std::string(" ") + outcome.error().code() + "\n");
    facts_.with([&](Facts& facts) { facts.told += line; });
  }
  static std::string short_of(const Id16& id) { return to_hex(ByteView(id).last(3)); }
  std::string mail() { return roll(5) == 0 ? std::string() : std::string(kMails[roll(kMails.size())]); }
  void add(std::optional<OfImport> import) {
    const auto by = mail();
    const std::string type = kTypes[roll(kTypes.size())];
    auto command = person(kNames[roll(kNames.size())], by);
    if (by.empty()) std::erase_if(command.values, [](const auto& one) { return one.field == "e-mail"; });
    command.type = type;
    const bool by_import = import.has_value();
    command.import = std::move(import);
    const auto outcome = write(editor, std::move(command));
    note(outcome);
    tell(std::string(by_import ? "import adds " : "add ") + type + " " + by +
             (outcome ? " " + short_of(outcome->record->get()) + " of " + short_of(outcome->subject->get()) : ""),
         outcome);
    if (!outcome) return;
    facts_.with([&](Facts& facts) {
      if (by_import) facts.written.push_back(*outcome->record);
      facts.records.push_back(*outcome->record);
      facts.people.push_back(*outcome->subject);
    });
  }
  void change(std::optional<OfImport> import) {
    const auto record = any_of(&Facts::records);
    if (!record) return;
    if (import) {
      const bool first = facts_.with([&](Facts& facts) {
        if (std::ranges::count(facts.written, *record) > 0) return false;
        facts.written.push_back(*record);
        return true;
      });
      if (!first) return;
    }
    ChangeRecord command;
    command.record = *record;
    const auto to = mail();
    if (roll(3) == 0) command.values.push_back(value("name", kNames[roll(kNames.size())]));
    if (to.empty()) command.values.push_back({"e-mail", Personal<RawValue>(RawValue(Null{}))});
    if (!to.empty()) command.values.push_back(value("e-mail", to));
    const bool by_import = import.has_value();
    command.import = std::move(import);
    const auto outcome = write(editor, std::move(command));
    note(outcome);
    if (outcome && by_import) facts_.with([](Facts& facts) { ++facts.moves_of_import; });
    tell((by_import ? "import changes " : "change ") + short_of(record->get()) + " to " + to, outcome);
  }
  void remove() {
    if (const auto record = any_of(&Facts::records)) {
      RemoveRecord command;
      command.record = *record;
      const auto outcome = write(editor, std::move(command));
      note(outcome);
      tell("remove " + short_of(record->get()), outcome);
    }
  }
  void erase(std::vector<std::string> classes, bool now) {
    if (const auto person = any_of(&Facts::people)) {
      auto what = "erase " + short_of(person->get());
      for (const auto& cls : classes) what += " " + cls;
      const bool all = classes.empty();
      const auto outcome = write(officer, RequestErasure{{*person}, std::move(classes), "art17-1-b", now});
      tell(what, outcome);
      if (outcome && all) facts_.with([&](Facts& facts) { facts.erased.try_emplace(*person, outcome->seq); });
    }
  }
  void look() {
    if (const auto record = any_of(&Facts::records))
      (void)answer<RecordAnswer>([&](auto then) { service->read_record(editor, *record, then); });
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
    if (!submit(event)) return;
    facts_.with([&](Facts& facts) {
      facts.import = event.import;
      facts.written.clear();
      facts.moves_of_import = 0;
    });
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
  const auto seeds = std::getenv("SIEGEL_LONG") != nullptr ? 600u : 40u;
  unsigned moves = 0;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    World world(seed);
    for (int i = 0; i < 60; ++i) world.step();
    world.end_import(seed % 2 == 0);
    const auto known = world.known();
    world.restart();
    CAPTURE(seed, world.told());
    CHECK(known == world.known());
    CHECK(world.wrong().empty());
    moves += world.moves();
  }
  CHECK(moves > seeds);
}

TEST_CASE("ER-04 an erasure of some classes takes an identity once, whatever happens in its middle",
          "[property][ER-04]") {
  World world(1);
  for (const bool by_removal : {false, true}) {
    for (unsigned moment = 1; moment <= 8; ++moment) {
      CAPTURE(by_removal, moment);
      const auto mail = std::to_string(moment) + (by_removal ? "r" : "e") + "@example.org";
      const auto add = [&](const char* type, const std::string& by, std::optional<SubjectId> to = {}) {
        auto command = ServiceKit::person("Wer", by);
        command.type = type;
        command.subject = to;
        return must(world.write(world.editor, std::move(command)));
      };
      const auto first = add("people", mail);
      const auto person = *first.subject;
      REQUIRE(add("vendors", mail).subject == person);
      add("members", "m" + mail, person);
      world.catch_up();
      const auto calls = std::make_shared<std::atomic<unsigned>>(0);
      const auto under_way = std::make_shared<std::atomic<int>>(0);
      world.wall.meanwhile([&, calls, under_way] {
        if (++*calls != moment) return;
        ++*under_way;
        if (by_removal) (void)world.write(world.editor, RemoveRecord{*first.record, {}});
        if (!by_removal) (void)world.write(world.officer, RequestErasure{{person}, {"customer"}, "art17-1-b", false});
        --*under_way;
      });
      must(world.write(world.officer, RequestErasure{{person}, {"customer", "club"}, "art17-1-b", true}));
      world.wall.meanwhile(nullptr);
      world.until([&] { return *under_way == 0; });
      std::optional<SubjectId> met;
      world.until([&] {  // until both are effective and shown, the classes take nothing
        auto command = ServiceKit::person("Wer", mail);
        command.type = "vendors";
        const auto outcome = world.write(world.editor, std::move(command));
        if (outcome) met = outcome->subject;
        return outcome || outcome.error().category() != Errc::gone;
      });
      CHECK(met == person);
    }
  }
}
