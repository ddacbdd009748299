// Reading: the access event is durable before anything is opened (I5), then the rows are opened against its receipt.
#include <algorithm>
#include <limits>
#include <map>

#include "codec/bodies_codec.h"
#include "codec/parts.h"
#include "codec/reason_shares.h"
#include "service/read_task.h"

namespace siegel::service {
namespace {

// An answer about one person or record is whole or an error, never cut off in silence: Art. 15 asks for all of it.
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

std::string actor_text(const StoredPart& part, bool known) {
  if (!known || part.removed) return "unknown";
  const auto& envelope = part.envelope;
  if (envelope.owner == owner_of_ledger()) return "system";
  if (envelope.cls == built_in::staff_log) return id_text("tk", envelope.owner.get());
  return id_text("su", envelope.owner.get());
}

// Reads that begin with one record.
class OneRecordTask : public ReadTask {
 public:
  OneRecordTask(Impl& service, Caller who, const RecordId& id, AccessFacts::Kind kind)
      : ReadTask(service, std::move(who), kind), id_(id) {}

 protected:
  std::optional<Decision> decide_read(const ledger::Moment&) override {
    const auto found = s.state.record(id_, record_seen);
    if (!found.known || found.entry == nullptr || found.entry->removed || found.entry->subject != record_entry.subject)
      return Decision(Again{});
    needed_ = TreeSize(found.entry->modified.get() + 1);
    return std::nullopt;
  }

  RecordId id_;
};

class RecordTask final : public OneRecordTask {
 public:
  RecordTask(Impl& service, Caller who, const RecordId& id, Callback<RecordAnswer> then)
      : OneRecordTask(service, std::move(who), id, AccessFacts::Kind::record), done_(std::move(then)) {}

 protected:
  Status prepare() override {
    SIEGEL_CHECK(find_record(id_, decide::Action::read_record));
    return make_drafts({record_owner}, all_fields(permit));
  }
  Status answer() override {
    const auto position = s.views.position();
    SIEGEL_TRY(row, s.views.record(record_entry.type, id_));
    if (!row) {
      SIEGEL_TRY(erasure, s.views.erased(id_.get()));
      if (erasure) return erased_error(erasure);
      return Error(Errc::not_found, "not_found", "There is no such record.");
    }
    SIEGEL_TRY(shown, show(id_, record_entry.type, *row, record_owner));
    done_(RecordAnswer{registries, std::move(shown), position});
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  Callback<RecordAnswer> done_;
};

class ListTask final : public ReadTask {
 public:
  ListTask(Impl& service, Caller who, Service::ListQuery query, Callback<ListAnswer> then)
      : ReadTask(service, std::move(who), AccessFacts::Kind::list), query_(std::move(query)), done_(std::move(then)) {
    type_name = query_.type;
    named_fields = query_.fields;
  }

 protected:
  Status prepare() override {
    SIEGEL_CHECK(permit_now(decide::Action::list_records));
    shown_.clear();
    for (const auto& name : query_.fields) shown_.push_back(permit.type->definition.field(name)->number.get());
    std::sort(shown_.begin(), shown_.end());
    position_ = s.views.position();
    // One more than shown says whether there is a next page; it is not looked at.
    SIEGEL_TRY(list, s.views.list(TypeNo(permit.type->number), query_.after, query_.limit + 1));
    rows_.clear();
    std::size_t bytes = 0;
    next_ = list.rest;
    for (auto& listed : list.rows) {
      bytes += bytes_of(listed.row);
      if (rows_.size() == query_.limit || (bytes > kPageBytesMax && !rows_.empty())) {
        next_ = rows_.back().id;
        break;
      }
      rows_.push_back(std::move(listed));
    }
    return make_drafts(owners_of(rows_), shown_.empty() ? all_fields(permit) : shown_);
  }
  Status answer() override {
    ListAnswer out{registries, TypeNo(permit.type->number), {}, next_, position_};
    for (const auto& listed : rows_) {
      SIEGEL_TRY(shown, show(listed.id, out.type, listed.row, owner_of_row(listed.row)));
      out.items.push_back(std::move(shown));
    }
    done_(std::move(out));
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  Service::ListQuery query_;
  Callback<ListAnswer> done_;
  std::vector<views::Views::Listed> rows_;
  std::optional<RecordId> next_;
  TreeSize position_;
};

// ── imports ──

// What an import compares its rows with: these records, each as it is shown, in their order; those that are gone are
// left out. None is a use too, and an event.
class CompareTask final : public ReadTask {
 public:
  CompareTask(Impl& service, Caller who, std::string type, std::vector<std::string> fields, Compared compared,
              Callback<std::vector<ShownRecord>> then)
      : ReadTask(service, std::move(who), AccessFacts::Kind::import),
        compared_(std::move(compared)),
        done_(std::move(then)) {
    type_name = std::move(type);
    named_fields = std::move(fields);
  }

 protected:
  Status prepare() override {
    SIEGEL_CHECK(permit_now(decide::Action::import_records));
    shown_.clear();
    if (permit.type != nullptr)
      for (const auto& name : named_fields) shown_.push_back(permit.type->definition.field(name)->number.get());
    std::sort(shown_.begin(), shown_.end());
    rows_.clear();
    std::vector<OwnerId> seen;
    for (const auto& id : compared_.people) seen.push_back(owner_of(id));
    for (const auto& id : compared_.records) {
      SIEGEL_TRY(row, s.views.record(TypeNo(permit.type->number), id));
      if (!row) {  // removed: it is not shown, but somebody is told of it
        SIEGEL_TRY(head, s.views.head(id));
        if (head && head->subject) seen.push_back(owner_of(*head->subject));
        continue;
      }
      seen.push_back(row->subject ? owner_of(*row->subject) : owner_of(TypeNo(permit.type->number)));
      rows_.push_back({id, std::move(*row)});
    }
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    return make_drafts(seen, shown_);
  }
  Status answer() override {
    std::vector<ShownRecord> out;
    for (const auto& [id, row] : rows_) {
      const TypeNo type(permit.type->number);
      SIEGEL_TRY(shown, show(id, type, row, row.subject ? owner_of(*row.subject) : owner_of(type)));
      out.push_back(std::move(shown));
    }
    done_(std::move(out));
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  Compared compared_;
  std::vector<views::Views::Listed> rows_;
  Callback<std::vector<ShownRecord>> done_;
};

// ── history ──

// Folds one record's events into changes with old and new values.
class HistoryFold {
 public:
  HistoryFold(Impl& service, const ledger::AccessReceipt& receipt, const decide::Permit& permit, TreeSize position)
      : s_(service), receipt_(receipt), permit_(permit), position_(position) {}

  Result<HistoryItem> item(const views::EventRef& ref) {
    SIEGEL_TRY(stored, s_.ledger.read(ref.seq));
    SIEGEL_TRY(header, codec::decode_header(stored.header));
    SIEGEL_TRY(parts, codec::decode_parts(stored.parts));
    SIEGEL_CHECK(codec::check_parts(header, parts));
    HistoryItem out;
    out.seq = ref.seq;
    out.at = header.time;
    out.type = header.type;
    out.actor = actor_text(parts.empty() ? StoredPart{} : parts.front(), !parts.empty());
    out.purpose = header.purpose;
    out.ground = header.ground;
    out.record_type = header.record_type;
    if (const auto* look = std::get_if<AccessFacts>(&header.facts)) out.access = look->kind;
    const bool is_record = header.type == EventType::record_added || header.type == EventType::record_changed ||
                           header.type == EventType::record_removed;
    if (is_record && header.job) SIEGEL_CHECK(note_import(*header.job, out));
    std::vector<RecordBody> bodies;
    for (const auto number : ref.parts) {
      if (number >= parts.size()) continue;
      const auto& part = parts[number];
      if (part.removed) continue;
      if (!is_record || part.ciphertext.empty()) continue;
      auto opened = s_.vault.open(receipt_, header, number, part);
      if (!opened) {
        if (opened.error().category() != Errc::gone) return Error(opened.error());
        out.erased.push_back(part.envelope.cls);
        continue;
      }
      SIEGEL_TRY(body, codec::decode_record(opened->view(), header.schema));
      out.record = body.record;
      add_changes(body, out);
      bodies.push_back(std::move(body));
    }
    // All parts but the actor's: none is erased, fenced, or with somebody else.
    if (bodies.size() + 1 == parts.size()) {
      SIEGEL_TRY(reason, reason_of(std::move(bodies)));
      out.reason = std::move(reason);
    }
    return out;
  }

 private:
  // What a cancelled import wrote changed nothing, but it was written: it stands in the history of the person. What an
  // unfinished one writes is shown when it is finished, all at once.
  Status note_import(const JobId& import, HistoryItem& out) {
    out.import = import;
    SIEGEL_TRY(row, s_.views.import(import));
    if (!row) return Done{};
    const bool ended = row->ended_seq && row->ended_seq->get() < position_.get();
    out.unfinished = !ended;
    out.cancelled = ended && row->state == views::ImportState::cancelled;
    return Done{};
  }

  // It may speak of each value of its event, so it is for those only who may see all of them.
  Result<Personal<std::string>> reason_of(std::vector<RecordBody> bodies) const {
    const auto covered = [&](const RecordBody& body) {
      if (body.values.empty()) return permit_.all_fields;
      return std::ranges::all_of(body.values, [&](const auto& value) { return permit_.covers(value.field); });
    };
    if (!std::ranges::all_of(bodies, covered)) return Personal<std::string>();
    std::vector<Personal<Bytes>> shares;
    for (auto& body : bodies) {
      // Of one part, or of an event from before there were shares: in its first part.
      if (!body.reason.expose().empty()) return std::move(body.reason);
      shares.push_back(std::move(body.reason_share));
    }
    return codec::join_reason(std::move(shares));
  }

  void add_changes(const RecordBody& body, HistoryItem& out) {
    const bool applies = !out.unfinished && !out.cancelled;
    std::map<FieldNo, Value> left_aside;
    if (!applies) left_aside = current_[body.record];
    auto& now = applies ? current_[body.record] : left_aside;
    for (const auto& value : body.values) {
      auto& before = now[value.field];
      Change change{value.field, Personal<Value>(before), value.value};
      before = value.value.expose();
      if (permit_.covers(value.field)) out.changes.push_back(std::move(change));
    }
  }

  Impl& s_;
  const ledger::AccessReceipt& receipt_;
  const decide::Permit& permit_;
  const TreeSize position_;  // that the answer shows
  std::map<RecordId, std::map<FieldNo, Value>> current_;
};

Result<HistoryAnswer> fold_history(HistoryFold& fold, const std::vector<views::EventRef>& refs,
                                   std::optional<Seq> after, std::size_t limit) {
  HistoryAnswer out;
  for (const auto& ref : refs) {
    if (out.items.size() == limit) {
      out.next = out.items.back().seq;
      break;
    }
    SIEGEL_TRY(item, fold.item(ref));
    if (!item.unfinished && (!after || ref.seq > *after)) out.items.push_back(std::move(item));
  }
  return out;
}

class RecordHistoryTask final : public OneRecordTask {
 public:
  RecordHistoryTask(Impl& service, Caller who, const RecordId& id, std::optional<Seq> after, std::size_t limit,
                    Callback<HistoryAnswer> then)
      : OneRecordTask(service, std::move(who), id, AccessFacts::Kind::history),
        after_(after),
        limit_(limit),
        done_(std::move(then)) {}

 protected:
  Status prepare() override {
    SIEGEL_CHECK(find_record(id_, decide::Action::read_history));
    return make_drafts({record_owner}, all_fields(permit));
  }
  Status answer() override {
    const auto position = s.views.position();
    // Old values come from the events before: the fold starts at the first one.
    SIEGEL_TRY(refs, s.views.history(id_, std::nullopt, kAll));
    HistoryFold fold(s, *receipt, permit, position);
    SIEGEL_TRY(out, fold_history(fold, refs, after_, limit_));
    out.registries = registries;
    out.position = position;
    done_(std::move(out));
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  std::optional<Seq> after_;
  std::size_t limit_;
  Callback<HistoryAnswer> done_;
};

// ── subjects ──

class SubjectTask : public ReadTask {
 public:
  SubjectTask(Impl& service, Caller who, const SubjectId& id, AccessFacts::Kind kind)
      : ReadTask(service, std::move(who), kind), id_(id) {}

 protected:
  Status find(decide::Action wanted_action) {
    about = id_.get();
    SIEGEL_CHECK(permit_now(wanted_action));
    SIEGEL_CHECK(find_subject(id_));
    ids_ = s.merges.all(id_);
    std::vector<OwnerId> seen;
    for (const auto& id : ids_) seen.push_back(owner_of(id));
    return make_drafts(seen, {});
  }
  std::optional<Decision> decide_read(const ledger::Moment&) final {
    if (s.state.registries() != registries) return Decision(Again{});  // the permit is of each type that there was
    if (s.merges.all(id_) != ids_) return Decision(Again{});
    needed_ = TreeSize();
    for (const auto& id : ids_) {
      const auto owner = owner_of(id);
      const auto found = s.state.owner(owner, owners[owner]);
      if (!found.known || !still_holds(owner, *found.entry)) return Decision(Again{});
      needed_ = std::max(needed_, TreeSize(found.entry->modified.get() + 1));
    }
    return std::nullopt;
  }
  // Whether what was prepared fits what the writer knows of the person under this id.
  virtual bool still_holds(const OwnerId&, const decide::OwnerEntry&) const { return true; }
  // A subject's records may be of types and fields that the purpose or the token does not cover: these are left out.
  Result<std::vector<ShownRecord>> records() {
    std::vector<ShownRecord> out;
    for (const auto& id : ids_) SIEGEL_CHECK(add_records(id, out));
    return out;
  }
  // What happened to the person, under each of his ids.
  Result<std::vector<views::EventRef>> events_of_person() {
    SIEGEL_TRY(out, s.views.subject_history(ids_.front(), std::nullopt, kAll));
    if (ids_.size() == 1) return out;
    std::map<Seq, std::vector<std::uint16_t>> parts;
    for (auto& ref : out) parts[ref.seq] = std::move(ref.parts);
    for (auto id = std::next(ids_.begin()); id != ids_.end(); ++id) {
      SIEGEL_TRY(refs, s.views.subject_history(*id, std::nullopt, kAll));
      for (const auto& ref : refs) {
        auto& of_event = parts[ref.seq];
        of_event.insert(of_event.end(), ref.parts.begin(), ref.parts.end());
      }
    }
    out.clear();
    for (auto& [seq, of_event] : parts) {
      std::sort(of_event.begin(), of_event.end());
      out.push_back({seq, std::move(of_event)});
    }
    return out;
  }
  Status add_records(const SubjectId& id, std::vector<ShownRecord>& out) {
    SIEGEL_TRY(records, s.views.records_of(id));
    for (const auto& record : records) {
      SIEGEL_TRY(head, s.views.head(record));
      if (!head || head->removed) continue;
      const auto* type = registries->type(head->type);
      if (type == nullptr) continue;
      const auto covered = decide::authorise(
          *registries, {action, caller.token, caller.purpose, type->definition.name, {}}, s.clock.now());
      if (!covered) continue;
      SIEGEL_TRY(row, s.views.record(head->type, record));
      if (!row) continue;
      permit = *covered;
      SIEGEL_TRY(shown, show(record, head->type, *row, owner_of(id)));
      out.push_back(std::move(shown));
    }
    return Done{};
  }

  // Fields of a type that purpose or token do not cover are left out, and with the first of them the reason.
  void leave_out(HistoryItem& item) {
    const auto changes = item.changes.size();
    if (changes == 0 && item.reason.expose().empty()) return;
    const auto* type = registries->type(item.record_type);
    const auto covered =
        type == nullptr
            ? Result<decide::Permit>(Error(Errc::denied, "type_denied", "The type is not there any more."))
            : decide::authorise(*registries, {action, caller.token, caller.purpose, type->definition.name, {}, false},
                                s.clock.now());
    std::erase_if(item.changes, [&](const Change& change) { return !covered || !covered->covers(change.field); });
    const bool whole = changes > 0 ? item.changes.size() == changes : covered && covered->all_fields;
    if (!whole) item.reason = Personal<std::string>();
  }

  SubjectId id_;                // as it was asked for
  std::vector<SubjectId> ids_;  // all of the person; the one he goes by comes first
};

class SubjectAnswerTask final : public SubjectTask {
 public:
  SubjectAnswerTask(Impl& service, Caller who, const SubjectId& id, bool whole, Callback<SubjectAnswer> then)
      : SubjectTask(service, std::move(who), id,
                    whole ? AccessFacts::Kind::subject_export : AccessFacts::Kind::subject),
        whole_(whole),
        done_(std::move(then)) {}

 protected:
  Status prepare() override { return find(whole_ ? decide::Action::export_subject : decide::Action::read_subject); }
  // The list of the export is signed with the ledger (keys.md 3), and given out as it is signed.
  Status add_seen(ledger::Draft& draft, Slot slot, const OwnerId& owner, const decide::OwnerEntry& entry) override {
    if (!whole_) return SubjectTask::add_seen(draft, slot, owner, entry);
    auto& listed = listed_[owner];
    listed = leaves_of(entry.leaves);
    return s.add_part(draft, slot, built_in::access_log, owner, codec::encode(listed));
  }
  bool still_holds(const OwnerId& owner, const decide::OwnerEntry& person) const override {
    return !whole_ || leaves_of(person.leaves).leaves == listed_.at(owner).leaves;
  }
  Status answer() override {
    SubjectAnswer out;
    out.registries = registries;
    out.subject = ids_.front();
    out.merged.assign(std::next(ids_.begin()), ids_.end());
    out.position = s.views.position();
    for (const auto& id : ids_) {
      SIEGEL_CHECK(add_leaves(id, out));
      SIEGEL_CHECK(add_links(id, out));
    }
    std::ranges::sort(out.leaves, {}, &ExportBody::Leaf::slot);
    SIEGEL_TRY(shown, records());
    out.records = std::move(shown);
    if (whole_) SIEGEL_CHECK(add_history(out));
    done_(std::move(out));
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  template <class Leaves>  // of the decision state or of the read model
  static ExportBody leaves_of(const Leaves& leaves) {
    ExportBody out;
    for (const auto& leaf : leaves)
      if (leaf.next > 0) out.leaves.push_back({leaf.cls, leaf.slot, leaf.next});
    std::sort(out.leaves.begin(), out.leaves.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
    return out;
  }

  Status add_leaves(const SubjectId& id, SubjectAnswer& out) {
    ExportBody now;
    if (whole_) {
      now = listed_.at(owner_of(id));
    } else {
      SIEGEL_TRY(owner, s.views.owner(owner_of(id)));
      if (owner) now = leaves_of(owner->leaves);
    }
    out.leaves.insert(out.leaves.end(), now.leaves.begin(), now.leaves.end());
    return Done{};
  }

  Status add_links(const SubjectId& id, SubjectAnswer& out) {
    SIEGEL_TRY(links, s.views.links_of(id));
    for (const auto& link : links) {
      auto opened = s.vault.open_row(*receipt, owner_of(id), link.slot, "subject_links", link.row, link.sealed);
      if (!opened) continue;  // erased: the reference is gone with its class
      const std::string text(as_chars(opened->view()));
      const auto nul = text.find('\0');
      if (nul == std::string::npos) continue;
      out.external.emplace_back(ExternalReference{text.substr(0, nul), text.substr(nul + 1)});
    }
    return Done{};
  }

  Status add_history(SubjectAnswer& out) {
    SIEGEL_TRY(refs, events_of_person());
    const decide::Permit untyped;  // leave_out() asks for each event's own type
    HistoryFold fold(s, *receipt, untyped, out.position);
    SIEGEL_TRY(folded, fold_history(fold, refs, std::nullopt, kAll));
    for (auto& item : folded.items) leave_out(item);
    out.history = std::move(folded.items);
    return Done{};
  }
  bool whole_;
  std::map<OwnerId, ExportBody> listed_;  // by each id
  Callback<SubjectAnswer> done_;
};

class SubjectHistoryTask final : public SubjectTask {
 public:
  SubjectHistoryTask(Impl& service, Caller who, const SubjectId& id, std::optional<Seq> after, std::size_t limit,
                     Callback<HistoryAnswer> then)
      : SubjectTask(service, std::move(who), id, AccessFacts::Kind::history),
        after_(after),
        limit_(limit),
        done_(std::move(then)) {}

 protected:
  Status prepare() override { return find(decide::Action::read_history); }
  Status answer() override {
    const auto position = s.views.position();
    SIEGEL_TRY(refs, events_of_person());
    HistoryFold fold(s, *receipt, permit, position);
    SIEGEL_TRY(out, fold_history(fold, refs, after_, limit_));
    for (auto& item : out.items) leave_out(item);
    out.registries = registries;
    out.position = position;
    done_(std::move(out));
    return Done{};
  }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  std::optional<Seq> after_;
  std::size_t limit_;
  Callback<HistoryAnswer> done_;
};

}  // namespace

std::shared_ptr<Task> make_compare(Impl& s, Caller caller, std::string type, std::vector<std::string> fields,
                                   Compared compared, Callback<std::vector<ShownRecord>> done) {
  return std::make_shared<CompareTask>(s, std::move(caller), std::move(type), std::move(fields), std::move(compared),
                                       std::move(done));
}

void Impl::read_record(Caller caller, RecordId id, Callback<RecordAnswer> done) {
  submit(std::make_shared<RecordTask>(*this, std::move(caller), id, std::move(done)));
}
// What a cancelled import left is passed over, and may be long: not on the thread that serves all connections.
void Impl::list_records(Caller caller, ListQuery query, Callback<ListAnswer> done) {
  auto task = std::make_shared<ListTask>(*this, std::move(caller), std::move(query), std::move(done));
  executor.post([this, task] { submit(task); });
}
void Impl::record_history(Caller caller, RecordId id, std::optional<Seq> after, std::size_t limit,
                          Callback<HistoryAnswer> done) {
  submit(std::make_shared<RecordHistoryTask>(*this, std::move(caller), id, after, limit, std::move(done)));
}
void Impl::subject_history(Caller caller, SubjectId id, std::optional<Seq> after, std::size_t limit,
                           Callback<HistoryAnswer> done) {
  submit(std::make_shared<SubjectHistoryTask>(*this, std::move(caller), id, after, limit, std::move(done)));
}
void Impl::read_subject(Caller caller, SubjectId id, Callback<SubjectAnswer> done) {
  submit(std::make_shared<SubjectAnswerTask>(*this, std::move(caller), id, false, std::move(done)));
}
void Impl::export_subject(Caller caller, SubjectId id, Callback<SubjectAnswer> done) {
  submit(std::make_shared<SubjectAnswerTask>(*this, std::move(caller), id, true, std::move(done)));
}

}  // namespace siegel::service
