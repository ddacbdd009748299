// What the command line shows. Results go to stdout; messages, progress and problems to stderr. With --json a result is
// one object (lists: one a line) and a problem is the problem object of contract section 1.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ctl/client.h"
#include "ctl/local.h"

namespace siegel::ctl {

// Exit codes of contract section 3.
enum Exit : int { exit_done = 0, exit_failed = 1, exit_usage = 2, exit_damage = 3, exit_refused = 4, exit_part = 5 };

class Output {
 public:
  explicit Output(const Global& global) : global_(global) {}

  [[nodiscard]] const char* text(const char* de, const char* en) const { return global_.lang == "de" ? de : en; }
  [[nodiscard]] bool json() const noexcept { return global_.json; }

  void say(const std::string& message) const;       // stderr, not with --quiet
  void progress(const std::string& line) const;     // one running line on a terminal, else nothing
  void object(const nlohmann::json& object) const;  // "name: value" lines, or the object
  void item(const nlohmann::json& object) const;    // of a list: one line
  // Without rows it is said that there is nothing.
  void table(const std::vector<std::string>& columns, const std::vector<nlohmann::json>& rows) const;

  // Show what went wrong, in one line with its hint; the exit code for it.
  int fail(const Answer& answer) const;
  int fail(const Answer& answer, const Request& request) const;  // names what was not found, and which roles may
  int fail(const Error& error) const;
  int usage(const std::string& message) const;
  int not_yet(const std::string& message, const std::string& word) const;  // what a later version brings

  // What an error or a server says of a code, in the language.
  [[nodiscard]] std::string sentence(std::string_view code, std::string_view english) const;
  [[nodiscard]] std::string value_reason(std::string_view reason) const;  // "": not known

 private:
  int fail(const Answer& answer, const std::string& own_hint) const;  // "": the one of the code

  const Global& global_;
};

int exit_of(const Answer& answer);
nlohmann::json parse(const std::string& body);   // discarded if it is not JSON
std::size_t width_of(const std::string& text);   // in characters, so that columns with umlauts stand in line
std::string shown(const nlohmann::json& value);  // as people read it: without quotes; lists and objects compact

}  // namespace siegel::ctl
