// proof inclusion, consistency: what an auditor checks without trusting the server.
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "ctl/session.h"

namespace siegel::ctl {
namespace {

struct Words {
  std::uint64_t seq = 0, from = 0;
  std::optional<std::uint64_t> size, to;
  std::string file;
};

int fetch(const Session& session, const Words& words, const std::string& path) {
  return session.call({"GET", "/v1/log/proofs/" + path, "", {}}, [&](const Answer& answer) {
    if (words.file.empty()) {
      session.out.object(parse(answer.body));
      return exit_done + 0;
    }
    const auto written = write_output(words.file, answer.body);
    return written ? exit_done : session.out.fail(written.error());
  });
}

}  // namespace

void add_proofs(CLI::App& app, Session& session) {
  auto words = std::make_shared<Words>();
  auto* group = add_group(app, "proof", session.text("Beweise aus dem Protokoll", "Proofs from the log"));
  auto* inclusion = add_command(*group, session, "inclusion",
                                session.text("Ein Ereignis steht im Protokoll", "An event stands in the log"),
                                "  siegel proof inclusion --seq 4711 --size 4712", [&session, words] {
                                  auto path = "inclusion?index=" + std::to_string(words->seq);
                                  if (words->size) path += "&size=" + std::to_string(*words->size);
                                  return fetch(session, *words, path);
                                });
  inclusion->add_option("--seq", words->seq, session.text("Nummer des Ereignisses", "Number of the event"))->required();
  inclusion->add_option("--size", words->size, session.text("Größe des Protokolls", "Size of the log"));
  auto* consistency =
      add_command(*group, session, "consistency",
                  session.text("Ein Stand setzt einen früheren fort", "One state continues an earlier one"),
                  "  siegel proof consistency --from 100 --to 4712", [&session, words] {
                    auto path = "consistency?from=" + std::to_string(words->from);
                    if (words->to) path += "&to=" + std::to_string(*words->to);
                    return fetch(session, *words, path);
                  });
  consistency->add_option("--from", words->from, session.text("frühere Größe", "earlier size"))->required();
  consistency->add_option("--to", words->to, session.text("spätere Größe", "later size"));
  add_later_command(*group, session, "receipt");
  for (auto* command : {inclusion, consistency})
    command->add_option("-o,--output", words->file,
                        session.text("Datei; ohne: Standardausgabe", "File; without: standard output"));
}

}  // namespace siegel::ctl
