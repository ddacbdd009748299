// A server on a free port with a function as its handler.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/guarded.h"
#include "http/server.h"

namespace siegel::test {

class FunctionHandler final : public http::Handler {
 public:
  using Handle = std::function<void(http::Request&, http::Reply)>;
  using Admit = std::function<Result<http::BodyLimit>(const http::Request&, http::BodyLimit)>;
  FunctionHandler(Handle handle, Admit admit) : handle_(std::move(handle)), admit_(std::move(admit)) {}

  Result<http::BodyLimit> admit(const http::Request& head, http::BodyLimit normal) override {
    return admit_ ? admit_(head, normal) : http::Handler::admit(head, normal);
  }
  void handle(std::unique_ptr<http::Request> request, http::Reply reply) override {
    handle_(*request, std::move(reply));
    requests_.with([](int& n) { ++n; });
    requests_.notify_all();
  }
  [[nodiscard]] int requests() const {
    return requests_.with([](int n) { return n; });
  }
  void wait_for(int n) {
    requests_.when([n](int have) { return have >= n; }, [](int) {});
  }

 private:
  Handle handle_;
  Admit admit_;
  Guarded<int> requests_{0};
};

inline FunctionHandler::Handle echo() {
  return [](http::Request& request, http::Reply reply) {
    reply.send({200, "application/octet-stream", std::move(request.body), {}, "/echo"});
  };
}

class Served {
 public:
  explicit Served(FunctionHandler::Handle handle, http::ServerOptions options = {}, FunctionHandler::Admit admit = {})
      : handler_(std::move(handle), std::move(admit)) {
    if (options.listen == http::ServerOptions{}.listen) options.listen = "127.0.0.1:0";
    auto server = http::Server::start(std::move(options), handler_);
    SIEGEL_ASSERT(server);
    server_ = std::move(*server);
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] http::Server& server() { return *server_; }
  [[nodiscard]] FunctionHandler& handler() { return handler_; }
  [[nodiscard]] int requests() const { return handler_.requests(); }
  void wait_for_requests(int n) { handler_.wait_for(n); }

 private:
  FunctionHandler handler_;
  std::unique_ptr<http::Server> server_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace siegel::test
