// How a command is prepared, submitted, decided and answered; drafts and their parts.
#include <algorithm>
#include <utility>

#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

constexpr unsigned kAttemptsMax = 8;
constexpr unsigned kOvertakenMax = 3;  // then it is this command's turn
constexpr std::chrono::milliseconds kFreshWait{5000};
constexpr std::chrono::milliseconds kLetPassWait{20};

constexpr std::size_t kTraceBytes = sizeof(std::uint32_t) + kEnvelopeBytes;  // length and envelope

// As the ledger counts them: a limit that it would not keep to must not be passed here (number, then length and bytes).
std::size_t parts_bytes(const ledger::Draft& draft) {
  std::size_t bytes = sizeof(std::uint16_t);
  for (const auto& part : draft.parts) bytes += sizeof(std::uint32_t) + kEnvelopeBytes + part.ciphertext.size();
  return bytes;
}

std::int64_t month_of(TimeMs time) {
  const auto date = civil_from_days(static_cast<std::int64_t>(time.get() / 86'400'000));
  return std::int64_t{date.year} * 12 + static_cast<std::int64_t>(date.month) - 1;
}

}  // namespace

bool is_dead(vault::Vault& vault, Slot slot) {
  if (vault.living(slot)) return false;
  const auto tried = vault.seal_row(slot, "records", {}, {});
  return !tried && tried.error().category() == Errc::gone;
}

// What the ledger holds: the task itself may be prepared again and outlives one submission.
class Submitted final : public ledger::Command {
 public:
  explicit Submitted(std::shared_ptr<Task> task) : task_(std::move(task)) {}

  ledger::Verdict finish(const ledger::Moment& at) override {
    Task& task = *task_;
    const auto lock = task.s.state.lock();
    auto decision = task.decide(at);
    ledger::Verdict verdict;
    if (auto* drafts = std::get_if<std::vector<ledger::Draft>>(&decision)) {
      if (!drafts->empty()) verdict.idempotency = task.idempotency(at, drafts->size());
      verdict.events = std::move(*drafts);
    } else if (auto* error = std::get_if<Error>(&decision)) {
      task.refused_ = std::move(*error);
    } else {
      task.again_ = true;
    }
    return verdict;
  }

  void done(Result<ledger::Committed> outcome) noexcept override {
    Task& task = *task_;
    if (!outcome) {
      task.fail(outcome.error());
    } else if (task.again_) {
      task.s.executor.post([task_ptr = task_] { task_ptr->again(); });
    } else if (task.refused_) {
      task.fail(*task.refused_);
    } else {
      task.committed(std::move(*outcome));
    }
  }

  [[nodiscard]] KeysMark keys_mark() const override { return task_->keys_mark_; }
  [[nodiscard]] std::size_t events() const override { return task_->events(); }

 private:
  std::shared_ptr<Task> task_;
};

void Task::again() {
  again_ = false;
  refused_.reset();
  drafts.clear();
  owners.clear();
  fresh.reset();
  waited_ = false;
  if (!std::exchange(lets_pass_, false)) return run();
  --attempts_;
  s.views.when(TreeSize(s.ledger.size().get() + 1), kLetPassWait,
               [self = shared_from_this()](bool) { self->s.executor.post([self] { self->run(); }); });
}

bool Task::overtaken_often() const { return attempts_ >= kOvertakenMax; }

void Task::run() {
  if (s.read_only_) return failed(s.read_only_error());
  if (++attempts_ > kAttemptsMax) {
    failed(Error(Errc::overloaded, "overloaded", "The data changed again and again while the command was prepared."));
    return;
  }
  // A command that was sent back wants views that show what it collided with.
  if ((needs_fresh_views() || attempts_ > 1) && !waited_ && s.views.position() < s.ledger.size()) {
    waited_ = true;
    s.views.when(s.ledger.size(), kFreshWait, [self = shared_from_this()](bool) {
      self->s.executor.post([self] {
        --self->attempts_;
        self->run();
      });
    });
    return;
  }
  if (auto prepared = prepare(); !prepared) {
    const Error& error = prepared.error();
    if (error.category() == Errc::denied && !error.is("token_wrong")) {
      s.refuse(caller, error, wanted(), [self = shared_from_this()](const Error& e) { self->failed(e); });
    } else {
      fail(error);
    }
    return;
  }
  keys_mark_ = s.vault.mark();
  s.ledger.submit(std::make_unique<Submitted>(shared_from_this()));
}

Status Task::permit_now(decide::Action wanted_action) {
  action = wanted_action;
  registries = s.state.registries();
  SIEGEL_TRY(granted, decide::authorise(*registries, use(action), s.clock.now()));
  permit = std::move(granted);
  return Done{};
}

std::optional<Task::Decision> Task::still_permitted(const ledger::Moment& at) {
  auto current = s.state.registries();
  if (current == registries) {
    const auto* token = registries->token(caller.token);
    if (token != nullptr && decide::is_in_time(token->grant, action, at.time)) return std::nullopt;
    return Decision(Again{});
  }
  const auto granted = decide::authorise(*current, use(action), at.time);
  if (!granted) return Decision(Again{});  // prepared again, it is refused with the reason, as an event
  const bool same_type = (granted->type == nullptr) == (permit.type == nullptr) &&
                         (permit.type == nullptr || (granted->type->version == permit.type->version));
  if (!same_type || granted->purpose != permit.purpose || granted->ground != permit.ground ||
      granted->all_fields != permit.all_fields || granted->fields != permit.fields)
    return Decision(Again{});
  return std::nullopt;
}

void Task::fail(const Error& error) {
  if (!error.is("erased") || error.find("erasure") != nullptr || !about) return failed(error);
  s.views.when(s.ledger.size(), kFreshWait, [self = shared_from_this()](bool) {
    self->s.executor.post([self] {
      const auto erasure = self->s.views.erased(*self->about);
      self->failed(erasure ? erased_error(*erasure) : Error(erasure.error()));
    });
  });
}

std::optional<Task::Decision> Task::place(const ledger::Moment& at, const std::optional<SubjectId>& fresh_subject) {
  switch (s.place(drafts, at, owners, fresh_subject)) {
    case Impl::Placed::again:
      return Decision(Again{});
    case Impl::Placed::erased:
      return Decision(erased_error());
    case Impl::Placed::yes:
      break;
  }
  return std::nullopt;
}

Error erased_error(const std::optional<ErasureId>& erasure) {
  Error error(Errc::gone, "erased", "This person or class of data is erased.");
  return erasure ? std::move(error).with("erasure", to_text(*erasure)) : error;
}

Status Task::find_record(const RecordId& id, decide::Action what) {
  about = id.get();
  record_seen.reset();
  const auto looked = s.look(id, record_seen);
  if (!looked) return Error(looked.error());
  const auto& entry = *looked;
  const auto known = s.state.registries();
  const auto* type = entry && !entry->removed && !hidden(*entry) ? known->type(entry->type) : nullptr;
  if (!entry || type == nullptr) {
    type_name.clear();
    named_fields.clear();  // no type to have them: the record is what is missing
    SIEGEL_CHECK(permit_now(what));
    // Who was removed is just not there any more; who is erased is named for a while.
    SIEGEL_TRY(erasure, s.views.erased(id.get()));
    if (erasure && !entry) return erased_error(erasure);
    return Error(Errc::not_found, "not_found", "There is no such record.");
  }
  record_entry = *entry;
  record_owner = entry->subject ? owner_of(*entry->subject) : owner_of(entry->type);
  type_name = type->definition.name;
  return permit_now(what);
}

Status Task::find_subject(const SubjectId& id) {
  SIEGEL_CHECK(know(owner_of(id)));
  SIEGEL_TRY(entry, s.look(owner_of(id), owners[owner_of(id)]));
  SIEGEL_TRY(erasure, s.views.erased(id.get()));
  // While the request is open the views may not show it yet.
  const bool open = std::any_of(entry.fences.begin(), entry.fences.end(),
                                [](const decide::FenceEntry& fence) { return fence.classes.empty(); });
  if (erasure || open) return erased_error(erasure);
  // After an erasure traces and the like are left; they make nobody come back.
  if (std::none_of(entry.leaves.begin(), entry.leaves.end(),
                   [](const decide::LeafEntry& leaf) { return dies_at_erasure(leaf.cls); }))
    return Error(Errc::not_found, "not_found", "There is no such subject.");
  // Erased in what the ledger lost: nothing tells of it but the keys. What an erasure of this ledger leaves is its own.
  if (entry.fences.empty() && std::all_of(entry.leaves.begin(), entry.leaves.end(), [&](const decide::LeafEntry& leaf) {
        return !dies_at_erasure(leaf.cls) || is_dead(s.vault, leaf.slot);
      }))
    return erased_error();
  return Done{};
}

Status Task::know(const OwnerId& owner) {
  if (owners.contains(owner)) return Done{};
  SIEGEL_TRY(found, s.snapshot(owner));
  owners.emplace(owner, std::move(found));
  return Done{};
}

void Impl::submit(const std::shared_ptr<Task>& task) {
  evict();
  task->run();
}

// ── leaves and snapshots ──

Result<std::optional<OwnerSnapshot>> Impl::snapshot(const OwnerId& owner) {
  if (state.find_owner(owner)) return std::optional<OwnerSnapshot>();
  const auto position = views.position();  // before the row: the row shows at least this
  SIEGEL_TRY(row, views.owner(owner));
  OwnerSnapshot found{std::nullopt, position};
  if (row) {
    decide::OwnerEntry entry;
    for (const auto& leaf : row->leaves) entry.leaves.push_back({leaf.cls, leaf.slot, leaf.next, leaf.since});
    entry.modified = row->modified;
    found.row = std::move(entry);
  }
  return std::optional<OwnerSnapshot>(std::move(found));
}

Result<std::optional<RecordSnapshot>> Impl::snapshot(const RecordId& record) {
  if (state.find_record(record)) return std::optional<RecordSnapshot>();
  const auto position = views.position();
  SIEGEL_TRY(head, views.newest_head(record));
  RecordSnapshot found{std::nullopt, position};
  if (head) {
    auto& entry =
        found.row.emplace(decide::RecordEntry{head->type, head->subject, head->version, head->modified, head->removed});
    if (const auto& pending = head->pending) {
      entry.version = pending->version;
      entry.modified = pending->modified;
      entry.import = pending->import;
      entry.there_before = head->version.get() > 0;
    }
  }
  return std::optional<RecordSnapshot>(std::move(found));
}

namespace {

// The entry of the state, else of the snapshot. No snapshot: the state has it now, or had it until just now.
template <class Entry, class Find, class Snapshot, class Take>
Result<std::optional<Entry>> look_up(const Find& find, std::optional<Snapshot>& found, const Take& take) {
  for (;;) {
    if (auto entry = find()) return entry;
    if (found) return found->row;
    auto taken = take();
    if (!taken) return Error(taken.error());
    found = std::move(*taken);  // not by SIEGEL_TRY: g++ 12 takes the moved optional for uninitialized
  }
}

}  // namespace

Result<decide::OwnerEntry> Impl::look(const OwnerId& owner, std::optional<OwnerSnapshot>& found) {
  auto entry =
      look_up<decide::OwnerEntry>([&] { return state.find_owner(owner); }, found, [&] { return snapshot(owner); });
  if (!entry) return Error(entry.error());
  return std::move(*entry).value_or(decide::OwnerEntry{});
}

Result<std::optional<decide::RecordEntry>> Impl::look(const RecordId& record, std::optional<RecordSnapshot>& found) {
  return look_up<decide::RecordEntry>([&] { return state.find_record(record); }, found,
                                      [&] { return snapshot(record); });
}

Result<std::vector<RecordBody>> Impl::open_event(const ledger::SystemReceipt& receipt, const Header& header,
                                                 ByteView stored, const Wanted& wanted) {
  std::vector<RecordBody> out;
  SIEGEL_TRY(parts, codec::decode_parts(stored));
  SIEGEL_CHECK(codec::check_parts(header, parts));
  const auto count = static_cast<std::uint16_t>(parts.size());  // at most kPartsMax
  for (std::uint16_t i = 0; i < count; ++i) {
    if (parts[i].removed || parts[i].ciphertext.empty() || !wanted(i, parts[i])) continue;
    auto opened = vault.open(receipt, header, i, parts[i]);
    if (!opened && opened.error().category() == Errc::gone) continue;
    if (!opened) return Error(opened.error());
    SIEGEL_TRY(body, codec::decode_record(opened->view(), header.schema));
    out.push_back(std::move(body));
  }
  return out;
}

Result<Slot> Impl::leaf_for(const decide::OwnerEntry& owner, ClassNo cls) {
  const auto* leaf = owner.leaf(cls);
  if (leaf == nullptr || died_unseen(owner, *leaf)) return vault.new_leaf();
  return leaf->slot;
}

// Dead, and no event of this ledger says so: the class of a person who lives was erased in what the ledger lost, and
// can be filled again (docs/adr/0006). While an erasure is on its way, or nothing of the person lives, the dead leaf
// stays.
bool Impl::died_unseen(const decide::OwnerEntry& owner, const decide::LeafEntry& leaf) {
  if (!is_dead(vault, leaf.slot) || owner.is_fenced(leaf.cls)) return false;
  const auto lives = [&](const auto& other) { return dies_at_erasure(other.cls) && vault.living(other.slot); };
  return !vault.fenced(leaf.slot) && std::any_of(owner.leaves.begin(), owner.leaves.end(), lives);
}

Result<Slot> Impl::actor_leaf(const TokenId& token) {
  const auto month = month_of(clock.now());
  const auto known = actor_leaves_.with([&](auto& leaves) -> std::optional<Slot> {
    const auto it = leaves.find(token.get());
    if (it == leaves.end() || it->second.month != month) return std::nullopt;
    return it->second.slot;
  });
  if (known) return *known;
  const auto owner = owner_of(token);
  SIEGEL_TRY(found, snapshot(owner));
  SIEGEL_TRY(entry, look(owner, found));
  std::optional<Slot> slot, earlier;
  for (const auto& leaf : entry.leaves) {
    if (leaf.cls != built_in::staff_log || !vault.living(leaf.slot)) continue;
    (month_of(leaf.since) == month ? slot : earlier) = leaf.slot;
  }
  if (!slot) {
    const auto drawn = vault.new_leaf();
    // While no leaf is to be had, the newest one of an earlier month does: work goes on, and it is looked for anew.
    if (!drawn && earlier) return *earlier;
    if (!drawn) return Error(drawn.error());
    slot = *drawn;
  }
  actor_leaves_.with([&](auto& leaves) { leaves[token.get()] = {month, *slot}; });
  return *slot;
}

Result<Slot> Impl::ledger_leaf(ClassNo cls) {
  const auto known = ledger_leaves_.with([&](auto& leaves) -> std::optional<Slot> {
    const auto it = leaves.find(cls);
    return it == leaves.end() ? std::nullopt : std::optional(it->second);
  });
  if (known) return *known;
  auto drawn = vault.new_leaf();
  if (!drawn && drawn.error().is("keys_replica_unavailable")) drawn = earlier_leaf(cls, drawn.error());
  if (!drawn) return drawn;
  return ledger_leaves_.with([&](auto& leaves) { return leaves.emplace(cls, *drawn).first->second; });
}

Result<Slot> Impl::earlier_leaf(ClassNo cls, const Error& why) {
  const auto owner = owner_of_ledger();
  SIEGEL_TRY(found, snapshot(owner));
  if (found && !started_) {
    SIEGEL_TRY(entry, own_leaves_at_start(*found));
    const auto lock = state.lock();
    const auto modified = entry.modified;
    state.new_owner(owner) = std::move(entry);
    state.touched(owner, modified);
  }
  SIEGEL_TRY(entry, look(owner, found));
  const auto& leaves = entry.leaves;
  const auto it = std::find_if(leaves.rbegin(), leaves.rend(),
                               [&](const auto& leaf) { return leaf.cls == cls && vault.living(leaf.slot); });
  if (it == leaves.rend()) return why;
  return it->slot;
}

// Before the read models have caught up: what they show, and what came after it. Running numbers go on from there.
Result<decide::OwnerEntry> Impl::own_leaves_at_start(const OwnerSnapshot& shown) {
  auto entry = shown.row.value_or(decide::OwnerEntry{});
  SIEGEL_TRY(cursor, ledger.cursor(Seq(shown.position.get())));
  Seq seq;
  ByteView header, bytes;
  for (;;) {
    SIEGEL_TRY(more, cursor->next(seq, header, bytes));
    if (!more) return entry;
    SIEGEL_TRY(parts, codec::decode_parts(bytes));
    for (const auto& part : parts) {
      const auto& envelope = part.envelope;
      if (part.removed || envelope.owner != owner_of_ledger()) continue;
      if (entry.leaf(envelope.slot) == nullptr) {
        SIEGEL_TRY(told, codec::decode_header(header));
        entry.leaves.push_back({envelope.cls, envelope.slot, 0, told.time});
      }
      entry.leaf(envelope.slot)->next = envelope.number + 1;
      entry.modified = seq;
    }
  }
}

// ── drafts ──

Result<ledger::Draft> Impl::draft(EventType type, const Caller& caller, const decide::Permit& permit) {
  ledger::Draft out;
  out.header.type = type;
  out.header.schema = codec::kSchemaVersion;
  out.header.ground = permit.ground;
  out.header.source = caller.source;
  out.header.id = new_event_id(random);
  out.header.purpose = permit.purpose;
  if (permit.type != nullptr) out.header.record_type = TypeNo(permit.type->number);
  SIEGEL_TRY(slot, actor_leaf(caller.token));
  ActorBody actor;
  actor.time_micros = clock.now().get() * 1000;
  actor.request_id = caller.request_id;
  SIEGEL_CHECK(add_part(out, slot, built_in::staff_log, owner_of(caller.token), codec::encode(actor)));
  return out;
}

Result<ledger::Draft> Impl::system_draft(EventType type) {
  ledger::Draft out;
  out.header.type = type;
  out.header.schema = codec::kSchemaVersion;
  out.header.source = Source::system;
  out.header.id = new_event_id(random);
  SIEGEL_TRY(slot, ledger_leaf(built_in::job));
  ActorBody actor;
  actor.time_micros = clock.now().get() * 1000;
  SIEGEL_CHECK(add_part(out, slot, built_in::job, owner_of_ledger(), codec::encode(actor)));
  return out;
}

Status Impl::add_part(ledger::Draft& draft, Slot slot, ClassNo cls, const OwnerId& owner, ByteView body) {
  const auto number = static_cast<std::uint16_t>(draft.parts.size());
  SIEGEL_TRY(part, vault.seal(slot, draft.header.id, number, cls, owner, draft.header.schema, body));
  draft.parts.push_back(std::move(part));
  draft.header.part_count = static_cast<std::uint16_t>(draft.parts.size());
  return Done{};
}

void Impl::add_trace(ledger::Draft& draft, Slot slot, const OwnerId& owner) {
  draft.parts.push_back(vault.trace(slot, built_in::access_log, owner));
  draft.header.part_count = static_cast<std::uint16_t>(draft.parts.size());
}

std::size_t Impl::traces_left(const ledger::Draft& draft) const {
  const auto bytes = parts_bytes(draft);
  const auto fit = bytes < options.event_bytes_max ? (options.event_bytes_max - bytes) / kTraceBytes : 0;
  return std::min(fit, options.subjects_per_event_max);
}

bool Impl::fits(const ledger::Draft& draft) const { return parts_bytes(draft) <= options.event_bytes_max; }

Status Impl::encode_ahead(ledger::Draft& draft, std::optional<std::size_t> bytes_max) {
  const auto most = bytes_max.value_or(options.event_bytes_max);
  if (parts_bytes(draft) > most)
    return Error(Errc::invalid, "too_large", "The values of one change are too large.")
        .with("limit_name", "event_bytes_max")
        .with("limit_value", most);
  SIEGEL_TRY(prepared, codec::encode_template(draft.header));
  draft.prepared = std::move(prepared);
  return Done{};
}

Impl::Places Impl::look_for_places(const std::vector<ledger::Draft>& drafts,
                                   const std::map<OwnerId, std::optional<OwnerSnapshot>>& owners,
                                   const std::optional<SubjectId>& fresh) {
  Places out;
  for (const auto& draft : drafts) {
    for (const auto& part : draft.parts) {
      const auto& owner = part.envelope.owner;
      if (out.entries.contains(owner)) continue;
      // Who comes with this command has no fences and no leaves; an entry only if it is written for certain.
      if (fresh && owner == owner_of(*fresh)) continue;
      const auto it = owners.find(owner);
      const auto found = state.owner(owner, it == owners.end() ? std::nullopt : it->second);
      if (!found.known) return out;
      out.entries[owner] = found.entry;
    }
  }
  for (const auto& draft : drafts) {
    for (const auto& part : draft.parts) {
      const auto entry = out.entries.find(part.envelope.owner);
      if (entry != out.entries.end() && entry->second->is_fenced(part.envelope.cls)) {
        out.outcome = Placed::erased;
        return out;
      }
    }
  }
  // A leaf that nobody knows is a fresh one, or it died since its part was sealed: then nobody could read the part. A
  // trace is sealed under nothing.
  for (const auto& draft : drafts) {
    for (const auto& part : draft.parts) {
      const auto slot = part.envelope.slot;
      const auto entry = out.entries.find(part.envelope.owner);
      const bool known =
          part.ciphertext.empty() || (entry != out.entries.end() && entry->second->leaf(slot) != nullptr);
      if (!known && !vault.living(slot)) return out;
    }
  }
  if (fresh) out.entries[owner_of(*fresh)] = &state.new_owner(owner_of(*fresh));
  out.outcome = Placed::yes;
  return out;
}

void Impl::number(std::vector<ledger::Draft>& drafts, const ledger::Moment& at, const Places& places) {
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const Seq seq(at.next.get() + i);
    for (auto& part : drafts[i].parts) {
      auto& entry = *places.entries.at(part.envelope.owner);
      // A trace uses no key, so it goes under the leaf that the person already has.
      if (part.ciphertext.empty())
        if (const auto* leaf = entry.leaf(part.envelope.cls)) part.envelope.slot = leaf->slot;
      auto* leaf = entry.leaf(part.envelope.slot);
      if (leaf == nullptr) {
        entry.leaves.push_back({part.envelope.cls, part.envelope.slot, 0, at.time});
        leaf = &entry.leaves.back();
      }
      part.envelope.number = leaf->next++;
      entry.modified = seq;
      state.touched(part.envelope.owner, seq);
    }
  }
}

Impl::Placed Impl::place(std::vector<ledger::Draft>& drafts, const ledger::Moment& at,
                         const std::map<OwnerId, std::optional<OwnerSnapshot>>& owners,
                         const std::optional<SubjectId>& fresh) {
  const auto places = look_for_places(drafts, owners, fresh);
  if (places.outcome == Placed::yes) number(drafts, at, places);
  return places.outcome;
}

// ── refusals and system events ──

namespace {

class RefusalTask final : public Task {
 public:
  RefusalTask(Impl& service, Caller who, Error error, EventType requested, std::function<void(Error)> then)
      : Task(service, std::move(who)), error_(std::move(error)), requested_(requested), then_(std::move(then)) {}

 protected:
  Status prepare() override {
    registries = s.state.registries();
    decide::Permit none;
    SIEGEL_TRY(draft, s.draft(EventType::refusal_recorded, caller, none));
    draft.header.facts =
        RefusalFacts{static_cast<std::uint16_t>(decide::refusal_code(error_)), static_cast<std::uint16_t>(requested_)};
    SIEGEL_CHECK(know(owner_of(caller.token)));
    SIEGEL_CHECK(s.encode_ahead(draft));
    drafts.push_back(std::move(draft));
    return Done{};
  }
  Decision decide(const ledger::Moment& at) override {
    if (s.place(drafts, at, owners, fresh) != Impl::Placed::yes) return Again{};
    return std::move(drafts);
  }
  void committed(ledger::Committed&&) override { then_(error_); }
  void failed(const Error& error) override { then_(error); }
  EventType wanted() const override { return EventType::refusal_recorded; }

 private:
  Error error_;
  EventType requested_;
  std::function<void(Error)> then_;
};

class SystemTask final : public Task {
 public:
  SystemTask(Impl& service, EventType type, std::vector<Facts> facts, Bytes body, ClassNo cls,
             std::function<void(Result<ledger::Committed>)> done)
      : Task(service, Caller{}),
        type_(type),
        facts_(std::move(facts)),
        body_(std::move(body)),
        cls_(cls),
        done_(std::move(done)) {}

 protected:
  Status prepare() override {
    SIEGEL_CHECK(know(owner_of_ledger()));
    for (const auto& facts : facts_) {
      SIEGEL_TRY(draft, s.system_draft(type_));
      draft.header.facts = facts;
      if (!body_.empty()) {
        SIEGEL_TRY(slot, s.ledger_leaf(cls_));
        SIEGEL_CHECK(s.add_part(draft, slot, cls_, owner_of_ledger(), body_));
      }
      SIEGEL_CHECK(s.encode_ahead(draft));
      drafts.push_back(std::move(draft));
    }
    return Done{};
  }
  [[nodiscard]] std::size_t events() const override { return facts_.size(); }
  Decision decide(const ledger::Moment& at) override {
    if (s.place(drafts, at, owners, fresh) != Impl::Placed::yes) return Again{};
    return std::move(drafts);
  }
  void committed(ledger::Committed&& committed) override { done_(std::move(committed)); }
  void failed(const Error& error) override { done_(Error(error)); }
  EventType wanted() const override { return type_; }

 private:
  EventType type_;
  std::vector<Facts> facts_;  // an event for each
  Bytes body_;
  ClassNo cls_;
  std::function<void(Result<ledger::Committed>)> done_;
};

}  // namespace

void Impl::refuse(const Caller& caller, const Error& error, EventType requested, std::function<void(Error)> then) {
  submit(std::make_shared<RefusalTask>(*this, caller, error, requested, std::move(then)));
}

std::shared_ptr<Task> make_system(Impl& s, EventType type, Facts facts, Bytes body, ClassNo cls,
                                  std::function<void(Result<ledger::Committed>)> done) {
  return std::make_shared<SystemTask>(s, type, std::vector{std::move(facts)}, std::move(body), cls, std::move(done));
}
std::shared_ptr<Task> make_system(Impl& s, EventType type, std::vector<Facts> facts,
                                  std::function<void(Result<ledger::Committed>)> done) {
  return std::make_shared<SystemTask>(s, type, std::move(facts), Bytes(), built_in::job, std::move(done));
}

// ── writes ──

Status WriteTask::prepare() {
  claim_.reset();
  replay_.reset();
  if (!options.idempotency_key.empty()) {
    SIEGEL_TRY(found, s.claim(caller, options));
    if (auto* before = std::get_if<Written>(&found)) {
      replay_ = std::move(*before);
      return Done{};
    }
    claim_ = std::get<Impl::IdempotencyClaim>(found);
  }
  return prepare_write();
}

Task::Decision WriteTask::decide(const ledger::Moment& at) {
  if (replay_) return std::vector<ledger::Draft>{};
  if (claim_) {
    // An earlier command of this very group may have used the key.
    const auto* it = s.state.answered_already(claim_->pin);
    if (it != nullptr && it->day >= claim_->oldest) {
      if (!equal(it->request, claim_->pinned_request))
        return Error(Errc::conflict, "idempotency_conflict", "The idempotency key was used for another request.");
      auto before = decode_written(it->outcome);
      if (!before) return Error(before.error());
      replay_ = std::move(*before);
      return std::vector<ledger::Draft>{};
    }
    if (!s.state.trusted(claim_->looked_at)) return Again{};
  }
  return decide_write(at);
}

std::optional<codec::IdempotencyRow> WriteTask::idempotency(const ledger::Moment& at, std::size_t events) {
  if (!claim_) return std::nullopt;
  auto row = s.row_for(*claim_, written);
  if (!row) return std::nullopt;
  s.state.answer(claim_->pin,
                 {claim_->pinned_request, encode(written), Seq(at.next.get() + events - 1), claim_->today});
  return std::move(*row);
}

void WriteTask::committed(ledger::Committed&& committed) {
  if (!done) return;
  if (replay_) {
    replay_->replayed = true;
    if (auto completed = complete(*replay_); !completed) return done(Error(completed.error()));
    if (replay_->event_hash == Hash{})
      if (auto leaf = s.ledger.leaf(replay_->seq)) replay_->event_hash = *leaf;
    done(std::move(*replay_));
    return;
  }
  if (!committed.leaf_hashes.empty())
    written.event_hash = committed.leaf_hashes[written.seq.get() - committed.first.get()];
  done(std::move(written));
}

}  // namespace siegel::service
