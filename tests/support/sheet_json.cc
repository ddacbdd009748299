#include "support/sheet_json.h"

#include "base/assert.h"

namespace siegel::test {
namespace {

using nlohmann::json;
using sheet::CellForm;
using sheet::Format;

const char* name_of_form(CellForm form) {
  switch (form) {
    case CellForm::empty:
      return "empty";
    case CellForm::text:
      return "text";
    case CellForm::number:
      return "number";
    case CellForm::date:
      return "date";
    case CellForm::datetime:
      return "datetime";
    case CellForm::time:
      return "time";
    case CellForm::boolean:
      return "boolean";
    case CellForm::error:
      return "error";
  }
  return "";
}

json as_json(const sheet::Cell& cell) {
  if (cell.form == CellForm::empty) return nullptr;
  if (cell.form == CellForm::text) return cell.text;
  return {{name_of_form(cell.form), cell.text}};
}

json as_json(const sheet::Row& row) {
  json out{{"row", row.number}, {"cells", json::array()}};
  if (row.hidden) out["hidden"] = true;
  for (const auto& cell : row.cells) out["cells"].push_back(as_json(cell));
  return out;
}

json as_json(const Error& error) {
  json out{{"code", error.code()}};
  for (const auto& [key, value] : error.context()) out[key] = value;
  return out;
}

void add(json& to, const sheet::TableInfo& info) {
  to["format"] = sheet::name_of(info.format);
  to["encoding"] = info.encoding;
  to["delimiter"] = info.delimiter == '\0' ? "" : std::string(1, info.delimiter);
  to["sheets"] = json::array();
  for (const auto& [name, hidden] : info.sheets) to["sheets"].push_back({{"name", name}, {"hidden", hidden}});
  to["sheet"] = info.sheet;
  to["merged"] = info.merged_cells;
}

}  // namespace

sheet::TableOptions table_options(const json& options) {
  sheet::TableOptions out;
  if (options.contains("format"))
    for (const auto format : {Format::tsv, Format::csv, Format::xlsx, Format::ods, Format::ndjson})
      if (sheet::name_of(format) == options["format"].get<std::string>()) out.format = format;
  if (options.contains("sheet")) out.sheet = options["sheet"].get<std::string>();
  if (options.contains("encoding")) out.encoding = options["encoding"].get<std::string>();
  if (options.contains("delimiter")) out.delimiter = options["delimiter"].get<std::string>().at(0);
  const auto limits = options.value("limits", json::object());
  out.limits.cell_bytes_max = limits.value("cell_bytes_max", out.limits.cell_bytes_max);
  out.limits.columns_max = limits.value("columns_max", out.limits.columns_max);
  out.limits.rows_max = limits.value("rows_max", out.limits.rows_max);
  out.limits.unpacked_bytes_max = limits.value("unpacked_bytes_max", out.limits.unpacked_bytes_max);
  return out;
}

json table_as_json(ByteView bytes, const sheet::TableOptions& options) {
  json out{{"rows", json::array()}};
  auto table = sheet::open_table(bytes, options);
  if (!table) {
    out["error"] = as_json(table.error());
    return out;
  }
  for (;;) {
    auto row = (*table)->next();
    if (!row) {
      out["error"] = as_json(row.error());
      row = (*table)->next();
      SIEGEL_ASSERT(row && !*row);  // after an error there are no more rows
      break;
    }
    if (!*row) break;
    out["rows"].push_back(as_json(**row));
  }
  add(out, (*table)->info());
  return out;
}

}  // namespace siegel::test
