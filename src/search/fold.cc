#include "search/fold.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <algorithm>

#include "base/assert.h"

namespace siegel::search {
namespace {

using Units = std::vector<UChar, WipingAllocator<UChar>>;

struct Umlaut {
  char letter;
  std::string_view text;   // as it stands in a fold
  std::string_view plain;  // the letter
  std::string_view pair;   // with an e
};
constexpr Umlaut kUmlauts[] = {
    {'a', "\xC3\xA4", "a", "ae"}, {'o', "\xC3\xB6", "o", "oe"}, {'u', "\xC3\xBC", "u", "ue"}};

constexpr UChar32 kDiaeresis = 0x308;

// More marks than this on one letter are no text (UAX #15, Stream-Safe Text Format), and ICU's time goes with their
// square.
constexpr int kMarksMax = 30;

// Marks of these blocks are accents. Those of other scripts are letters of their own.
bool is_accent(UChar32 c) {
  return (c >= 0x300 && c <= 0x36F) || (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF) ||
         (c >= 0x20D0 && c <= 0x20FF);
}

// Letters with a stroke and the like, which no decomposition takes apart.
std::string_view plain_form(UChar32 c) {
  switch (c) {
    case 0xE6:
      return "ae";
    case 0xF0:
    case 0x111:
      return "d";
    case 0xF8:
      return "o";
    case 0xFE:
      return "th";
    case 0x127:
      return "h";
    case 0x131:
      return "i";
    case 0x142:
      return "l";
    case 0x153:
      return "oe";
    default:
      return {};
  }
}

void append(Key& to, std::string_view text) { to.insert(to.end(), text.begin(), text.end()); }

void append_utf8(Key& to, UChar32 c) {
  char bytes[U8_MAX_LENGTH];
  int32_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, c);
  append(to, {bytes, static_cast<std::size_t>(size)});
}

Units normalized(const UNormalizer2* form, const Units& text) {
  // Room for every text that is not made to grow, so that ICU keeps no copy of its own.
  Units out(text.size() * 4 + 32);
  UErrorCode error = U_ZERO_ERROR;
  auto size = unorm2_normalize(form, text.data(), static_cast<int32_t>(text.size()), out.data(),
                               static_cast<int32_t>(out.size()), &error);
  if (error == U_BUFFER_OVERFLOW_ERROR) {
    out.resize(static_cast<std::size_t>(size));
    error = U_ZERO_ERROR;
    size = unorm2_normalize(form, text.data(), static_cast<int32_t>(text.size()), out.data(), size, &error);
  }
  SIEGEL_ASSERT(U_SUCCESS(error) || error == U_STRING_NOT_TERMINATED_WARNING);
  out.resize(static_cast<std::size_t>(size));
  return out;
}

const UNormalizer2* instance(const UNormalizer2* (*make)(UErrorCode*)) {
  UErrorCode error = U_ZERO_ERROR;
  const auto* out = make(&error);
  SIEGEL_ASSERT(U_SUCCESS(error));
  return out;
}

// Marks beyond kMarksMax in a row are left out.
Units stream_safe(const Units& text) {
  Units out;
  out.reserve(text.size());
  const auto end = static_cast<int32_t>(text.size());
  int marks = 0;
  for (int32_t at = 0; at < end;) {
    const auto from = at;
    UChar32 c = 0;
    U16_NEXT(text.data(), at, end, c);
    marks = u_getCombiningClass(c) == 0 ? 0 : marks + 1;
    if (marks <= kMarksMax) out.insert(out.end(), text.begin() + from, text.begin() + at);
  }
  return out;
}

Units decomposed(std::string_view text) {
  static const UNormalizer2* const casefold = instance(unorm2_getNFKCCasefoldInstance);
  static const UNormalizer2* const decompose = instance(unorm2_getNFDInstance);
  Units units(text.size() + 1);
  int32_t size = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strFromUTF8WithSub(units.data(), static_cast<int32_t>(units.size()), &size, text.data(),
                       static_cast<int32_t>(text.size()), 0xFFFD, nullptr, &error);
  SIEGEL_ASSERT(U_SUCCESS(error));
  units.resize(static_cast<std::size_t>(size));
  return normalized(decompose, normalized(casefold, stream_safe(units)));
}

void append_space(Key& to) {
  if (!to.empty() && to.back() != ' ') to.push_back(' ');
}

Key fold_any(std::string_view text) {
  Key out;
  out.reserve(text.size() + 4);
  const auto units = decomposed(text);
  const auto end = static_cast<int32_t>(units.size());
  for (int32_t at = 0; at < end;) {
    UChar32 c = 0;
    U16_NEXT(units.data(), at, end, c);
    if (is_accent(c)) {
      const auto* umlaut = std::ranges::find(kUmlauts, out.empty() ? '\0' : out.back(), &Umlaut::letter);
      if (c != kDiaeresis || umlaut == std::end(kUmlauts)) continue;
      out.pop_back();
      append(out, umlaut->text);
    } else if (u_isUWhiteSpace(c)) {
      append_space(out);
    } else if (const auto plain = plain_form(c); !plain.empty()) {
      append(out, plain);
    } else {
      append_utf8(out, c);
    }
  }
  return out;
}

// Most of what there is.
Key fold_ascii(std::string_view text) {
  Key out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      append_space(out);
    } else {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
  }
  return out;
}

Key fold_phone(std::string_view text) {
  Key out;
  for (const char c : text)
    if ((c >= '0' && c <= '9') || (c == '+' && out.empty())) out.push_back(c);
  if (out.size() >= 2 && out[0] == '0' && out[1] == '0') {
    out.erase(out.begin());
    out.front() = '+';
  }
  return out;
}

}  // namespace

Key fold(FieldType type, std::string_view text) {
  if (type == FieldType::phone) return fold_phone(text);
  const bool ascii = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  auto out = ascii ? fold_ascii(text) : fold_any(text);
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool has_words(FieldType type) { return type == FieldType::text; }

std::vector<std::string_view> later_words(std::string_view fold) {
  constexpr std::size_t kLaterMax = 7;
  std::vector<std::string_view> out;
  bool in_word = false;
  const auto size = static_cast<std::int32_t>(fold.size());
  for (std::int32_t at = 0; at < size && out.size() < kLaterMax;) {
    const auto begin = at;
    UChar32 c = 0;
    U8_NEXT(fold.data(), at, size, c);  // NOLINT(bugprone-inc-dec-in-conditions): ICU's; each && ends a step
    const bool letter = c < 0 || u_isalnum(c) || u_charType(c) == U_NON_SPACING_MARK;
    if (letter && !in_word && begin > 0) out.push_back(fold.substr(static_cast<std::size_t>(begin)));
    in_word = letter;
  }
  return out;
}

Choices choices_at(std::string_view wanted, std::size_t at) {
  const auto rest = wanted.substr(at);
  Choices out;
  const auto add = [&](std::string_view key, std::size_t size) { out.list[out.count++] = {key, size}; };
  for (const auto& umlaut : kUmlauts) {
    if (rest.front() == umlaut.letter) {
      add(umlaut.plain, 1);
      add(umlaut.text, 1);
      if (rest.starts_with(umlaut.pair)) add(umlaut.text, 2);
    } else if (rest.starts_with(umlaut.text)) {
      for (const auto form : {umlaut.text, umlaut.plain, umlaut.pair}) add(form, umlaut.text.size());
    }
  }
  if (out.count == 0) add(rest.substr(0, 1), 1);
  return out;
}

namespace {

bool meets_from_its_beginning(std::string_view wanted, bool whole, std::string_view key) {
  struct Place {
    std::size_t wanted = 0, key = 0;
  };
  // Where another choice would go on. Never more than one: after "ae" for an "ä" both ways see nothing but e before
  // they meet the next letter with a choice.
  std::vector<Place> other_ways;
  for (Place at;;) {
    if (at.wanted == wanted.size() && (!whole || at.key == key.size())) return true;
    std::size_t ways = 0;
    Place next;
    if (at.wanted < wanted.size()) {
      const auto choices = choices_at(wanted, at.wanted);
      for (std::size_t i = 0; i < choices.count; ++i) {
        const auto& choice = choices.list[i];
        if (!key.substr(at.key).starts_with(choice.key)) continue;
        const Place there{at.wanted + choice.wanted, at.key + choice.key.size()};
        if (ways++ == 0) {
          next = there;
        } else {
          other_ways.push_back(there);
        }
      }
    }
    if (ways == 0) {
      if (other_ways.empty()) return false;
      next = other_ways.back();
      other_ways.pop_back();
    }
    at = next;
  }
}

}  // namespace

bool meets(std::string_view wanted, Op op, std::string_view key, bool words) {
  if (meets_from_its_beginning(wanted, op == Op::exact, key)) return true;
  return words && op == Op::word && std::ranges::any_of(later_words(key), [&](std::string_view word) {
           return meets_from_its_beginning(wanted, false, word);
         });
}

}  // namespace siegel::search
