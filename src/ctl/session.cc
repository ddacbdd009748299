#include "ctl/session.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <sstream>

#include "base/text.h"
#include "ctl/arguments.h"

namespace siegel::ctl {
namespace {

constexpr std::size_t kPageItems = 200;
constexpr int kDepthMax = 32;  // of JSON, as the server takes it

std::string code_of(const Answer& answer) {
  if (answer.ok()) return {};
  const auto problem = parse(answer.body);
  return problem.is_object() ? problem.value("code", "") : std::string();
}

// What the server says a page may hold, if that is why it refused; else 0.
std::size_t page_items_most(const Answer& answer) {
  if (answer.status != 400) return 0;
  const auto problem = parse(answer.body);
  const auto limit = problem.is_object() ? problem.find("limit") : problem.end();
  if (limit == problem.end() || !limit->is_object() || limit->value("name", "") != "page_items_max") return 0;
  return limit->value("value", std::size_t{0});
}

}  // namespace

Client Session::client() const {
  auto with_purpose = global;
  if (with_purpose.purpose.empty()) with_purpose.purpose = found_purpose_;
  return Client(with_purpose);
}

Result<Answer> Session::send(Client& connection, const Request& request, const Sink* sink) const {
  auto answer = connection.send(request, sink);
  if (!answer || !global.purpose.empty() || !found_purpose_.empty() || code_of(*answer) != "purpose_missing")
    return answer;
  found_purpose_ = default_purpose(connection);
  if (found_purpose_.empty()) return answer;
  connection = client();
  return connection.send(request, sink);
}

std::string Session::default_purpose(Client& connection) const {
  const auto purpose_of = [](const nlohmann::json& definition) {
    const auto it = definition.is_object() ? definition.find("default_purpose") : definition.end();
    return it != definition.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  const auto answer = connection.send({"GET", "/v1/record-types" + (type.empty() ? "" : "/" + segment(type)), "", {}});
  if (!answer || !answer->ok()) return {};
  const auto body = parse(answer->body);
  if (!type.empty()) return purpose_of(body);
  const auto items = body.is_object() ? body.find("items") : body.end();
  if (items == body.end() || !items->is_array() || items->empty()) return {};
  const bool is_whole = !body.contains("next") || body["next"].is_null();
  const auto first = purpose_of(items->front());
  const bool same =
      std::all_of(items->begin(), items->end(), [&](const auto& item) { return purpose_of(item) == first; });
  return is_whole && same ? first : std::string();
}

int Session::call(const Request& request, const std::function<int(const Answer&)>& then) const {
  auto connection = client();
  const auto answer = send(connection, request);
  if (!answer) return out.fail(answer.error());
  if (!answer->ok()) return out.fail(*answer, request);
  return then(*answer);
}

int Session::show(const Request& request) const {
  return call(request, [this](const Answer& answer) {
    if (!answer.body.empty()) out.object(parse(answer.body));
    return exit_done;
  });
}

int Session::change(const Request& request) const {
  Request once = request;
  once.headers.push_back("Idempotency-Key: " + random_key());
  return show(once);
}

int Session::each(const Request& request, std::optional<std::size_t> limit,
                  const std::function<void(const nlohmann::json&)>& take,
                  const std::function<void(const nlohmann::json&)>& page_told) const {
  const auto& path = request.path;
  auto connection = client();
  const std::size_t items_max = limit.value_or(0);
  const std::string separator = path.find('?') == std::string::npos ? "?" : "&";
  std::string cursor;
  std::size_t count = 0;
  std::size_t page_items = kPageItems;
  bool more = true;
  do {
    // No more than wanted: each person on a page is a trace in the ledger.
    if (items_max != 0) page_items = std::min(page_items, items_max - count);
    Request page{request.method, path, "", {}};
    if (request.method == "POST") {
      auto body = parse(request.body);
      if (limit) body["limit"] = page_items;
      if (!cursor.empty()) body["cursor"] = cursor;
      page.body = body.dump();
    } else {
      if (limit) page.path += separator + "limit=" + std::to_string(page_items);
      if (!cursor.empty()) page.path += (limit ? "&" : separator) + "cursor=" + segment(cursor);
    }
    const auto answer = send(connection, page);
    if (!answer) return out.fail(answer.error());
    if (const auto most = page_items_most(*answer); limit && most != 0 && most < page_items) {
      page_items = most;
      continue;
    }
    if (!answer->ok()) return out.fail(*answer, request);
    const auto body = parse(answer->body);
    if (!body.is_object() || !body.contains("items") || !body["items"].is_array())
      return out.fail(Error(Errc::unavailable, "bad_answer", "The server's answer is not a list."));
    if (page_told) page_told(body);
    for (const auto& entry : body["items"]) {
      if (items_max != 0 && count == items_max) break;
      ++count;
      take(entry);
    }
    const auto next = body.find("next");
    cursor = next != body.end() && next->is_string() ? next->get<std::string>() : "";
    more = !cursor.empty();
  } while (more && (items_max == 0 || count < items_max));
  return exit_done;
}

int Session::list(const Request& request, const std::vector<std::string>& columns,
                  std::optional<std::size_t> limit) const {
  if (out.json()) return each(request, limit, [this](const auto& item) { out.item(item); });
  std::vector<nlohmann::json> rows;
  const int code = each(request, limit, [&](const auto& item) { rows.push_back(item); });
  if (code == exit_done) out.table(columns, rows);
  return code;
}

bool Session::confirmed(bool yes, const char* question_de, const char* question_en) const {
  if (yes) return true;
  if (isatty(STDIN_FILENO) == 0) return false;
  std::cerr << text(question_de, question_en) << text(" Fortfahren? [ja/nein] ", " Go on? [yes/no] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "ja" || answer == "yes" || answer == "j" || answer == "y";
}

std::optional<int> Session::wrong_name(const std::string& name) const {
  if (is_name(name)) return {};
  return out.usage(text("Ein Name besteht aus a-z, 0-9 und -, beginnend mit einem Buchstaben, etwa ",
                        "A name is a-z, 0-9 and -, beginning with a letter, such as ") +
                   suggested_name(name) + ".");
}

int Session::not_yet() const {
  struct Text {
    const char *de, *en;
  };
  const auto said = [this]() -> Text {
    switch (later_work) {
      case Work::sheets:
        return {"Das kann diese Version noch nicht: es kommt mit den Tabellen.",
                "This version cannot do that yet: it comes with sheets."};
      case Work::deletion:
        return {"Das kann diese Version noch nicht: es kommt mit dem Löschen.",
                "This version cannot do that yet: it comes with deletion."};
      case Work::proofs:
        return {"Das kann diese Version noch nicht: es kommt mit den Beweisen.",
                "This version cannot do that yet: it comes with proofs."};
      case Work::kafka:
        return {"Das kann diese Version noch nicht: es kommt mit Kafka.",
                "This version cannot do that yet: it comes with kafka."};
      case Work::messages:
        return {"Das kann diese Version noch nicht: es kommt mit den Nachrichten.",
                "This version cannot do that yet: it comes with messages."};
    }
    return {};
  }();
  return out.not_yet(text(said.de, said.en), later);
}

CLI::App* add_command(CLI::App& app, Session& session, const char* name, const char* help, const char* examples,
                      std::function<int()> work) {
  auto* command = app.add_subcommand(name, help);
  command->footer(std::string(session.text("Beispiele:\n", "Examples:\n")) + examples);
  command->callback([&session, work = std::move(work)] { session.action = work; });
  return command;
}

CLI::App* add_group(CLI::App& app, const char* name, const char* help) {
  auto* group = app.add_subcommand(name, help);
  group->require_subcommand(1);
  return group;
}

void add_later_flags(CLI::App& command, Session& session, const std::vector<std::string>& flags, Work work) {
  for (const auto& flag : flags)
    command
        .add_option_function<std::vector<std::string>>(flag,
                                                       [&session, flag, work](const std::vector<std::string>&) {
                                                         session.later = flag;
                                                         session.later_work = work;
                                                       })
        ->expected(0, 1)
        ->group("");
}

void add_later_command(CLI::App& group, Session& session, const std::string& name, Work work) {
  auto* command = group.add_subcommand(name)->group("");
  command->allow_extras()->fallthrough(false);
  command->set_help_flag();  // --help is one of the words that it takes
  session.later_commands.emplace(command, work);
}

void add_later_commands(CLI::App& app, Session& session) {
  constexpr std::pair<const char*, Work> kWords[] = {
      {"sweep", Work::deletion},   {"root", Work::deletion},    {"keys", Work::deletion},
      {"restore", Work::deletion}, {"hold", Work::deletion},    {"share-holder", Work::deletion},
      {"signer", Work::proofs},    {"witness", Work::proofs},   {"replay", Work::proofs},
      {"consume", Work::kafka},    {"send", Work::messages},    {"template", Work::messages},
      {"consent", Work::messages}, {"request", Work::messages},
  };
  for (const auto& [name, work] : kWords) add_later_command(app, session, name, work);
}

Result<std::string> read_input(const std::string& file) {
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    std::error_code ignored;
    if (!opened || std::filesystem::is_directory(file, ignored))
      return Error(Errc::invalid, "no_file", "The file cannot be read.").with("file", file);
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) return Error(Errc::invalid, "no_file", "The file cannot be read.").with("file", file);
  return content;
}

Result<nlohmann::json> read_object(const std::string& file) {
  SIEGEL_TRY(content, read_input(file));
  std::vector<std::set<std::string>> names;  // of the objects that are open
  std::optional<std::string> twice;
  bool too_deep = false;
  const auto look = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    too_deep = too_deep || depth > kDepthMax;
    if (too_deep) return false;  // nothing more of it is kept
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key && !names.back().insert(parsed.get<std::string>()).second && !twice)
      twice = parsed.get<std::string>();
    return true;
  };
  try {
    auto object = nlohmann::json::parse(content, look);
    if (too_deep) return Error(Errc::invalid, "bad_json", "The JSON is nested more than 32 deep.");
    if (twice)
      return Error(Errc::invalid, "bad_json", "An object in the JSON has the same member twice.")
          .with("member", *twice);
    if (!object.is_object()) return Error(Errc::invalid, "bad_json", "The JSON is not an object.");
    return object;
  } catch (const nlohmann::json::parse_error& error) {
    const auto before = std::string_view(content).substr(0, error.byte == 0 ? 0 : error.byte - 1);
    const auto lines = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
    const auto begin = before.rfind('\n');
    return Error(Errc::invalid, "bad_json", "The file is not valid JSON.")
        .with("line", lines + 1)
        .with("column", before.size() - (begin == std::string_view::npos ? 0 : begin + 1) + 1);
  } catch (const nlohmann::json::exception&) {  // a number beyond all bounds
    return Error(Errc::invalid, "bad_json", "The file is not valid JSON.");
  }
}

void add_force(CLI::App& command, const Session& session, bool& force) {
  command.add_flag(
      "--force", force,
      session.text("eine Datei überschreiben, die schon da ist", "overwrite a file that is there already"));
}

void add_limit(CLI::App& command, const Session& session, std::string& limit) {
  command.add_option("--limit", limit,
                     session.text("höchstens so viele, oder all; jede gezeigte Person wird als gelesen vermerkt",
                                  "at most so many, or all; each person shown is noted as read"));
}

std::optional<std::size_t> read_limit(const Session& session, const std::string& limit) {
  if (limit == "all") return 0;
  if (const auto number = parse_u64(limit); number && *number > 0) return *number;
  session.out.usage(session.text("--limit ist eine Zahl ab 1 oder all.", "--limit is a number from 1, or all."));
  return {};
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);)
    if (!part.empty()) out.push_back(part);
  return out;
}

std::string random_key() {
  std::random_device random;
  std::string out;
  for (int i = 0; i < 4; ++i) {
    std::array<char, 9> hex{};
    std::snprintf(hex.data(), hex.size(), "%08x", static_cast<unsigned>(random()));
    out += hex.data();
  }
  return out;
}

void add_status(CLI::App& app, Session& session) {
  add_command(app, session, "status", session.text("Zustand des Servers", "State of the server"),
              "  siegel status\n  siegel --json status", [&session] {
                return session.show({"GET", "/v1/status", "", {}});
              });
}

}  // namespace siegel::ctl
