#include "http/wire.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/time.h"

namespace siegel::http {
namespace {

constexpr std::string_view kIdChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view reason(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "";
  }
}

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  out.append(digits, end);
}

bool is_line_safe(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}
bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

bool is_cache_control(std::string_view name) noexcept {
  constexpr std::string_view kName = "cache-control";
  return name.size() == kName.size() &&
         std::equal(name.begin(), name.end(), kName.begin(), [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

}  // namespace

bool RequestId::is_valid(std::string_view text) noexcept {
  return text.size() >= 8 && text.size() <= 64 && text.find_first_not_of(kIdChars) == text.npos;
}
RequestId::RequestId(std::string_view valid) noexcept : size_(static_cast<std::uint8_t>(valid.size())) {
  std::memcpy(chars_.data(), valid.data(), valid.size());
}

RequestIds::RequestIds() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
  random_.seed(seed);
}
RequestId RequestIds::next() {
  std::array<char, 22> text;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i, bits >>= 6) {
    if (i % 10 == 0) bits = random_();
    text[i] = kIdChars[bits & 63];
  }
  return RequestId(std::string_view(text.data(), text.size()));
}

bool has_body(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

bool is_safe(const Response& response) noexcept {
  return response.status >= 200 && response.status <= 599 && is_line_safe(response.content_type) &&
         std::all_of(response.headers.begin(), response.headers.end(),
                     [](const Header& h) { return is_token(h.name) && is_line_safe(h.value); });
}

void append_head(std::string& out, const AnswerHead& head) {
  const Response& response = head.response;
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(response.status));
  ((out += ' ') += reason(response.status)) += "\r\nDate: ";
  (out += head.date) += "\r\nSiegel-Request-Id: ";
  (out += head.request_id) += "\r\nX-Content-Type-Options: nosniff\r\n";
  const bool chunked = head.framing == Framing::chunked;
  if (chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (has_body(response.status)) {
    out += "Content-Length: ";
    append_number(out, response.body.size());
    out += "\r\n";
  }
  if (!response.content_type.empty() && (chunked || has_body(response.status)))
    ((out += "Content-Type: ") += response.content_type) += "\r\n";
  bool cache_told = false;
  for (const auto& header : response.headers) {
    (((out += header.name) += ": ") += header.value) += "\r\n";
    cache_told = cache_told || is_cache_control(header.name);
  }
  if (!cache_told) out += "Cache-Control: no-store\r\n";
  if (head.after == After::close) out += "Connection: close\r\n";
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view data) {
  append_number(out, data.size(), 16);
  ((out += "\r\n") += data) += "\r\n";
}

std::string http_date(std::int64_t unix_seconds) {
  static constexpr std::array kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};  // day 0 was a Thursday
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = unix_seconds / 86400;
  const auto second = static_cast<int>(unix_seconds % 86400);
  const CivilDate date = civil_from_days(days);
  char text[40];
  const int n =
      std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", kDays[static_cast<std::size_t>(days % 7)],
                    date.day, kMonths[date.month - 1], date.year, second / 3600, second / 60 % 60, second % 60);
  return {text, static_cast<std::size_t>(n)};
}

}  // namespace siegel::http
