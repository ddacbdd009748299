#include "model/field.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/secret.h"
#include "base/text.h"
#include "base/time.h"

namespace siegel {
namespace {

constexpr std::array<std::string_view, 17> kTypes = {
    "",         "text",    "multiline", "email",       "phone",     "url",  "integer",   "decimal", "date",
    "datetime", "boolean", "choice",    "multichoice", "reference", "file", "signature", "geo"};

Error bad(const char* reason, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "bad_value", "A value does not fit the type of its field.", at).with("reason", reason);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

Result<Value> email(std::string_view text) {
  const auto at = text.find('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at > 64 || at + 1 == text.size() ||
      text.find('@', at + 1) != std::string_view::npos)
    return bad("bad_email");
  const auto domain = text.substr(at + 1);
  if (domain.find('.') == std::string_view::npos || domain.front() == '.' || domain.back() == '.' ||
      domain.find("..") != std::string_view::npos || domain.front() == '-')
    return bad("bad_email");
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == '"' || c == '(' || c == ')' || c == ',' ||
        c == ';' || c == ':' || c == '\\' || c == '[' || c == ']' || c == 0x7F)
      return bad("bad_email");
  return Value(std::string(text.substr(0, at + 1)) + lowered(domain));
}

Result<Value> phone(std::string_view text) {
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      ++digits;
    } else if (!(c == '+' && i == 0) && c != ' ' && c != '-' && c != '/' && c != '(' && c != ')' && c != '.') {
      return bad("bad_phone");
    }
  }
  if (digits < 3 || digits > 15) return bad("bad_phone");
  return Value(std::string(text));
}

Result<Value> url(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos || text.size() > 2048) return bad("bad_url");
  const auto name = lowered(text.substr(0, scheme));
  if (name != "http" && name != "https") return bad("bad_url");
  const auto authority = text.substr(scheme + 3, text.find_first_of("/?#", scheme + 3) - scheme - 3);
  if (authority.empty() || authority.find('@') != std::string_view::npos) return bad("bad_url");
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F) return bad("bad_url");
  return Value(std::string(text));
}

Result<Value> number(std::string_view text, bool fraction_allowed) {
  auto rest = text;
  if (!rest.empty() && rest.front() == '-') rest.remove_prefix(1);
  const auto dot = rest.find('.');
  const auto whole = rest.substr(0, dot);
  const auto fraction = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  if (!all_digits(whole) || (whole.size() > 1 && whole.front() == '0')) return bad("bad_number");
  if (dot != std::string_view::npos && (!fraction_allowed || !all_digits(fraction))) return bad("bad_number");
  if (whole.size() + fraction.size() > 38) return bad("number_too_long");
  const bool zero = whole.find_first_not_of('0') == std::string_view::npos &&
                    fraction.find_first_not_of('0') == std::string_view::npos;
  if (zero && text.front() == '-') return bad("bad_number");
  return Value(std::string(text));
}

Result<Value> geo(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == std::string_view::npos) return bad("bad_geo");
  const auto within = [](std::string_view part, double degrees) {
    double value = 0;
    return number(part, true) && std::from_chars(part.data(), part.data() + part.size(), value).ec == std::errc{} &&
           std::abs(value) <= degrees;
  };
  if (!within(text.substr(0, comma), 90) || !within(text.substr(comma + 1), 180)) return bad("bad_geo");
  return Value(std::string(text));
}

}  // namespace

void wipe_texts(Values& values) noexcept {
  const auto wipe_text = [](const std::string& text) {
    auto& own = const_cast<std::string&>(text);  // the values are the caller's own, and end here
    wipe(own.data(), own.size());
  };
  for (const auto& value : values) {
    if (const auto* text = std::get_if<std::string>(&value.value.expose())) wipe_text(*text);
    if (const auto* items = std::get_if<std::vector<std::string>>(&value.value.expose()))
      std::for_each(items->begin(), items->end(), wipe_text);
  }
}

std::string_view name_of(FieldType type) noexcept { return kTypes[static_cast<std::size_t>(type) % kTypes.size()]; }

std::optional<FieldType> parse_field_type(std::string_view text) noexcept {
  for (std::size_t i = 1; i < kTypes.size(); ++i)
    if (kTypes[i] == text) return static_cast<FieldType>(i);
  return std::nullopt;
}

Result<Value> canonical_value(FieldType type, const std::vector<std::string>& choices, std::string_view text) {
  if (text.empty()) return Value(Null{});
  if (text.size() > kTextBytesMax) return bad("too_long");
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos) return bad("bad_text");
  switch (type) {
    case FieldType::text:
      if (text.find_first_of("\r\n") != std::string_view::npos) return bad("line_break");
      return Value(std::string(text));
    case FieldType::multiline:
      return Value(std::string(text));
    case FieldType::email:
      return email(text);
    case FieldType::phone:
      return phone(text);
    case FieldType::url:
      return url(text);
    case FieldType::integer:
      return number(text, false);
    case FieldType::decimal:
      return number(text, true);
    case FieldType::date:
      if (!parse_iso_date(text)) return bad("bad_date");
      return Value(std::string(text));
    case FieldType::datetime: {
      const auto time = parse_rfc3339(text);
      if (!time) return bad("bad_datetime");
      return Value(to_rfc3339(*time));
    }
    case FieldType::boolean:
      if (text != "true" && text != "false") return bad("bad_boolean");
      return Value(std::string(text));
    case FieldType::choice:
      if (std::find(choices.begin(), choices.end(), text) == choices.end()) return bad("unknown_choice");
      return Value(std::string(text));
    case FieldType::multichoice:
      return canonical_values(choices, {std::string(text)});
    case FieldType::reference:
      if (!parse_id("re", text)) return bad("bad_reference");
      return Value(std::string(text));
    case FieldType::file:
    case FieldType::signature:
      return bad("no_storage_yet");
    case FieldType::geo:
      return geo(text);
  }
  return bad("unknown_type");
}

Result<Value> canonical_values(const std::vector<std::string>& choices, std::vector<std::string> items) {
  if (items.empty()) return Value(Null{});
  std::vector<std::string> seen;
  for (const auto& item : items) {
    if (std::find(choices.begin(), choices.end(), item) == choices.end()) return bad("unknown_choice");
    if (std::find(seen.begin(), seen.end(), item) != seen.end()) return bad("choice_twice");
    seen.push_back(item);
  }
  return Value(std::move(items));
}

std::string match_form(FieldType type, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return {};
  if (type == FieldType::email) return lowered(*text);
  if (type == FieldType::phone) {
    std::string out;
    for (const char c : *text)
      if (is_digit(c) || c == '+') out.push_back(c);
    if (out.starts_with("00")) out = "+" + out.substr(2);
    return out;
  }
  return *text;
}

}  // namespace siegel
