// What comes in and what goes out: values only, no socket. The transport fills a Request, a handler fills a Response.
// Strictness: a Request that reaches a handler has a decoded, well-formed path and query; everything else was answered
// with 400 already. Bodies, query values and header values may hold personal data: never log them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace siegel::http {

enum class Method : std::uint8_t { get, post, put, patch, del, options, other };  // HEAD arrives as get, see is_head
std::string_view name_of(Method method) noexcept;                                 // "GET", …; "other" for the rest

struct Header {
  std::string name;
  std::string value;
};

// Header fields in order of arrival, in one allocation each for text and places. Look-up ignores the case of names.
class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;  // the first of that name
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }

 private:
  struct Place {
    std::uint32_t name_at, name_bytes, value_at, value_bytes;
  };
  [[nodiscard]] std::string_view name(const Place& p) const noexcept {
    return {text_.data() + p.name_at, p.name_bytes};
  }
  std::string text_;
  std::vector<Place> places_;
};

struct QueryPair {
  std::string name;
  std::string value;
};
// Strict application/x-www-form-urlencoded: "+" is a space, percent escapes must be whole, the result UTF-8 without
// control characters other than tab, CR and LF, no name twice. Else Errc::invalid "bad_value". Serves queries and form
// bodies.
Result<std::vector<QueryPair>> parse_form(std::string_view text);
// Path of an origin-form target without its query. Refuses broken escapes, control characters, text that is not UTF-8,
// and an escaped slash (it would make two spellings of one route): Errc::invalid "bad_value".
Result<std::string> decode_path(std::string_view raw);

struct Request {
  Method method = Method::other;
  bool is_head = false;  // method is get; the transport leaves the body of the answer out
  bool is_tls = false;
  std::string target;  // as sent
  std::string path;    // decoded, begins with '/' (or is "*" for OPTIONS)
  std::vector<QueryPair> query;
  Headers headers;
  std::string body;  // may be moved out
  std::string peer;  // address without port
  std::string request_id;
  std::shared_ptr<const void> room;  // in memory, for the body, if the handler has given it some (BodyLimit)
  std::string page_token;            // of a page that is signed in (pages.h), instead of an Authorization header
  std::chrono::steady_clock::time_point arrived;  // first byte of the request seen

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept {
    return headers.find(name);
  }
  [[nodiscard]] const std::string* query_value(std::string_view name) const noexcept;  // null if absent
};

// The transport adds Date, Content-Length or chunking, Connection, Siegel-Request-Id, X-Content-Type-Options, and
// Cache-Control: no-store unless headers holds a Cache-Control. A field with a control character in it turns the
// whole answer into 500 internal, so input that slips into a header cannot split an answer.
struct Response {
  int status = 200;
  std::string_view content_type = "application/json";  // static text; left out where a status has no body
  std::string body;
  std::vector<Header> headers;
  std::string_view route;  // static text, label of the metric: "/v1/records/{id}"; never the target itself
};

}  // namespace siegel::http
