#include "ctl/wrong_words.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "ctl/help.h"

namespace siegel::ctl {
namespace {

constexpr std::size_t kNear = 2;

// The command that was named last.
const CLI::App& innermost(const CLI::App& app) {
  const auto named = app.get_subcommands();
  return named.empty() ? app : innermost(*named.back());
}

// "siegel records", with the words that were understood.
std::string path_of(const CLI::App& app) {
  const auto named = app.get_subcommands();
  return app.get_name() + (named.empty() ? "" : " " + path_of(*named.back()));
}

bool holds_commands(const CLI::App& app) {
  return !app.get_subcommands([](const CLI::App*) { return true; }).empty();
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, corner + 1});
    }
  }
  return row.back();
}

// The command that was meant, if one is near; never one that the help does not show.
std::string nearest(const CLI::App& app, const std::string& word) {
  std::string out;
  std::size_t best = kNear + 1;
  for (const auto* command : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
    if (const auto away = distance(word, command->get_name()); away < best) {
      best = away;
      out = command->get_name();
    }
  return out;
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

// A flag, or what stands where a command does, may be repeated; any other word may be a value.
std::string unknown_word(const CLI::App& app, const Session& session) {
  const auto words = app.remaining(true);
  const auto& at = innermost(app);
  const std::string out = session.text("Nicht verstanden: ", "Not understood: ");
  for (const auto& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (!is_plain(name)) continue;
    if (name.starts_with('-') && name.size() > 1) return out + name;
    if (&word != &words.front() || !holds_commands(at)) continue;
    const auto meant = nearest(at, name);
    return out + name +
           (meant.empty() ? "" : session.text("; gemeint: ", "; did you mean ") + meant + session.text("?", "?"));
  }
  return out + session.text("ein Wort zu viel; Werte mit Leerzeichen stehen in Anführungszeichen",
                            "a word too many; values with spaces stand in quotes");
}

std::string before(const std::string& text, std::string_view mark) { return text.substr(0, text.find(mark)); }

// "json, csv", of "… not in {json,csv}".
std::string allowed(const std::string& message) {
  const auto open = message.rfind('{'), close = message.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  std::string out;
  for (const char c : message.substr(open + 1, close - open - 1))
    out += c == ',' ? std::string(", ") : std::string(1, c);
  return out;
}

// CLI11 names the flag or argument first in each of its messages.
std::string wrong_flag(const Session& session, const CLI::ParseError& error) {
  const std::string message = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const auto name = argument_name(session.out, before(message, " is required"));
    if (name == "A subcommand") return session.text("Es fehlt ein Befehl", "A command is missing");
    return session.text("Es fehlt ", "Missing: ") + name;
  }
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) {
    const auto choices = allowed(message);
    return before(message, ":") +
           (choices.empty() ? session.text(" hat einen unzulässigen Wert", " has a value that is not allowed")
                            : session.text(" ist eines von ", " is one of ") + choices);
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    constexpr std::string_view kBegin = "Could not convert: ";
    const auto rest = message.starts_with(kBegin) ? message.substr(kBegin.size()) : message;
    const auto name = before(before(rest, " ="), ":");
    return name.find(' ') != std::string::npos
               ? session.text("Ein Wert passt nicht zu seinem Schalter", "A value does not fit its flag")
               : name + session.text(" ist eine Zahl", " is a number");
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    constexpr std::string_view kMark = " excludes ";
    return before(message, kMark) + session.text(" geht nicht mit ", " does not go with ") +
           message.substr(std::min(message.size(), message.find(kMark) + kMark.size()));
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const auto name = before(before(message, ":"), " was given");
    if (message.find("missing") != std::string::npos || message.find("At least") != std::string::npos)
      return name + session.text(" braucht einen Wert", " needs a value");
    if (message.find("At Most") != std::string::npos)
      return name + session.text(" steht nur einmal", " is given once only");
    if (message.find("override") != std::string::npos)
      return name + session.text(" hat keinen Wert", " takes no value");
  }
  return session.text("Die Angaben sind nicht zu verstehen", "The words cannot be understood");
}

}  // namespace

bool has_unknown_words(const CLI::App& app) { return !app.remaining(true).empty(); }

bool names_later_command(const CLI::App& app, Session& session) {
  const CLI::App* at = &app;
  std::string name;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().back();
    name += (name.empty() ? "" : " ") + at->get_name();
    const auto found = session.later_commands.find(at);
    if (found == session.later_commands.end()) continue;
    session.later = name;
    session.later_work = found->second;
    return true;
  }
  return false;
}

std::string wrong_words(const CLI::App& app, const Session& session, const CLI::ParseError& error) {
  const bool is_unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr || error.get_exit_code() == 0 ||
                          (holds_commands(innermost(app)) && has_unknown_words(app));
  return (is_unknown ? unknown_word(app, session) : wrong_flag(session, error)) + " (" + path_of(app) +
         session.text(" --help hilft)", " --help tells more)");
}

}  // namespace siegel::ctl
