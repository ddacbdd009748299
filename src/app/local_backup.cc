#include "app/local_backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "app/local_copy.h"
#include "app/local_copy_files.h"
#include "app/local_job.h"
#include "app/verify_words.h"
#include "base/time.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "crypto/memory.h"

namespace siegel::app {
namespace {

constexpr int kDamage = 3;
constexpr unsigned kPrivate = 0600;
constexpr unsigned kPrivateDir = 0700;
constexpr std::uint64_t kProgressEvery = 65'536;

struct Opened {  // by the dry restore
  std::uint64_t parts = 0;
  std::uint64_t erased = 0;
  std::uint64_t traces = 0;
};

struct Made {
  LedgerId ledger;
  std::uint64_t size = 0;
  std::uint64_t epoch = 0;
  std::uint64_t keys_mark = 0;
  std::uint64_t bytes = 0;
  std::size_t files = 0;
  Opened opened;
};

// ── where it may go ──────────────────────────────────────────────────────────────────────────────────────────────────

Status check_place(const Places& places, const std::filesystem::path& dir) {
  std::vector<std::filesystem::path> taken = {places.data, places.root.parent_path(), places.signer.parent_path(),
                                              places.head.parent_path()};
  for (const auto& replica : places.key_replicas) taken.push_back(replica);
  for (const auto& mirror : places.root_mirrors) taken.push_back(mirror.parent_path());
  for (const auto& place : taken) {
    if (is_within(dir, place)) {
      return Error(Errc::denied, "backup_place", "A backup must not lie with the data, the keys or the root.")
          .with("place", place.string());
    }
  }
  std::error_code ignored;
  if (!std::filesystem::exists(dir, ignored)) return Done{};
  if (std::filesystem::is_directory(dir, ignored) && std::filesystem::is_empty(dir, ignored)) return Done{};
  return Error(Errc::conflict, "exists", "There is something already; a backup never writes over it.")
      .with("path", dir.string());
}

void warn(const Places& places, const std::filesystem::path& dir, const Speech& speech) {
  struct stat here {};
  struct stat there {};
  if (::stat(places.data.c_str(), &here) == 0 && ::stat(dir.c_str(), &there) == 0 && here.st_dev == there.st_dev)
    say(speech, speech.text("die Sicherung liegt im selben Dateisystem wie die Daten: ein Ausfall trifft beide.",
                            "the backup lies on the same file system as the data: one failure takes both."));
  if (places.key_replicas.empty() || places.root_mirrors.empty())
    say(speech,
        speech.text(
            "--single-disk: fällt dieser Datenträger aus, sind alle personenbezogenen Daten verloren, und keine "
            "Sicherung lässt sich öffnen: Schlüssel und Wurzel sind nie in einer.",
            "--single-disk: if this disk fails all personal data is lost, and no backup will open: keys and root "
            "are never in one."));
}

// ── the dry restore ──────────────────────────────────────────────────────────────────────────────────────────────────

class DryRestore {
 public:
  DryRestore(StoppedJob& job, Places copied, const Speech& speech)
      : job_(job), copied_(std::move(copied)), speech_(speech) {}

  Result<Opened> run(const ledger::SystemReceipt& receipt) {
    SIEGEL_CHECK(copy_.open(copied_));
    SIEGEL_TRY(options, verify_options(copy_, {}));
    SIEGEL_TRY(report, verify_copy(copy_, options));
    if (!report.intact() || report.not_committed() > 0) {
      if (!speech_.json) std::fputs(verify_text(report, speech_).c_str(), stderr);
      return ledger::damaged("The copy is not what was signed.");
    }
    auto root = open_root_store(copied_, job_.random);
    vault::Options keys;
    keys.keys_dir = job_.core().places.keys();  // the present ones: those of a past moment would open nothing erased
    keys.prefill = false;
    const auto& head = *copy_.head;
    SIEGEL_TRY(vault, vault::Vault::open(keys, *root, head.id, head.keys_mark, head.epoch, job_.clock, job_.random));
    auto done = open_all(receipt, *vault);
    vault->close();
    return done;
  }
  [[nodiscard]] const LedgerCopy& copy() const { return copy_; }

 private:
  Result<Opened> open_all(const ledger::SystemReceipt& receipt, vault::Vault& vault) {
    Opened out;
    const auto size = copy_.head->size.get();
    StoreSource source(*copy_.store, 0, size);
    verify::StoredEvent event;
    for (std::uint64_t seq = 0; seq < size; ++seq) {
      SIEGEL_TRY(more, source.next(event));
      if (!more || !event.parts) return ledger::damaged("The copy ends before its size.");
      SIEGEL_TRY(header, codec::decode_header(event.header));
      SIEGEL_TRY(parts, codec::decode_parts(*event.parts));
      for (std::size_t i = 0; i < parts.size(); ++i) {
        SIEGEL_CHECK(open_part(receipt, vault, header, static_cast<std::uint16_t>(i), parts[i], out));
      }
      if (!speech_.quiet && (seq + 1) % kProgressEvery == 0)
        std::fprintf(stderr, speech_.text("siegel: %llu von %llu Ereignissen\n", "siegel: %llu of %llu events\n"),
                     static_cast<unsigned long long>(seq + 1), static_cast<unsigned long long>(size));
    }
    return out;
  }

  static Status open_part(const ledger::SystemReceipt& receipt, vault::Vault& vault, const Header& header,
                          std::uint16_t number, const StoredPart& part, Opened& out) {
    if (!part.removed && part.ciphertext.empty()) {
      ++out.traces;
      return Done{};
    }
    const auto clear = vault.open(receipt, header, number, part);
    if (clear) {
      ++out.parts;
    } else if (clear.error().category() == Errc::gone) {
      ++out.erased;
    } else {
      return Error(clear.error()).with("seq", header.seq).with("part", number);
    }
    return Done{};
  }

  StoppedJob& job_;
  Places copied_;
  const Speech& speech_;
  LedgerCopy copy_;
};

// ── the backup ───────────────────────────────────────────────────────────────────────────────────────────────────────

class Backup {
 public:
  explicit Backup(const BackupRun& run)
      : run_(run), dir_(std::filesystem::absolute(run.dir).lexically_normal()), job_(run.data, run.config) {}

  Result<Made> carry_out() {
    SIEGEL_TRY(places, read_places(run_.data));
    SIEGEL_CHECK(check_place(places, dir_));
    SIEGEL_CHECK(job_.open());
    SIEGEL_TRY(receipt, job_.begin(JobFacts::Kind::backup));
    job_.close();  // what stands on the disk is whole now, and nobody writes: the lock is held
    auto made = copy_and_check(places, receipt);
    const auto again = job_.open();
    if (again) {
      job_.end(JobFacts::Kind::backup, made ? made->size : 0);
      job_.close();
    }
    if (!made) {
      say(run_.speech,
          run_.speech.text("was nach ", "what was written to ") + dir_.string() +
              run_.speech.text(" geschrieben wurde, ist keine Sicherung (die Datei BACKUP fehlt): löschen.",
                               " is no backup (it has no file BACKUP): delete it."));
      return made;
    }
    SIEGEL_CHECK(write_facts(*made));
    warn(places, dir_, run_.speech);
    if (!again) {
      say(run_.speech, run_.speech.text("die Sicherung ist heil; das Buch nahm ihr Ende nicht auf: ",
                                        "the backup is whole; the ledger did not take its end: ") +
                           dir_.string());
      return Error(again.error());
    }
    return made;
  }

 private:
  Result<Made> copy_and_check(const Places& places, const ledger::SystemReceipt& receipt) {
    SIEGEL_CHECK(make_dirs(files_, dir_, kPrivateDir));
    auto copied = places;
    copied.data = dir_;
    SIEGEL_TRY(sums, copy_store(places.ledger(), copied.ledger()));
    for (const auto& [from, to] : {std::pair(places.format(), copied.format()), {places.places(), copied.places()}}) {
      SIEGEL_TRY(sum, copy_durably(from, to));
      sums.push_back(std::move(sum));
    }
    DryRestore dry(job_, copied, run_.speech);
    SIEGEL_TRY(opened, dry.run(receipt));
    const auto& head = *dry.copy().head;
    // The lock record is of this very size: the ledger was closed.
    SIEGEL_CHECK(
        files_.write_file_durably(dir_ / "checkpoint", as_bytes(dry.copy().lock_record.value_or("")), kPrivate));
    SIEGEL_TRY(note, hash_file(dir_ / "checkpoint"));
    sums.push_back(std::move(note));
    SIEGEL_CHECK(write_sums(sums));
    Made made{.ledger = head.id,
              .size = head.size.get(),
              .epoch = head.epoch.get(),
              .keys_mark = head.keys_mark.get(),
              .bytes = 0,
              .files = sums.size(),
              .opened = opened};
    for (const auto& sum : sums) made.bytes += sum.bytes;
    return made;
  }

  Status write_sums(const std::vector<CopiedFile>& sums) {
    std::string text;
    for (const auto& sum : sums) text += to_hex(sum.sha256) + "  " + sum.path.lexically_relative(dir_).string() + "\n";
    return files_.write_file_durably(dir_ / "SHA256SUMS", as_bytes(text), kPrivate);
  }

  Status write_facts(const Made& made) {
    const std::string text = "siegel-backup 1 " + to_text(made.ledger) + "\nmade " + to_rfc3339(job_.clock.now()) +
                             "\nsize " + std::to_string(made.size) + "\nepoch " + std::to_string(made.epoch) +
                             "\nkeys-mark " + std::to_string(made.keys_mark) + "\n";
    return files_.write_file_durably(dir_ / "BACKUP", as_bytes(text), kPrivate);
  }

  const BackupRun& run_;
  std::filesystem::path dir_;
  StoppedJob job_;
  SystemFiles files_;
};

void show(const Made& made, const BackupRun& run) {
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  if (run.speech.json) {
    std::printf(
        "{\"ledger\":\"%s\",\"size\":%llu,\"epoch\":%llu,\"keys_mark\":%llu,\"files\":%zu,\"bytes\":%llu,"
        "\"dry_restore\":{\"opened\":%llu,\"erased\":%llu,\"traces\":%llu}}\n",
        to_text(made.ledger).c_str(), number(made.size), number(made.epoch), number(made.keys_mark), made.files,
        number(made.bytes), number(made.opened.parts), number(made.opened.erased), number(made.opened.traces));
    return;
  }
  std::printf(
      run.speech.text("%llu Ereignisse des Buchs %s in %s: %zu Dateien, %llu Bytes\n"
                      "Wiederherstellung zur Probe: geprüft; %llu Teile öffnen sich mit den gegenwärtigen Schlüsseln "
                      "und der Wurzel "
                      "(Epoche %llu), %llu sind gelöscht, %llu sind Spuren\n"
                      "eine Wiederherstellung braucht Schlüssel ab Stapel %llu und eine Wurzel ab Epoche %llu\n",
                      "%llu events of ledger %s in %s: %zu files, %llu bytes\n"
                      "dry restore: verified; %llu parts open with the present keys and root (epoch %llu), %llu are "
                      "erased, %llu are "
                      "traces\n"
                      "a restore needs keys from batch %llu on and a root from epoch %llu on\n"),
      number(made.size), to_text(made.ledger).c_str(), run.dir.c_str(), made.files, number(made.bytes),
      number(made.opened.parts), number(made.epoch), number(made.opened.erased), number(made.opened.traces),
      number(made.keys_mark), number(made.epoch));
}

}  // namespace

int run_backup(const BackupRun& run) {
  forbid_dumps();
  const auto made = Backup(run).carry_out();
  if (!made) {
    const int code = report(made.error(), run.speech);
    return made.error().is("ledger_damaged") || made.error().is("store_damaged") ? kDamage : code;
  }
  show(*made, run);
  return 0;
}

}  // namespace siegel::app
