// A load generator for HTTP/1.1 over loopback: one thread, many kept-alive connections, each with one request in
// flight. Small on purpose: it shares two cores with the server that it measures. Knows only answers with
// Content-Length.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace siegel::bench {

struct Answer {
  int status = 0;
  std::string_view body;
};

// What the connections ask for. Called on the thread of drive().
class Script {
 public:
  virtual ~Script() = default;
  virtual std::string_view next(unsigned connection) = 0;  // a whole request, until the next call; empty: no more
  virtual void answered(unsigned connection, const Answer& answer) = 0;
};

struct Load {
  unsigned connections = 1;
  std::chrono::milliseconds time{0};  // 0: until the script has no more
};
struct Driven {
  std::uint64_t answers = 0;
  std::uint64_t failed = 0;  // status other than 2xx
  int failed_status = 0;     // the first of them, and its code
  std::string failed_code;
  double seconds = 0;
  std::chrono::nanoseconds p50{}, p99{};
  [[nodiscard]] double per_second() const { return seconds > 0 ? static_cast<double>(answers) / seconds : 0; }
};
// Errors: unavailable "connection_lost".
Result<Driven> drive(std::uint16_t port, Script& script, const Load& load);

struct RequestParts {
  std::string_view method, path, token;
  std::string_view purpose;                     // empty: none
  std::string_view body;                        // empty: none
  std::string_view media = "application/json";  // of the body
};
std::string make_request(const RequestParts& parts);

// One request on a connection of its own; the body of its answer. unavailable "request_refused" unless 2xx.
Result<std::string> call(std::uint16_t port, const RequestParts& parts);

// The text of a member of a flat JSON answer that we know to hold no escapes: ids, tokens, states. Empty: not there.
std::string_view member(std::string_view json, std::string_view name);

}  // namespace siegel::bench
