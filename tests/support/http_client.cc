#include "support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace siegel::test {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::string HttpAnswer::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_name) return value;
  return {};
}

HttpClient::HttpClient(std::uint16_t port, std::string host, std::chrono::milliseconds timeout)
    : port_(port), host_(std::move(host)), timeout_(timeout) {
  connect();
}
HttpClient::~HttpClient() { close(); }

void HttpClient::connect() {
  close();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port_);
  inet_pton(AF_INET, host_.c_str(), &to.sin_addr);
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  const timeval limit{static_cast<time_t>(timeout_.count() / 1000),
                      static_cast<suseconds_t>(timeout_.count() % 1000 * 1000)};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void HttpClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  pending_.clear();
}

void HttpClient::receive_buffer(int bytes) { setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); }

HttpAnswer HttpClient::request(std::string_view method, std::string_view target, const HttpHeaders& headers,
                               std::string_view body) {
  if (fd_ < 0) connect();
  std::string raw;
  raw.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host_).append("\r\n");
  for (const auto& [name, value] : headers) raw.append(name).append(": ").append(value).append("\r\n");
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH")
    raw.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  raw.append("\r\n").append(body);
  send(raw);
  auto answer = receive(method);
  if (!answer) throw std::runtime_error("the server closed without an answer");
  if (answer->header("connection") == "close") close();
  return std::move(*answer);
}

void HttpClient::send(std::string_view raw) {
  while (!raw.empty()) {
    const auto n = ::send(fd_, raw.data(), raw.size(), MSG_NOSIGNAL);
    if (n <= 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    raw.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool HttpClient::fill() {
  std::array<char, 64 * 1024> buffer;
  const auto n = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (n < 0 && errno != ECONNRESET) throw std::runtime_error(std::string("recv: ") + std::strerror(errno));
  if (n <= 0) return false;
  pending_.append(buffer.data(), static_cast<std::size_t>(n));
  return true;
}

std::string HttpClient::take(std::size_t bytes) {
  auto out = pending_.substr(0, bytes);
  pending_.erase(0, bytes);
  return out;
}

std::string HttpClient::read_some() {
  if (pending_.empty()) fill();
  return take(pending_.size());
}

std::string HttpClient::read_until(std::string_view mark) {
  for (;;) {
    if (const auto at = pending_.find(mark); at != pending_.npos) return take(at + mark.size());
    if (!fill()) return take(pending_.size());
  }
}

bool HttpClient::at_end() { return pending_.empty() && !fill(); }

HttpAnswer HttpClient::receive_head() {
  HttpAnswer answer;
  const auto head = read_until("\r\n\r\n");
  if (!head.starts_with("HTTP/1.1 ") || !head.ends_with("\r\n\r\n")) return answer;
  answer.status = std::stoi(head.substr(9, 3));
  for (auto from = head.find("\r\n") + 2; from + 2 < head.size();) {
    const auto end = head.find("\r\n", from);
    const auto colon = head.find(": ", from);
    answer.headers.emplace_back(lower(head.substr(from, colon - from)), head.substr(colon + 2, end - colon - 2));
    from = end + 2;
  }
  return answer;
}

std::optional<HttpAnswer> HttpClient::receive(std::string_view method) {
  auto answer = receive_head();
  if (answer.status == 0) return std::nullopt;
  if (method == "HEAD" || answer.status == 204 || answer.status == 304 || answer.status < 200) return answer;
  if (answer.header("transfer-encoding") == "chunked") {
    for (;;) {
      const auto line = read_until("\r\n");
      if (!line.ends_with("\r\n")) return std::nullopt;
      const auto size = std::stoul(line, nullptr, 16);
      while (pending_.size() < size + 2)
        if (!fill()) return std::nullopt;
      const auto chunk = take(size + 2);
      if (size == 0) return answer;
      answer.body.append(chunk, 0, size);
    }
  }
  const auto length = answer.header("content-length");
  const auto size = length.empty() ? 0 : std::stoul(length);
  while (pending_.size() < size)
    if (!fill()) return std::nullopt;
  answer.body = take(size);
  return answer;
}

}  // namespace siegel::test
