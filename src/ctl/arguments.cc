#include "ctl/arguments.h"

#include <algorithm>
#include <functional>

#include "base/text.h"

namespace siegel::ctl {
namespace {

bool names_a_file(const std::string& option) {
  constexpr std::string_view kFiles[] = {"--data",    "--config",  "--cacert",      "--token",       "--tls-cert",
                                         "--tls-key", "--lock",    "--key-replica", "--root-mirror", "--checkpoint",
                                         "--values",  "--rejects", "--certificate", "--output",      "FILE",
                                         "MORE",      "DIR"};
  return std::find(std::begin(kFiles), std::end(kFiles), option) != std::end(kFiles);
}

// The first option or argument, of the app or a command in it, that is found wanting.
std::optional<std::string> find_option(const CLI::App& app,
                                       const std::function<bool(const std::string&, const std::string&)>& is_wrong) {
  for (const auto* option : app.get_options()) {
    const auto name = option->get_lnames().empty() ? option->get_name(true) : "--" + option->get_lnames().front();
    const auto& values = option->results();
    if (std::any_of(values.begin(), values.end(), [&](const auto& value) { return is_wrong(name, value); }))
      return name;
  }
  for (const auto* command : app.get_subcommands())
    if (auto name = find_option(*command, is_wrong)) return name;
  return {};
}

}  // namespace

std::optional<std::string> option_not_utf8(const CLI::App& app) {
  return find_option(app, [](const auto& name, const auto& value) { return !is_utf8(value) && !names_a_file(name); });
}

std::optional<std::string> option_without_value(const CLI::App& app) {
  return find_option(app, [](const auto& name, const auto& value) {
    if (name == "--config" || name == "--cacert") return false;  // takes an earlier one back
    return value.find_first_not_of(", ") == std::string::npos;
  });
}

std::string suggested_name(std::string_view name) {
  struct Letter {
    std::string_view from, to;
  };
  constexpr Letter kLetters[] = {{"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"Ä", "ae"},
                                 {"Ö", "oe"}, {"Ü", "ue"}, {"ß", "ss"}};
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const auto rest = name.substr(i);
    std::string_view as;
    for (const auto& letter : kLetters)
      if (rest.starts_with(letter.from)) as = letter.to;
    if (!as.empty()) {
      out += as;
      ++i;  // they are two bytes
    } else if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return is_name(out) ? out : "contacts";
}

}  // namespace siegel::ctl
