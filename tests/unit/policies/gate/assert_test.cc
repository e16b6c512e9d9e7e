#include <algorithm>

#include "core/base/json.h"
#include "policies/gate/gate.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::gate;
using model::GateResult;
using model::PromotionFacts;
using model::Sensitivity;
using model::Verdict;

namespace {

PromotionFacts facts_of_release() {
  PromotionFacts facts;
  facts.environment.name = "prod";
  facts.environment.clearance = Sensitivity::kPseudonymous;
  facts.environment.approvals_needed = 1;
  facts.environment.labels = {{"holds_keys", "no"}};
  facts.requested_by = "rita";
  facts.reason = "release 12";
  model::MemberFacts member;
  member.version.name = "readmission";
  member.version.number = 3;
  member.version.sensitivity = Sensitivity::kSpecialCategory;
  member.version.metrics = {{"auc", 0.79}, {"auc.holdout", 0.83}};
  member.version.params = {{"depth", "6"}};
  member.inputs = {{"id-1", "patients@v1", "sha256:aa", "train"}};
  member.taint_path = {{"readmission@v3", Sensitivity::kSpecialCategory, ""},
                       {"patients@v1", Sensitivity::kSpecialCategory, "train"}};
  facts.members = {member};
  facts.current_ref = "readmission@v2";
  facts.current_metrics = {{"auc", 0.80}};
  facts.approvals = {{"olga", {"privacy_officer"}, true}};
  facts.decided_at_us = 1'764'374'400'000'000;  // 2025-11-29T00:00:00Z, a Saturday
  return facts;
}

std::string yaml_of(const std::string& assertion) {
  return "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: gates, version: 1.0.0}\nspec:\n  gates:\n"
         "    - id: claim\n      assert: " +
         assertion + "\n";
}

GateResult judged(const std::string& assertion, const PromotionFacts& facts = facts_of_release()) {
  const auto policy = policy::load_policy(yaml_of(assertion), "gates.yaml");
  if (!policy) FAIL(policy.error().message);
  for (auto& result : evaluate({*policy}, facts)) {
    if (result.id == "claim") return result;
  }
  FAIL("no result");
  return {};
}

std::vector<policy::LintFinding> lint_of(const std::string& assertion) {
  return policy::lint_policy(yaml_of(assertion), "gates.yaml");
}

bool finds(const std::string& assertion, const std::string& slug, int line, int column) {
  for (const auto& finding : lint_of(assertion)) {
    if (finding.slug == slug && finding.line == line && finding.column == column) return true;
  }
  for (const auto& finding : lint_of(assertion))
    UNSCOPED_INFO(finding.line << ":" << finding.column << ": " << finding.message << " [" << finding.slug << "]");
  return false;
}

}  // namespace

TEST_CASE("an assertion that holds passes and shows what it looked at") {
  const auto result = judged("metric(\"auc\", \"holdout\") >= 0.82 && lineage.complete");
  CHECK(result.verdict == Verdict::kPass);
  CHECK(result.kind == "assert");
  CHECK(result.rule == "gates.yaml:6");
  CHECK(result.would_pass_if.empty());
  CHECK(result.facts["values"]["lineage.complete"] == "true");
  CHECK(result.facts["values"]["metric(\"auc\", \"holdout\")"] == "0.83");
}

TEST_CASE("an assertion that does not hold says which part, and on which value") {
  const auto result = judged("lineage.complete && metric(\"auc\") >= 0.82 && lineage.unknown_inputs == 0");
  CHECK(result.verdict == Verdict::kFail);
  CHECK(result.reason == "model readmission@v3: metric(\"auc\") >= 0.82 is false: metric(\"auc\") is 0.79");
  CHECK(result.would_pass_if == "metric(\"auc\") >= 0.82");
  CHECK(result.facts["reason"] == "false");
}

TEST_CASE("missing evidence denies and says so") {
  for (const auto* assertion :
       {"metric(\"f1\") >= 0.5", "artifact.git.commit != \"\"", "metric(\"auc\") < 2.0 && metric(\"f1\") > 0.0"}) {
    const auto result = judged(assertion);
    CHECK(result.verdict == Verdict::kFail);
    CHECK(result.facts["reason"] == "evidence_missing");
    CHECK(result.reason.starts_with("evidence missing: "));
  }
  auto facts = facts_of_release();
  facts.decided_at_us = 0;
  CHECK(judged("now > timestamp(\"2020-01-01T00:00:00Z\")", facts).facts["reason"] == "evidence_missing");
  facts.members[0].version.metrics["auc"] = std::numeric_limits<double>::quiet_NaN();
  CHECK(judged("metric(\"auc\") != 0.5", facts).facts["reason"] == "evidence_missing");
}

TEST_CASE("an evaluation that fails denies") {
  const auto result = judged("1 / lineage.unknown_inputs > 0");
  CHECK(result.verdict == Verdict::kFail);
  CHECK(result.facts["reason"] == "no_answer");
  CHECK(judged("taint.has(\"personnal\")").verdict == Verdict::kFail);
}

TEST_CASE("a label is contained in the higher ones") {
  CHECK(judged("taint.has(\"personal\")").verdict == Verdict::kPass);
  CHECK(judged("'!taint.has(\"child\")'").verdict == Verdict::kPass);
  const auto result = judged("'!taint.has(\"personal\") || target.environment.labels.holds_keys == \"yes\"'");
  CHECK(result.verdict == Verdict::kFail);
  CHECK(result.reason.find("taint.has(\"personal\") is true") != std::string::npos);
  CHECK(result.reason.find("target.environment.labels.holds_keys is \"no\"") != std::string::npos);
}

TEST_CASE("everything that is declared is bound, with its type") {
  for (const auto* assertion :
       {"target.environment.name == \"prod\" && target.environment.clearance == \"pseudonymous\"",
        "target.environment.region == \"\" && target.environment.protected && target.environment.approvals_needed == 1",
        "size(target.environment.after) == 0 && size(target.environment.owners) + size(target.environment.policies) == "
        "0",
        "artifact.name == \"readmission\" && artifact.kind == \"model\" && artifact.ref == \"readmission@v3\"",
        "artifact.digest.startsWith(\"sha256:\") && artifact.version == 3 && artifact.params.depth == \"6\"",
        "artifact.sensitivity == \"special_category\" && artifact.own_sensitivity == \"none\"",
        "!(artifact.sensitivity_assumed || artifact.deprecated) && artifact.description + artifact.created_by == \"\"",
        "artifact.created_at < now && artifact.size_bytes + artifact.file_count == 0 && size(artifact.ran_in) == 0",
        "artifact.metrics.auc == 0.79 && !has(artifact.git.commit)",
        "lineage.depth_to_source == 1 && lineage.roles == [\"train\"] && lineage.inputs[0].ref == \"patients@v1\"",
        "taint.sensitivity == \"special_category\" && \"patients@v1\" in taint.sources",
        "members.all(m, m.version == 3) && approvals.exists(a, \"privacy_officer\" in a.roles && a.is_human)",
        "requested_by == \"rita\" && reason != \"\" && !is_rollback && now.getDayOfWeek() == 6",
        "current.ref == \"readmission@v2\" && current.metrics.auc == 0.8 && current_metric(\"auc\") > "
        "metric(\"auc\")"}) {
    const auto result = judged("'" + std::string(assertion) + "'");
    CAPTURE(assertion, result.reason);
    CHECK(result.verdict == Verdict::kPass);
  }
}

TEST_CASE("an assertion on the same facts gives the same bytes") {
  const auto bytes = [] {
    return canonical_dump(model::to_json(judged("'metric(\"auc\") >= 0.82 || current.metrics == {\"auc\": 1.0}'")));
  };
  CHECK(bytes() == bytes());
}

TEST_CASE("lint points into the expression") {
  CHECK(lint_of("lineage.complete").empty());
  CHECK(finds("lineage.complete && lineage.unknown_input == 0", "cel_undeclared", 7, 43));
  CHECK(finds("\"lineage.complete && metrics('a') > 1.0\"", "cel_undeclared", 7, 36));
  CHECK(finds("metric(\"auc\") >= 1", "gate_not_boolean", 7, 15) == false);
  CHECK(finds("artifact.version >= \"3\"", "cel_no_overload", 7, 32));
  CHECK(finds("artifact.version +", "cel_syntax", 7, 33));
  CHECK(finds("artifact.version", "gate_not_boolean", 7, 15));
  CHECK(finds("1 < 2", "gate_cannot_fail", 7, 15));
  CHECK(finds("lineage.complete || true", "gate_cannot_fail", 7, 15));
  CHECK(finds("lineage.complete && false", "gate_impossible", 7, 15));
  CHECK(finds("|\n        lineage.complete &&\n        lineage.nothing == 1", "cel_undeclared", 9, 9));
}
