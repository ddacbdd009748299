#include "ctl/fields.h"

#include <algorithm>

namespace siegel::ctl {
namespace {

std::string text_of(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool equal_but_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

template <class Equal>
const Field* find_with(const std::vector<Field>& fields, std::string_view column, Equal equal) {
  for (const auto& field : fields) {
    const auto is_it = [&](const std::string& title) { return equal(title, column); };
    if (is_it(field.name) || std::any_of(field.titles.begin(), field.titles.end(), is_it)) return &field;
  }
  return nullptr;
}

}  // namespace

const Field* RecordType::find(std::string_view column) const {
  column = sheet::trimmed(column);
  const auto* exact = find_with(fields, column, [](std::string_view a, std::string_view b) { return a == b; });
  return exact != nullptr ? exact : find_with(fields, column, equal_but_case);
}

Result<RecordType> read_type(const nlohmann::json& answer) {
  const Error bad(Errc::unavailable, "bad_answer", "The server's answer is not a record type.");
  if (!answer.is_object() || !answer.contains("fields") || !answer["fields"].is_array()) return bad;
  RecordType out;
  out.default_purpose = text_of(answer, "default_purpose");
  const auto subject = answer.find("subject");
  out.matches_people = subject != answer.end() && text_of(*subject, "mode") == "match";
  for (const auto& item : answer["fields"]) {
    if (!item.is_object()) return bad;
    auto& field = out.fields.emplace_back();
    field.name = text_of(item, "name");
    field.type = parse_field_type(text_of(item, "type"));
    field.kind = sheet::kind_of_type(text_of(item, "type"));
    field.searchable = item.value("searchable", nlohmann::json(false)) == true;
    field.required = item.value("required", nlohmann::json(false)) == true;
    const auto title = item.find("title");
    if (title != item.end() && title->is_string()) field.titles.push_back(title->get<std::string>());
    if (title != item.end() && title->is_object())
      for (const auto& text : *title)
        if (text.is_string()) field.titles.push_back(text.get<std::string>());
    const auto choices = item.find("choices");
    if (choices == item.end() || !choices->is_array()) continue;
    for (const auto& choice : *choices)
      if (choice.is_string()) field.choices.push_back(choice.get<std::string>());
  }
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t kNamesShown = 10;
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamesShown; ++i) out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kNamesShown ? out + ", …" : out;
}

Result<nlohmann::json> value_of(const Field& field, std::string_view cell, sheet::DecimalSign sign) {
  const auto told = [&](Error error) {
    const auto* const reason = error.find("reason");
    const bool is_choice = error.is("bad_choice") || (reason != nullptr && *reason == "unknown_choice");
    return is_choice ? std::move(error).with("choices", joined(field.choices)) : error;
  };
  if (field.kind == sheet::CellKind::list) {
    auto items = sheet::cell_list(field.choices, cell);
    if (!items) return told(std::move(items).error());
    return items->empty() ? nlohmann::json() : nlohmann::json(std::move(*items));
  }
  SIEGEL_TRY(text, sheet::cell_value(field.kind, cell, sign));
  if (text.empty()) return nlohmann::json();
  if (field.type)
    if (auto value = canonical_value(*field.type, field.choices, text); !value) return told(std::move(value).error());
  if (field.kind == sheet::CellKind::boolean) return nlohmann::json(text == "true");
  return nlohmann::json(std::move(text));
}

}  // namespace siegel::ctl
