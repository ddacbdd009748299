// A record type as the server describes it, and cells made into values of its fields.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/field.h"
#include "sheet/cells.h"

namespace siegel::ctl {

struct Field {
  std::string name;
  std::vector<std::string> titles;  // one, or one per language
  sheet::CellKind kind = sheet::CellKind::text;
  std::optional<FieldType> type;  // nothing: of a newer server
  bool required = false;
  bool searchable = false;
  std::vector<std::string> choices;
};

struct RecordType {
  std::string default_purpose;
  bool matches_people = false;  // rows whose fields are equal share one person
  std::vector<Field> fields;

  [[nodiscard]] const Field* find(
      std::string_view column) const;  // by name or title; first exactly, then by ASCII case
};

// "Turnen, Schach, …": names that a definition gives, for a message.
std::string joined(const std::vector<std::string>& names);

Result<RecordType> read_type(const nlohmann::json& answer);
// null for an empty cell. What the server would refuse for its type is refused here: invalid, as cells.h and
// canonical_value() say; for what is no choice, with `choices`.
Result<nlohmann::json> value_of(const Field& field, std::string_view cell, sheet::DecimalSign sign);

}  // namespace siegel::ctl
