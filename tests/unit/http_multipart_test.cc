// multipart/form-data as browsers and curl send it, and what is none.
#include "http/multipart.h"
#include "support/catch.h"

using namespace siegel::http;

namespace {

const std::string kFile =
    "--b0\r\n"
    "Content-Disposition: form-data; name=\"options\"\r\n"
    "\r\n"
    "{\"type\":\"contacts\"}\r\n"
    "--b0\r\n"
    "content-disposition: form-data; filename=\"a; name=wrong.csv\"; name=file\r\n"
    "Content-Type: Text/CSV; charset=utf-8\r\n"
    "\r\n"
    "a;b\r\n--b\r\n\r\n"
    "\r\n--b0--\r\n";

}  // namespace

TEST_CASE("the boundary of a form, with and without quotes", "[unit][http]") {
  CHECK(boundary_of("multipart/form-data; boundary=b0") == "b0");
  CHECK(boundary_of("Multipart/Form-Data; charset=utf-8; boundary=\"b 0\"") == "b 0");
  CHECK_FALSE(boundary_of("multipart/form-data"));
  CHECK_FALSE(boundary_of("multipart/form-data; boundary="));
  CHECK_FALSE(boundary_of("multipart/mixed; boundary=b0"));
  CHECK_FALSE(boundary_of("multipart/form-data; boundary=" + std::string(71, 'b')));
}

TEST_CASE("parts keep their bytes, whatever looks like a boundary in them", "[unit][http]") {
  const auto parts = parse_multipart(kFile, "b0");
  REQUIRE(parts);
  REQUIRE(parts->size() == 2);
  CHECK((*parts)[0].name == "options");
  CHECK((*parts)[0].content_type.empty());
  CHECK((*parts)[0].content == "{\"type\":\"contacts\"}");
  CHECK((*parts)[1].name == "file");
  CHECK((*parts)[1].content_type == "text/csv");
  CHECK((*parts)[1].content == "a;b\r\n--b\r\n\r\n");
}

TEST_CASE("a form cut short anywhere is refused", "[unit][http]") {
  for (std::size_t size = 0; size + 4 < kFile.size(); ++size) {
    CAPTURE(size);
    const auto parts = parse_multipart(std::string_view(kFile).substr(0, size), "b0");
    CHECK_FALSE(parts);
  }
  CHECK_FALSE(parse_multipart(kFile, "b1"));
  CHECK_FALSE(parse_multipart("--b0\r\nno header\r\n\r\nx\r\n--b0--", "b0"));
  CHECK_FALSE(parse_multipart("--b0\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b0--", "b0"));
  std::string many;
  for (int i = 0; i < 17; ++i) many += "--b0\r\nContent-Disposition: form-data; name=n\r\n\r\nx\r\n";
  CHECK_FALSE(parse_multipart(many + "--b0--", "b0"));
}
