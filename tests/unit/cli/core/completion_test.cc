#include "cli/completion.h"

#include "cli/man.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/core/rows.h"

namespace mlops::cli {
namespace {

using Words = std::vector<std::string>;

Completions look_up(Complete kind, std::string_view prefix) {
  Completions found;
  if (kind == Complete::kEnvironment) {
    for (const auto* name : {"prod", "preview", "staging"}) {
      if (std::string_view(name).starts_with(prefix)) found.candidates.push_back({name, ""});
    }
  }
  if (kind == Complete::kReference) {
    found.candidates.push_back({"readmission", "model"});
    found.no_space = true;
  }
  return found;
}

Words values(const Words& words) {
  Words result;
  for (const auto& candidate : complete(testing::table(), words, look_up).candidates) result.push_back(candidate.value);
  return result;
}

TEST_CASE("commands complete word by word") {
  CHECK(values({""}) == Words{"promote", "rollback", "env"});
  CHECK(values({"pro"}) == Words{"promote"});
  CHECK(values({"env", ""}) == Words{"show", "apply"});
  CHECK(values({"-q", "env", "s"}) == Words{"show"});
  CHECK(values({"nope", ""}).empty());
}

TEST_CASE("operands and values complete by their kind") {
  CHECK(values({"promote", ""}) == Words{"readmission"});
  CHECK(values({"promote", "a", ""}).empty());
  CHECK(values({"promote", "a", "--to", "p"}) == Words{"prod", "preview"});
  CHECK(values({"promote", "a", "--to=p"}) == Words{"--to=prod", "--to=preview"});
  CHECK(values({"promote", "--to", "prod", ""}) == Words{"readmission"});
  CHECK(values({"promote", "--role", "t"}) == Words{"train", "test"});
  CHECK(values({"env", "show", "st"}) == Words{"staging"});
  CHECK(complete(testing::table(), {"env", "apply", "a", ""}, look_up).rest == Completions::Rest::kFiles);
}

TEST_CASE("options complete until they end") {
  CHECK(values({"promote", "--f"}) == Words{"--force"});
  CHECK(values({"promote", "--to", "x", "--out"}) == Words{"--output"});
  CHECK(values({"promote", "--", "--f"}) == Words{"readmission"});
  CHECK(values({"rollback", "--dry"}).empty());
}

TEST_CASE("lines for the shells end with the directive") {
  Completions found;
  found.candidates = {{"a", "the \x1b first"}, {"b", ""}};
  found.no_space = true;
  CHECK(completion_lines(found) == "a\tthe \\x1b first\nb\n:nothing+nospace\n");
  CHECK(completion_script("bash").find("complete -F") != std::string_view::npos);
  CHECK(completion_script("zsh").find("#compdef mlopsctl") == 0);
  CHECK(completion_script("fish").find("complete -c mlopsctl") != std::string_view::npos);
  CHECK(completion_script("csh").empty());
}

TEST_CASE("roff input cannot be mistaken for requests") {
  CHECK(roff_text(".x") == "\\&.x");
  CHECK(roff_text("a\\b --c 'd' \u2192") == "a\\eb \\-\\-c \\(aqd\\(aq \\[u2192]");
}

TEST_CASE("the manual page holds every row and no stray request") {
  const auto page = man_page(testing::table(), "1.2.3");
  for (const auto* part :
       {".TH MLOPSCTL 1", "mlopsctl 1.2.3", ".SH DAILY WORK", ".SS promote", ".SS env apply",
        "\\fB\\-\\-to\\fR \\fIENV\\fR", ".SH EXIT STATUS", "  mlopsctl promote a@v1 \\-\\-to prod"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  const Words known = {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".I", ".BR", ".EX", ".EE"};
  for (std::size_t start = 0; start < page.size();) {
    const auto end = page.find('\n', start);
    const auto line = page.substr(start, end - start);
    start = end + 1;
    CHECK_FALSE(line.empty());
    if (line.front() != '.') continue;
    INFO(line);
    CHECK(std::find(known.begin(), known.end(), line.substr(0, line.find(' '))) != known.end());
  }
}

}  // namespace
}  // namespace mlops::cli
