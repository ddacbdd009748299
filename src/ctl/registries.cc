// purpose, class, type: what an admin sets up.
#include <nlohmann/json.hpp>

#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Kind {
  const char* command;
  const char* path;
  Thing thing;
  const char* help_de;
  const char* help_en;
  std::vector<std::string> columns;
  std::string example;  // of `set`
};

// The definition of NAME from FILE; what `show` gives can be set again: its name and version are the server's.
int set(const Session& session, const Kind& kind, const std::string& name, const std::string& file,
        const std::string& expect) {
  if (const auto wrong = session.wrong_name(name)) return *wrong;
  auto definition = read_object(file);
  if (!definition) return session.out.fail(definition.error());
  for (const char* own : {"name", "version", "built_in"}) definition->erase(own);
  Request request{"PUT", std::string(kind.path) + "/" + segment(name), definition->dump(), {}};
  if (!expect.empty()) request.headers.push_back(expect == "0" ? "If-None-Match: *" : "If-Match: \"" + expect + "\"");
  return session.change(request);
}

void add_kind(CLI::App& app, Session& session, const Kind& kind) {
  struct Words {
    std::string name, file, expect;
  };
  auto words = std::make_shared<Words>();
  const std::string path = kind.path;
  auto* group = add_group(app, kind.command, session.text(kind.help_de, kind.help_en));
  auto* setter =
      add_command(*group, session, "set", session.text("Anlegen oder ändern", "Create or change"), kind.example.c_str(),
                  [&session, words, kind] { return set(session, kind, words->name, words->file, words->expect); });
  const char* name_help =
      session.text("a-z, 0-9 und -, beginnend mit einem Buchstaben", "a-z, 0-9 and -, beginning with a letter");
  setter->add_option("NAME", words->name, name_help)->required();
  setter
      ->add_option("FILE", words->file,
                   session.text("JSON-Datei, - für die Standardeingabe", "JSON file, - for standard input"))
      ->required();
  setter->add_option(
      "--expect", words->expect,
      session.text("nur wenn diese Version gilt; 0: nur anlegen", "only if this is its version; 0: only create"));
  const std::string shows = std::string("  siegel ") + kind.command + " show NAME";
  auto* show =
      add_command(*group, session, "show", session.text("Eine Festlegung zeigen", "Show one definition"), shows.c_str(),
                  [&session, words, kind] {
                    if (const auto wrong = session.wrong_name(words->name)) return *wrong;
                    return session.show(
                        {"GET", std::string(kind.path) + "/" + segment(words->name), "", {}, kind.thing, words->name});
                  });
  show->add_option("NAME", words->name, name_help)->required();
  const std::string lists = std::string("  siegel ") + kind.command + " list";
  add_command(*group, session, "list", session.text("Alle zeigen", "Show all"), lists.c_str(),
              [&session, path, columns = kind.columns] { return session.list(path, columns); });
}

}  // namespace

void add_registries(CLI::App& app, Session& session) {
  add_kind(app, session,
           {"purpose",
            "/v1/purposes",
            Thing::purpose,
            "Zwecke",
            "Purposes",
            {"name", "version", "legal_ground", "title"},
            "  siegel purpose set customer-care customer-care.json"});
  add_kind(app, session,
           {"class",
            "/v1/deletion-classes",
            Thing::deletion_class,
            "Löschklassen",
            "Deletion classes",
            {"name", "version", "period", "start", "legal_ground"},
            "  siegel class set customer customer.json"});
  add_kind(
      app, session,
      {"type",
       "/v1/record-types",
       Thing::type,
       "Datensatztypen",
       "Record types",
       {"name", "version", "title", "default_purpose"},
       "  siegel type set contacts contacts.json\n  siegel --json type show contacts | siegel type set contacts2 -"});
}

}  // namespace siegel::ctl
