// erase: what a person's keys opened can be read by nobody afterwards.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "ctl/interruption.h"
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

constexpr std::chrono::seconds kWaitMax{60};  // for the window of erasures and the read models
constexpr std::chrono::seconds kSilence{2};
constexpr std::chrono::milliseconds kBetweenTries{200};  // at first
constexpr std::chrono::milliseconds kBetweenTriesMax{5'000};
constexpr const char* kMedia[][2] = {{"json", "application/json"}, {"html", "text/html"}, {"text", "text/plain"}};

// As the file's name ends; a name without an ending holds text. Nothing: an ending that is neither.
std::optional<std::string> form_of(const std::string& file) {
  auto ending = std::filesystem::path(file).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (ending == ".json" || ending == ".html") return ending.substr(1);
  if (ending.empty() || ending == ".txt") return "text";
  return {};
}

int wrong_ending(const Session& session, const char* flag) {
  return session.out.usage(std::string(flag) +
                           session.text(": eine Bescheinigung endet auf .txt (signiert), .html oder .json.",
                                        ": a certificate ends in .txt (signed), .html or .json."));
}

Request certificate_of(const Session& session, const std::string& erasure, const std::string& form) {
  Request out{"GET", "/v1/erasures/" + segment(erasure) + "/certificate", "", {}, Thing::erasure, erasure};
  for (const auto& [name, media] : kMedia)
    if (form == name) out.headers = {std::string("Accept: ") + media, "Accept-Language: " + session.global.lang};
  return out;
}

int write_certificate(const Session& session, OutputFile& file, const Answer& answer) {
  const auto written = file.write(answer.body + (answer.body.ends_with('\n') ? "" : "\n"));
  return written ? exit_done : session.out.fail(written.error());
}

// The erasure is not effective yet, or the read models do not show it yet.
bool is_early(const Answer& answer) { return answer.status == 404 || answer.status == 409 || answer.status == 503; }

// Asked for again until the window of erasures has passed. `position` is that of the order: read models that do not
// show it yet are waited for.
int fetch_certificate(const Session& session, const Words& words, OutputFile& file, const std::string& erasure,
                      const std::string& position) {
  const Interruption interruption;
  auto request = certificate_of(session, erasure, *form_of(words.certificate));
  if (!position.empty()) request.headers.push_back("Siegel-At-Least: " + position);
  auto connection = session.client();
  const auto begin = std::chrono::steady_clock::now();
  bool told = false;
  for (auto pause = kBetweenTries;; pause = std::min(2 * pause, kBetweenTriesMax)) {
    const auto answer = session.send(connection, request);
    if (answer && answer->ok()) return write_certificate(session, file, *answer);
    const auto waited = std::chrono::steady_clock::now() - begin;
    if (!answer || !is_early(*answer) || waited > kWaitMax || Interruption::is_asked()) {
      answer ? session.out.fail(*answer, request) : session.out.fail(answer.error());
      break;
    }
    if (!told && waited > kSilence) {
      told = true;
      session.out.say(
          session.text("Wartet, bis die Schlüssel zerstört sind …", "Waits for the keys to be destroyed …"));
    }
    for (auto left = pause; left.count() > 0 && !Interruption::is_asked(); left -= kBetweenTries)
      std::this_thread::sleep_for(std::min(left, kBetweenTries));
  }
  session.out.say(
      session.text("Die Löschung ist beauftragt; die Bescheinigung gibt später: siegel erasure certificate ",
                   "The erasure is ordered; its certificate can be had later: siegel erasure certificate ") +
      erasure + " -o " + words.certificate);
  return exit_part;
}

int erase(const Session& session, const Words& words) {
  if (words.subject.empty())
    return session.out.usage(
        session.text("Es fehlt --subject: wer gelöscht wird.", "--subject is missing: who is erased."));
  if (!form_of(words.certificate)) return wrong_ending(session, "--certificate");
  if (!session.confirmed(words.yes, "Das Löschen lässt sich nicht rückgängig machen.", "Erasing cannot be undone.")) {
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
  const auto thing = body["classes"] == "all" ? Thing::subject : Thing::held_class;
  Request request{"POST", "/v1/erasures", body.dump(), {"Idempotency-Key: " + random_key()}, thing, ""};
  return session.call(request, [&](const Answer& answer) {
    const auto done = parse(answer.body);
    session.out.object(done);
    const auto member = [&](const char* name) {
      const auto at = done.is_object() ? done.find(name) : done.end();
      return at != done.end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    const auto id = member("erasure");
    const bool fenced_only = words.now && member("state") == "fenced";
    if (fenced_only)
      session.out.say(
          session.text(
              "Gesperrt: niemand liest die Daten mehr, aber die Schlüssel sind noch nicht zerstört. Das folgt von "
              "selbst; `siegel status` sagt, was fehlt, und: siegel erasure show ",
              "Fenced: nobody reads the data any more, but the keys are not destroyed yet. That follows by "
              "itself; `siegel status` says what is missing, and: siegel erasure show ") +
          id);
    if (words.certificate.empty()) return fenced_only ? exit_part + 0 : exit_done + 0;
    return id.empty() ? exit_part + 0 : fetch_certificate(session, words, *file, id, member("position"));
  });
}

int show_certificate(const Session& session, const CertificateWords& words) {
  const auto by_name = session.global.json ? std::optional<std::string>("json") : form_of(words.file);
  if (words.format.empty() && !by_name) return wrong_ending(session, "-o");
  auto file = OutputFile::open(words.file, Overwrite(words.force));
  if (!file) return session.out.fail(file.error());
  const auto request = certificate_of(session, words.id, words.format.empty() ? *by_name : words.format);
  return session.call(request, [&](const Answer& answer) { return write_certificate(session, *file, answer); });
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
      session.text("Bescheinigung in diese Datei, sobald es sie gibt; sie endet auf .txt (signiert), .html oder .json",
                   "Certificate to this file, as soon as there is one; it ends in .txt (signed), .html or .json"));
  add_force(*command, session, words->force);
  add_erasure_group(app, session);
}

}  // namespace siegel::ctl
