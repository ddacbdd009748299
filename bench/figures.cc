#include "bench/figures.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace siegel::bench {
namespace {

constexpr auto none = std::nullopt;

constexpr std::array kFigures{
    Figure{"bare_loop_events_per_s", "events/s", none, none, Better::higher},
    Figure{"bulk_events_per_s", "events/s", 200'000, 350'000, Better::higher},
    Figure{"bulk_to_bare_loop_ratio", "ratio", 0.60, 0.75, Better::higher},
    Figure{"projected_events_per_s", "events/s", 100'000, 200'000, Better::higher},
    Figure{"http_commands_per_s", "commands/s", 15'000, 25'000, Better::higher},
    Figure{"http_commands_p99_ms", "ms", none, 10, Better::lower},
    Figure{"http_cpu_us_per_command", "us", none, none, Better::lower},
    Figure{"single_client_commands_per_s", "commands/s", none, none, Better::higher},
    Figure{"single_client_to_sync_ratio", "ratio", 0.35, 0.50, Better::higher},
    Figure{"traced_reads_per_s", "reads/s", 12'000, 20'000, Better::higher},
    Figure{"traced_reads_p99_ms", "ms", 25, 25, Better::lower},
    Figure{"verify_events_per_s_per_core", "events/s", 500'000, 800'000, Better::higher},
    Figure{"rebuild_events_per_s", "events/s", 100'000, 200'000, Better::higher},
    Figure{"erase_one_p99_ms", "ms", 50, 20, Better::lower},
    Figure{"open_ms", "ms", 1'000, 200, Better::lower},
    Figure{"search_load_s", "s", 20, 10, Better::lower},
    Figure{"search_p99_ms", "ms", 20, 10, Better::lower},
    Figure{"import_preview_s", "s", 2, none, Better::lower},
    Figure{"import_commit_s", "s", 5, none, Better::lower},
    Figure{"import_workbook_s", "s", 10, none, Better::lower},
    Figure{"import_memory_mib", "MiB", 300, none, Better::lower},
    Figure{"server_rss_mib", "MiB", 512, 350, Better::lower},
    Figure{"ledger_bytes_per_event", "bytes", none, none, Better::lower},
};

// Four significant digits: more would only pretend.
std::string number(double value) {
  char text[32];
  if (value >= 1000)
    std::snprintf(text, sizeof text, "%.0f", value);
  else
    std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string number(const std::optional<double>& value) { return value ? number(*value) : "null"; }

double ms_of(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

const char* word(const std::optional<bool>& value) { return !value ? "null" : *value ? "true" : "false"; }

}  // namespace

std::span<const Figure> figures() noexcept { return kFigures; }

const Figure* find_figure(std::string_view name) noexcept {
  const auto* const it = std::ranges::find(kFigures, name, &Figure::name);
  return it == kFigures.end() ? nullptr : it;
}

std::optional<bool> met(const Measured& measured) noexcept {
  const auto& figure = *measured.figure;
  if (!figure.floor) return std::nullopt;
  return figure.better == Better::higher ? measured.value >= *figure.floor : measured.value <= *figure.floor;
}

std::string to_json(std::span<const Measured> results) {
  std::string out = "{";
  for (const auto& result : results) {
    const auto& figure = *result.figure;
    if (out.size() > 1) out += ',';
    out += '"' + std::string(figure.name) + "\":{\"value\":" + number(result.value) + ",\"unit\":\"" +
           std::string(figure.unit) + "\",\"floor\":" + number(figure.floor) + ",\"aim\":" + number(figure.aim) +
           ",\"met\":" + word(met(result)) + ",\"sync_latency_p50_ms\":" + number(ms_of(result.sync.p50)) +
           ",\"sync_latency_p99_ms\":" + number(ms_of(result.sync.p99)) +
           ",\"sync_latency_max_ms\":" + number(ms_of(result.sync.max)) + "}";
  }
  return out + "}\n";
}

std::string to_table(std::span<const Measured> results) {
  const auto cell = [](const std::optional<double>& value) { return value ? number(*value) : "-"; };
  char line[160];
  std::snprintf(line, sizeof line, "%-30s %12s %12s %12s %-10s %-6s %s\n", "figure", "value", "floor", "aim", "unit",
                "floor?", "sync p50/p99/max ms");
  std::string out = line;
  for (const auto& result : results) {
    const auto& figure = *result.figure;
    const auto reached = met(result);
    std::snprintf(line, sizeof line, "%-30s %12s %12s %12s %-10s %-6s %s/%s/%s\n", std::string(figure.name).c_str(),
                  number(result.value).c_str(), cell(figure.floor).c_str(), cell(figure.aim).c_str(),
                  std::string(figure.unit).c_str(),
                  !reached   ? "-"
                  : *reached ? "met"
                             : "MISSED",
                  number(ms_of(result.sync.p50)).c_str(), number(ms_of(result.sync.p99)).c_str(),
                  number(ms_of(result.sync.max)).c_str());
    out += line;
  }
  return out;
}

}  // namespace siegel::bench
