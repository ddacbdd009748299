#include "ctl/import_rows.h"

#include <algorithm>

namespace siegel::ctl {
namespace {

std::string titles_of(const RecordType& type) {
  std::vector<std::string> out;
  for (const auto& field : type.fields) out.push_back(field.titles.empty() ? field.name : field.titles.front());
  return joined(out);
}

Column column_of(const RecordType& type, const std::string& title, bool is_last) {
  const auto text = sheet::trimmed(title);
  if (text.empty()) return {Column::Use::untitled, nullptr};
  if (const auto* field = type.find(text)) return {Column::Use::field, field};
  return {is_of_rejects(text, is_last) ? Column::Use::of_rejects : Column::Use::passed_over, nullptr};
}

bool is_for(const Columns& columns, const Field& field) {
  return std::any_of(columns.begin(), columns.end(), [&](const Column& column) { return column.field == &field; });
}

}  // namespace

bool is_of_rejects(std::string_view title, bool is_last) {
  if (is_last && title == "reason") return true;
  return std::find(std::begin(kRejectColumns), std::end(kRejectColumns), title) != std::end(kRejectColumns);
}

std::size_t ids_of_export(const std::vector<std::string>& titles) {
  constexpr auto kIds = std::size(kExportColumns);
  const bool has_ids = titles.size() >= kIds &&
                       std::equal(std::begin(kExportColumns), std::end(kExportColumns), titles.begin(),
                                  [](const char* id, const auto& title) { return sheet::trimmed(title) == id; });
  return has_ids ? kIds : 0;
}

Error unknown_column(const std::vector<std::string>& titles) {
  return Error(Errc::invalid, "unknown_column",
               "A column is no field of the type; --ignore-unknown passes it over, `siegel type show` names the "
               "fields.")
      .with("columns", joined(titles));
}

Result<Columns> match(const RecordType& type, const sheet::CsvRow& header, bool ignore_unknown) {
  Columns out;
  std::vector<std::string> unknown;
  const auto ids = ids_of_export(header);
  for (const auto& title : header) {
    auto column = column_of(type, title, &title == &header.back());
    if (column.field != nullptr && is_for(out, *column.field))
      return Error(Errc::invalid, "double_column", "Two columns are for one field.").with("field", column.field->name);
    if (column.use == Column::Use::passed_over && out.size() >= ids) unknown.emplace_back(sheet::trimmed(title));
    if (column.use == Column::Use::untitled && ignore_unknown) column.use = Column::Use::passed_over;
    out.push_back(column);
  }
  if (std::none_of(out.begin(), out.end(), [](const Column& column) { return column.field != nullptr; }))
    return Error(Errc::invalid, "no_header",
                 "No cell of the first row is a field of the type; does the file lack its header row?")
        .with("fields", titles_of(type));
  if (!unknown.empty() && !ignore_unknown) return unknown_column(unknown);
  for (const auto& field : type.fields)
    if (field.required && !is_for(out, field))
      return Error(Errc::invalid, "missing_column", "A required field has no column.").with("field", field.name);
  return out;
}

std::variant<std::string, RowFailure, EmptyRow> read_row(const Columns& columns, const sheet::CsvRow& cells,
                                                         sheet::DecimalSign sign) {
  std::vector<Fault> faults;
  auto values = nlohmann::json::object();
  bool is_empty = true, has_extra = false;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto column = i < columns.size() ? columns[i] : Column{Column::Use::untitled, nullptr};
    if (column.use == Column::Use::of_rejects) continue;
    const bool is_blank = sheet::trimmed(cells[i]).empty();
    is_empty = is_empty && is_blank;
    has_extra = has_extra || (column.use == Column::Use::untitled && !is_blank);
    if (column.field == nullptr) continue;
    auto value = value_of(*column.field, cells[i], sign);
    if (!value) {
      const auto member = [&](const char* name) {
        const auto* const found = value.error().find(name);
        return found == nullptr ? std::string() : *found;
      };
      faults.push_back(
          {value.error().code(), column.field->name, value.error().what(), member("reason"), member("choices")});
    } else if (!value->is_null()) {
      values[column.field->name] = std::move(*value);
    }
  }
  if (is_empty) return EmptyRow{};
  if (has_extra) faults.push_back({"extra_cells", "", "The row has cells that no title of the header stands above."});
  for (const auto& column : columns) {
    const bool is_missing = column.field != nullptr && column.field->required && !values.contains(column.field->name);
    const auto is_told = [&](const Fault& fault) { return fault.column == column.field->name; };
    if (is_missing && std::none_of(faults.begin(), faults.end(), is_told))
      faults.push_back({"missing_value", column.field->name, "A required field is empty."});
  }
  if (!faults.empty()) return RowFailure{std::move(faults), cells};
  return nlohmann::json{{"values", std::move(values)}}.dump();
}

sheet::CsvRow own_cells(const Columns& columns, const sheet::CsvRow& row) {
  sheet::CsvRow out;
  for (std::size_t i = 0; i < row.size(); ++i)
    if (i >= columns.size() || columns[i].use != Column::Use::of_rejects) out.push_back(row[i]);
  return out;
}

}  // namespace siegel::ctl
