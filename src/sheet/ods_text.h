// The text of a cell in ODF: paragraphs are lines, white space collapses, and what must not has elements of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace siegel::sheet {

class OdsText {
 public:
  void begin_paragraph();
  void end_paragraph();
  void add(std::string_view text);
  void add_spaces(std::uint64_t count);  // text:s
  void add_verbatim(char c);             // text:tab, text:line-break
  void limit(std::size_t bytes_max) noexcept { bytes_max_ = bytes_max; }
  std::string take();  // clears; one byte longer than the limit if it is too long

 private:
  bool has_room() const noexcept { return text_.size() <= bytes_max_; }

  std::string text_;
  std::size_t bytes_max_ = 0;
  bool has_paragraph_ = false;
  bool space_waits_ = false;  // white space that is told if anything follows it in its paragraph
  bool at_beginning_ = true;  // of the paragraph
};

}  // namespace siegel::sheet
