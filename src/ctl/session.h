// One run of the program: what the command families share. Each family adds its commands with a function of its own;
// the command that was given leaves its work in `action`, done once all words are parsed.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ctl/client.h"
#include "ctl/local.h"
#include "ctl/output.h"

namespace siegel::ctl {

// What brings the words of the contract that this version does not know yet.
enum class Work : std::uint8_t { sheets, deletion, proofs, kafka, messages };

struct Session {
  explicit Session(const LocalCommands& commands) : local(commands) {}

  Global global;
  const LocalCommands& local;
  Output out{global};
  std::function<int()> action;
  std::string later;  // a word that was given and that only a later version knows
  Work later_work = Work::sheets;
  std::string type;  // the record type that the command is about; empty: not said

  [[nodiscard]] const char* text(const char* de, const char* en) const { return out.text(de, en); }
  [[nodiscard]] Client client() const;

  // Sends. Where the server asks for a purpose and nobody said one: again with the default purpose of the type that the
  // command is about; of all types, if they have the same. Not before it is asked for: a token of one purpose needs
  // none named, and the type's may be another. What is found counts for the rest of the command.
  Result<Answer> send(Client& connection, const Request& request, const Sink* sink = nullptr) const;
  // Sends, and shows what went wrong; with an answer, `then` gives the exit code.
  int call(const Request& request, const std::function<int(const Answer&)>& then) const;
  int show(const Request& request) const;    // the answer as one object
  int change(const Request& request) const;  // the same for what changes something
  // Each item of a list, with all its pages; with a limit in pages of our size, up to so many items (0: all). A list
  // that is asked for by POST has limit and cursor in its body. What a page says beside its items goes to `page`.
  int each(const Request& request, std::optional<std::size_t> limit,
           const std::function<void(const nlohmann::json&)>& take,
           const std::function<void(const nlohmann::json&)>& page = {}) const;
  // The same as a table or NDJSON.
  int list(const Request& request, const std::vector<std::string>& columns,
           std::optional<std::size_t> limit = std::nullopt) const;
  int list(const std::string& path, const std::vector<std::string>& columns) const {
    return list(Request{"GET", path, "", {}}, columns);
  }
  // Whether --yes was given, or the question answered so; it is asked on a terminal only.
  [[nodiscard]] bool confirmed(bool yes, const char* question_de, const char* question_en) const;
  // Complains if this is no name for a type, purpose or class; nothing if it is one.
  [[nodiscard]] std::optional<int> wrong_name(const std::string& name) const;
  int not_yet() const;  // says so of `later`

  std::map<const CLI::App*, Work> later_commands;  // by add_later_command()

 private:
  [[nodiscard]] std::string default_purpose(Client& connection) const;

  mutable std::string found_purpose_;  // by send()
};

// A command with its help and an example; `work` runs after parsing.
CLI::App* add_command(CLI::App& app, Session& session, const char* name, const char* help, const char* examples,
                      std::function<int()> work);
// A command that only holds others.
CLI::App* add_group(CLI::App& app, const char* name, const char* help);

// Words that stand in the contract and come with a later version: they are answered with that, not as a mistake. Not
// shown in the help.
void add_later_flags(CLI::App& command, Session& session, const std::vector<std::string>& flags,
                     Work work = Work::sheets);
void add_later_command(CLI::App& group, Session& session, const std::string& name, Work work = Work::sheets);

// The content of a file, or of standard input for "-".
Result<std::string> read_input(const std::string& file);
// The JSON object in it, as the server would take it: invalid "bad_json" (context line, column, member) for what is no
// JSON, no object, or has a member twice, of which one would be lost without a word.
Result<nlohmann::json> read_object(const std::string& file);
// --force, for a command that writes a file.
void add_force(CLI::App& command, const Session& session, bool& force);
// --limit, for a list that leaves a trace at each person: "all", or a number from 1; for Session::each(). Nothing,
// after a complaint: it is neither.
void add_limit(CLI::App& command, const Session& session, std::string& limit);
std::optional<std::size_t> read_limit(const Session& session, const std::string& limit);

std::vector<std::string> split(const std::string& text, char separator);  // without empty parts

// A new key, so that a request sent again is done once.
std::string random_key();

void add_status(CLI::App& app, Session& session);
void add_registries(CLI::App& app, Session& session);
void add_tokens(CLI::App& app, Session& session);
void add_records(CLI::App& app, Session& session);
void add_import(CLI::App& app, Session& session);
void add_erasures(CLI::App& app, Session& session);
void add_exports(CLI::App& app, Session& session);
void add_proofs(CLI::App& app, Session& session);
void add_local(CLI::App& app, Session& session);
void add_later_commands(CLI::App& app, Session& session);

}  // namespace siegel::ctl
