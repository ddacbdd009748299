// Which swap areas could write a key to a disk in clear.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "crypto/memory.h"

namespace siegel {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kStackedDevicesMax = 16;  // LVM on crypt on RAID …; deeper counts as plain

// /proc/swaps writes blanks and backslashes of a path as \ooo.
std::string unescaped(const std::string& text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// A block device is encrypted if it is a dm-crypt mapping, or if everything below it is.
bool is_encrypted(const fs::path& device, unsigned depth) {
  if (depth > kStackedDevicesMax) return false;
  std::string uuid;
  if (std::ifstream(device / "dm" / "uuid") >> uuid && uuid.starts_with("CRYPT-")) return true;
  // A partition has no slaves of its own; what counts is the disk around it.
  std::error_code error;
  const fs::path slaves = device / "slaves";
  if (!fs::exists(slaves, error) && fs::exists(device / "partition", error)) {
    const fs::path disk = fs::canonical(device, error).parent_path();
    return !error && is_encrypted(disk, depth + 1);
  }
  bool any = false;
  for (fs::directory_iterator at(slaves, error), end; !error && at != end; at.increment(error)) {
    any = true;
    if (!is_encrypted(at->path(), depth + 1)) return false;
  }
  return any && !error;
}

bool sits_on_encrypted(const std::string& path, const std::string& sys) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return false;
  const dev_t device = S_ISBLK(about.st_mode) ? about.st_rdev : about.st_dev;
  return is_encrypted(
      fs::path(sys) / "dev/block" / (std::to_string(major(device)) + ":" + std::to_string(minor(device))), 0);
}

}  // namespace

Result<SwapAreas> swap_areas(const KernelTables& files) {
  std::ifstream list(files.proc + "/swaps");
  std::string line;
  if (!std::getline(list, line)) {
    return Error(Errc::unavailable, "swap_unknown", "The list of swap areas cannot be read.");
  }
  SwapAreas areas;
  while (std::getline(list, line)) {
    std::string name;
    if (!(std::istringstream(line) >> name)) continue;
    name = unescaped(name);
    const auto device = fs::path(files.sys) / "class/block" / fs::path(name).filename();
    if (name.starts_with("/dev/zram")) {
      ++areas.zram;
    } else if ((name.starts_with("/dev/") && is_encrypted(device, 0)) || sits_on_encrypted(name, files.sys)) {
      ++areas.encrypted;
    } else {
      ++areas.plain;
    }
  }
  return areas;
}

}  // namespace siegel
