#include "cli/context.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "cli/settings.h"
#include "core/base/env.h"
#include "tests/unit/catch.h"

namespace mlops::cli {
namespace {

// A directory of its own, removed at the end.
class Scratch {
 public:
  Scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "mlops-cli-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text, int mode = 0600) const {
    const auto file = path + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    REQUIRE(write_file_atomic(file, text, mode));
    ::chmod(file.c_str(), static_cast<mode_t>(mode));
    return file;
  }
  std::string path;
};

using Values = std::map<std::string, std::string>;

Variables variables(Values values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

ParsedWords flags(std::map<std::string, std::string> values) {
  ParsedWords words;
  for (auto& [key, value] : values) words.values[key] = {value};
  return words;
}

// Two contexts with tokens; `a` is the current one.
struct World : Scratch {
  World() {
    write("ta", "token-a\n");
    write("tb", "token-b");
    write("mlops/config.yaml", "current: a\ncontexts:\n  a: {server: \"http://a:1\", token_file: \"" + path +
                                   "/ta\"}\n  b: {server: \"https://b/\", token_file: \"" + path + "/tb\", ca: /ca}\n");
    places = {path + "/mlops/config.yaml", path};
  }
  Connection connect(std::map<std::string, std::string> flag_values, Values values) {
    auto connection = resolve_connection(flags(std::move(flag_values)), variables(std::move(values)), places);
    INFO((connection ? std::string() : connection.error().message));
    REQUIRE(connection);
    return *connection;
  }
  Places places;
};

TEST_CASE("contexts survive writing and reading, in a file for one person") {
  const Scratch scratch;
  ContextFile file;
  file.put({"local", "http://127.0.0.1:8470", "/t", ""});
  file.put({"prod", "https://x", "", "/ca"});
  file.put({"local", "http://127.0.0.1:1", "/t2", ""});
  file.current = "prod";
  const auto path = scratch.path + "/deep/er/config.yaml";
  REQUIRE(save_contexts(path, file));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto again = load_contexts(path);
  REQUIRE(again);
  CHECK(again->current == "prod");
  REQUIRE(again->contexts.size() == 2);
  CHECK(again->find("local")->server == "http://127.0.0.1:1");
  CHECK(again->find("local")->token_file == "/t2");
  CHECK(again->find("prod")->ca_file == "/ca");
  CHECK(load_contexts(scratch.path + "/absent")->contexts.empty());
}

TEST_CASE("a wrong context file is refused with its place") {
  for (const auto* text : {"contexts: {a: {servr: \"http://x\"}}", "contexts: {a: {server: \"ftp://x\"}}",
                           "contexts: {a: {server: \"http://u:p@x\"}}", "contexts: {a: 1}", "contexts: [a]",
                           "current: b\ncontexts: {a: {server: \"http://x\"}}",
                           "contexts: {.a: {server: \"http://x\"}}", "curent: a", "- a"}) {
    INFO(text);
    const auto file = parse_contexts(text, "config.yaml");
    REQUIRE_FALSE(file);
    CHECK(file.error().code == ErrorCode::kInvalid);
    CHECK(file.error().message.find("config.yaml:") == 0);
  }
}

TEST_CASE("server addresses are normal and carry nothing but scheme, host and port") {
  CHECK(*normal_server_url("http://h:1/") == "http://h:1");
  for (const auto* bad : {"h:1", "http://", "http:///", "http://h/api", "http://h?x", "http://u@h", "http://h\x01"}) {
    INFO(bad);
    CHECK_FALSE(normal_server_url(bad));
  }
}

TEST_CASE("flag beats variable beats project beats user") {
  World world;
  CHECK(world.connect({}, {}).server == "http://a:1");
  CHECK(world.connect({}, {}).token == "token-a");
  CHECK(world.connect({}, {{"MLOPS_CONTEXT", "b"}}).token == "token-b");
  CHECK(world.connect({{"--context", "a"}}, {{"MLOPS_CONTEXT", "b"}, {"MLOPS_SERVER", "http://c"}}).server ==
        "http://a:1");
  CHECK(world.connect({{"--server", "http://d"}}, {{"MLOPS_SERVER", "http://c"}}).server == "http://d");
  CHECK(world.connect({}, {{"MLOPS_TOKEN", "t"}}).token == "t");
  world.write(".mlops.yaml", "context: b\n");
  std::filesystem::create_directories(world.path + "/x/y");
  world.places.working_directory = world.path + "/x/y";
  CHECK(world.connect({}, {}).server == "https://b");
  CHECK(world.connect({}, {}).ca_file == "/ca");
  CHECK(world.connect({}, {{"MLOPS_CONTEXT", "a"}}).server == "http://a:1");
}

TEST_CASE("a context's token never goes to another server") {
  World world;
  CHECK(world.connect({{"--server", "http://evil"}}, {}).token.empty());
  CHECK(world.connect({}, {{"MLOPS_SERVER", "http://evil"}}).token.empty());
  CHECK(world.connect({{"--server", "http://evil"}}, {{"MLOPS_CONTEXT", "b"}}).ca_file.empty());
  CHECK(world.connect({{"--server", "http://a:1/"}}, {}).token == "token-a");
}

TEST_CASE("an unknown context says what was meant") {
  World world;
  world.write("mlops/config.yaml", "contexts: {hospital: {server: \"http://x\"}}");
  const auto chosen = choose_context(flags({{"--context", "hopital"}}), variables({}), world.places);
  REQUIRE_FALSE(chosen);
  CHECK(chosen.error().message.find("did you mean 'hospital'?") != std::string::npos);
}

TEST_CASE("a token file that others can read is not used") {
  const Scratch scratch;
  CHECK(*read_token_file(scratch.write("ok", " tok \n")) == "tok");
  CHECK(*read_token_file(scratch.write("group", "tok", 0640)) == "tok");
  for (const int mode : {0644, 0604, 0660, 0602}) {
    const auto token = read_token_file(scratch.write("open", "tok", mode));
    REQUIRE_FALSE(token);
    CHECK(token.error().slug == "token_file_exposed");
  }
  CHECK(read_token_file(scratch.path + "/absent").error().slug == "token_file_missing");
  CHECK(read_token_file(scratch.write("empty", " \n")).error().slug == "token_file_bad");
  CHECK(read_token_file(scratch.write("two", "a b")).error().slug == "token_file_bad");
}

TEST_CASE("the configuration directory follows XDG") {
  CHECK(*config_directory(variables({{"XDG_CONFIG_HOME", "/x"}, {"HOME", "/h"}})) == "/x/mlops");
  CHECK(*config_directory(variables({{"XDG_CONFIG_HOME", "x"}, {"HOME", "/h"}})) == "/h/.config/mlops");
  CHECK_FALSE(config_directory(variables({})));
}

TEST_CASE("the output format comes from the flag, else from the variable") {
  CHECK(resolve_presentation(flags({{"--output", "json"}}), variables({{"MLOPS_OUTPUT", "yaml"}}))->format ==
        OutputFormat::kJson);
  CHECK(resolve_presentation({}, variables({{"MLOPS_OUTPUT", "yaml"}}))->format == OutputFormat::kYaml);
  CHECK(resolve_presentation({}, variables({{"MLOPS_OUTPUT", "xml"}})).error().slug == "bad_output");
}

}  // namespace
}  // namespace mlops::cli
