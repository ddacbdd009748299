// A file of its own, so that only programs that read schemas as text link the schema parser.
#include <capnp/schema-parser.h>
#include <kj/filesystem.h>

#include <filesystem>
#include <vector>

#include "codec/schema_lint.h"
#include "codec/schema_walk.h"

namespace siegel::codec {

Status lint_header_schema(const char* schema_path, const char* imports) {
  return guarded(
      [&]() -> Status {
        const auto disk = kj::newDiskFilesystem();
        const auto absolute = [&](const char* path) { return disk->getCurrentPath().evalNative(path); };
        std::vector<kj::Own<const kj::ReadableDirectory>> folders;
        for (const char* folder : {imports, "/usr/include", "/usr/local/include"}) {
          if (std::filesystem::is_directory(folder)) folders.push_back(disk->getRoot().openSubdir(absolute(folder)));
        }
        std::vector<const kj::ReadableDirectory*> borrowed;
        borrowed.reserve(folders.size());
        for (const auto& folder : folders) borrowed.push_back(folder.get());
        const capnp::SchemaParser parser;
        const auto file = parser.parseFromDirectory(
            disk->getRoot(), absolute(schema_path),
            kj::ArrayPtr<const kj::ReadableDirectory* const>(borrowed.data(), borrowed.size()));
        return lint(file.getNested("Header").asStruct());
      },
      schema_unreadable);
}

}  // namespace siegel::codec
