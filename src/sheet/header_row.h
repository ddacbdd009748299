// Which row names the columns, and what the columns are called.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sheet/table.h"

namespace siegel::sheet {

inline constexpr std::size_t kHeaderRowsLookedAt = 20;

struct HeaderGuess {
  std::optional<std::size_t> index;  // into the rows given; nothing: the first row is data already
  // known_titles      titles that tables usually have     titles_above_data  texts above numbers or dates
  // first_full_row    nothing speaks against it
  // no_rows  data_in_first_row  value_repeats (below, in its column)
  const char* reason = "no_rows";
};

// The header is the first row that is as wide as the table, has texts only, each once and each short, none of which
// reads as a number, a date, an address or a link. Rows above it (the title of the sheet) are no data.
HeaderGuess guess_header(std::span<const Row> first_rows);

enum class Language : std::uint8_t { de, en };

struct ColumnTitle {
  std::string title;  // as in the header, on one line, made unique: "Name", "Name (2)"; empty ones "Spalte 3"; without
                      // a header "A", "B", …
  std::string field;  // a name by the rule of the contract, unique: "name", "name-2"
  bool untitled = false;  // the header has nothing above this column
  bool operator==(const ColumnTitle&) const = default;
};

// header may be null. count: of the columns, at least as many as the header has cells.
std::vector<ColumnTitle> make_titles(const Row* header, std::size_t count, Language language);

// "Straße & Nr." -> "strasse-nr": ^[a-z][a-z0-9-]{0,62}$, with ä as ae, accents left out, anything else as "-". A title
// that begins with a digit gets "f-" before it; one of which nothing is left gives "".
std::string field_name(std::string_view title);

}  // namespace siegel::sheet
