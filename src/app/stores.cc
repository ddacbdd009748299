#include "app/stores.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "app/evidence.h"
#include "base/text.h"
#include "views/views.h"

namespace siegel::app {
namespace {

constexpr std::size_t kGenerationFileBytes = 64;
constexpr std::size_t kViewsCacheBytes = std::size_t{32} << 20;

}  // namespace

std::unique_ptr<vault::RootStore> open_root_store(const Places& places, Random& random) {
  auto root = vault::open_file_root_store(places.root, random);
  if (places.root_mirrors.empty()) return root;
  std::vector<std::unique_ptr<vault::RootStore>> members;
  members.push_back(std::move(root));
  for (const auto& path : places.root_mirrors) members.push_back(vault::open_file_root_store(path, random));
  return vault::mirror(std::move(members));
}

vault::Vault::Counters tell_keys(const vault::Vault::Counters& told, const vault::Vault& vault,
                                 const std::string& language) {
  const auto now = vault.counters();
  const auto away = vault.away();
  const auto tell = [&](const char* german, const char* english, std::uint64_t count = 0,
                        const std::vector<std::filesystem::path>& places = {}) {
    std::string names;  // in the same line, so that whoever looks for ALARM finds them
    for (const auto& place : places) names += (names.empty() ? ": " : ", ") + place.string();
    std::fprintf(stderr, language == "de" ? german : english, static_cast<unsigned long long>(count), names.c_str());
  };
  if (now.roots_healed > told.roots_healed)
    tell(
        "siegel: ALARM %llu Glieder des Wurzelspiegels waren beschädigt und wurden aus einem heilen neu geschrieben: "
        "ihre Datenträger prüfen\n",
        "siegel: ALARM %llu member(s) of the root mirror were damaged and have been written anew from a whole one: "
        "look at their disks\n",
        now.roots_healed - told.roots_healed);
  if (now.roots_away > 0 && now.roots_away != told.roots_away)
    tell(
        "siegel: ALARM %llu Wurzelspeicher fehlen oder lassen sich nicht heilen: keine Löschung endet, bis sie zurück "
        "sind%s [root_store_unavailable]\n",
        "siegel: ALARM %llu root store(s) are away or cannot be healed: no erasure ends until they are back%s "
        "[root_store_unavailable]\n",
        now.roots_away, away.roots);
  if (now.roots_away == 0 && told.roots_away > 0)
    tell("siegel: alle Wurzelspeicher sind wieder da\n", "siegel: all root stores are back\n");
  if (now.replicas_away > 0 && now.replicas_away != told.replicas_away)
    tell(
        "siegel: ALARM %llu Zweitkopien der Schlüssel fehlen: was einen neuen Schlüssel braucht, wartet, bis sie "
        "zurück sind%s [keys_replica_unavailable]\n",
        "siegel: ALARM %llu replica(s) of the keys are away: what needs a new key waits until they are back%s "
        "[keys_replica_unavailable]\n",
        now.replicas_away, away.replicas);
  if (now.replicas_away == 0 && told.replicas_away > 0)
    tell("siegel: alle Zweitkopien der Schlüssel sind wieder auf dem Stand\n",
         "siegel: all replicas of the keys are up to date again\n");
  return now;
}

Result<std::unique_ptr<ledger::FileSigner>> load_signer(Files& files, const Places& places) {
  auto signer = ledger::FileSigner::load(files, places.signer);
  if (!signer && signer.error().is("file_missing")) {
    return Error(Errc::not_found, "signer_missing", "The ledger's signing key is not at its place.")
        .with("place", places.signer.string());
  }
  if (!signer && signer.error().is("private_key_malformed"))
    return Error(signer.error()).with("place", places.signer.string());
  return signer;
}

ledger::Options ledger_options(const Places& places, const LedgerId& id, const std::string& origin) {
  ledger::Options options;
  options.origin = origin;
  options.id = id;
  options.lock_record_path = places.head.string();
  return options;
}

std::vector<RoomToOpen> room_to_open(const Places& places) {
  constexpr std::uint64_t kRoomOfOne = std::uint64_t{20} << 20;  // what RocksDB reserves at once, and what stays free
  std::vector<RoomToOpen> out;
  std::map<dev_t, std::uint64_t> opened;
  const auto generation = views_generation(places);
  for (auto store :
       {places.ledger(), places.keys(), places.views() / (generation ? *generation : std::string(kFirstGeneration))}) {
    std::uint64_t log = 0;
    std::error_code failed;
    std::filesystem::directory_iterator files(store, failed);
    for (; !failed && files != std::filesystem::directory_iterator(); files.increment(failed)) {
      std::error_code ignored;
      if (files->path().extension() != ".log") continue;
      if (const auto size = files->file_size(ignored); !ignored) log += size;
    }
    struct stat disk {};
    if (::stat(store.c_str(), &disk) != 0) store = places.data;  // it is to be made, or missed
    if (::stat(store.c_str(), &disk) != 0) continue;
    auto& sum = opened[disk.st_dev];
    sum += kRoomOfOne;
    out.push_back({std::move(store), sum + log});
  }
  return out;
}

Status check_room_to_open(const Places& places, std::uint64_t more) {
  for (const auto& [store, bytes] : room_to_open(places)) {
    const auto free = SystemFiles().free_bytes(store);
    if (!free || *free >= bytes + more) continue;  // unknown: whoever writes finds out
    return Error(Errc::unavailable, "disk_full", "There is too little room left on the disk of the store.")
        .with("place", store.string())
        .with("free_bytes", *free)
        .with("wanted_bytes", bytes + more);
  }
  return Done{};
}

Result<std::unique_ptr<ledger::Ledger>> open_ledger(const Places& places, const ledger::Options& options,
                                                    ledger::Signer& signer, Clock& clock) {
  RocksOptions rocks;
  rocks.dir = places.ledger();
  rocks.families = ledger::Ledger::families();
  auto settings = options;
  SIEGEL_TRY(evidence, keep_evidence(places, clock));
  settings.evidence = std::move(evidence.names);
  settings.lost = std::move(evidence.lost);
  auto known = vault::Vault::ledger_size(places.keys());
  if (known) {
    settings.size_known = *known;
  } else if (!known.error().is("store_missing")) {  // whoever needs the keys says that they are missing
    return Error(std::move(known).error());
  }
  SIEGEL_TRY(store, open_rocksdb(rocks));
  return ledger::Ledger::open(std::move(store), settings, signer, clock);
}

Result<std::unique_ptr<Locks>> take_locks(const Places& places) {
  SIEGEL_TRY(data, DirectoryLock::take(places.lock()));
  auto out = std::make_unique<Locks>(Locks{std::move(data), {}});
  const auto add = [&](Result<DirectoryLock> taken, const std::filesystem::path& place) -> Status {
    if (!taken && taken.error().is("data_in_use")) return Error(taken.error()).with("place", place.string());
    if (taken) out->outside.push_back(std::move(*taken));
    return Done{};
  };
  // A lock record is replaced by each write of it; it is of one signer, whose file stays.
  SIEGEL_CHECK(add(DirectoryLock::hold(places.signer), places.signer));
  SIEGEL_CHECK(add(DirectoryLock::hold(places.root), places.root));
  for (const auto& mirror : places.root_mirrors) SIEGEL_CHECK(add(DirectoryLock::hold(mirror), mirror));
  return out;
}

void tell_lost(vault::Vault& vault, const std::string& language) {
  const bool german = language == "de";
  unsigned long long requests = 0;
  for (const auto& fence : vault.fences()) requests += vault::is_lost(fence) && !vault::is_given_up(fence) ? 1 : 0;
  if (requests > 0)
    std::fprintf(stderr,
                 german ? "siegel: ALARM %llu Löschungen waren in dem Teil des Buchs verlangt, der verloren ist: "
                          "die Menschen bleiben gesperrt, und ihre Schlüssel werden vernichtet, sobald der "
                          "Server läuft\n"
                        : "siegel: ALARM %llu erasure(s) had been asked for in the part of the ledger that is "
                          "lost: the people stay fenced, and their keys are destroyed as soon as the server "
                          "runs\n",
                 requests);
  if (const auto keys = keys_given_up(vault); keys > 0)
    std::fprintf(stderr,
                 german ? "siegel: %llu Schlüssel, die das angenommene Buch nicht nennt, werden vernichtet, sobald der "
                          "Server läuft\n"
                        : "siegel: %llu key(s) that the adopted ledger does not name are destroyed as soon as the "
                          "server runs\n",
                 static_cast<unsigned long long>(keys));
}

std::uint64_t keys_given_up(vault::Vault& vault) {
  std::uint64_t out = 0;
  for (const auto& fence : vault.fences())
    if (vault::is_given_up(fence)) out += fence.slots.size();
  return out;
}

Result<std::unique_ptr<vault::Vault>> open_vault(const Places& places, const Config& config, vault::RootStore& root,
                                                 const ledger::Ledger& ledger, const LedgerId& id, bool writable,
                                                 Clock& clock, Random& random) {
  vault::Options options;
  options.keys_dir = places.keys();
  options.replicas = places.key_replicas;
  options.key_cache_bytes_max = config.key_cache_bytes_max;
  options.spare_leaves = config.spare_leaves;
  options.replica_wait = std::chrono::milliseconds(config.replica_wait_ms);
  options.prefill = writable;
  // In doubt nothing of it has been synced.
  options.ledger_size = [&ledger] { return ledger.doubts().empty() ? ledger.size() : TreeSize(0); };
  return vault::Vault::open(options, root, id, ledger.keys_mark(), ledger.epoch(), clock, random);
}

Status Core::open(const std::filesystem::path& data, const Config& config, Clock& clock, Random& random) {
  SIEGEL_TRY(found, read_places(data));
  places = std::move(found);
  SIEGEL_TRY(ledger_id, read_format(places));
  id = ledger_id;
  if (!lock) {
    SIEGEL_TRY(taken, take_locks(places));
    lock = std::move(taken);
  }
  SIEGEL_CHECK(vault::check_root_place(places.root, places.data));
  SIEGEL_CHECK(check_outside(places));
  SIEGEL_TRY(loaded, load_signer(files, places));
  signer = std::move(loaded);
  auto settings = ledger_options(places, id, signer->origin());
  settings.queue_commands_max = config.queue_commands_max;
  settings.group_wait_us_max = static_cast<std::uint32_t>(config.group_commit_us_max);
  SIEGEL_TRY(opened, open_ledger(places, settings, *signer, clock));
  ledger = std::move(opened);
  root = open_root_store(places, random);
  // Where nothing can be written, no leaf is drawn either.
  SIEGEL_TRY(keys, open_vault(places, config, *root, *ledger, id, ledger->read_only().empty(), clock, random));
  vault = std::move(keys);
  tell_keys({}, *vault, config.language);
  tell_lost(*vault, config.language);
  return Done{};
}

void Core::close_stores() {
  if (ledger) ledger->close();
  if (vault) vault->close();
  vault.reset();
  root.reset();
  ledger.reset();
  signer.reset();
}

Error views_damaged_error() {
  return Error(Errc::corrupt, "views_damaged",
               "The read models are damaged: `siegel rebuild` makes them anew from the ledger.");
}

Result<std::string> views_generation(const Places& places) {
  SystemFiles files;
  const auto read = files.read_file(places.views_name(), kGenerationFileBytes);
  if (!read && read.error().category() == Errc::not_found) return std::string(kFirstGeneration);
  if (!read) return Error(read.error());
  auto name = std::string(as_chars(*read));
  if (!name.empty() && name.back() == '\n') name.pop_back();
  if (!parse_u64(name)) return views_damaged_error();  // a number and nothing else: it becomes part of a path
  return name;
}

Status set_views_generation(const Places& places, const std::string& generation) {
  SystemFiles files;
  return files.write_file_durably(places.views_name(), as_bytes(generation + "\n"), 0600);
}

std::string new_views_generation(const Places& places) {
  const auto current = views_generation(places);
  std::uint64_t newest = current ? *parse_u64(*current) : 0;
  std::error_code failed;
  std::filesystem::directory_iterator entries(places.views(), failed);
  for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed)) {
    if (const auto number = parse_u64(entries->path().filename().string())) newest = std::max(newest, *number);
  }
  return std::to_string(newest + 1);
}

namespace {

RocksOptions views_options(const Places& places, const std::string& generation) {
  RocksOptions rocks;
  rocks.dir = places.views() / generation;
  rocks.families = views::families();
  rocks.wal = RocksOptions::Wal::off;
  return rocks;
}

}  // namespace

Result<std::unique_ptr<Store>> open_views(const Places& places, const std::string& generation) {
  SystemFiles files;
  SIEGEL_CHECK(files.make_dir(places.views(), 0700));
  auto rocks = views_options(places, generation);
  rocks.create = RocksOptions::Create::if_missing;
  rocks.cache = make_block_cache(kViewsCacheBytes);
  auto store = open_rocksdb(rocks);
  if (!store && store.error().category() == Errc::corrupt) return views_damaged_error();
  return store;
}

bool views_are_damaged(const Places& places) {
  const auto generation = views_generation(places);
  if (!generation) return generation.error().is("views_damaged");
  const auto checked = check_files(views_options(places, *generation));
  return !checked && checked.error().category() == Errc::corrupt;
}

Status give_up_views(const Places& places) {
  const auto damaged = views_generation(places);
  SIEGEL_CHECK(set_views_generation(places, new_views_generation(places)));
  std::error_code ignored;  // what is left the next `siegel rebuild` removes
  if (damaged) std::filesystem::remove_all(places.views() / *damaged, ignored);
  return Done{};
}

}  // namespace siegel::app
