// The commands of the hooks: words in, hook called. A command whose hook is not there is not shown.
#include <memory>

#include "ctl/session.h"

namespace siegel::ctl {
namespace {

// Adds the command if there is a hook, with options of type O that the command's flags fill.
template <class O>
std::shared_ptr<O> add_hook(CLI::App& app, Session& session, const char* name, const char* help, const char* examples,
                            const std::function<int(const O&)>& hook, CLI::App*& command) {
  auto options = std::make_shared<O>();
  command = nullptr;
  if (!hook) return options;
  command = add_command(app, session, name, help, examples, [&session, options, &hook] {
    options->global = session.global;
    return hook(*options);
  });
  return options;
}

void add_init(CLI::App& app, Session& session) {
  CLI::App* command = nullptr;
  auto words =
      add_hook<InitOptions>(app, session, "init", session.text("Neues Datenverzeichnis", "New data directory"),
                            "  siegel --data /srv/siegel init --key-replica /srv/b/keys --root-mirror /srv/c/root\n"
                            "  siegel init --single-disk",
                            session.local.init, command);
  if (command == nullptr) return;
  command->add_option("--origin", words->origin, session.text("Name des Protokolls", "Name of the log"));
  command
      ->add_option_function<std::string>(
          "--root-store", [](const std::string&) {}, session.text("Art des Wurzelspeichers", "Kind of root store"))
      ->check(CLI::IsMember({"file"}));
  command->add_option("--lock", words->lock, session.text("Ort der Sperrdatei", "Place of the lock record"));
  auto* replicas = command->add_option("--key-replica", words->key_replicas,
                                       session.text("Zweitort der Schlüssel", "Second place of the keys"));
  auto* mirrors = command->add_option("--root-mirror", words->root_mirrors,
                                      session.text("Zweitort der Wurzel", "Second place of the root"));
  replicas->allow_extra_args(false)->take_all();
  mirrors->allow_extra_args(false)->take_all();
  command
      ->add_flag("--single-disk", words->single_disk,
                 session.text("alles auf einer Platte: nur zum Erproben", "all on one disk: for a trial only"))
      ->excludes(replicas)
      ->excludes(mirrors);
}

void add_serve(CLI::App& app, Session& session) {
  CLI::App* command = nullptr;
  auto words = add_hook<ServeOptions>(app, session, "serve", session.text("Server starten", "Run the server"),
                                      "  siegel serve --listen 127.0.0.1:8480\n"
                                      "  siegel serve --listen 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem",
                                      session.local.serve, command);
  if (command == nullptr) return;
  command->add_option("--listen", words->listen,
                      session.text("ADRESSE:PORT; ohne: aus der Konfiguration, sonst 127.0.0.1:8480",
                                   "ADDRESS:PORT; without: the configuration's, else 127.0.0.1:8480"));
  command->add_option("--tls-cert", words->tls_cert, session.text("Zertifikat (PEM)", "Certificate (PEM)"));
  command->add_option("--tls-key", words->tls_key, session.text("Schlüssel dazu (PEM)", "Its key (PEM)"));
}

void add_log(CLI::App& app, Session& session) {
  CLI::App* command = nullptr;
  auto verify = add_hook<VerifyOptions>(
      app, session, "verify", session.text("Protokoll prüfen; 3 bei Schaden", "Verify the log; 3 if damaged"),
      session.text("  siegel verify                          # auch neben einem laufenden Server\n"
                   "  siegel verify --key 'siegel.local/5f0c2a91d47be803+1a2b3c4d+AY…' --checkpoint vom-mai\n"
                   "  siegel --json verify --from 4000000    # die davor zählen mit ihren gespeicherten Hashwerten",
                   "  siegel verify                          # beside a running server too\n"
                   "  siegel verify --key 'siegel.local/5f0c2a91d47be803+1a2b3c4d+AY…' --checkpoint noted-in-may\n"
                   "  siegel --json verify --from 4000000    # those before count by their stored hashes"),
      session.local.verify, command);
  if (command != nullptr) {
    command->add_option("--key", verify->key,
                        session.text("Prüfschlüssel; ohne: der eigene", "Verifier key; without: the ledger's own"));
    command->add_option("--checkpoint", verify->checkpoint,
                        session.text("bekannter Stand (Datei)", "Known checkpoint (file)"));
    command->add_option("--from", verify->from, session.text("ab diesem Ereignis", "From this event"));
  }
  auto log = add_hook<ExportLogOptions>(
      app, session, "export-log", session.text("Protokoll zum Prüfen ausgeben", "Write the log for checking"),
      session.text("  siegel export-log /srv/audit/2026-11   # neu oder leer; auch neben einem laufenden Server",
                   "  siegel export-log /srv/audit/2026-11   # a new or empty directory; beside a running server too"),
      session.local.export_log, command);
  if (command != nullptr)
    command->add_option("DIR", log->dir, session.text("neues Verzeichnis", "New directory"))->required();
  auto rebuild = add_hook<RebuildOptions>(
      app, session, "rebuild",
      session.text("Ansichten neu berechnen; 3 bei Abweichung", "Compute the views anew; 3 if they differ"),
      session.text("  siegel rebuild                         # bei ruhendem Server\n"
                   "  siegel rebuild --projection records    # nur diese vergleichen und zeigen",
                   "  siegel rebuild                         # with the server stopped\n"
                   "  siegel rebuild --projection records    # compare and show only this one"),
      session.local.rebuild, command);
  if (command != nullptr)
    command->add_option("--projection", rebuild->projection, session.text("nur diese", "only this one"));
}

void add_lock(CLI::App& app, Session& session) {
  if (!session.local.lock_show && !session.local.lock_adopt) return;
  auto* group = add_group(app, "lock", session.text("Sperrdatei gegen alte Stände", "Lock record against old states"));
  CLI::App* command = nullptr;
  add_hook<LockOptions>(*group, session, "show", session.text("Zeigen", "Show"), "  siegel lock show",
                        session.local.lock_show, command);
  auto words = add_hook<LockOptions>(
      *group, session, "adopt", session.text("Den Stand dieser Platte annehmen", "Adopt the state of this disk"),
      session.text(
          "  siegel lock adopt --reason 'Sicherung zurückgespielt' --yes\n\n"
          "Ereignisse, die die Sperrdatei kennt und die dem Buch fehlen, sind damit endgültig aufgegeben: die\n"
          "Schlüssel, die dieses Buch nicht nennt, werden vernichtet, sobald der Server läuft. Soll der fehlende\n"
          "Teil zurück, dann vorher. Wo die Sperrdatei stimmt, ändert es nichts (Ausgang 4).",
          "  siegel lock adopt --reason 'restored from backup' --yes\n\n"
          "Events that the lock record remembers and the ledger lacks are given up for good: the keys that this\n"
          "ledger does not name are destroyed as soon as the server runs. If the missing part is to come back,\n"
          "bring it back first. Where the lock record is right nothing is changed (exit 4)."),
      session.local.lock_adopt, command);
  if (command == nullptr) return;
  command->add_option("--reason", words->reason, session.text("Begründung fürs Protokoll", "Reason, kept in the log"))
      ->required();
  command->add_flag("--yes", words->yes, session.text("bestätigen", "confirm"));
}

}  // namespace

void add_local(CLI::App& app, Session& session) {
  add_init(app, session);
  add_serve(app, session);
  add_log(app, session);
  add_lock(app, session);
  CLI::App* command = nullptr;
  auto bench = add_hook<BenchOptions>(app, session, "bench", session.text("Leistung messen", "Measure performance"),
                                      "  siegel --json bench --quick", session.local.bench, command);
  if (command != nullptr) {
    command->add_option("--only", bench->only, session.text("nur diese Messung", "only this one"));
    command->add_flag("--quick", bench->quick, session.text("kürzer und ungenauer", "shorter and less exact"));
  }
  auto backup = add_hook<BackupOptions>(
      app, session, "backup",
      session.text("Sicherung schreiben und zur Probe öffnen", "Write a backup, and open it for a trial"),
      session.text("  siegel backup /srv/backup/2026-11-23   # bei ruhendem Server; enthält nie Schlüssel",
                   "  siegel backup /srv/backup/2026-11-23   # with the server stopped; never holds keys"),
      session.local.backup, command);
  if (command != nullptr)
    command->add_option("DIR", backup->dir, session.text("neues Verzeichnis", "New directory"))->required();
}

}  // namespace siegel::ctl
