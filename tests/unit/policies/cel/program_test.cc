#include "policies/cel/program.h"

#include "policies/cel/parser.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cel;

namespace {

Declarations facts_declared() {
  Declarations declared;
  REQUIRE(declared.variable("target.environment", "map(string, dyn)"));
  REQUIRE(declared.variable("lineage", "map(string, dyn)"));
  REQUIRE(declared.variable("taint", "dyn"));
  REQUIRE(declared.variable("count", "int"));
  REQUIRE(declared.variable("names", "list(string)"));
  REQUIRE(declared.function("metric", "string -> double"));
  REQUIRE(declared.function("metric", "string, string -> double"));
  REQUIRE(declared.function("has", "dyn, string -> bool", true));
  return declared;
}

Bindings facts_bound() {
  Bindings bound;
  bound.variables["target.environment"] = from_json({{"name", "prod"}, {"holds_keys", true}});
  bound.variables["lineage"] = from_json({{"complete", true}, {"unknown_inputs", 2}});
  bound.variables["taint"] = Value();
  bound.variables["count"] = Value(std::int64_t{3});
  bound.variables["names"] = from_json(Json::array({"a", "b"}));
  bound.functions["metric"] = [](std::span<const Value> args) -> Result<Value> {
    if (*args[0].get<std::string>() == "auc") return Value(args.size() == 2 ? 0.81 : 0.79);
    return fail(ErrorCode::kRefused, "evidence_missing", "there is no metric '" + *args[0].get<std::string>() + "'");
  };
  bound.functions["has"] = [](std::span<const Value> args) -> Result<Value> {
    return Value(*args[1].get<std::string>() == "personal");
  };
  return bound;
}

Result<Value> value_of(std::string_view source) {
  MLOPS_ASSIGN(const auto program, compile(source, facts_declared()));
  return program.evaluate(facts_bound());
}

std::string shown(std::string_view source) {
  const auto value = value_of(source);
  return value ? to_text(*value) : value.error().slug;
}

std::string compile_error(std::string_view source) {
  const auto program = compile(source, facts_declared());
  return program ? "compiles" : program.error().message;
}

std::string explained(std::string_view source) {
  const auto program = compile(source, facts_declared());
  REQUIRE(program);
  std::string text;
  for (const auto& condition : program->explain(facts_bound())) text += (text.empty() ? "" : " | ") + condition.text();
  return text;
}

}  // namespace

TEST_CASE("expressions over declared facts") {
  CHECK(shown("metric('auc') >= 0.78 && metric('auc', 'holdout') >= 0.81") == "true");
  CHECK(shown("lineage.complete && lineage.unknown_inputs == 0") == "false");
  CHECK(shown("!taint.has('personal') || target.environment.holds_keys == false") == "false");
  CHECK(shown("target.environment.name in ['prod', 'live']") == "true");
  CHECK(shown("names.exists(n, n.startsWith('b')) && names.map(n, n + '!') == ['a!', 'b!']") == "true");
  CHECK(shown("names.filter(n, n.matches('^[b-z]$'))") == "[\"b\"]");
  CHECK(shown("has(lineage.complete) && !has(lineage.other)") == "true");
  CHECK(shown("count > 2 ? 'many' : 'few'") == "\"many\"");
  CHECK(shown("timestamp('2026-11-29T12:00:00Z') - duration('36h') < timestamp('2026-11-28T00:00:01Z')") == "true");
}

TEST_CASE("errors are absorbed where the other side decides, and only there") {
  CHECK(shown("metric('f1') > 0.5 || true") == "true");
  CHECK(shown("false && metric('f1') > 0.5") == "false");
  CHECK(shown("metric('f1') > 0.5 || false") == "evidence_missing");
  CHECK(shown("metric('f1') > 0.5 && true") == "evidence_missing");
  CHECK(shown("[0, 1].all(x, 1 / x > 1)") == "false");
  CHECK(shown("[0, 1].exists(x, 1 / x > 0)") == "true");
  CHECK(shown("[0, 1].map(x, 1 / x)") == "cel_division_by_zero");
  CHECK(shown("lineage.nothing") == "cel_no_such_key");
}

TEST_CASE("a mistake is told with its place, when compiled") {
  CHECK(compile_error("count >") == "1:8: the expression ends too early");
  CHECK(compile_error("count >\n  = 3") == "2:3: one '=' compares nothing: write '=='");
  CHECK(compile_error("cuont > 1") == "1:1: undeclared reference to 'cuont'");
  CHECK(compile(std::string_view("cuont > 1"), facts_declared()).error().hint == "did you mean 'count'?");
  CHECK(compile_error("true || lineag.complete") == "1:16: undeclared reference to 'lineag.complete'");
  CHECK(compile_error("count > 'a'") == "1:7: no matching overload: '>' does not take (int, string)");
  CHECK(compile_error("metric(1) > 0.5") == "1:1: no matching overload: metric() does not take (int)");
  CHECK(compile_error("metrics('a') > 0.5") == "1:1: there is no function 'metrics'");
  CHECK(compile_error("count.name") == "1:7: int has no field 'name'");
  CHECK(compile_error("names.all(n, n)") == "1:14: a condition is needed here, not string");
  CHECK(compile_error("count.all(n, true)") == "1:7: only lists and maps have elements, not int");
  CHECK(compile_error("names.all(1, true)") == "1:11: the first argument of all is a name");
  CHECK(compile_error("has(count)") == "1:1: has() asks for one field: has(a.b)");
  CHECK(compile_error("'abc") == "1:1: a text is not closed");
  CHECK(compile_error("Thing{a: 1}") == "1:6: messages are not part of this language");
  CHECK(compile_error("for > 1") == "1:1: 'for' is reserved and names nothing");
  CHECK(compile_error("{1.5: 2}") == "1:2: double is no type of a map's keys");
  CHECK(compile_error("9223372036854775808") == "1:1: this number does not fit into 64 bits");
  const auto detail = parse_json(compile("count >\n\tx", facts_declared()).error().detail);
  REQUIRE(detail);
  CHECK((*detail)["offset"] == 9);
  CHECK((*detail)["line"] == 2);
  CHECK((*detail)["column"] == 2);
}

TEST_CASE("what a run tells has its place too") {
  CHECK(value_of("count + 1 / (count - 3)").error().message == "1:11: division by zero");
  CHECK(value_of("lineage.complete + 1").error().message.starts_with("1:18: no such overload"));
}

TEST_CASE("types are deduced") {
  const auto type = [](std::string_view source) {
    const auto program = compile(source, facts_declared());
    return program ? to_text(program->type()) : program.error().message;
  };
  CHECK(type("metric('auc') >= 0.8") == "bool");
  CHECK(type("names.map(n, size(n))") == "list(int)");
  CHECK(type("{'a': [1]}") == "map(string, list(int))");
  CHECK(type("[1, 'a']") == "list(dyn)");
  CHECK(type("lineage.x") == "dyn");
  CHECK(type("count == 1 ? [] : [2.5]") == "list(double)");
}

TEST_CASE("why a condition does not hold") {
  CHECK(explained("count == 3").empty());
  CHECK(explained("metric('auc') >= 0.82") == "metric('auc') >= 0.82 is false: metric('auc') is 0.79");
  CHECK(explained("count == 3 && metric('auc') >= 0.82 && lineage.unknown_inputs == 0") ==
        "metric('auc') >= 0.82 is false: metric('auc') is 0.79 | "
        "lineage.unknown_inputs == 0 is false: lineage.unknown_inputs is 2");
  CHECK(explained("!taint.has('personal') || target.environment.holds_keys == false") ==
        "!taint.has('personal') || target.environment.holds_keys == false is false: taint.has('personal') is true, "
        "target.environment.holds_keys is true");
  CHECK(explained("count == 3 ? count > 5 : true") == "count > 5 is false: count is 3");
  CHECK(explained("names.all(n, n == 'a')") == "names.all(n, n == 'a') is false: n is \"b\"");
  CHECK(explained("metric('f1') >= 0.5") ==
        "metric('f1') >= 0.5 has no answer: metric('f1') is unknown: there is no metric 'f1'");
  CHECK(explained("has(lineage.other)") == "has(lineage.other) is false");
}

TEST_CASE("what could take long is refused before it runs") {
  CHECK(compile_error("names.all(a, names.all(b, names.all(c, names.all(d, a + b + c + d != ''))))")
            .find("estimated at") != std::string::npos);
  CHECK(compile_error("names.all(a, names.exists(b, a == b))") == "compiles");
  auto declared = facts_declared();
  declared.max_cost = 3;
  CHECK(compile("count + count + count > 1", declared).error().slug == "cel_too_costly");
}

TEST_CASE("what does take long is stopped, and no operator absorbs that") {
  auto bound = facts_bound();
  bound.max_steps = 50;
  auto declared = facts_declared();
  declared.assumed_size = 2;  // or the estimate would not let it run
  const auto program = compile("true || names.all(a, names.all(b, names.all(c, a != 'x'))) || true", declared);
  REQUIRE(program);
  CHECK(program->evaluate(bound));  // decided at once
  const auto late =
      compile("names.all(a, names.all(b, names.all(c, a + b + c != 'x' && a + c != b))) || true", declared);
  REQUIRE(late);
  const auto value = late->evaluate(bound);
  REQUIRE_FALSE(value);
  CHECK(value.error().slug == "cel_step_budget");
}

TEST_CASE("values that share their parts are as large as they look") {
  // Sixty times doubled: 2^60 elements in a few lists. Comparing them must end in the budget, not in the next century.
  std::string source = "[1]";
  for (int i = 0; i < 60; ++i) source = source + ".map(x, [x, x])";
  const auto program = compile("dyn(" + source + ") == dyn(" + source + ")", Declarations{});
  REQUIRE(program);
  CHECK(program->evaluate({}).error().slug == "cel_step_budget");
}

TEST_CASE("depth and size are bounded") {
  const auto slug = [](const std::string& source) { return parse(source) ? "" : parse(source).error().slug; };
  CHECK(slug(std::string(100, '(') + "1" + std::string(100, ')')).empty());
  CHECK(slug(std::string(5000, '(') + "1" + std::string(5000, ')')) == "cel_too_deep");
  CHECK(slug(std::string(5000, '[')) == "cel_too_deep");
  CHECK(slug(std::string(5000, '!') + "true") == "cel_too_deep");
  std::string sum = "1";
  for (int i = 0; i < 1000; ++i) sum += "+1";
  CHECK(slug(sum) == "cel_too_deep");
  std::string chain = "true";
  for (int i = 0; i < 2000; ++i) chain += "&&true";
  CHECK(slug(chain).empty());
  CHECK(slug("'" + std::string(100'000, 'a') + "'") == "cel_too_long");
  std::string list = "[1";
  for (int i = 0; i < 25'000; ++i) list += ",1";
  CHECK(slug(list + "]") == "cel_too_large");
  std::string deep = "1";
  for (int i = 0; i < 100; ++i) deep = "[" + deep + "]";
  const auto nested = compile("[1].map(x, " + deep + ").map(x, [[[x]]]).map(y, " + deep + ")", Declarations{});
  CHECK(nested);
}

TEST_CASE("any bytes may be parsed") {
  constexpr std::string_view kPieces[] = {"a",  ".",    "(",  ")",   "[", "]",  "{",   "}",   "'",   "\"", "\\", "1",
                                          "0x", "e",    "u",  ",",   "?", ":",  "&&",  "||",  "!",   "-",  "in", " ",
                                          "\n", "\xff", "r'", "b\"", "`", "//", "all", "map", "has", "=",  "<",  "\0"};
  std::uint64_t state = 42;
  for (int round = 0; round < 20'000; ++round) {
    std::string source;
    for (int i = 0; i < 12; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      source += kPieces[(state >> 33) % std::size(kPieces)];
    }
    const auto tree = parse(source);
    if (!tree) CHECK(tree.error().message.find(": ") != std::string::npos);
  }
}

TEST_CASE("numbers do not overflow silently") {
  for (const auto* source :
       {"9223372036854775807 + 1", "-9223372036854775808 - 1", "-(-9223372036854775808)", "9223372036854775807 * 2",
        "-9223372036854775808 / -1", "18446744073709551615u + 1u", "0u - 1u", "-9223372036854775808 % -1"}) {
    CHECK(shown(source) == "cel_overflow");
  }
  CHECK(shown("1 / 0") == "cel_division_by_zero");
  CHECK(shown("1u % 0u") == "cel_division_by_zero");
  CHECK(shown("int('9223372036854775808')") == "cel_bad_conversion");
}

TEST_CASE("times") {
  CHECK(shown("timestamp('2024-02-29T23:30:00+02:00').getHours()") == "21");
  CHECK(shown("timestamp('2024-02-29T23:30:00Z').getDayOfYear()") == "59");
  CHECK(shown("string(timestamp('1969-12-31T23:59:59.5Z'))") == "\"1969-12-31T23:59:59.5Z\"");
  CHECK(shown("timestamp('2023-02-29T00:00:00Z')") == "cel_bad_timestamp");
  CHECK(shown("timestamp('2023-02-28 00:00:00Z')") == "cel_bad_timestamp");
  CHECK(shown("timestamp(0).getHours('Europe/Paris')") == "cel_bad_timezone");
  CHECK(shown("string(duration('1h30m') + duration('-1.5s'))") == "\"5398.5s\"");
  CHECK(shown("string(duration('-0.5s'))") == "\"-0.5s\"");
  for (const auto* text : {"duration('')", "duration('1')", "duration('s')", "duration('1x')", "duration('-')"})
    CHECK(shown(text) == "cel_bad_duration");
  CHECK(shown("duration('300000h') + duration('2500000h')") == "cel_range");
}

TEST_CASE("maps and lists") {
  CHECK(shown("{1: 'a', 2u: 'b'}[2.0]") == "\"b\"");
  CHECK(shown("{1: 'a', 1u: 'b'}") == "cel_repeated_key");
  CHECK(shown("[1, 2][2]") == "cel_out_of_bounds");
  CHECK(shown("[1, 2][-1]") == "cel_out_of_bounds");
  CHECK(shown("{'b': 1, 'a': 2}.map(k, k)") == "[\"a\", \"b\"]");  // always in this order
  CHECK(shown("dyn([1, 1.0, 1u]) == dyn([1u, 1, 1.0])") == "true");
}

TEST_CASE("patterns are RE2") {
  CHECK(shown("'abc'.matches('b')") == "true");
  CHECK(shown("'abc'.matches('(?=b)')") == "cel_bad_pattern");
  CHECK(shown("matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '(a*)*b')") == "false");
}

TEST_CASE("signatures that are none are refused") {
  Declarations declared;
  for (const auto* text : {"", "string", "strin -> bool", "list(int -> bool", "int,, int -> bool", "int -> bool x"})
    CHECK(declared.function("f", text).error().slug == "cel_bad_type");
  CHECK(declared.variable("x", "list(list(int))"));
  CHECK(declared.function("f", "-> int"));
}
