#include "app/local_export.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "app/local_copy.h"
#include "proof/checkpoint.h"
#include "proof/tiles.h"
#include "store/file.h"

namespace siegel::app {
namespace {

constexpr int kDamage = 3;
constexpr unsigned kReadable = 0644;
constexpr unsigned kTileLevels = 8;
constexpr std::uint64_t kProgressEvery = 65'536;

Error unwritable() { return Error(Errc::unavailable, "io_error", "A file of the export cannot be written."); }

// Not synced one by one: an export that a power loss cut is made again.
Status write_file(const std::filesystem::path& path, ByteView bytes) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return unwritable();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const auto text = as_chars(bytes);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return unwritable();
  return Done{};
}

// The tree, bundles and payloads of events given one after the other. Keeps one open tile a level and one bundle.
class TreeFiles {
 public:
  explicit TreeFiles(std::filesystem::path dir) : dir_(std::move(dir)) {}

  Status add(const verify::StoredEvent& event) {
    append_bundle_entry(entries_, event.header);
    append_be(payloads_, static_cast<std::uint32_t>(event.parts->size()));
    append(payloads_, *event.parts);
    const auto leaf = leaf_hash(event.header);
    range_.append(leaf);
    SIEGEL_CHECK(push(0, leaf));
    return range_.size() % kTileWidth == 0 ? write_bundle(kTileWidth) : Status(Done{});
  }
  // Writes what is open.
  Status finish() {
    for (unsigned level = 0; level < kTileLevels; ++level) {
      if (!open_[level].empty()) SIEGEL_CHECK(write_tile(level));
    }
    const auto width = partial_width(0, range_.size());
    return width > 0 ? write_bundle(width) : Status(Done{});
  }
  [[nodiscard]] const CompactRange& range() const { return range_; }

 private:
  Status push(unsigned level, const Hash& node) {
    open_[level].push_back(node);
    if (open_[level].size() < kTileWidth) return Done{};
    SIEGEL_CHECK(write_tile(level));
    const auto above = perfect_root(open_[level]);
    open_[level].clear();
    ++written_[level];
    return level + 1 < kTileLevels ? push(level + 1, above) : Status(Done{});
  }
  Status write_tile(unsigned level) {
    const TileId id{level, written_[level], static_cast<unsigned>(open_[level].size())};
    return write_file(dir_ / tile_path(id), encode_tile(open_[level]));
  }
  Status write_bundle(unsigned width) {
    const auto path = tile_path({std::nullopt, (range_.size() - 1) / kTileWidth, width});
    constexpr std::string_view kEntries = "tile/entries/";
    SIEGEL_CHECK(write_file(dir_ / path, entries_));
    SIEGEL_CHECK(write_file(dir_ / "payloads" / path.substr(kEntries.size()), payloads_));
    entries_.clear();
    payloads_.clear();
    return Done{};
  }

  std::filesystem::path dir_;
  CompactRange range_;
  std::array<std::vector<Hash>, kTileLevels> open_;
  std::array<std::uint64_t, kTileLevels> written_{};
  Bytes entries_;
  Bytes payloads_;
};

Status refuse_existing(const std::filesystem::path& dir) {
  std::error_code ignored;
  if (!std::filesystem::exists(dir, ignored)) return Done{};
  if (std::filesystem::is_directory(dir, ignored) && std::filesystem::is_empty(dir, ignored)) return Done{};
  return Error(Errc::conflict, "exists", "There is something already; an export never writes over it.")
      .with("path", dir.string());
}

struct Newest {
  std::string note;
  Checkpoint head;
};
// The largest signed head that the copy reaches.
Result<Newest> newest_of(const LedgerCopy& copy, const VerifierKey& key) {
  std::optional<Newest> best;
  for (const auto* note : {&copy.newest_note, &copy.backup_note, &copy.lock_record}) {
    if (!*note) continue;
    auto opened = open_checkpoint(**note, key);
    if (!opened || opened->checkpoint.size > copy.head->size.get()) continue;
    if (!best || best->head.size < opened->checkpoint.size) best = Newest{**note, std::move(opened->checkpoint)};
  }
  if (!best) return Error(Errc::corrupt, "ledger_damaged", "The ledger has no checkpoint that its own key signed.");
  return std::move(*best);
}

// An export ends with its checkpoint, so nothing in it would tell that the ledger went on. The lock record of the
// living system says nothing of a backup, which has its own checkpoint; a volume that came back as a whole agrees with
// its lock record, and only the keys know better.
Status reaches_its_end(const LedgerCopy& copy, const VerifierKey& key) {
  if (const auto* log = copy.damaged_log()) {
    return ledger::damaged("A log of the ledger is damaged, and events are missing: run `siegel verify`.")
        .with("file", log->file)
        .with("from", log->from);
  }
  const auto size = copy.head->size;
  const auto is_longer = [&](std::uint64_t known) {
    return ledger::damaged("The ledger is shorter than was signed: run `siegel verify`.")
        .with("size", size)
        .with("signed", known);
  };
  if (copy.known_to_keys && *copy.known_to_keys > size) return is_longer(copy.known_to_keys->get());
  const auto& note = copy.backup_note ? copy.backup_note : copy.lock_record;
  if (!note) return Done{};
  const auto locked = open_checkpoint(*note, key);
  if (!locked) {
    return ledger::damaged(copy.backup_note ? "The checkpoint of the backup is missing or not signed by its ledger."
                                            : "The lock record is not signed by the ledger: run `siegel verify`.");
  }
  return locked->checkpoint.size > size.get() ? Status(is_longer(locked->checkpoint.size)) : Status(Done{});
}

Status write_events(const ExportRun& run, LedgerCopy& copy, const Checkpoint& head) {
  StoreSource source(*copy.store, 0, head.size);
  TreeFiles files(run.dir);
  while (files.range().size() < head.size) {
    verify::StoredEvent event;
    SIEGEL_TRY(more, source.next(event));
    if (!more || !event.parts) return ledger::damaged("Events or their parts are missing: run `siegel verify`.");
    SIEGEL_CHECK(files.add(event));
    if (!run.speech.quiet && files.range().size() % kProgressEvery == 0) {
      std::fprintf(stderr, run.speech.text("siegel: %llu von %llu Ereignissen\n", "siegel: %llu of %llu events\n"),
                   static_cast<unsigned long long>(files.range().size()), static_cast<unsigned long long>(head.size));
    }
  }
  if (files.range().root() != head.root)
    return ledger::damaged("The events are not those that were signed: run `siegel verify`.");
  return files.finish();
}

Result<Newest> export_log(const ExportRun& run) {
  SIEGEL_CHECK(refuse_existing(run.dir));
  LedgerCopy copy;
  SIEGEL_CHECK(copy.open(run.data));
  SIEGEL_TRY(key_text, copy.own_key());
  SIEGEL_TRY(key, parse_verifier_key(key_text));
  SIEGEL_CHECK(reaches_its_end(copy, key));
  tell_keys_not_asked(copy, run.speech);
  if (copy.lock_record_state != verify::Report::LockRecord::held && !copy.backup_note)
    say(run.speech,
        run.speech.text("nicht verglichen mit der Sperrdatei (DIR.outside/head): sie fehlt oder ist nicht lesbar",
                        "not compared with the lock record (DIR.outside/head): it is missing or cannot be read"));
  SIEGEL_TRY(newest, newest_of(copy, key));
  std::error_code error;
  const bool is_new = std::filesystem::create_directories(run.dir, error);
  if (error) return unwritable();
  if (auto written = write_events(run, copy, newest.head); !written) {
    for (const auto* made : {"tile", "payloads"}) std::filesystem::remove_all(run.dir / made, error);
    if (is_new) std::filesystem::remove(run.dir, error);
    return std::move(written).error();
  }
  SystemFiles files;
  SIEGEL_CHECK(files.write_file_durably(run.dir / "verifier-key", as_bytes(key_text + "\n"), kReadable));
  SIEGEL_CHECK(files.write_file_durably(run.dir / "checkpoint", as_bytes(newest.note), kReadable));
  return newest;
}

}  // namespace

int run_export_log(const ExportRun& run) {
  const auto done = export_log(run);
  if (!done) {
    const int code = report(done.error(), run.speech);
    return code == 1 && done.error().category() == Errc::corrupt ? kDamage : code;
  }
  const auto size = static_cast<unsigned long long>(done->head.size);
  if (run.speech.json) {
    std::printf("{\"size\":%llu,\"root\":\"%s\"}\n", size, to_base64(done->head.root).c_str());
  } else {
    std::printf(run.speech.text("%llu Ereignisse von %s ausgegeben nach %s\n", "%llu events of %s exported to %s\n"),
                size, done->head.origin.c_str(), run.dir.c_str());
  }
  return 0;
}

}  // namespace siegel::app
