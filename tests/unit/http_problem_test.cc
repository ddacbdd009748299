// The table of answers' codes: nothing foreseeable ends as 500, and whatever passes by itself says when to come again.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "http/problem.h"
#include "support/catch.h"

namespace {

using namespace siegel;
using namespace siegel::http;

std::string header_of(const Response& response, std::string_view name) {
  for (const auto& header : response.headers)
    if (header.name == name) return std::string(header.value);
  return {};
}

bool has(const Response& response, std::string_view text) { return response.body.find(text) != std::string::npos; }

// Codes that no request can meet, and why.
const std::map<std::string, std::string> kNeverAnswered = {
    {"internal", "is itself the answer to what cannot be foreseen"},
    {"receipt_missing", "a fault of ours: I5"},
    {"slot_unknown", "a fault of ours: a slot that was never given out"},
    {"fence_unknown", "a fault of ours"},
    {"epoch_unknown", "a fault of ours"},
    {"erasure_effective", "from forgetting a fence at the start"},
    {"event_missing", "a fault of ours: a sequence that the views made up"},
    {"proof_out_of_range", "the service looks at index and size first"},
    {"views_not_empty", "siegel rebuild"},
    {"ledger_missing", "the server does not start"},
    {"data_in_use", "the server does not start"},
    {"root_inside_data", "the server does not start"},
    {"format_unknown", "the server does not start"},
    {"swap_unknown", "the server does not start"},
    {"file_missing", "names a cause while stores are opened"},
    {"file_too_large", "names a cause while stores are opened"},
    {"private_key_malformed", "the server does not start"},
    {"origin_malformed", "siegel init"},
    {"key_name_malformed", "siegel init"},
    {"schema_personal_in_header", "the server does not start"},
    {"schema_unreadable", "the server does not start"},
    {"already_there", "siegel backup and init"},
    {"file_too_short", "names a cause while stores are opened"},
    {"key_type_unsupported", "the server does not start"},
    {"not_supported", "stores in memory, of tests and of a ledger that lost its tail"},
};

}  // namespace

TEST_CASE("who meets a server that is starting is told what to ask", "[unit][http]") {
  // /readyz is 200 already while the identity index loads, and commands that need it answer "starting".
  const auto* starting = find_problem("starting");
  REQUIRE(starting != nullptr);
  CHECK(std::string_view(starting->hint).find("/v1/status") != std::string_view::npos);
  CHECK(std::string_view(starting->hint).find("readyz") == std::string_view::npos);
}

TEST_CASE("every code that the server's modules make has an answer of its own", "[unit][http]") {
  // Errors are made from literals: Error(Errc::x, "code", …). Whoever adds a code says here or in problem.h what a
  // client sees of it.
  const std::filesystem::path source(SIEGEL_SOURCE_DIR);
  const std::regex made(
      R"re(Error\w*(?:\s+\w+)?\(\s*(?:siegel::)?(?:Errc::[a-z_]+|errc|code|category),\s*"([a-z_]+)")re");
  std::map<std::string, std::string> found;
  for (const char* folder : {"src/service", "src/decide", "src/vault", "src/ledger", "src/store", "src/codec",
                             "src/projector", "src/http", "projections"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source / folder)) {
      if (entry.path().extension() != ".cc" && entry.path().extension() != ".h") continue;
      std::ifstream in(entry.path());
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      for (std::sregex_iterator at(text.begin(), text.end(), made), end; at != end; ++at)
        found[(*at)[1]] = entry.path().filename().string();
    }
  }
  REQUIRE(found.size() > 50);
  for (const auto& [code, file] : found) {
    INFO(code << " in " << file);
    const bool listening = code.starts_with("listen_") || code.starts_with("tls_") || code == "port_in_use";
    CHECK((find_problem(code) != nullptr || find_cause(code) != nullptr || kNeverAnswered.contains(code) || listening));
  }
}

TEST_CASE("what is unavailable answers 503, says why and when to come again", "[unit][http]") {
  for (const auto& cause : kCauses) {
    INFO(cause.code);
    CHECK(find_problem(cause.code) == nullptr);
    const auto* shown = find_problem(cause.shown_as);
    REQUIRE(shown != nullptr);
    const auto response = problem_response(Error(Errc::unavailable, cause.code.data(), "Something is away."), "r1");
    CHECK(response.status == shown->status);
    CHECK(has(response, "\"code\":\"" + std::string(cause.shown_as) + "\""));
    CHECK(has(response, "\"reason\":\"" + std::string(cause.code) + "\""));
    if (cause.shown_as == "too_large") continue;
    CHECK(response.status == 503);
  }
  std::set<std::string_view> codes;
  for (const auto& problem : kProblems) {
    INFO(problem.code);
    CHECK(codes.insert(problem.code).second);
    const auto response = problem_response(Error(Errc::invalid, problem.code.data(), "Words."), "r1");
    CHECK(response.status == problem.status);
    CHECK((problem.status != 503 && problem.status != 429) == header_of(response, "Retry-After").empty());
    CHECK((problem.status == 401) == !header_of(response, "WWW-Authenticate").empty());
    CHECK(has(response, "\"type\":\"urn:siegel:problem:" + std::string(problem.code) + "\""));
    CHECK(has(response, "\"request_id\":\"r1\""));
  }
}

TEST_CASE("a code that nobody foresaw is 500 and tells nothing", "[unit][http]") {
  const auto response =
      problem_response(Error(Errc::corrupt, "no_such_code", "Words from inside.").with("pointer", "/x"), "r1");
  CHECK(response.status == 500);
  CHECK(has(response, "\"code\":\"internal\""));
  CHECK_FALSE(has(response, "inside"));
  CHECK_FALSE(has(response, "pointer"));
}

TEST_CASE("the reason of an error goes before the code of its cause", "[unit][http]") {
  const auto response =
      problem_response(Error(Errc::unavailable, "read_only", "No writes.").with("reason", "disk_full"), "r1");
  CHECK(response.status == 503);
  CHECK(has(response, R"("reason":"disk_full")"));
}
