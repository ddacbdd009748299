#include "http/csv.h"

namespace siegel::http {
namespace {

void append_quoted(std::string& out, std::string_view before, std::string_view text) {
  (out += '"') += before;
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

// Digits and signs, or what only the server makes.
bool is_harmless(FieldType type) {
  switch (type) {
    case FieldType::phone:
    case FieldType::integer:
    case FieldType::decimal:
    case FieldType::date:
    case FieldType::datetime:
    case FieldType::boolean:
    case FieldType::geo:
    case FieldType::reference:
      return true;
    case FieldType::text:
    case FieldType::multiline:
    case FieldType::email:
    case FieldType::url:
    case FieldType::choice:
    case FieldType::multichoice:
    case FieldType::file:
    case FieldType::signature:
      return false;
  }
  return false;
}

}  // namespace

void append_csv_text(std::string& out, std::string_view text) {
  constexpr std::string_view kBegins = "=+-@\t\r";
  const bool is_formula = !text.empty() && kBegins.find(text.front()) != std::string_view::npos;
  append_quoted(out, is_formula ? "'" : "", text);
}

void append_csv_value(std::string& out, FieldType type, const Value& value) {
  std::string joined;
  const auto* text = std::get_if<std::string>(&value);
  if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    for (const auto& item : *items) (joined += joined.empty() ? "" : "; ") += item;
    text = &joined;
  }
  if (text == nullptr) text = &joined;  // no value
  if (is_harmless(type))
    append_quoted(out, "", *text);
  else
    append_csv_text(out, *text);
}

}  // namespace siegel::http
