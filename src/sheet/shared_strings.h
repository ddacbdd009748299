// The texts of a workbook in OOXML: runs joined, phonetic ones left out, and the pool of those that cells share.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sheet/xml.h"

namespace siegel::sheet {

bool is_spreadsheetml(std::string_view space) noexcept;  // the namespace, transitional or strict

// The content of si and is: t, r/t; not rPh/t.
class TextRuns {
 public:
  void begin(std::string_view element);
  void end(std::string_view element);
  // What is longer than any cell may be is cut off, beyond bytes_max.
  void text(std::string_view text, std::size_t bytes_max);
  std::string take();  // with _xHHHH_ decoded, where it stands for a character; clears

 private:
  std::string runs_;
  unsigned phonetic_ = 0;
  bool in_text_ = false;
};

std::string decoded_text(std::string_view text);  // _x000D_ is CR, _x005F_ is "_"

// Held in blocks: no growing string is ever copied.
class SharedStrings {
 public:
  // too_large, if all together would hold more bytes than that.
  explicit SharedStrings(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  Status add(std::string_view text);
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  [[nodiscard]] std::string_view at(std::size_t index) const noexcept;

 private:
  struct Place {
    std::uint32_t block;
    std::uint32_t offset;
    std::uint32_t bytes;
  };
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::vector<std::string> blocks_;
  std::deque<Place> places_;
};

Status read_shared_strings(Zip& zip, std::string_view part, std::size_t cell_bytes_max, SharedStrings& out);

}  // namespace siegel::sheet
