#include "app/local_verify.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/local_copy.h"
#include "app/serve.h"
#include "proof/merkle.h"
#include "proof/tiles.h"
#include "store/file.h"

namespace siegel::app {
namespace {

constexpr int kDamage = 3;
constexpr std::size_t kNoteFileBytes = std::size_t{1} << 20;

Result<verify::Options> options_of(const VerifyRun& run, const LedgerCopy& copy) {
  verify::Options options;
  options.verifier_key = run.key;
  if (run.key.empty()) {
    SIEGEL_TRY(own, copy.own_key());
    options.verifier_key = std::move(own);
  }
  using Kept = verify::SignedHead::Kept;
  if (copy.newest_note) options.checkpoints.push_back({"the store's checkpoint", *copy.newest_note, Kept::with_copy});
  if (copy.lock_record) options.checkpoints.push_back({"the lock record", *copy.lock_record, Kept::elsewhere});
  if (!run.checkpoint.empty()) {
    SystemFiles files;
    SIEGEL_TRY(note, files.read_file(run.checkpoint, kNoteFileBytes));
    options.checkpoints.push_back({"the given checkpoint", std::string(as_chars(note)), Kept::elsewhere});
  }
  const auto& head = *copy.head;
  SIEGEL_TRY(range, CompactRange::resume(head.size.get(), head.frontier));
  options.claim = verify::Claim{head.size.get(), range.root()};
  options.from = std::min(run.from.value_or(0), head.size.get()) / kTileWidth * kTileWidth;
  return options;
}

int failed(const Error& error) {
  const int code = report(error);
  return code == 1 && error.category() == Errc::corrupt ? kDamage : code;
}

}  // namespace

int run_verify(const VerifyRun& run) {
  LedgerCopy copy;
  if (auto opened = copy.open(run.data); !opened) return failed(opened.error());
  auto options = options_of(run, copy);
  if (!options) return failed(options.error());
  if (run.key.empty() && !run.quiet) {
    std::fprintf(
        stderr,
        "siegel: no --key: checked against the ledger's own key, which its operator holds. An auditor brings the "
        "key from elsewhere:\n  %s\n",
        options->verifier_key.c_str());
  }
  const auto size = copy.head->size.get();
  const bool shown = !run.quiet && ::isatty(STDERR_FILENO) == 1;
  if (shown) {
    options->progress = [&, from = options->from](std::uint64_t events) {
      std::fprintf(stderr, "\rsiegel: %llu of %llu events", static_cast<unsigned long long>(from + events),
                   static_cast<unsigned long long>(size));
    };
  }
  StoreSource source(*copy.store, options->from, size);
  SystemClock clock;
  const auto checked = verify::verify(source, *options, clock);
  if (shown) std::fputc('\n', stderr);
  if (!checked) return report(checked.error());
  std::printf("%s%s", (run.json ? verify::to_json(*checked) : verify::to_text(*checked)).c_str(), run.json ? "\n" : "");
  return checked->intact() ? 0 : kDamage;
}

}  // namespace siegel::app
