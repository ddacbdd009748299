#include "sheet/text_table.h"

#include <algorithm>
#include <utility>

#include "sheet/delimited.h"
#include "sheet/delimiter.h"
#include "sheet/encoding.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kSampleBytes = 256 * 1024;

DelimitedOptions delimited_options(const TableLimits& limits) {
  return {.delimiter = ',',
          .quotes = Quotes::strict,
          .numbering = Numbering::lines,
          .cell_bytes_max = limits.cell_bytes_max,
          .columns_max = limits.columns_max,
          .rows_max = limits.rows_max};
}

class TextTable final : public TableReader {
 public:
  TextTable(ByteView bytes, const FoundEncoding& found, const TableOptions& options)
      : source_(text_source(bytes, found)), reader_(*source_, delimited_options(options.limits)) {
    info_.encoding = name_of(found.encoding);
  }

  Status begin(ByteView bytes, const TableOptions& options);
  [[nodiscard]] const TableInfo& info() const noexcept override { return info_; }
  Result<std::optional<Row>> next() override;

 private:
  std::unique_ptr<TextSource> source_;
  DelimitedReader reader_;
  TableInfo info_;
  std::vector<std::string> cells_;
};

// The hint "pasted" keeps a column of "Maier, Anna" whole; only what no name holds overrules it.
std::optional<char> delimiter_of_pasted(std::string_view sample, bool is_whole) {
  if (sample.find('\t') != std::string_view::npos) return '\t';
  const auto found = find_delimiter(sample, is_whole);
  return found == ',' ? std::nullopt : found;
}

Status TextTable::begin(ByteView bytes, const TableOptions& options) {
  SIEGEL_TRY(sample, reader_.peek(kSampleBytes));
  const auto instruction = instruction_bytes(sample);
  std::optional<char> delimiter = options.delimiter;
  if (instruction != 0) {
    if (!delimiter) delimiter = sample[kInstructionAt];
    reader_.skip(instruction);
  }
  const auto text = sample.substr(instruction);
  const bool pasted = options.format == Format::tsv;
  const bool is_whole = text.size() < kSampleBytes;
  if (!delimiter) delimiter = pasted ? delimiter_of_pasted(text, is_whole) : find_delimiter(text, is_whole);
  if (!delimiter) delimiter = pasted ? '\t' : unused_delimiter(as_chars(bytes));
  if (*delimiter == '"' || *delimiter == '\r' || *delimiter == '\n' || static_cast<unsigned char>(*delimiter) >= 0x80 ||
      *delimiter == '\0')
    return Error(Errc::invalid, "bad_csv", "This character cannot separate cells.");
  info_.delimiter = *delimiter;
  info_.format = *delimiter == '\t' ? Format::tsv : Format::csv;
  reader_.set_delimiter(*delimiter);
  if (info_.format == Format::tsv) reader_.set_quotes(Quotes::as_they_stand);
  return Done{};
}

Result<std::optional<Row>> TextTable::next() {
  for (;;) {
    SIEGEL_TRY(found, reader_.next(cells_));
    if (!found) return std::optional<Row>{};
    while (!cells_.empty() && cells_.back().empty()) cells_.pop_back();
    if (cells_.empty()) continue;
    Row row;
    row.number = reader_.number();
    row.cells.reserve(cells_.size());
    for (auto& cell : cells_)
      row.cells.push_back({cell.empty() ? CellForm::empty : CellForm::text, std::exchange(cell, {})});
    return std::optional<Row>(std::move(row));
  }
}

}  // namespace

Result<std::unique_ptr<TableReader>> open_text(ByteView bytes, const TableOptions& options) {
  SIEGEL_TRY(found, find_encoding(bytes, options.encoding));
  auto table = std::make_unique<TextTable>(bytes, found, options);
  SIEGEL_CHECK(table->begin(bytes, options));
  return std::unique_ptr<TableReader>(std::move(table));
}

}  // namespace siegel::sheet
