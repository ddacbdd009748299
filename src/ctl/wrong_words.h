// What is said about words of the command line that cannot be understood, in the language of the run. Never a value: it
// may be about a person, and stderr is kept.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "ctl/session.h"

namespace siegel::ctl {

// After a parse that failed. Words that belong to no command or flag come first: they explain the rest.
std::string wrong_words(const CLI::App& app, const Session& session, const CLI::ParseError& error);

// Whether words are left over that nothing understood.
bool has_unknown_words(const CLI::App& app);

// Whether a command was named that a later version brings; then `later` is set.
bool names_later_command(const CLI::App& app, Session& session);

}  // namespace siegel::ctl
