// Purposes, deletion classes, record types, tokens.
#include <algorithm>

#include "base/text.h"
#include "http/api_call.h"
#include "http/json_writer.h"

namespace siegel::http {
namespace {

// ── in ──

void read_titles(Members& members, Titles& out) {
  const auto* object = members.object("title");
  if (object == nullptr) return;
  for (const auto& [language, value] : *object) {
    if (const auto* text = std::get_if<std::string>(&value.value)) {
      out[language] = *text;
    } else {
      members.wrong(members.at("title"), "A title is a text per language.");
    }
  }
}

void read_ground(Members& members, LegalGround& out) {
  std::string ground;
  members.required("legal_ground").text("legal_ground", ground);
  if (ground.empty()) return;
  if (const auto parsed = parse_legal_ground(ground)) {
    out = *parsed;
  } else {
    members.wrong(members.at("legal_ground"),
                  "A legal ground is one of consent, contract, legal-obligation, vital-interests, public-task, "
                  "legitimate-interests.");
  }
}

Result<PurposeDefinition> read_purpose(const JsonObject& object, std::string_view name) {
  PurposeDefinition out;
  out.name = name;
  Members members(object);
  read_ground(members, out.legal_ground);
  read_titles(members, out.title);
  if (const auto* fields = members.object("fields")) {
    out.fields_limited = true;
    for (const auto& [type, list] : *fields) {
      const auto* items = std::get_if<JsonArray>(&list.value);
      if (items == nullptr) {
        members.wrong(members.at("fields"), "fields names a list of fields for each record type.");
        continue;
      }
      auto& names = out.fields[type];
      for (const auto& item : *items) {
        const auto* text = std::get_if<std::string>(&item.value);
        if (text == nullptr) {
          members.wrong(members.at("fields"), "A field is named by a string.");
        } else {
          names.push_back(*text);
        }
      }
    }
  }
  SIEGEL_CHECK(members.finish());
  return out;
}

constexpr std::string_view kStarts[] = {"collection", "last_change", "end_of_case", "end_of_relationship"};
constexpr std::string_view kYearPrefix = "end_of_calendar_year_of_";

Result<ClassDefinition> read_class(const JsonObject& object, std::string_view name) {
  ClassDefinition out;
  out.name = name;
  Members members(object);
  std::string start;
  members.required("period").text("period", out.period).required("start").text("start", start).text("note", out.note);
  read_ground(members, out.legal_ground);
  std::string_view rest = start;
  if (rest.starts_with(kYearPrefix)) {
    out.end_of_calendar_year = true;
    rest.remove_prefix(kYearPrefix.size());
  }
  const auto* it = std::find(std::begin(kStarts), std::end(kStarts), rest);
  if (it == std::end(kStarts)) {
    members.wrong(
        members.at("start"),
        "A period starts at collection, last_change, end_of_case or end_of_relationship, or at the end of the "
        "year: end_of_calendar_year_of_ before one of these.");
  } else {
    out.start = static_cast<PeriodStart>(it - std::begin(kStarts));
  }
  SIEGEL_CHECK(members.finish());
  return out;
}

Result<FieldDefinition> read_field(const Json& json, const std::string& at, const TypeDefinition& whole,
                                   const std::string& type_class) {
  const auto* object = std::get_if<JsonObject>(&json.value);
  if (object == nullptr) return Error(Errc::invalid, "bad_value", "A field is an object.").with("pointer", at);
  FieldDefinition out;
  out.personal = whole.subject_mode != SubjectMode::none;  // what is said about a person, unless it says otherwise
  std::string type;
  Members members(*object, at);
  members.required("name").text("name", out.name).text("title", out.title).required("type").text("type", type);
  members.flag("personal", out.personal).flag("required", out.required).flag("searchable", out.searchable);
  members.text("class", out.cls).texts("choices", out.choices).text("help", out.help);
  members.text("section", out.section);
  if (out.cls.empty()) out.cls = type_class;
  if (const auto parsed = parse_field_type(type)) {
    out.type = *parsed;
  } else {
    members.wrong(
        at + "/type",
        "A field type is one of text, multiline, email, phone, url, integer, decimal, date, datetime, boolean, "
        "choice, multichoice, reference, file, signature, geo.");
  }
  SIEGEL_CHECK(members.finish());
  return out;
}

void read_subject(Members& members, TypeDefinition& out) {
  const auto* object = members.object("subject");
  if (object == nullptr) return;
  Members subject(*object, members.at("subject"));
  std::string mode;
  subject.required("mode").text("mode", mode).texts("fields", out.match_fields);
  if (mode == "row") {
    out.subject_mode = SubjectMode::row;
  } else if (mode == "match") {
    out.subject_mode = SubjectMode::match;
  } else if (mode != "none") {
    members.wrong(subject.at("mode"), "subject.mode is none, row or match.");
  }
  if (const auto done = subject.finish(); !done) members.wrong(members.at("subject"), "subject has mode and fields.");
}

void read_form(Members& members, TypeDefinition& out) {
  const auto* rows = members.array("form");
  if (rows == nullptr) return;
  for (const auto& row : *rows) {
    const auto* fields = std::get_if<JsonArray>(&row.value);
    std::vector<std::string> names;
    bool ok = fields != nullptr;
    if (ok)
      for (const auto& field : *fields) {
        const auto* text = std::get_if<std::string>(&field.value);
        ok = ok && text != nullptr;
        if (text != nullptr) names.push_back(*text);
      }
    if (!ok) members.wrong(members.at("form"), "form is a list of rows, each a list of field names.");
    out.form.push_back(std::move(names));
  }
}

Result<TypeDefinition> read_type(const JsonObject& object, std::string_view name) {
  TypeDefinition out;
  out.name = name;
  std::string type_class;
  Members members(object);
  read_titles(members, out.title);
  read_subject(members, out);
  members.text("default_purpose", out.default_purpose).text("class", type_class).required("fields");
  if (const auto* fields = members.array("fields"))
    for (std::size_t i = 0; i < fields->size(); ++i) {
      SIEGEL_TRY(field, read_field((*fields)[i], "/fields/" + std::to_string(i), out, type_class));
      out.fields.push_back(std::move(field));
    }
  read_form(members, out);
  SIEGEL_CHECK(members.finish());
  return out;
}

void read_time(Members& members, const char* name, std::optional<TimeMs>& out) {
  std::optional<std::string> text;
  members.text(name, text);
  if (!text) return;
  out = parse_rfc3339(*text);
  if (!out) members.wrong(members.at(name), "A time is RFC 3339: 2026-12-31T23:59:59Z.");
}

Result<TokenGrant> read_grant(const JsonObject& object) {
  TokenGrant out;
  std::string role;
  std::optional<std::string> subject;
  Members members(object);
  members.required("role").text("role", role).texts("purposes", out.purposes).texts("types", out.types);
  members.text("label", out.label).text("subject", subject);
  members.flag("all_purposes", out.all_purposes).flag("all_types", out.all_types);
  read_time(members, "expires_at", out.expires_at);
  read_time(members, "bulk_until", out.bulk_until);
  if (const auto parsed = parse_role(role)) {
    out.role = *parsed;
  } else {
    members.wrong("/role", "A role is one of admin, privacy_officer, editor, sender, auditor, consumer.");
  }
  if (subject) {
    const auto id = parse_id("su", *subject);
    if (id) out.subject = SubjectId(*id);
    if (!id) members.wrong("/subject", "subject is the id of a subject.");
  }
  SIEGEL_CHECK(members.finish());
  return out;
}

// ── out ──

void write_titles(JsonWriter& json, const Titles& titles) {
  json.begin("title");
  for (const auto& [language, text] : titles) json.text(language, text);
  json.end();
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.list(name);
  for (const auto& text : texts) json.text(text);
  json.end_list();
}

void write(JsonWriter& json, const Registered<PurposeDefinition>& purpose) {
  const auto& d = purpose.definition;
  json.begin()
      .text("name", d.name)
      .number("version", purpose.version)
      .text("legal_ground", siegel::name_of(d.legal_ground));
  write_titles(json, d.title);
  if (d.fields_limited) {
    json.begin("fields");
    for (const auto& [type, fields] : d.fields) write_texts(json, type, fields);
    json.end();
  }
  json.end();
}

void write(JsonWriter& json, const Registered<ClassDefinition>& cls) {
  const auto& d = cls.definition;
  const auto start =
      std::string(d.end_of_calendar_year ? kYearPrefix : "") + std::string(kStarts[static_cast<std::size_t>(d.start)]);
  json.begin().text("name", d.name).number("version", cls.version).text("period", d.period).text("start", start);
  json.text("legal_ground", siegel::name_of(d.legal_ground)).text("note", d.note);
  json.flag("built_in", cls.number < built_in::first_free_class).end();
}

void write(JsonWriter& json, const Registered<TypeDefinition>& type) {
  const auto& d = type.definition;
  constexpr std::string_view kModes[] = {"none", "row", "match"};
  json.begin().text("name", d.name).number("version", type.version);
  write_titles(json, d.title);
  json.begin("subject").text("mode", kModes[static_cast<std::size_t>(d.subject_mode)]);
  if (!d.match_fields.empty()) write_texts(json, "fields", d.match_fields);
  json.end();
  if (!d.default_purpose.empty()) json.text("default_purpose", d.default_purpose);
  json.list("fields");
  for (const auto& field : d.fields) {
    json.begin().text("name", field.name).text("title", field.title).text("type", siegel::name_of(field.type));
    json.flag("personal", field.personal).flag("required", field.required).flag("searchable", field.searchable);
    json.text("class", field.cls);
    if (!field.choices.empty()) write_texts(json, "choices", field.choices);
    if (!field.help.empty()) json.text("help", field.help);
    if (!field.section.empty()) json.text("section", field.section);
    json.end();
  }
  json.end_list().list("form");
  for (const auto& row : d.form) {
    json.list();
    for (const auto& name : row) json.text(name);
    json.end_list();
  }
  json.end_list().end();
}

void write(JsonWriter& json, const RegisteredToken& token) {
  const auto& g = token.grant;
  json.begin().text("token_id", to_text(token.id)).text("role", siegel::name_of(g.role)).text("label", g.label);
  json.flag("all_purposes", g.all_purposes);
  write_texts(json, "purposes", g.purposes);
  json.flag("all_types", g.all_types);
  write_texts(json, "types", g.types);
  const auto time = [&](const char* name, const std::optional<TimeMs>& at) {
    if (at) {
      json.text(name, to_rfc3339(*at));
    } else {
      json.null(name);
    }
  };
  json.text("created_at", to_rfc3339(token.created_at));
  time("expires_at", g.expires_at);
  time("bulk_until", g.bulk_until);
  if (g.subject) {
    json.text("subject", to_text(*g.subject));
  } else {
    json.null("subject");
  }
  json.flag("revoked", token.revoked).end();
}

// ── routes ──

bool may(const CallPtr& call, decide::Action action) {
  if (auto allowed = call->service->may(call->caller, action); !allowed) {
    call->fail(allowed.error());
    return false;
  }
  return true;
}

template <class Map>
void list(const CallPtr& call, decide::Action action, const Map& (*map_of)(const Registries&)) {
  if (!may(call, action)) return;
  const auto registries = call->service->registries();
  JsonWriter json;
  json.begin().list("items");
  for (const auto& [key, entry] : map_of(*registries)) write(json, entry);
  json.end_list().null("next").end();
  call->send(200, json.take(), call->service->position());
}

template <class D>
void get(const CallPtr& call, const Registered<D>* (Registries::*look_up)(std::string_view) const) {
  if (!may(call, decide::Action::read_registries)) return;
  const auto registries = call->service->registries();
  const auto* entry = ((*registries).*look_up)(call->path[0]);
  if (entry == nullptr) return call->fail(not_found());
  JsonWriter json;
  write(json, *entry);
  call->send(200, json.take(), {}, entry->version);
}

// PUT: 201 created, 200 changed or unchanged.
template <class Command, class Read>
void put(const CallPtr& call, const char* kind, decide::Action action, Read read) {
  if (!may(call, action)) return;
  if (!is_name(call->path[0])) return call->fail(not_found());
  SIEGEL_CALL_TRY(options, write_options(*call));
  SIEGEL_CALL_TRY(object, body_object(*call));
  SIEGEL_CALL_TRY(definition, read(object, call->path[0]));
  call->service->write(call->caller, Command{std::move(definition)}, std::move(options),
                       [call, kind](Result<service::Written> outcome) {
                         if (!outcome) return call->fail(outcome.error());
                         JsonWriter json;
                         json.begin().text(kind, call->path[0]).number("version", outcome->version);
                         json.text("position", call->position_text(outcome->size)).end();
                         call->send(outcome->kind == service::Written::Kind::created ? 201 : 200, json.take(),
                                    outcome->size, outcome->version, replay_headers(outcome->replayed));
                       });
}

void list_purposes(const CallPtr& call) {
  list<std::map<std::string, Registered<PurposeDefinition>, std::less<>>>(
      call, decide::Action::read_registries, [](const Registries& r) -> const auto& { return r.purposes; });
}
void list_classes(const CallPtr& call) {
  list<std::map<std::string, Registered<ClassDefinition>, std::less<>>>(
      call, decide::Action::read_registries, [](const Registries& r) -> const auto& { return r.classes; });
}
void list_types(const CallPtr& call) {
  list<std::map<std::string, Registered<TypeDefinition>, std::less<>>>(
      call, decide::Action::read_registries, [](const Registries& r) -> const auto& { return r.types; });
}
void list_tokens(const CallPtr& call) {
  list<std::map<Id16, RegisteredToken>>(
      call, decide::Action::manage_tokens, [](const Registries& r) -> const auto& { return r.tokens; });
}
void get_purpose(const CallPtr& call) { get<PurposeDefinition>(call, &Registries::purpose); }
void get_class(const CallPtr& call) { get<ClassDefinition>(call, &Registries::cls); }
void get_type(const CallPtr& call) { get<TypeDefinition>(call, &Registries::type); }
void put_purpose(const CallPtr& call) {
  put<service::SetPurpose>(call, "purpose", decide::Action::write_purposes, read_purpose);
}
void put_class(const CallPtr& call) {
  put<service::SetClass>(call, "class", decide::Action::write_classes, read_class);
}
void put_type(const CallPtr& call) { put<service::SetType>(call, "type", decide::Action::write_types, read_type); }

void create_token(const CallPtr& call) {
  if (!may(call, decide::Action::manage_tokens)) return;
  SIEGEL_CALL_TRY(options, write_options(*call));
  SIEGEL_CALL_TRY(object, body_object(*call));
  SIEGEL_CALL_TRY(grant, read_grant(object));
  call->service->write(call->caller, service::CreateToken{std::move(grant)}, std::move(options),
                       [call](Result<service::Written> outcome) {
                         if (!outcome) return call->fail(outcome.error());
                         JsonWriter json;
                         json.begin().text("token_id", to_text(*outcome->token_id));
                         // The token is shown once: a repeated request gets its id, not the secret.
                         if (outcome->token.empty()) {
                           json.null("token");
                         } else {
                           json.text("token", outcome->token);
                         }
                         json.text("position", call->position_text(outcome->size)).end();
                         call->send(201, json.take(), outcome->size, {}, replay_headers(outcome->replayed));
                       });
}

void revoke_token(const CallPtr& call) {
  if (!may(call, decide::Action::manage_tokens)) return;
  SIEGEL_CALL_TRY(options, write_options(*call));
  SIEGEL_CALL_TRY(id, id_of<TokenId>("tk", call->path[0]));
  call->service->write(call->caller, service::RevokeToken{id}, std::move(options),
                       [call](Result<service::Written> outcome) {
                         if (!outcome) return call->fail(outcome.error());
                         call->send(204, "", outcome->size, {}, replay_headers(outcome->replayed));
                       });
}

}  // namespace

std::vector<Route> registry_routes() {
  return {{Method::get, "/v1/purposes", list_purposes, true, true},
          {Method::get, "/v1/purposes/*", get_purpose, true, true},
          {Method::put, "/v1/purposes/*", put_purpose},
          {Method::get, "/v1/deletion-classes", list_classes, true, true},
          {Method::get, "/v1/deletion-classes/*", get_class, true, true},
          {Method::put, "/v1/deletion-classes/*", put_class},
          {Method::get, "/v1/record-types", list_types, true, true},
          {Method::get, "/v1/record-types/*", get_type, true, true},
          {Method::put, "/v1/record-types/*", put_type},
          {Method::get, "/v1/tokens", list_tokens, true, true},
          {Method::post, "/v1/tokens", create_token},
          {Method::del, "/v1/tokens/*", revoke_token}};
}

}  // namespace siegel::http
