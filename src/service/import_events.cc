// The beginning and the end of an import. Its end is one event, whatever its size: what it wrote counts from
// import.finished on, or never. The beginning and an undo need the caller's permit; what has begun may always end.
#include "service/impl.h"

namespace siegel::service {
namespace {

WriteOptions options_of(const ClientKey& client) {
  WriteOptions out;
  out.idempotency_key = client.key;
  out.request = client.request;
  return out;
}

class ImportEventTask final : public WriteTask {
 public:
  ImportEventTask(Impl& service, Caller who, ImportEvent event, Callback<Written> then)
      : WriteTask(service, std::move(who), options_of(event.client), std::move(then)), event_(std::move(event)) {
    type_name = event_.record_type;
  }

 protected:
  EventType wanted() const override { return event_.type; }

  Status prepare_write() override {
    if (asks()) {
      SIEGEL_CHECK(permit_now(decide::Action::import_records));
    } else {
      registries = s.state.registries();
      permit.type = registries->type(event_.record_type);
      permit.purpose = event_.purpose;
      permit.ground = event_.ground;
    }
    SIEGEL_TRY(draft, event_.by_system ? s.system_draft(event_.type) : s.draft(event_.type, caller, permit));
    draft.header.purpose = permit.purpose;
    draft.header.ground = permit.ground;
    if (permit.type != nullptr) draft.header.record_type = TypeNo(permit.type->number);
    draft.header.job = event_.import;
    draft.header.facts = event_.facts;
    SIEGEL_CHECK(know(event_.by_system ? owner_of_ledger() : owner_of(caller.token)));
    SIEGEL_CHECK(s.encode_ahead(draft));
    drafts.push_back(std::move(draft));
    return Done{};
  }

  Decision decide_write(const ledger::Moment& at) override {
    if (asks())
      if (auto stop = still_permitted(at)) return std::move(*stop);
    const bool ends = event_.type == EventType::import_finished || event_.type == EventType::import_cancelled;
    if (ends && !event_.by_system && !s.state.import_runs(event_.import))
      return Error(Errc::conflict, "state_conflict", "The import is no longer under way.");
    if (s.place(drafts, at, owners, std::nullopt) != Impl::Placed::yes) return Again{};
    if (event_.type == EventType::import_begun) s.state.begin_import(event_.import);
    if (event_.type == EventType::import_finished) s.state.finish_import(event_.import);
    // Whom it registered stays registered, and known by identity: who comes again is the same person, so that an
    // erasure reaches what the import wrote (docs/adr/0012). Who was there before has the identity of before again.
    if (event_.type == EventType::import_cancelled) move_back(s.state.cancel_import(event_.import, at.next));
    written.kind = Written::Kind::changed;
    written.seq = at.next;
    written.size = TreeSize(at.next.get() + 1);
    return std::move(drafts);
  }

 private:
  void move_back(const std::vector<decide::IdentityMove>& moves) {
    for (const auto& move : moves) {
      if (move.after) s.identity.take(*move.after, move.subject);
      if (move.before) s.identity.add(*move.before, move.subject);
    }
  }
  [[nodiscard]] bool asks() const {
    return event_.type == EventType::import_begun || event_.type == EventType::import_undone;
  }
  ImportEvent event_;
};

}  // namespace

std::shared_ptr<Task> make_import_event(Impl& s, Caller caller, ImportEvent event, Callback<Written> done) {
  return std::make_shared<ImportEventTask>(s, std::move(caller), std::move(event), std::move(done));
}

}  // namespace siegel::service
