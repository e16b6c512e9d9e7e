#include "cli/output.h"

#include "cli/help.h"
#include "cli/layout.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/core/rows.h"

namespace mlops::cli {
namespace {

using Lines = std::vector<std::string>;

Variables variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST_CASE("width counts columns, not bytes") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("\u00e9") == 1);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("\u65e5\u672c") == 4);
  CHECK(display_width("\U0001F600") == 2);
  CHECK(display_width("\u2713") == 1);
  CHECK(display_width("\u200b") == 0);
  CHECK(display_width("\xff") == 1);
  CHECK(display_width("\xe6\x97") == 2);
  CHECK(display_width("") == 0);
}

TEST_CASE("prose wraps, examples stay") {
  CHECK(wrap("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrap("one twotwotwo", 5, 1) == Lines{" one", " twotwotwo"});
  CHECK(wrap_prose("a b\nc\n\n  x   y\nd", 80) == Lines{"a b c", "", "  x   y", "d"});
}

TEST_CASE("a table is aligned by columns and hides wide ones") {
  const std::vector<Column> columns = {{"NAME", [](const Json& row) { return row.at("n").get<std::string>(); }},
                                       {"N", [](const Json& row) { return row.at("v").dump(); }, false, true},
                                       {"WHO", [](const Json&) { return std::string("me"); }, true}};
  const auto rows = Json::parse(R"([{"n":"\u65e5","v":7},{"n":"abcdef","v":100}])");
  const Palette plain(Colors::kOff);
  CHECK(table_lines(rows, columns, OutputFormat::kTable, plain, Colors::kOff) ==
        Lines{"NAME      N", "\u65e5        7", "abcdef  100"});
  CHECK(table_lines(rows, columns, OutputFormat::kWide, plain, Colors::kOff).front() == "NAME      N  WHO");
}

TEST_CASE("colour follows the flag, then the variables, then the terminal") {
  CHECK(choose_colors(ColorWhen::kAuto, true, variables({})) == Colors::kOn);
  CHECK(choose_colors(ColorWhen::kAuto, false, variables({})) == Colors::kOff);
  CHECK(choose_colors(ColorWhen::kAuto, true, variables({{"NO_COLOR", "1"}})) == Colors::kOff);
  CHECK(choose_colors(ColorWhen::kAuto, true, variables({{"NO_COLOR", ""}})) == Colors::kOn);
  CHECK(choose_colors(ColorWhen::kAuto, true, variables({{"TERM", "dumb"}})) == Colors::kOff);
  CHECK(choose_colors(ColorWhen::kAuto, false, variables({{"CLICOLOR_FORCE", "1"}})) == Colors::kOn);
  CHECK(choose_colors(ColorWhen::kAuto, false, variables({{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}})) ==
        Colors::kOff);
  CHECK(choose_colors(ColorWhen::kAlways, false, variables({{"NO_COLOR", "1"}})) == Colors::kOn);
  CHECK(choose_colors(ColorWhen::kNever, true, variables({{"CLICOLOR_FORCE", "1"}})) == Colors::kOff);
}

TEST_CASE("only own paint becomes a terminal sequence") {
  const Palette palette(Colors::kOn);
  const auto marked = palette.paint(Tone::kGood, "ok") + " \x1b[31mevil\x02g";
  CHECK(palette.render(marked, Colors::kOn) == "\x1b[32mok\x1b[0m \\x1b[31mevil\\x02g");
  CHECK(palette.render(marked, Colors::kOff) == "ok \\x1b[31mevil\\x02g");
  CHECK(display_width(palette.paint(Tone::kBad, "four")) == 4);
  const Palette off(Colors::kOff);
  CHECK(off.paint(Tone::kGood, "ok") == "ok");
  CHECK(off.render("a\nb", Colors::kOff).find('\n') == std::string::npos);
}

TEST_CASE("JSON cannot drive a terminal either") {
  const auto text = json_text({{"k", "\x1b[2J\x7f\u009b2J\u00e9"}});
  CHECK(text == "{\n  \"k\": \"\\u001b[2J\\u007f\\u009b2J\u00e9\"\n}\n");
  CHECK(Json::parse(text).at("k") == "\x1b[2J\x7f\u009b2J\u00e9");
}

TEST_CASE("help names every row, option and exit code") {
  const auto text = program_help(testing::table(), 80);
  for (const auto* word : {"Daily work", "promote", "env apply", "--output", "MLOPS_TOKEN_FILE", "  3  refused"}) {
    INFO(word);
    CHECK(text.find(word) != std::string::npos);
  }
  const auto one = command_help(testing::kPromote, 80);
  for (const auto* word : {"usage: mlopsctl promote REF [OPTION]...", "--to ENV", "-f, --force", "--dry-run",
                           "--as-of TIME", "-o, --output", "(train, test)", "  mlopsctl promote a@v1 --to prod"}) {
    INFO(word);
    CHECK(one.find(word) != std::string::npos);
  }
  CHECK(one.find("--server") == std::string::npos);
  for (std::size_t start = 0; start < text.size();) {
    const auto end = text.find('\n', start);
    CHECK(display_width(text.substr(start, end - start)) <= 80);
    start = end + 1;
  }
}

}  // namespace
}  // namespace mlops::cli
