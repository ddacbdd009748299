// The pages' door before a whole service: when a token that was made for one session is taken back.
#include <atomic>
#include <thread>

#include "http/pages.h"
#include "http/server.h"
#include "support/contacts_world.h"
#include "support/http_client.h"

using namespace siegel;
using namespace siegel::test;

namespace {

struct World : ServiceKit {
  World() : ServiceKit(1) {
    set_up();
    service_options.room_is_short = [this] { return room_is_short.load(); };
    close();
    open();
    until([&] { return service->status().search_ready; });
    http::PagesOptions options;
    options.sessions.idle = std::chrono::seconds(1);
    const auto provider = [this] { return std::shared_ptr<service::Service>(std::shared_ptr<void>(), service.get()); };
    api = std::make_unique<http::Api>(http::ApiOptions{}, provider);
    pages = std::make_unique<http::Pages>(std::move(options), *api, provider, random, pages::Assets{});
    http::ServerOptions listen;
    listen.listen = "127.0.0.1:0";
    server = must(http::Server::start(std::move(listen), *pages));
  }

  HttpAnswer ask(const std::string& method, const std::string& body = {}) {
    HttpHeaders headers = {{"Siegel-Page", "1"}, {"Cookie", cookie}};
    if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
    auto answer = HttpClient(server->port()).request(method, "/app/session", headers, body);
    if (const auto set = answer.header("set-cookie"); !set.empty()) cookie = set.substr(0, set.find(';'));
    return answer;
  }
  service::Written make(Role role) {
    TokenGrant grant;
    grant.role = role;
    grant.all_purposes = grant.all_types = true;
    return must(write(admin, service::CreateToken{grant}));
  }
  // A session with a token of its own, made by an admin in an earlier one.
  TokenId signed_in() {
    REQUIRE(ask("POST", R"({"token":")" + make(Role::admin).token + R"("})").status == 200);
    const auto made = make(Role::editor);
    REQUIRE(ask("POST", R"({"token":")" + made.token + R"(","made_here":true})").status == 200);
    return *made.token_id;
  }
  bool is_revoked(const TokenId& id) { return service->registries()->token(id)->revoked; }

  std::atomic<bool> room_is_short{false};
  std::string cookie;
  std::unique_ptr<http::Api> api;
  std::unique_ptr<http::Pages> pages;
  std::unique_ptr<http::Server> server;
};

}  // namespace

TEST_CASE("a token that cannot be taken back when its session ends is taken back later", "[unit][http]") {
  World w;
  const auto token = w.signed_in();
  w.room_is_short = true;
  CHECK(w.ask("DELETE").status == 204);
  w.pages->take_back_made();
  CHECK_FALSE(w.is_revoked(token));
  w.room_is_short = false;
  w.pages->take_back_made();
  w.until([&] { return w.is_revoked(token); });
}

TEST_CASE("a GET of the session writes nothing, whatever session has ended", "[unit][http]") {
  World w;
  const auto token = w.signed_in();
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // idle for longer than it may
  const auto size = w.ledger->size();
  CHECK(w.ask("GET").body.find("\"session\":null") != std::string::npos);
  w.make(Role::editor);  // behind whatever the GET would have written
  CHECK(w.ledger->size() == TreeSize(size.get() + 1));
  CHECK_FALSE(w.is_revoked(token));
  w.pages->take_back_made();
  w.until([&] { return w.is_revoked(token); });
}
