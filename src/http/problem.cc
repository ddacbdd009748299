#include "http/problem.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string>

#include "base/text.h"
#include "texts/problems.h"

namespace siegel::http {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void text(Writer& out, std::string_view value) {
  out.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void member(Writer& out, const char* key, std::string_view value) {
  out.Key(key);
  text(out, value);
}

// Context values are texts; what is a whole number there is one in the answer too.
void number_or_text(Writer& out, const char* key, std::string_view value) {
  out.Key(key);
  if (const auto number = parse_u64(value))
    out.Uint64(*number);
  else
    text(out, value);
}

void context_members(Writer& out, const Error& error) {
  for (const char* key : {"pointer", "reason", "hold", "erasure"})
    if (const auto* value = error.find(key)) member(out, key, *value);
  if (const auto* value = error.find("current_version")) number_or_text(out, "current_version", *value);
  if (const auto* name = error.find("limit_name")) {
    out.Key("limit");
    out.StartObject();
    member(out, "name", *name);
    if (const auto* value = error.find("limit_value")) number_or_text(out, "value", *value);
    out.EndObject();
  }
  const auto* ledger = error.find("epoch_ledger");
  const auto* root_store = error.find("epoch_root_store");
  if (ledger || root_store) {
    out.Key("epochs");
    out.StartObject();
    if (ledger) number_or_text(out, "ledger", *ledger);
    if (root_store) number_or_text(out, "root_store", *root_store);
    out.EndObject();
  }
}

}  // namespace

Response problem_response(const Error& error, std::string_view request_id, std::string_view language) {
  const Cause* cause = find_cause(error.code());
  const Problem* known = find_problem(cause ? cause->shown_as : error.code());
  const Problem& problem = known ? *known : *find_problem("internal");
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  member(out, "type", std::string("urn:siegel:problem:").append(problem.code));
  member(out, "title", problem.title);
  out.Key("status");
  out.Uint(problem.status);
  member(out, "code", problem.code);
  const std::string_view detail = known ? std::string_view(error.what()) : "Something failed that should not.";
  member(out, "detail", texts::sentence(known ? error.code() : problem.code, detail, language));
  const auto* hint = known ? error.find("hint") : nullptr;
  member(out, "hint", hint ? std::string_view(*hint) : problem.hint);
  if (known) context_members(out, error);
  if (cause && !error.find("reason")) member(out, "reason", cause->code);
  member(out, "request_id", request_id);
  out.EndObject();

  Response response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.body.assign(buffer.GetString(), buffer.GetSize());
  if (problem.retry_after_s) response.headers.push_back({"Retry-After", std::to_string(problem.retry_after_s)});
  if (problem.status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

}  // namespace siegel::http
