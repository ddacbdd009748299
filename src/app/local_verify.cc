#include "app/local_verify.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/local_copy.h"
#include "app/verify_words.h"
#include "proof/merkle.h"
#include "proof/tiles.h"
#include "store/file.h"

namespace siegel::app {
namespace {

constexpr int kDamage = 3;
constexpr std::size_t kNoteFileBytes = std::size_t{1} << 20;

Status complete(verify::Options& options, const VerifyRun& run, const LedgerCopy& copy) {
  if (!run.checkpoint.empty()) {
    SystemFiles files;
    auto note = files.read_file(run.checkpoint, kNoteFileBytes);
    if (!note) {
      return Error(Errc::invalid, "no_file", "The file with the checkpoint cannot be read.")
          .with("file", run.checkpoint.string());
    }
    options.checkpoints.push_back(
        {"the given checkpoint", std::string(as_chars(*note)), verify::SignedHead::Kept::elsewhere});
  }
  options.from = std::min(run.from.value_or(0), copy.head->size.get()) / kTileWidth * kTileWidth;
  return Done{};
}

// Bytes of the files that no event stands in: indexes, rows that newer ones replaced, the end of a log.
void check_rest(const LedgerCopy& copy, verify::Report& report) {
  const auto unchecked = check_files(copy.rocks);
  if (!unchecked) {
    report.findings.push_back(
        {verify::Cause::unreadable, 0, 0,
         "All events are as they were signed, but the store is damaged elsewhere: " + unchecked.error().text()});
    return;
  }
  for (const auto& range : *unchecked) report.unchecked.push_back({range.file, range.from, range.until});
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
  if (copy.lock_record) options.checkpoints.push_back({"the lock record", *copy.lock_record, Kept::elsewhere});
  const auto& head = *copy.head;
  SIEGEL_TRY(range, CompactRange::resume(head.size.get(), head.frontier));
  options.claim = verify::Claim{head.size.get(), range.root()};
  return options;
}

Result<verify::Report> verify_copy(LedgerCopy& copy, const verify::Options& options) {
  StoreSource source(*copy.store, options.from, copy.head->size.get());
  SystemClock clock;
  SIEGEL_TRY(report, verify::verify(source, options, clock));
  if (report.intact()) check_rest(copy, report);
  return report;
}

int run_verify(const VerifyRun& run) {
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
  const auto checked = verify_copy(copy, *options);
  if (shown) std::fputc('\n', stderr);
  if (!checked) return report(checked.error(), run.speech);
  std::printf("%s%s", (run.speech.json ? verify::to_json(*checked) : verify_text(*checked, run.speech)).c_str(),
              run.speech.json ? "\n" : "");
  return checked->intact() ? 0 : kDamage;
}

}  // namespace siegel::app
