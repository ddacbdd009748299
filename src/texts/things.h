// What a request is about, and the sentence for it not being there, with the command that shows what is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace siegel::texts {

// The names of types, purposes, classes and erasures may be repeated in a message; those of people, their records and
// of tokens are pseudonyms and are not.
enum class Thing : std::uint8_t { none, type, purpose, deletion_class, erasure, record, subject, held_class, token };

// "There is no record type contactsx. `siegel type list` shows them."; empty for none.
std::string not_found_text(Thing thing, std::string_view name, std::string_view language);

}  // namespace siegel::texts
