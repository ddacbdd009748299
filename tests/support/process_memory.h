// Every byte of another process's memory, as an attacker with the rights of its user has it from a core file: pages
// that are kept out of core files too.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace siegel::test {

// Calls f with the content of each readable mapping, piece by piece; pieces overlap by `overlap` bytes. Mappings beyond
// all bounds (a sanitizer's shadow, which holds no program data) are left out. False: the memory cannot be read.
bool each_piece_of_memory(pid_t process, std::size_t overlap, const std::function<void(std::string_view)>& f);

struct Needle {
  std::string name;
  std::string bytes;
};
// Names of the needles that lie somewhere in the process's memory, each once.
std::vector<std::string> found_in_memory(pid_t process, const std::vector<Needle>& needles);

}  // namespace siegel::test
