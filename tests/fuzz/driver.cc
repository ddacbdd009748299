// Runs a fuzz target without libFuzzer: fuzz_NAME [--seconds N] [--seed N] CORPUS…
// First each input of the corpus as it is, then damaged ones until the time is over (5 s; a minute with SIEGEL_LONG=1).
// Before each round the input goes into a mapped file beside the program, fuzz_NAME.last, which outlives any crash:
//   fuzz_NAME --again fuzz_NAME.last
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "base/text.h"
#include "fuzz/corpus.h"
#include "support/mutate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace siegel;

constexpr std::size_t kInputBytesMax = 1024 * 1024;

// What was fed last: 8 bytes of length, then the input.
class LastInput {
 public:
  explicit LastInput(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file >= 0 && ::ftruncate(file, kSize) == 0) {
      void* const memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      if (memory != MAP_FAILED) memory_ = static_cast<std::uint8_t*>(memory);
    }
    if (file >= 0) ::close(file);
    if (memory_ == nullptr) {
      std::perror(path.c_str());
      std::exit(2);
    }
  }
  LastInput(const LastInput&) = delete;
  LastInput& operator=(const LastInput&) = delete;
  ~LastInput() { ::munmap(memory_, kSize); }

  void keep(ByteView input) {
    put_be<std::uint64_t>(memory_, input.size());
    if (!input.empty()) std::memcpy(memory_ + 8, input.data(), input.size());
  }

 private:
  static constexpr std::size_t kSize = 8 + kInputBytesMax;
  std::uint8_t* memory_ = nullptr;
};

// The target sees a buffer of exactly the input's size, so that the address sanitizer notices a byte too far.
void feed(ByteView input) {
  const auto exact = std::make_unique<std::uint8_t[]>(input.size());
  if (!input.empty()) std::memcpy(exact.get(), input.data(), input.size());
  LLVMFuzzerTestOneInput(exact.get(), input.size());
}

int again(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() < 8) return 2;
  const auto size = get_be<std::uint64_t>(as_bytes(text).data());
  if (size > text.size() - 8) return 2;
  feed(as_bytes(text).subspan(8, size));
  return 0;
}

struct Options {
  std::uint64_t seconds = std::getenv("SIEGEL_LONG") != nullptr ? 60 : 5;
  std::uint64_t seed = 1;
  std::vector<std::filesystem::path> corpus;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word != "--seconds" && word != "--seed") {
      options.corpus.emplace_back(word);
      continue;
    }
    const auto number = i + 1 < argc ? parse_u64(argv[++i]) : std::nullopt;
    if (!number) return false;
    (word == "--seed" ? options.seed : options.seconds) = *number;
  }
  return !options.corpus.empty();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--again") return again(argv[2]);
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: %s [--seconds N] [--seed N] CORPUS... | --again FILE\n", argv[0]);
    return 2;
  }
  auto corpus = fuzz::load_corpus(options.corpus);
  LastInput last(std::string(*argv) + ".last");
  const auto run = [&](ByteView input) {
    last.keep(input);
    feed(input);
  };
  run({});
  for (auto& input : corpus) {
    if (input.size() > kInputBytesMax / 2) input.resize(kInputBytesMax / 2);
    run(input);
  }
  test::SeededRandom random(options.seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  std::uint64_t rounds = 0;
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 256; ++i, ++rounds) {
      Bytes input = corpus[random.below(corpus.size())];
      if (random.below(8) == 0) {  // the front of one, the end of another
        const Bytes& other = corpus[random.below(corpus.size())];
        input.resize(random.below(input.size() + 1));
        append(input, ByteView(other).subspan(random.below(other.size() + 1)));
      }
      input = test::mutated(std::move(input), random);
      if (input.size() <= kInputBytesMax) run(input);
    }
  }
  std::printf("%llu inputs, seed %llu\n", static_cast<unsigned long long>(rounds),
              static_cast<unsigned long long>(options.seed));
  return 0;
}
