#include "http/pages.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "http/json.h"
#include "http/json_writer.h"
#include "http/message.h"
#include "http/problem.h"

namespace siegel::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kSessionRoute = "/app/session", kAssetRoute = "/app/assets/*", kPageRoute = "/app/*";
constexpr std::string_view kAssetPrefix = "/app/assets/";
constexpr std::uint64_t kSignInBytesMax = 1024;

// Own scripts and styles only, nothing inline; whoever finds a hole for markup finds no way to run it or to send
// anything elsewhere.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html";

std::vector<Header> page_headers() {
  return {{"Content-Security-Policy", kPolicy},
          {"Referrer-Policy", "same-origin"},
          {"X-Frame-Options", "DENY"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"}};
}

// A build without pages still says what answers here.
constexpr std::string_view kNoPages =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Siegel</title><body><h1>Siegel</h1>"
    "<p>This build has no pages (SIEGEL_PAGES=OFF). The API is described at "
    "<a href=\"/v1/openapi.yaml\">/v1/openapi.yaml</a>.</p></body></html>\n";

Error cross_site() { return {Errc::denied, "cross_site", "By cookie only this server's own pages are answered."}; }

bool is_page(std::string_view path) { return path == "/" || path == "/app" || path.starts_with("/app/"); }

// "https://host:port" -> "host:port"
std::string_view authority_of(std::string_view url) {
  const auto at = url.find("://");
  if (at == url.npos) return {};
  url.remove_prefix(at + 3);
  return url.substr(0, url.find('/'));
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// The first of Accept-Language that we speak; quality figures only order what browsers list in that order anyway.
std::string language_of(const Request& request, const std::string& otherwise) {
  auto list = request.header("accept-language").value_or("");
  while (!list.empty()) {
    auto one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    const auto main = one.substr(0, one.find_first_of("-; "));
    if (equal_ignoring_case(main, "de")) return "de";
    if (equal_ignoring_case(main, "en")) return "en";
  }
  return otherwise;
}

std::string etag_of(const pages::Asset& asset) { return '"' + std::string(asset.name) + '"'; }

void write_names(JsonWriter& json, std::string_view key, bool all, const std::vector<std::string>& names) {
  if (all) {
    json.null(key);
    return;
  }
  json.list(key);
  for (const auto& name : names) json.text(name);
  json.end_list();
}

}  // namespace

Pages::Pages(PagesOptions options, Api& api, Api::Provider service, Random& random, pages::Assets assets)
    : options_(std::move(options)),
      api_(api),
      service_(std::move(service)),
      sessions_(options_.sessions, random),
      assets_(assets) {}

Result<BodyLimit> Pages::admit(const Request& head, BodyLimit normal) {
  if (Api::brings_file(head) && !head.header("authorization") && !cookie_of(head).empty()) {
    SIEGEL_CHECK(is_ours(head));
    SIEGEL_TRY(who, signed_in(head));
    return api_.admit_file(head, who.token);
  }
  if (!is_page(head.path)) return api_.admit(head, normal);
  return BodyLimit{std::min(kSignInBytesMax, normal.bytes_max), normal.name};
}

void Pages::handle(std::unique_ptr<Request> request, Reply reply) {
  const auto& path = request->path;
  if (!is_page(path)) {
    if (path.starts_with("/v1/") && !request->header("authorization") && !cookie_of(*request).empty()) {
      const auto ours = is_ours(*request);
      // A link to the API, followed by hand, is answered as one without a token.
      if (!ours && request->method != Method::get) return reply.fail(ours.error(), "/v1/*");
      if (ours) {
        auto who = signed_in(*request);
        if (!who && !who.error().is("token_missing")) return reply.fail(who.error(), "/v1/*");
        if (who) request->page_token = std::move(who->token);
      }
    }
    return api_.handle(std::move(request), std::move(reply));
  }
  if (path == kSessionRoute) return session(*request, reply);
  const auto route = path.starts_with(kAssetPrefix) ? kAssetRoute : path == "/" ? path : kPageRoute;
  if (request->method != Method::get) {
    auto response = Response{405, kHtml, {}, page_headers(), route == kAssetRoute ? kAssetRoute : kPageRoute};
    response.headers.push_back({"Allow", "GET"});
    return reply.send(std::move(response));
  }
  if (route == kAssetRoute) return serve_asset(*request, reply, std::string_view(path).substr(kAssetPrefix.size()));
  serve_shell(*request, reply, path == "/" ? std::string_view("/") : kPageRoute);
}

void Pages::serve_shell(const Request& request, const Reply& reply, std::string_view route) const {
  Response response{200, kHtml, {}, page_headers(), route};
  response.headers.push_back({"Vary", "Accept-Language"});
  if (assets_.shell.empty()) {
    response.body = kNoPages;
  } else {
    response.body = assets_.shell;
    constexpr std::string_view kLang = "<html lang=\"";
    if (const auto at = response.body.find(kLang); at != std::string::npos)
      response.body.replace(at + kLang.size(), 2, language_of(request, options_.language));
  }
  reply.send(std::move(response));
}

void Pages::serve_asset(const Request& request, const Reply& reply, std::string_view name) const {
  const auto found =
      std::find_if(assets_.files.begin(), assets_.files.end(), [&](const auto& asset) { return asset.name == name; });
  if (found == assets_.files.end())
    return reply.fail(Error(Errc::not_found, "not_found", "There is nothing here."), kAssetRoute);
  Response response{200, found->content_type, {}, {}, kAssetRoute};
  response.headers = {{"Cache-Control", "public, max-age=31536000, immutable"},
                      {"ETag", etag_of(*found)},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  if (request.header("if-none-match") == etag_of(*found)) {
    response.status = 304;
  } else {
    response.body = found->content;
  }
  reply.send(std::move(response));
}

// ── signing in and out ──

void Pages::session(const Request& request, const Reply& reply) {
  if (request.method == Method::get) return tell_session(request, reply);
  if (request.method != Method::post && request.method != Method::del) {
    Response response{405, "application/json", {}, {{"Allow", "GET, POST, DELETE"}}, kSessionRoute};
    return reply.send(std::move(response));
  }
  if (auto ours = is_ours(request); !ours) return reply.fail(ours.error(), kSessionRoute);
  if (request.method == Method::post) return sign_in(request, reply);
  sign_out(request, reply);
}

void Pages::sign_in(const Request& request, const Reply& reply) {
  if (!request.header("content-type").value_or("").starts_with("application/json"))
    return reply.fail(Error(Errc::invalid, "unsupported_media", "The body must be application/json."), kSessionRoute);
  auto object = parse_json(request.body);
  if (!object) return reply.fail(object.error(), kSessionRoute);
  std::string token;
  bool made_here = false;
  Members members(*object);
  members.required("token").text("token", token).flag("made_here", made_here);
  if (auto read = members.finish(); !read) return reply.fail(read.error(), kSessionRoute);
  const auto service = service_();
  if (!service) return reply.fail(api_.unavailable(), kSessionRoute);
  auto caller = service->authenticate(token);
  if (!caller) return refuse_sign_in(request, reply, caller.error());
  std::optional<Sessions::Made> made;
  if (made_here) {
    const auto maker = signed_in(request);
    if (!maker) return reply.fail(maker.error(), kSessionRoute);
    if (auto may = service->may(maker->caller, decide::Action::manage_tokens); !may)
      return reply.fail(may.error(), kSessionRoute);
    made = Sessions::Made{caller->token, maker->caller.token};
  }
  sessions_.end(cookie_of(request));  // who signs in again does not leave the old session behind
  Response response{200, "application/json", session_json(*service, *caller), {}, kSessionRoute};
  take_back_made();
  response.headers.push_back(cookie(request, sessions_.begin(token, Clock::now(), std::move(made))));
  reply.send(std::move(response));
}

void Pages::refuse_sign_in(const Request& request, const Reply& reply, const Error& why) {
  if (limit_.count_wrong(request.peer, Clock::now())) return reply.fail(why, kSessionRoute);
  auto response = problem_response(Error(Errc::overloaded, "rate_limited", "Too many wrong sign-ins within a minute.")
                                       .with("limit_name", "wrong_sign_ins_per_minute")
                                       .with("limit_value", SignInLimit::kWrongMax),
                                   reply.request_id(), reply.language());
  response.headers = {{"Retry-After", "60"}};
  response.route = kSessionRoute;
  reply.send(std::move(response));
}

// By whoever made it, as far as that one still may: nobody has its secret any more, and it has an end of its own. What
// cannot be written now is tried again the next time.
void Pages::take_back_made() {
  const auto service = service_();
  if (!service) return;
  for (const auto& made : sessions_.take_over(Clock::now()))
    service->write({made.by, "", "", Source::page}, service::RevokeToken{made.token}, {},
                   [this, made](const Result<service::Written>& outcome) {
                     const auto category = outcome ? Errc::denied : outcome.error().category();
                     if (category == Errc::unavailable || category == Errc::overloaded) sessions_.put_back(made);
                   });
}

void Pages::sign_out(const Request& request, const Reply& reply) {
  sessions_.end(cookie_of(request));
  take_back_made();
  reply.send(Response{204, "", {}, {cookie(request, "")}, kSessionRoute});
}

void Pages::tell_session(const Request& request, const Reply& reply) {
  const auto service = service_();
  if (!service) return reply.fail(api_.unavailable(), kSessionRoute);
  Response response{200, "application/json", {}, {}, kSessionRoute};
  const bool had_cookie = !cookie_of(request).empty();
  const auto who = had_cookie ? signed_in(request) : Result<SignedIn>(cross_site());
  if (who) {
    response.body = session_json(*service, who->caller);
  } else {
    JsonWriter json;
    json.begin().null("session").end();
    response.body = json.take();
    if (had_cookie) response.headers.push_back(cookie(request, ""));
  }
  reply.send(std::move(response));
}

// A session whose token was revoked or has expired is over.
Result<Pages::SignedIn> Pages::signed_in(const Request& request) {
  const auto value = cookie_of(request);
  auto token = sessions_.token_of(value, Clock::now());
  if (!token) return Error(Errc::denied, "token_missing", "The session is over.");
  const auto service = service_();
  if (!service) return api_.unavailable();
  auto caller = service->authenticate(*token);
  if (!caller) {
    sessions_.end(value);
    return caller.error();
  }
  return SignedIn{std::move(*token), std::move(*caller)};
}

std::string Pages::session_json(service::Service& service, const service::Caller& caller) const {
  JsonWriter json;
  const auto registries = service.registries();
  const auto* token = registries->token(caller.token);
  json.begin().begin("session").text("token_id", to_text(caller.token));
  if (token != nullptr) {
    const auto& grant = token->grant;
    json.text("role", siegel::name_of(grant.role)).text("label", grant.label);
    write_names(json, "purposes", grant.all_purposes, grant.purposes);
    write_names(json, "types", grant.all_types, grant.types);
    if (grant.expires_at) {
      json.text("expires_at", to_rfc3339(*grant.expires_at));
    } else {
      json.null("expires_at");
    }
  }
  json.end();
  if (options_.purpose.empty()) {
    json.null("default_purpose");
  } else {
    json.text("default_purpose", options_.purpose);
  }
  json.number("idle_s", static_cast<std::uint64_t>(sessions_.options().idle.count()));
  json.text("version", options_.version);
  // What this server serves: a page shows nothing that would lead nowhere.
  json.begin("serves");
  json.flag("search", api_.serves(Method::post, "/v1/record-types/*/search"));
  json.flag("imports", api_.serves(Method::post, "/v1/imports"));
  json.end().end();
  return json.take();
}

// ── whose request it is ──

Status Pages::is_ours(const Request& request) const {
  if (request.header("siegel-page") != "1") return cross_site();
  if (const auto site = request.header("sec-fetch-site"); site && *site != "same-origin") return cross_site();
  if (const auto origin = request.header("origin")) {
    const auto from = authority_of(*origin);
    const auto host = request.header("host").value_or("");
    const bool same = !from.empty() &&
                      (equal_ignoring_case(from, host) || equal_ignoring_case(from, authority_of(options_.public_url)));
    if (!same) return cross_site();
  }
  return Done{};
}

bool Pages::is_secure(const Request& request) const {
  return request.is_tls || options_.public_url.starts_with("https://");
}

namespace {
std::string_view cookie_name(bool secure) { return secure ? "__Host-siegel" : "siegel"; }
}  // namespace

std::string_view Pages::cookie_of(const Request& request) const {
  const auto name = cookie_name(is_secure(request));
  auto list = request.header("cookie").value_or("");
  while (!list.empty()) {
    auto one = list.substr(0, list.find(';'));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=')
      return one.substr(name.size() + 1);
  }
  return {};
}

Header Pages::cookie(const Request& request, std::string_view value) const {
  const bool secure = is_secure(request);
  std::string text(cookie_name(secure));
  ((text += '=') += value) += "; Path=/; HttpOnly; SameSite=Strict";
  if (secure) text += "; Secure";
  if (value.empty()) text += "; Max-Age=0";
  return {"Set-Cookie", std::move(text)};
}

}  // namespace siegel::http
