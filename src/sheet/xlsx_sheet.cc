#include "sheet/xlsx_sheet.h"

#include <charconv>

namespace siegel::sheet {
namespace {

constexpr std::uint64_t kRowMax = 1'048'576;  // of a sheet, by the format
constexpr std::uint64_t kColumnMax = 16'384;

enum class CellType : std::uint8_t { number, shared, text, inlined, boolean, error, iso_date };

std::optional<CellType> type_of(std::string_view name) {
  if (name == "s") return CellType::shared;
  if (name == "n") return CellType::number;
  if (name == "str") return CellType::text;
  if (name == "inlineStr") return CellType::inlined;
  if (name == "b") return CellType::boolean;
  if (name == "e") return CellType::error;
  if (name == "d") return CellType::iso_date;
  return std::nullopt;
}

std::optional<std::uint64_t> whole_of(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::string_view without_space(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

struct Reference {
  std::uint64_t column = 0;  // from 0
  std::uint64_t row = 0;     // from 1
};

std::optional<Reference> reference_of(std::string_view text) {  // BC17
  std::uint64_t column = 0;
  std::size_t letters = 0;
  while (letters < text.size() && letters < 4 && text[letters] >= 'A' && text[letters] <= 'Z')
    column = column * 26 + static_cast<std::uint64_t>(text[letters++] - 'A') + 1;
  const auto row = whole_of(text.substr(letters));
  if (column == 0 || column > kColumnMax || !row || *row == 0 || *row > kRowMax) return std::nullopt;
  return Reference{column - 1, *row};
}

struct OpenCell {
  CellType type = CellType::number;
  std::uint64_t column = 0;
  CellFormat format;
  bool has_formula = false;
  std::string value;
};

class SheetHandler final : public XmlHandler {
 public:
  SheetHandler(const XlsxBook& book, const SharedStrings& strings, const XlsxSheet& sheet, const TableLimits& limits)
      : book_(book), strings_(strings), limits_(limits, sheet.info.name) {}

  void begin(const XmlName& name, const XmlAttributes& attributes) override;
  void end(const XmlName& name) override;
  void text(std::string_view text) override;
  [[nodiscard]] Row take() { return std::exchange(row_, {}); }
  [[nodiscard]] std::uint64_t row_number() const noexcept { return row_number_; }
  [[nodiscard]] const RowLimits& limits() const noexcept { return limits_; }

  XmlReader* reader = nullptr;

 private:
  enum class Place : std::uint8_t { sheet, data, row, cell, value, inlined };

  void begin_row(const XmlAttributes& attributes);
  void begin_cell(const XmlAttributes& attributes);
  Status place_cell(std::optional<std::string_view> reference);
  Status read_cell(const XmlAttributes& attributes);
  void end_cell();
  void end_row();
  Result<Cell> cell_value();
  Result<Cell> shared_value(std::string_view value);
  Error damaged(const char* what) const { return limits_.damaged(what, row_number_, cell_.column); }

  const XlsxBook& book_;
  const SharedStrings& strings_;
  RowLimits limits_;
  Place place_ = Place::sheet;
  Row row_;
  std::uint64_t row_number_ = 0;   // of the row last begun
  bool row_is_numbered_ = false;   // by the file
  std::uint64_t next_column_ = 0;  // of a cell that does not say its own
  OpenCell cell_;
  TextRuns inline_text_;
};

void SheetHandler::begin(const XmlName& name, const XmlAttributes& attributes) {
  if (!is_spreadsheetml(name.space)) return;
  switch (place_) {
    case Place::sheet:
      if (name.local == "sheetData") place_ = Place::data;
      break;
    case Place::data:
      if (name.local == "row") begin_row(attributes);
      break;
    case Place::row:
      if (name.local == "c") begin_cell(attributes);
      break;
    case Place::cell:
      if (name.local == "v") place_ = Place::value;
      if (name.local == "is") place_ = Place::inlined;
      if (name.local == "f") cell_.has_formula = true;
      break;
    case Place::inlined:
      inline_text_.begin(name.local);
      break;
    case Place::value:
      break;
  }
}

void SheetHandler::end(const XmlName& name) {
  if (!is_spreadsheetml(name.space)) return;
  switch (place_) {
    case Place::sheet:
      break;
    case Place::data:
      if (name.local == "sheetData") place_ = Place::sheet;
      break;
    case Place::row:
      if (name.local == "row") end_row();
      break;
    case Place::cell:
      if (name.local == "c") end_cell();
      break;
    case Place::value:
      if (name.local == "v") place_ = Place::cell;
      break;
    case Place::inlined:
      if (name.local == "is") {
        place_ = Place::cell;
      } else {
        inline_text_.end(name.local);
      }
      break;
  }
}

void SheetHandler::text(std::string_view text) {
  if (place_ == Place::inlined) inline_text_.text(text, limits_.limits().cell_bytes_max);
  // Escaped characters take seven bytes of the file each; what is longer still is cut off and too long anyway.
  if (place_ == Place::value && cell_.value.size() <= 8 * limits_.limits().cell_bytes_max) cell_.value += text;
}

void SheetHandler::begin_row(const XmlAttributes& attributes) {
  const auto number = attributes.find("r");
  const auto said = number ? whole_of(*number) : std::optional<std::uint64_t>(row_number_ + 1);
  if (!said || *said <= row_number_ || *said > kRowMax)
    return reader->fail(limits_.damaged("The rows of the sheet are not in their order.", row_number_, 0));
  row_number_ = *said;
  row_is_numbered_ = number.has_value();
  const auto hidden = attributes.find("hidden");
  row_ = {row_number_, hidden && (*hidden == "1" || *hidden == "true"), {}};
  next_column_ = 0;
  place_ = Place::row;
}

Status SheetHandler::place_cell(std::optional<std::string_view> reference) {
  cell_.column = next_column_;
  if (reference) {
    const auto found = reference_of(*reference);
    // A row that does not say its number has that of its cells.
    if (found && !row_is_numbered_ && found->row > row_number_ && next_column_ == 0)
      row_.number = row_number_ = found->row;
    if (!found || found->row != row_number_) return damaged("A cell of the sheet is not in its row.");
    cell_.column = found->column;
  }
  next_column_ = cell_.column + 1;
  return Done{};
}

Status SheetHandler::read_cell(const XmlAttributes& attributes) {
  std::optional<std::string_view> reference, style, type;
  attributes.for_each([&](const XmlName& name, std::string_view value) {
    if (!name.space.empty()) return;
    if (name.local == "r") reference = value;
    if (name.local == "s") style = value;
    if (name.local == "t") type = value;
  });
  cell_.value.clear();
  cell_.has_formula = false;
  cell_.format = {};
  SIEGEL_CHECK(place_cell(reference));
  const auto known = type ? type_of(*type) : CellType::number;
  if (!known) return damaged("A cell of the sheet has a type that the format does not know.");
  cell_.type = *known;
  if (!style || book_.formats.empty()) return Done{};
  const auto index = whole_of(*style);
  if (!index || *index >= book_.formats.size()) return damaged("A cell of the sheet has a format that the file lacks.");
  cell_.format = book_.formats[static_cast<std::size_t>(*index)];
  return Done{};
}

void SheetHandler::begin_cell(const XmlAttributes& attributes) {
  place_ = Place::cell;
  if (auto read = read_cell(attributes); !read) reader->fail(std::move(read).error());
}

Result<Cell> SheetHandler::shared_value(std::string_view value) {
  const auto index = whole_of(value);
  if (!index || *index >= strings_.size()) return damaged("A cell of the sheet has a text that the file lacks.");
  const auto text = strings_.at(static_cast<std::size_t>(*index));
  return Cell{text.empty() ? CellForm::empty : CellForm::text, std::string(text)};
}

Result<Cell> SheetHandler::cell_value() {
  if (cell_.type == CellType::inlined || cell_.type == CellType::text) {
    auto text = cell_.type == CellType::inlined ? inline_text_.take() : decoded_text(cell_.value);
    const auto form = text.empty() ? CellForm::empty : CellForm::text;
    return Cell{form, std::move(text)};
  }
  const auto value = without_space(cell_.value);
  if (value.empty()) return cell_.has_formula ? Cell{CellForm::error, kNoResult} : Cell{};
  switch (cell_.type) {
    case CellType::shared:
      return shared_value(value);
    case CellType::boolean:
      if (value == "1" || value == "true") return Cell{CellForm::boolean, "true"};
      if (value == "0" || value == "false") return Cell{CellForm::boolean, "false"};
      return damaged("A cell of the sheet is neither true nor false.");
    case CellType::error:
      return Cell{CellForm::error, std::string(value)};
    case CellType::iso_date: {
      auto cell = cell_of_iso(value);
      constexpr std::string_view kMidnight = "T00:00:00";
      if (cell.form == CellForm::datetime && cell_.format.kind == FormatKind::date && cell.text.ends_with(kMidnight))
        cell = {CellForm::date, cell.text.substr(0, cell.text.size() - kMidnight.size())};
      return cell;
    }
    case CellType::number:
    case CellType::inlined:
    case CellType::text:
      break;
  }
  return with_digits(cell_of_serial(value, cell_.format.kind, book_.epoch), cell_.format.digits);
}

void SheetHandler::end_cell() {
  place_ = Place::row;
  auto cell = cell_value();
  if (!cell) return reader->fail(std::move(cell).error());
  if (auto put = limits_.put(row_, cell_.column, std::move(*cell)); !put) reader->fail(std::move(put).error());
}

void SheetHandler::end_row() {
  place_ = Place::data;
  if (row_.cells.empty()) return;
  if (auto given = limits_.give(row_); !given) return reader->fail(std::move(given).error());
  reader->pause();
}

class Rows final : public XlsxRows {
 public:
  Rows(Zip& zip, const XlsxBook& book, const SharedStrings& strings, const XlsxSheet& sheet, const TableLimits& limits)
      : handler_(book, strings, sheet, limits), reader_(zip, handler_) {
    handler_.reader = &reader_;
  }

  Result<std::optional<Row>> next() override {
    if (ended_) return std::optional<Row>{};
    ended_ = true;  // until this row is whole
    auto more = reader_.advance();
    if (!more) return placed(std::move(more).error());
    if (!*more) return std::optional<Row>{};
    ended_ = false;
    return std::optional<Row>(handler_.take());
  }

 private:
  Error placed(Error error) const {
    if (error.find("sheet") != nullptr) return error;
    return std::move(error).with("sheet", handler_.limits().sheet()).with("row", handler_.row_number());
  }

  SheetHandler handler_;
  XmlReader reader_;
  bool ended_ = false;
};

class MergedHandler final : public XmlHandler {
 public:
  void begin(const XmlName& name, const XmlAttributes& /*attributes*/) override {
    if (name.local == "mergeCell" && is_spreadsheetml(name.space)) ++count;
  }
  void end(const XmlName& /*name*/) override {}
  void text(std::string_view /*text*/) override {}

  XmlReader* reader = nullptr;
  std::uint64_t count = 0;
};

}  // namespace

Result<std::unique_ptr<XlsxRows>> XlsxRows::open(Zip& zip, const XlsxBook& book, const SharedStrings& strings,
                                                 const XlsxSheet& sheet, const TableLimits& limits) {
  SIEGEL_CHECK(zip.select(sheet.part));
  return std::unique_ptr<XlsxRows>(std::make_unique<Rows>(zip, book, strings, sheet, limits));
}

Result<std::uint64_t> count_merged(Zip& zip, const XlsxSheet& sheet) {
  MergedHandler handler;
  SIEGEL_CHECK(read_xml(zip, sheet.part, handler));
  return handler.count;
}

}  // namespace siegel::sheet
