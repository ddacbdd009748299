// export: all that is kept about a person.
#include <memory>

#include "ctl/output_file.h"
#include "ctl/session.h"

namespace siegel::ctl {

void add_exports(CLI::App& app, Session& session) {
  struct Words {
    std::string subject, format = "json", file = "-";
    bool force = false;
  };
  auto words = std::make_shared<Words>();
  auto* command = add_command(
      app, session, "export", session.text("Alles zu einer Person", "All about a person"),
      "  siegel --purpose customer-care export --subject su_… --format csv -o person.csv", [&session, words] {
        if (words->subject.empty())
          return session.out.usage(session.text("Es fehlt --subject: über wen.", "--subject is missing: about whom."));
        auto file = OutputFile::open(words->file, Overwrite(words->force));
        if (!file) return session.out.fail(file.error());
        const Request request{
            "GET", "/v1/subjects/" + segment(words->subject) + "/export?format=" + words->format, "", {}};
        return session.call(request, [&](const Answer& answer) {
          const auto written = file->write(answer.body);
          return written ? exit_done : session.out.fail(written.error());
        });
      });
  command->add_option("--subject", words->subject, "su_…");
  add_later_flags(*command, session, {"--type"});
  command->add_option("--format", words->format)->check(CLI::IsMember({"json", "csv"}));
  command->add_option("-o,--output", words->file,
                      session.text("Datei; ohne: Standardausgabe", "File; without: standard output"));
  add_force(*command, session, words->force);
}

}  // namespace siegel::ctl
