#include "ctl/help.h"

#include <algorithm>

namespace siegel::ctl {
namespace {

bool is_shown(const CLI::App* command) { return !command->get_name().empty() && !command->get_group().empty(); }

std::vector<const CLI::App*> shown_commands(const CLI::App* app) { return app->get_subcommands(is_shown); }

// "TEXT:{json,csv}" is "json|csv".
std::string choices_of(const std::string& type) {
  const auto open = type.find('{');
  if (open == std::string::npos || type.back() != '}') return {};
  auto out = type.substr(open + 1, type.size() - open - 2);
  std::replace(out.begin(), out.end(), ',', '|');
  return out;
}

// What a default looks like that says nothing.
bool is_nothing(const std::string& value) {
  return value.empty() || value == "0" || value == "[]" || value == "{}" || value == "\"\"";
}

std::string first_example(const CLI::App* command) {
  const auto footer = command->get_footer();
  const auto begin = footer.find("\n  siegel ");
  if (begin == std::string::npos) return {};
  return footer.substr(begin + 1, footer.find('\n', begin + 1) - begin - 1);
}

}  // namespace

std::string argument_name(const Output& out, const std::string& name) {
  if (name == "FILE") return out.text("DATEI", "FILE");
  if (name == "ID") return out.text("KENNUNG", "ID");
  if (name == "DIR") return out.text("VERZEICHNIS", "DIR");
  return name;
}

std::string Help::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  auto out = CLI::Formatter::make_help(app, std::move(name), mode);
  // A group that is not shown leaves its empty line.
  for (auto at = out.find("\n\n\n"); at != std::string::npos; at = out.find("\n\n\n")) out.erase(at, 1);
  return out;
}

// The layout of CLI11 counts bytes, and a name may hold other characters.
std::string Help::make_option(const CLI::Option* option, bool is_positional) const {
  auto left = "  " + make_option_name(option, is_positional) + make_option_opts(option);
  const auto right = make_option_desc(option);
  if (right.empty()) return left + "\n";
  const auto width = width_of(left), wanted = get_column_width();
  left += width < wanted ? std::string(wanted - width, ' ') : "\n" + std::string(wanted, ' ');
  return left + right + "\n";
}

std::string Help::make_option_name(const CLI::Option* option, bool is_positional) const {
  const auto name = CLI::Formatter::make_option_name(option, is_positional);
  return is_positional ? argument_name(out_, name) : name;
}

std::string Help::make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const {
  if (group == "Options") group = out_.text("Schalter", "Options");
  if (group == "Positionals") group = out_.text("Angaben", "Arguments");
  return CLI::Formatter::make_group(group, is_positional, std::move(options));
}

std::string Help::make_usage(const CLI::App* app, std::string name) const {
  std::string out = out_.text("Aufruf: ", "Usage: ") + name + out_.text(" [SCHALTER]", " [OPTIONS]");
  for (const auto* option : app->get_options([](const CLI::Option* o) { return o->get_positional(); }))
    if (!option->get_group().empty()) out += " " + make_option_usage(option);
  if (!shown_commands(app).empty()) out += out_.text(" BEFEHL", " COMMAND");
  return out + "\n";
}

std::string Help::make_subcommands(const CLI::App* app, CLI::AppFormatMode) const {
  const auto commands = shown_commands(app);
  if (commands.empty()) return {};
  std::string out = out_.text("\nBefehle:\n", "\nCommands:\n");
  for (const auto* command : commands) out += make_subcommand(command);
  return out;
}

std::string Help::make_option_opts(const CLI::Option* option) const {
  const auto type = option->get_type_name();
  if (type.empty()) return {};  // a flag
  const auto choices = choices_of(type);
  std::string out;
  if (!choices.empty()) {
    out = " " + choices;
  } else if (type.starts_with("UINT") || type.starts_with("INT")) {
    out = out_.text(" ZAHL", " NUMBER");
  } else if (!option->get_positional()) {
    out = " TEXT";
  }
  if (option->get_expected_max() == CLI::detail::expected_max_vector_size) out += " …";
  if (option->get_required()) return out + out_.text(" (Pflicht)", " (required)");
  if (const auto value = option->get_default_str(); !is_nothing(value))
    out += std::string(out_.text(" (ohne: ", " (default: ")) + value + ")";
  return out;
}

std::string Help::make_footer(const CLI::App* app) const {
  if (!app->get_footer().empty()) return app->get_footer() + "\n";
  std::string out = out_.text("Beispiele:\n", "Examples:\n");
  for (const auto* command : shown_commands(app))
    if (const auto example = first_example(command); !example.empty()) out += example + "\n";
  return out;
}

}  // namespace siegel::ctl
