// A world with an editor who takes files in, and what tests of imports ask again and again.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "codec/header_codec.h"
#include "codec/parts.h"
#include "service/impl.h"
#include "support/contacts_world.h"

namespace siegel::test {

struct ImportsWorld : ServiceKit {
  ImportsWorld() {
    set_up();
    other = token(Role::editor, false);
  }

  static service::ImportUpload upload(const std::string& type, std::string bytes, std::vector<std::string> match = {}) {
    service::ImportUpload out;
    out.type = type;
    out.match = std::move(match);
    out.bytes = Personal<std::string>(std::move(bytes));
    return out;
  }
  Result<service::ImportAnswer> preview(service::ImportUpload file) {
    return answer<service::ImportAnswer>([&](auto then) { service->preview_import(editor, std::move(file), then); });
  }
  static service::ImportCommit skip(const std::string& request = "1") {
    service::ImportCommit out;
    out.bad_rows = service::ImportCommit::BadRows::skip;
    out.client.request = request;
    return out;
  }
  Result<service::ImportAnswer> commit(const JobId& id, service::ImportCommit how = skip(), bool wait = true) {
    return answer<service::ImportAnswer>(
        [&](auto then) { service->commit_import(editor, id, std::move(how), wait, then); });
  }
  Result<service::ImportAnswer> undo(const JobId& id, const service::ClientKey& client = {}) {
    return answer<service::ImportAnswer>([&](auto then) { service->undo_import(editor, id, client, true, then); });
  }
  Result<service::ImportAnswer> cancel(const JobId& id, const service::ClientKey& client = {}) {
    return answer<service::ImportAnswer>([&](auto then) { service->cancel_import(editor, id, client, then); });
  }
  void make_searchable() {
    auto type = service->registries()->type("people")->definition;
    for (auto& field : type.fields) field.searchable = true;
    must(write(admin, service::SetType{type}));
    catch_up();
    until([&] { return service->status().search_ready; });
  }
  // Page by page. Whoever looks while an import runs sees one page at one moment.
  std::size_t found(const std::string& city, search::Op op = search::Op::exact) {
    service::Service::SearchQuery query;
    query.type = "people";
    query.where.push_back({"city", op, Personal<service::RawValue>(service::RawValue(city))});
    query.limit = 1000;
    std::size_t out = 0;
    do {
      const auto page = must(answer<service::ListAnswer>([&](auto then) { service->search(editor, query, then); }));
      out += page.items.size();
      query.after = page.next;
    } while (query.after);
    return out;
  }
  // What the index itself knows, whatever can still be opened and shown.
  std::size_t known(const std::string& city) {
    const auto* type = service->registries()->type("people");
    const std::vector<search::Condition> conditions{
        {FieldNo(type->definition.field("city")->number), search::Op::exact, search::fold(FieldType::text, city)}};
    auto& feed = static_cast<service::Impl&>(*service).search_feed;
    return must(feed.find(TypeNo(type->number), conditions, {}, 20'000)).size();
  }
  // Another editor: of one type, or of all.
  service::Caller colleague(const std::string& type = {}) {
    TokenGrant grant;
    grant.role = Role::editor;
    grant.purposes = {"care"};
    grant.all_types = type.empty();
    if (!type.empty()) grant.types = {type};
    auto out = must(service->authenticate(must(write(admin, service::CreateToken{grant})).token));
    out.purpose = "care";
    return out;
  }
  service::SubjectAnswer subject(const SubjectId& id) {
    catch_up();
    return must(answer<service::SubjectAnswer>([&](auto then) { service->read_subject(editor, id, then); }));
  }
  service::HistoryAnswer subject_history(const SubjectId& id) {
    catch_up();
    return must(answer<service::HistoryAnswer>(
        [&](auto then) { service->subject_history(editor, id, std::nullopt, 100, then); }));
  }
  // Whom the first subject.registered from there on registered.
  SubjectId first_person(TreeSize from) {
    const auto cursor = ledger->cursor(Seq(from.get())).value();
    Seq seq;
    ByteView header, parts;
    while (cursor->next(seq, header, parts).value())
      if (codec::decode_header(header).value().type == EventType::subject_registered)
        return SubjectId(codec::decode_parts(parts).value().at(1).envelope.owner.get());
    FAIL("nobody was registered");
    return {};
  }
  std::string state(const JobId& id) { return std::string(must(service->import(editor, id)).state); }
  Result<std::string> rejects(const JobId& id) {
    return answer<std::string>([&](auto then) { service->import_rejects(editor, id, then); });
  }
  std::size_t shown(const char* type = "people") {
    catch_up();
    const auto number = TypeNo(service->registries()->type(type)->number);
    return views->list(number, std::nullopt, 1'000'000).value().rows.size();
  }
  std::string city_of(const RecordId& id) {
    catch_up();
    const auto read = must(answer<service::RecordAnswer>([&](auto then) { service->read_record(editor, id, then); }));
    const auto* field = service->registries()->type("people")->definition.field("city");
    for (const auto& value : read.record.values.expose())
      if (value.field == field->number) return std::get<std::string>(value.value.expose());
    return "none";
  }
  std::vector<Header> events_from(TreeSize from) {
    std::vector<Header> out;
    const auto cursor = ledger->cursor(Seq(from.get())).value();
    Seq seq;
    ByteView header, parts;
    while (cursor->next(seq, header, parts).value()) out.push_back(codec::decode_header(header).value());
    return out;
  }
  std::size_t count(const std::vector<Header>& events, EventType type) {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const Header& h) { return h.type == type; }));
  }

  service::Caller other;
};

inline std::string rows_of(std::size_t count, const std::string& city = "Ulm") {
  std::string out = "name;e-mail;city\n";
  for (std::size_t i = 0; i < count; ++i) {
    const auto n = std::to_string(i);
    out += "Person " + n + ";person" + n + "@example.org;" + city + "\n";
  }
  return out;
}

}  // namespace siegel::test
