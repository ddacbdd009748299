#include "http/api.h"

#include <algorithm>

#include "base/text.h"
#include "http/api_call.h"
#include "http/json_writer.h"
#include "http/problem.h"

namespace siegel::http {
namespace {

constexpr std::uint64_t kWaitDefaultMs = 2000, kWaitMaxMs = 30000;
constexpr std::size_t kCountDigitsMax = 18;

// Matches "/v1/records/*" and gives the segments under the stars.
bool matches(std::string_view pattern, std::string_view path, std::array<std::string_view, 2>& segments) {
  std::size_t star = 0;
  while (!pattern.empty()) {
    if (pattern.front() == '*') {
      const auto end = path.find('/');
      const auto segment = path.substr(0, end);
      if (segment.empty()) return false;
      segments[star++] = segment;
      path.remove_prefix(segment.size());
      pattern.remove_prefix(1);
      continue;
    }
    if (path.empty() || path.front() != pattern.front()) return false;
    path.remove_prefix(1);
    pattern.remove_prefix(1);
  }
  return path.empty();
}

std::string_view token_of(const Request& request) {
  const auto header = request.header("authorization");
  if (!header || header->size() < 7) return {};
  auto scheme = std::string(header->substr(0, 7));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return scheme == "bearer " ? header->substr(7) : std::string_view{};
}

void health(const CallPtr& call) { call->send(200, R"({"status":"ok"})"); }

void ready(const CallPtr& call) {
  const auto failed = call->options->not_ready ? call->options->not_ready() : std::vector<std::string>{};
  JsonWriter json;
  json.begin().flag("ready", failed.empty()).list("checks");
  for (const auto& check : failed) json.text(check);
  if (call->options->hampered)
    for (const auto& check : call->options->hampered()) json.text(check);
  json.end_list().end();
  call->send(failed.empty() ? 200 : 503, json.take(), {}, {},
             failed.empty() ? std::vector<Header>{} : std::vector<Header>{{"Retry-After", "1"}});
}

void metrics(const CallPtr& call) {
  call->send(200, call->options->metrics ? call->options->metrics() : "", {}, {}, {},
             "text/plain; version=0.0.4; charset=utf-8");
}

void openapi(const CallPtr& call) { call->send(200, call->options->openapi, {}, {}, {}, "application/yaml"); }

std::vector<Route> plain_routes() {
  return {{Method::get, "/healthz", health, false},
          {Method::get, "/readyz", ready, false},
          {Method::get, "/v1/openapi.yaml", openapi, false}};
}

Status purpose_header(const Request& request, service::Caller& caller) {
  if (request.headers.count("siegel-purpose") > 1)
    return Error(Errc::invalid, "bad_header", "Siegel-Purpose is given more than once.");
  if (const auto purpose = request.header("siegel-purpose")) {
    // A name that cannot exist is unknown: the refusal is logged like any other.
    caller.purpose = is_name(*purpose) ? std::string(*purpose) : std::string("-");
  }
  return Done{};
}

}  // namespace

struct Api::Routes {
  std::vector<Route> all;
};

Api::Api(ApiOptions options, Provider service)
    : options_(std::move(options)),
      service_(std::move(service)),
      routes_(std::make_unique<Routes>()),
      rate_limit_(options_.requests_per_second_per_token) {
  for (auto&& some : {plain_routes(), registry_routes(), record_routes(), erasure_routes(), import_routes(),
                      export_routes(), log_routes()})
    routes_->all.insert(routes_->all.end(), some.begin(), some.end());
  routes_->all.push_back({Method::get, "/metrics", metrics, !options_.loopback});
}

Api::~Api() = default;

bool Api::brings_file(const Request& head) { return head.method == Method::post && head.path == "/v1/imports"; }

Result<BodyLimit> Api::admit(const Request& head, BodyLimit normal) {
  if (!brings_file(head)) return normal;
  return admit_file(head, token_of(head));
}

Result<BodyLimit> Api::admit_file(const Request& head, std::string_view token) {
  const auto service = service_();
  if (!service) return unavailable();
  SIEGEL_TRY(caller, service->authenticate(token));
  SIEGEL_CHECK(purpose_header(head, caller));
  BodyLimit limit{options_.upload_bytes_max, "upload_bytes_max"};
  const auto announced = parse_u64(head.header("content-length").value_or(""));
  if (announced && *announced > limit.bytes_max) return limit;  // refused by this limit
  SIEGEL_TRY(room, service->admit_upload(caller, announced.value_or(limit.bytes_max)));
  limit.room = std::move(room);
  return limit;
}

void Api::handle(std::unique_ptr<Request> request, Reply reply) {
  auto call = std::make_shared<Call>(Call{std::move(*request), std::move(reply), "", {}, nullptr, {}, &options_});
  const Route* found = nullptr;
  std::string allow;
  for (const auto& route : routes_->all) {
    std::array<std::string_view, 2> segments{};
    if (!matches(route.pattern, call->request.path, segments)) continue;
    // A path has one pattern, the first that fits: /v1/subjects/search is no subject.
    if (!call->route.empty() && call->route != route.pattern) continue;
    call->route = route.pattern;
    if (route.method == call->request.method) {
      found = &route;
      call->path = segments;
      break;
    }
    allow.append(allow.empty() ? "" : ", ").append(name_of(route.method));
  }
  if (found == nullptr) {
    if (allow.empty()) return call->fail(not_found());
    auto response = problem_response(
        Error(Errc::invalid, "method_not_allowed", "This route does not know that method."), call->reply.request_id());
    response.headers.push_back({"Allow", allow});
    response.route = call->route;
    return call->reply.send(std::move(response));
  }
  if (!found->needs_token) return found->serve(call);
  call->service = service_();
  if (!call->service) return call->fail(unavailable());
  SIEGEL_CALL_TRY(caller, caller_of(*call));
  call->caller = std::move(caller);
  call->caller.request_id = std::string(call->reply.request_id());
  if (auto purpose = purpose_header(call->request, call->caller); !purpose) return call->fail(purpose.error());
  if (!found->at_least) return found->serve(call);
  // Who asks for the past is not given the present.
  if (call->request.query_value("as_of") != nullptr)
    return call->fail(
        Error(Errc::invalid, "bad_value", "This version shows the present only.").with("pointer", "/as_of"));
  const auto at_least = call->request.header("siegel-at-least");
  const auto position = parse_position(at_least.value_or(""));
  if (at_least && (!position || !parse_count(std::to_string(position->size.get()))))
    return call->fail(Error(Errc::invalid, "bad_header", "Siegel-At-Least is not a position."));
  std::uint64_t wait = kWaitDefaultMs;
  if (const auto given = call->request.header("siegel-wait-ms")) {
    const auto number = parse_u64(*given);
    if (!number || *number > kWaitMaxMs)
      return call->fail(Error(Errc::invalid, "bad_header", "Siegel-Wait-Ms is a number up to 30000."));
    wait = *number;
  }
  if (!position) return found->serve(call);
  const bool waits = position->ledger == call->service->ledger_id() && call->service->position() < position->size;
  if (waits && options_.projector_stopped && options_.projector_stopped())
    return call->fail(Error(Errc::unavailable, "position_not_reached",
                            "The read models stand still and will not show that position; the server's log says why.")
                          .with("reason", "projector_stopped"));
  call->service->at_least(*position, std::chrono::milliseconds(wait),
                          [call, serve = found->serve](const Status& reached) {
                            if (!reached) return call->fail(reached.error());
                            serve(call);
                          });
}

bool Api::serves(Method method, std::string_view pattern) const {
  return std::any_of(routes_->all.begin(), routes_->all.end(),
                     [&](const Route& route) { return route.method == method && route.pattern == pattern; });
}

Error Api::unavailable() const {
  return options_.unavailable ? options_.unavailable()
                              : Error(Errc::unavailable, "starting", "The server is starting.");
}

Result<service::Caller> Api::caller_of(const Call& call) {
  const bool by_page = !call.request.page_token.empty();
  // Which of two counts, whoever stands between might see otherwise.
  if (!by_page && call.request.headers.count("authorization") > 1)
    return Error(Errc::invalid, "bad_header", "Authorization is given more than once.");
  auto caller =
      call.service->authenticate(by_page ? std::string_view(call.request.page_token) : token_of(call.request));
  if (caller && by_page) caller->source = Source::page;
  const auto* expired = caller ? nullptr : caller.error().find("token");
  const auto id = caller ? std::optional(caller->token.get()) : expired ? parse_id("tk", *expired) : std::nullopt;
  if (id && !rate_limit_.take(*id, std::chrono::steady_clock::now()))
    return Error(Errc::overloaded, "rate_limited", "The token was used too often within a second.")
        .with("limit_name", "requests_per_second_per_token")
        .with("limit_value", options_.requests_per_second_per_token);
  return caller;
}

// ── what routes share ──

void Call::send(int status, std::string body, std::optional<TreeSize> position, std::optional<std::uint64_t> version,
                std::vector<Header> headers, std::string_view content_type) const {
  Response response;
  response.status = status;
  response.content_type = content_type;
  response.body = std::move(body);
  response.headers = std::move(headers);
  if (position) response.headers.push_back({"Siegel-Position", position_text(*position)});
  if (version) response.headers.push_back({"ETag", '"' + std::to_string(*version) + '"'});
  response.route = route;
  reply.send(std::move(response));
}

std::string Call::position_text(TreeSize size) const { return to_text(Position{service->ledger_id(), size}); }

std::vector<Header> replay_headers(bool replayed) {
  std::vector<Header> out;
  if (replayed) out.push_back({"Siegel-Replayed", "true"});
  return out;
}

Error not_found() { return Error(Errc::not_found, "not_found", "There is nothing here."); }

Result<JsonObject> body_object(const Call& call) {
  auto type = std::string(call.request.header("content-type").value_or(""));
  type.resize(std::min(type.size(), type.find_first_of("; \t")));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (type != "application/json")
    return Error(Errc::invalid, "unsupported_media", "The body must be application/json.");
  return parse_json(call.request.body);
}

namespace {

void append_piece(std::string& out, std::string_view piece) {
  out.append(std::to_string(piece.size())).append(":").append(piece);
}

}  // namespace

Result<service::WriteOptions> write_options(const Call& call) {
  service::WriteOptions out;
  const auto& request = call.request;
  if (const auto key = request.header("idempotency-key")) {
    const bool ok = !key->empty() && key->size() <= 128 && request.headers.count("idempotency-key") == 1 &&
                    std::all_of(key->begin(), key->end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
    if (!ok) return Error(Errc::invalid, "bad_header", "Idempotency-Key is 1 to 128 visible ASCII characters.");
    out.idempotency_key = std::string(*key);
  }
  if (const auto match = request.header("if-match")) {
    const bool quoted = match->size() > 2 && match->front() == '"' && match->back() == '"';
    const auto version = quoted ? parse_count(match->substr(1, match->size() - 2)) : std::nullopt;
    if (!version) return Error(Errc::invalid, "bad_header", "If-Match holds one version in quotes: \"2\".");
    out.expected_version = *version;
  }
  if (const auto none = request.header("if-none-match")) {
    if (*none != "*") return Error(Errc::invalid, "bad_header", "If-None-Match can only be *.");
    out.create_only = true;
  }
  const std::string_view pieces[] = {name_of(request.method),
                                     request.path,
                                     call.caller.purpose,
                                     request.header("if-match").value_or(""),
                                     request.header("if-none-match").value_or(""),
                                     request.body};
  for (const auto piece : pieces) append_piece(out.request, piece);
  return out;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  return text.size() > kCountDigitsMax ? std::nullopt : parse_u64(text);
}

Result<std::uint64_t> number_of(const Call& call, const char* name, std::optional<std::uint64_t> normal) {
  const auto* text = call.request.query_value(name);
  if (text == nullptr && normal) return *normal;
  const auto number = text == nullptr ? std::nullopt : parse_count(*text);
  if (!number)
    return Error(Errc::invalid, "bad_value", "A query parameter must be a whole number of at most 18 digits.")
        .with("pointer", std::string("/") + name);
  return *number;
}

Result<std::size_t> limit_of(const Call& call, std::size_t normal) {
  SIEGEL_TRY(limit, number_of(call, "limit", std::min(normal, call.options->page_items_max)));
  if (limit < 1 || limit > call.options->page_items_max)
    return Error(Errc::invalid, "bad_value", "limit is out of range.")
        .with("limit_name", "page_items_max")
        .with("limit_value", call.options->page_items_max);
  return static_cast<std::size_t>(limit);
}

std::string cursor_text(const Id16& id) { return to_base64url(id); }
std::string cursor_text(Seq seq) { return to_base64url(be(seq.get())); }

namespace {

Result<std::optional<Bytes>> cursor_bytes(const Call& call, std::size_t size) {
  const auto* text = call.request.query_value("cursor");
  if (text == nullptr) return std::optional<Bytes>();
  auto bytes = from_base64url(*text);
  if (!bytes || bytes->size() != size) return Error(Errc::invalid, "bad_cursor", "The cursor is not one of this list.");
  return std::optional<Bytes>(std::move(*bytes));
}

}  // namespace

Result<std::optional<Id16>> cursor_of(const Call& call) {
  SIEGEL_TRY(bytes, cursor_bytes(call, 16));
  return bytes ? std::optional<Id16>(to_array<16>(*bytes)) : std::nullopt;
}

Result<std::optional<Seq>> seq_cursor_of(const Call& call) {
  SIEGEL_TRY(bytes, cursor_bytes(call, 8));
  return bytes ? std::optional<Seq>(get_be<std::uint64_t>(bytes->data())) : std::nullopt;
}

}  // namespace siegel::http
