// import FILE: each row of a CSV file as one record.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include "ctl/fields.h"
#include "ctl/import_run.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::string file, type, rejects, run, decimal = "auto";
  bool ignore_unknown = false;
};

constexpr std::size_t kFailuresShown = 20;

// Which field each column is for; null: passed over.
using Columns = std::vector<const Field*>;

Result<Columns> match(const RecordType& type, const sheet::CsvRow& header, bool ignore_unknown) {
  Columns out;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto* field = type.find(header[i]);
    if (field == nullptr && !ignore_unknown)
      return Error(Errc::invalid, "unknown_column",
                   "A column is no field of the type; --ignore-unknown passes it over.")
          .with("number", i + 1)
          .with("column", header[i]);
    if (field != nullptr && std::find(out.begin(), out.end(), field) != out.end())
      return Error(Errc::invalid, "double_column", "Two columns are for one field.").with("field", field->name);
    out.push_back(field);
  }
  for (const auto& field : type.fields)
    if (field.required && std::find(out.begin(), out.end(), &field) == out.end())
      return Error(Errc::invalid, "missing_column", "A required field has no column.").with("field", field.name);
  if (std::all_of(out.begin(), out.end(), [](const Field* field) { return field == nullptr; }))
    return Error(Errc::invalid, "unknown_column", "No column of the header is a field of the type.");
  return out;
}

struct Import {
  const Session& session;
  const Words& words;
  RecordType type;
  Columns columns;
  sheet::CsvRow header;
  char delimiter = ',';
  std::uint64_t rows = 0;
};

// The record's body, or why the row is refused.
std::variant<std::string, RowFailure> body_of(const Import& import, const sheet::CsvRow& cells) {
  if (cells.size() > import.columns.size())
    return RowFailure{"extra_cells", "", "The row has more cells than the header.", cells};
  const auto sign = import.words.decimal == "comma"   ? sheet::DecimalSign::comma
                    : import.words.decimal == "point" ? sheet::DecimalSign::point
                                                      : sheet::DecimalSign::unknown;
  auto values = nlohmann::json::object();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto* field = import.columns[i];
    if (field == nullptr) continue;
    auto value = value_of(*field, cells[i], sign);
    if (!value) return RowFailure{value.error().code(), field->name, value.error().what(), cells};
    if (!value->is_null()) values[field->name] = std::move(*value);
  }
  for (const auto* field : import.columns)
    if (field != nullptr && field->required && !values.contains(field->name))
      return RowFailure{"missing_value", field->name, "A required field is empty.", cells};
  return nlohmann::json{{"values", std::move(values)}}.dump();
}

Status write_rejects(const Import& import, const ImportOutcome& outcome) {
  if (import.words.rejects.empty()) return Done{};
  auto line = import.header;
  line.insert(line.end(), {"siegel-row", "siegel-column", "siegel-reason"});
  std::string content = "\xEF\xBB\xBF" + sheet::csv_line(line, import.delimiter);
  for (const auto& [row, failure] : outcome.failures) {
    line = failure.cells;
    line.resize(std::max(line.size(), import.header.size()));
    line.insert(line.end(), {std::to_string(row), failure.column, failure.code + ": " + failure.reason});
    content += sheet::csv_line(line, import.delimiter);
  }
  return write_output(import.words.rejects, content);
}

void report(const Import& import, const ImportOutcome& outcome, const std::string& run) {
  const auto& out = import.session.out;
  auto failures = nlohmann::json::array();
  for (const auto& [row, failure] : outcome.failures)
    failures.push_back({{"row", row},
                        {"column", failure.column.empty() ? nlohmann::json() : nlohmann::json(failure.column)},
                        {"code", failure.code}});
  if (out.json()) {
    out.item({{"run", run},
              {"rows_read", import.rows},
              {"counts",
               {{"new", outcome.taken},
                {"changed", 0},
                {"unchanged", outcome.repeated},
                {"failed", outcome.failures.size()}}},
              {"failures", std::move(failures)},
              {"position", outcome.position}});
    return;
  }
  const auto line = [&](const char* de, const char* en, std::uint64_t count) {
    std::cout << out.text(de, en) << count << '\n';
  };
  line("Zeilen gelesen:     ", "rows read:     ", import.rows);
  line("aufgenommen:        ", "taken in:      ", outcome.taken);
  if (outcome.repeated != 0) line("schon vorhanden:    ", "already in:    ", outcome.repeated);
  line("abgelehnt:          ", "refused:       ", outcome.failures.size());
  std::size_t shown_count = 0;
  for (const auto& [row, failure] : outcome.failures) {
    if (shown_count++ == kFailuresShown) {
      std::cout << "  …\n";
      break;
    }
    std::cout << "  " << out.text("Zeile ", "row ") << row << (failure.column.empty() ? "" : ", " + failure.column)
              << ": " << failure.reason << " [" << failure.code << "]\n";
  }
}

int conclude(const Import& import, ImportRun& sending, const std::string& run, const std::optional<Error>& broken) {
  const auto outcome = sending.finish();
  const auto& out = import.session.out;
  out.progress("");
  report(import, outcome, run);
  int code = outcome.failures.empty() ? exit_done : outcome.taken + outcome.repeated > 0 ? exit_part : exit_usage;
  if (broken) code = out.fail(*broken);
  if (const auto* answer = std::get_if<Answer>(&sending.cause())) code = out.fail(*answer);
  if (const auto* error = std::get_if<Error>(&sending.cause())) code = out.fail(*error);
  if (code != exit_done && code != exit_part && outcome.taken + outcome.repeated > 0) {
    code = exit_part;
    out.say(
        import.session.text("Nicht alles wurde aufgenommen; dieselbe Datei mit --run ",
                            "Not all went in; the same file with --run ") +
        run +
        import.session.text(" setzt fort, ohne Zeilen doppelt aufzunehmen.", " goes on without taking rows in twice."));
  }
  if (const auto written = write_rejects(import, outcome); !written) return out.fail(written.error());
  return code;
}

int send_rows(Import& import, sheet::CsvReader& reader) {
  const auto& words = import.words;
  Global global = import.session.global;
  if (global.purpose.empty()) global.purpose = import.type.default_purpose;
  const std::string run = words.run.empty() ? random_key() : words.run;
  ImportRun sending(global, "/v1/record-types/" + segment(words.type) + "/records", run);
  std::optional<Error> broken;
  for (;;) {
    auto row = reader.next();
    if (!row) broken = row.error();
    if (!row || !*row) break;
    ++import.rows;
    auto body = body_of(import, **row);
    if (auto* failure = std::get_if<RowFailure>(&body)) {
      sending.refuse(reader.row(), std::move(*failure));
    } else if (!sending.send({reader.row(), std::get<std::string>(std::move(body)), std::move(**row)})) {
      break;
    }
    if (import.rows % 100 == 0)
      import.session.out.progress(import.session.text("Zeilen: ", "rows: ") + std::to_string(import.rows));
  }
  return conclude(import, sending, run, broken);
}

int run_import(const Session& session, const Words& words) {
  std::ifstream file;
  if (words.file != "-") {
    file.open(words.file, std::ios::binary);
    if (!file)
      return session.out.fail(Error(Errc::invalid, "no_file", "The file cannot be read.").with("file", words.file));
  }
  return session.call({"GET", "/v1/record-types/" + segment(words.type), "", {}}, [&](const Answer& answer) {
    auto type = read_type(parse(answer.body));
    if (!type) return session.out.fail(type.error());
    sheet::CsvReader reader(words.file == "-" ? std::cin : file);
    auto header = reader.next();
    if (!header) return session.out.fail(header.error());
    if (!*header) return session.out.fail(Error(Errc::invalid, "bad_csv", "The file is empty."));
    Import import{session, words, std::move(*type), {}, std::move(**header), reader.delimiter()};
    auto columns = match(import.type, import.header, words.ignore_unknown);
    if (!columns) return session.out.fail(columns.error());
    import.columns = std::move(*columns);
    return send_rows(import, reader);
  });
}

}  // namespace

void add_import(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* command =
      add_command(app, session, "import", session.text("CSV-Datei aufnehmen", "Take in a CSV file"),
                  "  siegel --purpose customer-care import contacts.csv --type contacts --rejects rejects.csv\n"
                  "  siegel import - --type contacts <contacts.csv",
                  [&session, words] { return run_import(session, *words); });
  command
      ->add_option("FILE", words->file,
                   session.text("CSV (UTF-8), - für die Standardeingabe", "CSV (UTF-8), - for standard input"))
      ->required();
  command->add_option("--type", words->type, session.text("Datensatztyp", "Record type"))->required();
  command->add_option(
      "--rejects", words->rejects,
      session.text("abgelehnte Zeilen mit Grund in diese Datei", "refused rows with their reason to this file"));
  command
      ->add_option("--decimal", words->decimal,
                   session.text("was Punkt und Komma in Zahlen bedeuten", "what point and comma mean in numbers"))
      ->check(CLI::IsMember({"auto", "comma", "point"}));
  command->add_flag("--ignore-unknown", words->ignore_unknown,
                    session.text("Spalten übergehen, die kein Feld sind", "pass over columns that are no field"));
  command->add_option("--run", words->run,
                      session.text("einen abgebrochenen Lauf fortsetzen", "go on with a run that broke off"));
}

}  // namespace siegel::ctl
