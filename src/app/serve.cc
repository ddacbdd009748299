#include "app/serve.h"

#include <csignal>
#include <cstdio>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include "app/advice.h"
#include "app/descriptors.h"
#include "app/ending.h"
#include "app/evidence.h"
#include "app/instance.h"
#include "app/log.h"
#include "app/metrics.h"
#include "app/reopen.h"
#include "app/stores.h"
#include "app/warnings.h"
#include "app/workers.h"
#include "codec/header_codec.h"
#include "codec/rows.h"
#include "codec/schema_lint.h"
#include "crypto/memory.h"
#include "crypto/random.h"
#include "http/api.h"
#include "http/pages.h"
#include "http/server.h"
#include "store/file.h"
#include "texts/problems.h"

namespace siegel::app {
namespace {

constexpr std::chrono::seconds kReopenEvery{2};
constexpr std::chrono::seconds kReopenEveryMax{16};
constexpr std::uint64_t kRoomToClose = std::uint64_t{32} << 20;  // what the read models hold in memory becomes tables
constexpr std::chrono::seconds kLockRecordWait{5};               // it is written within one (DESIGN I12)
// From SIGTERM to the end (contract section 3): what requests in flight may take, and all of it.
constexpr std::chrono::milliseconds kDrain{8'000};
constexpr std::chrono::milliseconds kEndWithin{10'000};

// Counts events by type as they are committed, and the time of erasures.
class EventCounter final : public ledger::Tail {
 public:
  explicit EventCounter(Metrics& metrics) : metrics_(metrics) {}
  void committed(std::shared_ptr<const ledger::Group> group) noexcept override {
    for (const auto& row : group->rows) {
      const auto view = codec::RowView::parse(row.headers);
      if (!view) continue;
      for (std::size_t i = 0; i < view->events(); ++i) {
        const auto header = codec::decode_header(view->event(i));
        if (!header) continue;
        metrics_.event(header->type);
        if (header->type == EventType::erasure_requested) {
          requested_.emplace_back(header->seq.get(), header->time);
        } else if (const auto* facts = std::get_if<ErasureEffectiveFacts>(&header->facts)) {
          for (const auto& [seq, at] : requested_)
            if (std::find(facts->requests.begin(), facts->requests.end(), seq) != facts->requests.end())
              metrics_.erased(static_cast<double>(header->time.get() - at.get()) / 1000.0);
          std::erase_if(requested_, [&](const auto& r) {
            return std::find(facts->requests.begin(), facts->requests.end(), r.first) != facts->requests.end();
          });
        }
      }
    }
  }

 private:
  Metrics& metrics_;
  std::vector<std::pair<std::uint64_t, TimeMs>> requested_;
};

// The instance of the moment. After a failed write a new one is opened, as at a start, once the cause is gone.
class Running {
 public:
  Running(const ServeSettings& settings, Metrics& metrics, const Ending& ending, bool dumps_are_forbidden)
      : settings_(settings),
        metrics_(metrics),
        ending_(ending),
        dumps_are_forbidden_(dumps_are_forbidden),
        workers_(2) {}
  ~Running() { close(); }

  Status open() {
    auto counter = std::make_unique<EventCounter>(metrics_);
    SIEGEL_TRY(
        opened,
        Instance::open(
            settings_.data, settings_.config, workers_, clock_, random_, *counter,
            [this](std::size_t events, std::chrono::nanoseconds sync) { metrics_.group(events, sync); },
            {[this] { return ending_.asked(); },
             [this](std::uint64_t done, std::uint64_t total) { tell_catching_up(done, total, settings_.speech); },
             [this] { tell_views_given_up(); }, views_in_doubt_}));
    views_in_doubt_ = false;
    const std::lock_guard lock(mutex_);
    counter_ = std::move(counter);
    instance_ = std::move(opened);
    service_ = instance_->service();
    projector_told_ = false;
    keys_told_ = instance_->vault().counters();  // the opening told of them
    return Done{};
  }

  void close() {
    std::unique_ptr<Instance> old;
    {
      const std::lock_guard lock(mutex_);
      old = std::move(instance_);
      // Calls in flight hold the service; it must not outlive the stores below it, so they are waited for.
      service_.reset();
    }
    if (!old) return;
    old->close();
    if (const auto behind = old->lock_record_behind(); behind > 0) tell_lock_record(behind);
  }

  // Every second: a ledger that stopped writing is opened anew, so are read models that came upon damage, and those
  // that stand still are told.
  void look_after() {
    bool failed = false;
    const auto stores = look_at_stores();
    {
      const std::lock_guard lock(mutex_);
      views_in_doubt_ = views_in_doubt_ || (stores[2] && stores[2]->category() == Errc::corrupt);
      const bool are_gone = are_stores_gone(stores);
      failed = instance_ == nullptr || views_in_doubt_ || are_gone || worth_opening_again();
      tell_projector();
      tell_room();
      tell_keys_anew();
      look_at_lock_record();
    }
    const auto now = std::chrono::steady_clock::now();
    if (!failed || now - tried_ < reopen_after_) return;
    tried_ = now;
    // Closed stores would only take away the reads that still go on.
    const bool took_writes = instance_ != nullptr && instance_->ledger().read_only().empty();
    if (const auto room = instance_ != nullptr ? room_to_open_again() : Status(Done{}); !room)
      return tell_once(room.error().code(), texts::told(room.error(), settings_.speech.language));
    close();
    auto opened = open();
    const std::lock_guard lock(mutex_);
    closed_because_ = opened ? std::string() : std::string(opened.error().code());
    // A try that fails in the middle leaves events and uses up keys made ahead.
    reopen_after_ = opened ? kReopenEvery : std::min(2 * reopen_after_, kReopenEveryMax);
    if (!opened) return tell_once(opened.error().code(), texts::told(opened.error(), settings_.speech.language));
    const auto reasons = instance_->ledger().read_only();
    if (!reasons.empty())
      return tell_once(reasons.front().code, texts::detail(reasons.front().detail, settings_.speech.language));
    told_.clear();
    if (!took_writes)
      std::fprintf(stderr, "siegel: %s\n", text("das Buch nimmt wieder auf", "the ledger takes writes again"));
  }

  std::shared_ptr<service::Service> service() {
    const std::lock_guard lock(mutex_);
    return service_;
  }

  Error why_not() {
    const std::lock_guard lock(mutex_);
    Error error(Errc::unavailable, "read_only",
                "The ledger is read-only; the reason stands in the server's log and in /readyz.");
    if (instance_)
      for (const auto& reason : instance_->ledger().read_only()) error = std::move(error).with("reason", reason.code);
    return error;
  }

  std::vector<std::string> not_ready() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    if (!instance_) return {closed_because_.empty() ? "stores_closed" : closed_because_};
    for (const auto& reason : instance_->read_only()) out.push_back(reason.code);
    if (const auto projector = instance_->projector_status(); !projector)
      out.emplace_back(projector.error().category() == Errc::unavailable ? "projector_waits" : "projector_stopped");
    if (!service_ && out.empty()) out.emplace_back("starting");
    return out;
  }

  // What does not keep reads and writes from being served, and has to be seen to all the same.
  std::vector<std::string> hampered() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    if (!instance_) return out;
    const auto keys = instance_->vault().counters();
    if (keys.roots_away > 0) out.emplace_back("root_store_unavailable");
    if (keys.replicas_away > 0) out.emplace_back("keys_replica_unavailable");
    if (service_ && !service_->counters().erasure_failure.code.empty()) out.emplace_back("erasures_fail");
    if (lock_record_fails_) out.emplace_back("lock_record_unavailable");
    if (is_store_damaged()) out.emplace_back("store_damaged");
    return out;
  }

  bool projector_stopped() {
    const std::lock_guard lock(mutex_);
    const auto projector = instance_ ? instance_->projector_status() : Status(Done{});
    return !projector && projector.error().category() != Errc::unavailable;
  }

  std::string metrics_text() {
    Metrics::Now now;
    {
      const std::lock_guard lock(mutex_);
      if (instance_) {
        now.queued = instance_->ledger().queued();
        now.size = instance_->ledger().size().get();
        now.projected = instance_->views().position().get();
        now.read_only = !instance_->read_only().empty();
        now.keys = instance_->vault().counters();
        if (lock_record_fails_) now.lock_record_behind = instance_->lock_record_behind();
        now.store_damaged = is_store_damaged();
      } else {
        now.read_only = true;
      }
      if (service_) {
        const auto counters = service_->counters();
        now.erasure_open_seconds = counters.oldest_erasure_seconds;
        now.erasures_fail = !counters.erasure_failure.code.empty();
      }
    }
    if (const auto kept = kept_evidence(settings_.data); kept.copies > 0) {
      now.evidence_copies = kept.copies;
      const auto time = clock_.now();
      now.evidence_oldest_seconds = static_cast<double>(time.get() - std::min(time, kept.oldest).get()) / 1000.0;
    }
    return metrics_.text(now);
  }

  [[nodiscard]] std::vector<Warning> warned() const {
    const auto places = read_places(settings_.data);
    return places ? warnings(*places, dumps_are_forbidden_) : std::vector<Warning>();
  }

  void tell_reasons() {
    const std::lock_guard lock(mutex_);
    for (const auto& reason : instance_->ledger().read_only()) {
      std::fprintf(stderr,
                   text("siegel: ALARM das Buch ist nur zu lesen: %s [%s]\n",
                        "siegel: ALARM the ledger is read-only: %s [%s]\n"),
                   texts::detail(reason.detail, settings_.speech.language).c_str(), reason.code.c_str());
      if (const std::string what(advice(reason.code, settings_.speech.language)); !what.empty())
        say(settings_.speech, what);
    }
    if (instance_->vault().grade() == 0)
      std::fprintf(
          stderr, "siegel: %s\n",
          text("Wurzelspeicher der Güte L0: eine Löschung hält, wenn der Datenträger wirklich überschreibt; nicht "
               "auf SSD, bei Schnappschüssen oder Copy-on-Write.",
               "root store grade L0: deletion holds if the medium really overwrites; not on SSD, snapshots or "
               "copy-on-write."));
    for (const auto& warning : warned()) std::fprintf(stderr, "siegel: %s\n", text(warning.german, warning.english));
    tell_members();
    if (const auto kept = kept_evidence(settings_.data); kept.copies > 0)
      std::fprintf(
          stderr,
          text("siegel: ALARM im Datenverzeichnis stehen Kopien beschädigter Journale (evidence-…), Zahl: %llu, "
               "die älteste von %s: sie enthalten auch Geheimtext von seither Gelöschten; löschen, sobald die "
               "Ursache bekannt ist\n",
               "siegel: ALARM copies of damaged logs stand in the data directory (evidence-…), number: %llu, the "
               "oldest of %s: they hold ciphertext of people erased since, too; delete them once the cause is "
               "known\n"),
          static_cast<unsigned long long>(kept.copies), to_rfc3339(kept.oldest).c_str());
  }

 private:
  [[nodiscard]] const char* text(const char* german, const char* english) const {
    return settings_.speech.text(german, english);
  }

  Status room_to_open_again() const {
    const auto places = read_places(settings_.data);
    return places ? check_room_to_open(*places, kRoomToClose) : Status(Done{});  // the opening says what is wrong
  }

  // With mutex_.
  bool worth_opening_again() {
    const auto reasons = instance_->ledger().read_only();
    const auto opened = instance_->opened_writable() ? Opened::writable : Opened::read_only;
    return !reasons.empty() && may_write_again(reasons, opened, instance_->newest(), clock_.now());
  }

  // Stores go on with the files that they hold open, and reads meet damage that only their callers are told of. Without
  // mutex_: a disk may hang, and this thread alone opens and closes.
  std::array<std::optional<Error>, 3> look_at_stores() {
    std::array<std::optional<Error>, 3> out;
    if (!instance_) return out;
    if (auto state = instance_->ledger().look(); !state) out[0] = std::move(state).error();
    if (auto state = instance_->vault().look(); !state) out[1] = std::move(state).error();
    if (auto state = instance_->look_at_views(); !state) out[2] = std::move(state).error();
    return out;
  }
  // True: a store does not stand at its place, and whatever is written goes nowhere. With mutex_.
  bool are_stores_gone(const std::array<std::optional<Error>, 3>& found) {
    bool are_gone = false;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto& error = found[i];
      const bool is_truth = i < 2;  // damaged read models are told of when they are made anew
      const bool counts = error && (error->is("store_missing") || (is_truth && error->category() == Errc::corrupt));
      const std::string trouble = counts ? error->code() : "";
      are_gone = are_gone || trouble == "store_missing";
      if (std::exchange(store_troubles_[i], trouble) == trouble || trouble.empty()) continue;
      std::fprintf(stderr, "siegel: ALARM %s [%s]\n", texts::told(*error, settings_.speech.language).c_str(),
                   trouble.c_str());
      if (const std::string what(advice(trouble, settings_.speech.language)); !what.empty())
        say(settings_.speech, what);
    }
    return are_gone;
  }
  // Not missing: that has a way of its own.
  bool is_store_damaged() const {
    return std::ranges::any_of(store_troubles_, [](const auto& t) { return !t.empty() && t != "store_missing"; });
  }

  // So that one which was taken out of PLACES is missed.
  void tell_members() const {
    const auto places = read_places(settings_.data);
    if (!places) return;
    for (const auto& replica : places->key_replicas)
      say(settings_.speech, text("Zweitkopie der Schlüssel: ", "key replica: ") + replica.string());
    for (const auto& mirror : places->root_mirrors)
      say(settings_.speech, text("Wurzelspiegel: ", "root mirror: ") + mirror.string());
  }

  void tell_views_given_up() const {
    std::fprintf(stderr, "siegel: ALARM %s [views_damaged]\n",
                 text("die Lesemodelle sind beschädigt und werden aus dem Buch neu berechnet: ihren Datenträger prüfen",
                      "the read models are damaged and are made anew from the ledger: look at their disk"));
  }

  // Once: it does not go on by itself. With mutex_.
  void tell_projector() {
    const auto status = instance_ ? instance_->projector_status() : Status(Done{});
    if (status || status.error().category() == Errc::unavailable || std::exchange(projector_told_, true)) return;
    std::fprintf(stderr, "siegel: ALARM the read models stand still: projector_stopped: %s [%s]\n",
                 status.error().text().c_str(), status.error().code());
  }

  // With mutex_.
  void tell_room() {
    if (!instance_ || !instance_->ledger().read_only().empty()) return;
    const auto reasons = instance_->read_only();
    if (std::exchange(room_short_, !reasons.empty()) == room_short_) return;
    if (room_short_) {
      std::fprintf(stderr, "siegel: ALARM %s [disk_full]\n",
                   texts::detail(reasons.front().detail, settings_.speech.language).c_str());
    } else {
      std::fprintf(stderr, "siegel: %s\n",
                   text("es ist wieder Platz für Änderungen", "there is room for changes again"));
    }
  }

  // With mutex_.
  void tell_keys_anew() {
    if (!instance_) return;
    keys_told_ = tell_keys(keys_told_, instance_->vault(), settings_.speech.language);
    if (!service_) return;
    const auto failure = service_->counters().erasure_failure;
    if (std::exchange(erasure_failure_told_, failure) == failure) return;
    if (failure.code.empty()) {
      std::fprintf(stderr, "siegel: %s\n", text("Löschungen gelingen wieder", "erasures succeed again"));
    } else if (failure.destroyed) {
      std::fprintf(stderr,
                   text("siegel: ALARM eine Löschung ist ausgeführt, lässt sich aber nicht verzeichnen, was wieder "
                        "versucht wird; die Schlüssel sind vernichtet [%s]\n",
                        "siegel: ALARM an erasure is carried out, but to record it fails and is tried again; the keys "
                        "are destroyed [%s]\n"),
                   failure.code.c_str());
    } else {
      std::fprintf(stderr,
                   text("siegel: ALARM eine Löschung misslingt und wird wieder versucht; bis dahin ist die Person "
                        "gesperrt, ihre Schlüssel aber noch da [%s]\n",
                        "siegel: ALARM an erasure fails and is tried again; until then the person is fenced, but the "
                        "keys are still there [%s]\n"),
                   failure.code.c_str());
    }
  }

  // Under load it is always some events behind; what counts is that it reaches what the ledger held a while ago. With
  // mutex_.
  void look_at_lock_record() {
    if (!instance_) return;
    const auto size = instance_->ledger().size().get();
    const auto behind = instance_->lock_record_behind();
    const auto now = std::chrono::steady_clock::now();
    const bool reached = behind == 0 || size - behind >= lock_record_goal_;
    if (reached) {
      lock_record_goal_ = size;
      lock_record_since_ = now;
    }
    const bool fails = !reached && now - lock_record_since_ > kLockRecordWait;
    if (std::exchange(lock_record_fails_, fails) == fails) return;
    if (fails) {
      tell_lock_record(behind);
    } else {
      std::fprintf(stderr, "siegel: %s\n",
                   text("die Sperrdatei wird wieder geschrieben", "the lock record is written again"));
    }
  }

  void tell_lock_record(std::uint64_t behind) const {
    std::fprintf(stderr,
                 text("siegel: ALARM die Sperrdatei lässt sich nicht schreiben und kennt die letzten %llu Ereignisse "
                      "nicht: gingen sie verloren, bliebe es unbemerkt; ihren Datenträger prüfen "
                      "[lock_record_unavailable]\n",
                      "siegel: ALARM the lock record cannot be written and does not know of the last %llu event(s): "
                      "if they were lost, nobody would notice; look at its disk [lock_record_unavailable]\n"),
                 static_cast<unsigned long long>(behind));
  }

  // The same cause, looked at every two seconds, is one line of the log.
  void tell_once(const std::string& code, const std::string& why) {
    if (std::exchange(told_, code) != code) {
      std::fprintf(stderr, text("siegel: weiter nur zu lesen: %s [%s]\n", "siegel: still read-only: %s [%s]\n"),
                   why.c_str(), code.c_str());
    }
  }

  const ServeSettings& settings_;
  Metrics& metrics_;
  const Ending& ending_;
  const bool dumps_are_forbidden_;
  SystemClock clock_;
  SystemRandom random_;
  Workers workers_;
  std::mutex mutex_;
  std::unique_ptr<EventCounter> counter_;
  std::unique_ptr<Instance> instance_;
  std::shared_ptr<service::Service> service_;
  std::chrono::steady_clock::time_point tried_{};
  std::array<std::string, 3> store_troubles_;  // of ledger, keys and read models, as told
  std::chrono::seconds reopen_after_ = kReopenEvery;
  std::string closed_because_;   // code of the error with which the last opening ended; with mutex_
  std::string told_;             // look_after() only
  bool views_in_doubt_ = false;  // the same; they met damage
  bool projector_told_ = false;  // with mutex_
  bool room_short_ = false;      // with mutex_
  vault::Vault::Counters keys_told_;
  service::ErasureFailure erasure_failure_told_;
  std::uint64_t lock_record_goal_ = 0;  // size that it has to reach, and since when; with mutex_
  std::chrono::steady_clock::time_point lock_record_since_ = std::chrono::steady_clock::now();
  bool lock_record_fails_ = false;  // with mutex_
};

bool is_loopback(const std::string& listen) {
  return listen.starts_with("127.") || listen.starts_with("localhost:") || listen.starts_with("[::1]:");
}

}  // namespace

int serve(const ServeSettings& settings) {
  Ending ending(kEndWithin);  // before any other thread: all of them leave the signals to it
  std::signal(SIGPIPE, SIG_IGN);
  const auto connections_max = connections_for(raise_descriptors());

  const bool dumps_are_forbidden = forbid_dumps();
  if (auto lint = codec::lint_header_schema(); !lint) return report(lint.error(), settings.speech);
  http::ServerOptions server_options;
  server_options.listen = settings.config.listen;
  server_options.tls_cert = settings.config.tls_cert;
  server_options.tls_key = settings.config.tls_key;
  // Before the stores: opening them takes a while and leaves traces.
  if (const auto checked = http::Server::check(server_options); !checked)
    return report(checked.error(), settings.speech);
  const auto started = std::chrono::steady_clock::now();
  Metrics metrics;
  Log log(settings.config.log_level);
  Running running(settings, metrics, ending, dumps_are_forbidden);
  if (auto opened = running.open(); !opened)
    return opened.error().is("start_ended") ? 0 : report(opened.error(), settings.speech);
  running.tell_reasons();

  http::ApiOptions api_options;
  api_options.page_items_max = settings.config.page_items_max;
  api_options.upload_bytes_max = settings.config.upload_bytes_max;
  api_options.requests_per_second_per_token = settings.config.requests_per_second_per_token;
  api_options.loopback = is_loopback(settings.config.listen);
  api_options.openapi = settings.openapi;
  api_options.version = settings.version;
  api_options.metrics = [&] { return running.metrics_text(); };
  api_options.not_ready = [&] { return running.not_ready(); };
  api_options.warnings = [&] {
    std::vector<std::string> codes;
    for (const auto& warning : running.warned()) codes.emplace_back(warning.code);
    return codes;
  };
  api_options.hampered = [&] { return running.hampered(); };
  api_options.unavailable = [&] { return running.why_not(); };
  api_options.projector_stopped = [&] { return running.projector_stopped(); };
  api_options.uptime_s = [started] {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started).count());
  };
  http::Api api(std::move(api_options), [&] { return running.service(); });
  http::PagesOptions pages_options;
  if (!settings.config.pages_language.empty()) pages_options.language = settings.config.pages_language;
  pages_options.purpose = settings.config.purpose;
  pages_options.public_url = settings.config.public_url;
  pages_options.version = settings.version;
  pages_options.sessions.idle = std::chrono::seconds(settings.config.session_idle_s);
  pages_options.sessions.lifetime = std::chrono::seconds(settings.config.session_s);
  SystemRandom random;
  http::Pages pages(
      std::move(pages_options), api, [&] { return running.service(); }, random, pages::assets());
  server_options.header_bytes_max = settings.config.header_bytes_max;
  server_options.body_bytes_max = settings.config.body_bytes_max;
  server_options.connections_max = connections_max;
  server_options.drain = kDrain;
  server_options.on_finished = [&](const http::Finished& request) {
    metrics.finished(request);
    log.finished(request);
  };
  auto server = http::Server::start(std::move(server_options), pages);
  if (!server) return report(server.error(), settings.speech);
  std::printf("listening on %s\n", (*server)->url().c_str());
  std::fflush(stdout);

  while (!ending.wait_for(std::chrono::seconds(1))) {
    running.look_after();
    pages.take_back_made();
  }
  (*server)->stop();
  running.close();
  return 0;
}

}  // namespace siegel::app
