// Records and subjects.
#include <algorithm>

#include "base/text.h"
#include "http/api_call.h"
#include "http/csv.h"
#include "http/json_writer.h"

namespace siegel::http {

void write_value(JsonWriter& json, const FieldDefinition& field, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (field.type == FieldType::boolean) {
      json.flag(*text == "true");
    } else {
      json.text(*text);
    }
  } else if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    json.list();
    for (const auto& item : *items) json.text(item);
    json.end_list();
  } else {
    json.null();
  }
}

namespace {

const FieldDefinition* field_of(const Registries& registries, TypeNo type, FieldNo field) {
  const auto* found = registries.type(type);
  return found == nullptr ? nullptr : found->definition.field(field);
}

void write_classes(JsonWriter& json, const Registries& registries, const std::vector<ClassNo>& classes) {
  if (classes.empty()) return;
  json.list("erased");
  for (const auto number : classes) {
    const auto* cls = registries.cls(number);
    json.text(cls == nullptr ? "unknown" : cls->definition.name);
  }
  json.end_list();
}

}  // namespace

void write_record(JsonWriter& json, const Registries& registries, const service::ShownRecord& record) {
  const auto* type = registries.type(record.type);
  json.begin().text("record", to_text(record.id)).text("type", type == nullptr ? "" : type->definition.name);
  if (record.subject) {
    json.text("subject", to_text(*record.subject));
  } else {
    json.null("subject");
  }
  json.number("version", record.version.get()).begin("values");
  if (type != nullptr)
    for (const auto& value : record.values.expose()) {
      const auto* field = type->definition.field(value.field);
      if (field == nullptr) continue;
      json.key(field->name);
      write_value(json, *field, value.value.expose());
    }
  json.end().text("updated_at", to_rfc3339(record.updated_at));
  write_classes(json, registries, record.erased);
  json.end();
}

namespace {

// Nothing for a kind of a newer version.
std::string_view name_of(AccessFacts::Kind kind) {
  constexpr std::string_view kNames[] = {"",       "record", "list",  "history", "subject",
                                         "export", "search", "parts", "import",  "bulk_export"};
  const auto number = static_cast<std::size_t>(kind);
  return number < std::size(kNames) ? kNames[number] : std::string_view();
}

}  // namespace

void write_history(JsonWriter& json, const Registries& registries, const service::HistoryItem& item,
                   ActorLabels labels) {
  json.begin().number("seq", item.seq.get()).text("at", to_rfc3339(item.at)).text("type", siegel::name_of(item.type));
  json.text("actor", item.actor);
  if (const auto id = parse_id("tk", item.actor); id && labels == ActorLabels::shown)
    if (const auto* token = registries.token(TokenId(*id)); token != nullptr && !token->grant.label.empty())
      json.text("actor_label", token->grant.label);
  const auto* purpose = registries.purpose(item.purpose);
  if (purpose != nullptr) {
    json.text("purpose", purpose->definition.name);
  } else {
    json.null("purpose");
  }
  json.text("legal_ground", siegel::name_of(item.ground));
  if (item.record) json.text("record", to_text(*item.record));
  if (item.import) json.text("import", to_text(*item.import));
  if (item.cancelled) json.flag("cancelled", true);
  if (const auto look = item.access ? name_of(*item.access) : std::string_view(); !look.empty())
    json.text("access", look);
  json.list("changes");
  for (const auto& change : item.changes) {
    const auto* field = field_of(registries, item.record_type, change.field);
    if (field == nullptr) continue;
    json.begin().text("field", field->name).key("old");
    write_value(json, *field, change.before.expose());
    json.key("new");
    write_value(json, *field, change.after.expose());
    json.end();
  }
  json.end_list();
  if (!item.reason.expose().empty()) json.text("reason", item.reason.expose());
  write_classes(json, registries, item.erased);
  json.end();
}

std::function<void(Result<service::ListAnswer>)> answer_list(const CallPtr& call) {
  return [call](Result<service::ListAnswer> answer) {
    if (!answer) return call->fail(answer.error());
    JsonWriter json;
    json.begin().list("items");
    for (const auto& record : answer->items) write_record(json, *answer->registries, record);
    json.end_list();
    if (answer->next) {
      json.text("next", cursor_text(answer->next->get()));
    } else {
      json.null("next");
    }
    json.text("position", call->position_text(answer->position)).end();
    call->send(200, json.take(), answer->position);
  };
}

namespace {

constexpr std::ptrdiff_t kExternalIdCharactersMax = 200;

// Of UTF-8: bytes that begin one.
std::ptrdiff_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

Result<std::vector<service::NamedValue>> read_values(Members& members) {
  std::vector<service::NamedValue> out;
  const auto* object = members.required("values").object("values");
  if (object == nullptr) return out;
  for (const auto& [name, json] : *object) {
    service::RawValue raw;
    if (const auto* text = std::get_if<std::string>(&json.value)) {
      raw = *text;
    } else if (const auto* flag = std::get_if<bool>(&json.value)) {
      raw = *flag;
    } else if (const auto* items = std::get_if<JsonArray>(&json.value)) {
      std::vector<std::string> texts;
      for (const auto& item : *items) {
        const auto* one = std::get_if<std::string>(&item.value);
        if (one == nullptr) members.wrong("/values", "A list holds strings only.");
        if (one != nullptr) texts.push_back(*one);
      }
      raw = std::move(texts);
    } else if (!std::holds_alternative<std::nullptr_t>(json.value)) {
      members.wrong("/values",
                    "Values are strings, true, false, null or lists of strings; numbers are written as strings.");
    }
    out.push_back({name, Personal<service::RawValue>(std::move(raw))});
  }
  return out;
}

std::function<void(Result<service::Written>)> answer_written(const CallPtr& call) {
  return [call](Result<service::Written> outcome) {
    if (!outcome) return call->fail(outcome.error());
    JsonWriter json;
    json.begin().text("record", to_text(*outcome->record));
    if (outcome->subject) {
      json.text("subject", to_text(*outcome->subject));
    } else {
      json.null("subject");
    }
    json.number("version", outcome->version).number("seq", outcome->seq.get());
    json.text("event_hash", to_hex(outcome->event_hash)).text("position", call->position_text(outcome->size));
    if (outcome->ambiguous) json.flag("ambiguous", true);
    json.end();
    call->send(outcome->kind == service::Written::Kind::created ? 201 : 200, json.take(), outcome->size,
               outcome->version, replay_headers(outcome->replayed));
  };
}

void add_record(const CallPtr& call) {
  SIEGEL_CALL_TRY(options, write_options(*call));
  SIEGEL_CALL_TRY(object, body_object(*call));
  if (!is_name(call->path[0])) return call->fail(not_found());
  service::AddRecord command;
  command.type = std::string(call->path[0]);
  Members members(object);
  SIEGEL_CALL_TRY(values, read_values(members));
  command.values = std::move(values);
  std::string reason;
  std::optional<std::string> subject;
  members.text("subject", subject).text("reason", reason);
  if (subject) {
    const auto id = parse_id("su", *subject);
    if (!id) members.wrong("/subject", "subject is the id of a subject.");
    if (id) command.subject = SubjectId(*id);
  }
  if (const auto* external = members.object("external")) {
    ExternalReference reference;
    Members inner(*external, "/external");
    inner.required("system").text("system", reference.system).required("id").text("id", reference.id);
    SIEGEL_CALL_TRY(done, inner.finish());
    const bool ok = is_name(reference.system) && !reference.id.empty() &&
                    characters(reference.id) <= kExternalIdCharactersMax && is_utf8(reference.id) &&
                    reference.id.find('\0') == std::string::npos;
    if (!ok) members.wrong("/external", "external is a system's name and an id of at most 200 characters.");
    command.external = Personal<ExternalReference>(std::move(reference));
  }
  SIEGEL_CALL_TRY(done, members.finish());
  options.reason = Personal<std::string>(std::move(reason));
  call->service->write(call->caller, std::move(command), std::move(options), answer_written(call));
}

void change_record(const CallPtr& call) {
  SIEGEL_CALL_TRY(options, write_options(*call));
  SIEGEL_CALL_TRY(id, id_of<RecordId>("re", call->path[0]));
  SIEGEL_CALL_TRY(object, body_object(*call));
  Members members(object);
  SIEGEL_CALL_TRY(values, read_values(members));
  std::string reason;
  members.text("reason", reason);
  SIEGEL_CALL_TRY(done, members.finish());
  options.reason = Personal<std::string>(std::move(reason));
  call->service->write(call->caller, service::ChangeRecord{id, std::move(values)}, std::move(options),
                       answer_written(call));
}

void remove_record(const CallPtr& call) {
  SIEGEL_CALL_TRY(options, write_options(*call));
  SIEGEL_CALL_TRY(id, id_of<RecordId>("re", call->path[0]));
  call->service->write(call->caller, service::RemoveRecord{id}, std::move(options), answer_written(call));
}

void get_record(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<RecordId>("re", call->path[0]));
  call->service->read_record(call->caller, id, [call](Result<service::RecordAnswer> answer) {
    if (!answer) return call->fail(answer.error());
    JsonWriter json;
    write_record(json, *answer->registries, answer->record);
    call->send(200, json.take(), answer->position, answer->record.version.get());
  });
}

void list_records(const CallPtr& call) {
  service::Service::ListQuery query;
  SIEGEL_CALL_TRY(limit, limit_of(*call, 50));
  SIEGEL_CALL_TRY(after, cursor_of(*call));
  if (!is_name(call->path[0])) return call->fail(not_found());
  query.type = std::string(call->path[0]);
  query.limit = limit;
  if (after) query.after = RecordId(*after);
  if (const auto* fields = call->request.query_value("fields")) {
    for (std::size_t begin = 0; !fields->empty() && begin <= fields->size();) {
      const auto comma = std::min(fields->find(',', begin), fields->size());
      query.fields.push_back(fields->substr(begin, comma - begin));
      begin = comma + 1;
    }
  }
  call->service->list_records(call->caller, std::move(query), answer_list(call));
}

std::function<void(Result<service::HistoryAnswer>)> answer_history(const CallPtr& call) {
  return [call](Result<service::HistoryAnswer> answer) {
    if (!answer) return call->fail(answer.error());
    JsonWriter json;
    json.begin().list("items");
    for (const auto& item : answer->items) write_history(json, *answer->registries, item, ActorLabels::shown);
    json.end_list();
    if (answer->next) {
      json.text("next", cursor_text(*answer->next));
    } else {
      json.null("next");
    }
    json.text("position", call->position_text(answer->position)).end();
    call->send(200, json.take(), answer->position);
  };
}

void record_history(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<RecordId>("re", call->path[0]));
  SIEGEL_CALL_TRY(limit, limit_of(*call, 50));
  SIEGEL_CALL_TRY(after, seq_cursor_of(*call));
  call->service->record_history(call->caller, id, after, limit, answer_history(call));
}

void subject_history(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<SubjectId>("su", call->path[0]));
  SIEGEL_CALL_TRY(limit, limit_of(*call, 50));
  SIEGEL_CALL_TRY(after, seq_cursor_of(*call));
  call->service->subject_history(call->caller, id, after, limit, answer_history(call));
}

void write_subject(JsonWriter& json, const service::SubjectAnswer& answer) {
  json.text("subject", to_text(answer.subject)).list("merged");
  for (const auto& id : answer.merged) json.text(to_text(id));
  json.end_list().list("external");
  for (const auto& reference : answer.external)
    json.begin().text("system", reference.expose().system).text("id", reference.expose().id).end();
  json.end_list().list("leaves");
  for (const auto& leaf : answer.leaves) {
    const auto* cls = answer.registries->cls(leaf.cls);
    json.begin().text("class", cls == nullptr ? "unknown" : cls->definition.name);
    json.number("slot", leaf.slot.get()).number("count", leaf.count).end();
  }
  json.end_list().list("records");
  for (const auto& record : answer.records) write_record(json, *answer.registries, record);
  json.end_list();
}

void get_subject(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<SubjectId>("su", call->path[0]));
  call->service->read_subject(call->caller, id, [call](Result<service::SubjectAnswer> answer) {
    if (!answer) return call->fail(answer.error());
    JsonWriter json;
    json.begin();
    write_subject(json, *answer);
    json.text("position", call->position_text(answer->position)).end();
    call->send(200, json.take(), answer->position);
  });
}

void merge_subjects(const CallPtr& call) {
  SIEGEL_CALL_TRY(options, write_options(*call));
  SIEGEL_CALL_TRY(into, id_of<SubjectId>("su", call->path[0]));
  SIEGEL_CALL_TRY(object, body_object(*call));
  service::MergeSubjects command{into, {}};
  Members members(object);
  std::vector<std::string> others;
  members.required("subjects").texts("subjects", others);
  for (const auto& text : others) {
    const auto id = parse_id("su", text);
    if (!id) members.wrong("/subjects", "A subject is named by its id.");
    if (id) command.others.emplace_back(*id);
  }
  SIEGEL_CALL_TRY(done, members.finish());
  call->service->write(call->caller, std::move(command), std::move(options), [call](Result<service::Written> outcome) {
    if (!outcome) return call->fail(outcome.error());
    JsonWriter json;
    json.begin().text("subject", to_text(*outcome->subject)).number("seq", outcome->seq.get());
    json.text("event_hash", to_hex(outcome->event_hash)).text("position", call->position_text(outcome->size));
    json.end();
    call->send(200, json.take(), outcome->size, {}, replay_headers(outcome->replayed));
  });
}

std::string export_csv(const service::SubjectAnswer& answer) {
  std::string out(kCsvMark);
  out += "\"type\",\"record\",\"field\",\"value\"\r\n";
  for (const auto& record : answer.records) {
    const auto* type = answer.registries->type(record.type);
    if (type == nullptr) continue;
    for (const auto& value : record.values.expose()) {
      const auto* field = type->definition.field(value.field);
      if (field == nullptr) continue;
      append_csv_text(out, type->definition.name);
      append_csv_text(out += ',', to_text(record.id));
      append_csv_text(out += ',', field->title.empty() ? field->name : field->title);
      append_csv_value(out += ',', field->type, value.value.expose());
      out += "\r\n";
    }
  }
  return out;
}

void export_subject(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<SubjectId>("su", call->path[0]));
  const auto* format = call->request.query_value("format");
  const bool csv = format != nullptr && *format == "csv";
  if (format != nullptr && !csv && *format != "json")
    return call->fail(Error(Errc::invalid, "bad_value", "format is json or csv.").with("pointer", "/format"));
  call->service->export_subject(call->caller, id, [call, csv](Result<service::SubjectAnswer> answer) {
    if (!answer) return call->fail(answer.error());
    if (csv)
      return call->send(200, export_csv(*answer), answer->position, {},
                        {{"Content-Disposition", "attachment; filename=\"export.csv\""}}, kCsvContentType);
    JsonWriter json;
    json.begin();
    write_subject(json, *answer);
    json.list("history");
    for (const auto& item : answer->history) write_history(json, *answer->registries, item, ActorLabels::left_out);
    json.end_list().text("position", call->position_text(answer->position)).end();
    call->send(200, json.take(), answer->position);
  });
}

}  // namespace

std::vector<Route> record_routes() {
  return {{Method::post, "/v1/record-types/*/records", add_record},
          {Method::get, "/v1/record-types/*/records", list_records, true, true},
          {Method::post, "/v1/record-types/*/search", search_records, true, true},
          {Method::get, "/v1/records/*", get_record, true, true},
          {Method::patch, "/v1/records/*", change_record},
          {Method::del, "/v1/records/*", remove_record},
          {Method::get, "/v1/records/*/history", record_history, true, true},
          {Method::post, "/v1/subjects/search", search_subjects, true, true},
          {Method::post, "/v1/subjects/*/merge", merge_subjects},
          {Method::get, "/v1/subjects/*", get_subject, true, true},
          {Method::get, "/v1/subjects/*/history", subject_history, true, true},
          {Method::get, "/v1/subjects/*/export", export_subject, true, true}};
}

}  // namespace siegel::http
