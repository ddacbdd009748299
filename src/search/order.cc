#include "search/order.h"

#include <unicode/ucol.h>
#include <unicode/ustring.h>

#include <algorithm>

#include "base/assert.h"

namespace siegel::search {
namespace {

bool is_number(FieldType type) { return type == FieldType::integer || type == FieldType::decimal; }
bool is_words(FieldType type) {
  return type == FieldType::text || type == FieldType::multiline || type == FieldType::email ||
         type == FieldType::url || type == FieldType::choice || type == FieldType::multichoice;
}

// Sign, count of the digits before the point, digits. Of a negative number all of it is turned round, with an end
// above every digit: -1.5 comes behind -1.55.
Key key_of_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  auto whole = text.substr(0, text.find('.'));
  auto fraction = whole.size() < text.size() ? text.substr(whole.size() + 1) : std::string_view{};
  whole.remove_prefix(std::min(whole.size(), whole.find_first_not_of('0')));
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  const bool zero = whole.empty() && fraction.empty();
  const bool turned = negative && !zero;
  Key out;
  out.reserve(4 + whole.size() + fraction.size());
  out.push_back(turned ? '0' : '1');
  const auto add = [&](char c) { out.push_back(turned ? static_cast<char>('0' + '9' - c) : c); };
  add(static_cast<char>('0' + whole.size() / 10));
  add(static_cast<char>('0' + whole.size() % 10));
  std::ranges::for_each(whole, add);
  std::ranges::for_each(fraction, add);
  if (turned) out.push_back('~');
  return out;
}

Key key_of_words(const UCollator* collator, std::string_view text) {
  std::vector<UChar, WipingAllocator<UChar>> units(text.size());  // never more than bytes
  UErrorCode error = U_ZERO_ERROR;
  std::int32_t count = 0;
  u_strFromUTF8(units.data(), static_cast<std::int32_t>(units.size()), &count, text.data(),
                static_cast<std::int32_t>(text.size()), &error);
  SIEGEL_ASSERT(U_SUCCESS(error));  // values are UTF-8
  const auto size = ucol_getSortKey(collator, units.data(), count, nullptr, 0);
  Key out(static_cast<std::size_t>(size));
  ucol_getSortKey(collator, units.data(), count, reinterpret_cast<std::uint8_t*>(out.data()), size);
  return out;
}

UCollator* open_collator() {
  UErrorCode error = U_ZERO_ERROR;
  auto* out = ucol_open("de", &error);
  SIEGEL_ASSERT(U_SUCCESS(error));
  return out;
}

}  // namespace

Order::Order(FieldType type) : type_(type), words_(is_words(type) ? open_collator() : nullptr, ucol_close) {}
Order::~Order() = default;

Key Order::key(const Value& value) const {
  const auto* text = std::get_if<std::string>(&value);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value); list != nullptr && !list->empty())
    text = &list->front();
  if (text == nullptr || text->empty()) return {};
  if (words_) return key_of_words(words_.get(), *text);
  if (is_number(type_)) return key_of_number(*text);
  // Of a time without its Z: 10:00:00.500Z comes behind 10:00:00Z.
  const auto end = type_ == FieldType::datetime && text->ends_with('Z') ? text->end() - 1 : text->end();
  return {text->begin(), end};
}

}  // namespace siegel::search
