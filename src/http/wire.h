// Private: how an answer looks on the wire, and request ids.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "http/message.h"

namespace siegel::http {

// An id that was checked or made here; small enough to be copied without allocation.
class RequestId {
 public:
  static bool is_valid(std::string_view text) noexcept;  // [A-Za-z0-9_-]{8,64}
  RequestId() = default;
  explicit RequestId(std::string_view valid) noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return {chars_.data(), size_}; }

 private:
  std::array<char, 64> chars_{};
  std::uint8_t size_ = 0;
};

// Ids only have to differ, nobody gains by guessing one: a seeded generator, 132 bits each.
class RequestIds {
 public:
  RequestIds();
  RequestId next();

 private:
  std::mt19937_64 random_;
};

enum class Framing : std::uint8_t { length, chunked };
enum class After : bool { keep_alive, close };

struct AnswerHead {
  const Response& response;
  std::string_view request_id;
  std::string_view date;
  Framing framing = Framing::length;
  After after = After::keep_alive;
};
bool is_safe(const Response& response) noexcept;  // no field can end its line early; the status is a final one
bool has_body(int status) noexcept;
void append_head(std::string& out, const AnswerHead& head);
void append_chunk(std::string& out, std::string_view data);  // data is not empty
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
std::string http_date(std::int64_t unix_seconds);

}  // namespace siegel::http
