// Asking for an erasure: step 0 of keys.md 5. The notice is sealed under a leaf of its own, the leaves that die are
// fenced on the writer, and the request is in the ledger with the same group.
#include <algorithm>
#include <array>
#include <set>

#include "codec/bodies_codec.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

constexpr std::size_t kSubjectsMax = 10'000;
// Of one person. A notice takes 24 bytes for each, and has to fit into an event (ledger.h) also with what comes until
// the writer has it.
constexpr std::size_t kRecordsMax = 250'000;
constexpr std::uint64_t kDeadlineMs = std::uint64_t{30} * 86'400'000;  // Art. 12(3): a month, counted here as 30 days

// Art. 17(1)(a) to (f), and the end of a retention period.
constexpr std::array<std::string_view, 8> kGrounds = {"",          "art17-1-a", "art17-1-b", "art17-1-c",
                                                      "art17-1-d", "art17-1-e", "art17-1-f", "retention"};

class ErasureTask final : public WriteTask {
 public:
  ErasureTask(Impl& service, Caller who, RequestErasure command, WriteOptions write_options, Callback<Written> then)
      : WriteTask(service, std::move(who), std::move(write_options), std::move(then)), command_(std::move(command)) {}

 protected:
  EventType wanted() const override { return EventType::erasure_requested; }
  // The notice names every record and leaf, so the views must show all that came before.
  bool needs_fresh_views() const override { return true; }
  std::size_t events() const override { return std::max(people_.size(), command_.subjects.size()); }

  Status prepare_write() override {
    already_.reset();
    people_.clear();
    SIEGEL_CHECK(permit_now(decide::Action::erase));
    SIEGEL_CHECK(check_command());
    SIEGEL_CHECK(know(owner_of(caller.token)));
    const auto now = s.clock.now();
    erasure_ = ErasureId(new_id(now, s.random));
    deadline_ = TimeMs(now.get() + kDeadlineMs);
    looked_at_ = s.views.position();
    looks_back_ = s.erased_identities.is_watched();
    ids_ = s.merges.all(command_.subjects);
    if (ids_.size() > kSubjectsMax) return too_many();
    std::set<SubjectId> holding;
    for (const auto& id : ids_) {
      SIEGEL_TRY(holds, prepare_person(id));
      if (holds) holding.insert(s.merges.name_of(id));
    }
    for (const auto& subject : command_.subjects)  // of a merged person, one id may have nothing of the classes
      if (!holding.contains(s.merges.name_of(subject)))
        return Error(Errc::not_found, "not_found", "There is no such subject, or nothing to erase.");
    if (!people_.empty()) already_.reset();  // whoever is erased already is not asked for again
    return Done{};
  }

  Status complete(Written& before) override { return command_.now ? s.show_effect(before) : Status(Done{}); }

  Decision decide_write(const ledger::Moment& at) override {
    if (already_) {
      written = *already_;
      return std::vector<ledger::Draft>{};
    }
    if (auto stop = still_permitted(at)) return std::move(*stop);
    if (!looks_back_ && s.erased_identities.is_watched()) return Again{};
    if (s.merges.all(command_.subjects) != ids_) return Again{};
    for (std::size_t i = 0; i < people_.size(); ++i) {
      auto named = name_all(people_[i], drafts[i]);
      if (!named) return Decision(Error(named.error()));
      if (!*named) return Again{};
    }
    const auto places = s.look_for_places(drafts, owners, std::nullopt);
    if (places.outcome != Impl::Placed::yes) return Again{};
    if (auto set = set_fences(at); !set) return Error(set.error());
    s.number(drafts, at, places);
    note_fences(at);
    written.kind = Written::Kind::erasure_requested;
    written.seq = Seq(at.next.get() + drafts.size() - 1);
    written.size = TreeSize(written.seq.get() + 1);
    written.erasure = erasure_;
    requested_at_ = at.time;
    return std::move(drafts);
  }

  void committed(ledger::Committed&& committed) override {
    if (is_replay() || already_ || fences_.empty()) {
      WriteTask::committed(std::move(committed));
      return;
    }
    OpenErasure open;
    open.id = erasure_;
    for (const auto& person : people_) {
      open.subjects.push_back(person.subject);
      open.records.insert(open.records.end(), person.notice.records.begin(), person.notice.records.end());
    }
    open.fences = std::move(fences_);
    open.now = command_.now;
    open.requested_at = requested_at_;
    open.written = written;
    if (command_.now) {
      open.done = std::move(done);
      s.enqueue(std::move(open));
      return;
    }
    s.enqueue(std::move(open));
    WriteTask::committed(std::move(committed));
  }

 private:
  struct Person {
    SubjectId subject;
    Slot notice_slot;
    ErasureNotice notice;  // slots ascending
    Impl::LostIdentities identities;
    std::vector<decide::IdentityKey> ever;  // that the index had once: only where somebody holds a file
  };

  // On the writer: the notice must name every leaf and record, also those that came after its worker looked. Whoever
  // keeps writing about a person cannot keep an erasure away: what is missing is added here and the notice sealed anew.
  // False: prepare again.
  Result<bool> name_all(Person& person, ledger::Draft& draft) {
    const auto owner = owner_of(person.subject);
    const auto found = s.state.owner(owner, owners[owner]);
    if (!found.known || looked_at_ < found.entry->recent_from) return false;
    if (!s.state.saw_moves_back(person.subject, looked_at_)) return false;
    std::vector<Slot> slots;
    for (const auto& leaf : found.entry->leaves)  // what another erasure fenced is not ours any more
      if (dies(leaf.cls) && !found.entry->is_fenced(leaf.cls)) slots.push_back(leaf.slot);
    std::sort(slots.begin(), slots.end());
    if (slots.empty()) return false;
    bool same = slots == person.notice.slots;
    for (const auto& recent : found.entry->recent) {
      if (TreeSize(recent.seq.get()) < looked_at_) continue;
      auto& records = person.notice.records;
      if (recent.record && std::find(records.begin(), records.end(), *recent.record) == records.end()) {
        records.push_back(*recent.record);
        same = false;
      }
      if (!recent.moves_identity) continue;
      if (!classes_.empty()) return false;  // whether the identity's class dies is for the worker to see
      if (recent.identity) person.identities.known.push_back(*recent.identity);
    }
    if (same) return true;
    person.notice.slots = std::move(slots);
    SIEGEL_TRY(part, s.vault.seal(person.notice_slot, draft.header.id, 1, built_in::erasure_notice, owner,
                                  draft.header.schema, codec::encode(person.notice)));
    draft.parts[1] = std::move(part);
    std::get<ErasureRequestedFacts>(draft.header.facts).leaves = static_cast<std::uint32_t>(person.notice.slots.size());
    draft.prepared.reset();
    return true;
  }

  static Error too_many() {
    return Error(Errc::invalid, "bad_value", "An erasure names 1 to 10,000 subjects, with all ids of each.")
        .with("pointer", "/subjects");
  }

  Status check_command() {
    const auto wrong = [](const char* what, const char* pointer) {
      return Error(Errc::invalid, "bad_value", what).with("pointer", pointer);
    };
    ground_ = parse_erasure_ground(command_.ground).value_or(0);
    if (ground_ == 0) return wrong("The ground is one of art17-1-a to art17-1-f, or retention.", "/ground");
    if (command_.subjects.empty() || command_.subjects.size() > kSubjectsMax) return too_many();
    auto sorted = command_.subjects;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
      return wrong("A subject is named twice.", "/subjects");
    classes_.clear();
    for (const auto& name : command_.classes) {
      const auto* cls = registries->cls(name);
      if (cls == nullptr || !dies_at_erasure(ClassNo(cls->number)) || ClassNo(cls->number) == built_in::merge)
        return wrong("A class does not exist, or does not end by an erasure.", "/classes");
      classes_.push_back(cls->number);
    }
    std::sort(classes_.begin(), classes_.end());
    return Done{};
  }

  bool dies(ClassNo cls) const {
    return classes_.empty() ? dies_at_erasure(cls) : std::binary_search(classes_.begin(), classes_.end(), cls.get());
  }

  // False: there is nothing to erase under this id.
  Result<bool> prepare_person(const SubjectId& subject) {
    const auto owner = owner_of(subject);
    SIEGEL_CHECK(know(owner));
    SIEGEL_TRY(entry, s.look(owner, owners[owner]));
    SIEGEL_TRY(before, s.views.erased(subject.get()));
    const bool holds = std::any_of(entry.leaves.begin(), entry.leaves.end(), [&](const decide::LeafEntry& leaf) {
      return dies(leaf.cls) && s.vault.living(leaf.slot);
    });
    if (before && classes_.empty() && !holds) {
      // The same again: the same result, while the notice lives.
      already_ = Written{};
      already_->erasure = *before;
      already_->kind = Written::Kind::erasure_requested;
      SIEGEL_TRY(row, s.views.erasure(*before));
      if (row && !row->requests.empty()) already_->seq = row->requests.back();
      already_->size = TreeSize(already_->seq.get() + 1);
      SIEGEL_CHECK(s.show_effect(*already_));
      return true;
    }
    Person person{subject, {}, {}, {}, {}};
    auto& notice = person.notice;
    notice.erasure = erasure_;
    for (const auto& leaf : entry.leaves)
      if (dies(leaf.cls) && s.vault.living(leaf.slot)) notice.slots.push_back(leaf.slot);
    if (notice.slots.empty()) return false;
    std::sort(notice.slots.begin(), notice.slots.end());
    for (const auto cls : classes_) notice.classes.push_back(ClassNo(cls));
    SIEGEL_TRY(records, s.views.records_of(subject));
    if (records.size() > kRecordsMax)
      return Error(Errc::invalid, "too_large", "One person has more records than an erasure can name.")
          .with("limit_name", "records_of_a_person")
          .with("limit_value", kRecordsMax);
    notice.records = std::move(records);
    SIEGEL_TRY(identities, s.identities_of(subject, notice.slots));
    person.identities = std::move(identities);
    if (looks_back_) {
      SIEGEL_TRY(ever, s.identities_ever(subject, notice.slots));
      person.ever = std::move(ever);
    }
    SIEGEL_TRY(draft, s.draft(EventType::erasure_requested, caller, permit));
    SIEGEL_TRY(slot, s.vault.new_leaf());
    person.notice_slot = slot;
    SIEGEL_CHECK(s.add_part(draft, slot, built_in::erasure_notice, owner, codec::encode(notice)));
    draft.header.facts =
        ErasureRequestedFacts{ground_, deadline_.get(), static_cast<std::uint32_t>(notice.slots.size()), classes_};
    SIEGEL_CHECK(s.encode_ahead(draft, ledger::kEventPartsBytesMax));
    drafts.push_back(std::move(draft));
    people_.push_back(std::move(person));
    return true;
  }

  // The one I/O on the writer: the fence is synced before the group that holds the request, so that keys_mark of the
  // request covers it and a lost fence is noticed (docs/adr/0003).
  Status set_fences(const ledger::Moment& at) {
    fences_.clear();
    for (std::size_t i = 0; i < people_.size(); ++i) fences_.push_back({at.next.get() + i, people_[i].notice.slots});
    SIEGEL_CHECK(s.vault.fence(fences_));
    rely_on(s.vault.mark());
    return Done{};
  }
  void note_fences(const ledger::Moment& at) {
    for (std::size_t i = 0; i < people_.size(); ++i) {
      const auto& person = people_[i];
      const Seq request(at.next.get() + i);
      decide::FenceEntry fenced{request, {}};
      for (const auto cls : classes_) fenced.classes.emplace_back(cls);
      auto& entry = *s.state.owner(owner_of(person.subject), std::nullopt).entry;
      entry.fences.push_back(std::move(fenced));
      // Another erasure of some classes that is on its way must not take the same once more.
      if (!classes_.empty() && !person.identities.known.empty())
        entry.remember({request, std::nullopt, true, std::nullopt});
      for (const auto& record : person.notice.records) s.state.left_to_views(record, request);
      auto noted = person.identities.known;
      noted.insert(noted.end(), person.ever.begin(), person.ever.end());
      s.erased_identities.note(noted);
      if (classes_.empty()) {
        s.state.forget_moves(person.notice.records, person.notice.records);
        s.merges.forget(person.subject);
        s.identity.forget(person.identities.known, person.subject);
      } else {  // another class of the person may hold the same identity
        s.state.forget_moves(person.identities.replaced, person.identities.given);
        for (const auto& key : person.identities.known) s.identity.take(key, person.subject);
      }
    }
  }

  RequestErasure command_;
  ErasureId erasure_;
  TimeMs deadline_;  // one for all people: the row of the erasure is the same whose notices it is made from
  std::uint16_t ground_ = 0;
  std::vector<std::uint32_t> classes_;
  TreeSize looked_at_;
  bool looks_back_ = false;     // somebody holds a file, which may name the person by what she was known by before
  std::vector<SubjectId> ids_;  // of those asked for, merged people with all of theirs
  std::vector<Person> people_;
  std::vector<vault::Fence> fences_;
  std::optional<Written> already_;
  TimeMs requested_at_;
};

}  // namespace

std::string_view name_of(std::uint16_t ground) {
  return ground < kGrounds.size() ? kGrounds[ground] : std::string_view{};
}

std::optional<std::uint16_t> parse_erasure_ground(std::string_view text) {
  for (std::size_t i = 1; i < kGrounds.size(); ++i)
    if (kGrounds[i] == text) return static_cast<std::uint16_t>(i);
  return std::nullopt;
}

std::shared_ptr<Task> make_erasure(Impl& s, Caller caller, RequestErasure command, WriteOptions options,
                                   Callback<Written> done) {
  return std::make_shared<ErasureTask>(s, std::move(caller), std::move(command), std::move(options), std::move(done));
}

}  // namespace siegel::service
