// Opening a store: what is on the disk is looked at before RocksDB may create or change anything.
#include <sys/stat.h>

#include <algorithm>

#include "store/rocks_error.h"
#include "store/rocks_log.h"
#include "store/rocks_manifest.h"
#include "store/rocks_store.h"

namespace siegel {

namespace {

constexpr std::size_t kProbeBytes = std::size_t{4} << 20;  // a reopening writes a manifest and what the WAL holds

Error damaged(const char* what) { return Error(Errc::corrupt, "store_damaged", what); }

bool ends_with(const std::string& name, std::string_view end) {
  return name.size() >= end.size() && std::string_view(name).substr(name.size() - end.size()) == end;
}

// Is there a store? CURRENT names the manifest; tables or logs without it are a damaged store, which RocksDB would take
// for an empty directory and sweep.
Result<bool> find_store(rocksdb::FileSystem& files, const std::string& dir) {
  const auto current = files.FileExists(dir + "/CURRENT", {}, nullptr);
  if (current.ok()) return true;
  if (!current.IsNotFound() && !current.IsPathNotFound()) return open_error_of(current);
  std::vector<std::string> names;
  const auto listed = files.GetChildren(dir, {}, &names, nullptr);
  if (listed.IsNotFound() || listed.IsPathNotFound()) return false;
  if (!listed.ok()) return open_error_of(listed);
  for (const auto& name : names) {
    if (ends_with(name, ".sst") || ends_with(name, ".log")) {
      return damaged("The directory holds files of a store, but not the one that names them (CURRENT).");
    }
  }
  return false;
}

Status sync_dir(rocksdb::FileSystem& files, const std::string& dir) {
  std::unique_ptr<rocksdb::FSDirectory> handle;
  auto done = files.NewDirectory(dir, {}, &handle, nullptr);
  if (done.ok()) done = handle->FsyncWithDirOptions({}, nullptr, rocksdb::DirFsyncOptions());
  return status_of(done);
}

// RocksDB makes the directory but does not sync its parent: a power loss could take the whole store.
Status make_dir(rocksdb::FileSystem& files, const std::filesystem::path& dir) {
  SIEGEL_CHECK(status_of(files.CreateDirIfMissing(dir.string(), {}, nullptr)));
  const auto parent = dir.parent_path();
  return sync_dir(files, parent.empty() ? "." : parent.string());
}

Status check_families(const RocksSettings& settings, const std::string& dir) {
  std::vector<std::string> on_disk;
  const auto listed = rocksdb::DB::ListColumnFamilies(settings.db, dir, &on_disk);
  if (!listed.ok()) return open_error_of(listed);
  const auto& asked = settings.families;
  for (const auto& name : on_disk) {
    if (std::none_of(asked.begin(), asked.end(), [&](const auto& family) { return family.name == name; })) {
      return Error(Errc::corrupt, "store_layout", "The store has a family that this version does not know.")
          .with("family", name);
    }
  }
  for (const auto& family : asked) {
    if (!settings.db.create_missing_column_families &&
        std::find(on_disk.begin(), on_disk.end(), family.name) == on_disk.end()) {
      return Error(Errc::corrupt, "store_layout", "The store lacks a family.").with("family", family.name);
    }
  }
  return Done{};
}

// Opening turns what the logs hold into tables.
std::uint64_t bytes_of_logs(rocksdb::FileSystem& files, const std::string& dir) {
  std::vector<std::string> names;
  if (!files.GetChildren(dir, {}, &names, nullptr).ok()) return 0;
  std::uint64_t sum = 0;
  for (const auto& name : names) {
    if (!ends_with(name, ".log")) continue;
    auto path = dir;
    path.append("/").append(name);
    std::uint64_t size = 0;
    if (files.GetFileSize(path, {}, &size, nullptr).ok()) sum += size;
  }
  return sum;
}

rocksdb::Status open_mode(const RocksOptions& options, const RocksSettings& settings, OpenDb& out) {
  const auto dir = options.dir.string();
  rocksdb::DB* db = nullptr;
  auto settings_here = settings.db;
  if (options.mode == RocksOptions::Mode::read_write && !options.file_system.pointer) {
    settings_here.info_log = open_rocks_log(options.dir, settings_here.info_log_level);
  }
  rocksdb::Status done;
  switch (options.mode) {
    case RocksOptions::Mode::read_write:
      done = rocksdb::DB::Open(settings_here, dir, settings.families, &out.handles, &db);
      break;
    case RocksOptions::Mode::read_only:
      done = rocksdb::DB::OpenForReadOnly(settings.db, dir, settings.families, &out.handles, &db);
      break;
    case RocksOptions::Mode::secondary:
      done = rocksdb::DB::OpenAsSecondary(settings.db, dir, options.secondary_dir.string(), settings.families,
                                          &out.handles, &db);
      break;
  }
  out.db.reset(db);
  return done;
}

}  // namespace

Error store_missing() { return Error(Errc::not_found, "store_missing", "There is no store in the directory."); }

std::optional<FileIdentity> lock_of(const RocksOptions& options) {
  struct stat found {};
  if (options.file_system.pointer || ::stat((options.dir / "LOCK").c_str(), &found) != 0) return std::nullopt;
  return FileIdentity{found.st_dev, found.st_ino};
}

OpenDb::~OpenDb() {
  if (!db) return;
  for (auto* family : handles) db->DestroyColumnFamilyHandle(family);
  db->Close();  // nothing to do about a failure: what was synced is safe
}

Status check_room(const RocksOptions& options, const RocksSettings& settings, std::uint64_t more) {
  if (options.file_system.pointer) return Done{};
  std::uint64_t free = 0;
  const auto asked = settings.file_system->GetFreeSpace(options.dir.string(), {}, &free, nullptr);
  if (!asked.ok() || free >= kRoomBytesMin + more) return Done{};
  return Error(Errc::unavailable, "disk_full", "There is too little room left on the disk of the store.")
      .with("free_bytes", free)
      .with("wanted_bytes", kRoomBytesMin + more);
}

Result<std::shared_ptr<OpenDb>> open_db(const RocksOptions& options, const RocksSettings& settings) {
  auto& files = *settings.file_system;
  SIEGEL_TRY(there, find_store(files, options.dir.string()));
  if (there) {
    SIEGEL_CHECK(check_families(settings, options.dir.string()));
  } else if (settings.db.create_if_missing) {
    SIEGEL_CHECK(make_dir(files, options.dir));
  } else {
    return store_missing();
  }
  if (options.mode == RocksOptions::Mode::read_write) {
    SIEGEL_CHECK(check_room(options, settings, bytes_of_logs(files, options.dir.string())));
  }
  *settings.elsewhere = false;  // the one that is opened now is the one that stands there
  auto out = std::make_shared<OpenDb>();
  out->dir = options.dir.string();
  const auto opened = open_mode(options, settings, *out);
  if (!opened.ok()) return open_error_of(opened);
  if (options.mode == RocksOptions::Mode::read_write) {
    out->lock = lock_of(options);
    drop_old_marks(files, options.dir.string());
  }
  return out;
}

Status probe_disk(const RocksOptions& options, const RocksSettings& settings) {
  auto& files = *settings.file_system;
  const auto path = options.dir.string() + "/PROBE";  // not a name that RocksDB knows: it lets it be
  std::unique_ptr<rocksdb::FSWritableFile> file;
  auto done = files.NewWritableFile(path, {}, &file, nullptr);
  const std::string block(kProbeBytes, '\0');
  if (done.ok()) done = file->Append(block, {}, nullptr);
  if (done.ok()) done = file->Sync({}, nullptr);
  if (file) {
    const auto closed = file->Close({}, nullptr);
    if (done.ok()) done = closed;
  }
  const auto removed = files.DeleteFile(path, {}, nullptr);
  if (done.ok()) done = removed;
  return status_of(done);
}

Result<std::unique_ptr<Store>> open_rocksdb(const RocksOptions& options) {
  auto settings = settings_of(options);
  auto open = open_db(options, settings);
  if (!open) return Error(open.error()).with("place", options.dir.string());
  return std::unique_ptr<Store>(std::make_unique<RocksStore>(options, std::move(settings), std::move(*open)));
}

}  // namespace siegel
