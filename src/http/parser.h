// Private: one request after the other out of a byte stream. Beast does the grammar; this adds what it leaves open
// (see check_head in parser.cc) and the two steps head, then body, so that the body's limit can depend on the head.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace siegel::http {

enum class Parsed : std::uint8_t { need_more, head, complete, failed };

class RequestParser {
 public:
  explicit RequestParser(std::size_t header_bytes_max);
  ~RequestParser();

  void restart(Request& into);  // into outlives the message
  // Takes what it can from the front; consumed says how much. head comes once; after it only with a body announced
  // is there more to feed. failed: error() says why, and the connection cannot go on after the answer.
  Parsed feed(std::string_view bytes, std::size_t& consumed);
  [[nodiscard]] const Error& error() const { return *error_; }

  // From head on:
  [[nodiscard]] bool has_body() const noexcept;                       // something is announced
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;  // nothing if chunked
  [[nodiscard]] bool keep_alive() const;
  void limit_body(std::uint64_t bytes_max, std::string_view limit_name) noexcept;  // name: static text

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::optional<Error> error_;
};

Error too_large(std::string_view limit_name, std::uint64_t limit);

}  // namespace siegel::http
