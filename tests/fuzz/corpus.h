// The inputs that fuzzing starts from.
#pragma once

#include <filesystem>
#include <vector>

#include "base/bytes.h"

namespace siegel::fuzz {

// A file or each file of a folder; *.hex holds hex digits and line breaks. Ends the program if there is nothing.
std::vector<Bytes> load_corpus(const std::vector<std::filesystem::path>& paths);

}  // namespace siegel::fuzz
