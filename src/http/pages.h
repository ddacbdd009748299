// The pages' door: `/`, `/app/…` and their files, signing in and out, and the API for a browser that is signed in.
// A page gets nothing that its token would not get: with the session's cookie the request goes to the API as if it had
// come with the token, and events name `page` as their source.
//
// Against other sites' pages (CSRF): the cookie is SameSite=Strict, and by cookie each request to the API, also a
// reading one, needs the header Siegel-Page, which no other origin can send without being asked first, and an Origin
// and Sec-Fetch-Site that are ours. A request with an Authorization header is the API's own business.
// Threads: as of Handler. Lifetime: outlives the server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/api.h"
#include "http/handler.h"
#include "http/sessions.h"
#include "http/sign_in_limit.h"
#include "pages/assets.h"

namespace siegel::http {

struct PagesOptions {
  std::string language = "de";  // of a browser that asks for neither German nor English
  std::string purpose;          // preselected
  std::string public_url;       // where the outside reaches the server, if not by this listener's own name
  std::string version;
  SessionOptions sessions;
};

class Pages final : public Handler {
 public:
  // assets: those of the build; a build without them has a page that says so.
  Pages(PagesOptions options, Api& api, Api::Provider service, Random& random, pages::Assets assets);
  Result<BodyLimit> admit(const Request& head, BodyLimit normal) override;
  void handle(std::unique_ptr<Request> request, Reply reply) override;
  // Revokes the tokens that were made for sessions that are over. Signing out does it too; many sessions end by
  // themselves, so it is for a timer to call. Outlives the service, which may answer later.
  void take_back_made();

 private:
  struct SignedIn {
    std::string token;
    service::Caller caller;
  };
  void session(const Request& request, const Reply& reply);
  void sign_in(const Request& request, const Reply& reply);
  void refuse_sign_in(const Request& request, const Reply& reply, const Error& why);
  void sign_out(const Request& request, const Reply& reply);
  void tell_session(const Request& request, const Reply& reply);
  void serve_shell(const Request& request, const Reply& reply, std::string_view route) const;
  void serve_asset(const Request& request, const Reply& reply, std::string_view name) const;
  Result<SignedIn> signed_in(const Request& request);
  Status is_ours(const Request& request) const;
  [[nodiscard]] std::string session_json(service::Service& service, const service::Caller& caller) const;
  [[nodiscard]] bool is_secure(const Request& request) const;
  [[nodiscard]] std::string_view cookie_of(const Request& request) const;
  [[nodiscard]] Header cookie(const Request& request, std::string_view value) const;

  const PagesOptions options_;
  Api& api_;
  const Api::Provider service_;
  Sessions sessions_;
  SignInLimit limit_;
  const pages::Assets assets_;
};

}  // namespace siegel::http
