// Private to CrashDisk: Files on the crash-testing disk, step by step as SystemFiles does it.
#pragma once

#include <memory>

#include "store/file.h"
#include "support/crash_disk_model.h"

namespace siegel::test::crash {

class CrashFiles final : public Files {
 public:
  explicit CrashFiles(std::shared_ptr<Disk> disk) : disk_(std::move(disk)), life_(disk_->life()) {}
  Result<Bytes> read_file(const std::filesystem::path& path, std::size_t bytes_max) override;
  Status write_file_durably(const std::filesystem::path& path, ByteView bytes, unsigned mode) override;
  Status sync_dir(const std::filesystem::path& dir) override;
  Status overwrite_in_place(const std::filesystem::path& path, std::uint64_t offset, ByteView bytes) override;
  Status remove(const std::filesystem::path& path) override;
  Result<bool> exists(const std::filesystem::path& path) override;
  Status make_dir(const std::filesystem::path& path, unsigned mode) override;
  Result<std::uint64_t> free_bytes(const std::filesystem::path& path) override;

 private:
  std::shared_ptr<Disk> disk_;
  Life life_;
};

}  // namespace siegel::test::crash
