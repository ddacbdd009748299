// export and subject: what is kept about a person, and who looked.
#include <memory>
#include <nlohmann/json.hpp>

#include "ctl/output_file.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::string subject, format = "json", file = "-";
  bool force = false;
};

std::string subject_path(const Words& words) { return "/v1/subjects/" + segment(words.subject); }

int export_person(const Session& session, const Words& words) {
  if (words.subject.empty())
    return session.out.usage(session.text("Es fehlt --subject: über wen.", "--subject is missing: about whom."));
  auto file = OutputFile::open(words.file, Overwrite(words.force));
  if (!file) return session.out.fail(file.error());
  const Request request{"GET", subject_path(words) + "/export?format=" + words.format, "", {}, Thing::subject, ""};
  return session.call(request, [&](const Answer& answer) {
    const bool ends = words.format != "json" || answer.body.ends_with('\n');  // a line for the terminal
    const auto written = file->write(answer.body + (ends ? "" : "\n"));
    return written ? exit_done : session.out.fail(written.error());
  });
}

void add_export_flags(CLI::App& command, const Session& session, Words& words) {
  command
      .add_option("--format", words.format,
                  session.text("json: Werte, Verlauf und wer nachgesehen hat; csv: nur die jetzigen Werte",
                               "json: values, history and who looked; csv: the present values only"))
      ->check(CLI::IsMember({"json", "csv"}));
  command.add_option("-o,--output", words.file,
                     session.text("Datei; ohne: Standardausgabe", "File; without: standard output"));
  add_force(command, session, words.force);
}

void add_subject_group(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* group = add_group(app, "subject", session.text("Was zu einer Person da ist", "What is there about a person"));
  auto* show = add_command(*group, session, "show", session.text("Ihre Datensätze", "Her records"),
                           "  siegel --purpose customer-care subject show su_…", [&session, words] {
                             return session.show({"GET", subject_path(*words), "", {}, Thing::subject, ""});
                           });
  auto* history =
      add_command(*group, session, "history",
                  session.text("Alle Änderungen, und wer wann zu welchem Zweck nachgesehen hat",
                               "All changes, and who looked when and for which purpose"),
                  "  siegel --purpose customer-care subject history su_…", [&session, words] {
                    return session.list({"GET", subject_path(*words) + "/history", "", {}, Thing::subject, ""},
                                        {"seq", "at", "type", "actor", "actor_label", "purpose", "record", "changes"}, 0);
                  });
  auto* exporter =
      add_command(*group, session, "export", session.text("Alles zu ihr, wie `export`", "All about her, as `export`"),
                  "  siegel --purpose customer-care subject export su_… --format csv -o person.csv",
                  [&session, words] { return export_person(session, *words); });
  for (auto* command : {show, history, exporter}) command->add_option("ID", words->subject, "su_…")->required();
  add_export_flags(*exporter, session, *words);
}

}  // namespace

void add_exports(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* command = add_command(app, session, "export", session.text("Alles zu einer Person", "All about a person"),
                              "  siegel --purpose customer-care export --subject su_… --format csv -o person.csv",
                              [&session, words] { return export_person(session, *words); });
  command->add_option("--subject", words->subject, "su_…");
  add_later_flags(*command, session, {"--type"});
  add_export_flags(*command, session, *words);
  add_subject_group(app, session);
}

}  // namespace siegel::ctl
