#include "app/local.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "app/evidence.h"
#include "app/local_job.h"
#include "app/places.h"
#include "app/stores.h"
#include "app/workers.h"
#include "base/text.h"
#include "crypto/memory.h"
#include "crypto/random.h"
#include "ledger/signer.h"
#include "projector/projector.h"
#include "proof/checkpoint.h"
#include "store/file.h"
#include "texts/problems.h"

namespace siegel::app {
namespace {

constexpr std::chrono::seconds kTellEvery{5};
constexpr std::uint64_t kSpareLeaves = 64;  // a command seals a few events only, and what it does not use is left over

class NoWatcher final : public ledger::Tail {
 public:
  void committed(std::shared_ptr<const ledger::Group>) noexcept override {}
};

Result<std::uint64_t> parse_duration_ms(const std::string& text) {
  const auto wrong = [] { return Error(Errc::invalid, "bad_value", "--expires is a number with m, h or d: 12h."); };
  if (text.size() < 2) return wrong();
  const auto number = parse_u64(std::string_view(text).substr(0, text.size() - 1));
  if (!number || *number == 0 || *number > 36'500) return wrong();
  switch (text.back()) {
    case 'm':
      return *number * 60'000;
    case 'h':
      return *number * 3'600'000;
    case 'd':
      return *number * 86'400'000;
    default:
      return wrong();
  }
}

// Opens the ledger alone, for commands about the lock record.
struct LedgerAlone {
  SystemFiles files;
  SystemClock clock;
  std::unique_ptr<ledger::FileSigner> signer;
  std::unique_ptr<Locks> lock;
  std::unique_ptr<ledger::Ledger> ledger;
  Places places;
  LedgerId id;

  Status open(const std::filesystem::path& data) {
    SIEGEL_TRY(found, read_places(data));
    places = std::move(found);
    SIEGEL_TRY(ledger_id, read_format(places));
    id = ledger_id;
    SIEGEL_TRY(taken, take_locks(places));
    lock = std::move(taken);
    SIEGEL_TRY(loaded, load_signer(files, places));
    signer = std::move(loaded);
    SIEGEL_TRY(opened, open_ledger(places, ledger_options(places, id, signer->origin()), *signer, clock));
    ledger = std::move(opened);
    return Done{};
  }
};

struct Adopted {
  std::uint64_t size = 0;
  std::optional<std::uint64_t> remembered;  // size of the lock record, if it was one
  std::string why;                          // codes of what was in doubt
  std::uint64_t keys_given_up = 0;
};

// Nothing is changed then. Why it writes nothing all the same is no matter of the lock record.
Error not_in_doubt(const ledger::Ledger& ledger) {
  Error error(Errc::denied, "not_in_doubt", "The lock record agrees with this ledger: there is nothing to adopt.");
  for (const auto& reason : ledger.read_only())
    error = std::move(error).with("read_only", reason.code).with("values", reason.detail);
  return error;
}

// Not checked: what does not hold is in doubt, and its size is for people to read.
std::optional<std::uint64_t> remembered_size(Files& files, const Places& places) {
  const auto record = files.read_file(places.head, 64 * 1024);
  const auto note = record ? parse_note(as_chars(*record)) : Result<Note>(Error(record.error()));
  const auto checkpoint = note ? parse_checkpoint(note->text) : Result<Checkpoint>(Error(note.error()));
  return checkpoint ? std::optional(checkpoint->size) : std::nullopt;
}

// Nothing else leads to what was sealed in the lost part: who puts it back would read it, and no erasure would reach
// it.
Result<std::uint64_t> give_up_keys(const ledger::Ledger& ledger, vault::Vault& vault, const Speech& speech) {
  say(speech,
      speech.text("was dem Buch fehlt, ist aufgegeben: gesucht werden die Schlüssel, die dieses Buch nicht nennt",
                  "what the ledger lacks is given up: looking for the keys that this ledger does not name"));
  auto next = std::chrono::steady_clock::now() + kTellEvery;
  const auto progress = [&](std::uint64_t done) {
    if (std::chrono::steady_clock::now() < next) return;
    next = std::chrono::steady_clock::now() + kTellEvery;
    const auto total = std::to_string(ledger.size().get());
    say(speech, std::to_string(done) + (speech.text(" von ", " of ") + total +
                                        speech.text(" Ereignissen angesehen", " events looked at")));
  };
  SIEGEL_TRY(lost, projector::lost_leaves(ledger, vault, progress));
  if (const auto keys = lost.size(); keys > 0) {
    say(speech,
        std::to_string(keys) +
            speech.text(
                " Schlüssel werden aufgegeben, auch leere auf Vorrat: der Server vernichtet sie, wenn er läuft. "
                "Was nur in dem verlorenen Teil steht, liest dann niemand mehr, auch wenn er wiederkommt.",
                " key(s) are given up, spare ones among them: the server destroys them when it runs. What "
                "stands only in the lost part nobody can read then, even if it is put back."));
  }
  SIEGEL_CHECK(vault.give_up(lost));
  return keys_given_up(vault);
}

// Keys first: an adopted ledger that knows nothing of the erasures would bring the people back. What a crash leaves
// undone here the same command does again, as long as the lock record is not written.
Result<Adopted> adopt(const LockAdoptOptions& options) {
  LedgerAlone alone;
  SIEGEL_CHECK(alone.open(options.data));
  auto& ledger = *alone.ledger;
  const auto doubts = ledger.doubts();
  if (doubts.empty()) return not_in_doubt(ledger);
  Adopted out;
  out.size = ledger.size().get();
  out.remembered = remembered_size(alone.files, alone.places);
  for (const auto& doubt : doubts) out.why += (out.why.empty() ? "" : " ") + doubt.code;
  SystemRandom random;
  auto config = options.config;
  config.spare_leaves = kSpareLeaves;
  const auto root = open_root_store(alone.places, random);
  SIEGEL_TRY(vault, open_vault(alone.places, config, *root, ledger, alone.id, true, alone.clock, random));
  SIEGEL_CHECK(projector::keep_lost_fences(ledger, *vault));
  SIEGEL_TRY(keys, give_up_keys(ledger, *vault, options.speech));
  out.keys_given_up = keys;
  // The read models may show what is given up; they know a size only, and not whose events these were.
  SIEGEL_CHECK(give_up_views(alone.places));
  SIEGEL_CHECK(ledger.adopt_lock_record());
  SIEGEL_CHECK(vault->adopt_ledger_size(ledger.size()));
  vault->close();
  SIEGEL_CHECK(forget_loss(alone.places));
  ledger.close();
  return out;
}

Status keep_reason(const LockAdoptOptions& options, const Adopted& adopted) {
  std::vector<std::pair<std::string, std::string>> settings = {
      {"lock_record", "adopted"}, {"why", adopted.why}, {"size", std::to_string(adopted.size)}};
  if (adopted.remembered) settings.emplace_back("lock_record_size", std::to_string(*adopted.remembered));
  settings.emplace_back("keys_given_up", std::to_string(adopted.keys_given_up));
  settings.emplace_back("reason", options.reason);
  StoppedJob job(options.data, options.config);
  SIEGEL_CHECK(job.open());
  return job.configured(std::move(settings));
}

}  // namespace

int run_init(const InitOptions& options, const Speech& speech) {
  forbid_dumps();  // keys are in memory
  SystemClock clock;
  SystemRandom random;
  const auto made = init(options, clock, random);
  if (!made) return report(made.error(), speech);
  if (speech.json) {
    std::printf("{\"ledger\":\"%s\",\"origin\":\"%s\",\"verifier_key\":\"%s\",\"grade\":\"L%u\"}\n",
                to_text(made->ledger).c_str(), made->origin.c_str(), made->verifier_key.c_str(), made->grade);
  } else {
    std::printf(speech.text("Buch %s\nName %s\nPrüfschlüssel %s\nGüte des Wurzelspeichers L%u\n",
                            "ledger %s\norigin %s\nverifier key %s\nroot-store grade L%u\n"),
                to_text(made->ledger).c_str(), made->origin.c_str(), made->verifier_key.c_str(), made->grade);
  }
  say(speech,
      speech.text("den Prüfschlüssel aufheben: mit ihm kann jeder dieses Buch prüfen, ohne jemandem zu vertrauen.",
                  "keep the verifier key: with it anyone can check this ledger without trusting anybody."));
  if (options.single_disk)
    say(speech,
        speech.text(
            "--single-disk: fällt dieser Datenträger aus, sind alle personenbezogenen Daten verloren, und "
            "Sicherungen des Buchs lassen sich nicht öffnen.",
            "--single-disk: one disk failure loses all personal data, and backups of the ledger will not open."));
  const auto root = made->places.root.parent_path().string();
  say(speech, speech.text("nie sichern: ", "never back up ") + root +
                  speech.text(". Eine alte Kopie des Wurzelschlüssels machte Löschungen rückgängig.",
                              ": an old copy of the root key would undo deletions."));
  return 0;
}

int run_token_create(const LocalTokenOptions& options) {
  forbid_dumps();  // keys are in memory
  TokenGrant grant;
  const auto role = parse_role(options.role);
  if (!role)
    return report(Error(Errc::invalid, "bad_value",
                        "--role is one of admin, privacy_officer, editor, sender, auditor, consumer."),
                  options.speech);
  grant.role = *role;
  grant.label = options.label;
  grant.purposes = options.purposes;
  grant.all_purposes = options.purposes.empty();
  grant.types = options.types;
  grant.all_types = options.types.empty();
  SystemClock clock;
  SystemRandom random;
  if (!options.expires.empty()) {
    const auto ms = parse_duration_ms(options.expires);
    if (!ms) return report(ms.error(), options.speech);
    grant.expires_at = TimeMs(clock.now().get() + *ms);
  }
  if (!options.bulk_until.empty()) {
    const auto ms = parse_duration_ms(options.bulk_until);
    if (!ms)
      return report(Error(Errc::invalid, "bad_value", "--bulk-until is a number with m, h or d: 2h."), options.speech);
    grant.bulk_until = TimeMs(clock.now().get() + *ms);
  }
  Workers workers(1);
  NoWatcher watcher;
  StartWatch watch;
  if (!options.speech.quiet)
    watch.progress = [&](std::uint64_t done, std::uint64_t total) { tell_catching_up(done, total, options.speech); };
  auto config = options.config;
  config.spare_leaves = kSpareLeaves;
  auto instance = Instance::open(options.data, config, workers, clock, random, watcher, nullptr, watch);
  if (!instance) return report(instance.error(), options.speech);
  const auto service = (*instance)->service();
  if (!service) return report(read_only_error((*instance)->ledger()), options.speech);
  auto written = service->create_local_token(std::move(grant));
  if (!written) return report(written.error(), options.speech);
  if (options.speech.json) {
    std::printf("{\"token_id\":\"%s\",\"token\":\"%s\"}\n", to_text(*written->token_id).c_str(),
                written->token.c_str());
  } else {
    std::printf("%s\n", written->token.c_str());
    say(options.speech,
        options.speech.text("dieser Zugangsschlüssel wird nur einmal gezeigt; aufgehoben wird nur sein Hash.",
                            "this token is shown once; it is kept only as a hash."));
  }
  return 0;
}

int run_lock_show(const std::filesystem::path& data, const Speech& speech) {
  LedgerAlone alone;
  if (auto opened = alone.open(data); !opened) return report(opened.error(), speech);
  const auto record = alone.files.read_file(alone.places.head, 64 * 1024);
  std::string text = record ? std::string(as_chars(*record)) : std::string();
  if (speech.json) {
    std::printf("{\"size\":%llu,\"lock_record\":%s,\"read_only\":%s}\n",
                static_cast<unsigned long long>(alone.ledger->size().get()), record ? "true" : "false",
                alone.ledger->read_only().empty() ? "false" : "true");
  } else {
    std::printf(speech.text("Größe des Buchs %llu\nSperrdatei:\n%s", "ledger size %llu\nlock record:\n%s"),
                static_cast<unsigned long long>(alone.ledger->size().get()),
                record ? text.c_str() : speech.text("fehlt\n", "missing\n"));
    for (const auto& reason : alone.ledger->read_only())
      std::printf(speech.text("nur zu lesen: %s: %s\n", "read-only: %s: %s\n"), reason.code.c_str(),
                  texts::detail(reason.detail, speech.language).c_str());
  }
  alone.ledger->close();
  return 0;
}

int run_lock_adopt(const LockAdoptOptions& options) {
  const auto& speech = options.speech;
  if (!options.yes || options.reason.empty()) {
    return report(Error(Errc::denied, "not_confirmed",
                        "Adopting makes this ledger the truth, whatever the lock record says: events that it remembers "
                        "and the ledger lacks are given up for good. The keys that this ledger does not name are "
                        "destroyed, so that nobody can read those events if they come back. If you are sure: siegel "
                        "lock adopt --reason \"…\" --yes"),
                  speech);
  }
  forbid_dumps();  // keys are in memory
  const auto adopted = adopt(options);
  if (!adopted) return report(adopted.error(), speech);
  if (speech.json) {
    std::printf("{\"size\":%llu,\"keys_given_up\":%llu}\n", static_cast<unsigned long long>(adopted->size),
                static_cast<unsigned long long>(adopted->keys_given_up));
  } else {
    std::printf(speech.text("Sperrdatei angenommen bei Größe %llu\n", "lock record adopted at size %llu\n"),
                static_cast<unsigned long long>(adopted->size));
  }
  if (adopted->remembered && *adopted->remembered > adopted->size)
    say(speech, speech.text("was im verlorenen Teil widerrufen oder eingeschränkt wurde, gilt wieder: Schlüssel "
                            "(`siegel token list`), Zwecke, entfernte Datensätze; vor dem Betrieb durchsehen",
                            "what was revoked or narrowed in the lost part holds again: tokens (`siegel token list`), "
                            "purposes, removed records; look through them before work goes on"));
  if (const auto kept = keep_reason(options, *adopted); !kept) {
    std::fprintf(
        stderr,
        speech.text("siegel: ALARM die Sperrdatei ist angenommen, aber die Begründung ließ sich nicht ins Buch "
                    "schreiben: %s [%s]; selbst aufheben\n",
                    "siegel: ALARM the lock record is adopted, but the reason could not be written into the "
                    "ledger: %s [%s]; keep it yourself\n"),
        texts::told(kept.error(), speech.language).c_str(), kept.error().code());
    return 5;  // done in part
  }
  return 0;
}

}  // namespace siegel::app
