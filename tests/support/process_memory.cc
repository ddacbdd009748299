#include "support/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <set>
#include <unordered_map>

#include "base/assert.h"

namespace siegel::test {
namespace {

constexpr std::size_t kPiece = std::size_t{16} << 20;
constexpr std::uint64_t kMappingMax = std::uint64_t{64} << 30;

std::uint32_t begin_of(const char* at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<std::uint8_t>(at[i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16;
}

}  // namespace

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kPagesAtOnce = 1 << 16;

// Calls f with each run of pages that hold something: a sanitizer maps gigabytes that nobody ever touched.
template <class F>
void each_used_run(int pagemap, std::uint64_t from, std::uint64_t to, F&& f) {
  constexpr std::uint64_t kPresentOrSwapped = std::uint64_t{3} << 62;
  std::vector<std::uint64_t> entries(kPagesAtOnce);
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (auto page = from / kPage; page < to / kPage;) {
    const auto wanted = std::min(kPagesAtOnce, to / kPage - page);
    const auto n = ::pread(pagemap, entries.data(), wanted * 8, static_cast<off_t>(page * 8));
    if (n <= 0) break;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(n) / 8; ++i, ++page) {
      if ((entries[i] & kPresentOrSwapped) == 0) continue;
      if (end == page * kPage) {
        end += kPage;
        continue;
      }
      if (end > begin) f(begin, end);
      begin = page * kPage;
      end = begin + kPage;
    }
  }
  if (end > begin) f(begin, end);
}

}  // namespace

bool each_piece_of_memory(pid_t process, std::size_t overlap, const std::function<void(std::string_view)>& f) {
  const auto dir = "/proc/" + std::to_string(process);
  const int memory = ::open((dir + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  const int pagemap = ::open((dir + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC);
  if (memory < 0 || pagemap < 0) return false;
  std::ifstream maps(dir + "/maps");
  std::vector<char> piece(kPiece);
  std::size_t pieces = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long long from = 0;
    unsigned long long to = 0;
    char readable = '-';
    if (std::sscanf(line.c_str(), "%llx-%llx %c", &from, &to, &readable) != 3) continue;
    if (readable != 'r' || to - from > kMappingMax || line.ends_with("[vvar]")) continue;
    each_used_run(pagemap, from, to, [&](std::uint64_t begin, std::uint64_t end) {
      for (auto at = begin; at < end;) {
        const auto wanted = std::min<std::uint64_t>(kPiece, end - at);
        const auto n = ::pread(memory, piece.data(), wanted, static_cast<off_t>(at));
        if (n <= 0) break;  // pages that the kernel keeps for itself
        ++pieces;
        f({piece.data(), static_cast<std::size_t>(n)});
        if (at + static_cast<std::uint64_t>(n) >= end) break;
        at += static_cast<std::uint64_t>(n) > overlap ? static_cast<std::uint64_t>(n) - overlap
                                                      : static_cast<std::uint64_t>(n);
      }
    });
  }
  ::close(memory);
  ::close(pagemap);
  return pieces > 0;
}

std::vector<std::string> found_in_memory(pid_t process, const std::vector<Needle>& needles) {
  // One walk over all of it: by the first three bytes, which of the needles may begin here.
  std::size_t longest = 1;
  std::vector<bool> begins(std::size_t{1} << 24);
  std::unordered_multimap<std::uint32_t, const Needle*> by_begin;
  for (const auto& needle : needles) {
    SIEGEL_ASSERT(needle.bytes.size() >= 3);
    longest = std::max(longest, needle.bytes.size());
    begins[begin_of(needle.bytes.data())] = true;
    by_begin.emplace(begin_of(needle.bytes.data()), &needle);
  }
  std::set<std::string> found;
  const bool read = each_piece_of_memory(process, longest - 1, [&](std::string_view piece) {
    for (std::size_t at = 0; at + 3 <= piece.size(); ++at) {
      const auto begin = begin_of(piece.data() + at);
      if (!begins[begin]) continue;
      const auto [first, last] = by_begin.equal_range(begin);
      for (auto it = first; it != last; ++it) {
        if (piece.substr(at).starts_with(it->second->bytes)) found.insert(it->second->name);
      }
    }
  });
  SIEGEL_ASSERT(read);
  return {found.begin(), found.end()};
}

}  // namespace siegel::test
