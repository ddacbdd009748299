// `siegel`: the server and its command line in one program.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "app/config.h"
#include "app/local.h"
#include "app/local_backup.h"
#include "app/local_export.h"
#include "app/local_rebuild.h"
#include "app/local_verify.h"
#include "app/openapi.h"
#include "app/serve.h"
#include "bench/bench.h"
#include "ctl/ctl.h"

extern char** environ;

namespace {

using namespace siegel;

constexpr const char* kVersion = SIEGEL_VERSION;

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const auto equals = text.find('=');
    if (text.starts_with("SIEGEL_") && equals != std::string::npos)
      out[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return out;
}

app::Speech speech_of(const ctl::Global& global) { return {global.lang, global.json, global.quiet}; }

// Runs `then` with the configuration, or reports why there is none.
template <class F>
int with_config(const ctl::Global& global, F&& then) {
  auto config = app::load_config(global.config, environment());
  if (!config) return app::report(config.error(), speech_of(global));
  config->pages_language = config->language;
  config->language = global.lang;  // --lang and the environment count too
  const std::filesystem::path data = global.data.empty() ? config->data_dir : global.data;
  if (const auto same = app::check_places(*config, data); !same) return app::report(same.error(), speech_of(global));
  return then(*config, data);
}

}  // namespace

int main(int argc, char** argv) {
  ctl::LocalCommands local;
  local.version = kVersion;
  local.init = [](const ctl::InitOptions& o) {
    return with_config(o.global, [&](const app::Config& config, const std::filesystem::path& data) {
      app::InitOptions options;
      options.data = data;
      options.origin = o.origin;
      options.root_path = config.root_store_path;
      options.signer_path = config.signer_path;
      options.lock_path = o.lock.empty() ? config.lock_path : o.lock;
      options.key_replicas.assign(o.key_replicas.begin(), o.key_replicas.end());
      options.root_mirrors.assign(o.root_mirrors.begin(), o.root_mirrors.end());
      options.single_disk = o.single_disk;
      return app::run_init(options, speech_of(o.global));
    });
  };
  local.serve = [](const ctl::ServeOptions& o) {
    return with_config(o.global, [&](app::Config config, const std::filesystem::path& data) {
      if (!o.listen.empty()) config.listen = o.listen;
      if (!o.tls_cert.empty()) config.tls_cert = o.tls_cert;
      if (!o.tls_key.empty()) config.tls_key = o.tls_key;
      return app::serve({data, config, kVersion, std::string(app::kOpenapi), speech_of(o.global)});
    });
  };
  local.token_create = [](const ctl::LocalToken& o) {
    return with_config(o.global, [&](const app::Config& config, const std::filesystem::path& data) {
      return app::run_token_create(
          {data, config, o.role, o.expires, o.bulk_until, o.label, o.purposes, o.types, speech_of(o.global)});
    });
  };
  local.verify = [](const ctl::VerifyOptions& o) {
    return with_config(o.global, [&](const app::Config&, const std::filesystem::path& data) {
      return app::run_verify(
          {.data = data, .key = o.key, .checkpoint = o.checkpoint, .from = o.from, .speech = speech_of(o.global)});
    });
  };
  local.export_log = [](const ctl::ExportLogOptions& o) {
    return with_config(o.global, [&](const app::Config&, const std::filesystem::path& data) {
      return app::run_export_log({.data = data, .dir = o.dir, .speech = speech_of(o.global)});
    });
  };
  local.rebuild = [](const ctl::RebuildOptions& o) {
    return with_config(o.global, [&](const app::Config& config, const std::filesystem::path& data) {
      return app::run_rebuild({data, config, o.projection, speech_of(o.global)});
    });
  };
  local.backup = [](const ctl::BackupOptions& o) {
    return with_config(o.global, [&](const app::Config& config, const std::filesystem::path& data) {
      return app::run_backup({data, o.dir, config, speech_of(o.global)});
    });
  };
  local.lock_show = [](const ctl::LockOptions& o) {
    return with_config(o.global, [&](const app::Config&, const std::filesystem::path& data) {
      return app::run_lock_show(data, speech_of(o.global));
    });
  };
  local.lock_adopt = [](const ctl::LockOptions& o) {
    return with_config(o.global, [&](const app::Config& config, const std::filesystem::path& data) {
      return app::run_lock_adopt({data, config, o.reason, o.yes, speech_of(o.global)});
    });
  };
  local.bench = [](const ctl::BenchOptions& o) {
    std::error_code unknown;
    return bench::run({.dir = o.global.data.empty() ? "." : o.global.data,
                       .program = std::filesystem::read_symlink("/proc/self/exe", unknown).string(),
                       .only = o.only,
                       .quick = o.quick,
                       .json = o.global.json});
  };
  local.client_defaults = [](const ctl::Global& global, ctl::ClientDefaults& defaults) {
    const auto config = app::load_config(global.config, environment());
    if (!config) return app::report(config.error(), speech_of(global));
    defaults.purpose = config->purpose;
    defaults.language = config->language;
    return 0;
  };
  return ctl::run(argc, argv, local);
}
