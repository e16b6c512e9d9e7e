#include "daemon/app/config.h"

#include "tests/unit/catch.h"

namespace mlops::app {
namespace {

const Environment kHome{{"HOME", "/home/ada"}};

Result<Config> load(std::string_view yaml, Environment variables = {}) {
  variables.insert(kHome.begin(), kHome.end());
  return load_config(yaml, "mlopsd.yaml", variables);
}

TEST_CASE("without a file everything has its default") {
  const auto config = load("");
  REQUIRE(config);
  CHECK(config->listen.address == "127.0.0.1");
  CHECK(config->listen.port == 8470);
  CHECK(config->listen.worker_threads == 64);
  CHECK(config->data_dir == "/home/ada/.local/state/mlopsd");
  CHECK(config->limits.upload_bytes == 1ll << 40);
  CHECK(config->token.max_days == 365);
  CHECK(load_config("", "x", {{"XDG_STATE_HOME", "/s"}, {"HOME", "/h"}})->data_dir == "/s/mlopsd");
  CHECK(load_config("", "x", {})->data_dir == "/var/lib/mlopsd");
}

TEST_CASE("the file beats defaults, the environment beats the file") {
  const auto config = load("listen:\n  port: 9000\n  allowed_hosts: [a.example, b.example]\nlog: {level: debug}\n",
                           {{"MLOPSD_LISTEN_PORT", "9001"}, {"MLOPSD_DATA_DIR", "/data"}});
  REQUIRE(config);
  CHECK(config->listen.port == 9001);
  CHECK(config->listen.allowed_hosts == std::vector<std::string>{"a.example", "b.example"});
  CHECK(config->log.level == "debug");
  CHECK(config->data_dir == "/data");
  CHECK(load("", {{"MLOPSD_LISTEN_ALLOWED_HOSTS", "x.example, y.example,"}})->listen.allowed_hosts ==
        std::vector<std::string>{"x.example", "y.example"});
}

TEST_CASE("a mistake in the file is named with its line and column") {
  const auto [yaml, where] = GENERATE(table<std::string, std::string>({
      {"listen:\n  prot: 1\n", "mlopsd.yaml:2:3"},
      {"listen:\n  port: eighty\n", "mlopsd.yaml:2:9"},
      {"listen:\n  port: 65536\n", "mlopsd.yaml:2:9"},
      {"listen:\n  port: 1\n  port: 2\n", "mlopsd.yaml:3:3"},
      {"listen: 8470\n", "mlopsd.yaml:1:9"},
      {"- a\n", "mlopsd.yaml:1:1"},
      {"listen:\n  tls:\n    certificat: x\n", "mlopsd.yaml:3:5"},
      {"listen:\n  allow_plaintext_on_network: perhaps\n", "mlopsd.yaml:2:31"},
      {"listen:\n  allowed_hosts: {a: b}\n", "mlopsd.yaml:2:18"},
      {"listen:\n  port: [1]\n", "mlopsd.yaml:2:9"},
      {"a: &a {b: *a}\n", "mlopsd.yaml:1:"},
      {"log: !!python/object/apply:os.system [x]\n", "mlopsd.yaml:1:"},
  }));
  const auto config = load(yaml);
  CAPTURE(yaml);
  REQUIRE_FALSE(config);
  CHECK(config.error().code == ErrorCode::kInvalid);
  CAPTURE(config.error().message);
  CHECK(config.error().message.starts_with(where));
}

TEST_CASE("hostile YAML is refused") {
  CHECK_FALSE(load(","));
  CHECK_FALSE(load("a: b\n---\nc: d\n"));
  CHECK_FALSE(load(std::string(200, '[')));
  CHECK_FALSE(load("data_dir: \"\\x00\"\n"));
}

TEST_CASE("a variable that is no setting, or no value of it, is an error") {
  const auto typo = load("", {{"MLOPSD_LISTEN_PROT", "1"}});
  REQUIRE_FALSE(typo);
  CHECK(typo.error().slug == "unknown_variable");
  CHECK(typo.error().hint.find("MLOPSD_LISTEN_PORT") != std::string::npos);
  CHECK(load("", {{"MLOPSD_LISTEN_PORT", "x"}}).error().slug == "bad_setting");
  CHECK(load("", {{"MLOPSD_LISTEN_PORT", "-1"}}).error().slug == "bad_setting");
  CHECK(load("", {{"MLOPSD_LISTEN_ALLOW_PLAINTEXT_ON_NETWORK", "yes"}}).error().slug == "bad_setting");
  CHECK(load("", {{"MLOPSCTL_ANYTHING", "1"}}));
}

TEST_CASE("plain text on the network needs a setting that says so") {
  const auto open = load("", {{"MLOPSD_LISTEN_ADDRESS", "0.0.0.0"}});
  REQUIRE_FALSE(open);
  CHECK(open.error().slug == "plaintext_on_network");
  CHECK(open.error().hint.find("listen.allow_plaintext_on_network") != std::string::npos);
  CHECK_FALSE(load("listen: {address: '::'}"));
  CHECK(load("listen: {address: '::1'}"));
  CHECK(load("listen: {address: 127.0.0.2}"));
  CHECK(load("listen: {address: 0.0.0.0, allow_plaintext_on_network: true}"));
  CHECK(load("listen: {address: 0.0.0.0, tls: {certificate: /c, key: /k}}"));
  CHECK(load("listen: {tls: {key: /k}}").error().slug == "bad_tls_setting");
  CHECK(load("listen: {address: localhost}").error().slug == "bad_setting");
}

TEST_CASE("words and paths are checked") {
  CHECK(load("log: {level: loud}").error().slug == "bad_setting");
  CHECK(load("data_dir: relative").error().slug == "bad_setting");
}

TEST_CASE("what is printed loads to the same") {
  const auto config = load("listen: {port: 9000, allowed_hosts: [a.example]}\ndata_dir: '/a: b'\n");
  REQUIRE(config);
  const std::string printed = print_config(*config);
  const auto again = load_config(printed, "printed", {});
  REQUIRE(again);
  CHECK(print_config(*again) == printed);
  CHECK(again->data_dir == "/a: b");
  CHECK(again->listen.allowed_hosts == config->listen.allowed_hosts);
}

TEST_CASE("help names every setting with its variable and default") {
  const auto help = settings_help();
  CHECK(help.find("listen.port  (MLOPSD_LISTEN_PORT, default 8470)") != std::string::npos);
  CHECK(help.find("store.low_water_percent") != std::string::npos);
}

TEST_CASE("the listener's options follow") {
  const auto config = load("listen: {port: 0, worker_threads: 8}\nlimits: {connections: 10}\n");
  REQUIRE(config);
  const auto options = server_options(*config);
  CHECK(options.port == 0);
  CHECK(options.worker_threads == 8);
  CHECK(options.queue_limit == 32);
  CHECK(options.connection_limit == 10);
}

}  // namespace
}  // namespace mlops::app
