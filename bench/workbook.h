// A workbook as spreadsheet programs write it: texts in one table of shared strings, numbers and dates as numbers
// (ECMA-376 part 1, 18.3 and 18.4). One sheet, the first row in texts.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"

namespace siegel::bench {

class Workbook {
 public:
  void text(const std::string& text);
  void number(std::string_view digits);     // with a point
  void date(int year, int month, int day);  // from March 1900 on
  void end_row();
  // The whole file. unavailable "workbook_failed".
  [[nodiscard]] Result<std::string> finish() const;

 private:
  void begin_cell(const char* attributes);
  std::string rows_, strings_, row_;
  std::unordered_map<std::string, std::size_t> known_;
  std::size_t row_number_ = 0, column_ = 0;
};

}  // namespace siegel::bench
