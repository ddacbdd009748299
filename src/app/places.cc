#include "app/places.h"

#include <algorithm>
#include <sstream>

#include "base/text.h"
#include "store/file.h"

namespace siegel::app {
namespace {

constexpr std::size_t kSmallFile = 64 * 1024;
constexpr unsigned kPrivate = 0600;

std::filesystem::path beside(const std::filesystem::path& data, const char* ending) {
  auto out = data;
  out += ending;
  return out;
}

// Not there, or not for us.
Error no_data_directory(const Error& cause, const Places& places) {
  const auto* const number = cause.find("errno");
  if (number != nullptr && (*number == "EACCES" || *number == "EPERM")) {
    return Error(Errc::unavailable, "not_permitted", "The data directory may not be read by this user.")
        .with("data", places.data.string());
  }
  if (cause.category() != Errc::not_found) return Error(cause);
  return Error(Errc::not_found, "store_missing", "There is no data directory here: make one with `siegel init`.")
      .with("data", places.data.string());
}

}  // namespace

bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  std::error_code ignored;
  const auto a = std::filesystem::weakly_canonical(inner, ignored);
  const auto b = std::filesystem::weakly_canonical(outer, ignored);
  return std::mismatch(b.begin(), b.end(), a.begin(), a.end()).first == b.end();
}

Places default_places(const std::filesystem::path& data) {
  Places places;
  places.data = std::filesystem::absolute(data).lexically_normal();
  if (!places.data.has_filename()) places.data = places.data.parent_path();
  places.root = beside(places.data, ".root") / "root";
  places.signer = beside(places.data, ".outside") / "signer";
  places.head = beside(places.data, ".outside") / "head";
  return places;
}

Status write_places(const Places& places) {
  std::ostringstream text;
  text << "root " << places.root.string() << "\nsigner " << places.signer.string() << "\nhead " << places.head.string()
       << '\n';
  for (const auto& replica : places.key_replicas) text << "key-replica " << replica.string() << '\n';
  for (const auto& mirror : places.root_mirrors) text << "root-mirror " << mirror.string() << '\n';
  SystemFiles files;
  return files.write_file_durably(places.places(), as_bytes(text.str()), kPrivate);
}

Result<Places> read_places(const std::filesystem::path& data) {
  auto places = default_places(data);
  SystemFiles files;
  auto read = files.read_file(places.places(), kSmallFile);
  if (!read) return no_data_directory(read.error(), places);
  std::istringstream text{std::string(as_chars(*read))};
  for (std::string line; std::getline(text, line);) {
    const auto space = line.find(' ');
    const auto key = line.substr(0, space);
    const std::filesystem::path value = space == std::string::npos ? "" : line.substr(space + 1);
    if (key == "root") {
      places.root = value;
    } else if (key == "signer") {
      places.signer = value;
    } else if (key == "head") {
      places.head = value;
    } else if (key == "key-replica") {
      places.key_replicas.push_back(value);
    } else if (key == "root-mirror") {
      places.root_mirrors.push_back(value);
    }
  }
  // A directory that was moved takes its neighbours along, unless init was told other places.
  return places;
}

Status check_places(const Config& config, const std::filesystem::path& data) {
  std::error_code ignored;
  if (!std::filesystem::exists(default_places(data).places(), ignored)) return Done{};
  SIEGEL_TRY(places, read_places(data));
  const auto check = [&](const char* key, const std::string& said, const std::filesystem::path& is) -> Status {
    if (said.empty() || std::filesystem::absolute(said).lexically_normal() == is.lexically_normal()) return Done{};
    return Error(
               Errc::invalid, "config_invalid",
               "The configuration names another place than the data directory was made with; init wrote it to PLACES.")
        .with("key", key)
        .with("configured", said)
        .with("is", is.string());
  };
  SIEGEL_CHECK(check("lock.path", config.lock_path, places.head));
  SIEGEL_CHECK(check("root_store.path", config.root_store_path, places.root));
  return check("signer.path", config.signer_path, places.signer);
}

Status write_format(const Places& places, const LedgerId& id) {
  SystemFiles files;
  return files.write_file_durably(places.format(), as_bytes("siegel-data 1 " + to_text(id) + "\n"), kPrivate);
}

Result<LedgerId> read_format(const Places& places) {
  SystemFiles files;
  auto read = files.read_file(places.format(), kSmallFile);
  if (!read) return no_data_directory(read.error(), places);
  std::istringstream text{std::string(as_chars(*read))};
  std::string name, version, id;
  text >> name >> version >> id;
  const auto number = parse_u64(version);
  if (name != "siegel-data" || !number)
    return Error(Errc::corrupt, "format_damaged", "The file FORMAT of the data directory is damaged.");
  if (*number > 1)
    return Error(Errc::denied, "format_newer", "The data directory was written by a newer version: use that version.")
        .with("format", *number);
  const auto bytes = from_hex(id);
  if (!bytes || bytes->size() != 8)
    return Error(Errc::corrupt, "format_damaged", "The file FORMAT of the data directory is damaged.");
  return LedgerId(to_array<8>(*bytes));
}

}  // namespace siegel::app
