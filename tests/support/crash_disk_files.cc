#include "support/crash_disk_files.h"

namespace siegel::test::crash {

namespace {

Status status_of(Io io) {
  switch (io) {
    case Io::ok:
      return Done{};
    case Io::not_found:
      return Error(Errc::not_found, "file_missing", "The file or its directory does not exist.");
    case Io::no_space:
      return Error(Errc::unavailable, "disk_full", "There is no room left on the disk.");
    case Io::already_there:
    case Io::not_empty:
    case Io::error:
      break;
  }
  return Error(Errc::unavailable, "io_error", "The disk refused to read or write.");
}

}  // namespace

Result<Bytes> CrashFiles::read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  NodePtr node;
  SIEGEL_CHECK(status_of(disk_->find(life_, path.string(), node)));
  if (node->is_directory) return status_of(Io::error).error();
  std::string data;
  SIEGEL_CHECK(status_of(disk_->read(life_, *node, 0, bytes_max + 1, data)));
  if (data.size() > bytes_max) return Error(Errc::invalid, "file_too_large", "The file is larger than it may be.");
  return to_bytes(as_bytes(data));
}

Status CrashFiles::write_file_durably(const std::filesystem::path& path, ByteView bytes, unsigned) {
  const auto temporary = path.string() + ".tmp";
  NodePtr node;
  SIEGEL_CHECK(status_of(disk_->open(life_, temporary, Disk::Open::empty, node)));
  auto written = status_of(disk_->append(life_, *node, as_chars(bytes)));
  if (written) written = status_of(disk_->sync(life_, *node));
  if (written) written = status_of(disk_->rename(life_, temporary, path.string()));
  if (!written) {
    disk_->remove(life_, temporary, false);
    return written;
  }
  return sync_dir(path.parent_path());
}

Status CrashFiles::sync_dir(const std::filesystem::path& dir) {
  return status_of(disk_->sync_directory(life_, dir.string()));
}

Status CrashFiles::overwrite_in_place(const std::filesystem::path& path, std::uint64_t offset, ByteView bytes) {
  NodePtr node;
  SIEGEL_CHECK(status_of(disk_->find(life_, path.string(), node)));
  std::uint64_t size = 0;
  SIEGEL_CHECK(status_of(disk_->size(life_, *node, size)));
  if (offset > size || bytes.size() > size - offset) {
    return Error(Errc::invalid, "file_too_short", "The file is shorter than the place to overwrite.");
  }
  SIEGEL_CHECK(status_of(disk_->write(life_, *node, offset, as_chars(bytes))));
  return status_of(disk_->sync(life_, *node));
}

Status CrashFiles::remove(const std::filesystem::path& path) {
  return status_of(disk_->remove(life_, path.string(), false));
}

Result<bool> CrashFiles::exists(const std::filesystem::path& path) {
  NodePtr node;
  const auto found = disk_->find(life_, path.string(), node);
  if (found == Io::not_found) return false;
  SIEGEL_CHECK(status_of(found));
  return true;
}

Status CrashFiles::make_dir(const std::filesystem::path& path, unsigned) {
  const auto made = disk_->make_directory(life_, path.string());
  if (made == Io::already_there) return Done{};
  SIEGEL_CHECK(status_of(made));
  return sync_dir(path.parent_path());
}

Result<std::uint64_t> CrashFiles::free_bytes(const std::filesystem::path&) { return disk_->free_bytes(); }

}  // namespace siegel::test::crash
