// Erasures and their certificates.
#include <algorithm>

#include "http/api_call.h"
#include "http/json_writer.h"
#include "views/views.h"

namespace siegel::http {
namespace {

using service::Written;

std::string grade_text(unsigned grade) { return "L" + std::to_string(grade); }

void write_erasure(JsonWriter& json, const ErasureId& id, const views::ErasureRow& row) {
  json.begin()
      .text("erasure", to_text(id))
      .text("state", views::name_of(row.state))
      .text("ground", service::name_of(row.ground));
  json.number("subjects", row.subjects).number("leaves", row.leaves);
  json.text("requested_at", to_rfc3339(row.requested_at)).text("deadline", to_rfc3339(row.deadline));
  if (const auto* effective = row.effective()) {
    json.text("effective_at", to_rfc3339(effective->at)).number("seq", effective->seq.get());
    json.begin("epoch").number("old", effective->old_epoch).number("new", effective->new_epoch).end();
    json.text("grade", grade_text(effective->grade));
    json.text("certificate", "/v1/erasures/" + to_text(id) + "/certificate");
  }
  json.end();
}

Result<service::RequestErasure> read_request(const JsonObject& object) {
  service::RequestErasure out;
  std::optional<std::string> subject, mode;
  std::vector<std::string> subjects, suppress;
  Members members(object);
  members.text("subject", subject).texts("subjects", subjects).required("ground").text("ground", out.ground);
  members.text("mode", mode).texts("suppress", suppress);
  if (subject) subjects.push_back(*subject);
  if (members.has("subject") == members.has("subjects")) members.wrong("/subject", "Name either subject or subjects.");
  for (const auto& text : subjects) {
    if (const auto id = parse_id("su", text)) {
      out.subjects.emplace_back(*id);
    } else {
      members.wrong(subject ? "/subject" : "/subjects", "A subject is named by its id.");
    }
  }
  if (!suppress.empty()) members.wrong("/suppress", "Suppression follows with the work on deletion; leave it out.");
  const auto* classes = members.any("classes");
  const auto* text = classes == nullptr ? nullptr : std::get_if<std::string>(&classes->value);
  const bool is_all = text != nullptr && *text == "all";
  if (classes != nullptr && text == nullptr) members.texts("classes", out.classes);
  // As null too: what was left empty by mistake must not erase everything.
  const bool is_named = std::ranges::count(object, "classes", &JsonMember::name) > 0;
  if (is_named && !is_all && out.classes.empty()) members.wrong("/classes", "classes is \"all\" or a list of names.");
  if (mode && mode != "now" && mode != "window") members.wrong("/mode", "mode is now or window.");
  out.now = mode == "now";
  SIEGEL_CHECK(members.finish());
  return out;
}

void request_erasure(const CallPtr& call) {
  if (auto allowed = call->service->may(call->caller, decide::Action::erase); !allowed)
    return call->fail(allowed.error());
  SIEGEL_CALL_TRY(options, write_options(*call));
  SIEGEL_CALL_TRY(object, body_object(*call));
  SIEGEL_CALL_TRY(command, read_request(object));
  call->service->write(call->caller, std::move(command), std::move(options), [call](Result<Written> outcome) {
    if (!outcome) return call->fail(outcome.error());
    const bool effective = outcome->kind == Written::Kind::erasure_effective;
    JsonWriter json;
    json.begin().text("erasure", to_text(*outcome->erasure)).text("state", effective ? "effective" : "fenced");
    if (effective) {
      json.begin("epoch").number("old", outcome->old_epoch.get()).number("new", outcome->new_epoch.get()).end();
      json.text("grade", grade_text(outcome->grade));
    }
    json.text("position", call->position_text(outcome->size));
    json.text("certificate", "/v1/erasures/" + to_text(*outcome->erasure) + "/certificate").end();
    call->send(effective ? 201 : 202, json.take(), outcome->size, {}, replay_headers(outcome->replayed));
  });
}

void list_erasures(const CallPtr& call) {
  SIEGEL_CALL_TRY(limit, limit_of(*call, 50));
  SIEGEL_CALL_TRY(after, cursor_of(*call));
  SIEGEL_CALL_TRY(
      items, call->service->erasures(call->caller, after ? std::optional<ErasureId>(*after) : std::nullopt, limit + 1));
  const bool more = items.size() > limit;
  if (more) items.pop_back();
  JsonWriter json;
  json.begin().list("items");
  for (const auto& item : items) write_erasure(json, item.id, item.row);
  json.end_list();
  if (more) {
    json.text("next", cursor_text(items.back().id.get()));
  } else {
    json.null("next");
  }
  const auto position = call->service->position();
  json.text("position", call->position_text(position)).end();
  call->send(200, json.take(), position);
}

void get_erasure(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<ErasureId>("er", call->path[0]));
  SIEGEL_CALL_TRY(answer, call->service->erasure(call->caller, id));
  JsonWriter json;
  write_erasure(json, id, answer.row);
  call->send(200, json.take(), answer.position);
}

constexpr const char* kLeftDe =
    "Der Inhalt ist durch Vernichtung der Schlüssel unlesbar, auch in jeder Sicherung. Umschläge (eine Zufallskennung, "
    "Klasse, Zeit und Art der Ereignisse) bleiben bis zum nächsten Aufräumen, in Sicherungen und aufbewahrten Kopien "
    "beschädigter Protokolle, bis diese gelöscht werden.";
constexpr const char* kLeftEn =
    "The content is unreadable by destroyed keys, in every backup too. Envelopes (a random id, class, time and type of "
    "events) stay until the next sweep, and in backups and kept copies of damaged logs until these are deleted.";
constexpr const char* kStyle =
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b}"
    "h1{font-size:1.5rem;border-bottom:2px solid}dl{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1.5rem}"
    "dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}pre{background:#f4f4f4;padding:1rem;font-size:.75rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere}@media print{body{margin:0}}</style>";

void write_effect(JsonWriter& json, const views::ErasureEffect& e) {
  json.text("effective_at", to_rfc3339(e.at));
  json.begin("epoch").number("old", e.old_epoch).number("new", e.new_epoch).end();
  json.text("old_root", to_hex(e.old_root)).text("new_root", to_hex(e.new_root)).text("grade", grade_text(e.grade));
  json.number("root_stores", e.members).number("key_replicas", e.replicas);
}

void write_proof(JsonWriter& json, const service::CertifiedEvent& event, const service::CertificateAnswer& c) {
  json.begin("proof")
      .number("index", event.effect.seq.get())
      .number("size", c.size.get())
      .text("header", to_base64(event.header))
      .list("hashes");
  for (const auto& hash : event.inclusion) json.text(to_base64(hash));
  json.end_list().text("checkpoint", c.checkpoint).end();
}

std::string certificate_json(const service::CertificateAnswer& c) {
  JsonWriter json;
  json.begin()
      .text("erasure", to_text(c.id))
      .text("stage", "unreadable by destroyed keys")
      .text("state", views::name_of(c.row.state));
  json.text("ground", service::name_of(c.row.ground)).number("subjects", c.row.subjects).number("leaves", c.row.leaves);
  json.text("requested_at", to_rfc3339(c.row.requested_at));
  write_effect(json, c.last.effect);
  json.list("erased_classes");
  for (const auto& name : c.erased_classes) json.text(name);
  json.end_list().list("kept_classes");
  for (const auto& kept : c.kept_classes) json.text(kept);
  json.end_list().text("unencrypted_swap", c.unencrypted_swap).text("left", kLeftEn);
  write_proof(json, c.last, c);
  if (!c.earlier.empty()) {
    json.number("requests", c.last.effect.requests).list("earlier");
    for (const auto& earlier : c.earlier) {
      json.begin();
      write_effect(json, earlier.effect);
      json.number("requests", earlier.effect.requests);
      write_proof(json, earlier, c);
      json.end();
    }
    json.end_list();
  }
  json.end();
  return json.take();
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string certificate_html(const service::CertificateAnswer& c, bool german) {
  std::string out = std::string("<!doctype html><html lang=\"") + (german ? "de" : "en") +
                    "\"><meta charset=\"utf-8\"><title>" + (german ? "Löschbescheinigung" : "Certificate of erasure") +
                    "</title>" + kStyle + "<h1>" + (german ? "Löschbescheinigung" : "Certificate of erasure") +
                    "</h1><dl>";
  const auto row = [&](const char* de, const char* en, const std::string& value) {
    out += std::string("<dt>") + (german ? de : en) + "</dt><dd>" + escape_html(value) + "</dd>";
  };
  row("Löschung", "Erasure", to_text(c.id));
  row("Grund", "Ground", std::string(service::name_of(c.row.ground)));
  row("Personen", "People", std::to_string(c.row.subjects));
  row("Verlangt", "Requested", to_rfc3339(c.row.requested_at));
  const auto effect = [&](const views::ErasureEffect& e) {
    row("Wirksam", "Effective", to_rfc3339(e.at));
    row("Schlüsselepoche", "Key epoch", std::to_string(e.old_epoch) + " -> " + std::to_string(e.new_epoch));
    row("Stufe des Wurzelspeichers", "Root-store grade", grade_text(e.grade));
  };
  for (const auto& earlier : c.earlier) effect(earlier.effect);
  effect(c.last.effect);
  for (const auto& name : c.erased_classes) row("Gelöscht", "Erased", name);
  if (c.erased_classes.empty()) row("Gelöscht", "Erased", german ? "alles, was nicht bleibt" : "all but what is kept");
  for (const auto& kept : c.kept_classes) row("Bleibt", "Kept", kept);
  out += std::string("</dl><p>") + (german ? kLeftDe : kLeftEn) + "</p><p>" +
         (german ? "Dasselbe, unterschrieben mit dem Schlüssel des Hauptbuchs; prüfbar ohne Server:"
                 : "The same, signed by the ledger's key; it can be checked without a server:") +
         "</p><pre>" + escape_html(c.note) + "</pre></html>";
  return out;
}

void certificate(const CallPtr& call) {
  SIEGEL_CALL_TRY(id, id_of<ErasureId>("er", call->path[0]));
  SIEGEL_CALL_TRY(answer, call->service->certificate(call->caller, id));
  const auto accept = call->request.header("accept").value_or("");
  if (accept.find("text/plain") != std::string_view::npos)
    return call->send(200, std::move(answer.note), {}, {}, {}, "text/plain; charset=utf-8");
  if (accept.find("text/html") != std::string_view::npos) {
    const auto language = call->request.header("accept-language").value_or("de");
    return call->send(200, certificate_html(answer, !language.starts_with("en")), {}, {}, {},
                      "text/html; charset=utf-8");
  }
  call->send(200, certificate_json(answer));
}

}  // namespace

std::vector<Route> erasure_routes() {
  return {{Method::post, "/v1/erasures", request_erasure},
          {Method::get, "/v1/erasures", list_erasures, true, true},
          {Method::get, "/v1/erasures/*", get_erasure, true, true},
          {Method::get, "/v1/erasures/*/certificate", certificate, true, true}};
}

}  // namespace siegel::http
