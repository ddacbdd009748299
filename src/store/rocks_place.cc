#include "store/rocks_place.h"

#include <string>
#include <utility>

namespace siegel {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class PlacedFiles final : public rocksdb::FileSystemWrapper {
 public:
  PlacedFiles(const std::shared_ptr<rocksdb::FileSystem>& files, StandsElsewhere elsewhere)
      : FileSystemWrapper(files), elsewhere_(std::move(elsewhere)) {}
  const char* Name() const override { return "SiegelPlacedFiles"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->NewWritableFile(path, options, out, context);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->ReopenWritableFile(path, options, out, context);
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->ReuseWritableFile(path, old, options, out, context);
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* out, IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->NewRandomRWFile(path, options, out, context);
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->DeleteFile(path, options, context);
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->DeleteDir(path, options, context);
  }
  IOStatus CreateDir(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->CreateDir(path, options, context);
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->CreateDirIfMissing(path, options, context);
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->RenameFile(from, to, options, context);
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->LinkFile(from, to, options, context);
  }
  IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions& options,
                    IODebugContext* context) override {
    return *elsewhere_ ? refused() : target()->Truncate(path, size, options, context);
  }

 private:
  static IOStatus refused() { return IOStatus::IOError("the store stands elsewhere"); }
  const StandsElsewhere elsewhere_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> at_its_place(const std::shared_ptr<rocksdb::FileSystem>& files,
                                                  StandsElsewhere elsewhere) {
  return std::make_shared<PlacedFiles>(files, std::move(elsewhere));
}

}  // namespace siegel
