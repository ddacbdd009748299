#include "store/rocks_manifest.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "store/rocks_records.h"
#include "store/rocks_recycled.h"

namespace siegel {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr std::string_view kManifest = "MANIFEST-";
constexpr std::string_view kMark = "SYNCED-";
constexpr std::size_t kMarkBytes = 12;

// Where the marks of the manifest are; nothing: it is another file.
std::optional<std::string> marks_of(const std::string& path) {
  const auto name = path.rfind('/') + 1;  // 0: no slash
  if (!std::string_view(path).substr(name).starts_with(kManifest)) return std::nullopt;
  return path.substr(0, name).append(kMark).append(path.substr(name + kManifest.size()));
}

std::string mark_of(std::uint64_t bytes) {
  std::string out(as_chars(be(bytes)));
  return out.append(as_chars(be(crc32c(out))));
}

// A mark that a power loss has torn is none: the manifest was synced before it, so the one before it will do.
Result<std::optional<std::uint64_t>> read_marks(rocksdb::FileSystem& files, const std::string& path) {
  std::string marks;
  SIEGEL_CHECK(read_through(files, path, [&](const Slice& piece) { marks.append(piece.data(), piece.size()); }));
  std::optional<std::uint64_t> out;
  for (std::size_t at = 0; at + kMarkBytes <= marks.size(); at += kMarkBytes) {
    const auto bytes = get_be<std::uint64_t>(as_bytes(marks).data() + at);
    if (marks.compare(at, kMarkBytes, mark_of(bytes)) == 0) out = std::max(out.value_or(0), bytes);
  }
  return out;
}

class MarkedManifest final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  MarkedManifest(std::unique_ptr<rocksdb::FSWritableFile> manifest, rocksdb::FileSystem& files, std::string marks_path)
      : FSWritableFileOwnerWrapper(std::move(manifest)), files_(files), marks_path_(std::move(marks_path)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* context) override {
    return count(data, target()->Append(data, options, context));
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& sum,
                  IODebugContext* context) override {
    return count(data, target()->Append(data, options, sum, context));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    return mark(target()->Sync(options, context));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return mark(target()->Fsync(options, context));
  }

 private:
  IOStatus count(const Slice& data, IOStatus appended) {
    if (appended.ok()) bytes_ += data.size();
    return appended;
  }
  // The first mark makes the file; its name is synced with that of CURRENT, which then names this manifest.
  IOStatus mark(IOStatus synced) {
    if (!synced.ok() || bytes_ == marked_) return synced;
    IOStatus done;
    if (!marks_) done = files_.NewWritableFile(marks_path_, {}, &marks_, nullptr);
    if (done.ok()) done = marks_->Append(mark_of(bytes_), {}, nullptr);
    if (done.ok()) done = marks_->Sync({}, nullptr);
    if (done.ok()) marked_ = bytes_;
    return done;
  }

  rocksdb::FileSystem& files_;
  const std::string marks_path_;
  std::unique_ptr<rocksdb::FSWritableFile> marks_;
  std::uint64_t bytes_ = 0;
  std::uint64_t marked_ = 0;
};

// The first bytes of a file.
class ShownPart final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  ShownPart(std::unique_ptr<rocksdb::FSSequentialFile> file, std::uint64_t bytes)
      : FSSequentialFileOwnerWrapper(std::move(file)), left_(bytes) {}
  IOStatus Read(std::size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) override {
    auto done = target()->Read(std::min<std::uint64_t>(n, left_), options, result, scratch, context);
    if (done.ok()) left_ -= result->size();
    return done;
  }
  IOStatus Skip(std::uint64_t n) override {
    n = std::min(n, left_);
    left_ -= n;
    return target()->Skip(n);
  }

 private:
  std::uint64_t left_;
};

class MarkingFiles final : public rocksdb::FileSystemWrapper {
 public:
  MarkingFiles(const std::shared_ptr<rocksdb::FileSystem>& files, RocksOptions::Mode mode)
      : FileSystemWrapper(files), mode_(mode) {}
  const char* Name() const override { return "SiegelMarkingFiles"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* context) override {
    auto done = target()->NewWritableFile(path, options, out, context);
    auto marks = done.ok() ? marks_of(path) : std::nullopt;
    if (marks) *out = std::make_unique<MarkedManifest>(std::move(*out), *target(), std::move(*marks));
    return done;
  }

  // A secondary reads a manifest on as its writer goes on: that one's end is for RocksDB.
  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* out, IODebugContext* context) override {
    auto done = target()->NewSequentialFile(path, options, out, context);
    const auto marks = done.ok() ? marks_of(path) : std::nullopt;
    if (!marks || mode_ == RocksOptions::Mode::secondary) return done;
    return show_whole(path, *marks, *out);
  }

 private:
  IOStatus show_whole(const std::string& path, const std::string& marks,
                      std::unique_ptr<rocksdb::FSSequentialFile>& file) {
    const auto marked = read_marks(*target(), marks);  // before the manifest, which may grow meanwhile
    if (!marked && marked.error().category() != Errc::not_found) return IOStatus::IOError("marks of a manifest");
    const auto synced = marked.value_or(std::nullopt);
    if (!synced) return IOStatus::OK();
    RecordFile records;
    std::uint64_t size = 0;
    const auto read = read_through(*target(), path, [&](const Slice& piece) {
      records.take(piece);
      size += piece.size();
    });
    if (!read) return IOStatus::IOError("a manifest");
    (void)records.finish({});
    const auto whole = records.whole_bytes();
    if (whole < *synced) return IOStatus::Corruption("a synced record of a manifest does not hold");
    if (whole < size) file = std::make_unique<ShownPart>(std::move(file), whole);
    return IOStatus::OK();
  }

  const RocksOptions::Mode mode_;
};

class MarkingEnv final : public rocksdb::EnvWrapper {
 public:
  MarkingEnv(const std::shared_ptr<rocksdb::Env>& base, RocksOptions::Mode mode, StandsElsewhere elsewhere)
      : EnvWrapper(base) {
    auto files = without_recycled_records(base->GetFileSystem());
    file_system_ = std::make_shared<MarkingFiles>(at_its_place(std::move(files), std::move(elsewhere)), mode);
    system_clock_ = base->GetSystemClock();
  }
  const char* Name() const override { return "SiegelMarkingEnv"; }
};

}  // namespace

std::shared_ptr<rocksdb::Env> with_marks(const std::shared_ptr<rocksdb::Env>& base, RocksOptions::Mode mode,
                                         StandsElsewhere elsewhere) {
  return std::make_shared<MarkingEnv>(base, mode, std::move(elsewhere));
}

void drop_old_marks(rocksdb::FileSystem& files, const std::string& dir) {
  std::vector<std::string> names;
  if (!files.GetChildren(dir, {}, &names, nullptr).ok()) return;
  for (const auto& name : names) {
    if (!name.starts_with(kMark)) continue;
    const auto manifest = std::string(kManifest).append(name.substr(kMark.size()));
    if (std::find(names.begin(), names.end(), manifest) != names.end()) continue;
    auto path = dir;
    (void)files.DeleteFile(path.append("/").append(name), {}, nullptr);  // else at the next opening
  }
}

}  // namespace siegel
