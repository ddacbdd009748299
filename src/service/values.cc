#include "service/values.h"

#include <algorithm>
#include <array>

namespace siegel::service {
namespace {

// White_Space of Unicode, as UTF-8.
constexpr std::array<std::string_view, 25> kSpaces = {" ",
                                                      "\t",
                                                      "\n",
                                                      "\v",
                                                      "\f",
                                                      "\r",
                                                      "\xC2\x85",
                                                      "\xC2\xA0",
                                                      "\xE1\x9A\x80",
                                                      "\xE2\x80\x80",
                                                      "\xE2\x80\x81",
                                                      "\xE2\x80\x82",
                                                      "\xE2\x80\x83",
                                                      "\xE2\x80\x84",
                                                      "\xE2\x80\x85",
                                                      "\xE2\x80\x86",
                                                      "\xE2\x80\x87",
                                                      "\xE2\x80\x88",
                                                      "\xE2\x80\x89",
                                                      "\xE2\x80\x8A",
                                                      "\xE2\x80\xA8",
                                                      "\xE2\x80\xA9",
                                                      "\xE2\x80\xAF",
                                                      "\xE2\x81\x9F",
                                                      "\xE3\x80\x80"};

const Personal<RawValue>& raw_of(const NamedValue& value) { return value.value; }

Error bad_value(const FieldDefinition& field, const Error& error) {
  return Error(Errc::invalid, "bad_value", "A value does not fit the type of its field.")
      .with("pointer", "/values/" + field.name)
      .with("reason", error.find("reason") != nullptr ? *error.find("reason") : std::string("wrong_kind"));
}

Error wrong_kind(const FieldDefinition& field) {
  return Error(Errc::invalid, "bad_value", "A value has the wrong JSON type for its field.")
      .with("pointer", "/values/" + field.name)
      .with("reason", "wrong_kind");
}

Result<Value> canonical(const FieldDefinition& field, const RawValue& raw) {
  Result<Value> out = Value(Null{});
  if (const auto* text = std::get_if<std::string>(&raw)) {
    if (field.type == FieldType::boolean || field.type == FieldType::multichoice) return wrong_kind(field);
    out = canonical_value(field.type, field.choices, *text);
  } else if (const auto* flag = std::get_if<bool>(&raw)) {
    if (field.type != FieldType::boolean) return wrong_kind(field);
    out = Value(std::string(*flag ? "true" : "false"));
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&raw)) {
    if (field.type != FieldType::multichoice) return wrong_kind(field);
    out = canonical_values(field.choices, *list);
  }
  if (!out) return bad_value(field, out.error());
  return out;
}

// Nothing that anybody could read: no value, or only white space (Unicode's White_Space).
bool is_blank(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return std::holds_alternative<Null>(value);
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto space = std::find_if(kSpaces.begin(), kSpaces.end(), [&](auto s) { return rest.starts_with(s); });
    if (space == kSpaces.end()) return false;
    rest.remove_prefix(space->size());
  }
  return true;
}

}  // namespace

Result<Values> canonical(const TypeDefinition& type, const std::vector<NamedValue>& named) {
  Values values;
  values.reserve(named.size());
  for (const auto& entry : named) {
    const auto* field = type.field(entry.field);  // exists: authorise() looked
    SIEGEL_TRY(value, canonical(*field, raw_of(entry).expose()));
    values.push_back({field->number, Personal<Value>(std::move(value))});
  }
  std::sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.field < b.field; });
  return values;
}

Status check_required(const TypeDefinition& type, const Values& values, bool all) {
  for (const auto& field : type.fields) {
    if (!field.required) continue;
    const auto it = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.field == field.number; });
    const bool empty = it == values.end() ? all : is_blank(it->value.expose());
    if (empty)
      return Error(Errc::invalid, "bad_value", "A required field has no value.")
          .with("pointer", "/values/" + field.name)
          .with("reason", "required");
  }
  return Done{};
}

void lay_over(Values& values, Values newer) {
  for (auto& value : newer) {
    std::erase_if(values, [&](const FieldValue& before) { return before.field == value.field; });
    values.push_back(std::move(value));
  }
}

}  // namespace siegel::service
