// The kit with a second class and a type that has fields in both, and the commands that tests of terms, erasures and
// races give again and again.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/service_kit.h"

namespace siegel::test {

// The value, or a failed test that shows the error.
template <class T>
T must(Result<T> outcome) {
  INFO((outcome ? std::string() : outcome.error().text()));
  REQUIRE(outcome);
  return std::move(*outcome);
}
template <class T>
std::string code(const Result<T>& outcome) {
  return outcome ? "none" : std::string(outcome.error().code());
}

// The kit, and a second class with a type of its own: contacts have a name (customer) and an account (billing).
struct ContactsWorld : ServiceKit {
  explicit ContactsWorld(std::uint64_t seed, std::chrono::milliseconds terms_every = std::chrono::hours(1),
                         std::size_t root_members = 1, std::size_t key_replicas = 0)
      : ServiceKit(seed, terms_every, root_members, key_replicas) {
    set_up();
    ClassDefinition billing;
    billing.name = "billing";
    billing.period = "P10Y";
    billing.legal_ground = LegalGround::legal_obligation;
    must(write(admin, service::SetClass{billing}));
    TypeDefinition contacts;
    contacts.name = "contacts";
    contacts.title = {{"de", "Kontakte"}};
    contacts.subject_mode = SubjectMode::row;
    for (const auto& [name, cls] : {std::pair("name", "customer"), std::pair("account", "billing")}) {
      FieldDefinition field;
      field.name = name;
      field.title = name;
      field.type = FieldType::text;
      field.personal = true;
      field.cls = cls;
      contacts.fields.push_back(field);
    }
    must(write(admin, service::SetType{contacts}));
  }
  Outcome add(const std::string& text, std::optional<SubjectId> subject = {}, const std::string& key = {},
              const char* field = "name") {
    service::AddRecord command;
    command.type = "contacts";
    command.values.push_back(value(field, text));
    command.subject = subject;
    service::WriteOptions options;
    options.idempotency_key = key;
    options.request = "the same";
    return write(editor, std::move(command), std::move(options));
  }
  Outcome erase(const SubjectId& subject, std::vector<std::string> classes = {}) {
    return write(officer, service::RequestErasure{{subject}, std::move(classes), "art17-1-b", true});
  }
  Result<service::RecordAnswer> read(const RecordId& id) {
    return answer<service::RecordAnswer>([&](auto then) { service->read_record(editor, id, then); });
  }
  Result<service::SubjectAnswer> read(const SubjectId& id) {
    return answer<service::SubjectAnswer>([&](auto then) { service->read_subject(editor, id, then); });
  }
};

}  // namespace siegel::test
