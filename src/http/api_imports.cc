// Imports: a file comes in as a preview, is committed, cancelled, undone.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/secret.h"
#include "base/text.h"
#include "http/api_call.h"
#include "http/json_writer.h"
#include "http/multipart.h"
#include "service/import_api.h"

namespace siegel::http {
namespace {

using service::ClientKey;
using service::ImportAnswer;
using service::ImportCommit;
using service::ImportCounts;
using service::ImportUpload;

struct Media {
  std::string_view type, format;
};
constexpr std::array kMedia = std::to_array<Media>({
    {"text/csv", "csv"},
    {"text/tab-separated-values", "tsv"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"application/vnd.oasis.opendocument.spreadsheet", "ods"},
    {"application/x-ndjson", "ndjson"},
    {"application/octet-stream", ""},  // by its content
});

// ── in ──

std::string lower_type(std::string_view header) {
  std::string out(header.substr(0, header.find_first_of("; \t")));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

Result<std::string> format_of(std::string_view type) {
  const auto found = std::find_if(kMedia.begin(), kMedia.end(), [&](const Media& media) { return media.type == type; });
  if (found == kMedia.end())
    return Error(Errc::invalid, "unsupported_media",
                 "A file is text/csv, text/tab-separated-values, XLSX, ODS, application/x-ndjson or "
                 "application/octet-stream, or the part \"file\" of multipart/form-data.");
  return std::string(found->format);
}

Error wrong_option(const char* name, const char* what) {
  return Error(Errc::invalid, "bad_value", what).with("pointer", std::string("/") + name);
}

void split(const std::string& list, std::vector<std::string>& out) {
  for (std::size_t begin = 0; !list.empty() && begin <= list.size();) {
    const auto comma = std::min(list.find(',', begin), list.size());
    out.push_back(list.substr(begin, comma - begin));
    begin = comma + 1;
  }
}

Status check(const ImportUpload& upload) {
  if (!upload.type.empty() && !is_name(upload.type)) return not_found();
  if (!std::all_of(upload.match.begin(), upload.match.end(), is_name))
    return wrong_option("match", "match names fields of the record type.");
  if (upload.type.empty() && !upload.match.empty())
    return wrong_option("match", "Rows can be matched with records of a type that exists.");
  constexpr std::string_view kDelimiters[] = {"", ",", ";", "\t", "|"};
  if (std::find(std::begin(kDelimiters), std::end(kDelimiters), upload.delimiter) == std::end(kDelimiters))
    return wrong_option("delimiter", "A delimiter is a comma, a semicolon, a tab or a bar.");
  constexpr std::string_view kEncodings[] = {"", "utf-8", "utf-16le", "utf-16be", "windows-1252"};
  if (std::find(std::begin(kEncodings), std::end(kEncodings), upload.encoding) == std::end(kEncodings))
    return wrong_option("encoding", "An encoding is utf-8, utf-16le, utf-16be or windows-1252.");
  return Done{};
}

Status read_query(const Call& call, ImportUpload& out) {
  std::string match;
  const std::pair<const char*, std::string*> options[] = {{"type", &out.type},
                                                          {"match", &match},
                                                          {"sheet", &out.sheet},
                                                          {"delimiter", &out.delimiter},
                                                          {"encoding", &out.encoding}};
  for (const auto& [name, value] : options)
    if (const auto* text = call.request.query_value(name)) *value = *text;
  split(match, out.match);
  return Done{};
}

// What a form's part "options" says, a JSON object, counts before the query.
Status read_options(std::string_view text, ImportUpload& out) {
  SIEGEL_TRY(object, parse_json(text));
  Members members(object);
  members.text("type", out.type)
      .text("sheet", out.sheet)
      .text("delimiter", out.delimiter)
      .text("encoding", out.encoding);
  if (members.has("match")) out.match.clear();
  members.texts("match", out.match);
  if (const auto* columns = members.object("columns"))
    for (const auto& [title, value] : *columns) {
      const auto* field = std::get_if<std::string>(&value.value);
      const bool none = std::holds_alternative<std::nullptr_t>(value.value);
      if (!none && (field == nullptr || !is_name(*field)))
        members.wrong("/columns",
                      "columns names the field of a title, or null: {\"Mail\": \"e-mail\", \"Note\": null}.");
      else
        out.columns[title] = none ? "" : *field;
    }
  return members.finish();
}

// The file is the whole body now, without another copy of it.
Status take_form(std::string& body, std::string_view boundary, ImportUpload& out) {
  SIEGEL_TRY(parts, parse_multipart(body, boundary));
  std::optional<std::string_view> file;
  for (const auto& part : parts) {
    if (part.name == "options") {
      SIEGEL_CHECK(read_options(part.content, out));
    } else if (part.name == "file" && !file) {
      const auto known = format_of(part.content_type);  // browsers know few; the content says it
      out.format = known ? *known : "";
      file = part.content;
    } else {
      return Error(Errc::invalid, "unknown_field", "A form has one part \"file\" and one \"options\".");
    }
  }
  if (!file) return wrong_option("file", "The form has no part named file.");
  const auto size = file->size();
  std::memmove(body.data(), file->data(), size);
  wipe(body.data() + size, body.size() - size);  // shortened, the string would keep it
  body.resize(size);
  return Done{};
}

// What "the same upload" means, but for its bytes.
ClientKey client_of(service::WriteOptions&& options, const ImportUpload& upload) {
  ClientKey out{std::move(options.idempotency_key), std::move(options.request)};
  const auto add = [&out](std::string_view piece) {
    out.request.append(std::to_string(piece.size())).append(":").append(piece);
  };
  for (const auto* piece : {&upload.type, &upload.format, &upload.sheet, &upload.encoding, &upload.delimiter})
    add(*piece);
  for (const auto& field : upload.match) add(field);
  for (const auto& [title, field] : upload.columns) {
    add(title);
    add(field);
  }
  return out;
}

Result<ImportUpload> read_upload(Call& call) {
  ImportUpload out;
  SIEGEL_CHECK(read_query(call, out));
  const auto content_type = call.request.header("content-type").value_or("");
  const auto type = lower_type(content_type);
  if (type != "multipart/form-data") {
    SIEGEL_TRY(format, format_of(type));
    out.format = std::move(format);
  } else {
    const auto boundary = boundary_of(content_type);
    if (!boundary) return Error(Errc::invalid, "bad_header", "multipart/form-data needs a boundary.");
    SIEGEL_CHECK(take_form(call.request.body, *boundary, out));
  }
  SIEGEL_CHECK(check(out));
  out.bytes = Personal<std::string>(std::exchange(call.request.body, {}));
  out.room = std::move(call.request.room);
  SIEGEL_TRY(options, write_options(call));
  out.client = client_of(std::move(options), out);
  return out;
}

void read_types(Members& members, std::map<std::string, FieldType>& out) {
  const auto* types = members.object("types");
  if (types == nullptr) return;
  for (const auto& [field, value] : *types) {
    const auto* text = std::get_if<std::string>(&value.value);
    const auto type = text == nullptr ? std::nullopt : parse_field_type(*text);
    if (type)
      out[field] = *type;
    else
      members.wrong(members.at("types"), "types names the type of a field: {\"plz\": \"text\"}.");
  }
}

void read_texts_by_name(Members& members, const char* name, std::map<std::string, std::string>& out) {
  const auto* object = members.object(name);
  if (object == nullptr) return;
  for (const auto& [key, value] : *object) {
    if (const auto* text = std::get_if<std::string>(&value.value))
      out[key] = *text;
    else
      members.wrong(members.at(name), "Each member is a string.");
  }
}

Result<ClientKey> client_key(const Call& call) {
  SIEGEL_TRY(options, write_options(call));
  return ClientKey{std::move(options.idempotency_key), std::move(options.request)};
}

Result<ImportCommit> read_commit(const Call& call) {
  SIEGEL_TRY(object, body_object(call));
  ImportCommit out;
  SIEGEL_TRY(client, client_key(call));
  out.client = std::move(client);
  Members members(object);
  std::string bad_rows = "none", create, mode;
  ImportCommit::NewType made;
  members.text("bad_rows", bad_rows).text("create_type", create).text("class", made.cls);
  members.text("default_purpose", made.default_purpose);
  read_types(members, out.types);
  read_texts_by_name(members, "classes", made.classes);
  read_texts_by_name(members, "title", made.title);
  if (const auto* subject = members.object("subject")) {
    Members inner(*subject, "/subject");
    inner.required("mode").text("mode", mode).texts("fields", made.match_fields);
    SIEGEL_CHECK(inner.finish());
    if (mode == "none") made.subject_mode = SubjectMode::none;
    if (mode == "row") made.subject_mode = SubjectMode::row;
    if (mode == "match") made.subject_mode = SubjectMode::match;
    if (!made.subject_mode) members.wrong("/subject/mode", "subject.mode is none, row or match.");
  }
  if (bad_rows != "none" && bad_rows != "skip") members.wrong("/bad_rows", "bad_rows is skip or none.");
  if (bad_rows == "skip") out.bad_rows = ImportCommit::BadRows::skip;
  const bool for_new = !made.cls.empty() || !made.classes.empty() || !made.title.empty() || !mode.empty() ||
                       !made.default_purpose.empty();
  if (!create.empty() && !is_name(create)) members.wrong("/create_type", "A record type's name is lower case.");
  SIEGEL_CHECK(members.finish());
  made.name = std::move(create);
  if (!made.name.empty() || for_new) out.create_type = std::move(made);
  return out;
}

Result<bool> wait_of(const Call& call) {
  const auto* wait = call.request.query_value("wait");
  if (wait == nullptr || *wait == "false") return false;
  if (*wait == "true") return true;
  return Error(Errc::invalid, "bad_value", "wait is true or false.").with("pointer", "/wait");
}

// ── out ──

void write_counts(JsonWriter& json, const ImportCounts& counts) {
  json.begin("counts").number("new", counts.added).number("changed", counts.changed);
  json.number("unchanged", counts.unchanged).number("failed", counts.failed).end();
}

void write_texts(JsonWriter& json, const char* name, const std::vector<std::string>& texts) {
  json.list(name);
  for (const auto& text : texts) json.text(text);
  json.end_list();
}

void write_changed_value(JsonWriter& json, const FieldDefinition* field, const Value& value) {
  if (field == nullptr)
    json.null();
  else
    write_value(json, *field, value);
}

void write_preview(JsonWriter& json, const ImportAnswer& answer) {
  const auto& preview = *answer.preview;
  json.text("expires_at", to_rfc3339(preview.expires_at)).text("sheet", preview.sheet);
  write_texts(json, "sheets", preview.sheets);
  json.text("encoding", preview.encoding).text("delimiter", preview.delimiter);
  json.number("header_row", preview.header_row).number("rows_read", answer.counts.rows()).list("columns");
  for (const auto& column : preview.columns) {
    json.begin().text("title", column.title.expose());
    if (column.field.empty())
      json.null("field");
    else
      json.text("field", column.field);
    json.text("type", column.type).text("reason", column.reason);
    json.flag("personal", column.personal).flag("searchable", column.searchable);
    json.number("cells", column.cells).number("exceptions", column.exceptions);
    write_texts(json, "examples", column.examples.expose());
    write_texts(json, "exception_examples", column.exception_examples.expose());
    json.end();
  }
  json.end_list();
  write_texts(json, "identity", preview.identity);
  json.list("changes");
  const auto* type = answer.registries ? answer.registries->type(answer.type) : nullptr;
  for (const auto& change : preview.changes) {
    const auto* field = type == nullptr ? nullptr : type->definition.field(change.field);
    json.begin().number("row", change.row).text("record", to_text(change.record)).text("field", change.field);
    json.key("old");
    write_changed_value(json, field, change.before.expose());
    json.key("new");
    write_changed_value(json, field, change.after.expose());
    json.end();
  }
  json.end_list().list("failures");
  for (const auto& failure : preview.failures) {
    json.begin().number("row", failure.row);
    if (failure.column.expose().empty())
      json.null("column");
    else
      json.text("column", failure.column.expose());
    json.text("code", failure.code).end();
  }
  json.end_list();
}

void write_import(JsonWriter& json, const Call& call, const ImportAnswer& answer) {
  json.begin().text("import", to_text(answer.id)).text("state", answer.state);
  if (answer.type.empty())
    json.null("type");
  else
    json.text("type", answer.type);
  if (answer.at.get() > 0) json.text("at", to_rfc3339(answer.at));
  write_counts(json, answer.counts);
  if (answer.state == "committing") json.number("done", answer.done);
  if (answer.preview) write_preview(json, answer);
  if (answer.undone) {
    json.begin("undone").number("removed", answer.undone->added).number("restored", answer.undone->changed);
    json.number("kept", answer.undone->unchanged).end();
    if (answer.kept_known) {
      json.list("kept");
      for (const auto& kept : answer.kept) {
        json.begin().number("row", kept.row);
        if (kept.record)
          json.text("record", to_text(*kept.record));
        else
          json.null("record");
        json.text("reason", kept.reason).end();
      }
      json.end_list();
    }
  }
  if (!answer.error.empty()) json.text("error", answer.error);
  json.text("position", call.position_text(answer.position)).end();
}

std::function<void(Result<ImportAnswer>)> answer_import(const CallPtr& call, int status) {
  return [call, status](Result<ImportAnswer> answer) {
    if (!answer) return call->fail(answer.error());
    JsonWriter json;
    write_import(json, *call, *answer);
    call->send(status, json.take(), answer->position, {}, replay_headers(answer->replayed));
  };
}

// ── routes ──

void preview(const CallPtr& call) {
  SIEGEL_CALL_TRY(upload, read_upload(*call));
  call->service->preview_import(call->caller, std::move(upload), answer_import(call, 201));
}

void list(const CallPtr& call) {
  SIEGEL_CALL_TRY(limit, limit_of(*call, 50));
  SIEGEL_CALL_TRY(before, cursor_of(*call));
  const auto position = call->service->position();
  SIEGEL_CALL_TRY(items,
                  call->service->imports(call->caller, before ? std::optional(JobId(*before)) : std::nullopt, limit));
  JsonWriter json;
  json.begin().list("items");
  for (const auto& item : items) write_import(json, *call, item);
  json.end_list();
  if (items.size() == limit)
    json.text("next", cursor_text(items.back().id.get()));
  else
    json.null("next");
  json.text("position", call->position_text(position)).end();
  call->send(200, json.take(), position);
}

void get(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<JobId>("im", call->path[0]));
  answer_import(call, 200)(call->service->import(call->caller, id));
}

void cancel(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<JobId>("im", call->path[0]));
  SIEGEL_CALL_TRY(client, client_key(*call));
  call->service->cancel_import(call->caller, id, std::move(client), [call](Result<ImportAnswer> answer) {
    if (!answer) return call->fail(answer.error());
    call->send(204, "", answer->position, {}, replay_headers(answer->replayed));
  });
}

void commit(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<JobId>("im", call->path[0]));
  SIEGEL_CALL_TRY(wait, wait_of(*call));
  SIEGEL_CALL_TRY(how, read_commit(*call));
  call->service->commit_import(call->caller, id, std::move(how), wait, answer_import(call, wait ? 200 : 202));
}

void undo(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<JobId>("im", call->path[0]));
  SIEGEL_CALL_TRY(wait, wait_of(*call));
  SIEGEL_CALL_TRY(client, client_key(*call));
  call->service->undo_import(call->caller, id, std::move(client), wait, answer_import(call, wait ? 200 : 202));
}

void rejects(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<JobId>("im", call->path[0]));
  call->service->import_rejects(call->caller, id, [call](Result<std::string> file) {
    if (!file) return call->fail(file.error());
    call->send(200, std::move(*file), {}, {}, {{"Content-Disposition", "attachment; filename=\"rejects.csv\""}},
               "text/csv; charset=utf-8");
  });
}

}  // namespace

std::vector<Route> import_routes() {
  return {{Method::post, "/v1/imports", preview},          {Method::get, "/v1/imports", list, true, true},
          {Method::get, "/v1/imports/*", get, true, true}, {Method::del, "/v1/imports/*", cancel},
          {Method::post, "/v1/imports/*/commit", commit},  {Method::post, "/v1/imports/*/undo", undo},
          {Method::get, "/v1/imports/*/rejects", rejects}};
}

}  // namespace siegel::http
