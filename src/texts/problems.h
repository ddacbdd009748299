// What people read of a problem, in German and in English. The code of a problem is stable, its sentence is ours.
// English: the sentence that stands in the error, or that the server sent. German: the sentence for that very English
// one where a code stands for several things, else that of the code; a code of a newer server keeps the server's own
// words. Machines read the code; nothing here changes --json.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace siegel::texts {

// A code of contract section 1. The hints speak of flags and commands; those of the server speak of headers and routes.
struct ProblemText {
  std::string_view code;
  std::string_view english;
  std::string_view german;
  std::string_view english_hint;
  std::string_view german_hint;
};
std::span<const ProblemText> problem_texts() noexcept;
const ProblemText* find_problem_text(std::string_view code) noexcept;

// A code that only this program makes: its English sentence stands where the error is made.
struct CodeText {
  std::string_view code;
  std::string_view german;
};
std::span<const CodeText> code_texts() noexcept;

// `language` is "de"; everything else is English.
constexpr bool is_german(std::string_view language) noexcept { return language == "de"; }

// One sentence; `english` may be empty.
std::string sentence(std::string_view code, std::string_view english, std::string_view language);
// What to do, for a problem that the server told of; `english` is the server's own. May be empty.
std::string hint(std::string_view code, std::string_view english, std::string_view language);
// Why a value does not fit its field ("bad_email"); empty for an unknown reason.
std::string value_reason(std::string_view reason, std::string_view language);
// Why a ledger is read-only, with the sizes that it names.
std::string detail(std::string_view english, std::string_view language);
// The sentence of an error with its context: "what (key=value, …)".
std::string told(const Error& error, std::string_view language);

}  // namespace siegel::texts
