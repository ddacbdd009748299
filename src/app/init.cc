// `siegel init`: the only way to a new ledger.
#include <unistd.h>

#include <set>

#include "app/instance.h"
#include "app/stores.h"
#include "ledger/signer.h"
#include "store/file.h"
#include "vault/root_store.h"

namespace siegel::app {
namespace {

constexpr const char* kCacheTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# The root key of Siegel lives here. It must never be in a backup: an old copy would undo deletions.\n";

// The directory, or the nearest one above it that exists, takes new names.
Status check_writable(const std::filesystem::path& dir) {
  std::error_code unknown;
  auto at = dir;
  while (!std::filesystem::exists(at, unknown) && at.has_relative_path()) at = at.parent_path();
  if (std::filesystem::is_directory(at, unknown) && ::access(at.c_str(), W_OK | X_OK) == 0) return Done{};
  return Error(Errc::unavailable, "not_permitted", "Nothing can be made at a place that init was told.")
      .with("path", at.string());
}

Status refuse_existing(const Places& places) {
  for (const auto& path : {places.data, places.root, places.signer, places.head}) {
    std::error_code ignored;
    const bool there = std::filesystem::exists(path, ignored);
    const bool empty_dir =
        there && std::filesystem::is_directory(path, ignored) && std::filesystem::is_empty(path, ignored);
    if (there && !empty_dir)
      return Error(Errc::conflict, "exists", "There is something already; init never writes over it.")
          .with("path", path.string());
  }
  return Done{};
}

// Places on other storage. Their parents are not made: a disk that is not mounted would be missed too late.
Status check_second_place(const std::filesystem::path& dir, const Places& places, const char* flag) {
  const auto refused = [&](Errc category, const char* code, const char* what) -> Status {
    return Error(category, code, what).with("flag", flag).with("path", dir.string());
  };
  std::error_code unknown;
  if (is_within(dir, places.data) || is_within(dir, places.root.parent_path()))
    return refused(Errc::invalid, "place_inside_data", "A second place must lie elsewhere than the first.");
  if (!std::filesystem::exists(dir, unknown)) {
    if (!std::filesystem::is_directory(dir.parent_path(), unknown))
      return refused(Errc::invalid, "place_missing",
                     "The directory above this place does not exist: is its disk there?");
  } else if (!std::filesystem::is_directory(dir, unknown) || !std::filesystem::is_empty(dir, unknown)) {
    return refused(Errc::conflict, "exists", "There is something already; init never writes over it.");
  }
  return check_writable(dir);
}

// What PLACES could not say (places.h).
Status check_sayable(const Places& places) {
  std::vector<std::filesystem::path> all = {places.root, places.signer, places.head};
  all.insert(all.end(), places.key_replicas.begin(), places.key_replicas.end());
  all.insert(all.end(), places.root_mirrors.begin(), places.root_mirrors.end());
  std::set<std::filesystem::path> named;
  for (const auto& path : all) {
    const auto text = path.string();
    if (!fits_in_places(text))
      return Error(Errc::invalid, "bad_value", "The name of a place holds a control character.");
    if (!named.insert(path.lexically_normal()).second)
      return Error(Errc::invalid, "place_twice", "One place is named for two things.").with("path", text);
  }
  return Done{};
}

// All that can be known before anything is made: a wrong path changes nothing.
Status check_all(const Places& places) {
  SIEGEL_CHECK(refuse_existing(places));
  SIEGEL_CHECK(vault::check_root_place(places.root, places.data));
  SIEGEL_CHECK(check_outside(places));
  std::vector<std::filesystem::path> seconds;
  for (const auto& mirror : places.root_mirrors) {
    SIEGEL_CHECK(vault::check_root_place(mirror, places.data));
    SIEGEL_CHECK(check_second_place(mirror.parent_path(), places, "--root-mirror"));
    seconds.push_back(mirror.parent_path());
  }
  for (const auto& dir : places.key_replicas) {
    SIEGEL_CHECK(check_second_place(dir, places, "--key-replica"));
    seconds.push_back(dir);
  }
  for (auto one = seconds.begin(); one != seconds.end(); ++one) {
    for (auto other = seconds.begin(); other != seconds.end(); ++other) {
      if (one != other && is_within(*one, *other))
        return Error(Errc::invalid, "place_twice", "One place is named for two things.").with("path", one->string());
    }
  }
  SIEGEL_CHECK(check_sayable(places));
  for (const auto& dir :
       {places.data, places.root.parent_path(), places.signer.parent_path(), places.head.parent_path()})
    SIEGEL_CHECK(check_writable(dir));
  return Done{};
}

Status make_all_dirs(SystemFiles& files, const Places& places) {
  for (const auto& dir : {places.data, places.ledger(), places.keys(), places.views(), places.root.parent_path(),
                          places.signer.parent_path(), places.head.parent_path()})
    if (auto made = make_dirs(files, dir, 0700); !made) return Error(made.error()).with("path", dir.string());
  for (const auto& dir : places.key_replicas) SIEGEL_CHECK(files.make_dir(dir, 0700));
  for (const auto& file : places.root_mirrors) SIEGEL_CHECK(files.make_dir(file.parent_path(), 0700));
  SIEGEL_CHECK(files.write_file_durably(places.root.parent_path() / "CACHEDIR.TAG", as_bytes(kCacheTag), 0600));
  return Done{};
}

std::filesystem::path absolute_place(const std::filesystem::path& said) {
  auto out = std::filesystem::absolute(said).lexically_normal();
  return out.has_filename() ? out : out.parent_path();  // "b/" is "b"
}

}  // namespace

Result<Initialised> init(const InitOptions& options, Clock& clock, Random& random) {
  if (!options.single_disk && (options.key_replicas.empty() || options.root_mirrors.empty()))
    return Error(
        Errc::invalid, "second_place_missing",
        "One lost disk would lose all personal data: name --key-replica and --root-mirror on other storage, or say "
        "--single-disk.");
  auto places = default_places(options.data);
  if (!options.root_path.empty()) places.root = std::filesystem::absolute(options.root_path);
  if (!options.signer_path.empty()) places.signer = std::filesystem::absolute(options.signer_path);
  if (!options.lock_path.empty()) places.head = std::filesystem::absolute(options.lock_path);
  for (const auto& dir : options.key_replicas) places.key_replicas.push_back(absolute_place(dir));
  for (const auto& dir : options.root_mirrors) places.root_mirrors.push_back(absolute_place(dir) / "root");
  SIEGEL_CHECK(check_all(places));

  ByteArray<8> id_bytes;
  random.fill(id_bytes);
  const LedgerId id(id_bytes);
  Id16 tree_bytes;
  random.fill(tree_bytes);
  const auto origin = options.origin.empty() ? "siegel.local/" + to_text(id) : options.origin;

  SystemFiles files;
  SIEGEL_CHECK(make_all_dirs(files, places));
  SIEGEL_CHECK(ledger::make_signer_key(files, places.signer, origin, random));
  SIEGEL_TRY(signer, ledger::FileSigner::load(files, places.signer));
  auto root = open_root_store(places, random);
  vault::Options vault_options;
  vault_options.keys_dir = places.keys();
  vault_options.replicas = places.key_replicas;
  SIEGEL_CHECK(vault::Vault::create(vault_options, *root, KeyTreeId(tree_bytes), id, random));

  RocksOptions rocks;
  rocks.dir = places.ledger();
  rocks.families = ledger::Ledger::families();
  rocks.create = RocksOptions::Create::if_missing;
  SIEGEL_TRY(store, open_rocksdb(rocks));
  const auto settings = ledger_options(places, id, origin);
  SIEGEL_CHECK(ledger::Ledger::create(*store, settings));
  SIEGEL_TRY(ledger, ledger::Ledger::open(std::move(store), settings, *signer, clock));
  SIEGEL_CHECK(ledger->adopt_lock_record());
  ledger->close();
  SIEGEL_CHECK(write_places(places));
  SIEGEL_CHECK(write_format(places, id));  // last: without it nothing opens
  return Initialised{id, origin, signer->verifier_key(), root->grade(), places};
}

}  // namespace siegel::app
