#include "sheet/xlsx.h"

#include <algorithm>

#include "sheet/shared_strings.h"
#include "sheet/xlsx_book.h"
#include "sheet/xlsx_sheet.h"

namespace siegel::sheet {
namespace {

class XlsxTable final : public TableReader {
 public:
  XlsxTable(std::unique_ptr<Zip> zip, XlsxBook book, const TableLimits& limits)
      : zip_(std::move(zip)), book_(std::move(book)), strings_(limits.unpacked_bytes_max), limits_(limits) {}

  Status begin(const std::optional<std::string>& wanted);
  [[nodiscard]] const TableInfo& info() const noexcept override { return info_; }
  Result<std::optional<Row>> next() override { return rows_->next(); }

 private:
  Result<const XlsxSheet*> choose(const std::optional<std::string>& wanted);

  std::unique_ptr<Zip> zip_;
  XlsxBook book_;
  SharedStrings strings_;
  TableLimits limits_;
  std::unique_ptr<XlsxRows> rows_;
  TableInfo info_;
};

Result<const XlsxSheet*> XlsxTable::choose(const std::optional<std::string>& wanted) {
  if (wanted) {
    const auto named = std::ranges::find(book_.sheets, *wanted, [](const XlsxSheet& s) { return s.info.name; });
    if (named == book_.sheets.end())
      return Error(Errc::invalid, "sheet_unknown", "The workbook has no sheet of this name.");
    return &*named;
  }
  const XlsxSheet* first = nullptr;
  for (const auto& sheet : book_.sheets) {
    if (sheet.info.hidden) continue;
    if (first == nullptr) first = &sheet;
    SIEGEL_TRY(rows, XlsxRows::open(*zip_, book_, strings_, sheet, limits_));
    SIEGEL_TRY(row, rows->next());
    if (row) return &sheet;
  }
  return first == nullptr ? &book_.sheets.front() : first;
}

Status XlsxTable::begin(const std::optional<std::string>& wanted) {
  info_.format = Format::xlsx;
  for (const auto& sheet : book_.sheets) info_.sheets.push_back(sheet.info);
  if (!book_.strings_part.empty())
    SIEGEL_CHECK(read_shared_strings(*zip_, book_.strings_part, limits_.cell_bytes_max, strings_));
  SIEGEL_TRY(sheet, choose(wanted));
  info_.sheet = sheet->info.name;
  SIEGEL_TRY(merged, count_merged(*zip_, *sheet));
  info_.merged_cells = merged;
  SIEGEL_TRY(rows, XlsxRows::open(*zip_, book_, strings_, *sheet, limits_));
  rows_ = std::move(rows);
  return Done{};
}

}  // namespace

Result<std::unique_ptr<TableReader>> open_xlsx(std::unique_ptr<Zip> zip, const std::string& book_part,
                                               const TableOptions& options) {
  SIEGEL_TRY(book, read_book(*zip, book_part));
  auto table = std::make_unique<XlsxTable>(std::move(zip), std::move(book), options.limits);
  SIEGEL_CHECK(table->begin(options.sheet));
  return std::unique_ptr<TableReader>(std::move(table));
}

}  // namespace siegel::sheet
