#include "ctl/ctl.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <string_view>

#include "ctl/arguments.h"
#include "ctl/help.h"
#include "ctl/session.h"
#include "ctl/wrong_words.h"
#include "sheet/cells.h"

namespace siegel::ctl {
namespace {

constexpr const char* kServer = "http://127.0.0.1:8480";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What --NAME says, looked for before parsing: help and complaints are in that language too. The last one counts.
std::string early_flag(int argc, char** argv, const std::string& name) {
  std::string out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with(name + "=")) out = word.substr(name.size() + 1);
    if (word == name && i + 1 < argc) out = argv[i + 1];
  }
  return out;
}

std::string language_of(int argc, char** argv, const std::string& configured) {
  if (auto said = early_flag(argc, argv, "--lang"); !said.empty()) return said;
  if (!configured.empty()) return configured;
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"})
    if (const auto value = environment(name); !value.empty()) return value.starts_with("de") ? "de" : "en";
  return "en";
}

// An alias may have said a flag already: the last one counts.
void add_global_flags(CLI::App& app, Session& session) {
  auto& global = session.global;
  const auto add = [&](const char* flag, std::string& value, const char* help) {
    return app.add_option(flag, value, help)->take_last()->default_str("");  // the text tells where else it comes from
  };
  add("--data", global.data,
      session.text("Datenverzeichnis; ohne: aus der Konfiguration, sonst ./siegel-data",
                   "Data directory; without: the configuration's, else ./siegel-data"));
  add("--config", global.config,
      session.text("Konfiguration (TOML); ohne: keine", "Configuration (TOML); without: none"));
  add("--server", global.server,
      session.text("Adresse des Servers; ohne: SIEGEL_SERVER, sonst http://127.0.0.1:8480",
                   "Address of the server; without: SIEGEL_SERVER, else http://127.0.0.1:8480"));
  add("--token", global.token,
      session.text("Zugangsschlüssel oder @DATEI; ohne: SIEGEL_TOKEN", "Token or @FILE; without: SIEGEL_TOKEN"));
  add("--cacert", global.cacert,
      session.text("Zertifikate (PEM), denen beim Server vertraut wird; ohne: SIEGEL_CACERT, sonst die des Systems",
                   "Certificates (PEM) that the server is trusted by; without: SIEGEL_CACERT, else the system's"));
  add("--purpose", global.purpose,
      session.text("Zweck des Zugriffs; ohne: aus der Konfiguration, sonst der des Schlüssels oder des Datensatztyps",
                   "Purpose of the access; without: the configuration's, else the token's or the record type's"));
  app.add_flag("--json", global.json, session.text("Ergebnisse und Fehler als JSON", "Results and problems as JSON"));
  app.add_flag("--quiet", global.quiet, session.text("keine Meldungen", "no messages"));
  add("--lang", global.lang,
      session.text("Sprache der Meldungen; ohne: aus der Konfiguration, sonst LC_ALL, LC_MESSAGES, LANG",
                   "Language of messages; without: the configuration's, else LC_ALL, LC_MESSAGES, LANG"))
      ->check(CLI::IsMember({"de", "en"}));
  app.set_version_flag("--version", "siegel " + session.local.version,
                       session.text("Version zeigen und enden", "Show the version and end"));
}

// Our words for what CLI11 says, before any command is added: they inherit it.
void set_words(CLI::App& app, const Session& session) {
  app.formatter(std::make_shared<Help>(session.out));
  app.set_help_flag("-h,--help", session.text("Diese Hilfe zeigen und enden", "Show this help and end"));
  app.option_defaults()->always_capture_default();
}

// --token @FILE and the environment. A file that gives no token is told of by whoever needs one: local commands do not.
void complete(Global& global) {
  if (global.server.empty()) global.server = environment("SIEGEL_SERVER");
  if (global.server.empty()) global.server = kServer;
  if (global.token.empty()) global.token = environment("SIEGEL_TOKEN");
  if (global.cacert.empty()) global.cacert = environment("SIEGEL_CACERT");
  if (!global.token.starts_with('@')) return;
  const auto content = read_input(global.token.substr(1));
  if (!content) return;
  const auto token = sheet::trimmed(std::string_view(*content).substr(0, content->find_first_of("\r\n")));
  if (!token.empty()) global.token = token;
}

int run_command(int argc, char** argv, const LocalCommands& local, Session& session) {
  ClientDefaults defaults;
  session.global.config = early_flag(argc, argv, "--config");
  session.global.lang = language_of(argc, argv, "");
  session.global.json = std::find(argv + 1, argv + argc, std::string_view("--json")) != argv + argc;
  if (local.client_defaults) {
    if (const int code = local.client_defaults(session.global, defaults); code != exit_done) return code;
  }
  session.global.lang = language_of(argc, argv, defaults.language);
  session.global.purpose = defaults.purpose;
  CLI::App app(session.text("Siegel: Register personenbezogener Daten mit prüfbarem Protokoll",
                            "Siegel: a register of personal data with a log that can be verified"),
               "siegel");
  set_words(app, session);
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
  add_later_commands(app, session);
  // Last: a footer is inherited, and each command has its own.
  app.footer(session.text("Beispiele:\n", "Examples:\n") + std::string("  siegel status\n") +
             "  siegel import contacts.csv --type contacts\n  siegel verify\n" +
             session.text("`siegel BEFEHL --help` sagt mehr zu einem Befehl.",
                          "`siegel COMMAND --help` tells more about a command."));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (names_later_command(app, session)) return session.not_yet();
    if (e.get_exit_code() == 0 && !has_unknown_words(app)) return app.exit(e);  // --help, --version
    if (e.get_exit_code() != 0 && !session.later.empty()) return session.not_yet();
    return session.out.usage(wrong_words(app, session, e));
  }
  if (names_later_command(app, session)) return session.not_yet();
  if (const auto option = option_not_utf8(app))
    return session.out.usage(*option + session.text(" ist kein UTF-8; das Terminal muss auf UTF-8 stehen.",
                                                    " is not UTF-8; the terminal must be set to UTF-8."));
  if (const auto option = option_without_value(app))
    return session.out.usage(*option +
                             session.text(" braucht einen Wert: er ist leer.", " needs a value: it is empty."));
  complete(session.global);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const int code = !session.later.empty() ? session.not_yet() : session.action ? session.action() : exit_usage + 0;
  curl_global_cleanup();
  std::cout.flush();
  if (!std::cout) return session.out.fail(Error(Errc::unavailable, "no_output", "The result cannot be written."));
  return code;
}

}  // namespace

int run(int argc, char** argv, const LocalCommands& local) {
  Session session(local);
  // What an exception says may hold a value, so only its kind is told.
  try {
    return run_command(argc, argv, local, session);
  } catch (const std::bad_alloc&) {
    return session.out.fail(Error(Errc::unavailable, "no_memory", "There is not enough memory."));
  } catch (const std::exception&) {
    return session.out.fail(Error(Errc::unavailable, "internal", "Something failed that should not."));
  }
}

}  // namespace siegel::ctl
