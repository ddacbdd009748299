// export and subject: what is kept about a person, and who looked; and all records of a type.
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ctl/interruption.h"
#include "ctl/output_file.h"
#include "ctl/record_counter.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::string subject, type, fields, format = "json", file = "-", limit = "all";
  std::vector<std::string> others;
  bool yes = false;
  std::vector<std::string> wheres;
  bool force = false;
};

std::string subject_path(const Words& words) { return "/v1/subjects/" + segment(words.subject); }

int export_person(const Session& session, const Words& words) {
  auto file = OutputFile::open(words.file, Overwrite(words.force));
  if (!file) return session.out.fail(file.error());
  const Request request{"GET", subject_path(words) + "/export?format=" + words.format, "", {}, Thing::subject, ""};
  return session.call(request, [&](const Answer& answer) {
    const bool ends = words.format != "json" || answer.body.ends_with('\n');  // a line for the terminal
    const auto written = file->write(answer.body + (ends ? "" : "\n"));
    return written ? exit_done : session.out.fail(written.error());
  });
}

int merge_people(const Session& session, const Words& words) {
  if (!session.confirmed(words.yes, "Das Zusammenführen lässt sich nicht rückgängig machen.",
                         "Merging cannot be undone.")) {
    session.out.usage(
        session.text("Nicht bestätigt: --yes bestätigt das Zusammenführen.", "Not confirmed: --yes confirms it."));
    return exit_refused;
  }
  const nlohmann::json body = {{"subjects", words.others}};
  return session.change({"POST", subject_path(words) + "/merge", body.dump(), {}, Thing::subject, ""});
}

// VALUE* is the beginning of a word, as in `records search`; the types differ, so the rest goes as it stands.
std::optional<nlohmann::json> condition_of(const std::string& where) {
  const auto equals = where.find('=');
  if (equals == std::string::npos || !is_name(where.substr(0, equals)) || !is_utf8(where)) return {};
  auto value = where.substr(equals + 1);
  const bool begins = value.ends_with('*');
  if (begins) value.pop_back();
  return nlohmann::json{{"field", where.substr(0, equals)}, {"op", begins ? "word" : "exact"}, {"value", value}};
}

std::string values_text(const nlohmann::json& record) {
  std::string out;
  const auto values = record.value("values", nlohmann::json::object());
  for (const auto& [field, value] : values.items())
    out += (out.empty() ? "" : ", ") + field + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
  return out;
}

int search_people(const Session& session, const Words& words) {
  nlohmann::json body = {{"where", nlohmann::json::array()}};
  for (const auto& where : words.wheres) {
    auto condition = condition_of(where);
    if (!condition)
      return session.out.usage(
          session.text("--where ist FELD=WERT oder FELD=WERT*; Felder heißen wie in den Typen.",
                       "--where is FIELD=VALUE or FIELD=VALUE*; fields are called as in the types."));
    body["where"].push_back(*std::move(condition));
  }
  if (!words.fields.empty()) body["fields"] = split(words.fields, ',');
  const auto limit = read_limit(session, words.limit);
  if (!limit) return exit_usage;
  const Request request{"POST", "/v1/subjects/search", body.dump(), {}};
  std::vector<nlohmann::json> rows;
  std::vector<std::string> types;
  const auto take = [&](const nlohmann::json& item) {
    if (session.out.json()) return session.out.item(item);
    for (const auto& record : item.value("records", nlohmann::json::array()))
      rows.push_back({{"subject", item.value("subject", "")},
                      {"type", record.value("type", "")},
                      {"record", record.value("record", "")},
                      {"values", values_text(record)}});
  };
  const int code = session.each(request, *limit, take, [&](const nlohmann::json& page) {
    types = page.value("types", std::vector<std::string>());
  });
  if (code != exit_done) return code;
  if (!rows.empty()) {
    session.out.table({"subject", "type", "record", "values"}, rows);
  } else if (!session.out.json()) {
    session.out.say(session.text("Niemand gefunden. WERT zählt ganz; WERT* sucht am Anfang jedes Wortes.",
                                 "Nobody found. VALUE counts as a whole; VALUE* looks at the beginning of each word."));
  }
  // Who is found in one type may stand in another too, so it is said either way.
  std::string names;
  for (const auto& type : types) names += (names.empty() ? "" : ", ") + type;
  if (!names.empty()) session.out.say(session.text("Gesucht in: ", "Looked in: ") + names + ".");
  return exit_done;
}

// Like 12,345 in English and 12.345 in German.
std::string grouped(const Session& session, std::uint64_t number) {
  auto out = std::to_string(number);
  for (auto at = out.size(); at > 3; at -= 3) out.insert(at - 3, session.text(".", ","));
  return out;
}

std::string records_text(const Session& session, std::uint64_t count) {
  return grouped(session, count) +
         (count == 1 ? session.text(" Datensatz", " record") : session.text(" Datensätze", " records"));
}

int export_type(const Session& session, const Words& words) {
  auto file = OutputFile::open(words.file, Overwrite(words.force));
  if (!file) return session.out.fail(file.error());
  const Interruption interruption;
  nlohmann::json body = {{"type", words.type}, {"format", words.format}};
  if (!words.fields.empty()) body["fields"] = split(words.fields, ',');
  RecordCounter records(words.format);
  constexpr std::uint64_t kTellEvery = 1000;
  std::uint64_t told = 0;
  const Sink sink{[&](std::string_view piece) -> Status {
                    SIEGEL_CHECK(file->append(piece));
                    records.add(piece);
                    if (records.count() < told + kTellEvery) return Done{};
                    told = records.count();
                    session.out.progress(records_text(session, told));
                    return Done{};
                  },
                  Interruption::is_asked};
  const Request request{"POST", "/v1/exports", body.dump(), {}, Thing::type, words.type};
  auto connection = session.client();
  const auto answer = session.send(connection, request, &sink);
  if (told > 0) session.out.progress("");
  if (!answer) return session.out.fail(answer.error());
  if (!answer->ok()) return session.out.fail(*answer, request);
  const bool is_to_file = !words.file.empty() && words.file != "-";
  if (const auto written = words.format == "json" ? file->append("\n") : Status(Done{}); !written)
    return session.out.fail(written.error());
  if (const auto written = file->finish(); !written) return session.out.fail(written.error());
  if (is_to_file && session.out.json())
    session.out.object({{"file", words.file}, {"format", words.format}, {"records", records.count()}});
  else
    session.out.say(records_text(session, records.count()) +
                    (is_to_file ? session.text(" in ", " in ") + words.file : ""));
  return exit_done;
}

int export_either(Session& session, const Words& words) {
  if (words.subject.empty() == words.type.empty())
    return session.out.usage(session.text("Entweder --subject: über wen, oder --type: alle Datensätze eines Typs.",
                                          "Either --subject: about whom, or --type: all records of a type."));
  session.type = words.type;  // whose default purpose counts
  if (!words.type.empty()) {
    if (const auto wrong = session.wrong_name(words.type)) return *wrong;
    return export_type(session, words);
  }
  if (words.format == "ndjson" || !words.fields.empty())
    return session.out.usage(session.text("--fields und --format ndjson gehören zu --type.",
                                          "--fields and --format ndjson go with --type."));
  return export_person(session, words);
}

void add_export_flags(CLI::App& command, const Session& session, Words& words, const std::string& format_help,
                      std::vector<std::string> formats) {
  command.add_option("--format", words.format, format_help)->check(CLI::IsMember(std::move(formats)));
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
  auto* search =
      add_command(*group, session, "search",
                  session.text("Wer in irgendeinem Typ steht, nach Werten", "Who stands in any type, by values"),
                  "  siegel --purpose customer-care subject search --where e-mail=anna@example.org\n"
                  "  siegel --purpose customer-care subject search --where 'name=mai*' --fields name,e-mail",
                  [&session, words] { return search_people(session, *words); });
  search
      ->add_option("--where", words->wheres,
                   session.text("FELD=WERT oder FELD=WERT*, mehrfach: alle gelten; durchsuchbare Felder",
                                "FIELD=VALUE or FIELD=VALUE*, repeatable: all must hold; searchable fields"))
      ->required()
      ->allow_extra_args(false)
      ->take_all();
  search->add_option("--fields", words->fields, session.text("a,b; ohne: alle", "a,b; without: all"));
  add_limit(*search, session, words->limit);
  auto* history = add_command(*group, session, "history",
                              session.text("Alle Änderungen, und wer wann zu welchem Zweck nachgesehen hat",
                                           "All changes, and who looked when and for which purpose"),
                              "  siegel --purpose customer-care subject history su_…", [&session, words] {
                                return session.list(
                                    {"GET", subject_path(*words) + "/history", "", {}, Thing::subject, ""},
                                    {"seq", "at", "type", "actor", "actor_label", "purpose", "record", "changes"}, 0);
                              });
  auto* merge =
      add_command(*group, session, "merge",
                  session.text("Macht aus mehreren Personen eine: sie führt dann die erste Kennung; nicht umkehrbar",
                               "Makes several people one, who goes by the first id then; cannot be taken back"),
                  "  siegel --purpose customer-care subject merge su_… su_…\n"
                  "  siegel --purpose customer-care subject merge su_… su_… su_… --yes",
                  [&session, words] { return merge_people(session, *words); });
  auto* exporter =
      add_command(*group, session, "export", session.text("Alles zu ihr, wie `export`", "All about her, as `export`"),
                  "  siegel --purpose customer-care subject export su_… --format csv -o person.csv",
                  [&session, words] { return export_person(session, *words); });
  for (auto* command : {show, history, merge, exporter}) command->add_option("ID", words->subject, "su_…")->required();
  merge
      ->add_option("OTHER", words->others,
                   session.text("su_…: wer dieselbe Person ist", "su_…: who is the same person"))
      ->required();
  merge->add_flag("--yes", words->yes, session.text("Ohne Rückfrage", "Without asking back"));
  add_export_flags(*exporter, session, *words,
                   session.text("json: Werte, Verlauf und wer nachgesehen hat; csv: nur die jetzigen Werte",
                                "json: values, history and who looked; csv: the present values only"),
                   {"json", "csv"});
}

}  // namespace

void add_exports(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* command = add_command(
      app, session, "export",
      session.text("Alles zu einer Person, oder alle Datensätze eines Typs",
                   "All about a person, or all records of a type"),
      "  siegel --purpose customer-care export --subject su_… --format csv -o person.csv\n"
      "  siegel --purpose customer-care export --type contacts --fields name,e-mail --format csv -o contacts.csv\n"
      "  siegel --purpose customer-care export --type contacts --format ndjson | head",
      [&session, words] { return export_either(session, *words); });
  command->add_option("--subject", words->subject, session.text("su_…: alles zu ihr", "su_…: all about her"));
  command->add_option(
      "--type", words->type,
      session.text("Typ: alle seine Datensätze, mit einer Spur bei jeder Person; nur mit einem Schlüssel, "
                   "der das erlaubt (token create --bulk-until)",
                   "Type: all its records, with a trace at each person; only with a token that allows it "
                   "(token create --bulk-until)"));
  command->add_option("--fields", words->fields,
                      session.text("mit --type: nur diese, a,b; ohne: alle, die der Zweck umfasst",
                                   "with --type: only these, a,b; without: all that the purpose covers"));
  add_export_flags(
      *command, session, *words,
      session.text("zu --subject: json (Werte, Verlauf und wer nachgesehen hat) oder csv (nur die jetzigen "
                   "Werte); zu --type: auch ndjson",
                   "for --subject: json (values, history and who looked) or csv (the present values only); "
                   "for --type: ndjson too"),
      {"json", "csv", "ndjson"});
  add_subject_group(app, session);
}

}  // namespace siegel::ctl
