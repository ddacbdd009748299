#include "sheet/ods_text.h"

#include <algorithm>
#include <utility>

namespace siegel::sheet {

void OdsText::begin_paragraph() {
  if (has_paragraph_ && has_room()) text_ += '\n';
  has_paragraph_ = true;
  at_beginning_ = true;
  space_waits_ = false;
}

void OdsText::end_paragraph() { space_waits_ = false; }

void OdsText::add(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  while (!text.empty() && has_room()) {
    const auto word = text.substr(0, text.find_first_of(kSpaces));
    if (word.empty()) {
      space_waits_ = !at_beginning_;
      text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
      continue;
    }
    if (space_waits_) text_ += ' ';
    text_ += word;
    space_waits_ = at_beginning_ = false;
    text.remove_prefix(word.size());
  }
}

void OdsText::add_verbatim(char c) {
  if (!has_room()) return;
  add_spaces(0);
  text_ += c;
}

void OdsText::add_spaces(std::uint64_t count) {
  if (!has_room()) return;
  if (space_waits_) text_ += ' ';
  text_.append(static_cast<std::size_t>(std::min<std::uint64_t>(count, bytes_max_ + 1)), ' ');
  space_waits_ = at_beginning_ = false;
}

std::string OdsText::take() {
  has_paragraph_ = space_waits_ = false;
  at_beginning_ = true;
  return std::exchange(text_, {});
}

}  // namespace siegel::sheet
