#include "sheet/ods_content.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "sheet/number.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kSheetsMax = 10'000;
constexpr std::size_t kHiddenStylesMax = 10'000;
constexpr std::string_view kOffice = "urn:oasis:names:tc:opendocument:xmlns:office:1.0";
constexpr std::string_view kTable = "urn:oasis:names:tc:opendocument:xmlns:table:1.0";
constexpr std::string_view kText = "urn:oasis:names:tc:opendocument:xmlns:text:1.0";
constexpr std::string_view kStyle = "urn:oasis:names:tc:opendocument:xmlns:style:1.0";
constexpr std::string_view kCalcExtension = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0";

Error damaged(const char* what) { return Error(Errc::invalid, "damaged_file", what); }

bool is(const XmlName& name, std::string_view space, std::string_view local) {
  return name.local == local && name.space == space;
}

std::uint64_t times_of(std::optional<std::string_view> text) {
  std::uint64_t out = 1;
  if (text && std::from_chars(text->data(), text->data() + text->size(), out).ec != std::errc()) return 1;
  return std::clamp<std::uint64_t>(out, 1, std::uint64_t{1} << 32);
}

// What programs before LibreOffice 4 wrote for a formula that failed, without saying so in the cell's kind.
bool is_error_text(std::string_view text) {
  constexpr std::string_view kErrors[] = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"};
  return text.starts_with("Err:") || std::ranges::find(kErrors, text) != std::end(kErrors);
}

}  // namespace

void OdsHandler::begin(const XmlName& name, const XmlAttributes& attributes) {
  if (skipped_ > 0) {
    ++skipped_;
    return;
  }
  if (const auto place = place_of(name, attributes)) {
    places_.push_back(*place);
  } else {
    skipped_ = 1;
  }
}

std::optional<OdsHandler::Place> OdsHandler::place_of(const XmlName& name, const XmlAttributes& attributes) {
  if (places_.empty()) {
    if (is(name, kOffice, "document-content")) return Place::document;
    reader->fail(damaged("The content of the file is no document."));
    return std::nullopt;
  }
  switch (places_.back()) {
    case Place::document:
    case Place::styles:
    case Place::style:
    case Place::body:
      return place_in_document(name, attributes);
    case Place::workbook:
    case Place::sheet:
    case Place::group:
    case Place::row:
      return place_in_sheet(name, attributes);
    case Place::cell:
    case Place::list:
    case Place::paragraph:
      return place_in_text(name, attributes);
  }
  return std::nullopt;
}

std::optional<OdsHandler::Place> OdsHandler::place_in_document(const XmlName& name, const XmlAttributes& attributes) {
  switch (places_.back()) {
    case Place::document:
      if (is(name, kOffice, "automatic-styles")) return Place::styles;
      if (is(name, kOffice, "body")) return Place::body;
      break;
    case Place::styles:
      if (!is(name, kStyle, "style") || attributes.find(kStyle, "family") != "table") break;
      style_ = attributes.find(kStyle, "name").value_or("");
      return Place::style;
    case Place::style:
      if (is(name, kStyle, "table-properties") && attributes.find(kTable, "display") == "false" &&
          hidden_styles_.size() < kHiddenStylesMax)
        hidden_styles_.insert(style_);
      break;
    default:  // body
      if (is(name, kOffice, "spreadsheet")) return Place::workbook;
      reader->fail(Error(Errc::invalid, "unknown_format",
                         "The file is an OpenDocument text or drawing; save the table as ODS, XLSX or CSV."));
      break;
  }
  return std::nullopt;
}

std::optional<OdsHandler::Place> OdsHandler::place_in_sheet(const XmlName& name, const XmlAttributes& attributes) {
  if (name.space != kTable) return std::nullopt;
  if (places_.back() == Place::workbook) {
    if (name.local != "table") return std::nullopt;
    begin_sheet(attributes);
    if (wanted_ && !is_read()) return std::nullopt;
    return Place::sheet;
  }
  if (places_.back() == Place::row) {
    if (name.local != "table-cell" && name.local != "covered-table-cell") return std::nullopt;
    begin_cell(attributes);
    return Place::cell;
  }
  if (name.local == "table-row") {
    begin_row(attributes);
    return Place::row;
  }
  if (name.local != "table-row-group" && name.local != "table-header-rows" && name.local != "table-rows")
    return std::nullopt;
  groups_hidden_.push_back(attributes.find(kTable, "display") == "false");
  if (groups_hidden_.back()) ++hidden_groups_;
  return Place::group;
}

std::optional<OdsHandler::Place> OdsHandler::place_in_text(const XmlName& name, const XmlAttributes& attributes) {
  if (!needs_value() || name.space != kText) return std::nullopt;  // an annotation, a picture, a table within the cell
  if (places_.back() != Place::paragraph) {
    if (name.local == "list" || name.local == "list-item" || name.local == "list-header") return Place::list;
    if (name.local != "p" && name.local != "h") return std::nullopt;
    text_.begin_paragraph();
    return Place::paragraph;
  }
  if (name.local == "s") {
    text_.add_spaces(times_of(attributes.find(kText, "c")));
  } else if (name.local == "tab") {
    text_.add_verbatim('\t');
  } else if (name.local == "line-break") {
    text_.add_verbatim('\n');
  } else if (name.local != "note" && name.local != "ruby-text") {
    return Place::paragraph;
  }
  return std::nullopt;
}

void OdsHandler::begin_sheet(const XmlAttributes& attributes) {
  if (sheets.size() == kSheetsMax) return reader->fail(damaged("The workbook has too many sheets."));
  const auto style = attributes.find(kTable, "style-name");
  const bool hidden =
      attributes.find(kTable, "display") == "false" || (style && hidden_styles_.find(*style) != hidden_styles_.end());
  sheets.push_back({{std::string(attributes.find(kTable, "name").value_or("")), hidden}, 0, false});
  next_row_ = 1;
}

void OdsHandler::begin_row(const XmlAttributes& attributes) {
  const auto visibility = attributes.find(kTable, "visibility");
  const bool hidden = hidden_groups_ > 0 || (visibility && *visibility != "visible");
  row_ = {{next_row_, hidden, {}}, times_of(attributes.find(kTable, "number-rows-repeated"))};
  next_column_ = 0;
}

void OdsHandler::read_office(std::string_view name, std::string_view value) {
  if (name == "value-type") {
    cell_.kind = value;
  } else if (name == "value" || name == "date-value" || name == "time-value" || name == "boolean-value") {
    cell_.value = value;
  } else if (name == "string-value") {
    cell_.text_value = value;
  }
}

// Whether the cell is the first of merged ones.
bool OdsHandler::read_table(std::string_view name, std::string_view value) {
  if (name == "number-columns-repeated") cell_.times = times_of(value);
  if (name == "number-columns-spanned" || name == "number-rows-spanned") return times_of(value) > 1;
  if (name != "formula") return false;
  cell_.has_formula = true;
  cell_.is_literal_boolean = value == "of:=TRUE()" || value == "of:=FALSE()";
  return false;
}

void OdsHandler::begin_cell(const XmlAttributes& attributes) {
  cell_ = {};
  text_.take();
  text_.limit(limits_.limits().cell_bytes_max);
  bool merges = false;
  attributes.for_each([&](const XmlName& name, std::string_view value) {
    if (name.space == kOffice) {
      read_office(name.local, value);
    } else if (name.space == kTable) {
      merges = read_table(name.local, value) || merges;
    } else if (name.space == kCalcExtension && name.local == "value-type") {
      cell_.is_error = value == "error";
    }
  });
  cell_.has_value = !cell_.kind.empty();
  if (cell_.kind == "string") cell_.value = std::move(cell_.text_value);
  if (merges) ++sheets.back().merged_cells;
}

Cell OdsHandler::cell_value() {
  auto text = text_.take();
  if (cell_.is_error || (cell_.has_formula && is_error_text(text)))
    return {CellForm::error, text.empty() ? kNoResult : std::move(text)};
  // So LibreOffice keeps what it took from a workbook of Excel as true or false.
  if (cell_.is_literal_boolean && (cell_.value == "1" || cell_.value == "0"))
    return {CellForm::boolean, cell_.value == "1" ? "true" : "false"};
  if (cell_.kind == "float" || cell_.kind == "percentage" || cell_.kind == "currency") {
    const auto number = shortest_number(cell_.value);
    if (!number) return {CellForm::text, std::move(cell_.value)};
    const Cell plain{CellForm::number, *number};
    auto shown = with_digits(plain, text.starts_with('0') && text.size() > 1 ? static_cast<unsigned>(text.size()) : 0);
    return shown.text == text ? shown : plain;
  }
  if (cell_.kind == "date") return cell_of_iso(cell_.value);
  if (cell_.kind == "time") return cell_of_iso_duration(cell_.value);
  if (cell_.kind == "boolean" && (cell_.value == "true" || cell_.value == "false"))
    return {CellForm::boolean, std::move(cell_.value)};
  if (!cell_.value.empty()) text = std::move(cell_.value);
  if (!text.empty()) return {CellForm::text, std::move(text)};
  if (cell_.has_formula && !cell_.has_value) return {CellForm::error, kNoResult};
  return {};
}

void OdsHandler::end_cell() {
  const auto first = next_column_;
  next_column_ += cell_.times;
  if (!needs_value()) return;
  auto cell = cell_value();
  if (cell.form == CellForm::empty || cell.text.empty()) return;  // or a kind without its value
  sheets.back().has_cells = true;
  if (!is_read()) return;
  for (auto column = first; column < next_column_; ++column)
    if (auto put = limits_.put(row_.row, column, cell); !put) return reader->fail(std::move(put).error());
}

void OdsHandler::end_row() {
  next_row_ += row_.times;
  if (is_read() && !row_.row.cells.empty()) reader->pause();
}

void OdsHandler::end(const XmlName& /*name*/) {
  if (skipped_ > 0) {
    --skipped_;
    return;
  }
  const auto place = places_.back();
  places_.pop_back();
  switch (place) {
    case Place::paragraph:
      if (places_.back() != Place::paragraph) text_.end_paragraph();
      break;
    case Place::cell:
      end_cell();
      break;
    case Place::row:
      end_row();
      break;
    case Place::group:
      if (groups_hidden_.back()) --hidden_groups_;
      groups_hidden_.pop_back();
      break;
    case Place::sheet:
      if (is_read()) reader->stop();
      break;
    case Place::document:
    case Place::styles:
    case Place::style:
    case Place::body:
    case Place::workbook:
    case Place::list:
      break;
  }
}

void OdsHandler::text(std::string_view text) {
  if (skipped_ == 0 && !places_.empty() && places_.back() == Place::paragraph) text_.add(text);
}

}  // namespace siegel::sheet
