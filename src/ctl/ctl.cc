#include "ctl/ctl.h"

#include <curl/curl.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "ctl/session.h"
#include "sheet/cells.h"

namespace siegel::ctl {
namespace {

constexpr const char* kServer = "http://127.0.0.1:8480";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Looked for before parsing, because the help is in that language too.
std::string language_of(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("--lang=")) return std::string(word.substr(7));
    if (word == "--lang" && i + 1 < argc) return argv[i + 1];
  }
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"})
    if (const auto value = environment(name); !value.empty()) return value.starts_with("de") ? "de" : "en";
  return "en";
}

void add_global_flags(CLI::App& app, Session& session) {
  auto& global = session.global;
  app.add_option("--data", global.data, session.text("Datenverzeichnis", "Data directory"));
  app.add_option("--config", global.config, session.text("Konfiguration (TOML)", "Configuration (TOML)"));
  app.add_option("--server", global.server,
                 session.text("Adresse des Servers, auch SIEGEL_SERVER", "Address of the server, also SIEGEL_SERVER"));
  app.add_option("--token", global.token,
                 session.text("Schlüssel oder @DATEI, auch SIEGEL_TOKEN", "Token or @FILE, also SIEGEL_TOKEN"));
  app.add_option("--purpose", global.purpose, session.text("Zweck des Zugriffs", "Purpose of the access"));
  app.add_flag("--json", global.json, session.text("Ergebnisse und Fehler als JSON", "Results and problems as JSON"));
  app.add_flag("--quiet", global.quiet, session.text("keine Meldungen", "no messages"));
  app.add_option("--lang", global.lang, session.text("Sprache der Meldungen", "Language of messages"))
      ->check(CLI::IsMember({"de", "en"}));
  app.set_version_flag("--version", "siegel " + session.local.version);
}

// --token @FILE and the environment.
Status complete(Global& global) {
  if (global.server.empty()) global.server = environment("SIEGEL_SERVER");
  if (global.server.empty()) global.server = kServer;
  if (global.token.empty()) global.token = environment("SIEGEL_TOKEN");
  if (!global.token.starts_with('@')) return Done{};
  SIEGEL_TRY(content, read_input(global.token.substr(1)));
  const auto end = content.find_first_of("\r\n");
  global.token = sheet::trimmed(std::string_view(content).substr(0, end));
  if (global.token.empty()) return Error(Errc::invalid, "no_token", "The token's file is empty.");
  return Done{};
}

}  // namespace

int run(int argc, char** argv, const LocalCommands& local) {
  Session session(local);
  session.global.lang = language_of(argc, argv);
  CLI::App app(session.text("Siegel: Register personenbezogener Daten mit prüfbarem Protokoll",
                            "Siegel: a register of personal data with a log that can be verified"),
               "siegel");
  app.fallthrough();
  app.require_subcommand(1);
  add_global_flags(app, session);
  add_local(app, session);
  add_status(app, session);
  add_tokens(app, session);
  add_registries(app, session);
  add_records(app, session);
  add_import(app, session);
  add_erasures(app, session);
  add_exports(app, session);
  add_proofs(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    return session.out.usage(std::string(e.what()) +
                             session.text(" (siegel --help hilft)", " (siegel --help tells more)"));
  }
  if (const auto ready = complete(session.global); !ready) return session.out.fail(ready.error());
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const int code = session.action ? session.action() : exit_usage + 0;
  curl_global_cleanup();
  std::cout.flush();
  if (!std::cout) return session.out.fail(Error(Errc::unavailable, "no_output", "The result cannot be written."));
  return code;
}

}  // namespace siegel::ctl
