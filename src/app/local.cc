#include "app/local.h"

#include <cstdio>

#include "app/evidence.h"
#include "app/local_job.h"
#include "app/places.h"
#include "app/stores.h"
#include "app/workers.h"
#include "base/text.h"
#include "crypto/memory.h"
#include "crypto/random.h"
#include "ledger/signer.h"
#include "store/file.h"
#include "texts/problems.h"

namespace siegel::app {
namespace {

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

  Status open(const std::filesystem::path& data) {
    SIEGEL_TRY(found, read_places(data));
    places = std::move(found);
    SIEGEL_TRY(id, read_format(places));
    SIEGEL_TRY(taken, take_locks(places));
    lock = std::move(taken);
    SIEGEL_TRY(loaded, load_signer(files, places));
    signer = std::move(loaded);
    SIEGEL_TRY(opened, open_ledger(places, ledger_options(places, id, signer->origin()), *signer, clock));
    ledger = std::move(opened);
    return Done{};
  }
};

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
  Workers workers(1);
  NoWatcher watcher;
  StartWatch watch;
  if (!options.speech.quiet)
    watch.progress = [&](std::uint64_t done, std::uint64_t total) { tell_catching_up(done, total, options.speech); };
  auto instance = Instance::open(options.data, options.config, workers, clock, random, watcher, nullptr, watch);
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

int run_lock_adopt(const std::filesystem::path& data, const std::string& reason, bool yes, const Speech& speech) {
  if (!yes || reason.empty()) {
    return report(Error(Errc::denied, "not_confirmed",
                        "Adopting makes this ledger the truth, whatever the lock record says: events that it remembers "
                        "and the ledger lacks are given up. If you are sure: siegel lock adopt --reason \"…\" --yes"),
                  speech);
  }
  LedgerAlone alone;
  if (auto opened = alone.open(data); !opened) return report(opened.error(), speech);
  if (auto adopted = alone.ledger->adopt_lock_record(); !adopted) return report(adopted.error(), speech);
  if (auto forgot = forget_loss(alone.places); !forgot) return report(forgot.error(), speech);
  alone.ledger->close();
  std::printf(speech.json ? "{\"size\":%llu}\n"
                          : speech.text("Sperrdatei angenommen bei Größe %llu\n", "lock record adopted at size %llu\n"),
              static_cast<unsigned long long>(alone.ledger->size().get()));
  return 0;
}

}  // namespace siegel::app
