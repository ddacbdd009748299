#include "sheet/words.h"

#include <algorithm>
#include <array>

namespace siegel::sheet {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Country {
  std::string_view code;     // ISO 3166-1 alpha-2
  std::string_view calling;  // ITU-T E.164
  std::string_view trunk;    // dialled before a national number
};
constexpr std::array<Country, 9> kCountries = {{{"DE", "49", "0"},
                                                {"AT", "43", "0"},
                                                {"CH", "41", "0"},
                                                {"BE", "32", "0"},
                                                {"NL", "31", "0"},
                                                {"FR", "33", "0"},
                                                {"GB", "44", "0"},
                                                {"SE", "46", "0"},
                                                {"FI", "358", "0"}}};

const Country* find(std::string_view code) noexcept {
  const auto* it = std::find_if(kCountries.begin(), kCountries.end(), [&](const auto& c) { return c.code == code; });
  return it == kCountries.end() ? nullptr : it;
}

constexpr std::size_t kInternationalDigitsMin = 7, kInternationalDigitsMax = 15;  // with the country code
constexpr std::size_t kNationalDigitsMin = 5;                                     // without the trunk prefix

std::optional<std::string> international(std::string digits) {
  if (digits.size() < kInternationalDigitsMin || digits.size() > kInternationalDigitsMax || digits.front() == '0')
    return std::nullopt;
  const bool trunk_kept = std::any_of(kCountries.begin(), kCountries.end(), [&](const auto& c) {  // +49 0521 …
    return digits.starts_with(c.calling) && digits[c.calling.size()] == c.trunk.front();
  });
  return trunk_kept ? std::nullopt : std::optional("+" + std::move(digits));
}

// Digits and what people put between them. "(0)" after a country code is no part of the number.
struct Dialled {
  std::string digits;
  bool plus = false;
  bool digits_only = true;
};
std::optional<Dialled> dialled(std::string_view text) {
  Dialled out;
  out.plus = text.starts_with('+');
  if (out.plus) text.remove_prefix(1);
  out.digits.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      out.digits.push_back(c);
    } else if (text.substr(i).starts_with("(0)") && (out.plus || out.digits.starts_with("00"))) {
      out.digits_only = false;
      i += 2;
    } else if (c == '-' || c == '/' || c == '(' || c == ')' || c == '.') {
      out.digits_only = false;
    } else if (c != ' ') {
      return std::nullopt;
    }
  }
  if (out.digits.empty() || out.digits.size() > kInternationalDigitsMax) return std::nullopt;
  return out;
}

}  // namespace

bool is_email(std::string_view text) noexcept {
  const auto at = text.find('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at > 64 || at + 1 == text.size()) return false;
  const auto domain = text.substr(at + 1);
  if (domain.find('@') != std::string_view::npos || domain.find('.') == std::string_view::npos ||
      domain.front() == '.' || domain.back() == '.' || domain.front() == '-' ||
      domain.find("..") != std::string_view::npos)
    return false;
  constexpr std::string_view kForbidden = "<>\"(),;:\\[]\x7F";
  return std::none_of(text.begin(), text.end(), [&](char c) {
    return static_cast<unsigned char>(c) <= ' ' || kForbidden.find(c) != std::string_view::npos;
  });
}

std::string email_value(std::string_view text) {
  std::string out(text);
  std::transform(out.begin() + static_cast<std::ptrdiff_t>(out.find('@') + 1), out.end(),
                 out.begin() + static_cast<std::ptrdiff_t>(out.find('@') + 1), lower);
  return out;
}

bool is_url(std::string_view text) noexcept {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos || text.size() > 2048) return false;
  const auto is = [&](std::string_view name) {
    return scheme == name.size() &&
           std::equal(name.begin(), name.end(), text.begin(), [](char a, char b) { return a == lower(b); });
  };
  if (!is("http") && !is("https")) return false;
  const auto authority = text.substr(scheme + 3, text.find_first_of("/?#", scheme + 3) - scheme - 3);
  if (authority.empty() || authority.find('@') != std::string_view::npos) return false;
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7F'; });
}

std::optional<PhoneReading> read_phone(std::string_view text, std::string_view country) {
  auto found = dialled(text);
  if (!found) return std::nullopt;
  PhoneReading out;
  out.digits_only = found->digits_only;
  const bool zeros = !found->plus && found->digits.starts_with("00");
  if (found->plus || zeros) {
    if (zeros) out.digits_only = false;  // 00 becomes +, so the text is not given back
    auto number = international(zeros ? found->digits.substr(2) : std::move(found->digits));
    if (!number) return std::nullopt;
    out.e164 = std::move(*number);
    return out;
  }
  const auto* here = find(country);
  if (here == nullptr || !found->digits.starts_with(here->trunk)) return std::nullopt;
  const auto digits = found->digits.substr(here->trunk.size());
  if (digits.size() < kNationalDigitsMin) return std::nullopt;
  auto number = international(std::string(here->calling) + digits);
  if (!number) return std::nullopt;
  out.national = true;
  out.e164 = std::move(*number);
  return out;
}

std::optional<std::string> national_phone(std::string_view e164, std::string_view country) {
  const auto* here = find(country);
  if (here == nullptr || !e164.starts_with('+') || !e164.substr(1).starts_with(here->calling)) return std::nullopt;
  return std::string(here->trunk) + std::string(e164.substr(1 + here->calling.size()));
}

}  // namespace siegel::sheet
