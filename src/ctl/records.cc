// records list, search, get, add, set, remove, history.
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "ctl/fields.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::string id, type, expect, fields, values, subject, decimal = "auto";
  std::vector<std::string> sets, wheres;
  std::string limit = "all";
  std::string sort;
  bool descending = false;
};

sheet::DecimalSign sign_of(const std::string& word) {
  if (word == "comma") return sheet::DecimalSign::comma;
  return word == "point" ? sheet::DecimalSign::point : sheet::DecimalSign::unknown;
}

std::string record_path(const Words& words) { return "/v1/records/" + segment(words.id); }

// The values of --set, read by the type's fields, over those of --values, taken as they stand.
int with_values(const Session& session, const Words& words, const std::string& type,
                const std::function<int(nlohmann::json)>& then) {
  auto values = nlohmann::json::object();
  if (!words.values.empty()) {
    auto object = read_object(words.values);
    if (!object) return session.out.fail(object.error());
    values = std::move(*object);
  }
  if (values.empty() && words.sets.empty())
    return session.out.usage(session.text("Es fehlt --set FELD=WERT oder --values DATEI.",
                                          "--set FIELD=VALUE or --values FILE is missing."));
  if (words.sets.empty()) return then(std::move(values));
  return session.call({"GET", "/v1/record-types/" + segment(type), "", {}, Thing::type, type},
                      [&](const Answer& answer) {
                        const auto read = read_type(parse(answer.body));
                        if (!read) return session.out.fail(read.error());
                        for (const auto& set : words.sets) {
                          const auto equals = set.find('=');
                          const auto* field = equals == std::string::npos ? nullptr : read->find(set.substr(0, equals));
                          if (field == nullptr)
                            return session.out.usage(session.text("--set ist FELD=WERT mit einem Feld des Typs.",
                                                                  "--set is FIELD=VALUE with a field of the type."));
                          auto value = value_of(*field, set.substr(equals + 1), sign_of(words.decimal));
                          if (!value) return session.out.fail(Error(value.error()).with("field", field->name));
                          values[field->name] = std::move(*value);
                        }
                        return then(std::move(values));
                      });
}

int add(const Session& session, const Words& words) {
  if (const auto wrong = session.wrong_name(words.type)) return *wrong;
  return with_values(session, words, words.type, [&](nlohmann::json values) {
    nlohmann::json body = {{"values", std::move(values)}};
    if (!words.subject.empty()) body["subject"] = words.subject;
    return session.change(
        {"POST", "/v1/record-types/" + segment(words.type) + "/records", body.dump(), {}, Thing::type, words.type});
  });
}

Request expecting(Request request, const Words& words) {
  if (!words.expect.empty()) request.headers.push_back("If-Match: \"" + words.expect + "\"");
  return request;
}

int set(const Session& session, const Words& words) {
  const auto patch = [&](const std::string& type) {
    return with_values(session, words, type, [&](nlohmann::json values) {
      const nlohmann::json body = {{"values", std::move(values)}};
      return session.change(expecting({"PATCH", record_path(words), body.dump(), {}, Thing::record, ""}, words));
    });
  };
  if (!words.type.empty() || words.sets.empty()) return patch(words.type);
  return session.call({"GET", record_path(words), "", {}, Thing::record, ""}, [&](const Answer& answer) {
    const auto record = parse(answer.body);
    const auto type = record.is_object() ? record.find("type") : record.end();
    if (type == record.end() || !type->is_string())
      return session.out.fail(Error(Errc::unavailable, "bad_answer", "The server's answer is not a record."));
    return patch(type->get<std::string>());
  });
}

// A cell of a table that people read: long texts end with "…"; --json has all of them.
std::string cell_of(const nlohmann::json& value) {
  constexpr std::size_t kCharactersMax = 40;
  std::string out;
  if (value.is_array()) {
    for (const auto& item : value) out += (out.empty() ? "" : ", ") + shown(item);
  } else if (!value.is_null()) {
    out = shown(value);
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < out.size(); ++i)
    if ((out[i] & 0xC0) != 0x80 && ++count > kCharactersMax) return out.substr(0, i) + "…";
  return out;
}

// Values as columns, in the order of the type's fields; fields that no record shows are left out.
void show_table(const Session& session, const RecordType& type, const std::vector<nlohmann::json>& records) {
  std::vector<std::string> columns{session.text("Datensatz", "record")};
  const std::vector<std::pair<const char*, const char*>> rest{
      {"subject", session.text("Person", "subject")},
      {"version", session.text("Version", "version")},
      {"updated_at", session.text("geändert am", "updated_at")}};
  std::vector<nlohmann::json> rows;
  for (const auto& record : records) rows.push_back({{columns.front(), record.value("record", "")}});
  const auto values_of = [](const nlohmann::json& record) { return record.value("values", nlohmann::json::object()); };
  for (const auto& field : type.fields) {
    const auto shows = [&](const auto& record) { return values_of(record).contains(field.name); };
    if (std::none_of(records.begin(), records.end(), shows)) continue;
    const auto is_taken = [&](const std::string& title) {
      return std::find(columns.begin(), columns.end(), title) != columns.end() ||
             std::any_of(rest.begin(), rest.end(), [&](const auto& column) { return title == column.second; });
    };
    std::string title = field.titles.empty() ? field.name : field.titles.front();
    if (is_taken(title)) title += " (" + field.name + ")";
    for (std::size_t i = 0; i < records.size(); ++i)
      rows[i][title] = cell_of(values_of(records[i]).value(field.name, nlohmann::json()));
    columns.push_back(std::move(title));
  }
  for (const auto& [name, title] : rest) {
    for (std::size_t i = 0; i < records.size(); ++i) rows[i][title] = records[i].value(name, nlohmann::json());
    columns.emplace_back(title);
  }
  session.out.table(columns, rows);
}

std::string searchable_of(const Session& session, const RecordType& type) {
  std::vector<std::string> names;
  for (const auto& field : type.fields)
    if (field.searchable) names.push_back(field.name);
  return (names.empty() ? session.text("keines", "none") : joined(names)) + ".";
}

// One condition of a search: VALUE* is the beginning of a word. Dates and numbers are read as people write them; what
// is none is looked for as it stands. `wrong`: what is wrong with it; never the value.
std::optional<nlohmann::json> condition_of(const Session& session, const RecordType& type, const Words& words,
                                           const std::string& where, std::string& wrong) {
  const auto equals = where.find('=');
  const auto* field = equals == std::string::npos ? nullptr : type.find(where.substr(0, equals));
  if (field == nullptr || !is_utf8(where)) {
    wrong = session.text("--where ist FELD=WERT mit einem Feld des Typs; durchsuchbar sind: ",
                         "--where is FIELD=VALUE with a field of the type; searchable are: ") +
            searchable_of(session, type);
    return {};
  }
  if (!field->searchable) {
    wrong = "--where: " + field->name +
            session.text(" ist kein durchsuchbares Feld. Durchsuchbar sind: ", " is not searchable. Searchable are: ") +
            searchable_of(session, type);
    return {};
  }
  auto text = where.substr(equals + 1);
  nlohmann::json out = {{"field", field->name}, {"op", "exact"}};
  if (text.ends_with('*')) {
    text.pop_back();
    out["op"] = "word";
  }
  if (text.find('*') != std::string::npos) {
    wrong = session.text(
        "--where: * steht nur am Ende: WERT* sucht am Anfang jedes Wortes, mitten darin wird nicht gesucht.",
        "--where: * stands at the end only: VALUE* looks at the beginning of each word, not within.");
    return {};
  }
  out["value"] = text;
  if (out["op"] == "exact" && field->type != FieldType::multichoice)
    if (const auto value = value_of(*field, text, sign_of(words.decimal)); value && !value->is_null())
      out["value"] = *value;
  return out;
}

std::optional<nlohmann::json> query_of(const Session& session, const RecordType& type, const Words& words,
                                       std::string& wrong) {
  nlohmann::json query = {{"where", nlohmann::json::array()}};
  for (const auto& where : words.wheres) {
    auto condition = condition_of(session, type, words, where, wrong);
    if (!condition) return {};
    query["where"].push_back(std::move(*condition));
  }
  if (!words.fields.empty()) query["fields"] = split(words.fields, ',');
  if (!words.sort.empty()) query["sort"] = {{"field", words.sort}, {"descending", words.descending}};
  return query;
}

void show_found(const Session& session, const RecordType& type, const Words& words,
                const std::vector<nlohmann::json>& records) {
  if (!records.empty() || words.wheres.empty()) return show_table(session, type, records);
  session.out.say(
      session.text("Nichts gefunden. WERT zählt ganz; WERT* sucht am Anfang jedes Wortes, auch eines Nachnamens "
                   "hinter dem Vornamen.",
                   "Nothing found. VALUE counts as a whole; VALUE* looks at the beginning of each word, a surname "
                   "behind a first name too."));
}

int list(const Session& session, const Words& words) {
  const auto limit = read_limit(session, words.limit);
  if (!limit) return exit_usage;
  if (const auto wrong = session.wrong_name(words.type)) return *wrong;
  const auto type_path = "/v1/record-types/" + segment(words.type);
  Request request{"GET", type_path + "/records", "", {}, Thing::type, words.type};
  if (!words.fields.empty()) request.path += "?fields=" + segment(words.fields);
  if (session.out.json() && words.wheres.empty()) return session.list(request, {}, *limit);
  return session.call({"GET", type_path, "", {}, Thing::type, words.type}, [&](const Answer& answer) {
    const auto type = read_type(parse(answer.body));
    if (!type) return session.out.fail(type.error());
    if (!words.wheres.empty()) {
      std::string wrong;
      const auto query = query_of(session, *type, words, wrong);
      if (!query) return session.out.usage(wrong);
      request = {"POST", type_path + "/search", query->dump(), {}, Thing::type, words.type};
    }
    const bool sorted = !words.sort.empty();
    if (session.out.json() && !sorted) return session.list(request, {}, *limit);
    std::vector<nlohmann::json> records;
    const auto take = [&](const nlohmann::json& record) {
      if (*limit == 0 || records.size() < *limit) records.push_back(record);
    };
    const int code = session.each(request, sorted ? std::nullopt : limit, take);
    if (code != exit_done) return code;
    if (!session.out.json())
      show_found(session, *type, words, records);
    else
      for (const auto& record : records) session.out.item(record);
    return code;
  });
}

void add_value_flags(CLI::App* command, const Session& session, const std::shared_ptr<Words>& words) {
  command
      ->add_option("--set", words->sets,
                   session.text("FELD=WERT, mehrfach; ohne Wert: leer", "FIELD=VALUE, repeatable; no value: empty"))
      ->allow_extra_args(false)
      ->take_all();
  command->add_option(
      "--values", words->values,
      session.text("JSON-Objekt der Werte aus DATEI oder -", "JSON object of the values from FILE or -"));
  command
      ->add_option("--decimal", words->decimal,
                   session.text("was Punkt und Komma in Zahlen bedeuten", "what point and comma mean in numbers"))
      ->check(CLI::IsMember({"auto", "comma", "point"}));
}

}  // namespace

void add_records(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* group = add_group(app, "records", session.text("Datensätze", "Records"));
  const auto add_one = [&](const char* name, const char* help, const char* examples, std::function<int()> work) {
    return add_command(*group, session, name, help, examples, [&session, words, work = std::move(work)] {
      session.type = words->type;  // whose default purpose counts
      return work();
    });
  };
  const auto add_with_id = [&](const char* name, const char* help, const char* examples, std::function<int()> work) {
    auto* command = add_one(name, help, examples, std::move(work));
    command->add_option("ID", words->id, "re_…")->required();
    command->add_option("--type", words->type,
                        session.text("sein Typ, dessen Zweck ohne --purpose gilt; spart bei set das Lesen",
                                     "its type, whose purpose counts without --purpose; saves set reading it"));
    return command;
  };
  const char* type_help =
      session.text("Datensatztyp; `siegel type list` zeigt alle", "Record type; `siegel type list` shows them");
  const char* expect_help = session.text("nur wenn diese Version gilt", "only if this is its version");

  const auto add_list_flags = [&](CLI::App* command) {
    command->add_option("--type", words->type, type_help)->required();
    command->add_option("--fields", words->fields, session.text("nur diese Felder: a,b", "only these fields: a,b"));
    add_limit(*command, session, words->limit);
    return command
        ->add_option("--where", words->wheres,
                     session.text("FELD=WERT, mehrfach: alle müssen zutreffen; WERT* sucht am Anfang jedes Wortes. "
                                  "Groß und klein, Umlaute und Akzente zählen nicht",
                                  "FIELD=VALUE, repeatable: all must be met; VALUE* looks at the beginning of "
                                  "each word. Case, umlauts and accents do not count"))
        ->allow_extra_args(false)
        ->take_all();
  };
  auto* lister = add_one("list", session.text("Alle eines Typs", "All of a type"),
                         "  siegel --purpose customer-care records list --type contacts --limit 20",
                         [&session, words] { return list(session, *words); });
  add_list_flags(lister);
  auto* searcher =
      add_one("search", session.text("Nach Werten durchsuchbarer Felder", "By values of searchable fields"),
              "  siegel records search --type contacts --where \"name=Tarek*\"\n"
              "  siegel records search --type contacts --where customer-number=000111 --where \"name=tarek l*\"\n"
              "  siegel records search --type contacts --where city=Bonn --sort born --descending --limit 10",
              [&session, words] { return list(session, *words); });
  add_list_flags(searcher)->required();
  auto* sort = searcher->add_option("--sort", words->sort,
                                    session.text("nach diesem Feld; was keinen Wert hat, steht am Ende",
                                                 "by this field; what has no value comes last"));
  searcher->add_flag("--descending", words->descending, session.text("das Größte zuerst", "the largest first"))
      ->needs(sort);

  add_with_id("get", session.text("Einen lesen", "Read one"), "  siegel records get re_…", [&session, words] {
    return session.show({"GET", record_path(*words), "", {}, Thing::record, ""});
  });
  add_with_id("history", session.text("Alle Änderungen", "All changes"), "  siegel records history re_…",
              [&session, words] {
                return session.list({"GET", record_path(*words) + "/history", "", {}, Thing::record, ""},
                                    {"seq", "at", "type", "actor", "actor_label", "purpose", "changes"}, 0);
              });

  auto* adder = add_one("add", session.text("Anlegen", "Add"),
                        "  siegel records add --type contacts --set \"name=Änne Müller\" --set born=31.12.1980\n"
                        "  siegel records add --type contacts --values - <values.json",
                        [&session, words] { return add(session, *words); });
  adder->add_option("--type", words->type, type_help)->required();
  adder->add_option("--subject", words->subject, session.text("Person, zu der er gehört", "Person it belongs to"));
  add_value_flags(adder, session, words);

  auto* setter = add_with_id("set", session.text("Ändern", "Change"),
                             "  siegel records set re_… --set \"name=Änne Maier\" --expect 1",
                             [&session, words] { return set(session, *words); });
  setter->add_option("--expect", words->expect, expect_help);
  add_value_flags(setter, session, words);

  auto* remover = add_with_id(
      "remove",
      session.text("Aus allen Ansichten nehmen; Löschen ist `erase`", "Take out of all views; erasing is `erase`"),
      "  siegel records remove re_… --expect 2", [&session, words] {
        return session.change(expecting({"DELETE", record_path(*words), "", {}, Thing::record, ""}, *words));
      });
  remover->add_option("--expect", words->expect, expect_help);
}

}  // namespace siegel::ctl
