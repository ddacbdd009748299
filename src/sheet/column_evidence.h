// What the cells of one column say about its type. Fed one cell at a time, in memory that does not grow with the rows;
// what it means is decided in guess.cc. Samples are cells of persons: they go to the one who imports, never to a log.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sheet/column_style.h"
#include "sheet/distinct.h"
#include "sheet/table.h"

namespace siegel::sheet {

inline constexpr std::size_t kSamplesMax = 5;
inline constexpr std::size_t kSampleBytesMax = 200;  // the rest of a longer cell is left out of its sample
inline constexpr std::size_t kChoicesMax = 20;

struct Sample {
  std::uint64_t row = 0;
  std::string text;
  bool operator==(const Sample&) const = default;
};
using Samples = std::vector<Sample>;  // at most kSamplesMax

// A way to read a cell. Several can fit one cell; a column's type is one that fits (nearly) all.
enum class Reading : std::uint8_t {
  email,
  url,
  phone,
  datetime,      // RFC 3339 with zone
  number_comma,  // 1.234,50
  number_point,  // 1,234.50
  date_dotted,   // 31.12.2025
  date_iso,      // 2025-12-31
  date_ymd,      // 2025/12/31
  slash_day,     // 31/12/2025
  slash_month,   // 12/31/2025
  dash_day,      // 31-12-2025
  dash_month,    // 12-31-2025
  any_date,      // one of the above
  any_number     // number_comma or number_point
};
inline constexpr std::size_t kReadings = 15;

// Cells that no type may swallow, whatever the rest of the column is.
enum class Warning : std::uint8_t {
  leading_zero,
  too_long_number,
  two_digit_year,
  time_of_day,
  time_without_zone,
  formula_error,
  capital_domain,
  ambiguous_number,
  ambiguous_date
};
inline constexpr std::size_t kWarnings = 9;

struct NumberEvidence {  // under one decimal sign
  std::string group;     // the first mark between thousands
  bool has_other_group = false;
  bool has_ungrouped = false;  // 1234 where 1.234 would have shown a mark
  bool has_fraction = false;
};

struct DateEvidence {  // of one separator and place of the year
  bool first_padded = false, first_bare = false, second_padded = false, second_bare = false;
  std::string midnight;
  bool has_date = false, has_other_midnight = false;
};

class ColumnEvidence {
 public:
  ColumnEvidence(std::string country, std::size_t distinct_max)
      : distinct(distinct_max), country_(std::move(country)) {}

  void add(std::uint64_t row, const Cell& cell);

  [[nodiscard]] std::uint64_t fits(Reading reading) const noexcept { return fits_[static_cast<std::size_t>(reading)]; }
  [[nodiscard]] const Samples& misfits(Reading reading) const noexcept {
    return misfits_[static_cast<std::size_t>(reading)];
  }
  [[nodiscard]] std::uint64_t warnings(Warning warning) const noexcept {
    return warnings_[static_cast<std::size_t>(warning)];
  }
  [[nodiscard]] const Samples& warned(Warning warning) const noexcept {
    return warned_[static_cast<std::size_t>(warning)];
  }
  [[nodiscard]] const DateEvidence& dates(Reading reading) const noexcept;

  // To read; only add() writes.
  std::uint64_t cells = 0;     // with something other than white space
  Samples samples;             // the first, each once
  std::size_t length_max = 0;  // in characters
  std::uint64_t length_sum = 0;
  bool has_break = false;
  FewTexts few{kChoicesMax};
  DistinctCount distinct;
  std::array<FewTexts, 2> few_items{FewTexts{kChoicesMax}, FewTexts{kChoicesMax}};  // parted by ';' and by ','
  std::array<std::uint64_t, 2> lists{};                                             // cells with that separator
  NumberEvidence comma, point;
  std::uint64_t typed_numbers = 0, typed_dates = 0, typed_midnights = 0, typed_times = 0, typed_booleans = 0;
  std::uint64_t phones_with_plus = 0, phones_international = 0, phones_national = 0;  // the last two: digits only
  std::uint64_t slashes_both = 0, dashes_both = 0;  // dates that exist with either order of day and month
  bool has_typed_fraction = false;
  bool has_offset = false, has_other_offset = false, offset_is_z = false;
  bool has_other_time_spelling = false;  // that would not be given back: a fraction of one digit, small letters
  int offset_minutes = 0;

 private:
  using Mask = std::uint32_t;
  struct Seen;  // one cell
  void read_text(Seen& seen);
  void read_typed(Seen& seen, CellForm form);
  void read_number_text(Seen& seen);
  void read_date_text(Seen& seen);
  void read_phone_text(Seen& seen);
  void read_datetime_text(Seen& seen);
  void read_items(std::string_view text);
  void warn(const Seen& seen, Warning warning);
  void count(const Seen& seen);
  DateEvidence& dates_of(Reading reading) noexcept;

  std::string country_;
  std::array<std::uint64_t, kReadings> fits_{};
  std::array<Samples, kReadings> misfits_;
  Mask misfits_wanted_ = (Mask{1} << kReadings) - 1;
  std::array<std::uint64_t, kWarnings> warnings_{};
  std::array<Samples, kWarnings> warned_;
  std::array<DateEvidence, 5> dates_;  // dotted, iso, ymd, slash, dash
};

}  // namespace siegel::sheet
