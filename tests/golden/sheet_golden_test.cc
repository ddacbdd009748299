// Each file of tests/golden/sheets is read as its expectation says (tests/support/make_sheets.py wrote both).
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/catch.h"
#include "support/sheet_json.h"

using namespace siegel;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

const fs::path kFolder = fs::path(SIEGEL_SOURCE_DIR) / "tests/golden/sheets";

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// An expected error may leave out context, never name other.
void check_error(const json& expected, const json& error) {
  for (const auto& [key, value] : expected.items()) {
    CAPTURE(key, value.dump());
    CHECK(error.value(key, json()) == value);
  }
}

void check_file(const fs::path& path) {
  CAPTURE(path.filename().string());
  const auto expectation = json::parse(content_of(path.string() + ".json"));
  const auto bytes = content_of(path);
  const auto table = test::table_as_json(as_bytes(bytes), test::table_options(expectation["options"]));
  CAPTURE(table.dump(1));
  CHECK(table.contains("error") == expectation["expect"].contains("error"));
  for (const auto& [key, value] : expectation["expect"].items()) {
    CAPTURE(key, value.dump(1));
    if (key == "error") {
      check_error(value, table.value("error", json::object()));
    } else {
      CHECK(table.value(key, json()) == value);
    }
  }
}

}  // namespace

TEST_CASE("G3 every awkward file is read exactly, or refused with its code", "[golden][sheet][G3]") {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".json") continue;
    check_file(entry.path());
    ++files;
  }
  CHECK(files >= 60);
}
