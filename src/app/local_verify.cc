#include "app/local_verify.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/local_copy.h"
#include "app/verify_words.h"
#include "proof/checkpoint.h"
#include "proof/merkle.h"
#include "proof/tiles.h"
#include "store/file.h"
#include "vault/vault.h"

namespace siegel::app {
namespace {

constexpr int kDamage = 3;
constexpr std::size_t kNoteFileBytes = std::size_t{1} << 20;

// The origin that a note gives itself, if it has nothing to do with the key: a signature in the key's name, or a note
// that cannot be read, is for the verifier to judge.
std::optional<std::string> other_origin(const std::string& text, const VerifierKey& key) {
  const auto note = parse_note(text);
  if (!note) return std::nullopt;
  const auto checkpoint = parse_checkpoint(note->text);
  const bool in_its_name = std::ranges::any_of(note->signatures, [&](const auto& s) { return s.name == key.name; });
  if (!checkpoint || in_its_name || checkpoint->origin == key.name) return std::nullopt;
  return checkpoint->origin;
}

// A key of another ledger is a slip of the hand, and no damage. Said only where every note that lies in and beside the
// copy agrees; it is never an answer that the ledger is whole, so who rewrites all notes gains nothing.
Status fits(const VerifierKey& key, const LedgerCopy& copy) {
  std::optional<std::string> origin;
  for (const auto* note : {&copy.newest_note, &copy.backup_note, &copy.lock_record}) {
    if (!*note) continue;
    auto other = other_origin(**note, key);
    if (!other) return Done{};
    origin = std::move(other);
  }
  if (!origin) return Done{};
  return Error(Errc::invalid, "key_of_other_ledger", "The key is of another ledger. Nothing was verified.")
      .with("key_of", key.name)
      .with("this_ledger", *origin);
}

// A note kept elsewhere, before anything is compared with it: a file that proves nothing says nothing about the ledger.
Result<std::string> given_note(const std::filesystem::path& path, const VerifierKey& key) {
  SystemFiles files;
  const auto bytes = files.read_file(path, kNoteFileBytes);
  const auto wrong = [&](const char* code, const char* what) {
    return Error(Errc::invalid, code, what).with("file", path.string());
  };
  if (!bytes) return wrong("no_file", "The file with the checkpoint cannot be read.");
  std::string note(as_chars(*bytes));
  if (const auto opened = open_checkpoint(note, key)) return note;
  const auto parsed = parse_note(note);
  const auto checkpoint = parsed ? parse_checkpoint(parsed->text) : Result<Checkpoint>(parsed.error());
  if (!checkpoint) return wrong("no_checkpoint", "The file is no checkpoint.");
  if (checkpoint->origin != key.name) {
    return wrong("checkpoint_of_other_ledger", "The checkpoint is of another ledger.")
        .with("checkpoint_of", checkpoint->origin)
        .with("this_ledger", key.name);
  }
  return wrong("checkpoint_not_signed", "The checkpoint is not signed by the key, so it proves nothing.");
}

Status complete(verify::Options& options, const VerifyRun& run, const LedgerCopy& copy) {
  SIEGEL_TRY(key, parse_verifier_key(options.verifier_key));
  if (!run.key.empty()) SIEGEL_CHECK(fits(key, copy));
  if (!run.checkpoint.empty()) {
    SIEGEL_TRY(note, given_note(run.checkpoint, key));
    options.checkpoints.push_back({"the given checkpoint", std::move(note), verify::SignedHead::Kept::elsewhere});
  }
  const auto size = copy.head->size.get(), from = run.from.value_or(0);
  if (from > size) {
    return Error(Errc::invalid, "bad_value", "--from is beyond the end of the ledger.")
        .with("from", from)
        .with("size", size);
  }
  options.from = from / kTileWidth * kTileWidth;
  return Done{};
}

// Bytes of the files that no event was read from: indexes, rows that newer ones replaced, the end of a log.
void check_rest(const LedgerCopy& copy, verify::Report& report) {
  const auto unchecked = check_files(copy.rocks);
  if (!unchecked) {
    report.findings.insert(
        report.findings.begin(),
        {verify::Cause::unreadable, 0, 0,
         "All events are as they were signed, but the store is damaged elsewhere: " + unchecked.error().text()});
    return;
  }
  for (const auto& range : *unchecked) report.unchecked.push_back({range.file, range.from, range.until});
}

// What `siegel export-log` writes; a data directory has none of these.
bool is_export(const std::filesystem::path& data) {
  std::error_code ignored;
  return std::filesystem::exists(data / "checkpoint", ignored) && std::filesystem::exists(data / "tile", ignored) &&
         !std::filesystem::exists(data / "FORMAT", ignored);
}

// Whole as far as it goes.
bool is_at_most_older(const verify::Report& report) {
  return std::ranges::all_of(report.findings, [](const auto& f) { return f.cause == verify::Cause::roll_back; });
}

// A log that is damaged, by the rule of evidence.h: whole records stand behind the bad place, or a head that is known
// is not reached. It comes first: what else is wrong comes of it.
void judge_logs(const LedgerCopy& copy, verify::Report& report) {
  if (copy.broken_logs.empty()) return;
  const auto* log = copy.damaged_log();
  auto until = report.size;
  for (const auto& finding : report.findings)
    if (finding.cause == verify::Cause::missing) until = std::max(until, finding.until);
  if (log == nullptr && until == report.size) return;  // the end that a crash left
  if (log == nullptr) log = &copy.broken_logs.front();
  report.findings.insert(
      report.findings.begin(),
      {verify::Cause::missing, report.size, until,
       "A log of the ledger is damaged from this byte on; what was written behind it is not read. (" + log->file + ":" +
           std::to_string(log->from) + ")"});
}

// A copy that came back with its lock record agrees with it; the keys, where they lie beside it, know better.
void compare_with_keys(const LedgerCopy& copy, verify::Report& report) {
  const auto size = copy.head->size, known = copy.known_to_keys.value_or(size);
  if (!report.intact() || size >= known) return;
  const bool is_older = copy.broken_logs.empty();
  report.findings.push_back({is_older ? verify::Cause::roll_back : verify::Cause::missing, size.get(), known.get(),
                             std::string(is_older ? "Roll-back to an older state" : "Truncated") +
                                 ": the keys store has seen size " + std::to_string(known.get()) +
                                 ", the events end at " + std::to_string(size.get()) + "."});
}

// Keys and their replicas, where they lie beside the ledger: what has rotted there is missed only when it is needed.
// A backup has none: its PLACES names those of the living system.
void check_keys(const LedgerCopy& copy, verify::Report& report) {
  if (copy.backup_note) return;
  const auto& places = copy.places;
  std::vector<std::filesystem::path> all = {places.keys()};
  all.insert(all.end(), places.key_replicas.begin(), places.key_replicas.end());
  for (const auto& dir : all) {
    const auto checked = vault::Vault::check_files(dir);
    if (checked || checked.error().category() != Errc::corrupt) continue;  // one that is away is told elsewhere
    const auto* file = checked.error().find("file");
    report.findings.push_back(
        {verify::Cause::unreadable, 0, 0,
         "A keys store or a replica of it is damaged. (" + dir.string() + (file == nullptr ? "" : "/" + *file) + ")"});
  }
}

// "DAMAGED" is true of a data directory in use, and would alarm without cause whoever checks an older backup.
void explain_older_copy(const verify::Report& report, const Speech& speech) {
  if (speech.quiet || report.intact() || !is_at_most_older(report)) return;
  std::fputs(
      speech.text("siegel: nichts darin ist verändert: alle Ereignisse hier sind, wie sie signiert wurden, es gibt nur "
                  "neuere. Von einer Sicherung ist nichts anderes zu erwarten; ein Datenverzeichnis im Betrieb hat sie "
                  "verloren.\n",
                  "siegel: nothing in it was altered: all events here are as they were signed, there are only newer "
                  "ones. A backup is not expected to say anything else; a data directory in use has lost them.\n"),
      stderr);
}

int failed(const Error& error, const Speech& speech) {
  const int code = report(error, speech);
  return code == 1 && error.category() == Errc::corrupt ? kDamage : code;
}

}  // namespace

Result<verify::Options> verify_options(const LedgerCopy& copy, const std::string& key) {
  verify::Options options;
  options.verifier_key = key;
  if (key.empty()) {
    SIEGEL_TRY(own, copy.own_key());
    options.verifier_key = std::move(own);
  }
  using Kept = verify::SignedHead::Kept;
  if (copy.newest_note) options.checkpoints.push_back({"the store's checkpoint", *copy.newest_note, Kept::with_copy});
  // A backup says itself how far it went: one that is shorter has lost events.
  if (copy.backup_note)
    options.checkpoints.push_back({"the backup's own checkpoint", *copy.backup_note, Kept::with_copy});
  if (copy.lock_record) options.checkpoints.push_back({"the lock record", *copy.lock_record, Kept::elsewhere});
  const auto& head = *copy.head;
  SIEGEL_TRY(range, CompactRange::resume(head.size.get(), head.frontier));
  options.claim = verify::Claim{head.size.get(), range.root()};
  options.cut_off = !copy.broken_logs.empty();
  return options;
}

Result<verify::Report> verify_copy(LedgerCopy& copy, const verify::Options& options) {
  StoreSource source(*copy.store, options.from, copy.head->size.get());
  SystemClock clock;
  SIEGEL_TRY(report, verify::verify(source, options, clock));
  report.lock_record = copy.lock_record_state;
  compare_with_keys(copy, report);
  judge_logs(copy, report);
  if (is_at_most_older(report)) {
    check_rest(copy, report);
  } else {
    for (const auto& range : copy.broken_logs) report.unchecked.push_back({range.file, range.from, range.until});
  }
  return report;
}

void tell_keys_not_asked(const LedgerCopy& copy, const Speech& speech) {
  if (!copy.keys_not_asked) return;
  const auto& why = *copy.keys_not_asked;
  say(speech, std::string(why.is("other_ledger")
                              ? speech.text("nicht verglichen mit dem, was der Schlüsselspeicher vom Buch weiß: er "
                                            "gehört zu einem anderen Buch. Code: ",
                                            "not compared with what the keys store knows of the ledger: it is that of "
                                            "another ledger. Code: ")
                              : speech.text("nicht verglichen mit dem, was der Schlüsselspeicher vom Buch weiß: er "
                                            "ließ sich nicht lesen. Bei laufendem Server noch einmal versuchen. Code: ",
                                            "not compared with what the keys store knows of the ledger: it could not "
                                            "be read. Beside a running server try again. Code: ")) +
                  why.code());
}

int run_verify(const VerifyRun& run) {
  if (is_export(run.data))
    return report(Error(Errc::invalid, "export_not_data",
                        "This is an export of the log and no data directory: ledgercheck checks it, docs/operations.md "
                        "says how.")
                      .with("directory", run.data.string()),
                  run.speech);
  LedgerCopy copy;
  if (auto opened = copy.open(run.data); !opened) return failed(opened.error(), run.speech);
  auto options = verify_options(copy, run.key);
  if (!options) return failed(options.error(), run.speech);
  if (auto whole = complete(*options, run, copy); !whole) return report(whole.error(), run.speech);
  if (run.key.empty() && !run.speech.quiet) {
    std::fprintf(stderr,
                 run.speech.text(
                     "siegel: ohne --key: geprüft mit dem eigenen Schlüssel des Buchs, den der Betreiber hat. Wer es "
                     "prüft, bringt den Schlüssel von anderswo mit:\n  %s\n",
                     "siegel: no --key: checked against the ledger's own key, which its operator holds. An auditor "
                     "brings the key from elsewhere:\n  %s\n"),
                 options->verifier_key.c_str());
  }
  const auto size = copy.head->size.get();
  const bool shown = !run.speech.quiet && ::isatty(STDERR_FILENO) == 1;
  if (shown) {
    options->progress = [&, from = options->from](std::uint64_t events) {
      std::fprintf(stderr, run.speech.text("\rsiegel: %llu von %llu Ereignissen", "\rsiegel: %llu of %llu events"),
                   static_cast<unsigned long long>(from + events), static_cast<unsigned long long>(size));
    };
  }
  auto checked = verify_copy(copy, *options);
  if (shown) std::fputc('\n', stderr);
  if (!checked) return report(checked.error(), run.speech);
  check_keys(copy, *checked);
  tell_keys_not_asked(copy, run.speech);
  std::printf("%s%s", (run.speech.json ? verify::to_json(*checked) : verify_text(*checked, run.speech)).c_str(),
              run.speech.json ? "\n" : "");
  std::fflush(stdout);
  explain_older_copy(*checked, run.speech);
  return checked->intact() ? 0 : kDamage;
}

}  // namespace siegel::app
