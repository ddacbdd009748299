#include "support/service_kit.h"

#include <algorithm>

namespace siegel::test {

using namespace service;  // NOLINT: the kit is about nothing else

namespace {

template <class T>
T must(Result<T> result) {
  INFO((result ? std::string() : result.error().text()));
  REQUIRE(result);
  return std::move(*result);
}

}  // namespace

ServiceKit::ServiceKit(std::uint64_t seed, std::chrono::milliseconds terms_every, std::size_t root_members,
                       std::size_t key_replicas)
    : world(seed), replica_disk(seed + 1), views_store(views::families().size()), key_replicas_(key_replicas) {
  service_options.origin = kOrigin;
  service_options.id = test_ledger_id();
  service_options.erase_window = std::chrono::milliseconds(1);
  service_options.erase_retry = std::chrono::milliseconds(50);
  service_options.terms_every = terms_every;
  service_options.verifier_key = world.signer.verifier_key();
  std::vector<std::unique_ptr<vault::RootStore>> members;
  for (std::size_t i = 0; i < root_members; ++i)
    members.push_back(vault::open_file_root_store(root_path(i), random, world.files.get()));
  root = root_members == 1 ? std::move(members.front()) : vault::mirror(std::move(members));
  const auto created =
      vault::Vault::create(vault_options(), *root, KeyTreeId(world.random.array<16>()), test_ledger_id(), random);
  INFO((created ? std::string() : created.error().text()));
  REQUIRE(created);
  open();
}

ServiceKit::~ServiceKit() { close(); }

vault::Options ServiceKit::vault_options() {
  vault::Options options;
  options.keys_dir = "/keys";
  options.spare_leaves = 256;
  options.replica_wait = replica_wait;
  options.file_system = world.disk.file_system();
  for (std::size_t i = 0; i < key_replicas_; ++i) {
    options.replicas.push_back("/replica" + std::to_string(i));
    options.replica_file_systems.push_back(replica_disk.file_system());
  }
  return options;
}

std::string ServiceKit::root_path(std::size_t member) { return "/root" + std::to_string(member) + "/root"; }

void ServiceKit::open() {
  workers_ = std::make_unique<app::Workers>(2);
  ledger = world.open(LedgerWorld::Start::no);
  vault = must(vault::Vault::open(vault_options(), *root, test_ledger_id(), ledger->keys_mark(), ledger->epoch(),
                                  world.clock, random));
  views = std::make_unique<views::Views>(views_store, passed_over_max);
  views->advance(must(views->load_position()));
  service = Service::make(*ledger, *vault, *views, *workers_, wall, random, service_options);
  projector = projector::Projector::make(*ledger, *vault, *views, {.follower = &service->follower()});
  ledger->subscribe(*projector);
  REQUIRE(ledger->start());
  REQUIRE(projector->start(must(service->begin_job(JobFacts::Kind::projector))));
  const auto started = service->start();
  INFO((started ? std::string() : started.error().text()));
  REQUIRE(started);
}

void ServiceKit::close() {
  if (!service) return;
  service->stop();
  ledger->close();
  projector->stop();
  vault->close();
  workers_.reset();
  service.reset();
  projector.reset();
  views.reset();
  vault.reset();
  ledger.reset();
}

void ServiceKit::adopt() {
  const auto restored = world.open(LedgerWorld::Start::no);
  const auto keys = must(vault::Vault::open(vault_options(), *root, test_ledger_id(), restored->keys_mark(),
                                            restored->epoch(), world.clock, random));
  REQUIRE(projector::keep_lost_fences(*restored, *keys));
  const auto lost = must(projector::lost_leaves(*restored, *keys, {}));
  REQUIRE(keys->give_up(lost));
  given_up = lost.size();
  keys->close();
}

std::future<ServiceKit::Outcome> ServiceKit::begin(const Caller& caller, Write command, WriteOptions options) {
  auto promise = std::make_shared<std::promise<Outcome>>();
  auto future = promise->get_future();
  service->write(caller, std::move(command), std::move(options),
                 [promise](Outcome outcome) { promise->set_value(std::move(outcome)); });
  return future;
}

ServiceKit::Outcome ServiceKit::write(const Caller& caller, Write command, WriteOptions options) {
  return begin(caller, std::move(command), std::move(options)).get();
}

Caller ServiceKit::token(Role role, bool all_purposes) {
  TokenGrant grant;
  grant.role = role;
  grant.all_purposes = all_purposes;
  grant.all_types = true;
  if (!all_purposes) grant.purposes = {"care"};
  const auto made = must(role == Role::admin && admin.token == TokenId() ? service->create_local_token(grant)
                                                                         : write(admin, CreateToken{grant}));
  auto caller = must(service->authenticate(made.token));
  caller.purpose = "care";
  caller.request_id = "req-" + to_hex(ByteView(caller.token.get()).first(4));
  return caller;
}

void ServiceKit::set_up() {
  until([&] { return service->status().search_ready; });  // who is to be met is looked for from then on
  admin = token(Role::admin);
  PurposeDefinition purpose;
  purpose.name = "care";
  purpose.legal_ground = LegalGround::contract;
  purpose.title = {{"de", "Betreuung"}};
  must(write(admin, SetPurpose{purpose}));
  ClassDefinition cls;
  cls.name = "customer";
  cls.period = "P3Y";
  cls.legal_ground = LegalGround::contract;
  must(write(admin, SetClass{cls}));
  const auto field = [](const char* name, FieldType type, bool personal) {
    FieldDefinition out;
    out.name = name;
    out.title = name;
    out.type = type;
    out.personal = personal;
    out.cls = "customer";
    return out;
  };
  TypeDefinition people;
  people.name = "people";
  people.title = {{"de", "Leute"}};
  people.subject_mode = SubjectMode::match;
  people.match_fields = {"e-mail"};
  people.default_purpose = "care";
  people.fields = {field("name", FieldType::text, true), field("e-mail", FieldType::email, true),
                   field("city", FieldType::text, true)};
  must(write(admin, SetType{people}));
  TypeDefinition things;
  things.name = "things";
  things.title = {{"de", "Dinge"}};
  things.default_purpose = "care";
  things.fields = {field("label", FieldType::text, false)};
  must(write(admin, SetType{things}));
  editor = token(Role::editor, false);
  officer = token(Role::privacy_officer);
}

void ServiceKit::catch_up() {
  std::promise<bool> shown;
  views->when(ledger->size(), std::chrono::seconds(60), [&](bool reached) { shown.set_value(reached); });
  REQUIRE(shown.get_future().get());
}

void ServiceKit::until(const std::function<bool()>& reached) {
  for (int i = 0; i < 6000; ++i) {  // a minute: sanitizers are slow
    if (reached()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL("waited for a minute");
}

NamedValue ServiceKit::value(std::string field, std::string text) {
  return {std::move(field), Personal<RawValue>(RawValue(std::move(text)))};
}

AddRecord ServiceKit::person(const std::string& name, const std::string& email) {
  AddRecord out;
  out.type = "people";
  out.values.push_back(value("name", name));
  out.values.push_back(value("e-mail", email));
  return out;
}

AddRecord ServiceKit::thing(const std::string& label) {
  AddRecord out;
  out.type = "things";
  out.values.push_back(value("label", label));
  return out;
}

bool ServiceKit::holds(ByteView needle) {
  const auto in = [&](ByteView bytes) { return !std::ranges::search(bytes, needle).empty(); };
  const auto any = [&](Store& store, std::size_t families) {
    for (std::size_t i = 0; i < families; ++i) {
      const auto rows = store.cursor(Family(static_cast<std::uint8_t>(i)), {});
      for (rows->seek_to_first(); rows->valid(); rows->next()) {
        if (in(rows->key()) || in(rows->value())) return true;
      }
    }
    return false;
  };
  return any(world.store, ledger::Ledger::families().size()) || any(views_store, views::families().size());
}

}  // namespace siegel::test
