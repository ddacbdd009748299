// Commands of every kind at each step of an erasure, and across it: for the living all goes on, for the dying nothing
// goes in, and whatever was acknowledged of the living can be read afterwards, also after a restart and a rebuild.
#include <array>
#include <future>

#include "codec/header_codec.h"
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
  // The vault hears of the effect after those who wait for it.
  w.until([&] { return w.service->status().erasures_open == 0 && w.vault->fences().empty(); });
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

namespace {

// What a backup of the ledger holds, and the read models are made anew.
class Backup {
 public:
  explicit Backup(ContactsWorld& w)
      : w_(w), ledger_(Saved::of(w.world.store, kFamilies)), head_(w.world.lock_record()) {}
  void restore() const {
    ledger_.put_back(w_.world.store, kFamilies);
    w_.world.put_lock_record(head_);
    Saved().put_back(w_.views_store, views::families().size());
    w_.adopt();
  }

 private:
  inline static const std::size_t kFamilies = ledger::Ledger::families().size();
  ContactsWorld& w_;
  Saved ledger_;
  std::string head_;
};

std::vector<Header> headers(ContactsWorld& w, TreeSize from) {
  std::vector<Header> out;
  for (auto seq = from.get(); seq < w.ledger->size().get(); ++seq)
    out.push_back(must(codec::decode_header(must(w.ledger->read(Seq(seq))).header)));
  return out;
}

// What the ledger says from here on: the epochs, and the leaves that jobs of terms ended. Each epoch names one event.
struct Told {
  std::vector<std::uint64_t> epochs, leaves;
};
Told told(ContactsWorld& w, TreeSize from) {
  Told out;
  for (const auto& header : headers(w, from)) {
    if (const auto* facts = std::get_if<ErasureEffectiveFacts>(&header.facts)) {
      out.epochs.push_back(facts->new_epoch);
      REQUIRE(facts->requests.size() == 1);
      CHECK(facts->requests.front() < header.seq.get());
    }
    const auto* job = std::get_if<JobFacts>(&header.facts);
    if (job != nullptr && header.type == EventType::job_finished && job->kind == JobFacts::Kind::terms) {
      CHECK_FALSE(out.epochs.empty());  // not before the effect
      out.leaves.push_back(job->count);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("ER-05 an epoch that was not told, and whose request the ledger lost, is told by a ledger of before",
          "[unit][service][ER-05]") {
  const bool mirror_away = GENERATE(false, true);  // then the epoch cannot be told before the first start has ended
  CAPTURE(mirror_away);
  ContactsWorld w(51, std::chrono::hours(1), 2);
  const auto gone = must(w.add("Anna Beispiel"));
  must(w.add("DE00 1234", *gone.subject, {}, "account"));
  const auto next = must(w.add("Bert Beispiel"));
  const auto stays = must(w.add("Cleo Beispiel"));
  w.catch_up();
  const Backup backup(w);
  const auto before = w.ledger->size();
  for (int i = 0; i < 30; ++i) must(w.add("Lost " + std::to_string(i)));

  const auto away = w.root_path(1);
  const auto content = w.world.disk.content(away);
  w.vault->on_step = [&](int step) {
    if (step == 42 && mirror_away) w.world.disk.remove(away);
    if (step == 43) w.ledger->close();
  };
  const auto request = w.ledger->size().get();
  (void)w.erase(*gone.subject);
  w.until([&] { return w.vault->epoch() == Epoch(2); });
  w.close();
  backup.restore();
  w.open();
  w.catch_up();
  CHECK(code(w.read(*gone.subject)) == "erased");
  CHECK(code(w.add("Anna Neu", *gone.subject)) == "erased");
  CHECK(w.read(*stays.subject));
  if (mirror_away) CHECK(w.service->status().erasures_open == 2);  // and what was given up with the lost part
  if (!mirror_away) w.until([&] { return w.vault->fences().empty(); });

  // Another request gets the number of the lost one.
  while (w.ledger->size().get() < request) must(w.add("Record", *stays.subject));  // an event each
  REQUIRE(w.ledger->size().get() == request);
  CHECK(must(w.erase(*next.subject)).kind ==
        (mirror_away ? service::Written::Kind::erasure_requested : service::Written::Kind::erasure_effective));
  if (mirror_away) {
    CHECK(told(w, before).epochs.empty());
    REQUIRE(w.world.files->write_file_durably(away, as_bytes(content), 0600));
  }
  w.until([&] { return w.service->status().erasures_open == 0; });
  w.until([&] { return w.vault->fences().empty(); });
  CHECK(told(w, before).epochs == std::vector<std::uint64_t>{2, 3, 4});
  CHECK(told(w, before).leaves == std::vector<std::uint64_t>{2, w.given_up});
  w.catch_up();
  CHECK(code(w.read(*next.record)) == "erased");
  CHECK(code(w.read(*gone.subject)) == "erased");
  CHECK(w.read(*stays.record));
  w.close();
  Saved().put_back(w.views_store, views::families().size());
  w.open();
  w.catch_up();
  CHECK(code(w.read(*next.record)) == "erased");
  CHECK(w.read(*stays.record));
}

TEST_CASE("ER-05 a job that carries out lost erasures ends when they are effective, with the leaves that died",
          "[unit][service][ER-05]") {
  ContactsWorld w(52, std::chrono::hours(1), 2);
  const auto gone = must(w.add("Anna Beispiel"));
  const auto next = must(w.add("Bert Beispiel"));
  w.catch_up();
  const Backup backup(w);
  const auto before = w.ledger->size();
  const auto away = w.root_path(1);
  const auto content = w.world.disk.content(away);
  w.world.disk.remove(away);
  CHECK(must(w.erase(*gone.subject)).kind == service::Written::Kind::erasure_requested);
  w.close();
  backup.restore();
  w.open();
  w.catch_up();
  // Of an erasure that is asked for meanwhile the job counts nothing.
  CHECK(must(w.erase(*next.subject)).kind == service::Written::Kind::erasure_requested);
  CHECK(told(w, before).leaves.empty());
  w.close();
  w.open();
  CHECK(told(w, before).leaves.empty());
  REQUIRE(w.world.files->write_file_durably(away, as_bytes(content), 0600));
  w.until([&] { return w.service->status().erasures_open == 0; });
  CHECK(told(w, before).epochs == std::vector<std::uint64_t>{2, 3});
  CHECK(told(w, before).leaves == std::vector<std::uint64_t>{1 + w.given_up});
}

TEST_CASE("ER-05 what was opened in the part that is lost cannot be read when that part comes back",
          "[unit][service][ER-05]") {
  ContactsWorld w(54);
  const auto person = must(w.add("Anna Beispiel"));
  const auto stays = must(w.add("Bert Beispiel"));
  must(w.add("Of a day", {}, "a client's key"));  // the key of a day stands beside events, in no part
  w.catch_up();
  const Backup backup(w);
  const auto account = must(w.add("DE00 1234", *person.subject, {}, "account"));
  const auto late = must(w.add("Cleo Beispiel"));
  w.catch_up();
  w.close();
  const Backup lost(w);
  backup.restore();
  CHECK(w.given_up > 2);
  const bool served = GENERATE(true, false);  // or the lost part comes back first
  CAPTURE(served);
  if (served) {
    w.open();
    w.until([&] { return w.vault->fences().empty(); });
    CHECK(must(w.add("Of a day", {}, "a client's key")).replayed);
    CHECK(must(w.erase(*person.subject)).kind == service::Written::Kind::erasure_effective);
    w.close();
  }
  lost.restore();
  w.open();
  w.until([&] { return w.vault->fences().empty(); });
  w.catch_up();
  // The numbers of these records are sealed in what nobody can open.
  CHECK(code(w.read(*account.record)) == "not_found");
  CHECK(code(w.read(*late.record)) == "not_found");
  CHECK(code(w.read(*late.subject)) == "erased");
  CHECK(code(w.read(*person.record)) == (served ? "not_found" : "none"));
  CHECK(w.read(*stays.record));
  CHECK_FALSE(w.holds(as_bytes("DE00 1234")));
  CHECK(w.add("Dora Beispiel"));
}

TEST_CASE("ER-05 a class that was erased in what the ledger lost can be filled again", "[unit][service][ER-05]") {
  ContactsWorld w(53, std::chrono::hours(1), 2);
  const auto person = must(w.add("Anna Beispiel"));
  must(w.add("DE00 1234", *person.subject, {}, "account"));
  const auto gone = must(w.add("Bert Beispiel"));
  w.catch_up();
  const Backup backup(w);
  const bool open = GENERATE(false, true);  // or effective before the loss
  CAPTURE(open);
  const auto away = w.root_path(1);
  const auto content = w.world.disk.content(away);
  if (!open) must(w.erase(*gone.subject));
  if (open) w.world.disk.remove(away);
  must(w.erase(*person.subject, {"billing"}));
  w.close();
  backup.restore();
  w.open();
  w.catch_up();
  if (open) {
    CHECK(code(w.add("DE00 5678", *person.subject, {}, "account")) == "erased");
    REQUIRE(w.world.files->write_file_durably(away, as_bytes(content), 0600));
    w.until([&] { return w.service->status().erasures_open == 0; });
    w.until([&] { return w.vault->fences().empty(); });
  }
  // The rows of what is dead go a moment later.
  auto added = w.add("DE00 5678", *person.subject, {}, "account");
  for (int i = 0; i < 500 && code(added) == "erased"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    added = w.add("DE00 5678", *person.subject, {}, "account");
  }
  const auto account = must(std::move(added));
  w.catch_up();
  CHECK(w.read(*account.record));
  if (!open) CHECK(code(w.add("DE00 5678", *gone.subject, {}, "account")) == "erased");
  CHECK(must(w.erase(*person.subject, {"billing"})).kind == service::Written::Kind::erasure_effective);
  w.catch_up();
  CHECK(code(w.read(*account.record)) == "erased");
  CHECK(w.add("Anna Neu", *person.subject));
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
