// The commands that work on the data directory (L in contract section 3), as hooks: main() gives what this build can
// do, the command line parses the words and calls. A hook returns the exit code of contract section 3. Plain values
// only, so that this header stays free of the modules below the hooks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace siegel::ctl {

// The flags before the command.
struct Global {
  std::string data;    // --data; empty: what the configuration says, "./siegel-data" by default
  std::string config;  // --config; empty: none
  std::string server;  // --server or SIEGEL_SERVER
  std::string token;   // the token itself: --token @FILE and SIEGEL_TOKEN are read already; "@FILE": it gave none
  std::string purpose;
  std::string cacert;  // --cacert or SIEGEL_CACERT: the authority that the server's certificate is checked against
  bool json = false;
  bool quiet = false;
  std::string lang = "en";  // "de" or "en"; without --lang from the configuration or the environment
};

// What the configuration says to a client (contract section 4, [defaults]). Empty: nothing.
struct ClientDefaults {
  std::string purpose;
  std::string language;
};

struct InitOptions {
  Global global;
  std::string origin;  // empty: chosen by init
  std::string lock;    // empty: from the configuration
  std::vector<std::string> key_replicas;
  std::vector<std::string> root_mirrors;
  bool single_disk = false;
};

struct ServeOptions {
  Global global;
  std::string listen;  // empty: from the configuration
  std::string tls_cert;
  std::string tls_key;
};

struct LocalToken {
  Global global;
  std::string role;
  std::string expires;     // "12h", "30d", "45m"; empty: never
  std::string bulk_until;  // likewise; empty: no bulk export
  std::string label;
  std::vector<std::string> purposes;
  std::vector<std::string> types;
};

struct VerifyOptions {
  Global global;
  std::string key;         // verifier key; empty: the ledger's own, and the report says so
  std::string checkpoint;  // file; empty: the newest of the ledger
  std::optional<std::uint64_t> from;
};

struct ExportLogOptions {
  Global global;
  std::string dir;
};

struct RebuildOptions {
  Global global;
  std::string projection;  // empty: all
};

struct BenchOptions {
  Global global;
  std::string only;  // empty: all
  bool quick = false;
};

struct LockOptions {
  Global global;
  std::string reason;
  bool yes = false;
};

struct BackupOptions {
  Global global;
  std::string dir;
};

// A null hook hides its command.
struct LocalCommands {
  std::function<int(const InitOptions&)> init;
  std::function<int(const ServeOptions&)> serve;
  std::function<int(const LocalToken&)> token_create;
  std::function<int(const VerifyOptions&)> verify;
  std::function<int(const ExportLogOptions&)> export_log;
  std::function<int(const RebuildOptions&)> rebuild;
  std::function<int(const BenchOptions&)> bench;
  std::function<int(const LockOptions&)> lock_show;
  std::function<int(const LockOptions&)> lock_adopt;
  std::function<int(const BackupOptions&)> backup;
  // Fills what the configuration says; the exit code for one that is wrong, else 0.
  std::function<int(const Global&, ClientDefaults&)> client_defaults;
  std::string version;
};

}  // namespace siegel::ctl
