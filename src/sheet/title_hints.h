// What the title of a column says about it, German or English. Hints decide only what the cells leave open: whether
// digits are a number or a name for something, whether a column tells about a person.
#pragma once

#include <string_view>

namespace siegel::sheet {

struct TitleHints {
  bool is_known = false;  // any of the below, or another usual title
  bool email = false;
  bool phone = false;
  bool identifier = false;  // postcode, account: digits that are no number
  bool key = false;         // stands for the row: customer number, file number
  bool person_name = false;
  bool address = false;
  bool birth = false;
  bool sensitive = false;  // health, religion, bank and tax numbers
  bool yes_no = false;     // active, newsletter, is …
  bool operator==(const TitleHints&) const = default;
};

// Of a title as a field name (header_row.h).
TitleHints hints_of(std::string_view field_name);

}  // namespace siegel::sheet
