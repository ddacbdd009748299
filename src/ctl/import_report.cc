#include "ctl/import_report.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

namespace siegel::ctl {
namespace {

constexpr std::size_t kFailuresShown = 20;
constexpr std::uint64_t kRowsOfLongRun = 1000;
constexpr std::uint64_t kRowsPerLine = 100;
constexpr std::chrono::seconds kBetweenLines{10};

std::string sentence_of(const Output& out, const Fault& fault) {
  auto text = out.sentence(fault.code, fault.reason);
  auto more = out.value_reason(fault.why);
  if (!fault.choices.empty()) more += (more.empty() ? "" : " ") + ("(" + fault.choices + ")");
  if (more.empty()) return text;
  if (text.ends_with('.')) text.pop_back();
  return text + ": " + more + ".";
}

std::string reasons_of(const Output& output, const RowFailure& failure) {
  std::string out;
  for (const auto& fault : failure.faults) {
    if (!out.empty()) out += " | ";
    out += (failure.faults.size() > 1 && !fault.column.empty() ? fault.column + ": " : "") + fault.code + ": " +
           sentence_of(output, fault);
  }
  return out;
}

std::string columns_of(const RowFailure& failure) {
  std::string out;
  for (const auto& fault : failure.faults)
    if (!fault.column.empty()) out += (out.empty() ? "" : ", ") + fault.column;
  return out;
}

nlohmann::json object_of(const ImportFile& file, const ImportOutcome& outcome, const std::string& run,
                         std::uint64_t taken_back) {
  auto failures = nlohmann::json::array();
  for (const auto& [row, failure] : outcome.failures)
    for (const auto& fault : failure.faults)
      failures.push_back({{"row", row},
                          {"column", fault.column.empty() ? nlohmann::json() : nlohmann::json(fault.column)},
                          {"code", fault.code}});
  auto left = nlohmann::json::array();
  for (const auto& [row, record] : outcome.records)
    left.push_back({{"row", row}, {"record", record.empty() ? nlohmann::json() : nlohmann::json(record)}});
  return {
      {"run", run},
      {"rows_read", file.rows},
      {"rows_empty", file.rows_empty},
      {"counts",
       {{"new", outcome.taken}, {"changed", 0}, {"unchanged", outcome.repeated}, {"failed", outcome.failures.size()}}},
      {"known_people", outcome.known_people},
      {"taken_back", taken_back},
      {"not_taken_back", std::move(left)},
      {"failures", std::move(failures)},
      {"position", outcome.position}};
}

void show_failures(const Output& out, const ImportOutcome& outcome) {
  std::size_t shown_count = 0;
  for (const auto& [row, failure] : outcome.failures)
    for (const auto& fault : failure.faults) {
      if (shown_count++ == kFailuresShown) {
        std::cout << "  …\n";
        return;
      }
      std::cout << "  " << out.text("Zeile ", "row ") << row << (fault.column.empty() ? "" : ", " + fault.column)
                << ": " << sentence_of(out, fault) << " [" << fault.code << "]\n";
    }
}

}  // namespace

Progress::Progress(const Session& session, std::string run)
    : session_(session), run_(std::move(run)), next_(std::chrono::steady_clock::now() + kBetweenLines) {}

void Progress::show(const ImportFile& file) {
  if (!named_ && std::max(file.rows, file.rows_all) >= kRowsOfLongRun) {
    named_ = true;
    session_.out.say(session_.text("Lauf ", "Run ") + run_ +
                     session_.text(": bricht er ab, setzt dieselbe Datei mit --run ",
                                   ": if it breaks off, the same file with --run ") +
                     run_ + session_.text(" fort.", " goes on."));
  }
  if (isatty(STDERR_FILENO) != 0) {
    if (file.rows % kRowsPerLine == 0) line(file);
  } else if (const auto now = std::chrono::steady_clock::now(); now >= next_) {
    next_ = now + kBetweenLines;
    line(file);
  }
}

void Progress::line(const ImportFile& file) const {
  const auto text = session_.text("Zeilen: ", "rows: ") + std::to_string(file.rows) +
                    (file.rows_all == 0 ? "" : " / " + std::to_string(file.rows_all));
  if (isatty(STDERR_FILENO) != 0) {
    session_.out.progress(text);
  } else if (!session_.out.json()) {
    session_.out.say(text);
  }
}

void Progress::end() const { session_.out.progress(""); }

void report(const Session& session, const ImportFile& file, const ImportOutcome& outcome, const std::string& run,
            std::uint64_t taken_back) {
  const auto& out = session.out;
  const bool met_people = file.type.matches_people && outcome.known_people != 0 && taken_back == 0;
  if (out.json()) {
    out.item(object_of(file, outcome, run, taken_back));
  } else {
    const auto line = [&](const char* de, const char* en, std::uint64_t count) {
      std::cout << out.text(de, en) << count << '\n';
    };
    line("Zeilen gelesen:     ", "rows read:     ", file.rows);
    if (file.rows_empty != 0) line("davon leer:         ", "of them empty: ", file.rows_empty);
    line("aufgenommen:        ", "taken in:      ", outcome.taken);
    if (met_people) line("zu Bekannten:       ", "known people:  ", outcome.known_people);
    if (outcome.repeated != 0) line("schon vorhanden:    ", "already in:    ", outcome.repeated);
    if (taken_back != 0) line("zurückgenommen:     ", "taken back:    ", taken_back);
    line("abgelehnt:          ", "refused:       ", outcome.failures.size());
    show_failures(out, outcome);
  }
  if (met_people)
    out.say(
        (outcome.known_people == 1 ? session.text("1 Zeile gehört zu einer Person, die schon da war: sie",
                                                  "1 row belongs to a person who was there already: it")
                                   : std::to_string(outcome.known_people) +
                                         session.text(" Zeilen gehören zu Personen, die schon da waren: jede",
                                                      " rows belong to people who were there already: each")) +
        session.text(" ist ein weiterer Datensatz, auch wenn derselbe schon da ist. Mit --match wird mit vorhandenen "
                     "Datensätzen verglichen.",
                     " is one more record, even if the same one is there. With --match rows are compared with stored "
                     "records."));
}

Status write_rejects(const Session& session, OutputFile& to, const ImportFile& file, const ImportOutcome& outcome) {
  auto line = own_cells(file.columns, file.header);
  std::size_t width = line.size();
  for (const auto& [row, failure] : outcome.failures)
    width = std::max(width, own_cells(file.columns, failure.cells).size());
  line.resize(width);  // cells without a title get a column, so that those of the reason stand below theirs
  line.insert(line.end(), std::begin(kRejectColumns), std::end(kRejectColumns));
  std::string content = "\xEF\xBB\xBF" + sheet::csv_line(line, file.delimiter);
  for (const auto& [row, failure] : outcome.failures) {
    line = own_cells(file.columns, failure.cells);
    line.resize(width);
    line.insert(line.end(), {std::to_string(row), columns_of(failure), reasons_of(session.out, failure)});
    content += sheet::csv_line(line, file.delimiter);
  }
  return to.write(content);
}

}  // namespace siegel::ctl
