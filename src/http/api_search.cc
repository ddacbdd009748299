// Search: a read, though its body makes it a POST (no personal value in a URL).
#include "base/text.h"
#include "http/api_call.h"
#include "http/json_writer.h"

namespace siegel::http {
namespace {

Result<service::Service::SearchQuery::Where> read_condition(const JsonObject& object, const std::string& pointer) {
  service::Service::SearchQuery::Where out;
  std::string op;
  Members members(object, pointer);
  members.required("field").text("field", out.field).required("op").text("op", op);
  if (!op.empty() && op != "exact" && op != "prefix" && op != "word")
    members.wrong(pointer + "/op", "op is exact, prefix or word.");
  out.op = op == "word" ? search::Op::word : op == "prefix" ? search::Op::prefix : search::Op::exact;
  service::RawValue value;
  if (const auto* json = members.required("value").any("value")) {
    if (const auto* text = std::get_if<std::string>(&json->value)) {
      value = *text;
    } else if (const auto* flag = std::get_if<bool>(&json->value)) {
      value = *flag;
    } else {
      members.wrong(pointer + "/value", "A value that is searched by is a string, true or false.");
    }
  }
  out.value = Personal<service::RawValue>(std::move(value));
  SIEGEL_CHECK(members.finish());
  return out;
}

Result<service::Service::SearchQuery::Sort> read_sort(const JsonObject& object) {
  service::Service::SearchQuery::Sort out;
  Members members(object, "/sort");
  members.required("field").text("field", out.field).flag("descending", out.descending);
  SIEGEL_CHECK(members.finish());
  return out;
}

Result<service::Service::SearchQuery> read_query(const JsonObject& object, std::optional<std::string>& cursor) {
  service::Service::SearchQuery out;
  Members members(object);
  members.texts("fields", out.fields).text("cursor", cursor);
  if (const auto* limit = members.any("limit");
      limit != nullptr && !std::holds_alternative<std::nullptr_t>(limit->value)) {
    const auto* number = std::get_if<JsonNumber>(&limit->value);
    if (number == nullptr || !number->integer || *number->integer < 1) {
      members.wrong("/limit", "limit is a whole number from 1.");
    } else {
      out.limit = static_cast<std::size_t>(*number->integer);
    }
  }
  if (const auto* where = members.required("where").array("where")) {
    for (std::size_t i = 0; i < where->size(); ++i) {
      const auto pointer = "/where/" + std::to_string(i);
      const auto* condition = std::get_if<JsonObject>(&(*where)[i].value);
      if (condition == nullptr) {
        members.wrong(pointer, "A condition is an object.");
        continue;
      }
      SIEGEL_TRY(read, read_condition(*condition, pointer));
      out.where.push_back(std::move(read));
    }
  }
  if (const auto* sort = members.object("sort")) {
    SIEGEL_TRY(read, read_sort(*sort));
    out.sort = std::move(read);
  }
  SIEGEL_CHECK(members.finish());
  return out;
}

Error bad_cursor() { return {Errc::invalid, "bad_cursor", "The cursor is not one of this list."}; }

}  // namespace

void search_records(const CallPtr& call) {
  SIEGEL_CALL_TRY(object, body_object(*call));
  if (!is_name(call->path[0])) return call->fail(not_found());
  std::optional<std::string> cursor;
  SIEGEL_CALL_TRY(query, read_query(object, cursor));
  if (cursor) {
    const auto bytes = from_base64url(*cursor);
    if (!bytes || bytes->size() != 16) return call->fail(bad_cursor());
    query.after = RecordId(to_array<16>(*bytes));
  }
  query.type = std::string(call->path[0]);
  call->service->search(call->caller, std::move(query), answer_list(call));
}

// The cursor is a type and a record of it.
void search_subjects(const CallPtr& call) {
  SIEGEL_CALL_TRY(object, body_object(*call));
  std::optional<std::string> cursor;
  SIEGEL_CALL_TRY(query, read_query(object, cursor));
  if (query.sort)
    return call->fail(
        Error(Errc::invalid, "unknown_field", "People of several types have no order.").with("pointer", "/sort"));
  if (cursor) {
    const auto bytes = from_base64url(*cursor);
    if (!bytes || bytes->size() != 20) return call->fail(bad_cursor());
    query.after_type = TypeNo(get_be<std::uint32_t>(bytes->data()));
    query.after = RecordId(to_array<16>(ByteView(*bytes).subspan(4)));
  }
  call->service->search_subjects(call->caller, std::move(query), [call](Result<service::SubjectsAnswer> answer) {
    if (!answer) return call->fail(answer.error());
    JsonWriter json;
    json.begin().list("types");
    for (const auto type : answer->types)
      if (const auto* known = answer->registries->type(type)) json.text(known->definition.name);
    json.end_list().list("items");
    for (const auto& item : answer->items) {
      json.begin().text("subject", to_text(item.subject)).list("records");
      for (const auto& record : item.records) write_record(json, *answer->registries, record);
      json.end_list().end();
    }
    json.end_list();
    if (const auto& next = answer->next) {
      auto bytes = to_bytes(be(next->first.get()));
      const auto id = next->second.get();
      bytes.insert(bytes.end(), id.begin(), id.end());
      json.text("next", to_base64url(bytes));
    } else {
      json.null("next");
    }
    json.text("position", call->position_text(answer->position)).end();
    call->send(200, json.take(), answer->position);
  });
}

}  // namespace siegel::http
