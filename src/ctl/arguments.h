// What is wrong with the words of a command line beside their grammar.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace siegel::ctl {

// The name of an option whose value is not UTF-8. Names of files are exempt: they are bytes.
std::optional<std::string> option_not_utf8(const CLI::App& app);

// The name of an option or argument that was given nothing, or nothing but commas and spaces. To leave it out often
// means all, which whoever gave it an unset variable did not say.
std::optional<std::string> option_without_value(const CLI::App& app);

// A name that the server would take, made of one that it would not ("Mitglieder" → "mitglieder").
std::string suggested_name(std::string_view name);

}  // namespace siegel::ctl
