// The transport: sockets, TLS, HTTP/1.1, limits and time-outs. Everything up to the Handler interface.
// Guarantees: (1) every request that was read gets exactly one answer, in order, with a Siegel-Request-Id;
//             (2) memory per connection is bounded by the limits below; (3) stop() returns within drain + 1 s.
// Threads:    start() makes io_threads threads; a connection belongs to one of them for life. stop() from any other.
// Errors:     tls_required, listen_invalid, tls_invalid (invalid); port_in_use, listen_failed (unavailable).
// Not here:   routes, tokens, meaning of bodies (handlers); metrics and logs (on_finished).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/handler.h"

namespace siegel::http {

struct Finished {          // one answered request, told on the I/O thread after the last byte left or the client went
  std::string_view route;  // Response::route; "" if the transport itself answered
  Method method;
  int status;
  double seconds;  // from the first byte of the request
  std::string_view request_id;
};

struct ServerOptions {
  std::string listen = "127.0.0.1:8480";  // IP literal or "localhost", ":", port; [v6]:port; port 0 = any free one
  std::string tls_cert;                   // PEM chain; empty: plain HTTP, loopback only
  std::string tls_key;                    // PEM
  unsigned io_threads = 1;
  std::size_t header_bytes_max = 8 * 1024;
  std::uint64_t body_bytes_max = 1024 * 1024;
  std::size_t stream_buffer_bytes_max = 256 * 1024;  // unsent bytes of one stream
  std::size_t connections_max = 1024;
  std::chrono::milliseconds header_timeout{10000};  // handshake, and first byte to end of header
  std::chrono::milliseconds idle_timeout{60000};    // between requests
  std::chrono::milliseconds body_timeout{10000};    // for a whole body, plus a second per body_bytes_per_second_min
  std::uint64_t body_bytes_per_second_min = 16 * 1024;
  std::chrono::milliseconds write_timeout{30000};  // client takes nothing of the answer
  std::chrono::milliseconds drain{10000};
  std::function<void(const Finished&)> on_finished;
};

class Server {
 public:
  // Whether start() would listen, by all that can be known without serving anybody. Nothing is kept open.
  static Status check(const ServerOptions& options);
  // Listens when it returns. The handler outlives the server.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler& handler);
  ~Server();  // stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Stops accepting, closes idle connections, ends streams, lets requests in flight finish within drain, then cuts.
  void stop();
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::string url() const;  // "http://127.0.0.1:8480"
  [[nodiscard]] std::size_t connections() const noexcept;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace siegel::http
