// import FILE: each row of a CSV file as one record.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "ctl/import_report.h"
#include "ctl/import_sheet.h"
#include "ctl/interruption.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::string file, more, type, rejects, run, decimal = "auto", bad_rows = "skip", create, cls, sheet, match;
  bool ignore_unknown = false, force = false, preview = false, yes = false;

  // The server takes the file in as a whole. A CSV file goes row by row where nothing asks for more: from a pipe as
  // well, and of any size.
  [[nodiscard]] bool whole() const {
    const bool asked = preview || !create.empty() || !sheet.empty() || !match.empty();
    return asked || file.ends_with(".xlsx") || file.ends_with(".ods") || file.ends_with(".tsv") ||
           file.ends_with(".ndjson");
  }
};

struct Import {
  const Session& session;
  const Words& words;
  OutputFile& rejects;
  ImportFile file;
};

sheet::DecimalSign sign_of(const Words& words) {
  if (words.decimal == "comma") return sheet::DecimalSign::comma;
  return words.decimal == "point" ? sheet::DecimalSign::point : sheet::DecimalSign::unknown;
}

Error interrupted(const char* what) { return Error(Errc::unavailable, "interrupted", what); }

// No file where there are no rejects. One that --force was to replace holds those of another try, so it is emptied.
Status keep_rejects(Import& import, const ImportOutcome& outcome) {
  const auto& words = import.words;
  const bool is_any_in = outcome.taken + outcome.repeated > 0;
  const bool is_stale = words.force && is_any_in && std::filesystem::is_regular_file(words.rejects);
  if (words.rejects.empty() || (outcome.failures.empty() && !is_stale)) return Done{};
  return write_rejects(import.session, import.rejects, import.file, outcome);
}

// Reads to the end before a row is sent. A file that breaks off in the middle takes nothing in, and with --bad-rows
// none neither does one with a bad row.
Result<ImportOutcome> check(Import& import, std::istream& in) {
  ImportOutcome out;
  sheet::CsvReader reader(in);
  SIEGEL_TRY(header, reader.next());
  auto& file = import.file;
  for (file.rows_all = 0;; ++file.rows_all) {
    if (Interruption::is_asked()) return interrupted("The import was stopped; nothing was sent.");
    SIEGEL_TRY(row, reader.next());
    if (!row) return out;
    auto body = read_row(file.columns, *row, sign_of(import.words));
    if (std::holds_alternative<EmptyRow>(body)) ++file.rows_empty;
    if (auto* failure = std::get_if<RowFailure>(&body)) out.failures.emplace(reader.row(), std::move(*failure));
  }
}

int refuse_all(Import& import, const ImportOutcome& outcome) {
  const auto& out = import.session.out;
  report(import.session, import.file, outcome, "");
  if (const auto written = keep_rejects(import, outcome); !written) return out.fail(written.error());
  return out.fail(Error(Errc::invalid, "rows_invalid",
                        "Nothing was taken in, because rows are bad; --bad-rows skip takes "
                        "in the others."));
}

// --bad-rows none, and the server refused what looked good here. The exit code.
int take_back(Import& import, ImportRun& sending, ImportOutcome& outcome, const std::string& run) {
  const auto& session = import.session;
  const auto& out = session.out;
  out.say(session.text("Der Server lehnt eine Zeile ab; was schon aufgenommen ist, wird zurückgenommen.",
                       "The server refuses a row; what is in already is taken back."));
  const auto removed = sending.take_back(outcome);
  const auto is_in = [](const auto& row) { return !row.second.empty(); };
  outcome.taken = static_cast<std::uint64_t>(std::ranges::count_if(outcome.records, is_in));
  outcome.repeated = 0;
  report(session, import.file, outcome, run, removed);
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
            (removed == 1 ? session.text(" Zeile.", " row.") : session.text(" Zeilen.", " rows.")) +
            session.text(" Ein neuer Versuch braucht einen neuen Lauf, ohne --run.",
                         " Another try is a new run, without --run."));
  }
  const auto written = keep_rejects(import, outcome);
  return written ? code : out.fail(written.error());
}

// --bad-rows none, and the server went away or Ctrl-C came: nothing is taken back then, and nobody shall believe it.
void tell_not_taken_back(const Session& session, const ImportOutcome& outcome) {
  const auto is_in = [](const auto& row) { return !row.second.empty(); };
  const auto in = static_cast<std::uint64_t>(std::ranges::count_if(outcome.records, is_in));
  const auto unsure = outcome.records.size() - in;
  auto line = session.text("--bad-rows none ist nicht eingehalten: nichts wurde zurückgenommen. Aufgenommen sind: ",
                           "--bad-rows none is not kept: nothing was taken back. Rows that are in: ") +
              std::to_string(in);
  if (unsure != 0)
    line += session.text("; unbekannt, ob aufgenommen: ", "; not known whether they are in: ") + std::to_string(unsure);
  session.out.say(line + session.text(". Alle Datensätze nennt --json (not_taken_back); --run vervollständigt sie.",
                                      ". --json names each record (not_taken_back); --run completes them."));
}

// How the run of the rows ended, beside what the server said.
struct Ending {
  std::optional<Error> broken;
  bool at_end = false;  // all rows were read
};

bool is_whole(const Import& import, const ImportOutcome& outcome, const Ending& ending) {
  const auto settled = outcome.taken + outcome.repeated + outcome.failures.size() + import.file.rows_empty;
  return ending.at_end && settled == import.file.rows;
}

int conclude(Import& import, ImportRun& sending, const std::string& run, const Ending& ending) {
  auto outcome = sending.finish();
  const auto& session = import.session;
  const auto& out = session.out;
  if (import.words.bad_rows == "none" && std::holds_alternative<Answer>(sending.cause()))
    return take_back(import, sending, outcome, run);
  const bool is_undisturbed = std::holds_alternative<std::monostate>(sending.cause()) && !ending.broken;
  if (is_undisturbed && is_whole(import, outcome, ending)) outcome.records.clear();  // there is nothing to take back
  const bool is_any_in = outcome.taken + outcome.repeated > 0;
  const bool is_refused = std::holds_alternative<Answer>(sending.cause()) && !is_any_in && outcome.failures.empty();
  if (!is_refused || out.json()) report(session, import.file, outcome, run);  // else the refusal tells all there is
  int code = outcome.failures.empty() ? exit_done : is_any_in ? exit_part : exit_usage;
  const bool is_stopped = Interruption::is_asked() && !is_whole(import, outcome, ending);
  if (ending.broken) code = out.fail(*ending.broken);
  if (const auto* answer = std::get_if<Answer>(&sending.cause()))
    code = out.fail(*answer, {"POST", sending.path(), "", {}});
  if (const auto* error = std::get_if<Error>(&sending.cause())) code = out.fail(*error);
  if (is_stopped) code = out.fail(interrupted("The import was stopped before all rows were sent."));
  const bool is_broken = is_stopped || (code != exit_done && code != exit_part && is_any_in);
  if (import.words.bad_rows == "none" && is_broken && !outcome.records.empty()) tell_not_taken_back(session, outcome);
  if (is_broken) {
    if (is_any_in) code = exit_part;
    out.say(session.text("Nicht alles wurde aufgenommen; dieselbe Datei mit --run ",
                         "Not all went in; the same file with --run ") +
            run +
            session.text(" setzt fort, ohne Zeilen doppelt aufzunehmen.", " goes on without taking rows in twice."));
  }
  if (const auto written = keep_rejects(import, outcome); !written) return out.fail(written.error());
  return code;
}

int send_rows(Import& import, sheet::CsvReader& reader) {
  const auto& words = import.words;
  auto& file = import.file;
  const std::string run = words.run.empty() ? random_key() : words.run;
  ImportRun sending(import.session.global, {.path = "/v1/record-types/" + segment(words.type) + "/records",
                                            .run = run,
                                            .default_purpose = file.type.default_purpose,
                                            .stop_at_refusal = words.bad_rows == "none",
                                            .is_interrupted = Interruption::is_asked});
  Progress progress(import.session, run);
  Ending ending;
  while (!Interruption::is_asked()) {
    auto row = reader.next();
    if (!row) ending.broken = row.error();
    ending.at_end = row && !*row;
    if (!row || !*row) break;
    ++file.rows;
    progress.show(file);
    auto body = read_row(file.columns, **row, sign_of(words));
    if (std::holds_alternative<EmptyRow>(body)) {
      ++file.rows_empty;
    } else if (auto* failure = std::get_if<RowFailure>(&body)) {
      sending.refuse(reader.row(), std::move(*failure));
    } else if (!sending.send({reader.row(), std::get<std::string>(std::move(body)), std::move(**row)})) {
      break;
    }
  }
  progress.end();
  return conclude(import, sending, run, ending);
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

int import_from(const Session& session, const Words& words, OutputFile& rejects, RecordType type, Source& source) {
  auto reader = std::make_unique<sheet::CsvReader>(*source.in);
  auto header = reader->next();
  if (!header) return session.out.fail(header.error());
  if (!*header) return session.out.fail(Error(Errc::invalid, "bad_csv", "The file is empty."));
  Import import{session, words, rejects, {}};
  auto& file = import.file;
  file.header = std::move(**header);
  file.delimiter = reader->delimiter();
  file.type = std::move(type);
  auto columns = match(file.type, file.header, words.ignore_unknown);
  if (!columns) return session.out.fail(columns.error());
  file.columns = std::move(*columns);
  if (source.twice) {
    const auto rewind = [&] {
      source.in->clear();
      source.in->seekg(0);
    };
    rewind();
    const auto checked = check(import, *source.in);
    if (!checked) return session.out.fail(checked.error());
    if (words.bad_rows == "none" && !checked->failures.empty()) {
      file.rows = file.rows_all;
      return refuse_all(import, *checked);
    }
    file.rows_empty = 0;
    rewind();
    reader = std::make_unique<sheet::CsvReader>(*source.in);
    if (auto again = reader->next(); !again) return session.out.fail(again.error());
  }
  return send_rows(import, *reader);
}

int import_whole(const Session& session, const Words& words) {
  if (!words.run.empty() || words.decimal != "auto")
    return session.out.usage(session.text("--run und --decimal sind für CSV, Zeile für Zeile.",
                                          "--run and --decimal are for CSV, row by row."));
  if (words.create.empty() == words.type.empty() && !words.preview)
    return session.out.usage(session.text("Entweder --type oder --create.", "Either --type or --create."));
  for (const auto* name : {&words.type, &words.create, &words.cls})
    if (!name->empty())
      if (const auto wrong = session.wrong_name(*name)) return *wrong;
  auto rejects = OutputFile::open(words.rejects, Overwrite(words.force), words.file);
  if (!rejects) return session.out.fail(rejects.error());
  return import_sheet(session,
                      {words.file, words.type, words.create, words.cls, words.sheet, words.match, words.bad_rows,
                       words.rejects, words.preview, words.yes, words.force, words.ignore_unknown},
                      *rejects);
}

int run_import(const Session& session, const Words& words) {
  if (words.file == "list" && words.more.empty()) return list_imports(session);
  if (words.file == "undo") {
    if (!words.more.empty()) return undo_import(session, words.more);
    return session.out.usage(
        session.text("Es fehlt die Kennung: siegel import undo im_…", "The id is missing: siegel import undo im_…"));
  }
  if (!words.more.empty()) return session.out.usage(session.text("Eine Datei auf einmal.", "One file at a time."));
  if (words.whole()) return import_whole(session, words);
  if (words.type.empty())
    return session.out.usage(session.text("Es fehlt --type; `siegel type list` zeigt die Typen.",
                                          "--type is missing; `siegel type list` shows the types."));
  if (const auto wrong = session.wrong_name(words.type)) return *wrong;
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!words.run.empty() && (words.run.size() != 32 || !std::ranges::all_of(words.run, is_hex)))
    return session.out.usage(
        session.text("--run ist die Nummer, die der abgebrochene Lauf genannt hat: 32 Ziffern 0-9, a-f.",
                     "--run is the number that the broken run named: 32 digits 0-9, a-f."));
  const Interruption interruption;
  Source source;
  if (const auto opened = open(source, words); !opened) return session.out.fail(opened.error());
  auto rejects = OutputFile::open(words.rejects, Overwrite(words.force), words.file);
  if (!rejects) return session.out.fail(rejects.error());
  return session.call(
      {"GET", "/v1/record-types/" + segment(words.type), "", {}, Thing::type, words.type}, [&](const Answer& answer) {
        auto type = read_type(parse(answer.body));
        return type ? import_from(session, words, *rejects, std::move(*type), source) : session.out.fail(type.error());
      });
}

}  // namespace

void add_import(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* command =
      add_command(app, session, "import",
                  session.text("CSV-Datei aufnehmen; jede Zeile wird ein neuer Datensatz, auch beim zweiten Mal",
                               "Take in a CSV file; each row becomes a new record, a second time too"),
                  "  siegel --purpose customer-care import contacts.csv --type contacts --rejects rejects.csv\n"
                  "  siegel import - --type contacts <contacts.csv\n"
                  "  siegel import contacts.csv --type contacts --run 5ad5f8ff05533f9eedc37144fcb991a8\n"
                  "  siegel import contacts.xlsx --type contacts --match e-mail --preview\n"
                  "  siegel import guests.xlsx --create guests --class customer\n"
                  "  siegel import list\n"
                  "  siegel import undo im_…",
                  [&session, words] {
                    session.type = words->type;  // whose default purpose counts
                    return run_import(session, *words);
                  });
  command
      ->add_option("FILE", words->file,
                   session.text("CSV, TSV, XLSX, ODS oder NDJSON, - für CSV von der Standardeingabe; oder list, undo",
                                "CSV, TSV, XLSX, ODS or NDJSON, - for CSV from standard input; or list, undo"))
      ->required();
  command->add_option("MORE", words->more)->group("");
  command->add_option("--type", words->type, session.text("Datensatztyp", "Record type"));
  command
      ->add_option("--bad-rows", words->bad_rows,
                   session.text("skip: die übrigen aufnehmen; none: keine, wenn eine schlecht ist",
                                "skip: take in the others; none: take in none if one is bad"))
      ->check(CLI::IsMember({"skip", "none"}));
  command->add_option("--create", words->create,
                      session.text("einen neuen Typ aus der Datei machen", "make a new type of the file"));
  command->add_option("--class", words->cls,
                      session.text("Löschklasse des neuen Typs", "Deletion class of the new type"));
  command->add_option("--sheet", words->sheet, session.text("Tabellenblatt", "Sheet of a workbook"));
  command->add_option("--match", words->match,
                      session.text("Zeilen mit gleichem Wert ändern den Datensatz, statt einen neuen zu machen",
                                   "rows of an equal value change the record instead of making a new one"));
  command->add_flag("--preview", words->preview,
                    session.text("nur ansehen, nichts übernehmen", "look only, take nothing in"));
  command->add_flag("--yes", words->yes, session.text("ohne Rückfrage", "without asking"));
  command->add_option(
      "--rejects", words->rejects,
      session.text("abgelehnte Zeilen mit Grund in diese Datei", "refused rows with their reason to this file"));
  add_force(*command, session, words->force);
  command
      ->add_option("--decimal", words->decimal,
                   session.text("was Punkt und Komma in Zahlen bedeuten", "what point and comma mean in numbers"))
      ->check(CLI::IsMember({"auto", "comma", "point"}));
  command->add_flag("--ignore-unknown", words->ignore_unknown,
                    session.text("Spalten übergehen, die kein Feld sind", "pass over columns that are no field"));
  command->add_option(
      "--run", words->run,
      session.text("einen abgebrochenen Lauf derselben Datei fortsetzen, ohne Zeilen doppelt aufzunehmen",
                   "go on with a run of the same file that broke off, without taking rows in twice"));
}

}  // namespace siegel::ctl
