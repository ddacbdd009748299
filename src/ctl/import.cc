// import FILE: each row of a CSV file as one record.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "ctl/fields.h"
#include "ctl/import_run.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::string file, more, type, rejects, run, decimal = "auto", bad_rows = "skip";
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
                   "A column is no field of the type; --ignore-unknown passes it over, `siegel type show` names the "
                   "fields.")
          .with("column", i + 1);  // not its title: a file without a header has a person there
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
  std::uint64_t rows_all = 0;  // 0: not known, the rows come from a pipe
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
    line.insert(line.end(), {std::to_string(row), failure.column,
                             failure.code + ": " + import.session.out.sentence(failure.code, failure.reason)});
    content += sheet::csv_line(line, import.delimiter);
  }
  return write_output(import.words.rejects, content);
}

void report(const Import& import, const ImportOutcome& outcome, const std::string& run, std::uint64_t taken_back = 0) {
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
              {"taken_back", taken_back},
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
  if (taken_back != 0) line("zurückgenommen:     ", "taken back:    ", taken_back);
  line("abgelehnt:          ", "refused:       ", outcome.failures.size());
  std::size_t shown_count = 0;
  for (const auto& [row, failure] : outcome.failures) {
    if (shown_count++ == kFailuresShown) {
      std::cout << "  …\n";
      break;
    }
    std::cout << "  " << out.text("Zeile ", "row ") << row << (failure.column.empty() ? "" : ", " + failure.column)
              << ": " << out.sentence(failure.code, failure.reason) << " [" << failure.code << "]\n";
  }
}

// Reads to the end before a row is sent. A file that breaks off in the middle takes nothing in, and with --bad-rows
// none neither does one with a bad row.
Result<ImportOutcome> check(Import& import, std::istream& in) {
  ImportOutcome out;
  sheet::CsvReader reader(in);
  SIEGEL_TRY(header, reader.next());
  for (import.rows_all = 0;; ++import.rows_all) {
    SIEGEL_TRY(row, reader.next());
    if (!row) return out;
    auto body = body_of(import, *row);
    if (auto* failure = std::get_if<RowFailure>(&body)) out.failures.emplace(reader.row(), std::move(*failure));
  }
}

int refuse_all(const Import& import, const ImportOutcome& outcome) {
  const auto& out = import.session.out;
  report(import, outcome, "");
  if (const auto written = write_rejects(import, outcome); !written) return out.fail(written.error());
  return out.fail(Error(Errc::invalid, "rows_invalid",
                        "Nothing was taken in, because rows are bad; --bad-rows skip takes "
                        "in the others."));
}

// --bad-rows none, and the server refused what looked good here. The exit code.
int take_back(const Import& import, ImportRun& sending, ImportOutcome& outcome, const std::string& run) {
  const auto& session = import.session;
  const auto& out = session.out;
  const auto in = outcome.records.size();
  out.say(session.text("Der Server lehnt eine Zeile ab; was schon aufgenommen ist, wird zurückgenommen.",
                       "The server refuses a row; what is in already is taken back."));
  const auto removed = sending.take_back(outcome);
  outcome.taken = in - removed;
  outcome.repeated = 0;
  report(import, outcome, run, removed);
  int code = out.fail(std::get<Answer>(sending.cause()));
  if (!outcome.records.empty()) {
    code = exit_part;
    out.say(session.text("Nicht zurückgenommen: ", "Not taken back: ") + std::to_string(outcome.records.size()));
    for (const auto& [row, record] : outcome.records)
      out.say("  " + std::string(session.text("Zeile ", "row ")) + std::to_string(row) + ": " +
              (record.empty() ? session.text("unbekannt, ob aufgenommen", "not known whether it is in") : record));
  } else if (removed > 0) {
    out.say(session.text("Es ist nichts aufgenommen; im Protokoll bleiben Aufnahme und Rücknahme von ",
                         "Nothing is in; the log keeps that they came and went: ") +
            std::to_string(removed) +
            session.text(" Zeilen. Ein neuer Versuch braucht einen neuen Lauf, ohne --run.",
                         " rows. Another try is a new run, without --run."));
  }
  const auto written = write_rejects(import, outcome);
  return written ? code : out.fail(written.error());
}

int conclude(const Import& import, ImportRun& sending, const std::string& run, const std::optional<Error>& broken) {
  auto outcome = sending.finish();
  const auto& out = import.session.out;
  out.progress("");
  if (import.words.bad_rows == "none" && std::holds_alternative<Answer>(sending.cause()))
    return take_back(import, sending, outcome, run);
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
  const std::string run = words.run.empty() ? random_key() : words.run;
  ImportRun sending(import.session.global, {.path = "/v1/record-types/" + segment(words.type) + "/records",
                                            .run = run,
                                            .default_purpose = import.type.default_purpose,
                                            .stop_at_refusal = words.bad_rows == "none"});
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
      import.session.out.progress(import.session.text("Zeilen: ", "rows: ") + std::to_string(import.rows) +
                                  (import.rows_all == 0 ? "" : " / " + std::to_string(import.rows_all)));
  }
  return conclude(import, sending, run, broken);
}

// The file, or standard input; the latter whole in memory where it is read twice.
struct Source {
  std::ifstream file;
  std::istringstream kept;
  std::istream* in = &std::cin;
  bool twice = false;  // can be read again from its beginning
};

Status open(Source& source, const Words& words) {
  const Error unreadable = Error(Errc::invalid, "no_file", "The file cannot be read.").with("file", words.file);
  if (words.file != "-") {
    source.file.open(words.file, std::ios::binary);
    source.file.peek();  // a directory opens, and cannot be read
    if (!source.file && !source.file.eof()) return unreadable;
    source.file.clear();
    source.in = &source.file;
    source.file.seekg(0, std::ios::end);
    source.twice = source.file.good();  // not of a pipe
    source.file.clear();
    if (source.twice) source.file.seekg(0);
  } else if (words.bad_rows == "none") {
    SIEGEL_TRY(content, read_input("-"));
    source.kept.str(std::move(content));
    source.in = &source.kept;
    source.twice = true;
  }
  return Done{};
}

int import_from(const Session& session, const Words& words, RecordType type, Source& source) {
  auto reader = std::make_unique<sheet::CsvReader>(*source.in);
  auto header = reader->next();
  if (!header) return session.out.fail(header.error());
  if (!*header) return session.out.fail(Error(Errc::invalid, "bad_csv", "The file is empty."));
  Import import{session, words, std::move(type), {}, std::move(**header), reader->delimiter()};
  auto columns = match(import.type, import.header, words.ignore_unknown);
  if (!columns) return session.out.fail(columns.error());
  import.columns = std::move(*columns);
  if (source.twice) {
    const auto rewind = [&] {
      source.in->clear();
      source.in->seekg(0);
    };
    rewind();
    const auto checked = check(import, *source.in);
    if (!checked) return session.out.fail(checked.error());
    import.rows = import.rows_all;
    if (words.bad_rows == "none" && !checked->failures.empty()) return refuse_all(import, *checked);
    import.rows = 0;
    rewind();
    reader = std::make_unique<sheet::CsvReader>(*source.in);
    if (auto again = reader->next(); !again) return session.out.fail(again.error());
  }
  return send_rows(import, *reader);
}

int run_import(const Session& session, const Words& words) {
  if (!words.more.empty()) return session.out.usage(session.text("Eine Datei auf einmal.", "One file at a time."));
  if (words.type.empty())
    return session.out.usage(session.text("Es fehlt --type; `siegel type list` zeigt die Typen.",
                                          "--type is missing; `siegel type list` shows the types."));
  Source source;
  if (const auto opened = open(source, words); !opened) return session.out.fail(opened.error());
  return session.call({"GET", "/v1/record-types/" + segment(words.type), "", {}}, [&](const Answer& answer) {
    auto type = read_type(parse(answer.body));
    return type ? import_from(session, words, std::move(*type), source) : session.out.fail(type.error());
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
  command->add_option("MORE", words->more)->group("");
  command->add_option("--type", words->type, session.text("Datensatztyp", "Record type"));
  command
      ->add_option("--bad-rows", words->bad_rows,
                   session.text("skip: die übrigen aufnehmen; none: keine, wenn eine schlecht ist",
                                "skip: take in the others; none: take in none if one is bad"))
      ->check(CLI::IsMember({"skip", "none"}));
  session.later_values.push_back({command, "FILE", {"list", "undo"}, Work::sheets});
  add_later_flags(*command, session, {"--create", "--class", "--sheet", "--match", "--preview", "--yes"});
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
