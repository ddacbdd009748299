// Every code has a German sentence: those of the API's description, of the contract's table, and of our own errors.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "http/problem.h"
#include "support/catch.h"
#include "texts/problems.h"

namespace {

using namespace siegel;

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool is_known(const std::string& code) {
  return texts::find_problem_text(code) != nullptr ||
         std::any_of(texts::code_texts().begin(), texts::code_texts().end(),
                     [&](const texts::CodeText& text) { return text.code == code; });
}

const std::filesystem::path kSources = SIEGEL_SOURCE_DIR;

}  // namespace

TEST_CASE("every code of the API has a sentence and a hint in both languages", "[unit][texts]") {
  for (const auto& problem : http::kProblems) {
    CAPTURE(problem.code);
    const auto* const text = texts::find_problem_text(problem.code);
    REQUIRE(text != nullptr);
    CHECK_FALSE(text->english.empty());
    CHECK_FALSE(text->german.empty());
    CHECK_FALSE(text->english_hint.empty());
    CHECK_FALSE(text->german_hint.empty());
  }
  const auto description = content(kSources / "schemas/openapi.yaml");
  const std::regex list("code: \\{enum: \\[([a-z_, ]+)\\]");
  const std::regex word("[a-z_]+");
  std::set<std::string> codes;
  for (std::sregex_iterator at(description.begin(), description.end(), list), end; at != end; ++at) {
    const auto names = (*at)[1].str();
    for (std::sregex_iterator name(names.begin(), names.end(), word); name != end; ++name) codes.insert(name->str());
  }
  CHECK(codes.size() >= 40);
  for (const auto& code : codes) {
    CAPTURE(code);
    CHECK(texts::find_problem_text(code) != nullptr);
  }
}

TEST_CASE("every code that an error is made with has a German sentence", "[unit][texts]") {
  const std::regex made(
      "(Errc::[a-z_]+,|corrupt,|invalid,|push_back\\(\\{|wrong\\()\\s*\"([a-z]+(_[a-z]+)+|exists|interrupted)\",");
  std::set<std::string> codes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSources / "src")) {
    const auto ending = entry.path().extension();
    if (ending != ".cc" && ending != ".h") continue;
    const auto text = content(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), made), end; at != end; ++at) codes.insert((*at)[2].str());
  }
  CHECK(codes.size() >= 100);
  for (const auto& code : codes) {
    CAPTURE(code);
    CHECK(is_known(code));
  }
}

TEST_CASE("a sentence stands before its code, and an unknown code keeps the words of the server", "[unit][texts]") {
  CHECK(texts::sentence("not_found", "There is no such record.", "de") == "Diesen Datensatz gibt es nicht.");
  CHECK(texts::sentence("not_found", "A new sentence.", "de") == "Hier gibt es nichts.");
  CHECK(texts::sentence("not_found", "A new sentence.", "en") == "A new sentence.");
  CHECK(texts::sentence("not_found", "", "en") == "There is nothing here.");
  CHECK(texts::sentence("of_next_year", "A new sentence.", "de") == "A new sentence.");
  CHECK(texts::hint("of_next_year", "Do this.", "de") == "Do this.");
  CHECK(texts::value_reason("bad_email", "de") == "keine E-Mail-Adresse");
  CHECK(texts::value_reason("other", "de").empty());
}

TEST_CASE("a word that must be one of a list is told with the list, in German too", "[unit][texts]") {
  // As the sentences stand in the sources, joined from their pieces.
  const std::regex made("wrong\\([^;]*?,\\s*((\"[^\"]*\"\\s*)+)\\);");
  const std::regex piece("\"([^\"]*)\"");
  const auto source = content(kSources / "src/http/api_registries.cc");
  int count = 0;
  for (std::sregex_iterator at(source.begin(), source.end(), made), end; at != end; ++at) {
    const auto pieces = (*at)[1].str();
    std::string english;
    for (std::sregex_iterator one(pieces.begin(), pieces.end(), piece), last; one != last; ++one)
      english += (*one)[1].str();
    if (english.find(" is one of ") == std::string::npos && !english.starts_with("A period")) continue;
    CAPTURE(english);
    ++count;
    CHECK(texts::sentence("bad_value", english, "de") != texts::sentence("bad_value", "", "de"));
  }
  CHECK(count == 4);
}

TEST_CASE("the context of an error is told in the language, what a person named stays", "[unit][texts]") {
  const auto error = Error(Errc::invalid, "config_invalid", "The configuration has a value that cannot be.")
                         .with("file", "a file")
                         .with("wanted", "a file");
  CHECK(texts::told(error, "de") ==
        "Die Konfiguration hat einen unzulässigen Wert. (Datei=a file, erwartet=eine Datei)");
  CHECK(texts::told(error, "en") == error.text());
  CHECK(texts::detail("lock record size 7, ledger size 5", "de") == "Sperrdatei bei Größe 7, Buch bei Größe 5");
}
