// One connection to a server: sends a request, waits for the answer. An answer of any status is an answer; an Error
// (Errc::unavailable, "server_away") means that there was none. One thread at a time; the connection is kept alive.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ctl/local.h"
#include "texts/things.h"

namespace siegel::ctl {

using texts::Thing;

struct Request {
  std::string method = "GET";
  std::string path;  // with its query; parts from outside go through segment()
  std::string body;
  std::vector<std::string> headers;  // "Name: value"
  Thing thing = Thing::none;         // what the path names, for the message if it is not there
  std::string name{};
};

struct Answer {
  long status = 0;
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case
  [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }
  [[nodiscard]] std::string header(const std::string& name) const;  // empty: not there
};

// Where the body of a good answer goes as it comes, instead of into the Answer: for what may be larger than memory.
struct Sink {
  std::function<Status(std::string_view piece)> take;  // an error ends the request with it
  std::function<bool()> is_stopped;                    // asked at least every second: true ends it too, "interrupted"
};

class Client {
 public:
  explicit Client(const Global& global);  // server, token, purpose
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // With a sink also "answer_cut": the body broke off before its end, so what the sink took is not all.
  Result<Answer> send(const Request& request, const Sink* sink = nullptr);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string segment(std::string_view text);  // percent-encoded for a path or a query

}  // namespace siegel::ctl
