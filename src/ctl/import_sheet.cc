#include "ctl/import_sheet.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "ctl/import_rows.h"
#include "ctl/interruption.h"

namespace siegel::ctl {
namespace {

using nlohmann::json;

constexpr std::size_t kShown = 20;
constexpr std::chrono::milliseconds kBetweenLooks{200};
constexpr std::chrono::seconds kPauseMax{5};
constexpr std::chrono::seconds kAwayMax{60};  // a server that does not answer
constexpr std::array<const char*, 4> kCounts = {"new", "changed", "unchanged", "failed"};

const char* media_of(const std::string& file) {
  constexpr const char* kMedia[][2] = {{".csv", "text/csv"},
                                       {".tsv", "text/tab-separated-values"},
                                       {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
                                       {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
                                       {".ndjson", "application/x-ndjson"}};
  for (const auto& [ending, media] : kMedia)
    if (file.ends_with(ending)) return media;
  return "application/octet-stream";  // by its content
}

std::string path_of(const SheetWords& words) {
  std::string out = "/v1/imports";
  char separator = '?';
  for (const auto& [name, value] :
       {std::pair("type", &words.type), std::pair("match", &words.match), std::pair("sheet", &words.sheet)}) {
    if (value->empty()) continue;
    out += separator + std::string(name) + "=" + segment(*value);
    separator = '&';
  }
  return out;
}

std::string id_of(const json& import) { return import.value("import", ""); }

std::uint64_t count_of(const json& import, const char* name) {
  return import.contains("counts") ? import["counts"].value(name, std::uint64_t{0}) : 0;
}

void show_counts(const Output& out, const json& import) {
  json row;
  for (const auto* name : kCounts) row[name] = count_of(import, name);
  out.table({kCounts.begin(), kCounts.end()}, {row});
}

std::string sentence_of(const Output& out, const std::string& code) {
  auto reason = out.value_reason(code);
  return reason.empty() ? out.sentence(code, code) : reason;
}

// As many as are shown, and that there are more.
void show_lines(const Output& out, const json& items, const std::function<void(const json&)>& show) {
  const auto count = std::min(items.size(), kShown);
  for (std::size_t i = 0; i < count; ++i) show(items[i]);
  if (items.size() > count)
    std::cout << out.text("  und weitere; --json nennt sie\n", "  and more; --json names them\n");
}

void show_failures(const Output& out, const json& preview) {
  show_lines(out, preview.value("failures", json::array()), [&](const json& failure) {
    const auto code = failure.value("code", "");
    std::cout << "  " << out.text("Zeile ", "row ") << failure.value("row", 0);
    if (failure.contains("column") && failure["column"].is_string()) std::cout << ", " << shown(failure["column"]);
    std::cout << ": " << sentence_of(out, code) << " [" << code << "]\n";
  });
}

bool is_used(const json& column) { return column.contains("field") && column["field"].is_string(); }

// It got its number as a title.
bool is_untitled(const std::string& title, std::size_t at) {
  const auto number = std::to_string(at + 1);
  return title == "Spalte " + number || title == "Column " + number;
}

// A line that ends with a delimiter makes a column that holds nothing.
bool is_empty(const json& column) {
  if (!column.contains("cells")) return column.value("examples", json::array()).empty();  // an older server
  return column.value("cells", std::uint64_t{0}) == 0;
}

// Columns of the file whose values would go nowhere.
std::vector<std::string> unknown_columns(const json& preview) {
  std::vector<std::string> out;
  const auto columns = preview.value("columns", json::array());
  std::vector<std::string> titles;
  for (const auto& column : columns) titles.push_back(column.value("title", ""));
  for (auto i = ids_of_export(titles); i < columns.size(); ++i) {
    const auto& column = columns[i];
    const auto& title = titles[i];
    if (is_used(column) || is_of_rejects(title, i + 1 == columns.size())) continue;
    if (!is_untitled(title, i) || !is_empty(column)) out.push_back(title);
  }
  return out;
}

// Columns without a title that may be what rows fail for: the server refuses a cell there that the preview shows none
// of, unless it is told to leave the column out.
std::vector<std::string> refused_columns(const json& preview) {
  std::vector<std::string> out;
  if (count_of(preview, "failed") == 0) return out;
  const auto columns = preview.value("columns", json::array());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto title = columns[i].value("title", "");
    if (!is_used(columns[i]) && is_untitled(title, i) && !is_empty(columns[i])) out.push_back(title);
  }
  return out;
}

void show_preview(const Output& out, const json& preview) {
  std::vector<json> rows;
  for (const auto& column : preview.value("columns", json::array())) {
    auto row = column;
    const auto examples = column.value("examples", json::array());
    row["example"] = examples.empty() ? json("") : examples.front();
    rows.push_back(std::move(row));
  }
  out.table({"title", "field", "type", "reason", "cells", "exceptions", "example"}, rows);
  std::cout << '\n';
  show_counts(out, preview);
  show_failures(out, preview);
  show_lines(out, preview.value("changes", json::array()), [&](const json& change) {
    std::cout << "  " << out.text("Zeile ", "row ") << change.value("row", 0) << ", " << change.value("field", "")
              << ": " << shown(change.value("old", json())) << " → " << shown(change.value("new", json())) << '\n';
  });
}

// Asked on a terminal only.
bool is_confirmed(const Session& session, const SheetWords& words, const json& preview) {
  if (words.yes || session.global.json || isatty(STDIN_FILENO) == 0 || words.file == "-") return true;
  show_preview(session.out, preview);
  std::cerr << session.text("Übernehmen? [ja/nein] ", "Take over? [yes/no] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "ja" || answer == "yes" || answer == "j" || answer == "y";
}

// What is under way goes on whether the server answers or not, so whoever asks about it asks again while the server is
// busy or away.
Result<Answer> ask_patiently(const Session& session, Client& connection, const Request& request) {
  std::chrono::milliseconds pause = kBetweenLooks;
  for (const auto until = std::chrono::steady_clock::now() + kAwayMax;;) {
    auto answer = session.send(connection, request);
    const bool is_busy =
        answer ? answer->status == 429 || answer->status == 503 : answer.error().category() == Errc::unavailable;
    if (!is_busy || std::chrono::steady_clock::now() + pause > until) return answer;
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::milliseconds>(pause * 2, kPauseMax);
  }
}

Request drop_of(const std::string& id) {
  return {"DELETE", "/v1/imports/" + segment(id), "", {"Idempotency-Key: " + random_key()}};
}

void drop(const Session& session, const std::string& id) {
  auto connection = session.client();
  (void)session.send(connection, drop_of(id));
}

json commit_body(const SheetWords& words) {
  json out = {{"bad_rows", words.bad_rows}};
  if (!words.create.empty()) out["create_type"] = words.create;
  if (!words.cls.empty()) out["class"] = words.cls;
  return out;
}

// Until it has ended; stopped, it is cancelled.
Result<Answer> follow(const Session& session, const std::string& id, std::uint64_t rows) {
  auto connection = session.client();
  bool cancelled = false;
  for (;;) {
    SIEGEL_TRY(answer, ask_patiently(session, connection, {"GET", "/v1/imports/" + segment(id), "", {}}));
    const auto now = parse(answer.body);
    if (!answer.ok() || !now.is_object() || now.value("state", "") != "committing") {
      session.out.progress("");
      return answer;
    }
    if (Interruption::is_asked() && !cancelled) {
      cancelled = true;
      SIEGEL_TRY(dropped, ask_patiently(session, connection, drop_of(id)));
      if (!dropped.ok() && dropped.status != 409) return dropped;  // 409: it has ended meanwhile
      continue;
    }
    session.out.progress(std::to_string(now.value("done", std::uint64_t{0})) + "/" + std::to_string(rows));
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

// The same file again, as a form that names the columns.
void leave_out(const std::vector<std::string>& titles, const std::string& media, Request& upload) {
  json columns = json::object();
  for (const auto& title : titles) columns[title] = nullptr;
  const auto boundary = random_key();
  const auto part = [&](const char* name, const std::string& type) {
    return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\nContent-Type: " + type +
           "\r\n\r\n";
  };
  upload.body.insert(
      0, part("options", "application/json") + json{{"columns", columns}}.dump() + "\r\n" + part("file", media));
  upload.body.append("\r\n--" + boundary + "--\r\n");
  upload.headers = {"Content-Type: multipart/form-data; boundary=" + boundary, "Idempotency-Key: " + random_key()};
}

int write_rejects(const Session& session, const std::string& id, OutputFile& file) {
  return session.call({"GET", "/v1/imports/" + segment(id) + "/rejects", "", {}}, [&](const Answer& answer) {
    const auto written = file.write(answer.body);
    return written ? exit_done : session.out.fail(written.error());
  });
}

// It was not begun, failed or was cancelled: nothing is in.
int not_taken(const Session& session, const json& import) {
  const auto code = import.value("error", "");
  if (code == "rows_invalid") {
    session.out.fail(Error(Errc::invalid, "rows_invalid",
                           "Nothing was taken in, because rows are bad; --bad-rows skip takes in the others."));
    return exit_usage;
  }
  if (import.value("state", "") == "cancelled")
    return session.out.fail(Error(Errc::unavailable, "interrupted", "The import was cancelled; nothing is in."));
  if (code.empty()) return session.out.fail(Error(Errc::unavailable, "not_taken", "Nothing was taken in."));
  // Of what went wrong after the answer to the commit, the server keeps the code.
  Answer refused;
  refused.status = 422;
  refused.body = json{{"status", 422}, {"code", code}, {"title", "Nothing was taken in"}}.dump();
  return session.out.fail(refused);
}

int conclude(const Session& session, const SheetWords& words, OutputFile& rejects, const json& preview,
             const Answer& ended) {
  const auto& out = session.out;
  const auto done = parse(ended.body);
  if (!ended.ok() || !done.is_object()) return out.fail(ended);
  if (done.value("state", "") == "previewed") drop(session, id_of(done));  // it could not begin
  if (done.value("state", "") != "finished") return not_taken(session, done);
  if (out.json()) {
    out.object(done);
  } else {
    std::cout << id_of(done) << '\n';
    show_counts(out, done);
    show_failures(out, preview);
  }
  const auto failed = count_of(done, "failed");
  // No file where there are no rejects. One that --force was to replace holds those of another try, so it is emptied.
  const bool is_stale = words.force && std::filesystem::is_regular_file(words.rejects);
  if (!words.rejects.empty() && (failed > 0 || is_stale))
    if (const int code = write_rejects(session, id_of(done), rejects); code != exit_done) return code;
  if (failed == 0) return exit_done;
  return count_of(done, "new") + count_of(done, "changed") + count_of(done, "unchanged") > 0 ? exit_part : exit_usage;
}

int take_over(const Session& session, const SheetWords& words, OutputFile& rejects, const json& preview) {
  const auto id = id_of(preview);
  if (const auto unknown = unknown_columns(preview); !words.ignore_unknown && !unknown.empty()) {
    drop(session, id);
    return session.out.fail(unknown_column(unknown));
  }
  if (!is_confirmed(session, words, preview)) {
    drop(session, id);
    session.out.say(session.text("Nichts übernommen.", "Nothing was taken in."));
    return exit_refused;
  }
  Request request{"POST",
                  "/v1/imports/" + segment(id) + "/commit",
                  commit_body(words).dump(),
                  {"Idempotency-Key: " + random_key()}};
  auto connection = session.client();
  const auto begun = session.send(connection, request);
  if (!begun || !begun->ok()) {
    drop(session, id);
    return begun ? session.out.fail(*begun, request) : session.out.fail(begun.error());
  }
  const auto ended = follow(session, id, preview.value("rows_read", std::uint64_t{0}));
  if (!ended || !ended->ok()) {
    const int code = ended ? session.out.fail(*ended) : session.out.fail(ended.error());
    std::cerr << session.text("Der Import geht vielleicht weiter; siegel import list zeigt, wie er endet: ",
                              "The import may be going on; siegel import list shows how it ends: ")
              << id << '\n';
    return code;
  }
  return conclude(session, words, rejects, preview, *ended);
}

}  // namespace

int import_sheet(const Session& session, const SheetWords& words, OutputFile& rejects) {
  const Interruption interruption;
  auto content = read_input(words.file);
  if (!content) return session.out.fail(content.error());
  Request request{"POST",
                  path_of(words),
                  std::move(*content),
                  {std::string("Content-Type: ") + media_of(words.file), "Idempotency-Key: " + random_key()},
                  words.type.empty() ? Thing::none : Thing::type,
                  words.type};
  const auto go_on = [&](const Answer& answer) {
    const auto preview = parse(answer.body);
    if (!preview.is_object()) return session.out.fail(answer);
    if (!words.preview) return take_over(session, words, rejects, preview);
    drop(session, id_of(preview));
    if (session.out.json())
      session.out.object(preview);
    else
      show_preview(session.out, preview);
    return exit_done + 0;
  };
  std::vector<std::string> left_out;
  const int code = session.call(request, [&](const Answer& answer) {
    const auto preview = parse(answer.body);
    if (words.ignore_unknown && preview.is_object()) left_out = refused_columns(preview);
    if (left_out.empty()) return go_on(answer);
    drop(session, id_of(preview));
    return exit_done + 0;
  });
  if (left_out.empty()) return code;
  leave_out(left_out, media_of(words.file), request);
  return session.call(request, go_on);
}

int list_imports(const Session& session) {
  const Request request{"GET", "/v1/imports", "", {}};
  if (session.out.json()) return session.list(request, {}, 0);
  std::vector<json> rows;
  const int code = session.each(request, 0, [&](const json& item) {
    auto row = item;
    for (const auto* name : kCounts) row[name] = count_of(item, name);
    rows.push_back(std::move(row));
  });
  if (code == exit_done)
    session.out.table({"import", "state", "type", "at", "new", "changed", "unchanged", "failed"}, rows);
  return code;
}

int undo_import(const Session& session, const std::string& id) {
  Request request{"POST", "/v1/imports/" + segment(id) + "/undo?wait=true", "", {"Idempotency-Key: " + random_key()}};
  return session.call(request, [&](const Answer& answer) {
    const auto done = parse(answer.body);
    if (session.out.json()) {
      session.out.object(done);
    } else {
      session.out.table({"removed", "restored", "kept"}, {done.value("undone", json::object())});
      for (const auto& kept : done.value("kept", json::array()))
        std::cout << "  " << session.text("Zeile ", "row ") << kept.value("row", 0) << ": " << kept.value("reason", "")
                  << (kept.contains("record") && kept["record"].is_string() ? " " + shown(kept["record"]) : "") << '\n';
    }
    const auto undone = done.value("undone", json::object());
    return undone.value("kept", 0) > 0 ? exit_part + 0 : exit_done + 0;
  });
}

}  // namespace siegel::ctl
