#include "policies/gate/gate.h"

#include <algorithm>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::gate;
using model::ArtifactKind;
using model::GateResult;
using model::MemberFacts;
using model::PromotionFacts;
using model::Sensitivity;
using model::Verdict;

namespace {

MemberFacts member(const std::string& name, ArtifactKind kind = ArtifactKind::kModel) {
  MemberFacts facts;
  facts.version.kind = kind;
  facts.version.name = name;
  facts.version.number = 1;
  facts.version.file_count = 2;
  return facts;
}

// A model that every built-in gate of `prod` passes.
PromotionFacts good_facts() {
  PromotionFacts facts;
  facts.environment.name = "prod";
  facts.environment.clearance = Sensitivity::kPseudonymous;
  facts.environment.after = {"staging"};
  facts.requested_by = "rita";
  facts.reason = "release 12";
  facts.members = {member("readmission")};
  facts.members[0].ran_in = {"staging"};
  return facts;
}

policy::Policy policy_of(const std::string& spec) {
  const std::string head =
      "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: gates, version: 1.0.0}\nspec:\n";
  auto loaded = policy::load_policy(head + spec, "gates.yaml");
  if (!loaded) FAIL(loaded.error().message);
  return *loaded;
}

policy::Policy gate_policy(const std::string& gate) {
  return policy_of("  gates:\n    - " + gate + "\n");
}

std::vector<GateResult> with_id(const std::vector<GateResult>& results, const std::string& id) {
  std::vector<GateResult> found;
  std::copy_if(results.begin(), results.end(), std::back_inserter(found),
               [&](const GateResult& r) { return r.id == id; });
  return found;
}

GateResult only(const std::vector<policy::Policy>& policies, const PromotionFacts& facts, const std::string& id) {
  const auto found = with_id(evaluate(policies, facts), id);
  REQUIRE(found.size() == 1);
  return found[0];
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a release that everything speaks for passes, and every built-in gate says so") {
  const auto results = evaluate({}, good_facts());
  for (const auto& id : {"integrity", "lifecycle", "order", "clearance", "approvals", "reason"}) {
    REQUIRE(with_id(results, id).size() == 1);
    CHECK(with_id(results, id)[0].verdict == Verdict::kPass);
    CHECK(with_id(results, id)[0].would_pass_if.empty());
    CHECK_FALSE(with_id(results, id)[0].rule.empty());
  }
  CHECK(overall(results) == Verdict::kPass);
}

TEST_CASE("overall: fail beats pending beats pass, and nothing looked at is a failure") {
  GateResult pass, pending, fail_result;
  pass.verdict = Verdict::kPass;
  pending.verdict = Verdict::kPending;
  fail_result.verdict = Verdict::kFail;
  CHECK(overall({pass, pending}) == Verdict::kPending);
  CHECK(overall({pending, fail_result, pass}) == Verdict::kFail);
  CHECK(overall({}) == Verdict::kFail);
}

TEST_CASE("a release without members fails") {
  auto facts = good_facts();
  facts.members.clear();
  CHECK(overall(evaluate({}, facts)) == Verdict::kFail);
}

TEST_CASE("integrity fails while bytes are missing") {
  auto facts = good_facts();
  facts.members[0].missing_blobs = {"sha256:aa"};
  const auto result = only({}, facts, "integrity");
  CHECK(result.verdict == Verdict::kFail);
  CHECK(result.facts["missing"] == 1);
  CHECK_FALSE(result.would_pass_if.empty());
}

TEST_CASE("lifecycle fails for a deprecated and for a deleted version") {
  auto facts = good_facts();
  facts.members[0].version.deprecated_reason = "drifted";
  CHECK(only({}, facts, "lifecycle").verdict == Verdict::kFail);
  CHECK(has(only({}, facts, "lifecycle").reason, "drifted"));
  facts.members[0].version.deprecated_reason.clear();
  facts.members[0].version.deleted_at_us = 1;
  CHECK(only({}, facts, "lifecycle").verdict == Verdict::kFail);
}

TEST_CASE("order: one of the environments before must have run it") {
  auto facts = good_facts();
  facts.environment.after = {"staging", "canary"};
  facts.members[0].ran_in = {"canary"};
  CHECK(only({}, facts, "order").verdict == Verdict::kPass);
  facts.members[0].ran_in = {"clinical"};
  const auto refused = only({}, facts, "order");
  CHECK(refused.verdict == Verdict::kFail);
  CHECK(has(refused.would_pass_if, "staging or canary"));
  facts.is_rollback = true;
  CHECK(only({}, facts, "order").verdict == Verdict::kPass);
  facts.is_rollback = false;
  facts.environment.after.clear();
  CHECK(has(only({}, facts, "order").reason, "entry point"));
}

TEST_CASE("order holds for every member of a release") {
  auto facts = good_facts();
  facts.members.push_back(member("scaler"));
  const auto results = with_id(evaluate({}, facts), "order");
  REQUIRE(results.size() == 2);
  CHECK(results[0].verdict == Verdict::kPass);
  CHECK(results[1].verdict == Verdict::kFail);
}

TEST_CASE("clearance prints the path that taints a model, and the remedy") {
  auto facts = good_facts();
  auto& tainted = facts.members[0];
  tainted.version.sensitivity = Sensitivity::kSpecialCategory;
  tainted.taint_path = {{"readmission@v1", Sensitivity::kSpecialCategory, ""},
                        {"features@v2", Sensitivity::kSpecialCategory, "train"},
                        {"patients@v1", Sensitivity::kSpecialCategory, "base"}};
  const auto result = only({}, facts, "clearance");
  CHECK(result.verdict == Verdict::kFail);
  CHECK(result.rule == "environment prod");
  CHECK(has(result.reason, "model readmission@v1 ← train: features@v2 ← base: patients@v1 (special_category)"));
  CHECK(has(result.would_pass_if, "mask patients@v1"));
  CHECK(has(result.would_pass_if, "retrain"));
  CHECK(has(result.would_pass_if, "raise the clearance of prod to special_category"));
  CHECK(result.facts["clearance"] == "pseudonymous");
  CHECK(result.facts["taint_path"].size() == 3);
}

TEST_CASE("clearance passes at the label itself and tells a dataset to be masked above it") {
  auto facts = good_facts();
  facts.members = {member("patients", ArtifactKind::kDataset)};
  facts.members[0].ran_in = {"staging"};
  facts.members[0].version.sensitivity = Sensitivity::kPseudonymous;
  CHECK(only({}, facts, "clearance").verdict == Verdict::kPass);
  facts.members[0].version.sensitivity = Sensitivity::kPersonal;
  facts.members[0].version.sensitivity_assumed = true;
  const auto refused = only({}, facts, "clearance");
  CHECK(refused.verdict == Verdict::kFail);
  CHECK(has(refused.would_pass_if, "mask patients@v1"));
  CHECK(has(refused.reason, "assumed"));
}

TEST_CASE("approvals: people other than the requester, each once, of the roles asked for") {
  auto facts = good_facts();
  facts.environment.approvals_needed = 2;
  facts.environment.approver_roles = {"approver", "admin"};
  const auto verdict = [&] { return only({}, facts, "approvals"); };
  CHECK(verdict().verdict == Verdict::kPending);
  CHECK(has(verdict().would_pass_if, "2 more approvals"));
  facts.approvals = {{"ada", {"approver"}, true}, {"ada", {"approver"}, true}};
  CHECK(verdict().facts["have"] == 1);
  facts.approvals.push_back({"rita", {"admin"}, true});
  CHECK(verdict().facts["have"] == 1);
  facts.approvals.push_back({"bot", {"approver"}, false});
  CHECK(verdict().facts["have"] == 1);
  facts.approvals.push_back({"vera", {"viewer"}, true});
  CHECK(verdict().verdict == Verdict::kPending);
  CHECK(has(verdict().would_pass_if, "1 more approval by a person with role approver or admin other than rita"));
  facts.approvals.push_back({"adam", {"admin"}, true});
  CHECK(verdict().verdict == Verdict::kPass);
}

TEST_CASE("reason: blanks are no reason where one is needed") {
  auto facts = good_facts();
  facts.environment.reason_required = true;
  facts.reason = " \n";
  CHECK(only({}, facts, "reason").verdict == Verdict::kFail);
  facts.environment.reason_required = false;
  CHECK(only({}, facts, "reason").verdict == Verdict::kPass);
}

TEST_CASE("metric floor: pass, fail, and missing evidence") {
  const std::vector policies{gate_policy("{id: auc-floor, kinds: [model], metric: {name: auc, min: 0.70}}")};
  auto facts = good_facts();
  const auto missing = only(policies, facts, "auc-floor");
  CHECK(missing.verdict == Verdict::kFail);
  CHECK(has(missing.reason, "evidence missing"));
  CHECK(missing.rule == "gates.yaml:6");
  CHECK(missing.kind == "metric");
  facts.members[0].version.metrics["auc"] = 0.69;
  const auto low = only(policies, facts, "auc-floor");
  CHECK(low.verdict == Verdict::kFail);
  CHECK(low.facts["value"] == 0.69);
  CHECK(low.would_pass_if == "auc is at least 0.7");
  facts.members[0].version.metrics["auc"] = 0.70;
  CHECK(only(policies, facts, "auc-floor").verdict == Verdict::kPass);
  facts.members[0].version.metrics["auc"] = std::numeric_limits<double>::quiet_NaN();
  CHECK(only(policies, facts, "auc-floor").verdict == Verdict::kFail);
}

TEST_CASE("metric ceiling") {
  const std::vector policies{gate_policy("{id: brier, metric: {name: brier, max: 0.2}}")};
  auto facts = good_facts();
  facts.members[0].version.metrics["brier"] = 0.2;
  CHECK(only(policies, facts, "brier").verdict == Verdict::kPass);
  facts.members[0].version.metrics["brier"] = 0.21;
  CHECK(only(policies, facts, "brier").verdict == Verdict::kFail);
}

TEST_CASE("metric floor holds for every model of a release") {
  const std::vector policies{gate_policy("{id: auc-floor, metric: {name: auc, min: 0.70}}")};
  auto facts = good_facts();
  facts.members[0].version.metrics["auc"] = 0.9;
  facts.members.push_back(member("second"));
  const auto results = with_id(evaluate(policies, facts), "auc-floor");
  REQUIRE(results.size() == 2);
  CHECK(results[1].verdict == Verdict::kFail);
}

TEST_CASE("metric regression against what runs now") {
  const std::vector policies{gate_policy("{id: auc-regression, metric: {name: auc, not_below_current_by: 0.02}}")};
  auto facts = good_facts();
  const auto first = only(policies, facts, "auc-regression");
  CHECK(first.verdict == Verdict::kPass);
  CHECK(has(first.reason, "nothing runs in prod"));
  facts.current_ref = "readmission@v0";
  facts.current_metrics["auc"] = 0.80;
  CHECK(has(only(policies, facts, "auc-regression").reason, "evidence missing"));
  facts.members[0].version.metrics["auc"] = 0.78;
  CHECK(only(policies, facts, "auc-regression").verdict == Verdict::kPass);
  facts.members[0].version.metrics["auc"] = 0.77;
  const auto worse = only(policies, facts, "auc-regression");
  CHECK(worse.verdict == Verdict::kFail);
  CHECK(worse.facts["current_value"] == 0.80);
  CHECK(worse.would_pass_if == "auc is at least 0.78");
  facts.is_rollback = true;
  CHECK(only(policies, facts, "auc-regression").verdict == Verdict::kPass);
  CHECK(has(only(policies, facts, "auc-regression").reason, "not applicable to a rollback"));
  facts.is_rollback = false;
  facts.current_metrics.clear();
  CHECK(only(policies, facts, "auc-regression").verdict == Verdict::kFail);
}

TEST_CASE("a rollback still meets the absolute floor") {
  const std::vector policies{gate_policy("{id: auc-floor, metric: {name: auc, min: 0.70}}")};
  auto facts = good_facts();
  facts.is_rollback = true;
  facts.members[0].version.metrics["auc"] = 0.5;
  CHECK(overall(evaluate(policies, facts)) == Verdict::kFail);
}

TEST_CASE("lineage: inputs recorded, known, of the roles, from a clean tree") {
  const std::vector policies{gate_policy("{id: lineage, lineage: {complete: true, roles: [train], git: clean}}")};
  auto facts = good_facts();
  auto& version = facts.members[0].version;
  auto& inputs = facts.members[0].inputs;
  const auto result = [&] { return only(policies, facts, "lineage"); };
  CHECK(has(result().reason, "no inputs are recorded"));
  CHECK(has(result().reason, "no git commit"));
  version.git = model::GitSource{"0123456789012345678901234567890123456789", "main", "", true};
  inputs = {{"id-1", "patients-deid@v1", "sha256:aa", "test"}};
  CHECK(has(result().reason, "no input has role train"));
  CHECK(has(result().reason, "local changes"));
  inputs[0].role = "train";
  version.git->dirty = false;
  CHECK(result().verdict == Verdict::kPass);
  inputs.push_back({"", "somewhere", "", "base"});
  CHECK(has(result().reason, "1 of its inputs are not registered"));
  CHECK(result().verdict == Verdict::kFail);
}

TEST_CASE("a policy's approvals gate counts its own roles beside the environment's protection") {
  const std::vector policies{gate_policy("{id: two-eyes, approvals: {count: 1, roles: [approver]}}")};
  auto facts = good_facts();
  facts.approvals = {{"vera", {"viewer"}, true}};
  CHECK(only(policies, facts, "two-eyes").verdict == Verdict::kPending);
  CHECK(overall(evaluate(policies, facts)) == Verdict::kPending);
  facts.approvals = {{"ada", {"approver"}, true}};
  CHECK(only(policies, facts, "two-eyes").verdict == Verdict::kPass);
  CHECK(approvals_needed(policies, facts) == 1);
  facts.environment.approvals_needed = 3;
  CHECK(approvals_needed(policies, facts) == 3);
}

TEST_CASE("a policy's clearance can be tighter than the environment's") {
  const std::vector policies{gate_policy("{id: none-only, clearance: {max: none}}")};
  auto facts = good_facts();
  facts.members[0].version.sensitivity = Sensitivity::kPseudonymous;
  CHECK(only(policies, facts, "clearance").verdict == Verdict::kPass);
  CHECK(only(policies, facts, "none-only").verdict == Verdict::kFail);
  facts.members[0].version.sensitivity = Sensitivity::kNone;
  CHECK(only(policies, facts, "none-only").verdict == Verdict::kPass);
}

TEST_CASE("a gate speaks about the kinds it and its policy select") {
  const std::vector policies{
      policy_of("  select: {kinds: [model]}\n  gates:\n    - {id: g, metric: {name: auc, min: 0.7}}\n")};
  auto facts = good_facts();
  facts.members = {member("patients", ArtifactKind::kDataset)};
  CHECK(with_id(evaluate(policies, facts), "g").empty());
  CHECK(approvals_needed(policies, facts) == 0);
}

TEST_CASE("the same facts give the same bytes") {
  const std::vector policies{gate_policy("{id: auc-floor, metric: {name: auc, min: 0.70}}")};
  const auto dump = [&] {
    Json list = Json::array();
    for (const auto& result : evaluate(policies, good_facts())) list.push_back(model::to_json(result));
    return list.dump();
  };
  CHECK(dump() == dump());
}
