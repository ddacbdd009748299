#include "sheet/column_style.h"

#include <algorithm>
#include <array>

namespace siegel::sheet {
namespace {

constexpr std::array<std::string_view, 12> kNames = {"text",     "multiline", "email",   "phone",
                                                     "url",      "integer",   "decimal", "date",
                                                     "datetime", "boolean",   "choice",  "multichoice"};

}  // namespace

std::string_view name_of(ColumnType type) noexcept { return kNames[static_cast<std::size_t>(type) % kNames.size()]; }

std::optional<ColumnType> parse_column_type(std::string_view text) noexcept {
  const auto* found = std::find(kNames.begin(), kNames.end(), text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<ColumnType>(found - kNames.begin());
}

}  // namespace siegel::sheet
