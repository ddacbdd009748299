#include "ctl/arguments.h"

#include <algorithm>

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

}  // namespace

std::optional<std::string> option_not_utf8(const CLI::App& app) {
  for (const auto* option : app.get_options()) {
    const auto name = option->get_lnames().empty() ? option->get_name(true) : "--" + option->get_lnames().front();
    const auto& values = option->results();
    const bool is_good = std::all_of(values.begin(), values.end(), [](const auto& value) { return is_utf8(value); });
    if (!is_good && !names_a_file(name)) return name;
  }
  for (const auto* command : app.get_subcommands())
    if (auto name = option_not_utf8(*command)) return name;
  return {};
}

}  // namespace siegel::ctl
