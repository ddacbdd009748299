#include "sheet/xlsx_book.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "sheet/shared_strings.h"
#include "sheet/xml.h"

namespace siegel::sheet {
namespace {

constexpr std::size_t kFormatsMax = 100'000;  // Excel's own limit is 65,490
constexpr std::size_t kSheetsMax = 10'000;
constexpr const char* kRelationships = "http://schemas.openxmlformats.org/package/2006/relationships";

Error damaged(const char* what) { return Error(Errc::invalid, "damaged_file", what); }

bool is_true(std::optional<std::string_view> value) {
  return value && (*value == "1" || *value == "true" || *value == "on");
}

std::optional<unsigned> number_of(std::optional<std::string_view> text) {
  unsigned out = 0;
  if (!text) return std::nullopt;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (text->empty() || failed != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return out;
}

std::string folder_of(std::string_view part) {
  const auto slash = part.rfind('/');
  return std::string(part.substr(0, slash == std::string_view::npos ? 0 : slash + 1));
}

// A target of a relationship of `part`, as a name in the zip: absolute, or relative to the folder of that part.
std::string part_of_target(std::string_view part, std::string_view target) {
  std::string path =
      target.starts_with('/') || target.starts_with('\\') ? std::string(target) : folder_of(part) + std::string(target);
  std::ranges::replace(path, '\\', '/');
  std::vector<std::string> steps;
  for (std::size_t at = 0; at < path.size();) {
    const auto slash = std::min(path.find('/', at), path.size());
    const auto step = path.substr(at, slash - at);
    if (step == ".." && !steps.empty()) {
      steps.pop_back();
    } else if (!step.empty() && step != "." && step != "..") {
      steps.push_back(step);
    }
    at = slash + 1;
  }
  std::string out;
  for (const auto& step : steps) out += (out.empty() ? "" : "/") + step;
  return out;
}

struct Relationship {
  std::string type;  // the last word of its URI, which transitional and strict files have in common
  std::string part;
};

class RelationshipsHandler final : public XmlHandler {
 public:
  explicit RelationshipsHandler(std::string_view part) : part_(part) {}

  void begin(const XmlName& name, const XmlAttributes& attributes) override {
    if (name.local != "Relationship" || name.space != kRelationships) return;
    if (attributes.find("TargetMode") == "External") return;
    const auto id = attributes.find("Id"), type = attributes.find("Type"), target = attributes.find("Target");
    if (!id || !type || !target) return reader->fail(damaged("A relationship of the file lacks its target."));
    if (relationships.size() == kSheetsMax) return reader->fail(damaged("The file has too many relationships."));
    relationships.emplace(
        *id, Relationship{std::string(type->substr(type->rfind('/') + 1)), part_of_target(part_, *target)});
  }
  void end(const XmlName& /*name*/) override {}
  void text(std::string_view /*text*/) override {}

  XmlReader* reader = nullptr;
  std::map<std::string, Relationship, std::less<>> relationships;

 private:
  std::string_view part_;
};

using Relationships = std::map<std::string, Relationship, std::less<>>;

Result<Relationships> read_relationships(Zip& zip, const std::string& part) {
  const auto folder = folder_of(part);
  const auto of_part = folder + "_rels/" + part.substr(folder.size()) + ".rels";
  if (!zip.has(of_part)) return Relationships{};
  RelationshipsHandler handler(part);
  SIEGEL_CHECK(read_xml(zip, of_part, handler));
  return std::move(handler.relationships);
}

class BookHandler final : public XmlHandler {
 public:
  BookHandler(const Relationships& relationships, XlsxBook& book) : relationships_(relationships), book_(book) {}

  void begin(const XmlName& name, const XmlAttributes& attributes) override {
    const bool is_root = !began_;
    began_ = true;
    if (is_root && (name.local != "workbook" || !is_spreadsheetml(name.space)))
      return reader->fail(Error(Errc::invalid, "unknown_format",
                                "The file is an Office document, but no spreadsheet; save the table as XLSX or CSV."));
    if (!is_spreadsheetml(name.space)) return;
    if (name.local == "workbookPr" && is_true(attributes.find("date1904"))) book_.epoch = Epoch::year_1904;
    if (name.local == "sheet") sheet(attributes);
  }
  void end(const XmlName& /*name*/) override {}
  void text(std::string_view /*text*/) override {}

  XmlReader* reader = nullptr;

 private:
  void sheet(const XmlAttributes& attributes) {
    std::string_view id;
    attributes.for_each([&](const XmlName& name, std::string_view value) {
      if (name.local == "id" && !name.space.empty()) id = value;
    });
    const auto found = relationships_.find(id);
    if (found == relationships_.end()) return reader->fail(damaged("A sheet of the workbook is not in the file."));
    if (found->second.type != "worksheet") return;
    const auto state = attributes.find("state");
    SheetInfo info{std::string(attributes.find("name").value_or("")), state && *state != "visible"};
    book_.sheets.push_back({std::move(info), found->second.part});
    if (book_.sheets.size() > kSheetsMax) reader->fail(damaged("The workbook has too many sheets."));
  }

  const Relationships& relationships_;
  XlsxBook& book_;
  bool began_ = false;
};

class StylesHandler final : public XmlHandler {
 public:
  explicit StylesHandler(std::vector<CellFormat>& formats) : formats_(formats) {}

  void begin(const XmlName& name, const XmlAttributes& attributes) override {
    if (!is_spreadsheetml(name.space)) return;
    if (name.local == "cellXfs") in_cell_formats_ = true;
    if (name.local == "numFmt") {
      const auto id = number_of(attributes.find("numFmtId"));
      const auto code = attributes.find("formatCode");
      if (id && code && own_.size() < kFormatsMax)
        own_.insert_or_assign(*id, CellFormat{kind_of_format(*code), digits_of_format(*code)});
    }
    if (name.local != "xf" || !in_cell_formats_) return;
    if (formats_.size() == kFormatsMax) return reader->fail(damaged("The workbook has too many formats."));
    const auto id = number_of(attributes.find("numFmtId")).value_or(0);
    const auto own = own_.find(id);
    formats_.push_back(own != own_.end() ? own->second : CellFormat{kind_of_builtin_format(id), 0});
  }
  void end(const XmlName& name) override {
    if (name.local == "cellXfs") in_cell_formats_ = false;
  }
  void text(std::string_view /*text*/) override {}

  XmlReader* reader = nullptr;

 private:
  std::vector<CellFormat>& formats_;
  std::map<unsigned, CellFormat> own_;
  bool in_cell_formats_ = false;
};

}  // namespace

Result<std::string> find_book_part(Zip& zip) {
  SIEGEL_TRY(relationships, read_relationships(zip, ""));
  for (const auto& [id, relationship] : relationships)
    if (relationship.type == "officeDocument") return relationship.part;
  return std::string();
}

Result<XlsxBook> read_book(Zip& zip, const std::string& book_part) {
  XlsxBook book;
  SIEGEL_TRY(relationships, read_relationships(zip, book_part));
  BookHandler handler(relationships, book);
  SIEGEL_CHECK(read_xml(zip, book_part, handler));
  if (book.sheets.empty()) return damaged("The workbook has no sheet.");
  for (const auto& [id, relationship] : relationships) {
    if (relationship.type == "sharedStrings") book.strings_part = relationship.part;
    if (relationship.type != "styles") continue;
    StylesHandler styles(book.formats);
    SIEGEL_CHECK(read_xml(zip, relationship.part, styles));
  }
  return book;
}

}  // namespace siegel::sheet
