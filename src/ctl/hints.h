// What to type after a refusal. The server's hints speak HTTP; whoever sits at a command line needs a command.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace siegel::ctl {

// What a request is about. The names of types, purposes, classes and erasures may be repeated in a message; those of
// people, their records and of tokens are pseudonyms and are not.
enum class Thing : std::uint8_t { none, type, purpose, deletion_class, erasure, record, subject, token };

// What to do about a problem of this code; empty: nothing that the server's own hint does not say.
std::string command_hint(std::string_view code, std::string_view language);

// "There is no record type contactsx. `siegel type list` shows them."; empty for none.
std::string not_found_text(Thing thing, std::string_view name, std::string_view language);

// A name that the server would take, made of one that it would not ("Mitglieder" → "mitglieder").
std::string suggested_name(std::string_view name);

}  // namespace siegel::ctl
