#include "bench/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

extern char** environ;

namespace siegel::bench {
namespace {

Error failed() { return Error(Errc::unavailable, "program_failed", "A step of the benchmark's own set-up failed."); }

struct Started {
  pid_t pid = 0;
  int out = -1;  // its stdout
};

Result<Started> spawn(const Program& program, const std::vector<std::string>& arguments) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return failed();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, program.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  std::vector<char*> words{const_cast<char*>(program.path.c_str())};
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  Started out;
  const int error = ::posix_spawn(&out.pid, program.path.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  if (error != 0) {
    ::close(pipe[0]);
    return failed();
  }
  out.out = pipe[0];
  return out;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string read_line(int from) {
  std::string out;
  for (char c = 0; ::read(from, &c, 1) == 1 && c != '\n';) out += c;
  return out;
}

std::string slurp(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

double status_mib(pid_t pid, std::string_view name) {
  const auto text = slurp("/proc/" + std::to_string(pid) + "/status");
  const auto at = text.find(name);
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + name.size(), nullptr) / 1024;
}

}  // namespace

Result<std::string> run_program(const Program& program, const std::vector<std::string>& arguments) {
  SIEGEL_TRY(started, spawn(program, arguments));
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(started.out, buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(got));
  ::close(started.out);
  if (const int code = wait_for(started.pid); code != 0) return failed().with("exit_code", code);
  return out;
}

Result<std::unique_ptr<Server>> Server::start(const Program& program, const std::filesystem::path& data) {
  SIEGEL_TRY(started, spawn(program, {"--data", data.string(), "serve", "--listen", "127.0.0.1:0"}));
  std::unique_ptr<Server> server(new Server(started.pid));
  const auto line = read_line(started.out);
  ::close(started.out);
  const auto colon = line.rfind(':');
  if (!line.starts_with("listening on ") || colon == std::string::npos) return failed();
  std::from_chars(line.data() + colon + 1, line.data() + line.size(), server->port_);
  return server;
}

void Server::stop() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  wait_for(std::exchange(pid_, 0));
}

double Server::cpu_seconds() const {
  const auto text = slurp("/proc/" + std::to_string(pid_) + "/stat");
  // Behind the name in brackets, which may hold anything: state is field 3, utime 14, stime 15.
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string word;
  double ticks = 0;
  for (int field = 3; field <= 15 && rest >> word; ++field)
    if (field >= 14) ticks += std::strtod(word.c_str(), nullptr);
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double Server::rss_mib() const { return status_mib(pid_, "VmRSS:"); }
double Server::peak_rss_mib() const { return status_mib(pid_, "VmHWM:"); }

}  // namespace siegel::bench
