// A small blocking HTTP/1.1 client for tests: one connection, plain TCP, nothing clever. Failures of the socket throw.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace siegel::test {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpAnswer {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string body;     // without chunk framing

  [[nodiscard]] std::string header(std::string_view lower_name) const;  // "" if absent
};

class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port, std::string host = "127.0.0.1",
                      std::chrono::milliseconds timeout = std::chrono::seconds(20));
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends and waits for the answer. Connects again if the last answer closed the connection. Adds Host, and
  // Content-Length unless the method has no body and body is empty.
  HttpAnswer request(std::string_view method, std::string_view target, const HttpHeaders& headers = {},
                     std::string_view body = {});

  // The parts, for tests of the transport itself.
  void send(std::string_view raw);
  std::optional<HttpAnswer> receive(std::string_view method = "GET");  // nothing: closed before a whole answer came
  HttpAnswer receive_head();                                           // leaves the body to read_some()
  std::string read_some();                                             // what comes next, "" at the end
  std::string read_until(std::string_view mark);                       // up to and with mark; shorter at the end
  bool at_end();                   // waits until the server closes; false if bytes come instead
  void receive_buffer(int bytes);  // SO_RCVBUF: a client that takes little
  void close();

 private:
  void connect();
  bool fill();  // false at the end
  std::string take(std::size_t bytes);

  const std::uint16_t port_;
  const std::string host_;
  const std::chrono::milliseconds timeout_;
  int fd_ = -1;
  std::string pending_;
};

}  // namespace siegel::test
