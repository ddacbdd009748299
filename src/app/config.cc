#include "app/config.h"

#include <algorithm>
#include <functional>
#include <variant>

#include <toml++/toml.h>

#include "base/text.h"
#include "ledger/ledger.h"

namespace siegel::app {
namespace {

struct Text {
  std::string Config::*member;
  bool (*is_valid)(std::string_view);
  const char* wanted;  // for whoever gave another
};
struct Number {
  std::uint64_t Config::*member;
  std::uint64_t min, max;
};
using Key = std::variant<Text, Number>;

bool is_any(std::string_view text) { return !text.empty(); }
bool is_url(std::string_view text) {
  return (text.starts_with("http://") || text.starts_with("https://")) && text.find_first_of(" \"<>") == text.npos;
}
bool is_level(std::string_view text) { return text == "error" || text == "warn" || text == "info" || text == "debug"; }
bool is_language(std::string_view text) { return text == "de" || text == "en"; }
bool is_store_kind(std::string_view text) { return text == "file"; }
bool is_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  const auto port = parse_u64(text.substr(colon + 1));
  return port && *port <= 65'535;
}
bool is_timezone(std::string_view text) {
  const bool plain = !text.empty() && text.front() != '/' && text.find("..") == text.npos &&
                     std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              std::string_view("/_+-").find(c) != std::string_view::npos;
                     });
  const std::filesystem::path zones("/usr/share/zoneinfo");
  std::error_code ignored;
  return plain && (!std::filesystem::exists(zones, ignored) || std::filesystem::is_regular_file(zones / text, ignored));
}

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kDayMs = 24ull * 3600 * 1000;

// Every key that there is. What later issues bring is added here.
const std::map<std::string, Key>& keys() {
  static const std::map<std::string, Key> all = {
      {"server.listen", Text{&Config::listen, is_listen, "ADDRESS:PORT"}},
      {"server.public_url", Text{&Config::public_url, is_url, "an address that begins with https://"}},
      {"server.tls_cert", Text{&Config::tls_cert, is_any, "a file"}},
      {"server.tls_key", Text{&Config::tls_key, is_any, "a file"}},
      {"server.log_level", Text{&Config::log_level, is_level, "error, warn, info or debug"}},
      {"data.dir", Text{&Config::data_dir, is_any, "a directory"}},
      {"lock.path", Text{&Config::lock_path, is_any, "a file"}},
      {"root_store.kind", Text{&Config::root_store_kind, is_store_kind, "file"}},
      {"root_store.path", Text{&Config::root_store_path, is_any, "a file"}},
      {"signer.path", Text{&Config::signer_path, is_any, "a file"}},
      {"defaults.language", Text{&Config::language, is_language, "de or en"}},
      {"defaults.timezone", Text{&Config::timezone, is_timezone, "a zone like Europe/Berlin"}},
      {"defaults.purpose", Text{&Config::purpose, is_name, "the name of a purpose"}},
      {"vault.erase_window_ms", Number{&Config::erase_window_ms, 0, kDayMs}},
      {"vault.key_cache_bytes_max", Number{&Config::key_cache_bytes_max, kMiB, 65'536 * kMiB}},
      {"vault.spare_leaves", Number{&Config::spare_leaves, 1, 1'000'000}},
      {"vault.replica_wait_ms", Number{&Config::replica_wait_ms, 100, 60'000}},
      {"ledger.group_commit_us_max", Number{&Config::group_commit_us_max, 0, 1'000'000}},
      {"ledger.queue_commands_max", Number{&Config::queue_commands_max, 1, 16'777'216}},
      {"limits.body_bytes_max", Number{&Config::body_bytes_max, 1024, 1024 * kMiB}},
      {"limits.event_bytes_max", Number{&Config::event_bytes_max, 1024, ledger::kEventPartsBytesMax}},
      {"limits.header_bytes_max", Number{&Config::header_bytes_max, 1024, kMiB}},
      {"limits.page_items_max", Number{&Config::page_items_max, 1, 10'000}},
      {"limits.subjects_per_event_max", Number{&Config::subjects_per_event_max, 1, 1'000}},
      {"limits.search_results_max", Number{&Config::search_results_max, 1, 10'000}},
      {"limits.idempotency_days", Number{&Config::idempotency_days, 1, 3650}},
      {"limits.upload_bytes_max", Number{&Config::upload_bytes_max, 1024, 4096 * kMiB}},
      {"limits.rows_max", Number{&Config::rows_max, 1, 10'000'000}},
      {"limits.columns_max", Number{&Config::columns_max, 1, 16'384}},
      {"limits.cell_bytes_max", Number{&Config::cell_bytes_max, 16, 32 * 1024}},
      {"limits.sheet_unpacked_bytes_max", Number{&Config::sheet_unpacked_bytes_max, kMiB, 16'384 * kMiB}},
      {"limits.search_bytes_max", Number{&Config::search_bytes_max, kMiB, 65'536 * kMiB}},
      {"limits.preview_minutes", Number{&Config::preview_minutes, 1, 24 * 60}},
      {"limits.previews_max", Number{&Config::previews_max, 1, 1'000}},
      {"limits.session_idle_s", Number{&Config::session_idle_s, 1, kDayMs / 1000}},
      {"limits.session_s", Number{&Config::session_s, 1, 30 * kDayMs / 1000}},
      {"limits.requests_per_second_per_token", Number{&Config::requests_per_second_per_token, 0, 1'000'000}},
  };
  return all;
}

Error wrong(const char* what, const std::string& place, const std::string& key) {
  return Error(Errc::invalid, "config_invalid", what).with("at", place).with("key", key);
}

Status set(Config& config, const Key& key, const std::string& name, const std::string& value,
           const std::string& place) {
  if (const auto* text = std::get_if<Text>(&key)) {
    if (!text->is_valid(value))
      return wrong("The configuration has a value that cannot be.", place, name).with("wanted", text->wanted);
    config.*(text->member) = value;
    return Done{};
  }
  const auto& number = std::get<Number>(key);
  const auto parsed = parse_u64(value);
  if (!parsed) return wrong("The configuration has a value that is no whole number.", place, name);
  if (*parsed < number.min || *parsed > number.max)
    return wrong("The configuration has a number that is out of bounds.", place, name)
        .with("least", number.min)
        .with("most", number.max);
  config.*(number.member) = *parsed;
  return Done{};
}

Status set_node(Config& config, const std::string& name, const toml::node& node, const std::string& file) {
  const auto place = file + ":" + std::to_string(node.source().begin.line);
  const auto it = keys().find(name);
  if (it == keys().end()) return wrong("The configuration has an unknown key.", place, name);
  const bool is_text = std::holds_alternative<Text>(it->second);
  if (is_text && !node.is_string()) return wrong("The configuration has a value that is no text.", place, name);
  if (!is_text && !node.is_integer())
    return wrong("The configuration has a value that is no whole number.", place, name);
  const auto value = is_text ? *node.value<std::string>() : std::to_string(*node.value<std::int64_t>());
  return set(config, it->second, name, value, place);
}

Status read_file(Config& config, const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    return Error(Errc::invalid, "config_invalid", "The configuration is not there, or is no file.")
        .with("file", file.string());
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    return Error(Errc::invalid, "config_invalid", "The configuration is not valid TOML.")
        .with("at", file.string() + ":" + std::to_string(error.source().begin.line));
  }
  for (const auto& [section, node] : table) {
    const std::string section_name(section.str());
    const auto* keys_of = node.as_table();
    if (keys_of == nullptr)
      return wrong("The configuration has a key outside a section.",
                   file.string() + ":" + std::to_string(node.source().begin.line), section_name);
    for (const auto& [key, value] : *keys_of)
      SIEGEL_CHECK(set_node(config, section_name + "." + std::string(key.str()), value, file.string()));
  }
  return Done{};
}

// SIEGEL_SERVER_LISTN names a section and no key of it: a mistake. SIEGEL_TOKEN names no section: not for us.
bool begins_like_one_of(const std::map<std::string, const std::string*>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(), [&](const auto& entry) {
    const auto section = entry.second->substr(0, entry.second->find('.'));
    return name.starts_with(entry.first.substr(0, sizeof("SIEGEL_") + section.size()));
  });
}

}  // namespace

Result<Config> load_config(const std::filesystem::path& file, const std::map<std::string, std::string>& environment) {
  Config config;
  if (!file.empty()) SIEGEL_CHECK(read_file(config, file));
  std::map<std::string, const std::string*> names;
  for (const auto& [key, target] : keys()) {
    std::string name = "SIEGEL_" + key;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return c == '.' ? '_' : static_cast<char>(std::toupper(c)); });
    names.emplace(std::move(name), &key);
  }
  for (const auto& [name, value] : environment) {
    const auto it = names.find(name);
    if (it != names.end()) {
      SIEGEL_CHECK(set(config, keys().at(*it->second), *it->second, value, "environment, " + name));
    } else if (begins_like_one_of(names, name)) {
      return Error(Errc::invalid, "config_invalid", "The environment has an unknown key.").with("name", name);
    }
  }
  return config;
}

}  // namespace siegel::app
