// The program itself as users run it, as a child process: init, tokens, the server. So what is measured over HTTP is
// the real server, and its CPU time and memory are the kernel's numbers.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace siegel::bench {

struct Program {
  std::string path;           // of the executable
  std::filesystem::path log;  // where its messages go
};

// Runs it to its end; what it wrote to stdout. unavailable "program_failed" unless it ends with 0.
Result<std::string> run_program(const Program& program, const std::vector<std::string>& arguments);

class Server {
 public:
  // Returns when it listens, on a free port of the loopback.
  static Result<std::unique_ptr<Server>> start(const Program& program, const std::filesystem::path& data);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { stop(); }

  void stop();  // SIGTERM, and waits
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] double cpu_seconds() const;  // so far, user and system
  [[nodiscard]] double rss_mib() const;
  [[nodiscard]] double peak_rss_mib() const;

 private:
  explicit Server(pid_t pid) : pid_(pid) {}
  pid_t pid_;
  std::uint16_t port_ = 0;
};

}  // namespace siegel::bench
