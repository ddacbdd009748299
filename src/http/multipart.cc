#include "http/multipart.h"

#include <algorithm>

namespace siegel::http {
namespace {

constexpr std::size_t kPartsMax = 16;
constexpr std::size_t kBoundaryBytesMax = 70;

Error malformed() {
  return Error(Errc::invalid, "bad_value", "The body is not the multipart form that it says it is.");
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The value of a parameter after the first ";": name=value or name="value".
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  auto at = header.find(';');
  while (at != header.npos) {
    auto rest = header.substr(at + 1);
    const auto equals = rest.find('=');
    if (equals == rest.npos) return std::nullopt;
    const auto key = lower(trimmed(rest.substr(0, equals)));
    auto value = rest.substr(equals + 1);
    std::size_t end = 0;
    std::string out;
    if (value.starts_with('"')) {
      for (end = 1; end < value.size() && value[end] != '"'; ++end) {
        if (value[end] == '\\' && end + 1 < value.size()) ++end;
        out.push_back(value[end]);
      }
    } else {
      end = std::min(value.find(';'), value.size());
      out = trimmed(value.substr(0, end));
    }
    if (key == name) return out;
    const auto next = value.find(';', end);
    at = next == value.npos ? header.npos : static_cast<std::size_t>(value.data() - header.data()) + next;
  }
  return std::nullopt;
}

std::string media_type(std::string_view header) { return lower(trimmed(header.substr(0, header.find(';')))); }

Result<FormPart> parse_part(std::string_view text) {
  const auto end = text.find("\r\n\r\n");
  if (end == text.npos) return malformed();
  FormPart out;
  out.content = text.substr(end + 4);
  auto headers = text.substr(0, end + 2);
  while (!headers.empty()) {
    const auto line_end = headers.find("\r\n");
    const auto line = headers.substr(0, line_end);
    headers.remove_prefix(line_end + 2);
    const auto colon = line.find(':');
    if (colon == line.npos) return malformed();
    const auto name = lower(line.substr(0, colon));
    const auto value = trimmed(line.substr(colon + 1));
    if (name == "content-disposition") {
      if (media_type(value) != "form-data") return malformed();
      out.name = parameter(value, "name").value_or("");
    } else if (name == "content-type") {
      out.content_type = media_type(value);
    }
  }
  if (out.name.empty()) return malformed();
  return out;
}

}  // namespace

std::optional<std::string> boundary_of(std::string_view content_type) {
  if (media_type(content_type) != "multipart/form-data") return std::nullopt;
  auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryBytesMax) return std::nullopt;
  return boundary;
}

Result<std::vector<FormPart>> parse_multipart(std::string_view body, std::string_view boundary) {
  const auto dashes = "--" + std::string(boundary);
  const auto between = "\r\n" + dashes;
  if (!body.starts_with(dashes)) return malformed();
  body.remove_prefix(dashes.size());
  std::vector<FormPart> out;
  for (;;) {
    if (body.starts_with("--")) return out;
    if (!body.starts_with("\r\n") || out.size() == kPartsMax) return malformed();
    body.remove_prefix(2);
    const auto end = body.find(between);
    if (end == body.npos) return malformed();
    SIEGEL_TRY(part, parse_part(body.substr(0, end)));
    out.push_back(std::move(part));
    body.remove_prefix(end + between.size());
  }
}

}  // namespace siegel::http
