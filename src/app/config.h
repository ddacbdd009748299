// Configuration (contract section 4): flag > SIEGEL_<SECTION>_<KEY> > file > default. An unknown key or a bad value is
// an error with file and line. docs/configuration.md says what each key does. Secrets are files, never values.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"

namespace siegel::app {

struct Config {
  std::string listen = "127.0.0.1:8480", public_url, tls_cert, tls_key, log_level = "info";
  std::string data_dir = "./siegel-data";
  // Empty: as PLACES of the data directory says, which init wrote.
  std::string lock_path, root_store_kind = "file", root_store_path, signer_path;
  std::string language;        // of messages; empty: as the terminal
  std::string pages_language;  // as [defaults] language says; empty: German
  std::string timezone = "Europe/Berlin", purpose;
  std::uint64_t erase_window_ms = 1000, key_cache_bytes_max = 64ull << 20, spare_leaves = 4096, replica_wait_ms = 3000;
  std::uint64_t group_commit_us_max = 200, queue_commands_max = 65'536;
  std::uint64_t body_bytes_max = 1ull << 20, event_bytes_max = 256ull << 10, header_bytes_max = 8ull << 10,
                page_items_max = 200, subjects_per_event_max = 1'000, search_results_max = 1'000, idempotency_days = 7,
                requests_per_second_per_token = 0;
  std::uint64_t upload_bytes_max = 256ull << 20, rows_max = 1'000'000, columns_max = 1'000,
                cell_bytes_max = 32ull << 10, sheet_unpacked_bytes_max = 1ull << 30, search_bytes_max = 256ull << 20,
                preview_minutes = 30, previews_max = 16;
  std::uint64_t session_idle_s = 1800, session_s = 43'200;
};

// file may be empty: then only the environment counts. Errors: invalid "config_invalid" with file, line and key.
Result<Config> load_config(const std::filesystem::path& file, const std::map<std::string, std::string>& environment);

}  // namespace siegel::app
