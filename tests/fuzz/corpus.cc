#include "fuzz/corpus.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace siegel::fuzz {
namespace {

[[noreturn]] void stop(const char* what, const std::filesystem::path& path) {
  std::fprintf(stderr, "%s: %s\n", what, path.c_str());
  std::exit(2);
}

Bytes load_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) stop("cannot be read", path);
  if (path.extension() != ".hex") return to_bytes(as_bytes(text));
  std::erase(text, '\n');
  const auto bytes = from_hex(text);
  if (!bytes) stop("not hex", path);
  return *bytes;
}

}  // namespace

std::vector<Bytes> load_corpus(const std::vector<std::filesystem::path>& paths) {
  std::vector<Bytes> corpus;
  for (const auto& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      corpus.push_back(load_file(path));
      continue;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
    std::ranges::sort(files);  // the same order everywhere: one seed is one run
    for (const auto& file : files) corpus.push_back(load_file(file));
  }
  if (corpus.empty()) stop("no inputs in", paths.empty() ? "" : paths.front());
  return corpus;
}

}  // namespace siegel::fuzz
