// Bodies of requests: refused by name, or a JSON object within the limits, as another reader sees it too; and members
// are taken without a value ever reaching an error.
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/text.h"
#include "http/json.h"

using namespace siegel;
using namespace siegel::http;
using Other = nlohmann::json;

namespace {

bool same(const Json& ours, const Other& other, unsigned depth);

bool same(const JsonObject& ours, const Other& other, unsigned depth) {
  SIEGEL_ASSERT(depth <= 32);
  if (!other.is_object() || other.size() != ours.size()) return false;  // the same size: no member twice
  return std::ranges::all_of(ours, [&](const auto& member) {
    SIEGEL_ASSERT(is_utf8(member.name));
    const auto at = other.find(member.name);
    return at != other.end() && same(member.value, *at, depth + 1);
  });
}

bool same(const Json& ours, const Other& other, unsigned depth) {
  if (std::holds_alternative<std::nullptr_t>(ours.value)) return other.is_null();
  if (const auto* flag = std::get_if<bool>(&ours.value)) return other.is_boolean() && other.get<bool>() == *flag;
  if (const auto* text = std::get_if<std::string>(&ours.value)) {
    SIEGEL_ASSERT(is_utf8(*text));
    return other.is_string() && other.get_ref<const std::string&>() == *text;
  }
  if (const auto* number = std::get_if<JsonNumber>(&ours.value)) {
    return other.is_number() && (!number->integer || other.get<std::int64_t>() == *number->integer);
  }
  if (const auto* array = std::get_if<JsonArray>(&ours.value)) {
    SIEGEL_ASSERT(depth <= 32);
    if (!other.is_array() || other.size() != array->size()) return false;
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!same((*array)[i], other[i], depth + 1)) return false;
    }
    return true;
  }
  return same(std::get<JsonObject>(ours.value), other, depth);
}

// As the handlers do it, with the names of the corpus.
void take(const JsonObject& object) {
  Members members(object);
  std::string type, ground;
  bool now = false;
  std::vector<std::string> subjects;
  members.text("type", type).text("ground", ground).flag("now", now).texts("subjects", subjects).required("type");
  if (const auto* fields = members.object("fields")) {
    Members inner(*fields, members.at("fields"));
    for (const auto& [name, value] : inner.all()) (void)inner.has(name);
    (void)inner.any("name");
    (void)inner.finish();
  }
  (void)members.array("form");
  const auto done = members.finish();
  if (done) {
    SIEGEL_ASSERT(members.has("type") && std::ranges::all_of(object, [](const auto& member) {
                    return member.name == "type" || member.name == "ground" || member.name == "now" ||
                           member.name == "subjects" || member.name == "fields" || member.name == "form";
                  }));
  } else {
    SIEGEL_ASSERT(done.error().is("bad_value") || done.error().is("unknown_field"));
    SIEGEL_ASSERT(done.error().find("pointer") != nullptr);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_chars({data, size});
  const auto object = parse_json(text);
  if (!object) {
    SIEGEL_ASSERT(object.error().is("bad_json"));
    return 0;
  }
  const auto other = Other::parse(text, nullptr, /*allow_exceptions=*/false);
  SIEGEL_ASSERT(!other.is_discarded() && same(*object, other, 1));
  take(*object);
  return 0;
}
