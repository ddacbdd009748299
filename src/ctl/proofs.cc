// proof inclusion, consistency: what an auditor checks without trusting the server.
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "ctl/output_file.h"
#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::uint64_t seq = 0, from = 0;
  std::optional<std::uint64_t> size, to;
  std::string file;
  bool force = false;
};

int fetch(const Session& session, const Words& words, const std::string& path) {
  auto file = OutputFile::open(words.file, Overwrite(words.force));
  if (!file) return session.out.fail(file.error());
  return session.call({"GET", "/v1/log/proofs/" + path, "", {}}, [&](const Answer& answer) {
    if (words.file.empty()) {
      session.out.object(parse(answer.body));
      return exit_done + 0;
    }
    const auto written = file->write(answer.body + (answer.body.ends_with('\n') ? "" : "\n"));
    return written ? exit_done : session.out.fail(written.error());
  });
}

// A size that was not said is the present one.
int fetch_at(const Session& session, const Words& words, const std::string& path,
             const std::optional<std::uint64_t>& said) {
  if (said) return fetch(session, words, path + std::to_string(*said));
  return session.call({"GET", "/v1/status", "", {}}, [&](const Answer& answer) {
    const auto status = parse(answer.body);
    const auto size = status.is_object() ? status.find("size") : status.end();
    if (size == status.end() || !size->is_number_unsigned())
      return session.out.fail(Error(Errc::unavailable, "bad_answer", "The server's answer holds no size."));
    return fetch(session, words, path + std::to_string(size->get<std::uint64_t>()));
  });
}

}  // namespace

void add_proofs(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* group = add_group(app, "proof", session.text("Beweise aus dem Protokoll", "Proofs from the log"));
  auto* inclusion = add_command(
      *group, session, "inclusion", session.text("Ein Ereignis steht im Protokoll", "An event stands in the log"),
      "  siegel proof inclusion --seq 4711 --size 4712", [&session, words] {
        return fetch_at(session, *words, "inclusion?index=" + std::to_string(words->seq) + "&size=", words->size);
      });
  inclusion->add_option("--seq", words->seq, session.text("Nummer des Ereignisses", "Number of the event"))->required();
  inclusion->add_option("--size", words->size, session.text("Größe des Protokolls", "Size of the log"));
  auto* consistency = add_command(
      *group, session, "consistency",
      session.text("Ein Stand setzt einen früheren fort", "One state continues an earlier one"),
      "  siegel proof consistency --from 100 --to 4712", [&session, words] {
        return fetch_at(session, *words, "consistency?from=" + std::to_string(words->from) + "&to=", words->to);
      });
  consistency->add_option("--from", words->from, session.text("frühere Größe", "earlier size"))->required();
  consistency->add_option("--to", words->to, session.text("spätere Größe", "later size"));
  add_later_command(*group, session, "receipt", Work::proofs);
  for (auto* command : {inclusion, consistency}) {
    command->add_option("-o,--output", words->file,
                        session.text("Datei; ohne: Standardausgabe", "File; without: standard output"));
    add_force(*command, session, words->force);
  }
}

}  // namespace siegel::ctl
