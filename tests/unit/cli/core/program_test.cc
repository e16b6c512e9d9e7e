#include "cli/program.h"

#include <cstdlib>

#include "cli/exit_code.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/core/rows.h"

namespace mlops::cli {
namespace {

// A stdio stream into memory.
class Memory {
 public:
  Memory() : stream(::open_memstream(&data_, &size_)) {}
  ~Memory() {
    std::fclose(stream);
    std::free(data_);
  }
  std::string text() {
    std::fflush(stream);
    return {data_, size_};
  }
  std::FILE* stream;

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

const Command kEcho{.path = "echo",
                    .group = "g",
                    .summary = "s",
                    .operands = {{.name = "WORD", .help = "h", .required = false}},
                    .options = {{.name = "-c,--code", .value_name = "CODE", .help = "h"}},
                    .shared = kOutput | kAsOf,
                    .run = [](Session& session) {
                      if (const auto code = session.option("-c")) {
                        return session.fail({error_code_from_word(*code), "slug", "message \x1b[2J", "do this",
                                             R"({"candidates":["a@v1","a@v2"]})"});
                      }
                      session.say("talk");
                      const Json value = {{"word", session.operand(0)}, {"as_of", session.as_of()}};
                      session.print_value(
                          value, [&] { session.print_line(session.operand(0)); }, [] { return "name"; });
                      return int(kExitDone);
                    }};
const Command kRows{.path = "rows", .group = "g", .summary = "s", .shared = kOutput, .run = [](Session& session) {
                      const auto items = session.api().get("/rows");
                      if (!items) return session.fail(items.error());
                      session.print_list(
                          *items, {{"N", [](const Json& row) { return row.dump(); }}},
                          [](const Json& row) { return "row/" + row.dump(); }, "nothing");
                      return int(kExitDone);
                    }};
const Command kThrows{
    .path = "throws", .group = "g", .summary = "s", .run = [](Session&) -> int { throw std::runtime_error("boom"); }};

class OneAnswer final : public Transport {
 public:
  Result<std::unique_ptr<Transport>> another() const override { return fail(ErrorCode::kInternal, "not_scripted", ""); }
  explicit OneAnswer(std::string body) : body_(std::move(body)) {}
  Result<HttpReply> exchange(const HttpCall&) override { return HttpReply{200, {{"x-request-id", "r7"}}, body_}; }

 private:
  std::string body_;
};

struct Run {
  int exit = 0;
  std::string out, err;
};

Run run(const std::vector<std::string>& arguments, const std::string& answer = "[]") {
  Memory out, err;
  const CommandTable table({&kEcho, &kRows, &kThrows, &testing::kEnvShow}, builtin_commands());
  const Variables variables = [](std::string_view) { return std::nullopt; };
  const Places places{"", "/"};
  const Terminal terminal{out.stream, err.stream};
  const FakeClock clock(*parse_rfc3339("2026-11-23T20:15:01Z"));
  const Connect connect = [&](const Connection&) -> Result<std::unique_ptr<Transport>> {
    return std::unique_ptr<Transport>(std::make_unique<OneAnswer>(answer));
  };
  const int exit = run_program({table, variables, places, terminal, clock, connect}, arguments);
  return {exit, out.text(), err.text()};
}

TEST_CASE("data goes to stdout, talk to stderr") {
  const auto result = run({"echo", "hi\x1b"});
  CHECK(result.exit == 0);
  CHECK(result.out == "hi\\x1b\n");
  CHECK(result.err == "talk\n");
  CHECK(run({"echo", "hi", "-q"}).err.empty());
}

TEST_CASE("each format has its form") {
  CHECK(Json::parse(run({"echo", "x", "-o", "json"}).out).at("word") == "x");
  CHECK(run({"echo", "x", "-o", "yaml"}).out.find("word: x\n") != std::string::npos);
  CHECK(run({"echo", "x", "-o", "name"}).out == "name\n");
  CHECK(run({"rows"}, "[1,2]").out == "N\n1\n2\n");
  CHECK(run({"rows"}, R"({"items":[1],"next":null})").out == "N\n1\n");
  CHECK(run({"rows", "-o", "name"}, "[1]").out == "row/1\n");
  CHECK(run({"rows"}).err == "nothing\n");
  CHECK(run({"rows"}).out.empty());
  CHECK(run({"rows", "-o", "json"}).out == "[]\n");
}

TEST_CASE("errors are told and become exit codes") {
  const std::map<std::string, int> codes = {{"invalid", 2},  {"not_found", 5},   {"already_exists", 6},
                                            {"conflict", 6}, {"denied", 4},      {"unauthenticated", 4},
                                            {"refused", 3},  {"unavailable", 1}, {"timeout", 7},
                                            {"corrupt", 8},  {"exhausted", 1},   {"internal", 1}};
  for (const auto& [word, code] : codes) {
    INFO(word);
    CHECK(run({"echo", "-c", word}).exit == code);
  }
  CHECK(run({"echo", "-c", "invalid"}).err == "error: message \\x1b[2J\n  a@v1\n  a@v2\nhint: do this\n");
  CHECK(run({"echo", "-c", "refused"}).err.find("refused: message") == 0);
  const auto problem = Json::parse(run({"echo", "-c", "conflict", "-o", "json"}).err);
  CHECK(problem.at("code") == "conflict");
  CHECK(problem.at("facts").at("candidates").size() == 2);
}

TEST_CASE("a wrong command line exits 2, as asked for in JSON too") {
  CHECK(run({"ehco"}).exit == kExitUsage);
  CHECK(run({"ehco"}).err.find("did you mean 'echo'?") != std::string::npos);
  CHECK(Json::parse(run({"ehco", "-o", "json"}).err).at("slug") == "unknown_command");
  CHECK(run({}).exit == kExitUsage);
  CHECK(run({}).out.empty());
  CHECK(run({"env"}).err.find("env show") != std::string::npos);
  CHECK(run({"echo", "--as-of", "soon"}).exit == kExitUsage);
}

TEST_CASE("help, man, completion and version answer without a server") {
  CHECK(run({"--help"}).out.find("Exit status") != std::string::npos);
  CHECK(run({"--help"}).exit == 0);
  CHECK(run({"help", "env"}).out == run({"env", "--help"}).out);
  CHECK(run({"help", "env", "show"}).out == run({"env", "show", "-h"}).out);
  CHECK(run({"help", "nope"}).exit == kExitUsage);
  CHECK(run({"man"}).out.find(".TH MLOPSCTL") == 0);
  CHECK(run({"completion", "zsh"}).out.find("#compdef") == 0);
  CHECK(run({"completion", "csh"}).exit == kExitUsage);
  CHECK(run({"--version"}).out == "mlopsctl  " MLOPS_VERSION "\n");
}

TEST_CASE("version shows both sides and warns of a difference") {
  CHECK(run({"version"}, R"({"version":"9.9.9"})").out.find("mlopsd    9.9.9") != std::string::npos);
  CHECK(run({"version"}, R"({"version":"9.9.9"})").err.find("warning:") == 0);
  CHECK(run({"version"}, R"({"version":")" MLOPS_VERSION R"("})").err.empty());
}

TEST_CASE("--as-of is normalised, --verbose tells the request") {
  CHECK(Json::parse(run({"echo", "--as-of", "2h ago", "-o", "json"}).out).at("as_of") == "2026-11-23T18:15:01.000000Z");
  CHECK(run({"rows", "-v"}).err.find("GET /rows -> 200 (request r7)") == 0);
}

TEST_CASE("a defect is an error, not a crash") {
  CHECK(run({"throws"}).exit == kExitFailed);
  CHECK(run({"throws"}).err.find("boom") != std::string::npos);
}

TEST_CASE("api passes bodies through") {
  CHECK(run({"api", "GET", "/x"}, "raw").out == "raw");
  CHECK(run({"api", "get", "/x"}).exit == kExitUsage);
}

TEST_CASE("the meanings of the exit codes are complete and ascending") {
  int expected = 0;
  for (const auto& row : exit_code_rows()) {
    CHECK(row.code == expected++);
    CHECK_FALSE(row.meaning.empty());
  }
  CHECK(expected == kExitIntegrity + 1);
}

}  // namespace
}  // namespace mlops::cli
