#include "http/message.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace siegel::http {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool equal_names(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

Error bad_value(const char* what) { return {Errc::invalid, "bad_value", what}; }

enum class Plus : bool { literal, space };

Result<std::string> unescape(std::string_view raw, Plus plus) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (c == '+' && plus == Plus::space) {
      out += ' ';
    } else if (c != '%') {
      out += c;
    } else {
      const int high = i + 2 < raw.size() ? hex_value(raw[i + 1]) : -1;
      const int low = i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
      if (high < 0 || low < 0) return bad_value("A percent escape is not followed by two hexadecimal digits.");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!is_utf8(out)) return bad_value("Unescaped text is not UTF-8.");
  return out;
}

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::string_view name_of(Method method) noexcept {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "other";
}

void Headers::add(std::string_view name, std::string_view value) {
  const auto at = [this] { return static_cast<std::uint32_t>(text_.size()); };
  const auto name_at = at();
  text_ += name;
  const auto value_at = at();
  text_ += value;
  places_.push_back(
      {name_at, static_cast<std::uint32_t>(name.size()), value_at, static_cast<std::uint32_t>(value.size())});
}

std::optional<std::string_view> Headers::find(std::string_view wanted) const noexcept {
  for (const auto& place : places_)
    if (equal_names(name(place), wanted)) return std::string_view(text_).substr(place.value_at, place.value_bytes);
  return std::nullopt;
}

std::size_t Headers::count(std::string_view wanted) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(places_.begin(), places_.end(), [&](const Place& p) { return equal_names(name(p), wanted); }));
}

const std::string* Request::query_value(std::string_view name) const noexcept {
  for (const auto& pair : query)
    if (pair.name == name) return &pair.value;
  return nullptr;
}

Result<std::vector<QueryPair>> parse_form(std::string_view text) {
  const auto refused = [](const std::string& part) {
    return std::any_of(part.begin(), part.end(),
                       [](char c) { return is_control(c) && c != '\t' && c != '\r' && c != '\n'; });
  };
  std::vector<QueryPair> pairs;
  while (!text.empty()) {
    const auto piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    SIEGEL_TRY(name, unescape(piece.substr(0, equals), Plus::space));
    SIEGEL_TRY(value, unescape(equals == piece.npos ? std::string_view{} : piece.substr(equals + 1), Plus::space));
    if (refused(name) || refused(value)) return bad_value("A parameter holds a control character.");
    if (std::any_of(pairs.begin(), pairs.end(), [&](const QueryPair& p) { return p.name == name; }))
      return bad_value("A parameter stands there twice.");
    pairs.push_back({std::move(name), std::move(value)});
  }
  return pairs;
}

Result<std::string> decode_path(std::string_view raw) {
  SIEGEL_TRY(path, unescape(raw, Plus::literal));
  if (std::any_of(path.begin(), path.end(), is_control)) return bad_value("The path holds a control character.");
  if (std::count(path.begin(), path.end(), '/') != std::count(raw.begin(), raw.end(), '/'))
    return bad_value("The path holds an escaped slash.");
  return path;
}

}  // namespace siegel::http
