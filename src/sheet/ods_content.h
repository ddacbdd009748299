// content.xml of an OpenDocument spreadsheet: all sheets stand in it one after the other. It is read twice, to learn
// which sheets there are, and for the rows of one of them.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sheet/ods_text.h"
#include "sheet/row_limits.h"
#include "sheet/xml.h"

namespace siegel::sheet {

struct OdsSheet {
  SheetInfo info;
  std::uint64_t merged_cells = 0;
  bool has_cells = false;
};

// A row that stands for several equal ones: LibreOffice writes them once.
struct RepeatedRow {
  Row row;
  std::uint64_t times = 0;
};

class OdsHandler final : public XmlHandler {
 public:
  // Of the sheet with this number, from 0, each row that has a cell makes a pause; without a number none does.
  OdsHandler(const TableLimits& limits, std::optional<std::size_t> wanted, std::string sheet)
      : limits_(limits, std::move(sheet)), wanted_(wanted) {}

  void begin(const XmlName& name, const XmlAttributes& attributes) override;
  void end(const XmlName& name) override;
  void text(std::string_view text) override;
  [[nodiscard]] RepeatedRow take() { return std::exchange(row_, {}); }
  [[nodiscard]] RowLimits& limits() noexcept { return limits_; }
  [[nodiscard]] std::uint64_t next_row() const noexcept { return next_row_; }

  XmlReader* reader = nullptr;
  std::vector<OdsSheet> sheets;  // those begun so far

 private:
  enum class Place : std::uint8_t { document, styles, style, body, workbook, sheet, group, row, cell, list, paragraph };
  struct OpenCell {
    std::string kind;   // office:value-type
    std::string value;  // as the file keeps it
    std::string text_value;
    std::uint64_t times = 1;
    bool is_error = false;
    bool has_formula = false;
    bool is_literal_boolean = false;  // =TRUE()
    bool has_value = false;
  };

  std::optional<Place> place_of(const XmlName& name, const XmlAttributes& attributes);
  std::optional<Place> place_in_document(const XmlName& name, const XmlAttributes& attributes);
  std::optional<Place> place_in_sheet(const XmlName& name, const XmlAttributes& attributes);
  std::optional<Place> place_in_text(const XmlName& name, const XmlAttributes& attributes);
  void begin_sheet(const XmlAttributes& attributes);
  void begin_row(const XmlAttributes& attributes);
  void begin_cell(const XmlAttributes& attributes);
  void read_office(std::string_view name, std::string_view value);
  bool read_table(std::string_view name, std::string_view value);
  void end_cell();
  void end_row();
  Cell cell_value();
  [[nodiscard]] bool is_read() const noexcept { return wanted_ && sheets.size() == *wanted_ + 1; }

  // What is only counted needs one cell with a value.
  [[nodiscard]] bool needs_value() const noexcept { return wanted_ ? is_read() : !sheets.back().has_cells; }

  RowLimits limits_;
  std::optional<std::size_t> wanted_;
  std::vector<Place> places_;
  unsigned skipped_ = 0;  // depth within an element that says nothing about cells
  std::string style_;
  std::set<std::string, std::less<>> hidden_styles_;
  unsigned hidden_groups_ = 0;
  std::vector<bool> groups_hidden_;
  std::uint64_t next_row_ = 1;
  RepeatedRow row_;
  std::uint64_t next_column_ = 0;
  OpenCell cell_;
  OdsText text_;
};

}  // namespace siegel::sheet
