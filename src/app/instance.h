// Everything that lives on one data directory, opened with the checks of a start, closed in reverse. The server makes a
// new one when the ledger went read-only and the cause is gone: the same checks, no half-known state.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "app/config.h"
#include "app/places.h"
#include "base/clock.h"
#include "base/error.h"
#include "service/service.h"

namespace siegel::app {

using GroupHook = std::function<void(std::size_t events, std::chrono::nanoseconds sync)>;

// What an opening tells on its way, and what can end it: the read models may have to catch up for long.
struct StartWatch {
  std::function<bool()> stop;                                             // asked several times in a second
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // events; at once if there are many, then
                                                                          // every few seconds
  // Read models are damaged and were given up: the projector makes them anew. Without it they are an error.
  std::function<void()> views_given_up;
  bool views_in_doubt = false;  // read all their files first: the instance before came upon damage
};

class Instance {
 public:
  // Errors (each says what to do): store_missing, format_newer, data_in_use (with pid), other_ledger, root_behind,
  // keys_behind, root_store_missing, ledger_damaged …; unavailable "start_ended" when watch.stop said so; those of the
  // projector, if it stops before the read models show everything.
  static Result<std::unique_ptr<Instance>> open(const std::filesystem::path& data, const Config& config,
                                                service::Executor& executor, Clock& clock, Random& random,
                                                ledger::Tail& watcher, const GroupHook& on_group,
                                                const StartWatch& watch = {});
  virtual ~Instance() = default;

  // While the ledger is read-only from the start, it serves what needs no event (service.h).
  [[nodiscard]] virtual std::shared_ptr<service::Service> service() = 0;
  [[nodiscard]] virtual bool opened_writable() const = 0;
  // Why the ledger takes nothing; or, with the one reason disk_full, nothing but traces of looks (room.h).
  [[nodiscard]] virtual std::vector<ledger::Reason> read_only() = 0;
  [[nodiscard]] virtual ledger::Ledger& ledger() = 0;
  [[nodiscard]] virtual vault::Vault& vault() = 0;
  [[nodiscard]] virtual views::Views& views() = 0;
  [[nodiscard]] virtual std::string verifier_key() const = 0;
  // What the read models came upon, or that they do not stand at their place, while somebody can make them anew.
  [[nodiscard]] virtual Status look_at_views() const = 0;
  [[nodiscard]] virtual Status projector_status() const = 0;  // Projector::status()
  [[nodiscard]] virtual TimeMs newest() const = 0;            // time of the newest event; 0 without one
  // Events that the lock record does not know of durably; 0 while nothing is written. Holds after close() too.
  [[nodiscard]] virtual std::uint64_t lock_record_behind() const = 0;
  // Waits for all calls that hold the service and all work of the executor, however long they take: nothing that is in
  // use is freed. Waiting readers and streams are ended first, so that nobody holds it for longer than his work lasts.
  virtual void close() = 0;
};

struct InitOptions {
  std::filesystem::path data;
  std::string origin;                 // empty: "siegel.local/<ledger id>"
  std::filesystem::path root_path;    // of the root store; empty: DIR.root/root
  std::filesystem::path signer_path;  // empty: DIR.outside/signer
  std::filesystem::path lock_path;    // of the lock record; empty: DIR.outside/head
  std::vector<std::filesystem::path> key_replicas;
  std::vector<std::filesystem::path> root_mirrors;
  bool single_disk = false;
};
struct Initialised {
  LedgerId ledger;
  std::string origin;
  std::string verifier_key;
  unsigned grade = 0;
  Places places;
};
// Makes a new ledger; never over anything: conflict "exists". Wants a second place for keys and root, or single_disk
// (invalid "second_place_missing").
Result<Initialised> init(const InitOptions& options, Clock& clock, Random& random);

}  // namespace siegel::app
