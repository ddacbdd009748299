#include <filesystem>
#include <fstream>

#include "codec/schema_lint.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace siegel;

namespace {

const std::string kSchemas = SIEGEL_SOURCE_DIR "/schemas";

Status lint_text(const std::string& fields, const std::string& more = {}, const std::string& mark = {}) {
  const test::TempDir folder;
  const auto path = folder.path() / "header.capnp";
  std::ofstream(path) << "@0xc1f5e0a97d2b4e64;\nusing P = import \"/personal.capnp\";\nstruct Header " << mark << " {\n"
                      << fields << "\n}\n"
                      << more << "\n";
  return codec::lint_header_schema(path.c_str(), kSchemas.c_str());
}

bool refused(const Status& status) { return !status && status.error().is("schema_personal_in_header"); }

}  // namespace

TEST_CASE("EV-05 the header's schema holds nothing personal", "[unit][codec][EV-05]") {
  CHECK(codec::lint_header_schema());
  CHECK(codec::lint_header_schema((kSchemas + "/header.capnp").c_str(), kSchemas.c_str()));
}

TEST_CASE("EV-05 a schema with something personal in the header does not load", "[unit][codec][EV-05]") {
  CHECK(lint_text("seq @0 :UInt64; id @1 :Data; list @2 :List(List(UInt16));"));
  const auto marked = lint_text("seq @0 :UInt64;\nmail @1 :Data $P.personal;");
  REQUIRE(refused(marked));
  REQUIRE(marked.error().find("field"));
  CHECK(*marked.error().find("field") == "mail");
  CHECK(refused(lint_text("seq @0 :UInt64;", "", "$P.personal")));
  CHECK(refused(lint_text("note @0 :Text;")));
  CHECK(refused(lint_text("any @0 :AnyPointer;")));
  CHECK(refused(lint_text("notes @0 :List(List(Text));")));
  CHECK(refused(lint_text("who @0 :Person;", "struct Person $P.personal { id @0 :Data; }")));
  CHECK(refused(lint_text("who @0 :List(Person);", "struct Person { id @0 :Data; mail @1 :Text; }")));
  CHECK(
      refused(lint_text("self @0 :Header; facts :union { none @1 :Void; deep :group { a @2 :UInt8; b @3 :Text; } }")));
  CHECK(refused(lint_text("a @0 :A;", "struct A { b @0 :B; } struct B { a @0 :A; c @1 :C; } struct C $P.personal {}")));
}

TEST_CASE("EV-05 a schema that cannot be read does not load", "[unit][codec][EV-05]") {
  const auto unreadable = [](const Status& status) { return !status && status.error().is("schema_unreadable"); };
  CHECK(unreadable(lint_text("seq @0 :Nothing;")));
  CHECK(unreadable(lint_text("seq @7 :UInt64;")));
  CHECK(unreadable(codec::lint_header_schema("/nonexistent/header.capnp", kSchemas.c_str())));
  CHECK(unreadable(codec::lint_header_schema((kSchemas + "/personal.capnp").c_str(), kSchemas.c_str())));  // no Header
}
