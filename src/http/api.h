// The HTTP API (contract sections 1 and 2): parse, call the service, render. No rule of its own; nothing of the input
// is echoed. Threads: handle() on I/O threads; answers come from the service's threads. Lifetime: outlives the server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/handler.h"
#include "http/rate_limit.h"
#include "service/service.h"

namespace siegel::http {

struct Call;

struct ApiOptions {
  std::size_t page_items_max = 200;
  std::uint64_t upload_bytes_max = std::uint64_t{256} << 20;
  std::uint64_t requests_per_second_per_token = 0;  // 0: no limit
  bool loopback = true;                             // then /metrics needs no token
  std::string openapi;                              // text of schemas/openapi.yaml
  std::string version;
  std::function<std::string()> metrics;                 // text format of Prometheus
  std::function<std::vector<std::string>()> not_ready;  // names of failed checks; empty: ready
  std::function<std::vector<std::string>()> warnings;   // codes of what weakens the promises without stopping anything
  std::function<std::vector<std::string>()> hampered;   // what else is not as it should be; reads and writes are served
  std::function<std::uint64_t()> uptime_s;
  std::function<Error()> unavailable;       // why there is no service at the moment
  std::function<bool()> projector_stopped;  // the read models stand still: no use in waiting for them
};

class Api final : public Handler {
 public:
  using Provider =
      std::function<std::shared_ptr<service::Service>()>;  // null while the instance is (re)opened or read-only
  Api(ApiOptions options, Provider service);
  ~Api() override;
  // Whether a request brings a file: it is taken in whole, so who sends it is asked, and place found for it, before
  // its first byte.
  static bool brings_file(const Request& head);
  Result<BodyLimit> admit(const Request& head, BodyLimit normal) override;
  Result<BodyLimit> admit_file(const Request& head, std::string_view token);
  void handle(std::unique_ptr<Request> request, Reply reply) override;
  [[nodiscard]] bool serves(Method method,
                            std::string_view pattern) const;  // "/v1/records/*": whether there is such a route
  [[nodiscard]] Error unavailable() const;                    // while there is no service

 private:
  struct Routes;
  // Who calls, within the rate limit of his token; that of an expired one counts too.
  Result<service::Caller> caller_of(const Call& call);
  ApiOptions options_;
  Provider service_;
  std::unique_ptr<Routes> routes_;
  RateLimit rate_limit_;
};

}  // namespace siegel::http
