// The search index beside a whole service: it knows what the read models show, at each step of an erasure too, and
// comes to the same whether it followed or was loaded.
#include <random>
#include <set>

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
  Result<service::ListAnswer> ask(const std::string& field, const std::string& wanted, bool prefix = false) {
    service::Service::SearchQuery query;
    query.type = "contacts";
    query.where.push_back({field, prefix, Personal<service::RawValue>(service::RawValue(wanted))});
    query.limit = 1000;
    return answer<service::ListAnswer>([&](auto then) { service->search(editor, query, then); });
  }
  std::set<RecordId> find(const std::string& field, const std::string& wanted, bool prefix = false) {
    std::set<RecordId> out;
    for (const auto& item : must(ask(field, wanted, prefix)).items) out.insert(item.id);
    return out;
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
    CHECK(w.find("name", "lena", true) == Ids{*living.record});
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
  w.close();
  w.open();
  w.ready();
  CHECK(w.find("account", "a1") == Ids{*living.record});
  CHECK(w.find("name", "hanna half") == Ids{*half.record});
  CHECK(w.find("name", "doro dying").empty());
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
    for (const auto* wanted : {"n1", "n2 o", "n1 oe", "n"}) out.push_back(w.find("name", wanted, true));
    for (int i = 0; i < 5; ++i) out.push_back(w.find("account", "k" + std::to_string(i)));
    return out;
  };
  const auto followed = all();
  CHECK_FALSE(followed[3].empty());
  w.close();
  w.open();
  w.ready();
  CHECK(all() == followed);
}
