// What a column is proposed to be, and why. A proposal is lossless: its type fits a cell only if formatting the value
// back gives the cell, up to white space (convert() with Fit::exact); a column where some cells could be read but not
// be given back stays text. Cells that cannot be read at all are exceptions: a type bears them up to
// kExceptionsPerCentMax of the column's cells, shows them, and each becomes a failing row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sheet/column_evidence.h"
#include "sheet/header_row.h"

namespace siegel::sheet {

inline constexpr std::uint64_t kExceptionsPerCentMax = 10;
// A list of choices is read by everybody who sees the type, so no choice may be the word of one row only.
inline constexpr std::uint64_t kChoiceCellsMin = 20;   // cells in the column
inline constexpr std::uint64_t kChoiceRepeatsMin = 5;  // cells for each choice, on average
inline constexpr std::uint64_t kChoiceUsesMin = 2;     // of each choice
inline constexpr std::size_t kChoiceLengthMax = 60;    // characters
inline constexpr std::size_t kTextLengthMax = 255;     // characters; longer ones want several lines

// The type that was near, and what spoke against it.
struct Nearest {
  ColumnType type = ColumnType::text;
  std::uint64_t cells = 0;  // that speak against it
  Samples samples;
};

struct ColumnProposal {
  ColumnTitle title;
  ColumnType type = ColumnType::text;
  ColumnStyle style;  // also what is known for types that were not proposed, should the user choose one
  // Typed:  all_… or mostly_… email, phone, url, integers, decimals, times, dates_german (31.12.2025), dates_iso,
  //         dates_year_first (2025/12/31), dates_day_first (31/12/2025), dates_month_first, dates (of a workbook);
  //         yes_no, crosses, few_distinct_values, few_distinct_lists, line_breaks, long_text
  // Text:   empty, free_text, mixed (a type fits more than half, but not enough), leading_zero, too_long_number,
  //         identifier (the title says so), ambiguous_numbers, contradictory_numbers, mixed_number_spelling,
  //         ambiguous_dates, contradictory_dates, mixed_date_spelling, two_digit_year, time_of_day, time_without_zone,
  //         maybe_phone (but neither title nor a + says so), mixed_time_zones, mixed_yes_no_spelling, capital_domain
  const char* reason = "empty";
  std::uint64_t cells = 0;  // that hold something
  std::uint64_t empty = 0;
  std::uint64_t exceptions = 0;  // cells that the type refuses
  Samples samples;
  Samples exception_samples;
  std::optional<Nearest> nearest;
  std::size_t length_max = 0;  // in characters
  std::uint64_t distinct = 0;
  bool distinct_is_least = false;  // there are at least that many
  bool all_different = false;      // and known to be

  bool personal = true;
  // email, phone, name, address, birth, sensitive, identifier, free_text, about_a_person (something else in a table
  // that has one of these), no_person
  const char* personal_reason = "free_text";
  bool searchable = false;
  bool required = false;  // no row leaves it empty, none fails
};

// Type, style, reason and counts; rows: of the table. The rest is for guess.cc, which sees all columns.
ColumnProposal propose(const ColumnEvidence& evidence, const ColumnTitle& title, std::uint64_t rows,
                       const std::string& country);

}  // namespace siegel::sheet
