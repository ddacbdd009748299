// JSON as the doors take it: UTF-8, an object at top level, depth <= 32, no duplicate member at any depth, nothing
// after it. And a reader that names each member once, so that an unknown one is refused. Errors carry a JSON pointer
// (RFC 6901), never a value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace siegel::http {

struct Json;
using JsonArray = std::vector<Json>;
struct JsonMember;
using JsonObject = std::vector<JsonMember>;
struct JsonNumber {
  std::optional<std::int64_t> integer;  // none: a fraction or too large
};
struct Json {
  std::variant<std::nullptr_t, bool, JsonNumber, std::string, JsonArray, JsonObject> value;
};
struct JsonMember {
  std::string name;
  Json value;
};

// bad_json (400): not JSON, too deep, a duplicate member, no object at top level.
Result<JsonObject> parse_json(std::string_view text);

// Reads the members of one object. Each call names a member and takes it; finish() refuses what nobody took.
class Members {
 public:
  Members(const JsonObject& object, std::string pointer = "") : object_(object), pointer_(std::move(pointer)) {}

  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  // Absent and null leave the target as it is; another type is bad_value.
  Members& text(const char* name, std::string& out);
  Members& text(const char* name, std::optional<std::string>& out);  // where "" is not the same as absent
  Members& flag(const char* name, bool& out);
  Members& texts(const char* name, std::vector<std::string>& out);
  const Json* any(const char* name);           // null if absent
  const JsonObject* object(const char* name);  // null if absent; bad_value if no object
  const JsonArray* array(const char* name);
  Members& required(const char* name);                  // bad_value if absent or null
  void wrong(const std::string& at, const char* what);  // remembers the first error
  [[nodiscard]] std::string at(std::string_view name) const;
  [[nodiscard]] const JsonObject& all() const { return object_; }
  Status finish();  // the first error, or unknown_field

 private:
  const Json* find(std::string_view name) const;
  const Json* take(const char* name);
  const JsonObject& object_;
  std::string pointer_;
  std::vector<std::string_view> taken_;
  std::optional<Error> error_;
};

}  // namespace siegel::http
