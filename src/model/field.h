// Field types and values. A value is kept as exact text: what the type allows has one spelling, and that spelling is
// what is sealed, compared and shown. JSON forms: contract section 2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/personal.h"
#include "model/ids.h"

namespace siegel {

enum class FieldType : std::uint8_t {
  text = 1,
  multiline,
  email,
  phone,
  url,
  integer,
  decimal,
  date,
  datetime,
  boolean,
  choice,
  multichoice,
  reference,
  file,
  signature,
  geo
};
std::string_view name_of(FieldType type) noexcept;
std::optional<FieldType> parse_field_type(std::string_view text) noexcept;

struct Null {
  bool operator==(const Null&) const = default;
};
// text: every type but multichoice. boolean is "true" or "false", date "2025-12-31", integer and decimal exact digits.
using Value = std::variant<Null, std::string, std::vector<std::string>>;

struct FieldValue {
  FieldNo field;
  Personal<Value> value;
};
using Values = std::vector<FieldValue>;  // ascending by field, each at most once

// Overwrites the texts of values that were opened for an index alone, before their memory is given back.
void wipe_texts(Values& values) noexcept;

inline constexpr std::size_t kTextBytesMax = 32 * 1024;  // cell_bytes_max

// The canonical form of a text given for a type, or Errc::invalid "bad_value" with a reason that names no value:
//   text (one line) multiline  well-formed UTF-8 without NUL; text without line breaks
//   email       local@domain, one @, domain lower case with a dot, at most 254 bytes
//   phone       + and 6 to 15 digits, or digits with separators kept as typed (E.164 is made by sheets)
//   url         http or https, host, no user info
//   integer     -?digits, no leading zero, no "-0", at most 38 digits
//   decimal     integer part, optional fraction; at most 38 digits; trailing zeros are kept: 1.50 stays 1.50
//   date        ISO, year 1 to 9999      datetime  RFC 3339, made UTC      boolean  true | false
//   choice multichoice   one of / some of the choices, each once
//   reference file signature geo    text of the id or "lat,lon" (geo); no storage yet
Result<Value> canonical_value(FieldType type, const std::vector<std::string>& choices, std::string_view text);
Result<Value> canonical_values(const std::vector<std::string>& choices, std::vector<std::string> items);  // multichoice

// What two people type for the same thing, for matching only (never shown): e-mail with NFKC where it is ASCII, domain
// lower case, local part folded; phone as digits with +; others as they are. Empty: nothing to match.
std::string match_form(FieldType type, const Value& value);

}  // namespace siegel
