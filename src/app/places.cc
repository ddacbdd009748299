#include "app/places.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <string_view>

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

Error no_places(const Error& cause, const Places& places) {
  std::error_code ignored;
  if (cause.category() != Errc::not_found || !std::filesystem::exists(places.ledger(), ignored))
    return no_data_directory(cause, places);
  return Error(Errc::invalid, "places_damaged", "The file PLACES is not there, and a ledger is.")
      .with("at", places.places().string());
}

// Takes PLACES line by line.
class Reader {
 public:
  explicit Reader(Places& places) : places_(places) {
    places_.root.clear();
    places_.signer.clear();
    places_.head.clear();
  }

  Status take(std::string_view line) {
    ++number_;
    if (closed_) return damaged("Behind the line `members` of PLACES nothing may stand.");
    if (!fits_in_places(line)) return damaged("A line of PLACES holds a control character.");
    const auto space = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, space), rest = line.substr(std::min(space + 1, line.size()));
    if (word == "root") return take_one(places_.root, rest);
    if (word == "signer") return take_one(places_.signer, rest);
    if (word == "head") return take_one(places_.head, rest);
    if (word == "key-replica") return take_another(places_.key_replicas, rest);
    if (word == "root-mirror") return take_another(places_.root_mirrors, rest);
    if (word == "members") return close(rest);
    return damaged("A line of PLACES begins with a word that is not known.");
  }

  Status end() const {
    if (!closed_)
      return damaged(
          "PLACES does not end with the line that counts its members: it is cut off, or of an older version.");
    const auto lacks = [&](const char* word) -> Status {
      return damaged("PLACES lacks a line.").with("wanted", std::string(word) + " PATH");
    };
    if (places_.root.empty()) return lacks("root");
    if (places_.signer.empty()) return lacks("signer");
    if (places_.head.empty()) return lacks("head");
    return Done{};
  }

 private:
  Error damaged(const char* what) const {
    return Error(Errc::invalid, "places_damaged", what)
        .with("at", places_.places().string() + ":" + std::to_string(std::max<std::size_t>(number_, 1)));
  }
  [[nodiscard]] std::size_t members() const { return places_.key_replicas.size() + places_.root_mirrors.size(); }

  Status take_one(std::filesystem::path& to, std::string_view path) {
    if (!to.empty()) return damaged("A line of PLACES says again what an earlier one said.");
    SIEGEL_CHECK(check(path));
    to = path;
    return Done{};
  }
  Status take_another(std::vector<std::filesystem::path>& to, std::string_view path) {
    SIEGEL_CHECK(check(path));
    to.emplace_back(path);
    return Done{};
  }
  Status check(const std::filesystem::path& path) {
    if (!path.is_absolute()) return damaged("A line of PLACES names no absolute path.");
    if (!named_.insert(path.lexically_normal()).second) return damaged("PLACES names one path for two things.");
    return Done{};
  }
  Status close(std::string_view count) {
    const auto counted = parse_u64(count);
    if (!counted) return damaged("The line `members` of PLACES holds no number.");
    closed_ = true;
    if (*counted == members()) return Done{};
    return damaged("PLACES counts other members than it names: lines are missing, or the count was not changed.")
        .with("counted", *counted)
        .with("named", members());
  }

  Places& places_;
  std::set<std::filesystem::path> named_;
  std::size_t number_ = 0;  // of the line in hand, from 1
  bool closed_ = false;
};

}  // namespace

bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  std::error_code ignored;
  const auto a = std::filesystem::weakly_canonical(inner, ignored);
  const auto b = std::filesystem::weakly_canonical(outer, ignored);
  return std::mismatch(b.begin(), b.end(), a.begin(), a.end()).first == b.end();
}

Status check_outside(const Places& places) {
  for (const auto& place : {places.signer, places.head})
    if (is_within(place, places.data))
      return Error(Errc::invalid, "place_inside_data",
                   "Signing key and lock record lie outside the data directory: a copy of it would take them along.")
          .with("path", place.string());
  return Done{};
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

bool fits_in_places(std::string_view line) {
  return std::none_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Status write_places(const Places& places) {
  std::ostringstream text;
  text << "root " << places.root.string() << "\nsigner " << places.signer.string() << "\nhead " << places.head.string()
       << '\n';
  for (const auto& replica : places.key_replicas) text << "key-replica " << replica.string() << '\n';
  for (const auto& mirror : places.root_mirrors) text << "root-mirror " << mirror.string() << '\n';
  text << "members " << places.key_replicas.size() + places.root_mirrors.size() << '\n';
  SystemFiles files;
  return files.write_file_durably(places.places(), as_bytes(text.str()), kPrivate);
}

Result<Places> read_places(const std::filesystem::path& data) {
  auto places = default_places(data);
  SystemFiles files;
  auto read = files.read_file(places.places(), kSmallFile);
  if (!read) return no_places(read.error(), places);
  Reader reader(places);
  std::istringstream text{std::string(as_chars(*read))};
  for (std::string line; std::getline(text, line);) SIEGEL_CHECK(reader.take(line));
  SIEGEL_CHECK(reader.end());
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
