// The reason of a change may speak of each value in it: it dies with the first of their deletion classes, and is shown
// to those only who may see all of them.
#include <set>

#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "service/impl.h"
#include "support/contacts_world.h"

using namespace siegel;
using namespace siegel::test;

namespace {

const std::string kReason = "HIV test of 3 May was positive";

// As events were written before there were shares: the reason whole in the part of the first class.
class OldChange final : public service::Task {
 public:
  OldChange(service::Impl& impl, service::Caller who, const RecordId& record, std::function<void(Status)> done)
      : Task(impl, std::move(who)), record_(record), done_(std::move(done)) {}

 protected:
  Status prepare() override {
    SIEGEL_CHECK(find_record(record_, decide::Action::change_record));
    SIEGEL_CHECK(know(owner_of(caller.token)));
    SIEGEL_CHECK(know(record_owner));
    SIEGEL_TRY(leaves, s.look(record_owner, owners[record_owner]));
    SIEGEL_TRY(draft, s.draft(EventType::record_changed, caller, permit));
    auto reason = Personal<std::string>(kReason);
    for (const auto& field : permit.type->definition.fields) {
      const ClassNo cls(registries->cls(field.cls)->number);
      SIEGEL_TRY(slot, s.leaf_for(leaves, cls));
      const Values values{{field.number, Personal<Value>(Value(std::string("old form")))}};
      const RecordBody body{RecordBody::Fact::changed, record_, values, std::exchange(reason, {}), {}};
      SIEGEL_CHECK(s.add_part(draft, slot, cls, record_owner, codec::encode(body)));
    }
    SIEGEL_CHECK(s.encode_ahead(draft));
    drafts.push_back(std::move(draft));
    return Done{};
  }
  Decision decide(const ledger::Moment& at) override {
    if (auto stop = place(at)) return std::move(*stop);
    return std::move(drafts);
  }
  void committed(ledger::Committed&&) override { done_(Done{}); }
  void failed(const Error& error) override { done_(error); }
  EventType wanted() const override { return EventType::record_changed; }

 private:
  RecordId record_;
  std::function<void(Status)> done_;
};

struct World : ContactsWorld {
  explicit World(std::uint64_t seed) : ContactsWorld(seed) {}

  service::Written person() {
    service::AddRecord add;
    add.type = "contacts";
    add.values.push_back(value("name", "Anna"));
    add.values.push_back(value("account", "A1"));
    return must(write(editor, std::move(add)));
  }
  void change(const RecordId& record, const std::vector<std::string>& fields) {
    service::ChangeRecord command{record, {}};
    for (const auto& field : fields) command.values.push_back(value(field, "anew"));
    service::WriteOptions options;
    options.reason = Personal<std::string>(kReason);
    must(write(editor, std::move(command), std::move(options)));
    catch_up();
  }
  void change_as_before(const RecordId& record) {
    std::promise<Status> done;
    auto& impl = static_cast<service::Impl&>(*service);
    impl.submit(std::make_shared<OldChange>(impl, editor, record, [&](Status outcome) { done.set_value(outcome); }));
    must(done.get_future().get());
    catch_up();
  }

  // What the newest event of the person shows: in the record's history, the person's, and the export.
  std::set<std::string> reasons(const service::Written& person, const service::Caller& who) {
    std::set<std::string> out;
    const auto add = [&](const std::vector<service::HistoryItem>& items) {
      for (const auto& item : items)
        if (item.type == EventType::record_changed) out.insert(item.reason.expose());
    };
    add(must(answer<service::HistoryAnswer>([&](auto then) {
          service->record_history(who, *person.record, {}, 100, std::move(then));
        })).items);
    add(must(answer<service::HistoryAnswer>([&](auto then) {
          service->subject_history(who, *person.subject, {}, 100, std::move(then));
        })).items);
    add(must(answer<service::SubjectAnswer>([&](auto then) {
          service->export_subject(who, *person.subject, std::move(then));
        })).history);
    return out;
  }
  // Bodies of an event that can still be opened.
  std::vector<RecordBody> left_of(Seq seq) {
    const auto stored = must(ledger->read(seq));
    const auto header = must(codec::decode_header(stored.header));
    const auto parts = must(codec::decode_parts(stored.parts));
    const auto receipt = must(service->begin_job(JobFacts::Kind::backup));
    std::vector<RecordBody> out;
    for (std::uint16_t i = 1; i < parts.size(); ++i)
      if (const auto opened = vault->open(receipt, header, i, parts[i]))
        out.push_back(must(codec::decode_record(opened->view(), header.schema)));
    return out;
  }
  service::Caller with_purpose(const std::string& name, std::vector<std::string> fields) {
    PurposeDefinition purpose;
    purpose.name = name;
    purpose.legal_ground = LegalGround::contract;
    purpose.title = {{"de", name}};
    purpose.fields_limited = true;
    purpose.fields = {{"contacts", std::move(fields)}};
    must(write(admin, service::SetPurpose{purpose}));
    auto who = officer;  // whose token carries every purpose
    who.purpose = name;
    return who;
  }
};
using Reasons = std::set<std::string>;

}  // namespace

TEST_CASE("ER-01 the reason of a change of two classes dies with the first of them", "[unit][service][ER-01]") {
  World w(1);
  for (const auto* cls : {"billing", "customer"}) {
    const auto person = w.person();
    w.change(*person.record, {"name", "account"});
    const Seq changed(w.ledger->size().get() - 1);
    CHECK(w.reasons(person, w.editor) == Reasons{kReason});
    must(w.erase(*person.subject, {cls}));
    w.catch_up();
    CHECK(w.reasons(person, w.editor) == Reasons{""});
    const auto left = w.left_of(changed);  // also for whoever has the keys
    REQUIRE(left.size() == 1);
    CHECK(left[0].reason.expose().empty());
    CHECK(left[0].reason_share.expose().size() == kReason.size());
    CHECK(as_chars(left[0].reason_share.expose()) != kReason);
  }
}

TEST_CASE("ER-01 the reason of a change of one class lives as long as that one", "[unit][service][ER-01]") {
  World w(2);
  const auto person = w.person();
  w.change(*person.record, {"name"});
  must(w.erase(*person.subject, {"billing"}));
  w.catch_up();
  CHECK(w.reasons(person, w.editor) == Reasons{kReason});
}

TEST_CASE("ER-01 a reason from before there were shares is not shown once a class of its change is erased",
          "[unit][service][ER-01]") {
  World w(3);
  for (const auto* cls : {"billing", "customer"}) {
    const auto person = w.person();
    w.change_as_before(*person.record);
    CHECK(w.reasons(person, w.editor) == Reasons{kReason});
    must(w.erase(*person.subject, {cls}));
    w.catch_up();
    CHECK(w.reasons(person, w.editor) == Reasons{""});
  }
}

TEST_CASE("a reason is shown to whom the purpose allows every field of the change", "[unit][service]") {
  World w(4);
  const auto name = w.with_purpose("name-only", {"name"});
  const auto account = w.with_purpose("account-only", {"account"});
  const auto both = w.with_purpose("both", {"account", "name"});
  const auto two = w.person();
  w.change(*two.record, {"name", "account"});
  CHECK(w.reasons(two, name) == Reasons{""});
  CHECK(w.reasons(two, account) == Reasons{""});
  CHECK(w.reasons(two, both) == Reasons{kReason});
  const auto one = w.person();
  w.change(*one.record, {"name"});
  CHECK(w.reasons(one, name) == Reasons{kReason});
  CHECK(w.reasons(one, account) == Reasons{""});
  // In one part there may be values of fields that the purpose allows, and of others.
  const auto old = w.person();
  w.change_as_before(*old.record);
  CHECK(w.reasons(old, name) == Reasons{""});
  CHECK(w.reasons(old, both) == Reasons{kReason});
}
