#include "ctl/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "ctl/roles.h"
#include "texts/problems.h"

namespace siegel::ctl {
namespace {

std::string member(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string dumped(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Control characters of a stored value must not steer the terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

nlohmann::json parse(const std::string& body) { return nlohmann::json::parse(body, nullptr, false); }

std::string shown(const nlohmann::json& value) {
  if (value.is_null()) return "-";
  return printable(value.is_string() ? value.get<std::string>() : dumped(value));
}

int exit_of(const Answer& answer) {
  switch (answer.status) {
    case 401:
    case 403:
    case 409:
    case 410:
    case 412:
      return exit_refused;
    case 400:
    case 413:
    case 415:
    case 422:
    case 431:
      return exit_usage;
    default:
      break;
  }
  const auto problem = answer.status == 503 ? parse(answer.body) : nlohmann::json();
  return problem.is_object() && member(problem, "code") == "read_only" ? exit_refused : exit_failed;
}

void Output::say(const std::string& message) const {
  if (!global_.quiet) std::cerr << message << '\n';
}

void Output::progress(const std::string& line) const {
  if (global_.quiet || global_.json || isatty(STDERR_FILENO) == 0) return;
  std::cerr << '\r' << line << "\033[K" << std::flush;
}

void Output::object(const nlohmann::json& object) const {
  if (global_.json || !object.is_object()) {
    std::cout << dumped(object) << '\n';
    return;
  }
  for (const auto& [name, value] : object.items()) std::cout << name << ": " << shown(value) << '\n';
}

void Output::item(const nlohmann::json& object) const { std::cout << dumped(object) << '\n'; }

void Output::table(const std::vector<std::string>& columns, const std::vector<nlohmann::json>& rows) const {
  if (global_.json) {
    for (const auto& row : rows) item(row);
    return;
  }
  if (rows.empty()) return say(text("Nichts gefunden.", "Nothing found."));
  std::vector<std::vector<std::string>> cells{columns};
  for (const auto& row : rows) {
    auto& line = cells.emplace_back();
    for (const auto& column : columns) line.push_back(row.contains(column) ? shown(row[column]) : "");
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : cells)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::cout << line[i];
      if (i + 1 < line.size()) std::cout << std::string(widths[i] - width_of(line[i]) + 2, ' ');
    }
    std::cout << '\n';
  }
}

int Output::fail(const Answer& answer) const { return fail(answer, std::string()); }

int Output::fail(const Answer& answer, const Request& request) const {
  const bool is_asked = !global_.json && (answer.status == 404 || answer.status == 403);
  const auto problem = is_asked ? parse(answer.body) : nlohmann::json();
  if (const auto roles = roles_for(request);
      !roles.empty() && problem.is_object() && member(problem, "code") == "role_denied")
    return fail(answer, text("Das dürfen die Rollen ", "The roles that may: ") + roles +
                            text(". `siegel token create --role ROLLE` stellt so einen aus.",
                                 ". `siegel token create --role ROLE` issues such a token."));
  const auto missing = texts::not_found_text(request.thing, request.name, global_.lang);
  if (!problem.is_object() || member(problem, "code") != "not_found" || missing.empty()) return fail(answer);
  std::cerr << "siegel: " << printable(missing) << " [404 not_found]\n";
  return exit_of(answer);
}

int Output::fail(const Answer& answer, const std::string& own_hint) const {
  auto problem = parse(answer.body);
  if (!problem.is_object() || !problem.contains("code")) {
    const std::string code = "http_" + std::to_string(answer.status);
    problem = {{"type", "urn:siegel:problem:" + code},
               {"title", "The server's answer is not understood"},
               {"status", answer.status},
               {"code", code}};
  }
  if (global_.json) {
    std::cerr << dumped(problem) << '\n';
    return exit_of(answer);
  }
  const auto code = member(problem, "code");
  auto line = member(problem, "detail");
  if (line.empty() && texts::find_problem_text(code) == nullptr) line = member(problem, "title") + ".";
  line = sentence(code, line);
  if (const auto reason = texts::value_reason(member(problem, "reason"), global_.lang); !reason.empty()) {
    if (line.ends_with('.')) line.pop_back();
    line += ": " + reason + ".";
  }
  std::cerr << "siegel: " << printable(line);
  const auto hint = own_hint.empty() ? texts::hint(code, member(problem, "hint"), global_.lang) : own_hint;
  if (!hint.empty()) std::cerr << ' ' << printable(hint);
  std::cerr << " [" << answer.status << ' ' << printable(code);
  if (const auto pointer = member(problem, "pointer"); !pointer.empty()) std::cerr << ' ' << printable(pointer);
  if (const auto erasure = member(problem, "erasure"); !erasure.empty()) std::cerr << ' ' << printable(erasure);
  std::cerr << "]\n";
  return exit_of(answer);
}

int Output::fail(const Error& error) const {
  const bool is_usage = error.category() == Errc::invalid;
  if (global_.json) {
    std::cerr << dumped({{"type", "urn:siegel:problem:" + std::string(error.code())},
                         {"title", error.what()},
                         {"code", error.code()},
                         {"detail", error.text()}})
              << '\n';
  } else {
    const bool away = error.is("server_away");
    std::cerr << "siegel: " << texts::told(error, global_.lang);
    if (away)
      std::cerr << ' '
                << text("Läuft `siegel serve`? --server nennt die Adresse.",
                        "Is `siegel serve` running? --server names its address.");
    std::cerr << '\n';
  }
  if (error.category() == Errc::conflict || error.category() == Errc::denied) return exit_refused;
  return is_usage ? exit_usage : exit_failed;
}

int Output::usage(const std::string& message) const {
  if (global_.json) {
    std::cerr << dumped({{"type", "urn:siegel:problem:usage"},
                         {"title", "Wrong usage"},
                         {"code", "usage"},
                         {"detail", message}})
              << '\n';
  } else {
    std::cerr << "siegel: " << message << '\n';
  }
  return exit_usage;
}

int Output::not_yet(const std::string& message, const std::string& word) const {
  if (global_.json) {
    std::cerr << dumped({{"type", "urn:siegel:problem:not_yet"},
                         {"title", "This version cannot do that yet"},
                         {"code", "not_yet"},
                         {"detail", message},
                         {"word", word}})
              << '\n';
  } else {
    std::cerr << "siegel: " << message << " [" << word << "]\n";
  }
  return exit_usage;
}

std::string Output::sentence(std::string_view code, std::string_view english) const {
  return texts::sentence(code, english, global_.lang);
}

std::string Output::value_reason(std::string_view reason) const { return texts::value_reason(reason, global_.lang); }

}  // namespace siegel::ctl
