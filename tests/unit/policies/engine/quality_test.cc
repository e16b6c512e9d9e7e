#include <algorithm>

#include "policies/data/stream.h"
#include "policies/engine/compare.h"
#include "policies/engine/gate_rule.h"
#include "policies/engine/policy.h"
#include "policies/engine/quality_profile.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

std::string text_of(const std::string& gate) {
  return "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0}\nspec:\n  gates:\n    - {id: "
         "it, " +
         gate + "}\n";
}

Policy policy_with(const std::string& gate) {
  auto loaded = load_policy(text_of(gate), "p.yaml");
  if (!loaded) FAIL(loaded.error().message << loaded.error().detail);
  return *loaded;
}

QualityGate quality_of(const std::string& checks) {
  const auto policy = policy_with("quality: {of: train, checks: [" + checks + "]}");
  return std::get<QualityGate>(gate_rules(policy).front().body);
}

QualityProfile profile_of(const QualityGate& gate, const std::vector<std::pair<std::string, std::string>>& files) {
  auto profiler = QualityProfiler::create(gate.measures(), gate.typed_columns());
  REQUIRE(profiler.has_value());
  for (const auto& [path, text] : files) {
    data::StringSource source(text);
    const auto added = profiler->add(source, path);
    if (!added) FAIL(added.error().message);
  }
  return profiler->finish();
}

// The count of the only check.
std::int64_t count_of(const std::string& check, const std::string& csv, const std::string& path = "t.csv") {
  const auto gate = quality_of(check);
  const auto profile = profile_of(gate, {{path, csv}});
  const auto found = profile.counts.find(measure_key(gate.measures().front()));
  return found == profile.counts.end() ? -1 : found->second.count;
}

std::vector<LintFinding> lint(const std::string& gate) {
  return lint_policy(text_of(gate), "p.yaml");
}

bool has_slug(const std::string& gate, const std::string& slug) {
  const auto findings = lint(gate);
  return std::any_of(findings.begin(), findings.end(), [&](const LintFinding& one) { return one.slug == slug; });
}

const std::string kCsv = "id,age,sex,seen\n1,40,F,2026-01-02\n2,,M,2026-03-01\n2,NA,x,\n4,130,,2025-01-01\n";

}  // namespace

TEST_CASE("each metric counts what its name says") {
  CHECK(count_of("{metric: rowCount, mustBe: 4}", kCsv) == 4);
  CHECK(count_of("{metric: nullValues, column: Age, mustBe: 0}", kCsv) == 1);
  CHECK(count_of("{metric: missingValues, column: age, missingValues: [NA], mustBe: 0}", kCsv) == 2);
  CHECK(count_of("{metric: invalidValues, column: sex, validValues: [F, M], mustBe: 0}", kCsv) == 1);
  CHECK(count_of("{metric: invalidValues, column: age, min: 0, max: 120, mustBe: 0}", kCsv) == 2);
  CHECK(count_of("{metric: invalidValues, column: seen, pattern: '^2026-', mustBe: 0}", kCsv) == 1);
  CHECK(count_of("{metric: duplicateValues, column: id, mustBe: 0}", kCsv) == 1);
  CHECK(count_of("{metric: duplicateValues, properties: [id, sex], mustBe: 0}", kCsv) == 0);
  CHECK(count_of("{metric: nullValues, column: weight, mustBe: 0}", kCsv) == -1);
}

TEST_CASE("cells of two columns are not mistaken for each other's") {
  CHECK(count_of("{metric: duplicateValues, properties: [a, b], mustBe: 0}", "a,b\nx,yz\nxy,z\n") == 0);
  CHECK(count_of("{metric: duplicateValues, properties: [a, b], mustBe: 0}", "a,b\n,x\nx,\n,x\n,\n,\n") == 1);
}

TEST_CASE("the newest date is found, and of JSON a member that records lack is null") {
  CHECK(count_of("{freshness: {column: seen, max_age: P1D}}", kCsv) == parse_rfc3339("2026-03-01").value());
  const std::string lines = "{\"id\":1}\n{\"id\":2,\"age\":3}\n{\"id\":3,\"age\":null}\n";
  CHECK(count_of("{metric: nullValues, column: age, mustBe: 0}", lines, "t.jsonl") == 2);
  CHECK(count_of("{metric: duplicateValues, column: id, mustBe: 0}", lines, "t.jsonl") == 0);
}

TEST_CASE("files are summed, a table can be named, and text says nothing") {
  const std::vector<std::pair<std::string, std::string>> files{
      {"a.csv", "id\n1\n2\n"}, {"b.csv", "id,x\n2,\n"}, {"README.txt", "id of nobody\n"}};
  const auto gate = quality_of(
      "{metric: rowCount, mustBe: 1}, {metric: rowCount, table: a, mustBe: 1}, {metric: duplicateValues, column: id, "
      "mustBe: 0}, {metric: nullValues, column: x, mustBe: 0}, {schema: {columns: {id: integer, x: date, y: string}}}");
  const auto profile = profile_of(gate, files);
  const auto measures = gate.measures();
  CHECK(profile.counts.at(measure_key(measures[0])).count == 3);
  CHECK(profile.counts.at(measure_key(measures[1])).count == 2);
  CHECK(profile.counts.at(measure_key(measures[2])).count == 1);
  CHECK(profile.counts.at(measure_key(measures[3])).rows == 1);
  CHECK(profile.columns == 2);
  CHECK(profile.types.at("id") == std::vector<std::string>{"integer", "number", "string"});
  CHECK_FALSE(profile.types.contains("y"));
  const auto back = profile_from_json(to_json(profile));
  REQUIRE(back.has_value());
  CHECK(to_json(*back) == to_json(profile));
  CHECK_FALSE(profile_from_json(Json{{"records", 1}}).has_value());
}

TEST_CASE("many keys are told apart") {
  std::string csv = "id\n";
  for (int i = 0; i < 20'000; ++i) csv += std::to_string(i % 15'000) + "\n";
  CHECK(count_of("{metric: duplicateValues, column: id, mustBe: 0}", csv) == 5'000);
}

TEST_CASE("expectations by the names of Great Expectations mean the same checks") {
  const std::pair<std::string, std::string> rows[] = {
      {"{expect_column_values_to_not_be_null: {column: age}}", "{metric: nullValues, column: age, mustBe: 0}"},
      {"{expect_column_values_to_not_be_null: {column: age, mostly: 0.75}}",
       "{metric: nullValues, column: age, unit: percent, mustBeLessOrEqualTo: 25}"},
      {"{expect_column_values_to_be_unique: {column: id}}", "{metric: duplicateValues, column: id, mustBe: 0}"},
      {"{expect_column_values_to_be_in_set: {column: sex, value_set: [M, F]}}",
       "{metric: invalidValues, column: sex, validValues: [F, M], mustBe: 0}"},
      {"{expect_column_values_to_be_between: {column: age, min_value: 0, max_value: 120}}",
       "{metric: invalidValues, column: age, min: 0, max: 120, mustBe: 0}"},
      {"{expect_column_values_to_match_regex: {column: zip, regex: '[0-9]{5}'}}",
       "{metric: invalidValues, column: zip, pattern: '^(?:[0-9]{5})', mustBe: 0}"},
      {"{expect_table_row_count_to_be_between: {min_value: 1, max_value: 9}}",
       "{metric: rowCount, mustBeBetween: [1, 9]}"}};
  for (const auto& [alias, native] : rows) {
    INFO(alias);
    CHECK(quality_texts(quality_of(alias)) == quality_texts(quality_of(native)));
  }
}

TEST_CASE("checks that cannot hold, cannot fail or are no checks are findings with their place") {
  const auto quality = [](const std::string& check) { return "quality: [" + check + "]"; };
  const std::pair<std::string, std::string> rows[] = {
      {quality("{metric: nullValue, column: a, mustBe: 0}"), "unknown_word"},
      {quality("{metric: nullValues, mustBe: 0}"), "missing_key"},
      {quality("{metric: nullValues, column: a}"), "gate_without_body"},
      {quality("{metric: nullValues, column: a, mustBe: 0, mustNotBe: 1}"), "gate_without_body"},
      {quality("{metric: nullValues, column: a, mustBeLessThan: 0}"), "gate_impossible"},
      {quality("{metric: nullValues, column: a, unit: percent, mustBeGreaterThan: 100}"), "gate_impossible"},
      {quality("{metric: nullValues, column: a, mustBeGreaterOrEqualTo: 0}"), "gate_cannot_fail"},
      {quality("{metric: nullValues, column: a, unit: percent, mustBeLessOrEqualTo: 100}"), "gate_cannot_fail"},
      {quality("{metric: nullValues, column: a, mustBeBetween: [3, 1]}"), "gate_impossible"},
      {quality("{metric: invalidValues, column: a, mustBe: 0}"), "gate_cannot_fail"},
      {quality("{metric: invalidValues, column: a, pattern: '(', mustBe: 0}"), "bad_pattern"},
      {quality("{metric: invalidValues, column: a, min: 5, max: 1, mustBe: 0}"), "gate_impossible"},
      {quality("{metric: nullValues, column: a, mustBe: 0, mustbe: 1}"), "unknown_key"},
      {quality("{expect_column_values_to_be_uniqe: {column: a}}"), "unknown_key"},
      {quality(""), "gate_cannot_fail"},
      {quality("{freshness: {column: a}}"), "missing_key"},
      {quality("{schema: {columns: {a: money}}}"), "unknown_word"},
      {"independence: {roles: [train]}", "gate_cannot_fail"},
      {"independence: {max_overlap: -1}", "gate_impossible"},
      {"residual: {max_findings: -1}", "gate_impossible"},
      {"residual: {of: []}", "gate_cannot_fail"},
      {"signatures: {count: 0}", "gate_cannot_fail"},
      {"signatures: {count: 21}", "gate_impossible"},
      {"signatures: {cuont: 1}", "unknown_key"},
      {"external: {timeout: PT5S}", "missing_key"},
      {"external: {name: opa, timeout: PT5M}", "gate_impossible"},
      {"compat: optional", "unknown_word"},
      {"metric: {name: auc, subgroups: {by: sex}}", "gate_cannot_fail"},
      {"metric: {name: auc, subgroups: {min: 0.5}}", "missing_key"},
      {"metric: {name: auc, subgroups: {by: sex, min: 1.5}}", "gate_impossible"},
      {"metric: {name: auc, subgroups: {by: sex, max_gap: 1}}", "gate_cannot_fail"}};
  for (const auto& [gate, slug] : rows) {
    INFO(gate);
    CHECK(has_slug(gate, slug));
    for (const auto& one : lint(gate)) CHECK(one.line >= 6);
  }
}

TEST_CASE("a stricter gate on evidence is told from a looser one") {
  const auto change_of = [](const std::string& before, const std::string& after) {
    const auto list = compare_policies(policy_with(before), policy_with(after));
    REQUIRE(list.size() == 1);
    return list[0].change;
  };
  CHECK(change_of("signatures: {count: 1}", "signatures: {count: 2}") == Change::kTightened);
  CHECK(change_of("independence: {max_overlap: 0}", "independence: {max_overlap: 5}") == Change::kLoosened);
  CHECK(change_of("residual: {max_findings: 3}", "residual: {max_findings: 0}") == Change::kTightened);
  CHECK(change_of("quality: [{metric: rowCount, mustBe: 1}, {freshness: {max_age: P1D}}]",
                  "quality: [{metric: rowCount, mustBe: 1}]") == Change::kLoosened);
  CHECK(change_of("metric: {name: auc, min: 0.5}", "metric: {name: auc, min: 0.5, subgroups: {by: sex, min: 0.4}}") ==
        Change::kTightened);
  CHECK(change_of("external: {name: a}", "external: {name: b}") == Change::kUnclear);
}
