// By which character the cells of a text are separated: tab, semicolon, pipe or comma. Looked at are several rows, with
// quotes respected: the one that gives most rows equally many cells. A comma between digits is a decimal sign before it
// is a delimiter. Where none separates cells there is one column, and the answer is one that the text does not hold.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace siegel::sheet {

// `sample`: the text's beginning; the last row is left out if it may be cut off.
std::optional<char> find_delimiter(std::string_view sample, bool is_whole);
char unused_delimiter(std::string_view text) noexcept;

// A first line that spreadsheets take as an instruction: "sep=;" and nothing else. Its length with the line end, or 0;
// the character that it names is the fifth.
std::size_t instruction_bytes(std::string_view text) noexcept;
inline constexpr std::size_t kInstructionAt = 4;

}  // namespace siegel::sheet
