// fuzz_unpack OUT CORPUS…: the corpus as files that libFuzzer reads.
#include <fstream>

#include "fuzz/corpus.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::filesystem::path out = argv[1];
  std::filesystem::create_directories(out);
  std::size_t number = 0;
  for (const auto& bytes : siegel::fuzz::load_corpus({argv + 2, argv + argc})) {
    std::ofstream file(out / ("seed-" + std::to_string(number++)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file) return 1;
  }
  return 0;
}
