// The server's log on stderr: one line per fact, with its time, level and `name=value` words.
// Guarantees: (1) no personal value: what goes in is a method, a route as it stands in the contract, a status, a
// request id; (2) nobody waits for it: when stderr does not keep up, the oldest lines go. Levels: error (answers of
// 5xx), info (other answers that are no success: the id that a client was given is found here), debug (every answer).
#pragma once

#include <memory>
#include <string>

#include "http/server.h"

namespace siegel::app {

class Log {
 public:
  explicit Log(const std::string& level);  // error, warn, info or debug
  ~Log();                                  // writes what is left
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void finished(const http::Finished& request);  // any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace siegel::app
