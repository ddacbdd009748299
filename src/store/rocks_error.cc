#include "store/rocks_error.h"

#include <string>
#include <string_view>

namespace siegel {

namespace {

// "000090.sst", where the text ends a path with such a name. Nothing else of it looks like that and gets out.
std::string file_in(std::string_view text) {
  for (const std::string_view kind : {".sst", ".log"}) {
    const auto end = text.find(kind);
    if (end == text.npos) continue;
    auto begin = end;
    while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9') --begin;
    if (begin < end && begin > 0 && text[begin - 1] == '/')
      return std::string(text.substr(begin, end - begin)) + std::string(kind);
  }
  return {};
}

// The text of a rocksdb::Status may quote keys, so only its kind and a file's name get out.
Error with_kind(Error error, const rocksdb::Status& status) {
  const auto file = status.getState() == nullptr ? std::string() : file_in(status.getState());
  if (!file.empty()) error = std::move(error).with("file", file);
  return std::move(error)
      .with("rocksdb_code", static_cast<int>(status.code()))
      .with("rocksdb_subcode", static_cast<int>(status.subcode()));
}

bool is_held_lock(const rocksdb::Status& status) {
  const std::string_view text(status.getState() ? status.getState() : "");
  return status.IsIOError() && (text.find("While lock file") != text.npos || text.find("lock hold") != text.npos);
}

}  // namespace

Error error_of(const rocksdb::Status& status) {
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return with_kind(Error(Errc::unavailable, "disk_full", "There is no room left on the disk of the store."), status);
  }
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotSupported()) {
    return with_kind(Error(Errc::corrupt, "store_damaged", "The store's files are not what was written."), status);
  }
  return with_kind(Error(Errc::unavailable, "io_error", "The disk of the store refused to read or write."), status);
}

Error open_error_of(const rocksdb::Status& status) {
  if (is_held_lock(status)) {
    return Error(Errc::unavailable, "data_in_use", "Another process has the store open.");
  }
  if (status.IsPathNotFound() || status.IsNotFound()) {
    return with_kind(Error(Errc::corrupt, "store_damaged", "A file that belongs to the store is missing."), status);
  }
  return error_of(status);
}

}  // namespace siegel
