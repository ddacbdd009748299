// People who turn out to be one: from then on they go by one id, and what is asked about one of them is asked about all
// (decide/merges.h). Nothing of theirs is opened or moved. An event has a part of each, so that everybody's history
// tells of it; an erasure ends these parts with all else, and only with all else: what is said of one is never left
// without what is said of another (docs/adr/0015).
#include <algorithm>

#include "codec/bodies_codec.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

constexpr std::size_t kOthersMax = 100;

class MergeTask final : public WriteTask {
 public:
  MergeTask(Impl& service, Caller who, MergeSubjects command, WriteOptions write_options, Callback<Written> then)
      : WriteTask(service, std::move(who), std::move(write_options), std::move(then)), command_(std::move(command)) {}

 protected:
  EventType wanted() const override { return EventType::subject_merged; }

  Status prepare_write() override {
    SIEGEL_CHECK(permit_now(decide::Action::merge_subjects));
    SIEGEL_CHECK(check_command());
    SIEGEL_CHECK(know(owner_of(caller.token)));
    SIEGEL_TRY(into, find(command_.into));
    names_ = {into};
    for (const auto& other : command_.others) {
      SIEGEL_TRY(name, find(other));
      if (name == into)
        return Error(Errc::conflict, "state_conflict", "These are one person already.")
            .with("hint", "GET /v1/subjects/{id} tells the ids that a person goes by.");
      if (std::ranges::find(names_, name) == names_.end()) names_.push_back(name);
    }
    ids_ = s.merges.all(names_);
    if (ids_.size() > decide::Merges::kIdsMax)
      return Error(Errc::invalid, "too_large", "One person would go by more ids than there may be.")
          .with("limit_name", "ids_of_a_person")
          .with("limit_value", decide::Merges::kIdsMax);
    SIEGEL_TRY(draft, s.draft(EventType::subject_merged, caller, permit));
    for (const auto& name : names_) {
      const auto owner = owner_of(name);
      SIEGEL_CHECK(know(owner));
      SIEGEL_TRY(entry, s.look(owner, owners[owner]));
      SIEGEL_TRY(slot, s.leaf_for(entry, built_in::merge));
      SIEGEL_CHECK(s.add_part(draft, slot, built_in::merge, owner, codec::encode(SubjectBody(SubjectMerged{into}))));
    }
    SIEGEL_CHECK(s.encode_ahead(draft));
    drafts.push_back(std::move(draft));
    return Done{};
  }

  Decision decide_write(const ledger::Moment& at) override {
    if (auto stop = still_permitted(at)) return std::move(*stop);
    // Somebody was merged since, or erased: then nobody knows the ids any more, and the parts have no place.
    const auto stands = [&](const SubjectId& name) { return s.merges.name_of(name) == name; };
    if (s.merges.all(names_) != ids_ || !std::ranges::all_of(names_, stands)) return Again{};
    if (auto stop = place(at)) return std::move(*stop);
    for (std::size_t i = 1; i < names_.size(); ++i) s.merges.merge(names_.front(), names_[i]);
    written.kind = Written::Kind::changed;
    written.seq = at.next;
    written.size = TreeSize(at.next.get() + 1);
    written.subject = names_.front();
    return std::move(drafts);
  }

 private:
  Status check_command() const {
    const auto wrong = [](const char* what) {
      return Error(Errc::invalid, "bad_value", what).with("pointer", "/subjects");
    };
    const auto& others = command_.others;
    if (others.empty() || others.size() > kOthersMax) return wrong("1 to 100 people are merged with the one named.");
    if (std::ranges::find(others, command_.into) != others.end()) return wrong("Nobody is merged with himself.");
    return Done{};
  }

  // The id that this living person goes by.
  Result<SubjectId> find(const SubjectId& subject) {
    about = subject.get();
    SIEGEL_CHECK(find_subject(subject));
    return s.merges.name_of(subject);
  }

  MergeSubjects command_;
  std::vector<SubjectId> names_;  // who is merged, by the ids they went by before; the one that stays comes first
  std::vector<SubjectId> ids_;    // all of theirs
};

}  // namespace

std::shared_ptr<Task> make_merge(Impl& s, Caller caller, MergeSubjects command, WriteOptions options,
                                 Callback<Written> done) {
  return std::make_shared<MergeTask>(s, std::move(caller), std::move(command), std::move(options), std::move(done));
}

}  // namespace siegel::service
