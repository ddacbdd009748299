// How many records an export holds, however it is cut into pieces.
#include "ctl/record_counter.h"

#include "support/catch.h"

namespace {

using siegel::ctl::RecordCounter;

std::uint64_t count(std::string_view format, std::string_view text, std::size_t piece) {
  RecordCounter counter(format);
  for (std::size_t at = 0; at < text.size(); at += piece) counter.add(text.substr(at, piece));
  return counter.count();
}

TEST_CASE("records are counted in each format, in pieces of any size", "[unit][ctl]") {
  const std::size_t piece = GENERATE(1u, 2u, 3u, 7u, 1000u);
  CAPTURE(piece);
  CHECK(count("csv", "\"record\",\"Name\"\r\n\"re_1\",\"a \"\"b\"\"\r\nc\\\"\r\n\"re_2\",\"{[\"\r\n", piece) == 2);
  CHECK(count("csv", "\"record\"\r\n", piece) == 0);
  CHECK(count("ndjson", "{\"a\":\"\\\"x\\n{\"}\n{\"b\":{\"c\":[]}}\n", piece) == 2);
  CHECK(count("json", R"({"items":[{"values":{"a":"[{\"\\"}},{"values":{},"l":[{}]}],"next":null})", piece) == 2);
  CHECK(count("json", R"({"items":[],"next":null})", piece) == 0);
  CHECK(count("ndjson", "", piece) == 0);
}

}  // namespace
