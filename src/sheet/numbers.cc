#include "sheet/numbers.h"

#include <algorithm>

namespace siegel::sheet {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::size_t digits_at(std::string_view text, std::size_t at) noexcept {
  std::size_t n = 0;
  while (at + n < text.size() && is_digit(text[at + n])) ++n;
  return n;
}

// The mark between groups that begins here: "" if there is none.
std::string_view group_mark(std::string_view rest, DecimalSign sign) noexcept {
  constexpr std::string_view kSpaces[] = {" ", "'", "\xC2\xA0", "\xE2\x80\xAF"};
  for (const auto space : kSpaces)
    if (rest.starts_with(space)) return rest.substr(0, space.size());
  const char other = sign == DecimalSign::comma ? '.' : ',';
  return rest.starts_with(other) ? rest.substr(0, 1) : std::string_view();
}

}  // namespace

bool NumberReading::is_zero() const noexcept {
  const auto none_but_zero = [](std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return c >= '1' && c <= '9'; });
  };
  return none_but_zero(whole) && none_but_zero(fraction);
}

std::string NumberReading::value() const {
  std::string out = negative ? "-" : "";
  out.reserve(whole.size() + fraction.size() + 2);
  std::copy_if(whole.begin(), whole.end(), std::back_inserter(out), is_digit);
  if (!fraction.empty()) (out += '.') += fraction;
  return out;
}

std::optional<NumberReading> read_number(std::string_view text, DecimalSign sign) noexcept {
  NumberReading out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  const auto first = digits_at(text, 0);
  if (first == 0) return std::nullopt;
  std::size_t at = first;
  out.whole_digits = first;
  out.group = group_mark(text.substr(at), sign);
  while (!out.group.empty() && text.substr(at).starts_with(out.group)) {
    if (digits_at(text, at + out.group.size()) != 3 || first > 3) return std::nullopt;
    at += out.group.size() + 3;
    out.whole_digits += 3;
  }
  out.whole = text.substr(0, at);
  out.leading_zero = out.whole.size() > 1 && out.whole.front() == '0';
  if (!out.group.empty() && out.leading_zero) return std::nullopt;  // 0.123 is a fraction, 01.234 nothing
  if (at == text.size()) return out;
  if (text[at] != (sign == DecimalSign::comma ? ',' : '.')) return std::nullopt;
  out.fraction = text.substr(at + 1);
  if (out.fraction.empty() || digits_at(out.fraction, 0) != out.fraction.size()) return std::nullopt;
  return out;
}

}  // namespace siegel::sheet
