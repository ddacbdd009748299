#include "sheet/shared_strings.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace siegel::sheet {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;
constexpr std::size_t kEscapeBytes = 7;  // _x000D_

// The code unit that is escaped at the beginning of `text`.
std::optional<unsigned> escaped_unit(std::string_view text) {
  if (text.size() < kEscapeBytes || text[0] != '_' || text[1] != 'x' || text[6] != '_') return std::nullopt;
  unsigned unit = 0;
  const auto [end, failed] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
  if (failed != std::errc() || end != text.data() + 6) return std::nullopt;
  return unit;
}

void append_utf8(std::string& to, unsigned point) {
  const auto more = [&](unsigned shift) { to += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    to += static_cast<char>(point);
  } else if (point < 0x800) {
    to += static_cast<char>(0xC0 | point >> 6);
    more(0);
  } else if (point < 0x10000) {
    to += static_cast<char>(0xE0 | point >> 12);
    more(6);
    more(0);
  } else {
    to += static_cast<char>(0xF0 | point >> 18);
    more(12);
    more(6);
    more(0);
  }
}

class StringsHandler final : public XmlHandler {
 public:
  StringsHandler(std::size_t cell_bytes_max, SharedStrings& out) : cell_bytes_max_(cell_bytes_max), out_(out) {}

  void begin(const XmlName& name, const XmlAttributes& /*attributes*/) override {
    if (!is_spreadsheetml(name.space)) return;
    if (name.local == "si") {
      in_item_ = true;
    } else if (in_item_) {
      runs_.begin(name.local);
    }
  }
  void end(const XmlName& name) override {
    if (!in_item_ || !is_spreadsheetml(name.space)) return;
    if (name.local != "si") return runs_.end(name.local);
    in_item_ = false;
    // A text that is too long is told by the cell that uses it: one byte too many is enough for that.
    if (auto added = out_.add(std::string_view(runs_.take()).substr(0, cell_bytes_max_ + 1)); !added)
      reader->fail(std::move(added).error());
  }
  void text(std::string_view text) override {
    if (in_item_) runs_.text(text, cell_bytes_max_);
  }

  XmlReader* reader = nullptr;

 private:
  std::size_t cell_bytes_max_;
  SharedStrings& out_;
  TextRuns runs_;
  bool in_item_ = false;
};

}  // namespace

bool is_spreadsheetml(std::string_view space) noexcept {
  return space == "http://schemas.openxmlformats.org/spreadsheetml/2006/main" ||
         space == "http://purl.oclc.org/ooxml/spreadsheetml/main";
}

std::string decoded_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto next = std::min(text.find('_', at), text.size());
    out += text.substr(at, next - at);
    at = next;
    const auto unit = escaped_unit(text.substr(at));
    const auto is_high = unit && *unit >= 0xD800 && *unit < 0xDC00;
    const auto low = is_high ? escaped_unit(text.substr(at + kEscapeBytes)) : std::nullopt;
    if (unit && *unit != 0 && (*unit < 0xD800 || *unit > 0xDFFF)) {
      append_utf8(out, *unit);
      at += kEscapeBytes;
    } else if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
      append_utf8(out, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
      at += 2 * kEscapeBytes;
    } else if (at < text.size()) {
      out += text[at++];
    }
  }
  return out;
}

void TextRuns::begin(std::string_view element) {
  if (element == "rPh") {
    ++phonetic_;
  } else if (element == "t") {
    in_text_ = phonetic_ == 0;
  }
}

void TextRuns::end(std::string_view element) {
  if (element == "rPh" && phonetic_ > 0) {
    --phonetic_;
  } else if (element == "t") {
    in_text_ = false;
  }
}

void TextRuns::text(std::string_view text, std::size_t bytes_max) {
  // Escaped characters take seven bytes of the file each.
  if (in_text_ && runs_.size() <= (kEscapeBytes + 1) * bytes_max) runs_ += text;
}

std::string TextRuns::take() {
  phonetic_ = 0;
  in_text_ = false;
  auto out = runs_.find("_x") == std::string::npos ? runs_ : decoded_text(runs_);
  runs_.clear();
  return out;
}

Status SharedStrings::add(std::string_view text) {
  bytes_ += text.size() + sizeof(Place);
  if (bytes_ > bytes_max_)
    return Error(Errc::invalid, "too_large", "Unpacked, the texts of the file are larger than this server takes.")
        .with("limit_name", "sheet_unpacked_bytes_max")
        .with("limit_value", bytes_max_);
  if (blocks_.empty() || blocks_.back().size() + text.size() > kBlockBytes)
    blocks_.emplace_back().reserve(std::max(kBlockBytes, text.size()));
  auto& block = blocks_.back();
  places_.push_back({static_cast<std::uint32_t>(blocks_.size() - 1), static_cast<std::uint32_t>(block.size()),
                     static_cast<std::uint32_t>(text.size())});
  block += text;
  return Done{};
}

std::string_view SharedStrings::at(std::size_t index) const noexcept {
  const auto& place = places_[index];
  return std::string_view(blocks_[place.block]).substr(place.offset, place.bytes);
}

Status read_shared_strings(Zip& zip, std::string_view part, std::size_t cell_bytes_max, SharedStrings& out) {
  StringsHandler handler(cell_bytes_max, out);
  return read_xml(zip, part, handler);
}

}  // namespace siegel::sheet
