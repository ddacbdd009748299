#include "bench/site.h"

#include <cstdio>
#include <thread>

namespace siegel::bench {
namespace {

constexpr std::string_view kClassBody =
    R"({"period":"P3Y","start":"end_of_calendar_year_of_last_change","legal_ground":"contract"})";
constexpr std::string_view kPurposeBody = R"({"legal_ground":"contract","title":{"en":"Customer care"}})";
constexpr std::string_view kTypeBody = R"({"title":{"en":"Contacts"},"subject":{"mode":"match","fields":["e-mail"]},
"default_purpose":"customer-care","fields":[
{"name":"name","title":"Name","type":"text","personal":true,"required":true,"class":"customer","searchable":true},
{"name":"e-mail","title":"E-mail","type":"email","personal":true,"class":"customer","searchable":true},
{"name":"street","title":"Street","type":"text","personal":true,"class":"customer","searchable":true},
{"name":"city","title":"City","type":"text","personal":true,"class":"customer","searchable":true},
{"name":"customer-number","title":"Number","type":"text","personal":true,"class":"customer","searchable":true}]})";
constexpr std::string_view kEditorBody =
    R"({"role":"editor","purposes":["customer-care"],"types":["contacts"],"label":"bench"})";
constexpr std::chrono::milliseconds kPoll{10};
constexpr std::chrono::minutes kStartMax{5};

Status put(const Site& site, std::string_view path, std::string_view body) {
  SIEGEL_TRY(answer, call(site.server->port(),
                          {.method = "PUT", .path = path, .token = site.admin, .purpose = {}, .body = body}));
  return Done{};
}

Status register_all(Site& site) {
  SIEGEL_CHECK(put(site, "/v1/deletion-classes/customer", kClassBody));
  SIEGEL_CHECK(put(site, "/v1/purposes/customer-care", kPurposeBody));
  SIEGEL_CHECK(put(site, "/v1/record-types/contacts", kTypeBody));
  SIEGEL_TRY(answer,
             call(site.server->port(),
                  {.method = "POST", .path = "/v1/tokens", .token = site.admin, .purpose = {}, .body = kEditorBody}));
  site.editor = member(answer, "token");
  const auto id = parse_id("tk", member(answer, "token_id"));
  if (site.editor.empty() || !id)
    return Error(Errc::corrupt, "answer_unknown", "The server's answer has no token in it.");
  site.editor_id = TokenId(*id);
  return Done{};
}

}  // namespace

Result<Site> Site::make(const Program& program, const std::filesystem::path& data) {
  Site site;
  site.program = program;
  site.data = data;
  SIEGEL_CHECK(run_program(program, {"--data", data.string(), "init", "--single-disk"}));
  SIEGEL_TRY(token, run_program(program, {"--data", data.string(), "token", "create", "--local", "--role", "admin",
                                          "--expires", "12h", "--label", "bench"}));
  site.admin = token.substr(0, token.find('\n'));
  SIEGEL_TRY(server, Server::start(program, data));
  site.server = std::move(server);
  SIEGEL_CHECK(register_all(site));
  site.stop();
  return site;
}

Status Site::start() {
  SIEGEL_TRY(started, Server::start(program, data));
  server = std::move(started);
  const auto until = std::chrono::steady_clock::now() + kStartMax;
  while (std::chrono::steady_clock::now() < until) {
    SIEGEL_TRY(status, call(server->port(),
                            {.method = "GET", .path = "/v1/status", .token = admin, .purpose = {}, .body = {}}));
    if (member(status, "search") == "ready") return Done{};
    std::this_thread::sleep_for(kPoll);
  }
  return Error(Errc::unavailable, "starting", "The server did not load its identity index in time.");
}

std::string editor_request(const Site& site, std::string_view method, std::string_view path, std::string_view body) {
  return make_request({.method = method, .path = path, .token = site.editor, .purpose = kPurpose, .body = body});
}

std::string person_values(std::uint64_t number) {
  char text[256];
  const auto n = static_cast<unsigned long long>(number);
  std::snprintf(text, sizeof text,
                "\"name\":\"Adelheid Musterfrau %08llx\",\"e-mail\":\"adelheid.%08llx@example.org\",\"street\":\"Lange "
                "Gasse %llu\",\"city\":\"Neustadt am Rain\",\"customer-number\":\"K-%010llu\"",
                n, n, n % 997, n);
  return text;
}

}  // namespace siegel::bench
