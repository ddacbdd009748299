// The search index beside a whole service: it knows what the read models show, at each step of an erasure too, and
// comes to the same whether it followed or was loaded.
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "service/impl.h"
#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

struct World : ContactsWorld {
  explicit World(std::uint64_t seed) : ContactsWorld(seed) {
    auto type = service->registries()->type("contacts")->definition;
    for (auto& field : type.fields) field.searchable = true;
    must(write(admin, service::SetType{type}));
    ready();
  }
  void ready() {
    catch_up();
    until([&] { return service->status().search_ready; });
  }
  void again() {
    close();
    open();
    ready();
  }
  Result<service::ListAnswer> ask(const std::string& field, const std::string& wanted,
                                  search::Op op = search::Op::exact, std::size_t limit = 1000) {
    service::Service::SearchQuery query;
    query.type = "contacts";
    query.where.push_back({field, op, Personal<service::RawValue>(service::RawValue(wanted))});
    query.limit = limit;
    return answer<service::ListAnswer>([&](auto then) { service->search(editor, query, then); });
  }
  std::set<RecordId> find(const std::string& field, const std::string& wanted, search::Op op = search::Op::exact) {
    std::set<RecordId> out;
    for (const auto& item : must(ask(field, wanted, op)).items) out.insert(item.id);
    return out;
  }
  std::vector<RecordId> add_many(const service::Written& first, int records, const std::string& account = {}) {
    std::vector<RecordId> out{*first.record};
    std::vector<std::future<ServiceKit::Outcome>> adding;
    const auto take = [&] {
      for (auto& outcome : adding) out.push_back(*must(outcome.get()).record);
      adding.clear();
    };
    for (int i = 1; i < records; ++i) {
      service::AddRecord add;
      add.type = "contacts";
      add.subject = first.subject;
      add.values.push_back(value("name", "Olga Orders " + std::to_string(i)));
      if (!account.empty()) add.values.push_back(value("account", account));
      adding.push_back(begin(editor, std::move(add)));
      if (adding.size() == 500) take();
    }
    take();
    return out;
  }
  // What the index itself knows, whatever can still be opened and shown.
  std::size_t known(const std::string& beginning) {
    const auto* type = service->registries()->type("contacts");
    const std::vector<search::Condition> conditions{{FieldNo(type->definition.field("name")->number),
                                                     search::Op::prefix, search::fold(FieldType::text, beginning)}};
    const auto& feed = static_cast<service::Impl&>(*service).search_feed;
    return feed.index().find(TypeNo(type->number), conditions, {}, 20'000).size();
  }
  service::AddRecord both(const std::string& name, const std::string& account) {
    service::AddRecord out;
    out.type = "contacts";
    out.values.push_back(value("name", name));
    out.values.push_back(value("account", account));
    return out;
  }
};
using Ids = std::set<RecordId>;

// Before its step 1 ends the epoch of somebody else, and with it whatever waits for the next one.
class HeldEpoch {
 public:
  HeldEpoch(World& w, const SubjectId& whose) : w_(w) {
    w_.vault->on_step = [this, once = true](int step) mutable {
      if (step != 1 || !std::exchange(once, false)) return;
      held_.set_value();
      go_on_.get_future().wait();
    };
    slow_ = w_.begin(w_.officer, service::RequestErasure{{whose}, {}, "art17-1-b", true});
    held_.get_future().wait();
  }
  HeldEpoch(const HeldEpoch&) = delete;
  HeldEpoch& operator=(const HeldEpoch&) = delete;
  ~HeldEpoch() {
    go_on_.set_value();
    (void)slow_.get();
    w_.vault->on_step = nullptr;
  }

 private:
  World& w_;
  std::promise<void> held_, go_on_;
  std::future<ServiceKit::Outcome> slow_;
};

}  // namespace

TEST_CASE("G34 from step 1 of an erasure on the index knows nothing of who is erased, and all of the living",
          "[unit][service][search][G34]") {
  World w(1);
  const auto living = must(w.write(w.editor, w.both("Lena Living", "A1")));
  const auto dying = must(w.write(w.editor, w.both("Doro Dying", "A1")));
  const auto half = must(w.write(w.editor, w.both("Hanna Half", "A1")));
  w.catch_up();
  CHECK(w.find("account", "a1").size() == 3);
  unsigned steps = 0;
  w.vault->on_step = [&](int) {
    ++steps;
    CHECK(w.find("name", "doro dying").empty());
    CHECK(w.find("name", "lena", search::Op::prefix) == Ids{*living.record});
    CHECK(w.find("account", "a1") == Ids{*living.record, *half.record});
  };
  must(w.write(w.officer, service::RequestErasure{{*dying.subject}, {}, "art17-1-b", true}));
  CHECK(steps > 0);
  w.vault->on_step = [&](int) {
    CHECK(w.find("account", "a1") == Ids{*living.record});
    CHECK(w.find("name", "hanna half") == Ids{*half.record});
  };
  must(w.write(w.officer, service::RequestErasure{{*half.subject}, {"billing"}, "art17-1-b", true}));
  w.vault->on_step = nullptr;
  w.again();
  CHECK(w.find("account", "a1") == Ids{*living.record});
  CHECK(w.find("name", "hanna half") == Ids{*half.record});
  CHECK(w.find("name", "doro dying").empty());
}

TEST_CASE("G34 ER-06 a person with very many records goes whole", "[unit][service][search][G34]") {
  constexpr int kRecords = 12'000;  // a notice named 10,000 once, and fits no longer into event_bytes_max
  World w(5);
  const auto first = must(w.add("Olga Orders 0"));
  const auto records = w.add_many(first, kRecords);
  w.ready();
  CHECK(w.known("olga") == kRecords);
  std::size_t at_first_step = kRecords;
  w.vault->on_step = [&](int) { at_first_step = std::min(at_first_step, w.known("olga")); };
  must(w.erase(*first.subject));
  w.vault->on_step = nullptr;
  CHECK(at_first_step == 0);
  CHECK(w.known("olga") == 0);
  w.catch_up();
  for (const auto& record : {records.front(), records[5'000], records.back()}) CHECK(code(w.read(record)) == "erased");
}

TEST_CASE("an erasure is prepared on none of its caller's threads", "[unit][service]") {
  World w(9);
  const auto dying = must(w.add("Doro Dying"));
  w.ready();
  std::atomic<bool> here{false};
  w.wall.meanwhile([&, caller = std::this_thread::get_id()] { here = here || std::this_thread::get_id() == caller; });
  auto erased = w.begin(w.officer, service::RequestErasure{{*dying.subject}, {}, "art17-1-b", true});
  w.wall.meanwhile({});
  CHECK_FALSE(here);
  must(erased.get());
}

TEST_CASE("the search index is asked while it looks at very many records again", "[unit][service][search]") {
  constexpr std::size_t kRecords = 50'000;
  World w(10);
  auto& feed = static_cast<service::Impl&>(*w.service).search_feed;
  std::vector<RecordId> records;
  for (std::size_t i = 0; i < kRecords; ++i) records.emplace_back(w.world.random.array<16>());
  std::atomic<bool> done{false};
  const auto began = std::chrono::steady_clock::now();
  std::thread looks([&] {
    feed.look_again(records);
    done = true;
  });
  auto longest = std::chrono::steady_clock::duration::zero();
  while (!done) {
    const auto asked = std::chrono::steady_clock::now();
    (void)feed.ready();
    longest = std::max(longest, std::chrono::steady_clock::now() - asked);
  }
  looks.join();
  CHECK(longest < (std::chrono::steady_clock::now() - began) / 2);
}

TEST_CASE("G34 who is fenced is out of the index at once, however long the window of the erasure is",
          "[unit][service][search][G34]") {
  World w(6);
  w.service_options.erase_window = std::chrono::hours(1);
  w.again();
  const auto living = must(w.add("Wanda Living"));
  for (const auto* name : {"Walter Waits", "Werner Waits"}) {
    const auto waits = must(w.add(name));
    w.ready();
    CHECK(w.known("w") == 2);
    must(w.write(w.officer, service::RequestErasure{{*waits.subject}, {}, "art17-1-b", false}));
    w.until([&] { return w.known("w") == 1; });
  }
  CHECK(w.find("name", "wanda", search::Op::prefix) == Ids{*living.record});
  CHECK(w.vault->epoch() == Epoch(1));
}

TEST_CASE("G34 a search tells nothing of a class that is fenced while the epoch of others is on its way",
          "[unit][service][search][G34]") {
  World w(8);
  const auto others = must(w.write(w.editor, w.both("Otto Others", "B2")));
  const auto half = must(w.write(w.editor, w.both("Hanna Half", "A1")));
  const auto living = must(w.write(w.editor, w.both("Lena Living", "A1")));
  w.ready();
  const HeldEpoch held(w, *others.subject);
  must(w.write(w.officer, service::RequestErasure{{*half.subject}, {"billing"}, "art17-1-b", false}));
  for (const bool folded : {false, true}) {  // the read models have let go of the class by then, the index has not
    CAPTURE(folded);
    if (folded) w.catch_up();
    const auto page = must(w.ask("account", "a1", search::Op::exact, 1));
    REQUIRE(page.items.size() == 1);
    CHECK(page.items[0].id == *living.record);
    CHECK_FALSE(page.next);
    CHECK(w.find("name", "hanna half") == Ids{*half.record});
  }
  // And of the next class, though she has been looked at for the one before.
  must(w.write(w.officer, service::RequestErasure{{*half.subject}, {"customer"}, "art17-1-b", false}));
  const auto page = must(w.ask("name", "h", search::Op::prefix, 1));
  CHECK(page.items.empty());
  CHECK_FALSE(page.next);
}

TEST_CASE("G34 a search waits for no erasure: it passes over who is dying, and does not forget them itself",
          "[unit][service][search][G34]") {
  constexpr int kRecords = 9'000;
  World w(11);
  const auto others = must(w.add("Otto Others"));
  const auto living = must(w.add("Olga Living"));
  const auto small = must(w.add("Oda Dying"));
  const auto large = must(w.add("Olga Orders 0"));
  w.add_many(large, kRecords);
  w.ready();
  {
    const HeldEpoch held(w, *others.subject);
    must(w.write(w.officer, service::RequestErasure{{*small.subject, *large.subject}, {}, "art17-1-b", false}));
    CHECK(w.find("name", "oda", search::Op::prefix).empty());
    CHECK(w.find("name", "olga l", search::Op::prefix) == Ids{*living.record});
    CHECK(w.find("name", "olga", search::Op::prefix) == Ids{*living.record});
    CHECK(w.known("olga") == kRecords + 1);
    CHECK(w.known("oda") == 1);
  }
  w.until([&] { return w.known("olga") == 1; });
  CHECK(w.find("name", "olga", search::Op::prefix) == Ids{*living.record});
  CHECK(w.known("oda") == 0);
}

TEST_CASE("G34 a search that has looked at very many who are dying ends, and tells of none of them",
          "[unit][service][search][G34]") {
  constexpr int kRecords = 3'200;  // more than it has the patience for
  World w(12);
  const auto others = must(w.add("Otto Others"));
  const auto living = must(w.write(w.editor, w.both("Lena Living", "A1")));
  const auto half = must(w.write(w.editor, w.both("Olga Orders 0", "A1")));
  w.add_many(half, kRecords, "A1");
  w.ready();
  const HeldEpoch held(w, *others.subject);
  must(w.write(w.officer, service::RequestErasure{{*half.subject}, {"billing"}, "art17-1-b", false}));
  for (int i = 0; i < 3; ++i) CHECK(w.find("account", "a1") == Ids{*living.record});
  CHECK(w.known("olga") == kRecords);  // what is left of them is known
}

TEST_CASE("a record of which nothing lived is found again by what somebody has filled in since",
          "[unit][service][search]") {
  World w(14);
  auto& feed = static_cast<service::Impl&>(*w.service).search_feed;
  const auto& type = *w.service->registries()->type("contacts");
  const auto found_by = [&](const char* field, const char* wanted) {
    const std::vector<search::Condition> conditions{
        {FieldNo(type.definition.field(field)->number), search::Op::exact, search::fold(FieldType::text, wanted)}};
    return must(feed.find(TypeNo(type.number), conditions, {}, 10)).size();
  };
  const auto others = must(w.add("Otto Others"));
  service::AddRecord account;
  account.type = "contacts";
  account.values.push_back(w.value("account", "A1"));
  const auto emptied = must(w.write(w.editor, account));
  w.ready();
  const HeldEpoch held(w, *others.subject);  // until it goes on, nobody takes the dying out of the index
  w.catch_up();
  // The read models stand still here: they have let go of the record before they come to the change, which was there
  // before the erasure.
  std::promise<void> stands, go_on;
  w.views->when(TreeSize(w.ledger->size().get() + 1), std::chrono::minutes(1), [&](bool) {
    stands.set_value();
    go_on.get_future().wait_for(std::chrono::seconds(20));
  });
  must(w.add("Wanda Waits"));
  stands.get_future().wait();
  service::ChangeRecord change;
  change.record = *emptied.record;
  change.values.push_back(w.value("name", "Nina New"));
  // In the middle of the erasure's preparation, which looks at the clock twice.
  Guarded<std::set<std::thread::id>> looked{std::set{std::this_thread::get_id()}};
  std::optional<ServiceKit::Outcome> changed;
  w.wall.meanwhile([&, once = std::make_shared<std::atomic<bool>>(false)] {
    const auto first = looked.with([](auto& threads) { return threads.insert(std::this_thread::get_id()).second; });
    if (!first && !once->exchange(true)) changed = w.write(w.editor, change);
  });
  const auto erased = w.write(w.officer, service::RequestErasure{{*emptied.subject}, {"billing"}, "art17-1-b", false});
  w.wall.meanwhile({});
  const auto found = found_by("account", "A1");
  go_on.set_value();
  must(erased);
  REQUIRE(changed);
  must(*changed);
  CHECK(found == 0);
  w.catch_up();
  CHECK(found_by("name", "Nina New") == 1);
  CHECK(found_by("account", "A1") == 0);
}

TEST_CASE("G20 people are found in all types, and one event names each of them", "[unit][service][search][G20]") {
  World w(13);
  auto people = w.service->registries()->type("people")->definition;
  for (auto& field : people.fields) field.searchable = true;
  must(w.write(w.admin, service::SetType{people}));
  const auto anna = must(w.write(w.editor, ServiceKit::person("Anna Arm", "anna@example.org")));
  service::AddRecord again = w.both("Anna Arm", "A1");
  again.subject = anna.subject;
  const auto account = must(w.write(w.editor, again));
  const auto other = must(w.write(w.editor, w.both("Anna Bein", "A2")));
  const auto gone = must(w.write(w.editor, w.both("Anna Gone", "A3")));
  must(w.write(w.officer, service::RequestErasure{{*gone.subject}, {}, "art17-1-b", true}));
  w.ready();

  service::Service::SearchQuery query;
  const auto searched_by = [&](const char* field, const char* wanted) {
    query.where.clear();
    query.where.push_back({field, search::Op::word, Personal<service::RawValue>(service::RawValue(wanted))});
  };
  const auto ask = [&](const service::Caller& who) {
    return w.answer<service::SubjectsAnswer>([&](auto then) { w.service->search_subjects(who, query, then); });
  };
  searched_by("name", "anna");
  const auto size = w.ledger->size();
  const auto found = must(ask(w.officer));
  REQUIRE(found.items.size() == 2);
  CHECK(found.types.size() == 2);
  const auto& first = found.items[found.items[0].subject == *anna.subject ? 0 : 1];
  const auto& second = found.items[found.items[0].subject == *anna.subject ? 1 : 0];
  CHECK(first.subject == *anna.subject);
  std::set<RecordId> of_anna;
  for (const auto& record : first.records) of_anna.insert(record.id);
  CHECK(of_anna == Ids{*anna.record, *account.record});
  CHECK(second.subject == *other.subject);
  REQUIRE(second.records.size() == 1);
  CHECK(second.records[0].values.expose().size() == 2);
  CHECK_FALSE(found.next);
  const auto event = must(w.ledger->read(Seq(size.get())));
  const auto header = must(codec::decode_header(event.header));
  CHECK(header.type == EventType::access_read);
  CHECK(header.part_count == 3);  // who looked, and at whom
  CHECK(w.ledger->size().get() == size.get() + 1);

  // Page by page it is the same, each record once.
  std::vector<RecordId> paged;
  query.limit = 1;
  query.fields = {"account"};
  for (int page = 0; page < 5; ++page) {
    const auto some = must(ask(w.officer));
    for (const auto& item : some.items)
      for (const auto& record : item.records) {
        paged.push_back(record.id);
        for (const auto& value : record.values.expose()) CHECK(value.value.expose() != Value(std::string("Anna Bein")));
      }
    if (!some.next) break;
    query.after_type = some.next->first;
    query.after = some.next->second;
  }
  CHECK(paged.size() == 3);
  CHECK(Ids(paged.begin(), paged.end()) == Ids{*anna.record, *account.record, *other.record});

  query = {};
  searched_by("account", "a1");  // of one type only
  CHECK(must(ask(w.officer)).items.size() == 1);
  CHECK(must(ask(w.officer)).types.size() == 1);
  query.fields = {"nothing"};
  CHECK(code(ask(w.officer)) == "unknown_field");
  query.fields.clear();
  searched_by("nothing", "a1");
  CHECK(code(ask(w.officer)) == "bad_value");
  searched_by("name", "anna");
  CHECK(code(ask(w.admin)) == "role_denied");
}

TEST_CASE("G20 what is sorted comes in one answer, and whoever is looked at for it stands in its event",
          "[unit][service][search][G20]") {
  World w(14);
  const std::vector<std::string> names{"Öhler", "Ohm", "Zander", "olm", "Adler"};
  std::vector<RecordId> records;
  for (const auto& name : names) records.push_back(*must(w.write(w.editor, w.both(name, "A"))).record);
  service::AddRecord nameless;
  nameless.type = "contacts";
  nameless.values.push_back(ServiceKit::value("account", "A"));
  const auto last = *must(w.write(w.editor, nameless)).record;
  w.ready();

  service::Service::SearchQuery query;
  query.type = "contacts";
  query.where.push_back(
      {"account", search::Op::exact, Personal<service::RawValue>(service::RawValue(std::string("a")))});
  query.sort = {"name", false};
  const auto ask = [&] {
    return w.answer<service::ListAnswer>([&](auto then) { w.service->search(w.editor, query, then); });
  };
  const auto ids = [](const service::ListAnswer& answer) {
    std::vector<RecordId> out;
    for (const auto& item : answer.items) out.push_back(item.id);
    return out;
  };
  CHECK(ids(must(ask())) == std::vector{records[4], records[0], records[1], records[3], records[2], last});
  query.sort->descending = true;
  CHECK(ids(must(ask())) == std::vector{records[2], records[3], records[1], records[0], records[4], last});

  // Sorted by what is not shown: it is looked at all the same, and says so.
  query.fields = {"account"};
  const auto size = w.ledger->size();
  const auto found = must(ask());
  CHECK(found.items.size() == 6);
  CHECK(found.items[0].values.expose().size() == 1);
  auto header = must(codec::decode_header(must(w.ledger->read(Seq(size.get()))).header));
  CHECK(header.type == EventType::access_read);
  CHECK(header.part_count == 7);  // who looked, and at whom
  CHECK(std::get<AccessFacts>(header.facts).fields.size() == 2);

  // That there are more is an answer, too: it leaves its trace.
  query.limit = 5;
  const auto before = w.ledger->size().get();
  const auto refused = ask();
  CHECK(code(refused) == "bad_value");
  CHECK(*refused.error().find("reason") == "too_many_to_sort");
  REQUIRE(w.ledger->size().get() == before + 1);
  header = must(codec::decode_header(must(w.ledger->read(Seq(before))).header));
  CHECK(header.part_count == 6);

  query.limit = 50;
  query.after = last;
  CHECK(code(ask()) == "bad_value");
  query.after.reset();
  query.sort->field = "nothing";
  CHECK(code(ask()) == "unknown_field");
}

TEST_CASE("reads that the read models keep waiting are errors, not old answers", "[unit][service]") {
  World w(7);
  w.service_options.catch_up_wait = std::chrono::milliseconds(200);
  w.again();
  const auto person = must(w.add("Rita Reads"));
  w.catch_up();
  w.projector->stop();
  std::atomic<bool> done{false};
  std::thread timer([&] {  // what the projector's thread does otherwise
    for (; !done; std::this_thread::sleep_for(std::chrono::milliseconds(20))) w.views->expire_waiters();
  });
  service::ChangeRecord change;
  change.record = *person.record;
  change.values.push_back(w.value("name", "Rita Renamed"));
  must(w.write(w.editor, change));
  CHECK(code(w.read(*person.record)) == "position_not_reached");
  CHECK(code(w.answer<service::SubjectAnswer>([&](auto then) {
          w.service->export_subject(w.officer, *person.subject, then);
        })) == "position_not_reached");
  CHECK(code(w.answer<service::HistoryAnswer>([&](auto then) {
          w.service->record_history(w.editor, *person.record, std::nullopt, 10, then);
        })) == "position_not_reached");
  done = true;
  timer.join();
}

TEST_CASE("an index that followed finds what a loaded one finds", "[unit][service][search]") {
  const auto seed = GENERATE(range(1u, 4u));
  CAPTURE(seed);
  World w(seed);
  std::mt19937 rng{seed};
  std::vector<service::Written> people;
  const auto name = [&] { return "N" + std::to_string(rng() % 20) + (rng() % 2 == 0 ? " Ö" : " oe"); };
  for (int i = 0; i < 120; ++i) {
    const auto what = rng() % 10;
    if (what < 6 || people.empty()) {
      people.push_back(must(w.write(w.editor, w.both(name(), "K" + std::to_string(rng() % 5)))));
      continue;
    }
    const auto at = rng() % people.size();
    if (what < 8) {
      service::ChangeRecord change;
      change.record = *people[at].record;
      change.values.push_back(w.value(rng() % 2 == 0 ? "name" : "account", rng() % 4 == 0 ? "" : name()));
      (void)w.write(w.editor, change);
    } else if (what == 8) {
      (void)w.write(w.editor, service::RemoveRecord{*people[at].record});
    } else {
      const std::vector<std::string> classes[] = {{}, {"customer"}, {"billing"}};
      (void)w.write(w.officer, service::RequestErasure{{*people[at].subject}, classes[rng() % 3], "art17-1-b", true});
    }
    if (i == 60) {  // loaded anew in the middle, while commands come
      auto type = w.service->registries()->type("contacts")->definition;
      type.fields[0].searchable = false;
      must(w.write(w.admin, service::SetType{type}));
      type.fields[0].searchable = true;
      must(w.write(w.admin, service::SetType{type}));
    }
  }
  w.ready();
  const auto all = [&] {
    std::vector<Ids> out;
    for (const auto* wanted : {"n1", "n2 o", "n1 oe", "n"}) out.push_back(w.find("name", wanted, search::Op::prefix));
    for (int i = 0; i < 5; ++i) out.push_back(w.find("account", "k" + std::to_string(i)));
    return out;
  };
  const auto followed = all();
  CHECK_FALSE(followed[3].empty());
  w.again();
  CHECK(all() == followed);
}

TEST_CASE("a record type that the search index has no room for is refused by its limit until a start with more",
          "[unit][service][search]") {
  World w(7);
  const auto first = must(w.write(w.editor, w.both("Anna First", "A0")));
  w.close();
  w.service_options.search_bytes_max = 290 * 1024;  // one region of blocks, and some hundred values
  w.open();
  w.ready();
  CHECK(w.find("name", "anna first") == Ids{*first.record});
  std::optional<Error> refused;
  for (int i = 0; i < 500 && !refused; ++i) {
    must(w.write(w.editor, w.both("Berta Later " + std::to_string(i), "B" + std::to_string(i))));
    w.catch_up();
    if (const auto found = w.ask("name", "anna first"); !found) refused = found.error();
  }
  REQUIRE(refused);
  CHECK(refused->code() == std::string_view("overloaded"));
  REQUIRE(refused->find("limit_name"));
  CHECK(*refused->find("limit_name") == "search_bytes_max");
  w.close();
  w.service_options.search_bytes_max = std::size_t{1} << 20;
  w.open();
  w.ready();
  CHECK(w.find("name", "anna first") == Ids{*first.record});
  CHECK(w.find("name", "berta", search::Op::prefix).size() > 50);
}
