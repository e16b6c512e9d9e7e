// The settings of mlopsd: one table row each, from which the YAML reader, the environment, --help and --print-config
// all come. Later wins: default, file, environment.
//
// Errors: kInvalid with origin:line:column for the file ("unknown_key", "yaml_…", "bad_setting"), with the variable's
// name for the environment ("unknown_variable", "bad_setting"), "plaintext_on_network", "bad_tls_setting".
// Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/net/destination.h"
#include "daemon/http/server.h"

namespace mlops::app {

struct Config {
  struct Tls {
    std::string certificate;  // PEM file; with the key, TLS is on
    std::string key;
  };
  struct Listen {
    std::string address = "127.0.0.1";
    std::int64_t port = 8470;
    Tls tls;
    bool allow_plaintext_on_network = false;
    std::vector<std::string> allowed_hosts;
    std::int64_t worker_threads = 64;
    std::int64_t stream_threads = 64;
    std::int64_t io_threads = 1;
  };
  struct Log {
    std::string level = "info";
  };
  struct Limits {
    std::int64_t json_body_bytes = 4ll << 20;
    std::int64_t upload_bytes = 1ll << 40;
    std::int64_t connections = 2048;
    std::int64_t connections_per_ip = 1024;
    std::int64_t drain_seconds = 30;
  };
  struct Token {
    std::int64_t max_days = 365;
  };
  struct Store {
    std::int64_t low_water_percent = 5;  // of the file system: below it, uploads are refused
    std::int64_t gc_lease_hours = 24;    // what was written or used more lately is not collected
    std::int64_t trash_days = 7;         // how long a collection can be undone
    std::int64_t scrub_mib_per_s = 8;    // of the background scrub; 0: off
  };
  struct Registration {
    std::string scan = "raise";  // of datasets: off, label, raise
    std::int64_t scan_records = 1000;
  };
  struct Masking {
    std::string master_key;  // file:PATH, env:NAME or credential:NAME; empty: keys/masking.key of the data directory
  };
  // A server that gates may ask (policies name it).
  struct GateEndpoint {
    std::string name;
    std::string url;
    std::string credential;  // file:PATH, env:NAME or credential:NAME of a bearer token; empty: none
    std::string ca_file;     // empty: the system's
  };
  struct Gates {
    std::vector<GateEndpoint> external;
    std::int64_t profile_mib = 256;  // of a dataset that is measured while a plan waits
  };
  struct Delivery {
    std::vector<std::string> roots;    // NAME=PATH
    std::int64_t keep = 2;             // replaced releases that stay
    std::int64_t grace_seconds = 60;   // how long a replaced release stays at least
    std::int64_t verify_minutes = 60;  // 0: never
    std::int64_t verify_mib_per_s = 32;
  };
  struct Erasure {
    std::int64_t approvals = 2;  // of people, for a plan
  };

  struct Git {
    std::string repositories_file;  // YAML; empty: no repositories
    std::string author_name = "mlopsd";
    std::string author_email = "mlopsd@localhost";
    std::int64_t refresh_seconds = 60;
    std::int64_t timeout_seconds = 30;
    std::string ca_file;  // empty: the system's
  };

  struct Events {
    std::string source;  // empty: this daemon's URL
    bool allow_private = false;
    std::vector<std::string> allowed_destinations;
    std::vector<std::string> retry_seconds{"0",     "5",     "300",   "1800",  "7200",
                                           "18000", "36000", "50400", "72000", "86400"};
    std::int64_t timeout_seconds = 15;
    std::string ca_file;  // empty: the system's
    std::int64_t watchers = 256;
  };

  Listen listen;
  std::string data_dir;     // filled by load_config: $XDG_STATE_HOME/mlopsd, ~/.local/state/mlopsd or /var/lib/mlopsd
  bool core_dumps = false;  // a dump holds keys and what people sent
  Log log;
  Limits limits;
  Token token;
  Store store;
  Registration registration;
  Masking masking;
  Erasure erasure;
  Git git;
  Events events;
  Gates gates;
  Delivery delivery;
};

using Environment = std::map<std::string, std::string>;

// What of the environment of this process settings depend on.
Environment process_environment();

// `yaml` may be empty; `origin` names it in messages. Every MLOPSD_* variable of `environment` must be a setting.
Result<Config> load_config(std::string_view yaml, const std::string& origin, const Environment& environment);

// The same from a file. Errors as above and those of read_file.
Result<Config> load_config_file(const std::string& path, const Environment& environment);

// One paragraph a setting: path, variable, default, meaning.
std::string settings_help();

// The settings in force as YAML that load_config reads back.
std::string print_config(const Config& config);

http::ServerOptions server_options(const Config& config);

// Where events may be sent. Errors: kInvalid "bad_destination".
Result<net::Destinations> destinations(const Config& config);

// The directories that releases may be delivered to, by name. Errors: kInvalid "bad_setting".
Result<std::map<std::string, std::string>> delivery_roots(const Config& config);

}  // namespace mlops::app
