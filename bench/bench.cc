#include "bench/bench.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>

#include "bench/bulk.h"
#include "bench/figures.h"
#include "bench/imports.h"
#include "bench/served.h"
#include "bench/storage.h"
#include "verify/verify.h"

namespace siegel::bench {
namespace {

struct Sizes {
  std::uint64_t bare_events, bulk_events;    // bulk_events: of each run
  std::uint64_t people_events, open_events;  // the ledger with one million people (two events each), and the larger one
  std::uint64_t import_rows;
  unsigned runs;  // of which the median counts
  std::chrono::milliseconds puts;
  ServedTimes served;
};
constexpr Sizes kFull{400'000,
                      500'000,
                      2'000'000,
                      3'000'000,
                      100'000,
                      3,
                      std::chrono::milliseconds(2000),
                      {std::chrono::milliseconds(1000), std::chrono::milliseconds(5000), 20'000, 300}};
constexpr Sizes kQuick{5'000,
                       5'000,
                       8'000,
                       10'000,
                       2'000,
                       1,
                       std::chrono::milliseconds(100),
                       {std::chrono::milliseconds(50), std::chrono::milliseconds(300), 200, 5}};

// Removed at the end, whatever happened.
class TempDir {
 public:
  static Result<TempDir> make(const std::filesystem::path& in) {
    std::error_code ignored;
    std::filesystem::create_directories(in, ignored);
    auto name = (std::filesystem::absolute(in) / "siegel-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return Error(Errc::unavailable, "dir_failed", "No temporary directory can be made there.")
          .with("dir", in.string());
    return TempDir(name);
  }
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  explicit TempDir(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

class LedgerSource final : public verify::Source {
 public:
  explicit LedgerSource(std::unique_ptr<ledger::EventCursor> cursor) : cursor_(std::move(cursor)) {}
  Result<bool> next(verify::StoredEvent& event) override {
    Seq seq;
    ByteView parts;
    SIEGEL_TRY(more, cursor_->next(seq, event.header, parts));
    event.parts = parts;
    return more;
  }

 private:
  std::unique_ptr<ledger::EventCursor> cursor_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void say(const char* what) { std::fprintf(stderr, "siegel: bench: %s\n", what); }

class Bench {
 public:
  Bench(const Options& options, std::filesystem::path dir)
      : options_(options),
        sizes_(options.quick ? kQuick : kFull),
        dir_(std::move(dir)),
        program_{options.program, dir_ / "messages"} {}

  Status run() {
    if (wants({"bare_loop_events_per_s", "bulk_events_per_s", "bulk_to_bare_loop_ratio", "ledger_bytes_per_event"}))
      SIEGEL_CHECK(bulk_figures());
    if (wants({"projected_events_per_s", "verify_events_per_s_per_core", "rebuild_events_per_s", "open_ms"}) ||
        wants_people())
      SIEGEL_CHECK(projected_figures());
    if (wants({"http_commands_per_s", "http_commands_p99_ms", "http_cpu_us_per_command", "single_client_commands_per_s",
               "single_client_to_sync_ratio", "traced_reads_per_s", "traced_reads_p99_ms", "erase_one_p99_ms"}))
      SIEGEL_CHECK(served_figures());
    if (wants({"import_preview_s", "import_commit_s", "import_workbook_s", "import_memory_mib"}))
      SIEGEL_CHECK(import_figures());
    return Done{};
  }

  // In the order of figures().
  [[nodiscard]] std::vector<Measured> results() const {
    std::vector<Measured> out;
    for (const auto& figure : figures())
      for (const auto& result : results_)
        if (result.figure == &figure) out.push_back(result);
    return out;
  }
  // What the program said when it failed.
  [[nodiscard]] const std::filesystem::path& messages() const { return program_.log; }

 private:
  [[nodiscard]] bool wants(std::initializer_list<std::string_view> names) const {
    return options_.only.empty() || std::ranges::find(names, options_.only) != names.end();
  }
  [[nodiscard]] bool wants_people() const { return wants({"search_load_s", "search_p99_ms", "server_rss_mib"}); }
  void add(std::string_view name, double value, const SyncLatency& sync) {
    if (wants({name})) results_.push_back({find_figure(name), value, sync});
  }

  Result<Actor> actor(Stores& stores, const Site& site) {
    SIEGEL_TRY(leaf, stores.vault().new_leaf());
    return Actor{site.editor_id, leaf};
  }

  Status bulk_figures() {
    SIEGEL_TRY(sync, sync_latency(dir_));
    std::vector<double> bare, appended;
    if (wants({"bare_loop_events_per_s", "bulk_to_bare_loop_ratio"})) {
      say("bare loop");
      for (unsigned i = 0; i < sizes_.runs; ++i) {
        SIEGEL_TRY(rate, bare_loop(sizes_.bare_events));
        bare.push_back(rate);
      }
      add("bare_loop_events_per_s", median(bare), sync);
    }
    if (!wants({"bulk_events_per_s", "bulk_to_bare_loop_ratio", "ledger_bytes_per_event"})) return Done{};
    say("bulk append");
    SIEGEL_TRY(site, Site::make(program_, dir_ / "bulk"));
    std::uint64_t events = 0;
    {
      SIEGEL_TRY(stores, Stores::open(site.data, Stores::With::ledger_and_vault));
      SIEGEL_TRY(who, actor(*stores, site));
      for (unsigned i = 0; i < sizes_.runs; ++i) {
        SIEGEL_TRY(run, bulk(*stores, Stores::With::ledger_and_vault, who, sizes_.bulk_events));
        appended.push_back(static_cast<double>(run.events) / run.appended_seconds);
      }
      events = stores->ledger().size().get();
    }
    add("bulk_events_per_s", median(appended), sync);
    if (!bare.empty()) add("bulk_to_bare_loop_ratio", median(appended) / median(bare), sync);
    SIEGEL_TRY(bytes, ledger_bytes(site.data));
    add("ledger_bytes_per_event", static_cast<double>(bytes) / static_cast<double>(events), sync);
    return Done{};
  }

  Status projected_figures() {
    say("append with projections");
    SIEGEL_TRY(site, Site::make(program_, dir_ / "projected"));
    RecordId record;
    {
      SIEGEL_TRY(stores, Stores::open(site.data, Stores::With::projections));
      SIEGEL_TRY(who, actor(*stores, site));
      SIEGEL_TRY(sync, sync_latency(dir_));
      std::vector<double> projected;
      for (unsigned i = 0; i < sizes_.runs; ++i) {
        SIEGEL_TRY(run, bulk(*stores, Stores::With::projections, who, sizes_.bulk_events));
        projected.push_back(static_cast<double>(run.events) / run.projected_seconds);
        record = run.record;
      }
      add("projected_events_per_s", median(projected), sync);
      if (wants({"verify_events_per_s_per_core"})) SIEGEL_CHECK(verified(*stores, sync));
      if (wants({"rebuild_events_per_s"})) SIEGEL_CHECK(rebuilt(*stores, sync));
    }
    if (wants_people()) {
      say("one million people");
      SIEGEL_CHECK(fill(site, sizes_.people_events));
      SIEGEL_CHECK(with_people(site));
    }
    if (wants({"open_ms"})) {
      say("opening a large ledger");
      SIEGEL_CHECK(fill(site, sizes_.open_events));
      SIEGEL_CHECK(opened(site, record));
    }
    return Done{};
  }

  Status verified(Stores& stores, const SyncLatency& sync) {
    say("verification");
    verify::Options options;
    options.verifier_key = stores.verifier_key();
    options.checkpoints.push_back({"the ledger's checkpoint", stores.ledger().checkpoint()});
    SystemClock clock;
    SIEGEL_TRY(cursor, stores.ledger().cursor(Seq(0)));
    LedgerSource source(std::move(cursor));
    SIEGEL_TRY(report, verify::verify(source, options, clock));
    if (!report.intact()) return Error(Errc::corrupt, "not_intact", "The ledger of the benchmark does not verify.");
    add("verify_events_per_s_per_core", report.events_per_second(), sync);
    return Done{};
  }

  Status rebuilt(Stores& stores, const SyncLatency& sync) {
    say("rebuild");
    const auto events = static_cast<double>(stores.ledger().size().get());
    SIEGEL_TRY(seconds, stores.rebuild());
    add("rebuild_events_per_s", events / seconds, sync);
    return Done{};
  }

  Status fill(const Site& site, std::uint64_t events) {
    SIEGEL_TRY(stores, Stores::open(site.data, Stores::With::projections));
    const auto size = stores->ledger().size().get();
    if (size >= events) return Done{};
    SIEGEL_TRY(who, actor(*stores, site));
    SIEGEL_CHECK(bulk(*stores, Stores::With::projections, who, events - size));
    return Done{};
  }

  Status with_people(Site& site) {
    SIEGEL_TRY(sync, sync_latency(dir_));
    if (wants({"search_load_s", "search_p99_ms"})) {
      SIEGEL_TRY(searched, measure_search(site, sizes_.served));
      add("search_load_s", searched.load_s, sync);
      add("search_p99_ms", searched.p99_ms, sync);
    }
    if (!wants({"server_rss_mib"})) return Done{};
    SIEGEL_CHECK(site.start());
    SIEGEL_TRY(rss, measure_memory(site, sizes_.served));
    add("server_rss_mib", rss, sync);
    site.stop();
    return Done{};
  }

  Status opened(Site& site, const RecordId& record) {
    SIEGEL_TRY(sync, sync_latency(dir_));
    std::vector<double> times;
    for (unsigned i = 0; i < sizes_.runs; ++i) {
      SIEGEL_TRY(ms, measure_open(site, record));
      times.push_back(ms);
      site.stop();
    }
    add("open_ms", median(times), sync);
    return Done{};
  }

  Status served_figures() {
    say("over HTTP");
    SIEGEL_TRY(site, Site::make(program_, dir_ / "served"));
    const bool single = wants({"single_client_commands_per_s", "single_client_to_sync_ratio"});
    double puts = 0;
    if (single) {
      SIEGEL_TRY(rate, synced_puts_per_s(dir_ / "puts", sizes_.puts));
      puts = rate;
    }
    SIEGEL_TRY(out, measure_served(
                        site, sizes_.served,
                        {.commands = wants({"http_commands_per_s", "http_commands_p99_ms", "http_cpu_us_per_command"}),
                         .single = single,
                         .reads = wants({"traced_reads_per_s", "traced_reads_p99_ms"}),
                         .erase = wants({"erase_one_p99_ms"})}));
    add("http_commands_per_s", out.commands_per_s, out.sync_commands);
    add("http_commands_p99_ms", out.commands_p99_ms, out.sync_commands);
    add("http_cpu_us_per_command", out.cpu_us_per_command, out.sync_commands);
    add("single_client_commands_per_s", out.single_per_s, out.sync_single);
    if (single) {
      SIEGEL_TRY(after, synced_puts_per_s(dir_ / "puts-after", sizes_.puts));
      add("single_client_to_sync_ratio", out.single_per_s / ((puts + after) / 2), out.sync_single);
    }
    add("traced_reads_per_s", out.reads_per_s, out.sync_reads);
    add("traced_reads_p99_ms", out.reads_p99_ms, out.sync_reads);
    add("erase_one_p99_ms", out.erase_p99_ms, out.sync_erase);
    return Done{};
  }

  Status import_figures() {
    say("imports");
    SIEGEL_TRY(site, Site::make(program_, dir_ / "imports"));
    SIEGEL_TRY(sync, sync_latency(dir_));
    SIEGEL_TRY(out, measure_imports(site, sizes_.import_rows));
    add("import_preview_s", out.preview_s, sync);
    add("import_commit_s", out.commit_s, sync);
    add("import_workbook_s", out.workbook_s, sync);
    add("import_memory_mib", out.memory_mib, sync);
    return Done{};
  }

  const Options& options_;
  const Sizes sizes_;
  const std::filesystem::path dir_;
  const Program program_;
  std::vector<Measured> results_;
};

int failed(const Error& error) {
  std::fprintf(stderr, "siegel: %s [%s]\n", error.text().c_str(), error.code());
  return 1;
}

void show_messages(const std::filesystem::path& path) {
  SystemFiles files;
  constexpr std::size_t kMessagesBytesMax = std::size_t{1} << 20;
  if (const auto text = files.read_file(path, kMessagesBytesMax)) std::fwrite(text->data(), 1, text->size(), stderr);
}

}  // namespace

int run(const Options& options) {
  if (!options.only.empty() && find_figure(options.only) == nullptr) {
    std::fprintf(stderr, "siegel: there is no such figure [bad_value]; these are:\n");
    for (const auto& figure : figures()) std::fprintf(stderr, "  %s\n", std::string(figure.name).c_str());
    return 2;
  }
  auto dir = TempDir::make(options.dir);
  if (!dir) return failed(dir.error());
  Bench bench(options, dir->path());
  if (const auto measured = bench.run(); !measured) {
    show_messages(bench.messages());
    return failed(measured.error());
  }
  const auto text = options.json ? to_json(bench.results()) : to_table(bench.results());
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace siegel::bench
