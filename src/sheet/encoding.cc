#include "sheet/encoding.h"

#include <unicode/ucnv.h>

#include <algorithm>

#include "base/text.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kSampleBytes = 64 * 1024;  // looked at for zero bytes
constexpr std::string_view kMarkUtf8 = "\xEF\xBB\xBF";
constexpr std::string_view kMarkLe = "\xFF\xFE";
constexpr std::string_view kMarkBe = "\xFE\xFF";
constexpr Encoding kEncodings[] = {Encoding::utf8, Encoding::utf16le, Encoding::utf16be, Encoding::windows1252};

Error bad_encoding(const char* what, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "bad_encoding", what, at);
}

std::uint64_t line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::uint64_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

std::optional<Encoding> utf16_by_zeros(std::string_view text) {
  const auto sample = text.substr(0, kSampleBytes);
  std::size_t zeros[2] = {};
  for (std::size_t i = 0; i < sample.size(); ++i)
    if (sample[i] == '\0') ++zeros[i % 2];
  const auto pairs = sample.size() / 2;
  if (zeros[1] * 2 >= pairs && zeros[0] * 10 < pairs) return Encoding::utf16le;
  if (zeros[0] * 2 >= pairs && zeros[1] * 10 < pairs) return Encoding::utf16be;
  return std::nullopt;
}

// What stands above ASCII: whole UTF-8 sequences, and bytes that are part of none.
struct Survey {
  std::size_t sequences = 0;
  std::size_t strays = 0;
  std::size_t first_stray = 0;
};

Survey survey_of(std::string_view text) {
  Survey out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (i + size <= text.size() && is_utf8(text.substr(i, size))) {
      ++out.sequences;
      i += size;
    } else {
      if (out.strays++ == 0) out.first_stray = i;
      ++i;
    }
  }
  return out;
}

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Offset of a byte that no text in Windows-1252 has: unassigned, or a quotation mark within a word, which is ä, ö or Ö
// in the code pages of DOS.
std::size_t find_foreign_to_1252(std::string_view text) {
  constexpr std::string_view kUnassigned = "\x81\x8D\x8F\x90\x9D";
  constexpr std::string_view kQuotation = "\x84\x94\x99";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x80) continue;
    if (kUnassigned.find(text[i]) != std::string_view::npos) return i;
    const bool within = i > 0 && i + 1 < text.size() && is_letter(text[i - 1]) && is_letter(text[i + 1]);
    if (within && kQuotation.find(text[i]) != std::string_view::npos) return i;
  }
  return std::string_view::npos;
}

Result<FoundEncoding> wanted_encoding(std::string_view text, std::string_view wanted) {
  const auto* const known = std::ranges::find(kEncodings, wanted, [](Encoding e) { return name_of(e); });
  if (known == std::end(kEncodings))
    return bad_encoding("The encoding is none of utf-8, utf-16le, utf-16be, windows-1252.");
  FoundEncoding out{*known, 0};
  if (*known == Encoding::utf8 && text.starts_with(kMarkUtf8)) out.mark_bytes = kMarkUtf8.size();
  if (*known == Encoding::utf16le && text.starts_with(kMarkLe)) out.mark_bytes = kMarkLe.size();
  if (*known == Encoding::utf16be && text.starts_with(kMarkBe)) out.mark_bytes = kMarkBe.size();
  return out;
}

class Utf8Source final : public TextSource {
 public:
  explicit Utf8Source(std::string_view text) : rest_(text) {}
  Result<bool> more(std::string& to) override {
    const auto chunk = rest_.substr(0, kChunkBytes);
    to.append(chunk);
    rest_.remove_prefix(chunk.size());
    return !chunk.empty();
  }

 private:
  std::string_view rest_;
};

struct CloseConverter {
  void operator()(UConverter* converter) const noexcept { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

class ConvertedSource final : public TextSource {
 public:
  ConvertedSource(std::string_view text, Encoding encoding) : at_(text.data()), end_(text.data() + text.size()) {
    from_.reset(ucnv_open(std::string(name_of(encoding)).c_str(), &failed_));
    to_.reset(ucnv_open("utf-8", &failed_));
    if (U_SUCCESS(failed_))
      ucnv_setToUCallBack(from_.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &failed_);
    if (U_SUCCESS(failed_))
      ucnv_setFromUCallBack(to_.get(), UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &failed_);
  }

  Result<bool> more(std::string& to) override {
    if (U_FAILURE(failed_)) return bad_encoding("The text cannot be converted to UTF-8.");
    if (done_) return false;
    const auto had = to.size();
    to.resize(had + kChunkBytes);
    char* out = to.data() + had;
    UErrorCode status = U_ZERO_ERROR;
    ucnv_convertEx(to_.get(), from_.get(), &out, to.data() + to.size(), &at_, end_, pivot_, &pivot_source_,
                   &pivot_target_, std::end(pivot_), false, true, &status);
    to.resize(static_cast<std::size_t>(out - to.data()));
    if (status == U_BUFFER_OVERFLOW_ERROR) return true;
    done_ = true;
    if (U_FAILURE(status)) {
      failed_ = status;
      return bad_encoding("The text has bytes that its encoding does not know; save it as UTF-8.");
    }
    return to.size() > had;
  }

 private:
  const char* at_;
  const char* end_;
  Converter from_, to_;
  UErrorCode failed_ = U_ZERO_ERROR;
  UChar pivot_[1024] = {};
  UChar* pivot_source_ = pivot_;
  UChar* pivot_target_ = pivot_;
  bool done_ = false;
};

}  // namespace

std::string_view name_of(Encoding encoding) noexcept {
  switch (encoding) {
    case Encoding::utf8:
      return "utf-8";
    case Encoding::utf16le:
      return "utf-16le";
    case Encoding::utf16be:
      return "utf-16be";
    case Encoding::windows1252:
      return "windows-1252";
  }
  return "";
}

Result<FoundEncoding> find_encoding(ByteView bytes, const std::optional<std::string>& wanted) {
  const auto text = as_chars(bytes);
  if (wanted) return wanted_encoding(text, *wanted);
  if (text.starts_with(std::string_view("\xFF\xFE\0\0", 4)) || text.starts_with(std::string_view("\0\0\xFE\xFF", 4)))
    return bad_encoding("The text is UTF-32; save it as UTF-8.").with("row", 1);
  if (text.starts_with(kMarkLe)) return FoundEncoding{Encoding::utf16le, kMarkLe.size()};
  if (text.starts_with(kMarkBe)) return FoundEncoding{Encoding::utf16be, kMarkBe.size()};
  if (const auto utf16 = utf16_by_zeros(text); utf16 && text.size() >= 2) return FoundEncoding{*utf16, 0};
  const bool marked = text.starts_with(kMarkUtf8);
  const auto survey = survey_of(text);
  if (survey.strays == 0) return FoundEncoding{Encoding::utf8, marked ? kMarkUtf8.size() : 0};
  if (marked || survey.sequences >= survey.strays)
    return bad_encoding("The text is UTF-8 with broken characters; save it anew, or name its encoding.")
        .with("row", line_at(text, survey.first_stray));
  if (const auto foreign = find_foreign_to_1252(text); foreign != std::string_view::npos)
    return bad_encoding("The text is neither UTF-8 nor Windows-1252; save it as UTF-8.")
        .with("row", line_at(text, foreign));
  return FoundEncoding{Encoding::windows1252, 0};
}

std::unique_ptr<TextSource> text_source(ByteView bytes, const FoundEncoding& found) {
  const auto text = as_chars(bytes).substr(found.mark_bytes);
  if (found.encoding == Encoding::utf8) return std::make_unique<Utf8Source>(text);
  return std::make_unique<ConvertedSource>(text, found.encoding);
}

}  // namespace siegel::sheet
