// What --help prints: CLI11's layout with our words, in the language of the run.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "ctl/output.h"

namespace siegel::ctl {

class Help final : public CLI::Formatter {
 public:
  explicit Help(const Output& out) : out_(out) {}

  std::string make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  // A command that only holds others shows the first example of each.
  std::string make_footer(const CLI::App* app) const override;

 private:
  const Output& out_;
};

// What people read for the name of an argument: FILE is DATEI in German.
std::string argument_name(const Output& out, const std::string& name);

}  // namespace siegel::ctl
