#include "http/parser.h"

#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "base/text.h"

namespace siegel::http {
namespace {

namespace beast = boost::beast;
using ErrorCode = beast::error_code;

Method method_of(beast::http::verb verb) noexcept {
  switch (verb) {
    case beast::http::verb::get:
    case beast::http::verb::head:
      return Method::get;
    case beast::http::verb::post:
      return Method::post;
    case beast::http::verb::put:
      return Method::put;
    case beast::http::verb::patch:
      return Method::patch;
    case beast::http::verb::delete_:
      return Method::del;
    case beast::http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

std::string_view std_view(beast::string_view text) noexcept { return {text.data(), text.size()}; }

bool is_chunked(std::string_view coding) noexcept {
  constexpr std::string_view kChunked = "chunked";
  return coding.size() == kChunked.size() &&
         std::equal(coding.begin(), coding.end(), kChunked.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

class Message final : public beast::http::basic_parser<true> {
 public:
  Message(Request& into, std::size_t header_bytes_max) : into_(into) {
    header_limit(static_cast<std::uint32_t>(header_bytes_max));
    // Ours is known only after the head, see limit_body. Not boost::none: 1.74 then refuses every length.
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }
  [[nodiscard]] bool is_http_1_1() const noexcept { return version_ == 11; }
  void limit_body(std::uint64_t bytes_max) noexcept { bytes_max_ = bytes_max; }

 private:
  void on_request_impl(beast::http::verb verb, beast::string_view, beast::string_view target, int version,
                       ErrorCode&) override {
    into_.method = method_of(verb);
    into_.is_head = verb == beast::http::verb::head;
    into_.target.assign(target.data(), target.size());
    version_ = version;
  }
  void on_response_impl(int, beast::string_view, int, ErrorCode&) override {}
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, ErrorCode&) override {
    if (!is_header_done()) into_.headers.add(std_view(name), std_view(value));  // trailers mean nothing here
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode& ec) override {
    if (!length) return;
    if (*length > bytes_max_) return void(ec = beast::http::error::body_limit);
    // Memory follows what has come, not what was announced.
    into_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, 64 * 1024)));
  }
  std::size_t on_body_impl(beast::string_view data, ErrorCode&) override {
    into_.body.append(data.data(), data.size());
    return data.size();
  }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, ErrorCode& ec) override {
    if (size > bytes_max_ - into_.body.size()) ec = beast::http::error::body_limit;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view data, ErrorCode&) override {
    into_.body.append(data.data(), data.size());
    return data.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  Request& into_;
  int version_ = 0;
  std::uint64_t bytes_max_ = 0;
};

// What two servers in a row could read in two ways is refused, not interpreted (request smuggling).
Status check_head(const Message& message, const Request& request) {
  const auto refuse = [](const char* what) { return Error(Errc::invalid, "bad_header", what); };
  if (!message.is_http_1_1()) return refuse("Only HTTP/1.1 is spoken here; set a proxy in front to it.");
  const Headers& headers = request.headers;
  if (headers.count("Host") != 1) return refuse("There must be exactly one Host.");
  const auto lengths = headers.count("Content-Length");
  const auto codings = headers.count("Transfer-Encoding");
  if (lengths + codings > 1) return refuse("There must be at most one of Content-Length and Transfer-Encoding.");
  if (lengths == 1 && !parse_u64(*headers.find("Content-Length")))  // Beast also takes lists such as "5, 5"
    return refuse("Content-Length must be one number.");
  if (codings == 1 && !is_chunked(*headers.find("Transfer-Encoding")))
    return refuse("Transfer-Encoding must be chunked.");
  return Done{};
}

}  // namespace

class RequestParser::Impl {
 public:
  explicit Impl(std::size_t limit) : header_bytes_max(limit) {}
  std::size_t header_bytes_max;
  std::optional<Message> message;
  Request* request = nullptr;
  bool head_told = false;
  std::size_t head_bytes = 0;  // taken so far; Beast's limit starts anew with each piece that arrives
  std::uint64_t body_bytes_max = 0;
  std::string_view limit_name;
};

RequestParser::RequestParser(std::size_t header_bytes_max) : impl_(std::make_unique<Impl>(header_bytes_max)) {}
RequestParser::~RequestParser() = default;

void RequestParser::restart(Request& into) {
  impl_->message.emplace(into, impl_->header_bytes_max);
  impl_->request = &into;
  impl_->head_told = false;
  impl_->head_bytes = 0;
  error_.reset();
}

Parsed RequestParser::feed(std::string_view bytes, std::size_t& consumed) {
  auto& message = *impl_->message;
  consumed = 0;
  ErrorCode ec;
  if (!bytes.empty() && !message.is_done()) {
    if (impl_->head_told) message.eager(true);
    consumed = message.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  }
  if (!impl_->head_told) impl_->head_bytes += consumed;
  if (ec == beast::http::error::header_limit || impl_->head_bytes > impl_->header_bytes_max) {
    error_ = Error(Errc::invalid, "header_too_large", "The request's header is larger than the limit.")
                 .with("limit_name", "header_bytes_max")
                 .with("limit_value", impl_->header_bytes_max);
    return Parsed::failed;
  }
  if (ec == beast::http::error::body_limit) {
    error_ = too_large(impl_->limit_name, impl_->body_bytes_max);
    return Parsed::failed;
  }
  if (ec && ec != beast::http::error::need_more) {
    error_ = Error(Errc::invalid, "bad_header", "The request is not well-formed HTTP/1.1.");
    return Parsed::failed;
  }
  if (!message.is_header_done()) return Parsed::need_more;
  if (!impl_->head_told) {
    impl_->head_told = true;
    if (auto status = check_head(message, *impl_->request); !status) {
      error_ = std::move(status).error();
      return Parsed::failed;
    }
    return Parsed::head;
  }
  return message.is_done() ? Parsed::complete : Parsed::need_more;
}

bool RequestParser::has_body() const noexcept { return !impl_->message->is_done(); }
std::optional<std::uint64_t> RequestParser::content_length() const {
  const auto length = impl_->message->content_length();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}
bool RequestParser::keep_alive() const { return impl_->message->keep_alive(); }
void RequestParser::limit_body(std::uint64_t bytes_max, std::string_view limit_name) noexcept {
  impl_->body_bytes_max = bytes_max;
  impl_->limit_name = limit_name;
  impl_->message->limit_body(bytes_max);
}

Error too_large(std::string_view limit_name, std::uint64_t limit) {
  return Error(Errc::invalid, "too_large", "The request's body is larger than the limit.")
      .with("limit_name", limit_name)
      .with("limit_value", limit);
}

}  // namespace siegel::http
