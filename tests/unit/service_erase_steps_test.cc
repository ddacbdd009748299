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

// All rows of a store, to be put back later.
class Saved {
 public:
  static Saved of(Store& store, std::size_t families) {
    Saved out;
    for (std::size_t i = 0; i < families; ++i) {
      const Family family(static_cast<std::uint8_t>(i));
      const auto rows = store.cursor(family, {});
      for (rows->seek_to_first(); rows->valid(); rows->next())
        out.rows_.push_back({family, to_bytes(rows->key()), to_bytes(rows->value())});
    }
    return out;
  }
  void put_back(Store& store, std::size_t families) const {
    Batch batch;
    for (const auto& row : of(store, families).rows_) batch.erase(row.family, row.key);
    for (const auto& row : rows_) batch.put(row.family, row.key, row.value);
    REQUIRE(store.write(batch, Sync::yes));
  }

 private:
  struct Row {
    Family family;
    Bytes key, value;
  };
  std::vector<Row> rows_;
};

}  // namespace

TEST_CASE("ER-05 a ledger of before an effect gets it again from keys that know it", "[unit][service][ER-05]") {
  const bool all = GENERATE(true, false);
  CAPTURE(all);
  ContactsWorld w(50);
  const auto gone = must(w.add("Anna Beispiel"));
  const auto account = must(w.add("DE00 1234", *gone.subject, {}, "account"));
  const auto stays = must(w.add("Bert Beispiel"));
  const auto families = ledger::Ledger::families().size();
  Saved saved;
  std::string head;
  w.vault->on_step = [&](int step) {
    if (step != 0) return;
    saved = Saved::of(w.world.store, families);  // the request is in it
    head = w.world.lock_record();
  };
  const auto erased =
      must(w.erase(*gone.subject, all ? std::vector<std::string>{} : std::vector<std::string>{"billing"}));
  w.close();

  saved.put_back(w.world.store, families);
  w.world.put_lock_record(head);
  Saved().put_back(w.views_store, views::families().size());
  w.open();
  w.until([&] { return w.service->status().erasures_open == 0; });
  w.catch_up();
  const auto check = [&] {
    CHECK(w.vault->fences().empty());
    CHECK(w.ledger->epoch() == w.vault->epoch());
    CHECK(must(w.service->erasure(w.officer, *erased.erasure)).row.state == views::ErasureState::effective);
    CHECK(code(w.read(*account.record)) == "erased");
    CHECK(code(w.read(*gone.record)) == (all ? "erased" : "none"));
    CHECK(code(w.read(*gone.subject)) == (all ? "erased" : "none"));
    CHECK(w.read(*stays.record));
  };
  check();
  w.close();
  w.open();
  check();
}

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
