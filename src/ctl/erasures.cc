// erase: what a person's keys opened can be read by nobody afterwards.
#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "ctl/output_file.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::string subject, classes, ground, certificate;
  bool now = false, yes = false, force = false;
};

struct CertificateWords {
  std::string id, format, file;
  bool force = false;
};

// Asked on a terminal only; a script says --yes.
bool is_confirmed(const Session& session, const Words& words) {
  if (words.yes) return true;
  if (isatty(STDIN_FILENO) == 0) return false;
  std::cerr << session.text("Das Löschen lässt sich nicht rückgängig machen. Fortfahren? [ja/nein] ",
                            "Erasing cannot be undone. Go on? [yes/no] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "ja" || answer == "yes" || answer == "j" || answer == "y";
}

int fetch_certificate(const Session& session, const Words& words, OutputFile& file, const std::string& erasure) {
  Request request{"GET", "/v1/erasures/" + segment(erasure) + "/certificate", "", {"Accept: text/plain"}};
  if (words.certificate.ends_with(".json")) request.headers = {"Accept: application/json"};
  const int code = session.call(request, [&](const Answer& answer) {
    const auto written = file.write(answer.body);
    return written ? exit_done : session.out.fail(written.error());
  });
  if (code == exit_done) return code;
  session.out.say(session.text("Die Löschung ist beauftragt; die Bescheinigung fehlt noch.",
                               "The erasure is ordered; its certificate is still missing."));
  return exit_part;
}

int erase(const Session& session, const Words& words) {
  if (words.subject.empty())
    return session.out.usage(
        session.text("Es fehlt --subject: wer gelöscht wird.", "--subject is missing: who is erased."));
  if (!is_confirmed(session, words)) {
    session.out.usage(
        session.text("Nicht bestätigt: --yes bestätigt das Löschen.", "Not confirmed: --yes confirms the erasure."));
    return exit_refused;
  }
  auto file = OutputFile::open(words.certificate, Overwrite(words.force));
  if (!file) return session.out.fail(file.error());
  nlohmann::json body = {{"subject", words.subject}, {"ground", words.ground}, {"mode", words.now ? "now" : "window"}};
  if (words.classes.empty() || words.classes == "all") {
    body["classes"] = "all";
  } else {
    body["classes"] = split(words.classes, ',');
  }
  Request request{"POST", "/v1/erasures", body.dump(), {"Idempotency-Key: " + random_key()}, Thing::subject, ""};
  return session.call(request, [&](const Answer& answer) {
    const auto done = parse(answer.body);
    session.out.object(done);
    if (words.certificate.empty()) return exit_done + 0;
    const auto id = done.is_object() ? done.find("erasure") : done.end();
    return id != done.end() && id->is_string() ? fetch_certificate(session, words, *file, id->get<std::string>())
                                               : exit_part + 0;
  });
}

constexpr const char* kMedia[][2] = {{"json", "application/json"}, {"html", "text/html"}, {"text", "text/plain"}};

// The form that is asked for; without --format as the file's name ends, else text.
std::string form_of(const std::string& format, const std::string& file) {
  if (!format.empty()) return format;
  return file.ends_with(".json") ? "json" : file.ends_with(".html") ? "html" : "text";
}

int show_certificate(const Session& session, const CertificateWords& words) {
  auto file = OutputFile::open(words.file, Overwrite(words.force));
  if (!file) return session.out.fail(file.error());
  const auto form = session.global.json && words.format.empty() ? "json" : form_of(words.format, words.file);
  Request request{"GET", "/v1/erasures/" + segment(words.id) + "/certificate", "", {}, Thing::erasure, words.id};
  for (const auto& [name, media] : kMedia)
    if (form == name) request.headers = {std::string("Accept: ") + media, "Accept-Language: " + session.global.lang};
  return session.call(request, [&](const Answer& answer) {
    const auto written = file->write(answer.body + (answer.body.ends_with('\n') ? "" : "\n"));
    return written ? exit_done : session.out.fail(written.error());
  });
}

void add_erasure_group(CLI::App& app, Session& session) {
  auto words = std::make_shared<CertificateWords>();
  auto* group =
      add_group(app, "erasure", session.text("Löschungen und ihre Bescheinigungen", "Erasures and their certificates"));
  add_command(*group, session, "list", session.text("Alle zeigen", "Show all"),
              "  siegel erasure list\n  siegel --json erasure list", [&session] {
                return session.list(
                    {"GET", "/v1/erasures", "", {}},
                    {"erasure", "state", "ground", "subjects", "requested_at", "effective_at", "deadline"}, 0);
              });
  auto* show = add_command(
      *group, session, "show", session.text("Stand einer Löschung", "State of an erasure"),
      "  siegel erasure show er_…", [&session, words] {
        return session.show({"GET", "/v1/erasures/" + segment(words->id), "", {}, Thing::erasure, words->id});
      });
  auto* certificate = add_command(*group, session, "certificate",
                                  session.text("Bescheinigung einer Löschung", "Certificate of an erasure"),
                                  "  siegel erasure certificate er_…\n"
                                  "  siegel erasure certificate er_… -o certificate.html\n"
                                  "  siegel erasure certificate er_… --format json -o certificate.json",
                                  [&session, words] { return show_certificate(session, *words); });
  for (auto* command : {show, certificate}) command->add_option("ID", words->id, "er_…")->required();
  certificate
      ->add_option("--format", words->format,
                   session.text("ohne: wie die Datei endet, sonst text (signiert)",
                                "without: as the file's name ends, else text (signed)"))
      ->check(CLI::IsMember({"json", "text", "html"}));
  certificate->add_option("-o,--output", words->file,
                          session.text("Datei; ohne: Standardausgabe", "File; without: standard output"));
  add_force(*certificate, session, words->force);
}

}  // namespace

void add_erasures(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* command =
      add_command(app, session, "erase", session.text("Eine Person löschen", "Erase a person"),
                  "  siegel erase --subject su_… --ground art17-1-b --now --yes --certificate certificate.txt\n"
                  "  siegel erase --subject su_… --classes customer --ground art17-1-a",
                  [&session, words] { return erase(session, *words); });
  command->add_option("--subject", words->subject, "su_…");
  command->add_option("--classes", words->classes,
                      session.text("Löschklassen a,b; ohne: alle", "Deletion classes a,b; without: all"));
  command->add_option("--ground", words->ground, session.text("Grund, etwa art17-1-b", "Ground, such as art17-1-b"))
      ->required();
  add_later_flags(*command, session, {"--find"});
  command->add_flag("--now", words->now,
                    session.text("sofort, nicht im nächsten Fenster", "at once, not in the next window"));
  command->add_flag("--yes", words->yes, session.text("ohne Rückfrage", "without asking"));
  command->add_option(
      "--certificate", words->certificate,
      session.text("Bescheinigung in diese Datei; .json: als JSON", "Certificate to this file; .json: as JSON"));
  add_force(*command, session, words->force);
  add_erasure_group(app, session);
}

}  // namespace siegel::ctl
