#include "ctl/ctl.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <string_view>

#include "ctl/arguments.h"
#include "ctl/session.h"
#include "sheet/cells.h"

namespace siegel::ctl {
namespace {

constexpr const char* kServer = "http://127.0.0.1:8480";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What --NAME says, looked for before parsing: help and complaints are in that language too.
std::string early_flag(int argc, char** argv, const std::string& name) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with(name + "=")) return std::string(word.substr(name.size() + 1));
    if (word == name && i + 1 < argc) return argv[i + 1];
  }
  return {};
}

std::string language_of(int argc, char** argv, const std::string& configured) {
  if (auto said = early_flag(argc, argv, "--lang"); !said.empty()) return said;
  if (!configured.empty()) return configured;
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
  app.add_option("--cacert", global.cacert,
                 session.text("Zertifikate (PEM), denen beim Server vertraut wird, auch SIEGEL_CACERT",
                              "Certificates (PEM) that the server is trusted by, also SIEGEL_CACERT"));
  app.add_option("--purpose", global.purpose, session.text("Zweck des Zugriffs", "Purpose of the access"));
  app.add_flag("--json", global.json, session.text("Ergebnisse und Fehler als JSON", "Results and problems as JSON"));
  app.add_flag("--quiet", global.quiet, session.text("keine Meldungen", "no messages"));
  app.add_option("--lang", global.lang, session.text("Sprache der Meldungen", "Language of messages"))
      ->check(CLI::IsMember({"de", "en"}));
  app.set_version_flag("--version", "siegel " + session.local.version);
}

// What a word of the command line may be repeated for: a flag, or the name of a command. A value that stands where none
// is expected may be about a person, and stderr is kept.
std::string not_understood(const CLI::App& app, const Session& session) {
  const auto words = app.remaining(true);
  const auto is_plain = [](std::string_view text) {
    return !text.empty() && text.size() <= 32 &&
           std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
  };
  std::string out = session.text("Nicht verstanden: ", "Not understood: ");
  for (const auto& word : words) {
    const std::string name = word.substr(0, word.find('='));
    const bool is_flag = name.starts_with('-') && name.size() > 1;
    const bool is_command = app.get_subcommands().empty() && &word == &words.front();
    if (is_plain(name) && (is_flag || is_command)) return out + name;
  }
  return out + session.text("ein Wort zu viel; Werte mit Leerzeichen stehen in Anführungszeichen",
                            "a word too many; values with spaces stand in quotes");
}

// --token @FILE and the environment.
Status complete(Global& global) {
  if (global.server.empty()) global.server = environment("SIEGEL_SERVER");
  if (global.server.empty()) global.server = kServer;
  if (global.token.empty()) global.token = environment("SIEGEL_TOKEN");
  if (global.cacert.empty()) global.cacert = environment("SIEGEL_CACERT");
  if (!global.token.starts_with('@')) return Done{};
  SIEGEL_TRY(content, read_input(global.token.substr(1)));
  const auto end = content.find_first_of("\r\n");
  global.token = sheet::trimmed(std::string_view(content).substr(0, end));
  if (global.token.empty()) return Error(Errc::invalid, "no_token", "The token's file is empty.");
  return Done{};
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
    if (!session.later.empty()) return session.not_yet();
    const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr ||
                          (app.get_subcommands().empty() && !app.remaining().empty());
    return session.out.usage((is_extra ? not_understood(app, session) : std::string(e.what())) +
                             session.text(" (siegel --help hilft)", " (siegel --help tells more)"));
  }
  if (const auto option = option_not_utf8(app))
    return session.out.usage(*option + session.text(" ist kein UTF-8; das Terminal muss auf UTF-8 stehen.",
                                                    " is not UTF-8; the terminal must be set to UTF-8."));
  if (const auto ready = complete(session.global); !ready) return session.out.fail(ready.error());
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
