// The sheet of a workbook: the input is its XML, put into a zip with all that must stand around it. Even first byte:
// XLSX, with shared texts and formats; odd: the content of an ODS file.
#include <zlib.h>

#include <string>

#include "fuzz/fuzz_sheet.h"

using namespace siegel;

namespace {

constexpr std::string_view kRels =
    R"(<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" Type="x/officeDocument" Target="b"/></Relationships>)";
constexpr std::string_view kBookRels =
    R"(<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" Type="x/worksheet" Target="s"/>)"
    R"(<Relationship Id="t" Type="x/sharedStrings" Target="t"/><Relationship Id="f" Type="x/styles" Target="f"/></Relationships>)";
constexpr std::string_view kBook =
    R"(<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="r"><sheets><sheet name="S" r:id="a"/></sheets></workbook>)";
constexpr std::string_view kTexts =
    R"(<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>a</t></si><si><r><t>b</t></r></si></sst>)";
constexpr std::string_view kFormats =
    R"(<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="46"/><xf numFmtId="20"/></cellXfs></styleSheet>)";

template <class T>
void put_le(std::string& to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to += static_cast<char>(value >> (8 * i));
}

// Stored, not deflated.
class StoredZip {
 public:
  void add(std::string_view name, std::string_view content) {
    const auto at = static_cast<std::uint32_t>(zip_.size());
    const auto fields = fields_of(name, content);
    zip_ += std::string("PK\x03\x04") + fields;
    zip_ += name;
    zip_ += content;
    directory_ += std::string("PK\x01\x02") + std::string("\x14\0", 2) + fields + std::string(10, '\0');
    put_le<std::uint32_t>(directory_, at);
    directory_ += name;
    ++parts_;
  }
  std::string finish() {
    std::string end = std::string("PK\x05\x06") + std::string(4, '\0');
    put_le<std::uint16_t>(end, parts_);
    put_le<std::uint16_t>(end, parts_);
    put_le<std::uint32_t>(end, static_cast<std::uint32_t>(directory_.size()));
    put_le<std::uint32_t>(end, static_cast<std::uint32_t>(zip_.size()));
    return zip_ + directory_ + end + std::string(2, '\0');
  }

 private:
  static std::string fields_of(std::string_view name, std::string_view content) {
    std::string out = std::string("\x14\0", 2) + std::string(8, '\0');
    put_le<std::uint32_t>(out, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                                                                static_cast<uInt>(content.size()))));
    put_le<std::uint32_t>(out, static_cast<std::uint32_t>(content.size()));
    put_le<std::uint32_t>(out, static_cast<std::uint32_t>(content.size()));
    put_le<std::uint16_t>(out, static_cast<std::uint16_t>(name.size()));
    put_le<std::uint16_t>(out, 0);
    return out;
  }

  std::string zip_;
  std::string directory_;
  std::uint16_t parts_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 500'000) return 0;
  const auto content = as_chars({data + 1, size - 1});
  StoredZip zip;
  if ((data[0] & 1) == 0) {
    zip.add("_rels/.rels", kRels);
    zip.add("b", kBook);
    zip.add("_rels/b.rels", kBookRels);
    zip.add("t", kTexts);
    zip.add("f", kFormats);
    zip.add("s", content);
  } else {
    zip.add("mimetype", "application/vnd.oasis.opendocument.spreadsheet");
    zip.add("content.xml", content);
  }
  const auto file = zip.finish();
  siegel::test::check_table(as_bytes(file), siegel::test::small_limits());
  return 0;
}
