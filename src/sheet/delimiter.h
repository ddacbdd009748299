// By which character the cells of a text are separated: tab, semicolon, pipe or comma. Looked at are several rows, with
// quotes respected: the one that gives most rows equally many cells. A comma between digits is a decimal sign before it
// is a delimiter. Where none separates cells there is one column, and the answer is one that the text does not hold.
#pragma once

#include <optional>
#include <string_view>

namespace siegel::sheet {

// `sample`: the text's beginning; the last row is left out if it may be cut off.
std::optional<char> find_delimiter(std::string_view sample, bool is_whole);
char unused_delimiter(std::string_view text) noexcept;

}  // namespace siegel::sheet
