#include "app/evidence.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <vector>

#include "app/local_copy_files.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/layout.h"
#include "ledger/ledger.h"
#include "proof/checkpoint.h"
#include "store/file.h"
#include "store/store.h"

namespace siegel::app {
namespace {

constexpr std::string_view kPrefix = "evidence-";
constexpr std::size_t kNoteFileBytes = 64 * 1024;

RocksOptions read_only_ledger(const Places& places) {
  RocksOptions rocks;
  rocks.dir = places.ledger();
  rocks.families = ledger::Ledger::families();
  rocks.mode = RocksOptions::Mode::read_only;
  return rocks;
}

std::optional<std::uint64_t> size_of_lock_record(const Places& places, Files& files) {
  const auto record = files.read_file(places.head, kNoteFileBytes);
  if (!record) return std::nullopt;
  const auto note = parse_note(as_chars(*record));
  if (!note) return std::nullopt;
  const auto locked = parse_checkpoint(note->text);
  if (!locked) return std::nullopt;
  return locked->size;
}

// Of what RocksDB reads from the logs, up to the first record that does not hold.
std::optional<std::uint64_t> size_of_ledger(const Places& places) {
  const auto store = open_rocksdb(read_only_ledger(places));
  if (!store) return std::nullopt;
  const auto row = (*store)->get(ledger::kHead, as_bytes(ledger::kHeadKey));
  if (!row || !*row) return std::nullopt;
  const auto head = ledger::decode_head(**row);
  if (!head) return std::nullopt;
  return head->size.get();
}

// LOST is one line: the size of the ledger without what is gone.
Status note_loss(const Places& places, Files& files, std::uint64_t size) {
  return files.write_file_durably(places.lost(), as_bytes(std::to_string(size) + "\n"), 0600);
}

Result<std::string> noted_loss(const Places& places, Files& files) {
  const auto read = files.read_file(places.lost(), kNoteFileBytes);
  if (!read && read.error().category() == Errc::not_found) return std::string();
  auto told = read ? std::string(as_chars(*read)) : std::string();
  while (told.ends_with('\n')) told.pop_back();
  const auto left = parse_u64(told);
  const auto size = size_of_ledger(places);
  if (left && size && *size > *left) {  // the whole ledger was put back
    SIEGEL_CHECK(forget_loss(places));
    return std::string();
  }
  return "events that were acknowledged are missing, ledger size " + (size ? std::to_string(*size) : told);
}

std::vector<std::string> names_in(const std::filesystem::path& dir, auto&& wanted) {
  std::vector<std::string> out;
  std::error_code failed;
  std::filesystem::directory_iterator entries(dir, failed);
  for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed)) {
    if (auto name = entries->path().filename().string(); wanted(name)) out.push_back(std::move(name));
  }
  std::ranges::sort(out);
  return out;
}

// "evidence-20261129T152229123Z"
std::string new_name(Clock& clock) {
  auto time = to_rfc3339(clock.now());
  std::erase_if(time, [](unsigned char c) { return std::isalnum(c) == 0; });
  return std::string(kPrefix) + time;
}

// Whole under its name, or not there under it.
Status copy_aside(const Places& places, Files& files, const std::string& first_log, const std::string& name) {
  const auto to = places.data / name;
  const auto unfinished = places.data / ("unfinished-" + name);
  SIEGEL_CHECK(files.make_dir(unfinished, 0700));
  std::uint64_t sum = 0;
  for (const auto& log : names_in(places.ledger(), [&](const std::string& log) {
         return log.ends_with(".log") && log >= first_log;  // numbers of the same width: in the order of writing
       })) {
    std::error_code unknown;
    const auto size = std::filesystem::file_size(places.ledger() / log, unknown);
    if (unknown || (sum != 0 && sum + size > kEvidenceBytesMax)) break;  // the first is the damaged one: always
    sum += size;
    SIEGEL_TRY(copied, copy_durably(places.ledger() / log, unfinished / log));
  }
  if (const auto record = files.read_file(places.head, kNoteFileBytes)) {
    SIEGEL_CHECK(files.write_file_durably(unfinished / "head", *record, 0600));
  }
  SIEGEL_CHECK(files.sync_dir(unfinished));
  std::error_code failed;
  std::filesystem::rename(unfinished, to, failed);
  if (failed) return Error(Errc::unavailable, "io_error", "The damaged log cannot be kept.").with("place", to.string());
  return files.sync_dir(places.data);
}

void remove_unfinished(const Places& places) {  // of a start that was killed
  for (const auto& name : names_in(
           places.data, [](const std::string& unfinished) { return unfinished.starts_with("unfinished-evidence-"); })) {
    std::error_code ignored;
    std::filesystem::remove_all(places.data / name, ignored);
  }
}

std::vector<std::string> kept_in(const std::filesystem::path& data) {
  return names_in(data, [](const std::string& name) { return name.starts_with(kPrefix); });
}

}  // namespace

Result<Evidence> keep_evidence(const Places& places, Clock& clock) {
  SystemFiles files;
  auto kept = kept_in(places.data);
  const auto broken = check_logs(read_only_ledger(places));  // a store that is not there is told of when it is opened
  if (broken && !broken->empty()) {
    const auto size = size_of_ledger(places), locked = size_of_lock_record(places, files);
    const bool is_reached = size && locked && *size >= *locked;  // in doubt not
    const bool was_synced = std::ranges::any_of(*broken, &UncheckedBytes::was_followed);
    if (is_reached && was_synced) SIEGEL_CHECK(note_loss(places, files, *size));
    if ((!is_reached || was_synced) && kept.size() < kEvidenceMax) {
      remove_unfinished(places);
      SIEGEL_CHECK(copy_aside(places, files, broken->front().file, new_name(clock)));
      kept = kept_in(places.data);
    }
  }
  Evidence out;
  for (const auto& name : kept) out.names += (out.names.empty() ? "" : ", ") + name;
  SIEGEL_TRY(lost, noted_loss(places, files));
  out.lost = std::move(lost);
  return out;
}

Status forget_loss(const Places& places) {
  std::error_code failed;
  if (!std::filesystem::remove(places.lost(), failed) && !failed) return Done{};  // there was none
  if (failed)
    return Error(Errc::unavailable, "io_error", "The file cannot be removed.").with("file", places.lost().string());
  return SystemFiles().sync_dir(places.data);
}

KeptEvidence kept_evidence(const std::filesystem::path& data) {
  KeptEvidence out;
  for (const auto& name : kept_in(data)) {
    std::error_code unknown;
    const auto changed = std::filesystem::last_write_time(data / name, unknown);
    if (unknown) continue;  // gone at this moment
    const auto since = std::chrono::file_clock::to_sys(changed).time_since_epoch();
    const TimeMs made(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count()));
    if (out.copies++ == 0 || made < out.oldest) out.oldest = made;
  }
  return out;
}

}  // namespace siegel::app
