// Commands of every kind at each step of an erasure, and across it: for the living all goes on, for the dying nothing
// goes in, and whatever was acknowledged of the living can be read afterwards, also after a restart and a rebuild.
#include <array>
#include <future>

#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

constexpr std::array kSteps{0, 1, 2, 3, 41, 42, 43};  // vault.h, on_step

struct Acknowledged {
  RecordId record;
  std::string name;
};

struct World : ServiceKit {
  explicit World(std::uint64_t seed) : ServiceKit(seed) {
    set_up();
    until([&] { return service->status().search_ready; });
    living = must(write(editor, person("Lena 0", "lena@example.org")));
    changed_to = "Lena 0";
    dying = must(write(editor, person("Doro", "doro@example.org")));
  }

  service::ChangeRecord rename(const RecordId& id, const std::string& name) {
    service::ChangeRecord command;
    command.record = id;
    command.values.push_back(value("name", name));
    return command;
  }
  service::AddRecord record_of(const SubjectId& subject, const std::string& name) {
    auto command = person(name, "");
    command.values.pop_back();
    command.subject = subject;
    return command;
  }
  Result<service::RecordAnswer> read(const RecordId& id) {
    return answer<service::RecordAnswer>([&](auto then) { service->read_record(editor, id, then); });
  }
  std::string name_of(const RecordId& id) {
    const auto shown = must(read(id));
    const auto* type = shown.registries->type(shown.record.type);
    const auto number = type->definition.field("name")->number;
    for (const auto& entry : shown.record.values.expose())
      if (entry.field == number) return std::get<std::string>(entry.value.expose());
    return {};
  }

  // At one step: a new person, a record more and a change of the living, a read of it, and the same tried for the
  // dying. Every answer is waited for while the erasure stands still.
  void use(const std::string& mark) {
    const auto fresh = must(write(editor, person("New " + mark, mark + "@example.org")));
    acknowledged.push_back({*fresh.record, "New " + mark});
    const auto more = must(write(editor, record_of(*living.subject, "More " + mark)));
    CHECK(more.subject == living.subject);
    acknowledged.push_back({*more.record, "More " + mark});
    must(write(editor, rename(*living.record, "Lena " + mark)));
    changed_to = "Lena " + mark;
    CHECK(name_of(*living.record) == changed_to);
    CHECK(code(write(editor, rename(*dying.record, "Doro " + mark))) == "erased");
    CHECK(code(write(editor, record_of(*dying.subject, "Back " + mark))) == "erased");
    CHECK(code(read(*dying.record)) == "erased");
    // The identity of who is dying finds nobody: it is another person who comes.
    const auto namesake = must(write(editor, person("Doro again", "doro@example.org")));
    CHECK(namesake.subject != dying.subject);
    acknowledged.push_back({*namesake.record, "Doro again"});
  }

  void check_all() {
    catch_up();
    CHECK(name_of(*living.record) == changed_to);
    for (const auto& [record, name] : acknowledged) CHECK(name_of(record) == name);
    CHECK(code(read(*dying.record)) == "erased");
  }

  service::Written living, dying;
  std::string changed_to;
  std::vector<Acknowledged> acknowledged;
};

}  // namespace

TEST_CASE("ER-04 at each step of an erasure the living are written and read, and nothing comes in for the dying",
          "[unit][service][ER-04]") {
  const auto at = GENERATE(from_range(kSteps));
  CAPTURE(at);
  World w(static_cast<std::uint64_t>(at) + 1);
  bool came = false;
  w.vault->on_step = [&](int step) {
    if (step != at || std::exchange(came, true)) return;
    w.use("at-" + std::to_string(step));
  };
  const auto erased = must(w.write(w.officer, service::RequestErasure{{*w.dying.subject}, {}, "art17-1-b", true}));
  w.vault->on_step = nullptr;
  CHECK(came);
  CHECK(erased.kind == service::Written::Kind::erasure_effective);
  w.use("after");
  w.check_all();
  w.close();
  w.open();
  w.until([&] { return w.service->status().search_ready; });
  w.check_all();
}

TEST_CASE("ER-04 commands that were on their way when a step came are acknowledged and kept, or refused",
          "[unit][service][ER-04]") {
  const auto at = GENERATE(from_range(kSteps));
  CAPTURE(at);
  World w(static_cast<std::uint64_t>(at) + 100);
  std::vector<std::pair<std::string, std::future<ServiceKit::Outcome>>> people;
  std::vector<std::future<ServiceKit::Outcome>> late;
  bool came = false;
  w.vault->on_step = [&](int step) {
    if (step != at || std::exchange(came, true)) return;
    // Not waited for: they are prepared, queued and decided while the erasure goes on.
    for (int i = 0; i < 40; ++i) {
      const auto name = "Queued " + std::to_string(i);
      people.emplace_back(name, w.begin(w.editor, w.person(name, "q" + std::to_string(i) + "@example.org")));
      late.push_back(w.begin(w.editor, w.rename(*w.dying.record, name)));
    }
  };
  must(w.write(w.officer, service::RequestErasure{{*w.dying.subject}, {}, "art17-1-b", true}));
  w.vault->on_step = nullptr;
  CHECK(came);
  for (auto& [name, outcome] : people) w.acknowledged.push_back({*must(outcome.get()).record, name});
  for (auto& outcome : late) CHECK(code(outcome.get()) == "erased");
  w.check_all();
  w.close();
  w.open();
  w.check_all();
}
