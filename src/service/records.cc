// Records: added, changed, removed. Values are checked and sealed on the worker; whose they are, and their version, is
// decided on the writer.
#include <algorithm>

#include "codec/bodies_codec.h"
#include "codec/reason_shares.h"
#include "service/impl.h"
#include "service/values.h"

namespace siegel::service {
namespace {

// Values by the deletion class of their fields: each class is a part of its own.
std::map<ClassNo, Values> by_class(const TypeDefinition& type, const Registries& registries, const Values& values) {
  std::map<ClassNo, Values> out;
  for (const auto& value : values) {
    const auto* cls = registries.cls(type.field(value.field)->cls);
    out[ClassNo(cls->number)].push_back(value);
  }
  return out;
}

ClassNo first_class(const TypeDefinition& type, const Registries& registries) {
  for (const auto& field : type.fields)
    if (field.personal) return ClassNo(registries.cls(field.cls)->number);
  return ClassNo(registries.cls(type.fields.front().cls)->number);
}

bool touches_identity(const TypeDefinition& type, const Values& values) {
  return std::any_of(values.begin(), values.end(), [&](const auto& value) {
    const auto* field = type.field(value.field);
    return field != nullptr &&
           std::find(type.match_fields.begin(), type.match_fields.end(), field->name) != type.match_fields.end();
  });
}

// What all commands about a record share: how its event is drafted.
class RecordWrite : public WriteTask {
 public:
  using WriteTask::WriteTask;

 protected:
  // One part for each class, each under the leaf that the owner has for it, or a fresh one for the whole command. The
  // reason may speak of all of them, so it is shared out: it is gone with the first.
  Status draft_record(EventType type, RecordBody::Fact fact, const RecordId& record, const OwnerId& owner,
                      const std::map<ClassNo, Values>& parts, const decide::OwnerEntry& leaves) {
    SIEGEL_TRY(draft, s.draft(type, caller, permit));
    std::vector<Personal<Bytes>> shares;
    if (parts.size() > 1) shares = codec::share_reason(options.reason, parts.size(), s.random);
    for (const auto& [cls, values] : parts) {
      RecordBody body{fact, record, values, {}, {}, of_import ? of_import->row : 0};
      if (shares.empty()) {
        body.reason = options.reason;
      } else {
        body.reason_share = shares[draft.parts.size() - 1];
      }
      SIEGEL_CHECK(add_part(draft, cls, owner, leaves, codec::encode(body)));
    }
    return keep(std::move(draft));
  }
  Status add_part(ledger::Draft& draft, ClassNo cls, const OwnerId& owner, const decide::OwnerEntry& leaves,
                  ByteView body) {
    auto slot = slots_.find(cls);
    if (slot == slots_.end()) {
      SIEGEL_TRY(found, s.leaf_for(leaves, cls));
      slot = slots_.emplace(cls, found).first;
    }
    return s.add_part(draft, slot->second, cls, owner, body);
  }
  Status keep(ledger::Draft draft) {
    if (of_import) draft.header.job = of_import->id;
    SIEGEL_CHECK(s.encode_ahead(draft));
    drafts.push_back(std::move(draft));
    return Done{};
  }
  void forget_leaves() { slots_.clear(); }  // prepared again: leaves may have been fenced
  // An import that was cancelled meanwhile writes nothing more.
  std::optional<Decision> import_over() const {
    if (!of_import || of_import->untouched || s.state.import_runs(of_import->id)) return std::nullopt;
    return Decision(Error(Errc::conflict, "state_conflict", "The import is no longer under way."));
  }
  // She was erased after the file came that would bring her back.
  [[nodiscard]] bool erased_since(const std::optional<decide::IdentityKey>& identity) const {
    return of_import && of_import->watch != nullptr && identity && of_import->watch->erased(*identity);
  }

 private:
  std::map<ClassNo, Slot> slots_;
};

class AddTask final : public RecordWrite {
 public:
  AddTask(Impl& service, Caller who, AddRecord command, WriteOptions write_options, Callback<Written> then)
      : RecordWrite(service, std::move(who), std::move(write_options), std::move(then)), command_(std::move(command)) {
    type_name = command_.type;
    of_import = command_.import;
    for (const auto& value : command_.values) named_fields.push_back(value.field);
  }

 protected:
  EventType wanted() const override { return EventType::record_added; }
  std::size_t events() const override { return 2; }

  Status prepare_write() override {
    forget_leaves();
    SIEGEL_CHECK(permit_now(decide::Action::add_record));
    const auto& type = permit.type->definition;
    SIEGEL_TRY(values, canonical(type, command_.values));
    SIEGEL_CHECK(check_required(type, values, true));
    // One time for both ids: a person older than the record was there before it.
    const auto made = s.clock.now();
    SIEGEL_CHECK(choose_subject(type, values, made));
    record_ = RecordId(new_id(made, s.random));
    SIEGEL_CHECK(know(owner_of(caller.token)));
    if (!fresh) SIEGEL_CHECK(know(owner_));
    decide::OwnerEntry entry;
    if (!fresh) {
      SIEGEL_TRY(looked, s.look(owner_, owners[owner_]));
      entry = std::move(looked);
    }
    return make_drafts(type, values, entry);
  }

  Decision decide_write(const ledger::Moment& at) override {
    if (auto stop = still_permitted(at)) return std::move(*stop);
    if (auto stop = import_over()) return std::move(*stop);
    if (erased_since(identity_)) return erased_error();
    if (auto stop = settle_subject()) return std::move(*stop);
    if (auto stop = place(at, subject_is_new_ ? subject_ : std::nullopt)) return std::move(*stop);
    const Seq seq(at.next.get() + drafts.size() - 1);
    auto& entry = s.state.new_record(record_, {TypeNo(permit.type->number), subject_, RecordVersion(1), seq, false});
    if (of_import) {
      entry.import = of_import->id;
      entry.there_before = false;
    }
    s.state.touched(record_, seq);
    if (subject_) s.state.known_owner(owner_).remember({seq, record_, identity_.has_value(), identity_});
    if (subject_ && links_) s.state.known_owner(owner_).remember({seq, record_, true, external_});
    if (identity_ && subject_) s.identity.add(*identity_, *subject_);
    if (external_ && subject_ && links_) s.identity.add(*external_, *subject_);
    written.kind = Written::Kind::created;
    written.version = 1;
    written.seq = seq;
    written.size = TreeSize(seq.get() + 1);
    written.record = record_;
    written.subject = subject_;
    return std::move(drafts);
  }

 private:
  // Ahead of the writer: by the caller's word, by the external reference, by the identity, or a new person.
  Status choose_subject(const TypeDefinition& type, const Values& values, TimeMs made) {
    subject_.reset();
    identity_.reset();
    external_.reset();
    fresh.reset();
    links_ = false;
    written.ambiguous = false;
    if (type.subject_mode == SubjectMode::none) {
      owner_ = owner_of(TypeNo(permit.type->number));
      if (command_.subject || command_.external)
        return Error(Errc::invalid, "bad_value", "Records of this type concern no person.").with("pointer", "/subject");
      return Done{};
    }
    if (type.subject_mode == SubjectMode::match) {
      if (!s.identity.loaded()) return Error(Errc::unavailable, "starting", "The identity index is still loading.");
      identity_ = s.identity.key(type, values);
    }
    if (command_.external) {
      if (!s.identity.loaded()) return Error(Errc::unavailable, "starting", "The identity index is still loading.");
      const auto& reference = command_.external->expose();
      external_ = s.identity.key(reference.system, reference.id);
    }
    if (command_.subject) {
      subject_ = s.merges.name_of(*command_.subject);
      SIEGEL_CHECK(find_subject(*subject_));
      about = subject_->get();
    } else if (auto found = find_identity()) {
      // The index forgets whoever is erased together with the fence: who is gone was found a moment before it.
      auto lives = find_subject(*found);
      if (!lives) {
        const auto again = find_identity();
        if (again == found) return lives;
        found = again;
      }
      subject_ = found;
    }
    if (!subject_) {
      subject_ = SubjectId(new_id(made, s.random));
      fresh = subject_;
    }
    links_ = external_ && !s.identity.find(*external_).subject;
    owner_ = owner_of(*subject_);
    return Done{};
  }

  std::optional<SubjectId> find_identity() {
    if (external_)
      if (const auto found = s.identity.find(*external_); found.subject) return found.subject;
    if (!identity_) return std::nullopt;
    const auto found = s.identity.find(*identity_);
    written.ambiguous = found.ambiguous;
    return found.subject;
  }

  // On the writer: an earlier command of this group may have registered the same person, or erased this one.
  std::optional<Decision> settle_subject() {
    subject_is_new_ = fresh.has_value();
    if (!subject_ || command_.subject) return std::nullopt;
    const auto now = find_identity();
    if (now == subject_) return std::nullopt;
    if (!subject_is_new_) return now || identity_ || external_ ? std::optional<Decision>(Again{}) : std::nullopt;
    if (!now) return std::nullopt;
    // The person exists since a moment: this command's parts become his, and the registration is dropped.
    if (s.state.owner(owner_of(*now), std::nullopt).entry == nullptr) return Decision(Again{});
    const auto old = owner_;
    subject_ = now;
    owner_ = owner_of(*now);
    subject_is_new_ = false;
    std::erase_if(drafts, [](const auto& draft) { return draft.header.type == EventType::subject_registered; });
    for (auto& draft : drafts)
      for (auto& part : draft.parts)
        if (part.envelope.owner == old) part.envelope.owner = owner_;
    return std::nullopt;
  }

  Status make_drafts(const TypeDefinition& type, const Values& values, const decide::OwnerEntry& entry) {
    auto parts = by_class(type, *registries, values);
    if (parts.empty()) parts[first_class(type, *registries)];
    const auto cls = parts.begin()->first;
    const auto about_subject = [&](EventType event, const SubjectBody& body) -> Status {
      SIEGEL_TRY(draft, s.draft(event, caller, permit));
      SIEGEL_CHECK(add_part(draft, cls, owner_, entry, codec::encode(body)));
      return keep(std::move(draft));
    };
    if (fresh) SIEGEL_CHECK(about_subject(EventType::subject_registered, SubjectRegistered{}));
    const auto& link = command_.external;
    if (links_ && link) SIEGEL_CHECK(about_subject(EventType::subject_linked, SubjectLinked{*link}));
    return draft_record(EventType::record_added, RecordBody::Fact::added, record_, owner_, parts, entry);
  }

  AddRecord command_;
  RecordId record_;
  OwnerId owner_;
  std::optional<SubjectId> subject_;
  std::optional<decide::IdentityKey> identity_, external_;
  bool links_ = false;           // the external reference is new and becomes an event
  bool subject_is_new_ = false;  // as settled on the writer
};

// Changing and removing: an existing record, its owner, an expected version.
class ExistingTask : public RecordWrite {
 public:
  ExistingTask(Impl& service, Caller who, const RecordId& record, WriteOptions write_options, Callback<Written> then)
      : RecordWrite(service, std::move(who), std::move(write_options), std::move(then)), record_(record) {}

 protected:
  Status find(decide::Action what) {
    forget_leaves();
    SIEGEL_CHECK(find_record(record_, what));
    SIEGEL_CHECK(know(owner_of(caller.token)));
    SIEGEL_CHECK(know(record_owner));
    SIEGEL_TRY(owner, s.look(record_owner, owners[record_owner]));
    owner_entry_ = std::move(owner);
    return Done{};
  }

  // The record as it is now, or why this cannot go on.
  std::variant<decide::RecordEntry*, Decision> current(const ledger::Moment& at) {
    if (auto stop = still_permitted(at)) return std::move(*stop);
    const auto found = s.state.record(record_, record_seen);
    if (!found.known) return Decision(Again{});
    if (found.entry == nullptr || found.entry->removed) return Decision(Again{});
    if (auto stop = import_over()) return std::move(*stop);
    if (auto stop = held_by_import(*found.entry)) return std::move(*stop);
    if (const auto turn = found.entry->turn.lock(); turn && turn.get() != static_cast<const Task*>(this))
      return Decision(let_pass());
    if (options.expected_version && found.entry->version.get() != *options.expected_version)
      return Decision(Error(Errc::conflict, "version_conflict", "The record has another version by now.")
                          .with("current_version", found.entry->version));
    return found.entry;
  }

  // What the read models told counts only if they showed the record's newest event, and nothing that took some of it
  // since: the others are looked at again.
  std::optional<Decision> looked_too_early(decide::RecordEntry& entry) {
    if (TreeSize(entry.modified.get()) < looked_at_ && entry.adopted_from <= looked_at_) return std::nullopt;
    if (overtaken_often()) entry.turn = weak_from_this();
    return Decision(Again{});
  }

  std::optional<Decision> held_by_import(const decide::RecordEntry& entry) const {
    if (entry.import && s.state.import_runs(*entry.import) && !(of_import && of_import->id == *entry.import))
      return Decision(Error(Errc::conflict, "state_conflict", "An import that is under way has changed this record.")
                          .with("hint", "Wait until the import is finished or cancelled."));
    if (of_import && of_import->untouched && entry.modified != *of_import->untouched)
      return Decision(Error(Errc::conflict, "state_conflict", "The record was changed since the import."));
    return std::nullopt;
  }

  Decision write(const ledger::Moment& at, decide::RecordEntry& entry, Written::Kind kind) {
    if (auto stop = place(at)) return std::move(*stop);
    if (of_import && !of_import->untouched) {
      if (entry.import != of_import->id) entry.there_before = true;
      entry.import = of_import->id;
    }
    const Seq seq(at.next.get() + drafts.size() - 1);
    entry.version = RecordVersion(entry.version.get() + 1);
    entry.modified = seq;
    entry.removed = kind == Written::Kind::removed;
    s.state.touched(record_, seq);
    written.kind = kind;
    written.version = entry.version.get();
    written.seq = seq;
    written.size = TreeSize(seq.get() + 1);
    written.record = record_;
    if (entry.subject) written.subject = s.merges.name_of(*entry.subject);
    return std::move(drafts);
  }

  RecordId record_;
  decide::OwnerEntry owner_entry_;
  TreeSize looked_at_;  // what the read models showed, at least, when they were asked about the record
  std::optional<decide::IdentityKey> before_, after_;
};

class ChangeTask final : public ExistingTask {
 public:
  ChangeTask(Impl& service, Caller who, ChangeRecord command, WriteOptions write_options, Callback<Written> then)
      : ExistingTask(service, std::move(who), command.record, std::move(write_options), std::move(then)),
        command_(std::move(command)) {
    of_import = command_.import;
    for (const auto& value : command_.values) named_fields.push_back(value.field);
  }

 protected:
  EventType wanted() const override { return EventType::record_changed; }

  Status prepare_write() override {
    wants_identity_ = false;
    before_.reset();
    after_.reset();
    SIEGEL_CHECK(find(decide::Action::change_record));
    const auto& type = permit.type->definition;
    SIEGEL_TRY(values, canonical(type, command_.values));
    SIEGEL_CHECK(check_required(type, values, false));
    if (values.empty())
      return Error(Errc::invalid, "bad_value", "Nothing is to be changed.").with("pointer", "/values");
    if (type.subject_mode == SubjectMode::match && touches_identity(type, values)) {
      wants_identity_ = true;
      SIEGEL_CHECK(identities(type, values));
    }
    return draft_record(EventType::record_changed, RecordBody::Fact::changed, record_, record_owner,
                        by_class(type, *registries, values), owner_entry_);
  }

  Decision decide_write(const ledger::Moment& at) override {
    auto found = current(at);
    if (auto* stop = std::get_if<Decision>(&found)) return std::move(*stop);
    auto& entry = *std::get<decide::RecordEntry*>(found);
    if (wants_identity_)
      if (auto stop = looked_too_early(entry)) return std::move(*stop);
    if (erased_since(after_)) return erased_error();
    auto decision = write(at, entry, Written::Kind::changed);
    if (std::holds_alternative<std::vector<ledger::Draft>>(decision) && entry.subject) {
      if (before_) s.identity.take(*before_, *entry.subject);
      if (after_) s.identity.add(*after_, *entry.subject);
      if (of_import && !of_import->untouched && before_ != after_)
        s.state.moved(of_import->id, {record_, *entry.subject, before_, after_});
      if (before_ != after_) s.state.known_owner(record_owner).remember({written.seq, record_, true, after_});
      written.ambiguous = after_ && before_ != after_ && s.identity.find(*after_).ambiguous;
    }
    return decision;
  }

 private:
  Status identities(const TypeDefinition& type, const Values& values) {
    if (!s.identity.loaded()) return Error(Errc::unavailable, "starting", "The identity index is still loading.");
    looked_at_ = s.views.position();
    SIEGEL_TRY(old, s.current_values(record_, type, record_entry.type));
    before_ = s.identity.key(type, old);
    Values merged = std::move(old);
    lay_over(merged, values);
    after_ = s.identity.key(type, merged);
    return Done{};
  }

  ChangeRecord command_;
  bool wants_identity_ = false;
};

class RemoveTask final : public ExistingTask {
 public:
  RemoveTask(Impl& service, Caller who, RemoveRecord command, WriteOptions write_options, Callback<Written> then)
      : ExistingTask(service, std::move(who), command.record, std::move(write_options), std::move(then)) {
    of_import = std::move(command.import);
  }

 protected:
  EventType wanted() const override { return EventType::record_removed; }
  bool needs_fresh_views() const override { return true; }

  Status prepare_write() override {
    SIEGEL_CHECK(find(decide::Action::remove_record));
    const auto& type = permit.type->definition;
    before_.reset();
    looked_at_ = s.views.position();
    if (type.subject_mode == SubjectMode::match) {
      // The index must forget the record, so it must know it first.
      if (!s.identity.loaded()) return Error(Errc::unavailable, "starting", "The identity index is still loading.");
      SIEGEL_TRY(old, s.current_values(record_, type, record_entry.type));
      before_ = s.identity.key(type, old);
    }
    // A part in every class that the record still has parts in: the removal is forgotten with the last of them, not
    // before, so that a rebuild after the erasure of one class does not bring the record back.
    SIEGEL_TRY(row, s.views.record(record_entry.type, record_));
    if (!row) return Error(Errc::overloaded, "overloaded", "The read models do not show the record yet.");
    std::map<ClassNo, Values> parts;
    for (const auto& section : row->sections) parts[section.cls];
    if (parts.empty()) parts[first_class(type, *registries)];
    return draft_record(EventType::record_removed, RecordBody::Fact::removed, record_, record_owner, parts,
                        owner_entry_);
  }

  Decision decide_write(const ledger::Moment& at) override {
    auto found = current(at);
    if (auto* stop = std::get_if<Decision>(&found)) return std::move(*stop);
    auto& entry = *std::get<decide::RecordEntry*>(found);
    if (auto stop = looked_too_early(entry)) return std::move(*stop);  // a change since may have brought a class
    auto decision = write(at, entry, Written::Kind::removed);
    if (before_ && entry.subject && std::holds_alternative<std::vector<ledger::Draft>>(decision)) {
      s.identity.take(*before_, *entry.subject);
      s.state.known_owner(record_owner).remember({written.seq, record_, true, std::nullopt});
    }
    return decision;
  }
};

}  // namespace

std::shared_ptr<Task> make_add_record(Impl& s, Caller caller, AddRecord command, WriteOptions options,
                                      Callback<Written> done) {
  return std::make_shared<AddTask>(s, std::move(caller), std::move(command), std::move(options), std::move(done));
}
std::shared_ptr<Task> make_change_record(Impl& s, Caller caller, ChangeRecord command, WriteOptions options,
                                         Callback<Written> done) {
  return std::make_shared<ChangeTask>(s, std::move(caller), std::move(command), std::move(options), std::move(done));
}
std::shared_ptr<Task> make_remove_record(Impl& s, Caller caller, RemoveRecord command, WriteOptions options,
                                         Callback<Written> done) {
  return std::make_shared<RemoveTask>(s, std::move(caller), std::move(command), std::move(options), std::move(done));
}

}  // namespace siegel::service
