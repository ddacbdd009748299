// Counts the records of a bulk export while it passes, in pieces cut anywhere: what the command line tells of it.
#pragma once

#include <cstdint>
#include <string_view>

namespace siegel::ctl {

class RecordCounter {
 public:
  explicit RecordCounter(std::string_view format);  // csv, json, ndjson

  void add(std::string_view piece);
  [[nodiscard]] std::uint64_t count() const noexcept;

 private:
  enum class Format : std::uint8_t { csv, json, ndjson };

  Format format_;
  bool is_quoted_ = false;
  bool is_escaped_ = false;  // JSON: the character after a backslash
  unsigned depth_ = 0;       // JSON: of objects and lists
  std::uint64_t found_ = 0;  // rows with the header; objects; lines
};

}  // namespace siegel::ctl
