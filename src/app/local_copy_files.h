// Copies of files that last, with their hashes. Errors: not_found "file_missing", unavailable "io_error", "disk_full".
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace siegel::app {

struct CopiedFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  Hash sha256{};
};

// Mode 0600, synced; the directory's entry is synced by the caller or by copy_store.
Result<CopiedFile> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to);
Result<CopiedFile> hash_file(const std::filesystem::path& file);

// The files of a closed store into a new directory, without its lock and its own log. Ascending by name; files and
// directories are synced.
Result<std::vector<CopiedFile>> copy_store(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace siegel::app
