#include "http/json.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace siegel::http {
namespace {

constexpr unsigned kDepthMax = 32;

Error bad_json(const char* what, std::source_location at = std::source_location::current()) {
  return Error(Errc::invalid, "bad_json", what, at);
}

// JSON knows one kind of number, and JSON Schema takes 3.0 and 3e0 for integers.
std::optional<std::int64_t> whole(double number) {
  constexpr double kExactMax = 9'007'199'254'740'992;  // 2^53
  if (std::trunc(number) != number || std::abs(number) > kExactMax) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

Status convert(simdjson::dom::element element, unsigned depth, Json& out) {
  using simdjson::dom::element_type;
  if (depth > kDepthMax) return bad_json("The JSON text is nested more than 32 deep.");
  switch (element.type()) {
    case element_type::NULL_VALUE:
      out.value = nullptr;
      break;
    case element_type::BOOL:
      out.value = element.get_bool().value_unsafe();
      break;
    case element_type::INT64:
      out.value = JsonNumber{element.get_int64().value_unsafe()};
      break;
    case element_type::UINT64:
      out.value = JsonNumber{};
      break;
    case element_type::DOUBLE:
      out.value = JsonNumber{whole(element.get_double().value_unsafe())};
      break;
    case element_type::STRING:
      out.value = std::string(element.get_string().value_unsafe());
      break;
    case element_type::ARRAY: {
      JsonArray items;
      simdjson::dom::array array;
      if (element.get_array().get(array) != simdjson::SUCCESS) return bad_json("The body is not a JSON text in UTF-8.");
      for (const auto item : array) {
        items.emplace_back();
        SIEGEL_CHECK(convert(item, depth + 1, items.back()));
      }
      out.value = std::move(items);
      break;
    }
    case element_type::OBJECT: {
      JsonObject members;
      std::set<std::string_view> names;
      simdjson::dom::object object;
      if (element.get_object().get(object) != simdjson::SUCCESS)
        return bad_json("The body is not a JSON text in UTF-8.");
      for (const auto member : object) {
        if (!names.insert(member.key).second) return bad_json("An object has the same member twice.");
        members.push_back({std::string(member.key), Json{}});
        SIEGEL_CHECK(convert(member.value, depth + 1, members.back().value));
      }
      out.value = std::move(members);
      break;
    }
  }
  return Done{};
}

std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

Result<JsonObject> parse_json(std::string_view text) {
  thread_local simdjson::dom::parser parser;
  simdjson::padded_string padded(text);
  simdjson::dom::element root;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return bad_json("The body is not a JSON text in UTF-8.");
  if (!root.is_object()) return bad_json("The body must be a JSON object.");
  Json out;
  SIEGEL_CHECK(convert(root, 1, out));
  return std::move(std::get<JsonObject>(out.value));
}

const Json* Members::find(std::string_view name) const {
  for (const auto& [key, value] : object_)
    if (key == name) return std::holds_alternative<std::nullptr_t>(value.value) ? nullptr : &value;
  return nullptr;
}

const Json* Members::take(const char* name) {
  taken_.emplace_back(name);
  return find(name);
}

std::string Members::at(std::string_view name) const { return pointer_ + "/" + escaped(name); }

void Members::wrong(const std::string& place, const char* what) {
  if (!error_) error_ = Error(Errc::invalid, "bad_value", what).with("pointer", place);
}

Members& Members::text(const char* name, std::string& out) {
  if (const auto* found = take(name)) {
    if (const auto* value = std::get_if<std::string>(&found->value)) {
      out = *value;
    } else {
      wrong(at(name), "A member must be a string.");
    }
  }
  return *this;
}

Members& Members::text(const char* name, std::optional<std::string>& out) {
  std::string text;
  const bool given = find(name) != nullptr;
  this->text(name, text);
  if (given) out = std::move(text);
  return *this;
}

Members& Members::flag(const char* name, bool& out) {
  if (const auto* found = take(name)) {
    if (const auto* value = std::get_if<bool>(&found->value)) {
      out = *value;
    } else {
      wrong(at(name), "A member must be true or false.");
    }
  }
  return *this;
}

Members& Members::texts(const char* name, std::vector<std::string>& out) {
  if (const auto* items = array(name)) {
    for (const auto& item : *items) {
      if (const auto* value = std::get_if<std::string>(&item.value)) {
        out.push_back(*value);
      } else {
        wrong(at(name), "A member must be an array of strings.");
      }
    }
  }
  return *this;
}

const Json* Members::any(const char* name) { return take(name); }

const JsonObject* Members::object(const char* name) {
  const auto* found = take(name);
  if (found == nullptr) return nullptr;
  if (const auto* value = std::get_if<JsonObject>(&found->value)) return value;
  wrong(at(name), "A member must be an object.");
  return nullptr;
}

const JsonArray* Members::array(const char* name) {
  const auto* found = take(name);
  if (found == nullptr) return nullptr;
  if (const auto* value = std::get_if<JsonArray>(&found->value)) return value;
  wrong(at(name), "A member must be an array.");
  return nullptr;
}

Members& Members::required(const char* name) {
  if (find(name) == nullptr) wrong(at(name), "A member is missing.");
  return *this;
}

Status Members::finish() {
  for (const auto& [key, value] : object_)
    if (std::find(taken_.begin(), taken_.end(), key) == taken_.end())
      // The name is the caller's text, so the pointer ends at the object that holds it.
      return Error(Errc::invalid, "unknown_field", "The object has a member that is not known here.")
          .with("pointer", pointer_);
  if (error_) return Error(*error_);
  return Done{};
}

}  // namespace siegel::http
