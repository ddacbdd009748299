#include "bench/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/descriptor.h"

namespace siegel::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::chrono::seconds kSilence{30};

Error lost() { return Error(Errc::unavailable, "connection_lost", "The server closed a connection or is silent."); }

Result<Descriptor> connect_to(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return lost();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return lost();
  const int yes = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return socket;
}

struct Connection {
  Descriptor socket;
  std::string in;
  Clock::time_point sent;
};

struct Parsed {
  Answer answer;
  std::size_t bytes = 0;
};
// Nothing: not all there yet. A status of 0: not understood.
std::optional<Parsed> parse(std::string_view in) {
  const auto end = in.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const auto head = in.substr(0, end + 2);
  Parsed out;
  constexpr std::string_view kStatusAt = "HTTP/1.1 ";
  const auto status = head.substr(std::min(head.size(), kStatusAt.size()));
  std::from_chars(status.data(), status.data() + std::min<std::size_t>(3, status.size()), out.answer.status);
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  std::size_t length = 0;
  if (const auto at = head.find(kLength); at != std::string_view::npos) {
    const auto digits = head.substr(at + kLength.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
  } else if (out.answer.status != 204) {
    out.answer.status = 0;
  }
  out.bytes = end + 4 + length;
  if (in.size() < out.bytes) return std::nullopt;
  out.answer.body = in.substr(end + 4, length);
  return out;
}

class Driver {
 public:
  Driver(Script& script, const Load& load) : script_(script), load_(load), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

  Result<Driven> run(std::uint16_t port) {
    for (unsigned i = 0; i < load_.connections; ++i) {
      SIEGEL_TRY(socket, connect_to(port));
      epoll_event wanted{};
      wanted.events = EPOLLIN;
      wanted.data.u32 = i;
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &wanted);
      connections_.push_back({std::move(socket), {}, {}});
    }
    const auto begin = Clock::now();
    if (load_.time.count() > 0) until_ = begin + load_.time;
    for (unsigned i = 0; i < load_.connections; ++i) SIEGEL_CHECK(ask(i));
    while (in_flight_ > 0) SIEGEL_CHECK(wait());
    out_.seconds = std::chrono::duration<double>(last_ - begin).count();
    if (!latencies_.empty()) {
      out_.p50 = quantile(0.50);
      out_.p99 = quantile(0.99);
    }
    return out_;
  }

 private:
  Status ask(unsigned at) {
    auto& connection = connections_[at];
    connection.sent = Clock::now();
    if (until_ && connection.sent >= *until_) return Done{};
    auto request = script_.next(at);
    if (request.empty()) return Done{};
    // Small, and the peer took the one before whole: the socket's buffer is empty.
    while (!request.empty()) {
      const auto written = ::send(connection.socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
      if (written <= 0) return lost();
      request.remove_prefix(static_cast<std::size_t>(written));
    }
    ++in_flight_;
    return Done{};
  }

  Status wait() {
    epoll_event events[64];
    const int silence = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(kSilence).count());
    const int count = ::epoll_wait(epoll_.get(), events, 64, silence);
    if (count == 0) return lost();
    for (int i = 0; i < count; ++i) SIEGEL_CHECK(read(events[i].data.u32));
    return Done{};
  }

  Status read(unsigned at) {
    auto& connection = connections_[at];
    char buffer[kReadBytes];
    const auto got = ::recv(connection.socket.get(), buffer, sizeof buffer, 0);
    if (got <= 0) return lost();
    connection.in.append(buffer, static_cast<std::size_t>(got));
    const auto parsed = parse(connection.in);
    if (!parsed) return Done{};
    if (parsed->answer.status == 0) return lost();
    note(connection, parsed->answer);
    --in_flight_;
    script_.answered(at, parsed->answer);
    connection.in.erase(0, parsed->bytes);
    return ask(at);
  }

  void note(const Connection& connection, const Answer& answer) {
    last_ = Clock::now();
    latencies_.push_back(last_ - connection.sent);
    ++out_.answers;
    if (answer.status / 100 == 2) return;
    if (out_.failed++ > 0) return;
    out_.failed_status = answer.status;
    out_.failed_code = member(answer.body, "code");
  }

  std::chrono::nanoseconds quantile(double part) {
    const auto at = latencies_.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(latencies_.size() - 1));
    std::nth_element(latencies_.begin(), at, latencies_.end());
    return *at;
  }

  Script& script_;
  const Load load_;
  Descriptor epoll_;
  std::vector<Connection> connections_;
  std::optional<Clock::time_point> until_;
  Clock::time_point last_;
  std::size_t in_flight_ = 0;
  std::vector<std::chrono::nanoseconds> latencies_;
  Driven out_;
};

class OneCall final : public Script {
 public:
  explicit OneCall(std::string request) : request_(std::move(request)) {}
  std::string_view next(unsigned) override { return std::exchange(asked_, true) ? std::string_view() : request_; }
  void answered(unsigned, const Answer& answer) override {
    status = answer.status;
    body = answer.body;
  }
  int status = 0;
  std::string body;

 private:
  std::string request_;
  bool asked_ = false;
};

}  // namespace

Result<Driven> drive(std::uint16_t port, Script& script, const Load& load) { return Driver(script, load).run(port); }

std::string make_request(const RequestParts& parts) {
  std::string out;
  out.reserve(256 + parts.body.size());
  out.append(parts.method)
      .append(" ")
      .append(parts.path)
      .append(" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ");
  out.append(parts.token).append("\r\n");
  if (!parts.purpose.empty()) out.append("Siegel-Purpose: ").append(parts.purpose).append("\r\n");
  if (!parts.body.empty()) {
    out.append("Content-Type: ").append(parts.media).append("\r\nContent-Length: ");
    out.append(std::to_string(parts.body.size())).append("\r\n");
  }
  return out.append("\r\n").append(parts.body);
}

Result<std::string> call(std::uint16_t port, const RequestParts& parts) {
  OneCall script(make_request(parts));
  SIEGEL_TRY(driven, drive(port, script, {}));
  if (driven.failed > 0)
    return Error(Errc::unavailable, "request_refused", "The server refused a request of the benchmark.")
        .with("status", script.status);
  return std::move(script.body);
}

std::string_view member(std::string_view json, std::string_view name) {
  const auto key = '"' + std::string(name) + "\":\"";
  const auto at = json.find(key);
  if (at == std::string_view::npos) return {};
  const auto begin = at + key.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

}  // namespace siegel::bench
