#include "ctl/record_counter.h"

namespace siegel::ctl {

RecordCounter::RecordCounter(std::string_view format)
    : format_(format == "csv"      ? Format::csv
              : format == "ndjson" ? Format::ndjson
                                   : Format::json) {}

void RecordCounter::add(std::string_view piece) {
  constexpr unsigned kDepthOfItems = 2;  // {"items":[
  for (const char c : piece) {
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (c == '"') {
      is_quoted_ = !is_quoted_;  // a doubled one of CSV, too: it does not matter in between
    } else if (c == '\\' && is_quoted_ && format_ != Format::csv) {
      is_escaped_ = true;
    } else if (!is_quoted_ && c == '\n' && format_ != Format::json) {
      ++found_;
    } else if (!is_quoted_ && (c == '{' || c == '[')) {
      if (format_ == Format::json && c == '{' && depth_ == kDepthOfItems) ++found_;
      ++depth_;
    } else if (!is_quoted_ && (c == '}' || c == ']')) {
      --depth_;
    }
  }
}

std::uint64_t RecordCounter::count() const noexcept {
  return format_ == Format::csv && found_ > 0 ? found_ - 1 : found_;
}

}  // namespace siegel::ctl
