// The beginning and the end of an import. Its end is one event, whatever its size: what it wrote counts from
// import.finished on, or never. The beginning and an undo need the caller's permit; what has begun may always end.
#include "service/impl.h"

namespace siegel::service {
namespace {

class ImportEventTask final : public Task {
 public:
  ImportEventTask(Impl& service, Caller who, ImportEvent event, Callback<ledger::Committed> then)
      : Task(service, std::move(who)), event_(std::move(event)), done_(std::move(then)) {
    type_name = event_.record_type;
  }

 protected:
  EventType wanted() const override { return event_.type; }

  Status prepare() override {
    if (asks()) {
      SIEGEL_CHECK(permit_now(decide::Action::import_records));
    } else {
      registries = s.state.registries();
      permit.type = registries->type(event_.record_type);
    }
    SIEGEL_TRY(draft, event_.by_system ? s.system_draft(event_.type) : s.draft(event_.type, caller, permit));
    if (permit.type != nullptr) draft.header.record_type = TypeNo(permit.type->number);
    draft.header.job = event_.import;
    draft.header.facts = event_.facts;
    SIEGEL_CHECK(know(event_.by_system ? owner_of_ledger() : owner_of(caller.token)));
    SIEGEL_CHECK(s.encode_ahead(draft));
    drafts.push_back(std::move(draft));
    return Done{};
  }

  Decision decide(const ledger::Moment& at) override {
    if (asks())
      if (auto stop = still_permitted(at)) return std::move(*stop);
    const bool ends = event_.type == EventType::import_finished || event_.type == EventType::import_cancelled;
    if (ends && !event_.by_system && !s.state.import_runs(event_.import))
      return Error(Errc::conflict, "state_conflict", "The import is no longer under way.");
    if (s.place(drafts, at, owners, std::nullopt) != Impl::Placed::yes) return Again{};
    if (event_.type == EventType::import_begun) s.state.begin_import(event_.import);
    if (event_.type == EventType::import_finished) s.state.finish_import(event_.import);
    if (event_.type == EventType::import_cancelled)
      for (const auto& [subject, key] : s.state.cancel_import(event_.import, at.next)) s.identity.take(key, subject);
    return std::move(drafts);
  }
  void committed(ledger::Committed&& committed) override { done_(std::move(committed)); }
  void failed(const Error& error) override { done_(Error(error)); }

 private:
  [[nodiscard]] bool asks() const {
    return event_.type == EventType::import_begun || event_.type == EventType::import_undone;
  }
  ImportEvent event_;
  Callback<ledger::Committed> done_;
};

}  // namespace

std::shared_ptr<Task> make_import_event(Impl& s, Caller caller, ImportEvent event, Callback<ledger::Committed> done) {
  return std::make_shared<ImportEventTask>(s, std::move(caller), std::move(event), std::move(done));
}

}  // namespace siegel::service
