// What to do about an error that keeps a data directory from opening, by its code.
#pragma once

#include <string_view>

namespace siegel::app {

// One or two sentences in the language ("de", else English); empty for a code whose own text says it all.
std::string_view advice(std::string_view code, std::string_view language);

}  // namespace siegel::app
