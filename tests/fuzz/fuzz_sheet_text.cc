// Pasted text, CSV and NDJSON. The first byte says what is told beforehand; UTF-16 of a text is read as the text
// itself.
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/text.h"
#include "fuzz/fuzz_sheet.h"

using namespace siegel;
using namespace siegel::sheet;

namespace {

TableOptions told(std::uint8_t what) {
  constexpr const char* kEncodings[] = {"utf-8", "utf-16le", "utf-16be", "windows-1252"};
  constexpr char kDelimiters[] = {';', ',', '\t', 'x'};
  auto options = test::small_limits();
  if ((what & 1) != 0) options.format = Format::tsv;
  if ((what & 2) != 0) options.format = Format::ndjson;
  if ((what & 4) != 0) options.encoding = kEncodings[what >> 6];
  if ((what & 8) != 0) options.delimiter = kDelimiters[what >> 4 & 3];
  return options;
}

// Another parser takes each line that gave a row.
void compare_json(std::string_view text, const std::vector<Row>& rows) {
  std::uint64_t number = 0;
  std::size_t next = 1;
  for (std::size_t at = 0; at < text.size() && next < rows.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (++number == rows[next].number) {
      const auto line = text.substr(at, end - at);
      SIEGEL_ASSERT(nlohmann::json::accept(line.begin(), line.end()));
      ++next;
    }
    at = end + 1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  const auto rows = test::check_table(bytes, told(data[0]));
  const auto plain = test::check_table(bytes, test::small_limits());
  const auto table = open_table(bytes, test::small_limits());
  if (table && (*table)->info().format == Format::ndjson && !as_chars(bytes).starts_with("\xEF"))
    compare_json(as_chars(bytes), plain);
  return 0;
}
