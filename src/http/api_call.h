// One API call being served: what all routes share. Not for others.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/api.h"
#include "http/json.h"
#include "http/message.h"
#include "http/reply.h"

namespace siegel::http {

class JsonWriter;

struct Call {
  Request request;
  Reply reply;
  std::string_view route;                  // static label
  std::array<std::string_view, 2> path{};  // the variable segments of the path, in order
  std::shared_ptr<service::Service> service;
  service::Caller caller;
  const ApiOptions* options = nullptr;

  void fail(const Error& error) const { reply.fail(error, route); }
  // Renders and sends; position and version become headers.
  void send(int status, std::string body, std::optional<TreeSize> position = {},
            std::optional<std::uint64_t> version = {}, std::vector<Header> headers = {},
            std::string_view content_type = "application/json") const;
  [[nodiscard]] std::string position_text(TreeSize size) const;
};
using CallPtr = std::shared_ptr<Call>;

using RouteFunction = void (*)(const CallPtr&);
struct Route {
  Method method;
  const char* pattern;  // "/v1/records/*/history": * is one segment
  RouteFunction serve;
  bool needs_token = true;
  bool at_least = false;  // honours Siegel-At-Least
};
// Each file brings its routes.
std::vector<Route> registry_routes();
std::vector<Route> record_routes();
std::vector<Route> erasure_routes();
std::vector<Route> import_routes();
std::vector<Route> export_routes();
std::vector<Route> log_routes();

void search_records(const CallPtr& call);  // these two in api_search.cc, among the routes of records
void search_subjects(const CallPtr& call);

// ── shared parsing; all errors are answered by the caller of these ──
Result<JsonObject> body_object(const Call& call);               // 415 without application/json, bad_json
Result<service::WriteOptions> write_options(const Call& call);  // Idempotency-Key, If-Match, If-None-Match
Result<std::size_t> limit_of(const Call& call, std::size_t normal);
Result<std::optional<Id16>> cursor_of(const Call& call);  // base64url of 16 bytes: bad_cursor
Result<std::optional<Seq>> seq_cursor_of(const Call& call);
std::string cursor_text(const Id16& id);
std::string cursor_text(Seq seq);
Result<std::uint64_t> number_of(const Call& call, const char* name, std::optional<std::uint64_t> normal = {});
// Of an answer that may be the stored one of an earlier request.
std::vector<Header> replay_headers(bool replayed);
// Sequences, sizes and versions as the API takes them: at most 18 digits, so that every client can hold them.
std::optional<std::uint64_t> parse_count(std::string_view text);
Error not_found();

template <class Id>
Result<Id> id_of(std::string_view prefix, std::string_view text) {
  const auto id = parse_id(prefix, text);
  if (!id) return not_found();
  return Id(*id);
}

// ── shared rendering ──
std::function<void(Result<service::ListAnswer>)> answer_list(const CallPtr& call);
void write_value(JsonWriter& json, const FieldDefinition& field, const Value& value);
void write_record(JsonWriter& json, const Registries& registries, const service::ShownRecord& record);
// Labels of tokens name who works here: for colleagues, not for the export that a person is given.
enum class ActorLabels : bool { left_out, shown };
void write_history(JsonWriter& json, const Registries& registries, const service::HistoryItem& item,
                   ActorLabels labels);

}  // namespace siegel::http

// In a route function: declares the value, or answers the error and returns.
#define SIEGEL_CALL_TRY(name, expression)                        \
  auto SIEGEL_TRY_JOIN(siegel_call_, __LINE__) = (expression);   \
  if (!SIEGEL_TRY_JOIN(siegel_call_, __LINE__)) {                \
    call->fail(SIEGEL_TRY_JOIN(siegel_call_, __LINE__).error()); \
    return;                                                      \
  }                                                              \
  [[maybe_unused]] auto name = std::move(*SIEGEL_TRY_JOIN(siegel_call_, __LINE__))
