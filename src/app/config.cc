#include "app/config.h"

#include <algorithm>
#include <functional>
#include <variant>

#include <toml++/toml.h>

#include "base/text.h"

namespace siegel::app {
namespace {

using Target = std::variant<std::string Config::*, std::uint64_t Config::*>;

// Every key that there is. What later issues bring is added here.
const std::map<std::string, Target>& keys() {
  static const std::map<std::string, Target> all = {
      {"server.listen", &Config::listen},
      {"server.public_url", &Config::public_url},
      {"server.tls_cert", &Config::tls_cert},
      {"server.tls_key", &Config::tls_key},
      {"server.log_level", &Config::log_level},
      {"data.dir", &Config::data_dir},
      {"defaults.language", &Config::language},
      {"defaults.timezone", &Config::timezone},
      {"defaults.purpose", &Config::purpose},
      {"vault.erase_window_ms", &Config::erase_window_ms},
      {"vault.key_cache_bytes_max", &Config::key_cache_bytes_max},
      {"vault.spare_leaves", &Config::spare_leaves},
      {"ledger.group_commit_us_max", &Config::group_commit_us_max},
      {"ledger.queue_commands_max", &Config::queue_commands_max},
      {"limits.body_bytes_max", &Config::body_bytes_max},
      {"limits.event_bytes_max", &Config::event_bytes_max},
      {"limits.header_bytes_max", &Config::header_bytes_max},
      {"limits.page_items_max", &Config::page_items_max},
      {"limits.idempotency_days", &Config::idempotency_days},
  };
  return all;
}

Error wrong(const char* what, const std::string& place, const std::string& key) {
  return Error(Errc::invalid, "config_invalid", what).with("at", place).with("key", key);
}

Status set_text(Config& config, const std::string& key, const std::string& text, const std::string& place) {
  const auto it = keys().find(key);
  if (it == keys().end()) return wrong("The configuration has an unknown key.", place, key);
  if (const auto* member = std::get_if<std::string Config::*>(&it->second)) {
    config.*(*member) = text;
    return Done{};
  }
  const auto number = parse_u64(text);
  if (!number) return wrong("The configuration has a value that is no whole number.", place, key);
  config.*std::get<std::uint64_t Config::*>(it->second) = *number;
  return Done{};
}

Status set_node(Config& config, const std::string& key, const toml::node& node, const std::string& file) {
  const auto place = file + ":" + std::to_string(node.source().begin.line);
  const auto it = keys().find(key);
  if (it == keys().end()) return wrong("The configuration has an unknown key.", place, key);
  if (const auto* member = std::get_if<std::string Config::*>(&it->second)) {
    const auto text = node.value<std::string>();
    if (!text || !node.is_string()) return wrong("The configuration has a value that is no text.", place, key);
    config.*(*member) = *text;
    return Done{};
  }
  const auto number = node.value<std::int64_t>();
  if (!number || *number < 0 || !node.is_integer())
    return wrong("The configuration has a value that is no whole number.", place, key);
  config.*std::get<std::uint64_t Config::*>(it->second) = static_cast<std::uint64_t>(*number);
  return Done{};
}

Status read_file(Config& config, const std::filesystem::path& file) {
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

}  // namespace

Result<Config> load_config(const std::filesystem::path& file, const std::map<std::string, std::string>& environment) {
  Config config;
  if (!file.empty()) SIEGEL_CHECK(read_file(config, file));
  for (const auto& [key, target] : keys()) {
    std::string name = "SIEGEL_" + key;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return c == '.' ? '_' : static_cast<char>(std::toupper(c)); });
    const auto it = environment.find(name);
    if (it != environment.end()) SIEGEL_CHECK(set_text(config, key, it->second, "environment"));
  }
  return config;
}

}  // namespace siegel::app
