#include "sheet/ods.h"

#include <algorithm>

#include "sheet/ods_content.h"

namespace siegel::sheet {
namespace {

constexpr const char* kContent = "content.xml";
constexpr const char* kManifest = "META-INF/manifest.xml";

class ManifestHandler final : public XmlHandler {
 public:
  void begin(const XmlName& name, const XmlAttributes& /*attributes*/) override {
    if (name.local == "encryption-data") encrypted = true;
  }
  void end(const XmlName& /*name*/) override {}
  void text(std::string_view /*text*/) override {}

  XmlReader* reader = nullptr;
  bool encrypted = false;
};

Status refuse_encrypted(Zip& zip) {
  if (!zip.has(kManifest)) return Done{};
  ManifestHandler manifest;
  SIEGEL_CHECK(read_xml(zip, kManifest, manifest));
  if (!manifest.encrypted) return Done{};
  return Error(Errc::invalid, "encrypted_file", "The file is protected by a password; save it without one.");
}

class OdsTable final : public TableReader {
 public:
  OdsTable(std::unique_ptr<Zip> zip, TableInfo info, std::size_t sheet, const TableLimits& limits)
      : zip_(std::move(zip)), info_(std::move(info)), handler_(limits, sheet, info_.sheet), reader_(*zip_, handler_) {
    handler_.reader = &reader_;
  }

  [[nodiscard]] const TableInfo& info() const noexcept override { return info_; }
  Result<std::optional<Row>> next() override;

 private:
  Status read_row();

  std::unique_ptr<Zip> zip_;
  TableInfo info_;
  OdsHandler handler_;
  XmlReader reader_;
  RepeatedRow row_;  // what of it is still to be given
  bool ended_ = false;
};

Status OdsTable::read_row() {
  auto more = reader_.advance();
  if (more) {
    row_ = *more ? handler_.take() : RepeatedRow{};
    return Done{};
  }
  auto error = std::move(more).error();
  if (error.find("sheet") != nullptr) return error;
  return std::move(error).with("sheet", info_.sheet).with("row", handler_.next_row());
}

Result<std::optional<Row>> OdsTable::next() {
  if (ended_) return std::optional<Row>{};
  ended_ = true;  // until this row is whole
  if (row_.times == 0) SIEGEL_CHECK(read_row());
  if (row_.times == 0) return std::optional<Row>{};
  SIEGEL_CHECK(handler_.limits().give(row_.row));
  ended_ = false;
  if (--row_.times == 0) return std::optional<Row>(std::move(row_.row));
  auto row = row_.row;
  ++row_.row.number;
  return std::optional<Row>(std::move(row));
}

Result<std::size_t> choose(const std::vector<OdsSheet>& sheets, const std::optional<std::string>& wanted) {
  if (sheets.empty()) return Error(Errc::invalid, "damaged_file", "The workbook has no sheet.");
  const auto number_of = [&](auto found) { return static_cast<std::size_t>(found - sheets.begin()); };
  if (wanted) {
    const auto named = std::ranges::find(sheets, *wanted, [](const OdsSheet& s) { return s.info.name; });
    if (named == sheets.end()) return Error(Errc::invalid, "sheet_unknown", "The workbook has no sheet of this name.");
    return number_of(named);
  }
  const auto filled = std::ranges::find_if(sheets, [](const OdsSheet& s) { return !s.info.hidden && s.has_cells; });
  if (filled != sheets.end()) return number_of(filled);
  const auto visible = std::ranges::find(sheets, false, [](const OdsSheet& s) { return s.info.hidden; });
  return visible == sheets.end() ? std::size_t{0} : number_of(visible);
}

}  // namespace

Result<std::unique_ptr<TableReader>> open_ods(std::unique_ptr<Zip> zip, const TableOptions& options) {
  SIEGEL_CHECK(refuse_encrypted(*zip));
  OdsHandler survey(options.limits, std::nullopt, "");
  SIEGEL_CHECK(read_xml(*zip, kContent, survey));
  SIEGEL_TRY(chosen, choose(survey.sheets, options.sheet));
  TableInfo info;
  info.format = Format::ods;
  for (const auto& sheet : survey.sheets) info.sheets.push_back(sheet.info);
  info.sheet = survey.sheets[chosen].info.name;
  info.merged_cells = survey.sheets[chosen].merged_cells;
  SIEGEL_CHECK(zip->select(kContent));
  return std::unique_ptr<TableReader>(
      std::make_unique<OdsTable>(std::move(zip), std::move(info), chosen, options.limits));
}

}  // namespace siegel::sheet
