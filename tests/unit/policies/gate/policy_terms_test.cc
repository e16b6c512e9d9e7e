// Terms at the gate: region, use, mode; and the tests of decisions a policy carries.
#include <algorithm>

#include "policies/gate/decision_trial.h"
#include "policies/gate/gate.h"
#include "policies/gate/shadow.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::gate;
using model::Verdict;

namespace {

model::PromotionFacts good_facts() {
  model::PromotionFacts facts;
  facts.environment.name = "prod";
  facts.environment.clearance = model::Sensitivity::kChild;
  model::MemberFacts member;
  member.version.kind = model::ArtifactKind::kDataset;
  member.version.name = "patients";
  member.version.number = 1;
  facts.members = {member};
  return facts;
}

policy::Policy policy_of(const std::string& spec) {
  auto loaded = policy::load_policy(
      "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0}\nspec:\n" + spec, "p.yaml");
  if (!loaded) FAIL(loaded.error().message);
  return *loaded;
}

std::vector<std::string> problems_of(const policy::Policy& policy, std::size_t index) {
  const auto& test = policy::inline_tests(policy).at(index);
  auto result = policy::result_of(test, index + 1, "p.yaml");
  try_decision(policy, test, result);
  return result.problems;
}

}  // namespace

TEST_CASE("data go only where residency allows, by name or by a named transfer") {
  const std::vector<policy::Policy> policies{
      policy_of("  residency: {allowed: [eu-west], transfer: {\"us-*\": {basis: scc, id: required}}}\n")};
  auto facts = good_facts();
  CHECK(overall(evaluate(policies, facts)) == Verdict::kFail);  // an environment without a region
  facts.environment.region = "eu-west";
  CHECK(overall(evaluate(policies, facts)) == Verdict::kPass);
  facts.environment.region = "us-east";
  CHECK(overall(evaluate(policies, facts)) == Verdict::kFail);
  facts.environment.labels["transfer"] = "SCC-2026-4";
  CHECK(overall(evaluate(policies, facts)) == Verdict::kPass);
  facts.environment.region = "cn-north";
  CHECK(overall(evaluate(policies, facts)) == Verdict::kFail);
}

TEST_CASE("data are used for what was declared") {
  const std::vector<policy::Policy> policies{policy_of("  purpose: {declared: [train_ai_system]}\n")};
  auto facts = good_facts();
  CHECK(overall(evaluate(policies, facts)) == Verdict::kFail);  // nobody says what the environment is for
  facts.environment.labels["purpose"] = "marketing";
  CHECK(overall(evaluate(policies, facts)) == Verdict::kFail);
  facts.environment.labels["purpose"] = "train_ai_system";
  CHECK(overall(evaluate(policies, facts)) == Verdict::kPass);
}

TEST_CASE("terms speak about the kinds the policy selects") {
  const std::vector<policy::Policy> policies{
      policy_of("  select: {kinds: [model]}\n  residency: {allowed: [eu-west]}\n")};
  CHECK(overall(evaluate(policies, good_facts())) == Verdict::kPass);
}

TEST_CASE("a policy that only warns refuses nothing and says what it would have refused") {
  for (const std::string mode : {"warn", "dryrun"}) {
    const std::vector<policy::Policy> policies{
        policy_of("  enforcement: {mode: " + mode + "}\n  gates: [{id: two-eyes, approvals: {count: 2}}]\n")};
    const auto results = evaluate(policies, good_facts());
    CHECK(overall(results) == Verdict::kPass);
    CHECK(approvals_needed(policies, good_facts()) == 0);
    const auto warned = std::find_if(results.begin(), results.end(),
                                     [](const model::GateResult& result) { return result.id == "two-eyes"; });
    REQUIRE(warned != results.end());
    CHECK(warned->reason.starts_with(mode + ": would be pending: "));
  }
}

TEST_CASE("a test of a decision passes and fails as it says") {
  const auto policy = policy_of(
      "  gates:\n"
      "    - {id: auc, kinds: [model], metric: {name: auc, min: 0.8}}\n"
      "    - {id: two-eyes, approvals: {count: 1, roles: [approver]}}\n"
      "  tests:\n"
      "    - {given: {target: prod, approvals: 1, metrics: {auc: 0.9}}, expect: allow}\n"
      "    - {given: {target: prod, metrics: {auc: 0.9}}, expect: deny, because: two-eyes}\n"
      "    - {given: {target: prod, metrics: {auc: 0.9}}, expect: pending}\n"
      "    - {given: {target: prod, approvals: [viewer], metrics: {auc: 0.9}}, expect: deny, because: two-eyes}\n"
      "    - {given: {target: prod, approvals: 1, metrics: {auc: 0.7}}, expect: deny, because: auc}\n"
      "    - {given: {target: prod, approvals: [{by: requester, roles: [approver]}], metrics: {auc: 0.9}}, expect: "
      "deny}\n"
      "    - {given: {target: prod, approvals: 1, metrics: {auc: 0.7}}, expect: allow}\n"
      "    - {given: {target: prod, approvals: 1, metrics: {auc: 0.9}}, expect: deny, because: auc}\n"
      "    - {given: {target: prod, approvals: 1, metrics: {auc: 0.7}}, expect: deny, because: two-eyes}\n");
  for (std::size_t i = 0; i < 6; ++i) {
    INFO(i);
    CHECK(problems_of(policy, i).empty());
  }
  for (std::size_t i = 6; i < 9; ++i) {
    INFO(i);
    CHECK_FALSE(problems_of(policy, i).empty());
  }
}

TEST_CASE("a test of a decision may give the day") {
  const auto policy = policy_of(
      "  classification: {columns: {a: {class: mrn}}}\n"
      "  gates: [{id: two-eyes, approvals: {count: 1}}]\n"
      "  exceptions: [{id: E, gate: two-eyes, scope: \"*\", reason: r, approver: a, expires: 2026-12-31}]\n"
      "  tests:\n"
      "    - {given: {at: 2026-12-30, approvals: 1}, expect: allow}\n"
      "    - {given: {at: 2027-01-01, approvals: 1}, expect: deny, because: in_force}\n");
  CHECK(problems_of(policy, 0).empty());
  CHECK(problems_of(policy, 1).empty());
}

TEST_CASE("a gate in shadow passes and says what it would have been; from its day on it binds") {
  const std::vector<policy::Policy> policies{
      policy_of("  enforcement: {shadow: {gates: [two-eyes], until: 2027-01-31}}\n"
                "  gates: [{id: two-eyes, approvals: {count: 2}}]\n")};
  auto facts = good_facts();
  facts.decided_at_us = *parse_rfc3339("2027-01-30T23:59:59Z");
  const auto results = evaluate(policies, facts);
  CHECK(overall(results) == Verdict::kPass);
  CHECK(approvals_needed(policies, facts) == 0);
  const auto told = std::find_if(results.begin(), results.end(), [](const auto& one) { return one.id == "two-eyes"; });
  REQUIRE(told != results.end());
  CHECK(told->reason.find("shadow: would be pending: ") == 0);
  CHECK(told->facts["shadow"] == "pending");
  facts.decided_at_us = *parse_rfc3339("2027-01-31T00:00:00Z");
  CHECK(overall(evaluate(policies, facts)) == Verdict::kPending);
  CHECK(approvals_needed(policies, facts) == 2);
}

TEST_CASE("a policy in shadow tells its verdict in the place of the other, and changes none") {
  const std::vector<policy::Policy> policies{
      policy_of("  enforcement: {shadow: {policy: p@2.0.0, until: 2027-01-31}}\n"
                "  gates: [{id: two-eyes, approvals: {count: 2}}]\n")};
  const std::vector<ShadowPolicy> shadows{{policy_of("  residency: {allowed: [eu-west]}\n"), "p"}};
  auto facts = good_facts();
  facts.environment.region = "eu-west";
  facts.decided_at_us = 1;
  const auto decided = overall(evaluate(policies, facts));
  REQUIRE(decided == Verdict::kPending);
  auto said = evaluate_shadows(policies, shadows, facts, decided);
  REQUIRE(said.size() == 1);
  CHECK(said[0].verdict == Verdict::kPass);
  CHECK(said[0].flips);
  REQUIRE(said[0].gates.size() == 1);
  CHECK(said[0].gates[0].id == "residency");
  facts.environment.region = "us-east";
  CHECK(evaluate_shadows(policies, shadows, facts, decided)[0].verdict == Verdict::kFail);
  facts.decided_at_us = *parse_rfc3339("2027-02-01T00:00:00Z");
  CHECK(evaluate_shadows(policies, shadows, facts, decided).empty());
}

TEST_CASE("a policy speaks about the versions that carry all its labels") {
  const std::vector<policy::Policy> policies{
      policy_of("  select: {labels: {domain: clinical, site: north}}\n  residency: {allowed: [eu-west]}\n")};
  auto facts = good_facts();
  CHECK(overall(evaluate(policies, facts)) == Verdict::kPass);
  facts.members[0].labels = {{"domain", "clinical"}};
  CHECK(overall(evaluate(policies, facts)) == Verdict::kPass);
  facts.members[0].labels = {{"domain", "clinical"}, {"site", "north"}, {"x", "y"}};
  CHECK(overall(evaluate(policies, facts)) == Verdict::kFail);
  facts.members[0].labels["site"] = "south";
  CHECK(overall(evaluate(policies, facts)) == Verdict::kPass);
}
