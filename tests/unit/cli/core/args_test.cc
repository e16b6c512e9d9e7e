#include "cli/args.h"

#include "tests/unit/catch.h"
#include "tests/unit/cli/core/rows.h"

namespace mlops::cli {
namespace {

using Words = std::vector<std::string>;

Invocation parsed(const Words& words) {
  auto invocation = parse_arguments(testing::table(), words);
  INFO((invocation ? std::string() : invocation.error().message));
  REQUIRE(invocation);
  return *invocation;
}

Error refused(const Words& words) {
  const auto invocation = parse_arguments(testing::table(), words);
  REQUIRE_FALSE(invocation);
  CHECK(invocation.error().code == ErrorCode::kInvalid);
  return invocation.error();
}

TEST_CASE("options stand in any order and in every spelling") {
  for (const auto& words : {Words{"promote", "a@v1", "--to", "prod", "-f", "-o", "json"},
                            Words{"-o", "json", "promote", "--to=prod", "-f", "a@v1"},
                            Words{"promote", "-ojson", "--force", "--to", "prod", "a@v1"},
                            Words{"--output=json", "promote", "--force", "--to", "prod", "--", "a@v1"}}) {
    const auto invocation = parsed(words);
    CHECK(invocation.command == &testing::kPromote);
    CHECK(invocation.words.operands == Words{"a@v1"});
    CHECK(invocation.words.last("--to") == "prod");
    CHECK(invocation.words.last("--output") == "json");
    CHECK(invocation.words.has("--force"));
    CHECK_FALSE(invocation.words.has("--dry-run"));
  }
}

TEST_CASE("a path of two words may be broken by a global option") {
  const auto invocation = parsed({"env", "-q", "show", "prod"});
  CHECK(invocation.command == &testing::kEnvShow);
  CHECK(invocation.words.has("--quiet"));
  CHECK(invocation.words.operands == Words{"prod"});
}

TEST_CASE("values are taken as they are") {
  CHECK(parsed({"promote", "a", "--to", "-x"}).words.last("--to") == "-x");
  CHECK(parsed({"promote", "a", "--to="}).words.last("--to") == "");
  CHECK(parsed({"promote", "a", "--to", "[x,y]"}).words.last("--to") == "[x,y]");
  CHECK(parsed({"promote", "a", "--label", "a=1", "--label=b=2"}).words.values.at("--label") == Words{"a=1", "b=2"});
  CHECK(parsed({"promote", "[x,y]"}).words.operands == Words{"[x,y]"});
  CHECK(parsed({"promote", "-"}).words.operands == Words{"-"});
  CHECK(parsed({"promote", "--", "--to"}).words.operands == Words{"--to"});
}

TEST_CASE("mistakes are named, with what was probably meant") {
  CHECK(refused({"promtoe", "a"}).message == "unknown command 'promtoe'; did you mean 'promote'?");
  CHECK(refused({"env", "shwo"}).message == "unknown command 'env shwo'; did you mean 'env show'?");
  CHECK(refused({"promote", "a", "--tu", "prod"}).message == "unknown option --tu of 'promote'; did you mean --to?");
  // The value of a mistyped option may be a secret or a person's data, so it is not repeated.
  CHECK(refused({"promote", "a", "--tu=4711"}).message.find("4711") == std::string::npos);
  CHECK(refused({"promote", "a", "--role", "trian"}).message ==
        "option --role must be one of train, test, not 'trian'; did you mean 'train'?");
}

TEST_CASE("every kind of wrong command line has its slug") {
  CHECK(refused({"promote"}).slug == "missing_operand");
  CHECK(refused({"promote", ""}).slug == "missing_operand");
  CHECK(refused({"promote", "a", "b"}).slug == "extra_operand");
  CHECK(refused({"promote", "a", "--to"}).slug == "missing_value");
  CHECK(refused({"promote", "--to", "--force", "a"}).slug == "missing_value");
  CHECK(refused({"promote", "a", "--to", "x", "--to", "y"}).slug == "repeated_option");
  CHECK(refused({"promote", "a", "--force=no"}).slug == "bad_flag");
  CHECK(refused({"promote", "a", "-x"}).slug == "unknown_option");
  CHECK(refused({"rollback", "--dry-run"}).slug == "unknown_option");
  CHECK(refused({"--to", "prod", "promote", "a"}).slug == "unknown_option");
  CHECK(refused({"promote", "a", "-o", "xml"}).slug == "bad_choice");
  CHECK(refused({"x\x1b[2J"}).message.find('\x1b') == std::string::npos);
}

TEST_CASE("help is asked for anywhere but in a value") {
  CHECK(parsed({"--help"}).kind == Invocation::Kind::kHelp);
  CHECK(parsed({"promote", "--to", "x", "--help"}).topic == "promote");
  CHECK(parsed({"-h", "promote"}).topic == "promote");
  CHECK(parsed({"env", "--help"}).topic == "env");
  CHECK(parsed({"promote", "a", "--to", "-h"}).kind == Invocation::Kind::kRun);
  CHECK(parsed({}).kind == Invocation::Kind::kUsageHelp);
  CHECK(parsed({"env"}).topic == "env");
  CHECK(parsed({"--version"}).kind == Invocation::Kind::kVersion);
}

TEST_CASE("a repeated operand takes all that follow") {
  CHECK(parsed({"env", "apply", "a", "b", "c"}).words.operands == Words{"a", "b", "c"});
  CHECK(refused({"env", "apply"}).slug == "missing_operand");
}

TEST_CASE("a command's short letter wins over the global one, whose long form stays") {
  static const Command kOwn{.path = "own",
                            .group = "g",
                            .summary = "s",
                            .options = {{.name = "-q,--query", .value_name = "Q", .help = "h"}},
                            .run = [](Session&) { return 0; }};
  const auto invocation = parse_arguments(CommandTable({&kOwn}, {}), {"own", "-q", "x", "--quiet"});
  REQUIRE(invocation);
  CHECK(invocation->words.last("--query") == "x");
  CHECK(invocation->words.has("--quiet"));
}

TEST_CASE("global options are read even from a wrong command line") {
  CHECK(scan_globals({"promtoe", "-o", "json", "--nope"}).last("--output") == "json");
  CHECK_FALSE(scan_globals({"--", "-o", "json"}).has("--output"));
}

}  // namespace
}  // namespace mlops::cli
