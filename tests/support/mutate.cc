#include "support/mutate.h"

#include <algorithm>

namespace siegel::test {

Bytes mutated(Bytes bytes, SeededRandom& random) {
  for (auto rounds = random.below(3) == 0 ? 1 + random.below(6) : 1; rounds > 0; --rounds) {
    if (bytes.empty()) return random.bytes(random.below(64));
    const auto at = random.below(bytes.size());
    const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto word = bytes.begin() + static_cast<std::ptrdiff_t>(at / 8 * 8);
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2:
        *here = static_cast<std::uint8_t>(*here ^ (1u << random.below(8)));
        break;
      case 3:
        *here = static_cast<std::uint8_t>(random.next());
        break;
      case 4:
        *here = static_cast<std::uint8_t>(*here + (random.below(2) == 0 ? 1 : 255));
        break;
      case 5:
        bytes.insert(word, 8, static_cast<std::uint8_t>(random.below(2) == 0 ? 0 : random.next()));
        break;
      case 6:
        if (bytes.end() - word >= 8) bytes.erase(word, word + 8);
        break;
      case 7:
        bytes.resize(random.below(4) == 0 ? at : at / 8 * 8);
        break;
      case 8: {  // a word of it elsewhere: pointers that point oddly
        const auto from = random.below(bytes.size()) / 8 * 8;
        const auto size = static_cast<std::ptrdiff_t>(std::min<std::size_t>(8, bytes.size() - from));
        const auto start = bytes.begin() + static_cast<std::ptrdiff_t>(from);
        if (bytes.end() - word >= size) std::copy_n(Bytes(start, start + size).begin(), size, word);
        break;
      }
      default:
        std::fill(word, bytes.end() - word >= 8 ? word + 8 : bytes.end(),
                  static_cast<std::uint8_t>(random.below(2) == 0 ? 0 : 255));
    }
  }
  return bytes;
}

}  // namespace siegel::test
