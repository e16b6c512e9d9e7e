#include "daemon/app/config.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <variant>

#include "core/base/env.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/model/delivery_target.h"
#include "daemon/app/gate_endpoints.h"
#include "daemon/domain/label_scan.h"
#include "daemon/events/schedule.h"

namespace mlops::app {
namespace {

constexpr std::string_view kVariablePrefix = "MLOPSD_";
constexpr std::size_t kFileLimitBytes = 1u << 20;

using Endpoints = std::vector<Config::GateEndpoint>;
using Slot = std::variant<std::string*, std::int64_t*, bool*, std::vector<std::string>*, Endpoints*>;

struct Setting {
  std::string_view path;
  std::string_view variable;
  Slot (*slot)(Config&);
  std::string_view help;
  std::int64_t min = 0;  // integers only
  std::int64_t max = 0;
};

constexpr std::int64_t kMaxThreads = 1024;

// Every setting there is.
const Setting kSettings[] = {
    {"listen.address", "MLOPSD_LISTEN_ADDRESS", [](Config& c) -> Slot { return &c.listen.address; },
     "IP address to listen on"},
    {"listen.port", "MLOPSD_LISTEN_PORT", [](Config& c) -> Slot { return &c.listen.port; },
     "TCP port; 0 takes any free one", 0, 65535},
    {"listen.tls.certificate", "MLOPSD_TLS_CERTIFICATE", [](Config& c) -> Slot { return &c.listen.tls.certificate; },
     "PEM file with the certificate chain; together with the key it turns TLS on"},
    {"listen.tls.key", "MLOPSD_TLS_KEY", [](Config& c) -> Slot { return &c.listen.tls.key; },
     "PEM file with the private key"},
    {"listen.allow_plaintext_on_network", "MLOPSD_LISTEN_ALLOW_PLAINTEXT_ON_NETWORK",
     [](Config& c) -> Slot { return &c.listen.allow_plaintext_on_network; },
     "serve a non-loopback address without TLS: tokens and data then cross the network readable by anyone on it"},
    {"listen.allowed_hosts", "MLOPSD_LISTEN_ALLOWED_HOSTS", [](Config& c) -> Slot { return &c.listen.allowed_hosts; },
     "further names clients may use in the Host header (variable: separated by commas)"},
    {"listen.worker_threads", "MLOPSD_LISTEN_WORKER_THREADS",
     [](Config& c) -> Slot { return &c.listen.worker_threads; }, "threads that run handlers", 1, kMaxThreads},
    {"listen.stream_threads", "MLOPSD_LISTEN_STREAM_THREADS",
     [](Config& c) -> Slot { return &c.listen.stream_threads; },
     "threads for uploads and downloads: how many run at the same time", 1, kMaxThreads},
    {"listen.io_threads", "MLOPSD_LISTEN_IO_THREADS", [](Config& c) -> Slot { return &c.listen.io_threads; },
     "threads that read requests and write answers", 1, 64},
    {"data_dir", "MLOPSD_DATA_DIR", [](Config& c) -> Slot { return &c.data_dir; },
     "where everything is kept: database, blobs, keys"},
    {"core_dumps", "MLOPSD_CORE_DUMPS", [](Config& c) -> Slot { return &c.core_dumps; },
     "allow core dumps and debuggers: a dump holds keys and data of people"},
    {"log.level", "MLOPSD_LOG_LEVEL", [](Config& c) -> Slot { return &c.log.level; }, "debug, info, warn or error"},
    {"limits.json_body_bytes", "MLOPSD_LIMITS_JSON_BODY_BYTES",
     [](Config& c) -> Slot { return &c.limits.json_body_bytes; }, "largest JSON body of a request", 1024, 64ll << 20},
    {"limits.upload_bytes", "MLOPSD_LIMITS_UPLOAD_BYTES", [](Config& c) -> Slot { return &c.limits.upload_bytes; },
     "largest single upload", 1, 1ll << 50},
    {"limits.connections", "MLOPSD_LIMITS_CONNECTIONS", [](Config& c) -> Slot { return &c.limits.connections; },
     "open connections in all; more are closed at once", 1, 1'000'000},
    {"limits.connections_per_ip", "MLOPSD_LIMITS_CONNECTIONS_PER_IP",
     [](Config& c) -> Slot { return &c.limits.connections_per_ip; }, "open connections from one address", 1, 1'000'000},
    {"limits.drain_seconds", "MLOPSD_LIMITS_DRAIN_SECONDS", [](Config& c) -> Slot { return &c.limits.drain_seconds; },
     "how long running requests may go on after SIGTERM", 0, 3600},
    {"token.max_days", "MLOPSD_TOKEN_MAX_DAYS", [](Config& c) -> Slot { return &c.token.max_days; },
     "longest life of a token", 1, 3650},
    {"store.low_water_percent", "MLOPSD_STORE_LOW_WATER_PERCENT",
     [](Config& c) -> Slot { return &c.store.low_water_percent; },
     "free space of the file system, in percent, below which uploads are refused", 0, 50},
    {"store.gc_lease_hours", "MLOPSD_STORE_GC_LEASE_HOURS", [](Config& c) -> Slot { return &c.store.gc_lease_hours; },
     "bytes that were written or used within these hours are not collected", 1, 24 * 366},
    {"store.trash_days", "MLOPSD_STORE_TRASH_DAYS", [](Config& c) -> Slot { return &c.store.trash_days; },
     "how long what was collected stays in the trash, from where it can be restored", 0, 3660},
    {"store.scrub_mib_per_s", "MLOPSD_STORE_SCRUB_MIB_PER_S",
     [](Config& c) -> Slot { return &c.store.scrub_mib_per_s; },
     "how fast the background scrub reads what is stored; 0 turns it off", 0, 100'000},
    {"registration.scan", "MLOPSD_REGISTRATION_SCAN", [](Config& c) -> Slot { return &c.registration.scan; },
     "look for people's data in a sample of a dataset that is registered: off; label (contains-pii, contains-phi); "
     "raise (its sensitivity, too, when less is declared)"},
    {"registration.scan_records", "MLOPSD_REGISTRATION_SCAN_RECORDS",
     [](Config& c) -> Slot { return &c.registration.scan_records; }, "how many records of a file are looked at", 1,
     1'000'000},
    {"gates.external", "MLOPSD_GATES_EXTERNAL", [](Config& c) -> Slot { return &c.gates.external; },
     "servers that external gates may ask, each {name, url, credential, ca_file}; a policy names one (variable: the "
     "list "
     "as JSON)"},
    {"gates.profile_mib", "MLOPSD_GATES_PROFILE_MIB", [](Config& c) -> Slot { return &c.gates.profile_mib; },
     "largest dataset, in MiB, that is measured while a plan waits; larger ones by mlopsctl profile", 0, 1 << 20},
    {"masking.master_key", "MLOPSD_MASKING_MASTER_KEY", [](Config& c) -> Slot { return &c.masking.master_key; },
     "where the master key of the masking keys is: file:PATH, env:NAME or credential:NAME (of systemd); empty: "
     "keys/masking.key in data_dir, made at the first start"},
    {"erasure.approvals", "MLOPSD_ERASURE_APPROVALS", [](Config& c) -> Slot { return &c.erasure.approvals; },
     "how many people approve the erasure of a person, besides who asks for it and who applies it", 1, 10},
    {"git.repositories_file", "MLOPSD_GIT_REPOSITORIES_FILE",
     [](Config& c) -> Slot { return &c.git.repositories_file; },
     "YAML file with the Git repositories that may be reached, for policies, GitOps and code provenance (docs/git.md)"},
    {"git.author_name", "MLOPSD_GIT_AUTHOR_NAME", [](Config& c) -> Slot { return &c.git.author_name; },
     "author of commits to GitOps repositories"},
    {"git.author_email", "MLOPSD_GIT_AUTHOR_EMAIL", [](Config& c) -> Slot { return &c.git.author_email; },
     "address of that author"},
    {"git.refresh_seconds", "MLOPSD_GIT_REFRESH_SECONDS", [](Config& c) -> Slot { return &c.git.refresh_seconds; },
     "how old what is known about commits may be when a gate on code provenance is decided", 1, 86400},
    {"git.timeout_seconds", "MLOPSD_GIT_TIMEOUT_SECONDS", [](Config& c) -> Slot { return &c.git.timeout_seconds; },
     "how long a Git server may take to answer", 1, 3600},
    {"git.ca_file", "MLOPSD_GIT_CA_FILE", [](Config& c) -> Slot { return &c.git.ca_file; },
     "PEM file of the authorities that Git servers' certificates are checked against; empty: the system's"},
    {"events.source", "MLOPSD_EVENTS_SOURCE", [](Config& c) -> Slot { return &c.events.source; },
     "who sends events, as receivers see it: a URI; empty: this daemon's URL"},
    {"events.allow_private", "MLOPSD_EVENTS_ALLOW_PRIVATE", [](Config& c) -> Slot { return &c.events.allow_private; },
     "send events to any address, those of private networks and of this machine too, and without TLS"},
    {"events.allowed_destinations", "MLOPSD_EVENTS_ALLOWED_DESTINATIONS",
     [](Config& c) -> Slot { return &c.events.allowed_destinations; },
     "hosts (host or host:port), addresses or networks (10.1.0.0/16) that events may be sent to though they are "
     "private, and without TLS (variable: separated by commas)"},
    {"events.retry_seconds", "MLOPSD_EVENTS_RETRY_SECONDS", [](Config& c) -> Slot { return &c.events.retry_seconds; },
     "waits before the first, second, … attempt to deliver an event; after the last it is a dead letter"},
    {"events.timeout_seconds", "MLOPSD_EVENTS_TIMEOUT_SECONDS",
     [](Config& c) -> Slot { return &c.events.timeout_seconds; }, "how long a receiver may take to answer", 1, 120},
    {"events.ca_file", "MLOPSD_EVENTS_CA_FILE", [](Config& c) -> Slot { return &c.events.ca_file; },
     "PEM file of the authorities that receivers' certificates may come from; empty: the system's"},
    {"events.watchers", "MLOPSD_EVENTS_WATCHERS", [](Config& c) -> Slot { return &c.events.watchers; },
     "how many may watch events at the same time", 0, 100'000},
    {"delivery.roots", "MLOPSD_DELIVERY_ROOTS", [](Config& c) -> Slot { return &c.delivery.roots; },
     "directories that releases may be delivered to, NAME=PATH each; environments say `target: {directory: NAME}` "
     "(variable: separated by commas)"},
    {"delivery.keep", "MLOPSD_DELIVERY_KEEP", [](Config& c) -> Slot { return &c.delivery.keep; },
     "how many releases that were replaced stay in a directory", 0, 1000},
    {"delivery.grace_seconds", "MLOPSD_DELIVERY_GRACE_SECONDS",
     [](Config& c) -> Slot { return &c.delivery.grace_seconds; },
     "how long a release that was replaced stays at least, for those who still read it", 0, 86400 * 30},
    {"delivery.verify_minutes", "MLOPSD_DELIVERY_VERIFY_MINUTES",
     [](Config& c) -> Slot { return &c.delivery.verify_minutes; },
     "how often delivered files are read back and compared; 0: never", 0, 60 * 24 * 366},
    {"delivery.verify_mib_per_s", "MLOPSD_DELIVERY_VERIFY_MIB_PER_S",
     [](Config& c) -> Slot { return &c.delivery.verify_mib_per_s; }, "how fast they are read back", 1, 100'000},
};

// The names directly below `prefix` ("listen." → address, port, tls, …), in table order.
std::vector<std::string_view> names_below(std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const Setting& setting : kSettings) {
    if (!setting.path.starts_with(prefix)) continue;
    const auto rest = setting.path.substr(prefix.size());
    const auto name = rest.substr(0, rest.find('.'));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

const Setting* find_setting(std::string_view path) {
  const auto* end = std::end(kSettings);
  const auto* it = std::find_if(std::begin(kSettings), end, [&](const Setting& s) { return s.path == path; });
  return it == end ? nullptr : it;
}

// --- YAML -----------------------------------------------------------------------------------------------------------

Status read_value(const YamlNode& node, const std::string& origin, const Setting& setting, Config& config) {
  const Slot slot = setting.slot(config);
  if (auto* const* text = std::get_if<std::string*>(&slot)) {
    MLOPS_ASSIGN(**text, yaml_string(node, origin, setting.path));
  } else if (auto* const* number = std::get_if<std::int64_t*>(&slot)) {
    MLOPS_ASSIGN(**number, yaml_int(node, origin, setting.path, setting.min, setting.max));
  } else if (auto* const* flag = std::get_if<bool*>(&slot)) {
    MLOPS_ASSIGN(**flag, yaml_bool(node, origin, setting.path));
  } else if (auto* const* endpoints = std::get_if<Endpoints*>(&slot)) {
    MLOPS_ASSIGN(**endpoints, read_gate_endpoints(node, origin));
  } else {
    MLOPS_ASSIGN(*std::get<std::vector<std::string>*>(slot), yaml_strings(node, origin, setting.path));
  }
  return {};
}

Status read_section(const YamlNode& node, const std::string& origin, const std::string& prefix, Config& config) {
  if (node.is_null()) return {};
  if (!node.is_map()) {
    const std::string where = prefix.empty() ? "the file" : "'" + prefix.substr(0, prefix.size() - 1) + "'";
    return fail(yaml_error(origin, node.mark, "bad_setting", where + " must be a mapping of settings"));
  }
  MLOPS_TRY(yaml_only_known_keys(node, origin, names_below(prefix)));
  for (const auto& [key, value] : node.entries) {
    const std::string path = prefix + key.scalar;
    const Setting* setting = find_setting(path);
    MLOPS_TRY(setting != nullptr ? read_value(value, origin, *setting, config)
                                 : read_section(value, origin, path + ".", config));
  }
  return {};
}

// --- environment ----------------------------------------------------------------------------------------------------

Failure bad_variable(const Setting& setting, const std::string& expected) {
  return fail(ErrorCode::kInvalid, "bad_setting", fmt::format("{}: expected {}", setting.variable, expected));
}

Status read_variable(const std::string& value, const Setting& setting, Config& config) {
  const Slot slot = setting.slot(config);
  if (auto* const* text = std::get_if<std::string*>(&slot)) {
    **text = value;
  } else if (auto* const* number = std::get_if<std::int64_t*>(&slot)) {
    const auto parsed = parse_int(value);
    if (!parsed || *parsed < setting.min || *parsed > setting.max) {
      return bad_variable(setting, fmt::format("a whole number from {} to {}", setting.min, setting.max));
    }
    **number = *parsed;
  } else if (auto* const* flag = std::get_if<bool*>(&slot)) {
    if (value != "true" && value != "false") return bad_variable(setting, "true or false");
    **flag = value == "true";
  } else if (auto* const* endpoints = std::get_if<Endpoints*>(&slot)) {
    MLOPS_ASSIGN(const auto list, parse_yaml(value, std::string(setting.variable)));
    MLOPS_ASSIGN(**endpoints, read_gate_endpoints(list, std::string(setting.variable)));
  } else {
    auto& items = *std::get<std::vector<std::string>*>(slot);
    items.clear();
    for (const auto item : split(value, ',')) {
      if (!trim(item).empty()) items.emplace_back(trim(item));
    }
  }
  return {};
}

// A variable that nobody reads is a setting that somebody believes in: it is an error like an unknown key.
Status check_variables(const Environment& environment) {
  std::vector<std::string> known;
  for (const Setting& setting : kSettings) known.emplace_back(setting.variable);
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kVariablePrefix) || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest_word(name, known);
    return fail(ErrorCode::kInvalid, "unknown_variable",
                fmt::format("the environment variable '{}' is not a setting", printable(name)),
                near ? "did you mean " + *near + "?" : "mlopsd --help lists all settings");
  }
  return {};
}

Status read_environment(const Environment& environment, Config& config) {
  MLOPS_TRY(check_variables(environment));
  for (const Setting& setting : kSettings) {
    const auto it = environment.find(std::string(setting.variable));
    if (it != environment.end()) MLOPS_TRY(read_variable(it->second, setting, config));
  }
  return {};
}

// --- the whole ------------------------------------------------------------------------------------------------------

std::string variable_or_empty(const Environment& environment, const std::string& name) {
  const auto it = environment.find(name);
  return it == environment.end() ? std::string() : it->second;
}

std::string default_data_dir(const Environment& environment) {
  if (const auto state = variable_or_empty(environment, "XDG_STATE_HOME"); state.starts_with('/')) {
    return state + "/mlopsd";
  }
  if (const auto home = variable_or_empty(environment, "HOME"); home.starts_with('/') && home != "/") {
    return home + "/.local/state/mlopsd";
  }
  return "/var/lib/mlopsd";
}

enum class AddressKind { kLoopback, kNetwork, kNotAnAddress };

AddressKind classify(const std::string& address) {
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127 ? AddressKind::kLoopback : AddressKind::kNetwork;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6) ? AddressKind::kLoopback : AddressKind::kNetwork;
  }
  return AddressKind::kNotAnAddress;
}

Status check_listen(const Config::Listen& listen) {
  if (listen.tls.certificate.empty() != listen.tls.key.empty()) {
    return fail(ErrorCode::kInvalid, "bad_tls_setting", "listen.tls.certificate and listen.tls.key go together",
                "set both, or neither");
  }
  const auto kind = classify(listen.address);
  if (kind == AddressKind::kNotAnAddress) {
    return fail(ErrorCode::kInvalid, "bad_setting", "listen.address is not an IP address",
                "for example 127.0.0.1, or 0.0.0.0 for all interfaces");
  }
  if (kind == AddressKind::kNetwork && listen.tls.key.empty() && !listen.allow_plaintext_on_network) {
    return fail(ErrorCode::kInvalid, "plaintext_on_network",
                fmt::format("listen.address {} is reachable from the network and TLS is off", listen.address),
                "set listen.tls.certificate and listen.tls.key; behind a proxy that ends TLS, set "
                "listen.allow_plaintext_on_network: true");
  }
  return {};
}

Status check_config(const Config& config) {
  constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};
  if (std::find(std::begin(kLevels), std::end(kLevels), config.log.level) == std::end(kLevels)) {
    return fail(ErrorCode::kInvalid, "bad_setting", "log.level must be debug, info, warn or error");
  }
  if (!domain::scan_mode_from_word(config.registration.scan)) {
    return fail(ErrorCode::kInvalid, "bad_setting", "registration.scan must be off, label or raise");
  }
  MLOPS_TRY(events::parse_schedule(config.events.retry_seconds));
  MLOPS_TRY(destinations(config));
  MLOPS_TRY(delivery_roots(config));
  if (!config.data_dir.starts_with('/')) {
    return fail(ErrorCode::kInvalid, "bad_setting", "data_dir must be an absolute path");
  }
  return check_listen(config.listen);
}

Json to_json(const Slot& slot) {
  if (auto* const* endpoints = std::get_if<Endpoints*>(&slot)) return gate_endpoints_json(**endpoints);
  return std::visit(
      [](const auto* value) {
        if constexpr (std::is_same_v<decltype(value), const Endpoints*>)
          return Json();
        else
          return Json(*value);
      },
      slot);
}

}  // namespace

Environment process_environment() {
  Environment out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    // Others may hold secrets, the master key among them: no copies of those.
    const bool is_ours = text.starts_with(kVariablePrefix) || text.starts_with("XDG_") || text.starts_with("HOME=");
    if (is_ours && equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Result<Config> load_config(std::string_view yaml, const std::string& origin, const Environment& environment) {
  Config config;
  config.data_dir = default_data_dir(environment);
  MLOPS_ASSIGN(const YamlNode root, parse_yaml(yaml, origin));
  MLOPS_TRY(read_section(root, origin, "", config));
  MLOPS_TRY(read_environment(environment, config));
  MLOPS_TRY(check_config(config));
  return config;
}

Result<Config> load_config_file(const std::string& path, const Environment& environment) {
  MLOPS_ASSIGN(const std::string yaml, read_file(path, kFileLimitBytes));
  return load_config(yaml, path, environment);
}

std::string settings_help() {
  Config defaults;
  defaults.data_dir = "~/.local/state/mlopsd";
  std::string out;
  for (const Setting& setting : kSettings) {
    out += fmt::format("  {}  ({}, default {})\n      {}\n", setting.path, setting.variable,
                       to_json(setting.slot(defaults)).dump(), setting.help);
  }
  return out;
}

std::string print_config(const Config& config) {
  Config copy = config;
  Json tree = Json::object();
  for (const Setting& setting : kSettings) {
    Json* node = &tree;
    for (const auto name : split(setting.path, '.')) node = &(*node)[std::string(name)];
    *node = to_json(setting.slot(copy));
  }
  return json_to_yaml(tree);
}

Result<net::Destinations> destinations(const Config& config) {
  using Private = net::Destinations::Private;
  return net::Destinations::create(config.events.allow_private ? Private::kAllow : Private::kRefuse,
                                   config.events.allowed_destinations);
}

Result<std::map<std::string, std::string>> delivery_roots(const Config& config) {
  std::map<std::string, std::string> roots;
  for (const auto& item : config.delivery.roots) {
    const auto equals = std::min(item.find('='), item.size());
    const auto name = item.substr(0, equals);
    const auto path = item.substr(std::min(equals + 1, item.size()));
    if (!model::check_root_name(name) || !path.starts_with('/') || !roots.emplace(name, path).second) {
      return fail(ErrorCode::kInvalid, "bad_setting",
                  fmt::format("delivery.roots: \"{}\" is not a new NAME=PATH", printable(item)),
                  "a name of a-z, 0-9, '.', '_' and '-', and an absolute path: models=/srv/models");
    }
  }
  return roots;
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options;
  options.address = config.listen.address;
  options.port = static_cast<int>(config.listen.port);
  options.tls_certificate_file = config.listen.tls.certificate;
  options.tls_key_file = config.listen.tls.key;
  options.allowed_hosts = config.listen.allowed_hosts;
  options.io_threads = static_cast<std::size_t>(config.listen.io_threads);
  options.worker_threads = static_cast<std::size_t>(config.listen.worker_threads);
  options.stream_threads = static_cast<std::size_t>(config.listen.stream_threads);
  options.queue_limit = 4 * options.worker_threads;
  options.connection_limit = static_cast<std::size_t>(config.limits.connections);
  options.connections_per_ip_limit = static_cast<std::size_t>(config.limits.connections_per_ip);
  return options;
}

}  // namespace mlops::app
