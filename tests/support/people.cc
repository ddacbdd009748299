#include "support/people.h"

#include <algorithm>

#include "codec/parts.h"

namespace siegel::test {

namespace {
constexpr ClassNo kClasses[] = {ClassNo(64), ClassNo(65), ClassNo(66)};
}

People::People(std::uint64_t seed) : world(seed) {
  token_ = TokenId(new_id(world.clock, world.random));
  vault::Options options;
  options.keys_dir = "/keys";
  options.spare_leaves = 256;
  options.file_system = world.disk.file_system();
  const KeyTreeId tree(world.random.array<16>());
  root = vault::open_file_root_store("/outside/root", world.random, world.files.get());
  const auto created = vault::Vault::create(options, *root, tree, test_ledger_id(), world.random);
  INFO((created ? std::string() : created.error().text()));
  REQUIRE(created);
  auto opened = vault::Vault::open(options, *root, test_ledger_id(), KeysMark(0), Epoch(0), world.clock, world.random);
  INFO((opened ? std::string() : opened.error().text()));
  REQUIRE(opened);
  vault = std::move(*opened);
}

People::~People() {
  if (ledger) ledger->close();
  if (vault) vault->close();
}

void People::start(const std::vector<ledger::Tail*>& tails) {
  if (ledger) ledger->close();
  ledger = world.open(LedgerWorld::Start::no);
  for (auto* tail : tails) ledger->subscribe(*tail);
  REQUIRE(ledger->start());
}

ledger::SystemReceipt People::receipt(JobFacts::Kind kind) {
  auto committed = commit(draft(EventType::job_started, JobFacts{kind, 0}));
  REQUIRE(committed.system);
  return std::move(*committed.system);
}

// ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────

ledger::Draft People::draft(EventType type, Facts facts) {
  ledger::Draft out;
  out.header.type = type;
  out.header.id = EventId(world.random.array<16>());
  out.header.facts = std::move(facts);
  const bool job =
      type == EventType::job_started || type == EventType::erasure_effective || type == EventType::erasure_completed;
  auto& leaves = job ? own_leaves_ : token_leaves_;
  const auto cls = job ? built_in::job : built_in::staff_log;
  ActorBody actor;
  actor.time_micros = world.clock.now().get() * 1000;
  add_part(out, leaf(leaves, cls), cls, job ? owner_of_ledger() : owner_of(token_), codec::encode(actor));
  return out;
}

void People::add_part(ledger::Draft& draft, Slot slot, ClassNo cls, const OwnerId& owner, ByteView body) {
  auto sealed = vault->seal(slot, draft.header.id, static_cast<std::uint16_t>(draft.parts.size()), cls, owner, 1, body);
  REQUIRE(sealed);
  sealed->envelope.number = numbers_[slot]++;
  draft.parts.push_back(std::move(*sealed));
  draft.header.part_count = static_cast<std::uint16_t>(draft.parts.size());
}

void People::add_trace(ledger::Draft& draft, Slot slot, const OwnerId& owner) {
  auto trace = vault->trace(slot, built_in::access_log, owner);
  trace.envelope.number = numbers_[slot]++;
  draft.parts.push_back(std::move(trace));
  draft.header.part_count = static_cast<std::uint16_t>(draft.parts.size());
}

ledger::Committed People::commit(ledger::Draft one) {
  std::vector<ledger::Draft> drafts;
  drafts.push_back(std::move(one));
  return commit(std::move(drafts));
}

ledger::Committed People::commit(std::vector<ledger::Draft> drafts) {
  world.clock.advance(world.random.below(50));
  std::optional<codec::IdempotencyRow> entry;
  if (world.random.below(2) == 0) {
    entry.emplace(codec::IdempotencyRow{leaf(own_leaves_, built_in::day_keys), world.random.array<32>(),
                                        world.random.array<12>(), world.random.bytes(60)});
    idempotency.push_back(entry->mac);
  }
  auto shared = std::make_shared<std::vector<ledger::Draft>>(std::move(drafts));
  auto outcome = submit(*ledger,
                        [shared, entry](const ledger::Moment&) {
                          return ledger::Verdict{std::move(*shared), entry};
                        },
                        {.mark = vault->mark().get(), .estimate = shared->size()})
                     .get();
  INFO((outcome ? std::string() : outcome.error().text()));
  REQUIRE(outcome);
  return std::move(*outcome);
}

Slot People::leaf(std::map<ClassNo, Slot>& leaves, ClassNo cls) {
  const auto at = leaves.find(cls);
  if (at != leaves.end()) return at->second;
  const auto slot = vault->new_leaf();
  REQUIRE(slot);
  return leaves.emplace(cls, *slot).first->second;
}

std::string People::canary() {
  auto text = "kanari-" + to_hex(world.random.array<8>());
  canaries.push_back(text);
  return text;
}

Values People::some_values(ClassNo cls) {
  Values out;
  for (std::uint16_t i = 0; i < 4; ++i)
    if (world.random.below(3) != 0)
      out.push_back({FieldNo(static_cast<std::uint16_t>(cls.get() * 10 + i)),
                     Personal<Value>(world.random.below(8) == 0 ? Value(Null{}) : Value(canary()))});
  return out;
}

ledger::Draft People::draft_record(EventType type, const Record& record, const std::set<ClassNo>& classes) {
  auto out = draft(type);
  out.header.record_type = record.type;
  out.header.job = record.import;
  RecordBody body;
  body.record = record.id;
  body.fact = type == EventType::record_added     ? RecordBody::Fact::added
              : type == EventType::record_changed ? RecordBody::Fact::changed
                                                  : RecordBody::Fact::removed;
  for (const auto cls : classes) {
    body.values = type == EventType::record_removed ? Values{} : some_values(cls);
    auto& leaves = record.person ? persons[*record.person].leaves : type_leaves_[record.type];
    const auto owner = record.person ? owner_of(persons[*record.person].id) : owner_of(record.type);
    add_part(out, leaf(leaves, cls), cls, owner, codec::encode(body));
  }
  return out;
}

// ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────────

std::size_t People::register_person(bool linked) {
  persons.push_back({SubjectId(new_id(world.clock, world.random)), {}, false, false});
  auto& person = persons.back();
  const auto cls = kClasses[world.random.below(3)];
  std::vector<ledger::Draft> drafts;
  drafts.push_back(draft(EventType::subject_registered));
  add_part(drafts.back(), leaf(person.leaves, cls), cls, owner_of(person.id),
           codec::encode(SubjectBody(SubjectRegistered{})));
  if (linked) {
    drafts.push_back(draft(EventType::subject_linked));
    const SubjectLinked link{Personal<ExternalReference>({"crm", canary()})};
    add_part(drafts.back(), leaf(person.leaves, cls), cls, owner_of(person.id), codec::encode(SubjectBody(link)));
  }
  commit(std::move(drafts));
  return persons.size() - 1;
}

std::size_t People::add_record(std::optional<std::size_t> person, std::size_t classes) {
  return add_record(
      Record{RecordId(new_id(world.clock, world.random)), person ? kPeopleType : kThingsType, person, {}, false},
      classes);
}

std::size_t People::add_record(Record record, std::size_t classes) {
  while (record.classes.size() < classes) record.classes.insert(kClasses[world.random.below(3)]);
  commit(draft_record(EventType::record_added, record, record.classes));
  records.push_back(std::move(record));
  return records.size() - 1;
}

void People::change_record(std::size_t at) {
  auto& record = records[at];
  std::set<ClassNo> classes;
  do classes.insert(kClasses[world.random.below(3)]);
  while (world.random.below(2) == 0);
  commit(draft_record(EventType::record_changed, record, classes));
  record.classes.insert(classes.begin(), classes.end());
}

void People::begin_import() {
  imports_.emplace_back(new_id(world.clock, world.random));
  auto event = draft(EventType::import_begun, ImportFacts{});
  event.header.job = imports_.back();
  event.header.record_type = kPeopleType;
  commit(std::move(event));
}

void People::import_row() {
  if (imports_.empty()) return;
  const auto import = imports_[world.random.below(imports_.size())];
  const auto person = any_person();
  const auto record = any_record();
  if (!record || world.random.below(2) == 0) {
    Record fresh{RecordId(new_id(world.clock, world.random)), person ? kPeopleType : kThingsType, person, {}, false};
    fresh.import = import;
    add_record(std::move(fresh), 1 + world.random.below(3));
    return;
  }
  records[*record].classes_before = records[*record].classes;
  records[*record].import = import;
  change_record(*record);
}

void People::end_import(EventType type) {
  if (imports_.empty()) return;
  const auto at = imports_.begin() + static_cast<std::ptrdiff_t>(world.random.below(imports_.size()));
  auto event = draft(type, ImportFacts{9, 4, 3, 1, 1});
  event.header.job = *at;
  commit(std::move(event));
  for (auto& record : records) {
    if (record.import != *at) continue;
    record.import.reset();
    const auto before = std::exchange(record.classes_before, {});
    if (type != EventType::import_cancelled) continue;
    if (before.empty()) record.removed = true;
    std::erase_if(record.classes, [&](ClassNo cls) { return !before.contains(cls); });
    record.removed = record.removed || record.classes.empty();
  }
  imports_.erase(at);
}

void People::remove_record(std::size_t at) {
  commit(draft_record(EventType::record_removed, records[at], records[at].classes));
  records[at].removed = true;
}

void People::look_at(const std::vector<std::size_t>& seen) {
  auto event = draft(EventType::access_read, AccessFacts{});
  event.header.record_type = kPeopleType;
  for (const auto person : seen)
    add_trace(event, leaf(persons[person].leaves, built_in::access_log), owner_of(persons[person].id));
  commit(std::move(event));
}

void People::merge(std::size_t into, std::size_t other) {
  auto event = draft(EventType::subject_merged);
  const auto body = codec::encode(SubjectBody(SubjectMerged{persons[into].id}));
  for (const auto at : {into, other})
    add_part(event, leaf(persons[at].leaves, built_in::merge), built_in::merge, owner_of(persons[at].id), body);
  commit(std::move(event));
}

void People::set_registries() {
  const auto put = [&](EventType type, const RegistryFacts& facts, const RegistryBody& body) {
    auto event = draft(type, facts);
    add_part(event, leaf(own_leaves_, built_in::registry), built_in::registry, owner_of_ledger(), codec::encode(body));
    commit(std::move(event));
  };
  ++registered_;
  PurposeDefinition purpose;
  purpose.name = "care";
  put(EventType::registry_purpose_set, {1, registered_}, purpose);
  ClassDefinition cls;
  cls.name = "class-" + std::to_string(registered_ % 3);
  cls.period = "P" + std::to_string(registered_) + "Y";
  cls.legal_ground = LegalGround::contract;
  put(EventType::registry_class_set, {kClasses[registered_ % 3].get(), 1 + registered_ / 3}, cls);
  TypeDefinition type;
  type.name = "people-" + std::to_string(registered_);
  put(EventType::registry_type_set, {registered_, 1}, type);
  TokenCreated token;
  token.id = TokenId(new_id(world.clock, world.random));
  put(EventType::registry_token_created, {registered_, 1}, token);
  if (registered_ > 1) put(EventType::registry_token_revoked, {registered_ - 1, 1}, TokenRevoked{token.id});
}

void People::bulk(std::size_t count) {
  std::vector<ledger::Draft> drafts;
  const auto person = any_person();
  for (std::size_t i = 0; i < count; ++i) {
    Record record{RecordId(new_id(world.clock, world.random)),
                  person ? kPeopleType : kThingsType,
                  person,
                  {kClasses[i % 3]},
                  false};
    drafts.push_back(draft_record(EventType::record_added, record, record.classes));
    records.push_back(std::move(record));
  }
  commit(std::move(drafts));
}

void People::erase(const std::vector<std::size_t>& who, const std::vector<std::uint32_t>& classes, Until until) {
  const auto dies = [&](ClassNo cls) {
    return classes.empty() ? dies_at_erasure(cls)
                           : std::find(classes.begin(), classes.end(), cls.get()) != classes.end();
  };
  Open open{{}, who, classes};
  std::vector<ledger::Draft> drafts;
  const ErasureId id(new_id(world.clock, world.random));
  for (const auto at : who) {
    auto& person = persons[at];
    vault::Fence fence{ledger->size().get() + drafts.size(), {}};
    for (const auto& [cls, slot] : person.leaves)
      if (dies(cls)) fence.slots.push_back(slot);
    ErasureNotice notice;
    notice.erasure = id;
    for (const auto& record : records)
      if (record.person == at) notice.records.push_back(record.id);
    drafts.push_back(draft(EventType::erasure_requested,
                           ErasureRequestedFacts{1, 99, static_cast<std::uint32_t>(fence.slots.size()), classes}));
    const auto slot = vault->new_leaf().value();
    add_part(drafts.back(), slot, built_in::erasure_notice, owner_of(person.id), codec::encode(notice));
    REQUIRE(vault->fence(fence));
    open.fences.push_back(std::move(fence));
    person.open = true;
  }
  if (until == Until::fenced) return;
  std::vector<Slot> notices;
  for (const auto& event : drafts) notices.push_back(event.parts[1].envelope.slot);
  commit(std::move(drafts));
  if (until == Until::requested) {
    open_.push_back(std::move(open));
    return;
  }
  const auto requests = open.fences;
  carry_out(std::move(open), until);
  if (until != Until::notice_gone) return;
  // The leaves of notices die in an epoch of their own, which names the requests once more; not those of all people.
  std::vector<vault::Fence> ends;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests.size() > 1 && world.random.below(3) == 0) continue;
    ends.push_back({requests[i].request, {notices[i]}});
    REQUIRE(vault->fence(ends.back()));
  }
  if (!ends.empty()) one_epoch(ends);
}

void People::one_epoch(std::span<const vault::Fence> fences) {
  const auto change = vault->erase(fences);
  INFO((change ? std::string() : change.error().text()));
  REQUIRE(change);
  ErasureEffectiveFacts facts;
  facts.old_epoch = change->from.get();
  facts.new_epoch = change->to.get();
  facts.requests = change->requests;
  system_event(EventType::erasure_effective, facts);
  REQUIRE(vault->told(change->to));
}

void People::system_event(EventType type, Facts facts) { commit(draft(type, std::move(facts))); }

void People::carry_out(Open open, Until until) {
  // An erasure of many people takes several epochs.
  for (std::span<const vault::Fence> left(open.fences); !left.empty();) {
    const auto taken = 1 + world.random.below(left.size());
    one_epoch(left.first(taken));
    left = left.subspan(taken);
    if (world.random.below(4) == 0) set_registries();  // what a class is changes between them
  }
  if (until >= Until::completed)
    for (const auto& fence : open.fences)
      system_event(EventType::erasure_completed, ErasureCompletedFacts{fence.request});
  for (const auto at : open.persons) {
    auto& person = persons[at];
    person.open = false;
    person.gone = open.classes.empty();
    const auto dies = [&](ClassNo cls) {
      return open.classes.empty()
                 ? dies_at_erasure(cls)
                 : std::find(open.classes.begin(), open.classes.end(), cls.get()) != open.classes.end();
    };
    std::erase_if(person.leaves, [&](const auto& leaf) { return dies(leaf.first); });
    for (auto& record : records) {
      if (record.person != at) continue;
      std::erase_if(record.classes, dies);
      if (record.classes.empty()) record.removed = true;
    }
  }
}

void People::finish_open() {
  for (auto& open : std::exchange(open_, {})) carry_out(std::move(open), Until::effective);
}

std::optional<std::size_t> People::any_person() {
  std::vector<std::size_t> there;
  for (std::size_t i = 0; i < persons.size(); ++i)
    if (!persons[i].open && !persons[i].gone) there.push_back(i);
  if (there.empty()) return std::nullopt;
  return there[world.random.below(there.size())];
}

std::optional<std::size_t> People::any_record() {
  std::vector<std::size_t> there;
  for (std::size_t i = 0; i < records.size(); ++i)
    if (!records[i].removed && !records[i].import &&
        !(records[i].person && (persons[*records[i].person].open || persons[*records[i].person].gone)))
      there.push_back(i);
  if (there.empty()) return std::nullopt;
  return there[world.random.below(there.size())];
}

void People::step() {
  const auto dice = world.random.below(28);
  const auto person = any_person();
  const auto record = any_record();
  if (dice < 3 || !person) {
    register_person(dice == 1);
  } else if (dice < 8 || !record) {
    add_record(world.random.below(5) == 0 ? std::nullopt : person, 1 + world.random.below(3));
  } else if (dice < 12) {
    change_record(*record);
  } else if (dice == 12) {
    remove_record(*record);
  } else if (dice < 15) {
    look_at({*person});
  } else if (dice == 15) {
    set_registries();
  } else if (dice == 16) {
    bulk(1 + world.random.below(120));
  } else if (dice == 17) {
    finish_open();
  } else if (dice == 20) {
    if (imports_.size() < 2) begin_import();
  } else if (dice > 20 && dice < 25) {
    import_row();
  } else if (dice == 27) {
    if (const auto other = any_person(); other != person) merge(*person, *other);
  } else if (dice >= 25) {
    end_import(dice == 25 ? EventType::import_finished : EventType::import_cancelled);
  } else {
    std::vector<std::size_t> who{*person};
    if (const auto other = any_person(); other != person) who.push_back(*other);
    std::vector<std::uint32_t> classes;
    if (world.random.below(2) == 0) classes.push_back(kClasses[world.random.below(3)].get());
    std::erase_if(
        who, [&](std::size_t at) { return !classes.empty() && !persons[at].leaves.contains(ClassNo(classes[0])); });
    if (!who.empty()) erase(who, classes, static_cast<Until>(1 + world.random.below(4)));
  }
}

}  // namespace siegel::test
