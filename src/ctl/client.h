// One connection to a server: sends a request, waits for the answer. An answer of any status is an answer; an Error
// (Errc::unavailable, "server_away") means that there was none. One thread at a time; the connection is kept alive.
#pragma once

#include <map>
#include <memory>
#include <string>
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

class Client {
 public:
  explicit Client(const Global& global);  // server, token, purpose
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  Result<Answer> send(const Request& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string segment(std::string_view text);  // percent-encoded for a path or a query

}  // namespace siegel::ctl
